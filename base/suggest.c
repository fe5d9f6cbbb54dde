#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>

enum { NAME_MAX_LENGTH = 63 }; /* of names that are compared; longer ones are never near */

void suggest_init(struct suggest *suggest, struct slice given)
{
        *suggest = (struct suggest){given, SLICE_EMPTY, SIZE_MAX};
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static bool same(struct slice a, size_t i, struct slice b, size_t k)
{
        return tolower(a.data[i]) == tolower(b.data[k]);
}

/* Optimal string alignment (Damerau 1964, restricted form): the fewest letters changed, added, left out or swapped
 * with their neighbour. Three rows of the table are enough: a swap looks back two. Cost: the product of the lengths. */
static size_t distance(struct slice a, struct slice b)
{
        size_t rows[3][NAME_MAX_LENGTH + 1];
        size_t *before = rows[0];
        size_t *above = rows[1];
        size_t *row = rows[2];

        for (size_t k = 0; k <= b.len; k++)
                above[k] = k;
        for (size_t i = 1; i <= a.len; i++) {
                size_t *spare = before;

                row[0] = i;
                for (size_t k = 1; k <= b.len; k++) {
                        row[k] = above[k - 1] + (same(a, i - 1, b, k - 1) ? 0 : 1);
                        row[k] = least(row[k], least(above[k], row[k - 1]) + 1);
                        if (i > 1 && k > 1 && same(a, i - 1, b, k - 2) && same(a, i - 2, b, k - 1))
                                row[k] = least(row[k], before[k - 2] + 1);
                }
                before = above;
                above = row;
                row = spare;
        }
        return above[b.len];
}

void suggest_offer(struct suggest *suggest, struct slice name)
{
        size_t far;

        if (name.len > NAME_MAX_LENGTH || suggest->given.len > NAME_MAX_LENGTH || suggest->given.len == 0)
                return;
        far = distance(suggest->given, name);
        if (far < suggest->distance && far <= (name.len + 2) / 3) {
                suggest->distance = far;
                suggest->nearest = name;
        }
}

enum err suggest_append(const struct suggest *suggest, enum err code, struct err_msg *msg)
{
        size_t used;

        if (msg == NULL || suggest->nearest.len == 0)
                return code;
        used = strlen(msg->text);
        (void)snprintf(
                msg->text + used, sizeof(msg->text) - used, " (did you mean \"%.*s\"?)", SLICE_ARG(suggest->nearest));
        return code;
}
