/* What a reply shows. A student's rows all carry the version of the transaction that wrote them: two of allergies, one
 * of conditions. The student's own record has none, so that most writes do not touch it. */
#include "tests/faults/driver.h"

#include <stdlib.h>
#include <string.h>

struct kind_of_reply {
        const char *type;
        unsigned rows; /* how many rows there are in its replies, when there are any */
};

static const struct kind_of_reply kinds[] = {
        {"student", 0},
        {"allergies", 2},
        {"strict", 2},
        {"conditions", 1},
        {"summary", 3},
};

static const struct kind_of_reply *kind_named(const char *type)
{
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
                if (strcmp(kinds[i].type, type) == 0)
                        return &kinds[i];
        }
        return NULL;
}

/* How many versions are in the text; *out: the first; *mixed: they differ. */
static unsigned versions_in(const char *text, size_t len, uint64_t *out, bool *mixed)
{
        static const char name[] = "\"version\":";
        const char *at = text, *end = text + len;
        unsigned count = 0;

        *mixed = false;
        while ((at = memmem(at, (size_t)(end - at), name, sizeof name - 1)) != NULL) {
                uint64_t version = strtoull(at + sizeof name - 1, NULL, 10);

                if (count++ == 0)
                        *out = version;
                *mixed = *mixed || version != *out;
                at += sizeof name - 1;
        }
        return count;
}

bool reply_shows(const char *type, const char *text, size_t len, struct shown *out)
{
        const struct kind_of_reply *kind = kind_named(type);
        unsigned count;
        bool mixed;

        *out = (struct shown){SHOWN_MIXED, 0};
        if (kind == NULL || memmem(text, len, "\"error\":", 8) != NULL)
                return false;
        count = versions_in(text, len, &out->version, &mixed);
        if (mixed)
                return true;
        if (count == kind->rows)
                out->kind = count == 0 ? SHOWN_KNOWN : SHOWN_ROWS;
        else if (count == 0)
                out->kind = SHOWN_NONE;
        return true;
}
