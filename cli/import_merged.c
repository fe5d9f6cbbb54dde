#include "cli/import_merged.h"

#include "base/arena.h"
#include "base/mem.h"
#include "cli/export_walk.h"
#include "database/value.h"

#include <stdlib.h>

enum { CHAIN_MAX = 64 }; /* the server allows no cycles; damage must not become one here */

struct merge {
        struct slice from;
        struct slice into; /* at first the next one, in the end the last one of the chain */
};

struct import_merged {
        struct arena texts;
        struct merge *merges; /* sorted by `into` and `from` when loaded */
        struct slice *from;   /* of each merge, in the same order */
        struct slice *known;  /* the same, sorted */
        size_t count;
        size_t room;
};

void import_merged_destroy(struct import_merged **merged)
{
        if (*merged == NULL)
                return;
        arena_deinit(&(*merged)->texts);
        vc_free((*merged)->merges);
        vc_free((*merged)->from);
        vc_free((*merged)->known);
        vc_free(*merged);
        *merged = NULL;
}

/* ---- loading ---- */

static bool keep_text(struct import_merged *merged, struct slice text, struct slice *out)
{
        char *copy = arena_text(&merged->texts, text);

        *out = slice_of(copy, text.len);
        return copy != NULL;
}

static bool make_room(struct import_merged *merged)
{
        size_t room = merged->room == 0 ? 64 : 2 * merged->room;
        struct merge *grown;

        if (merged->count < merged->room)
                return true;
        grown = vc_realloc(merged->merges, room * sizeof(*grown));
        if (grown == NULL)
                return false;
        merged->merges = grown;
        merged->room = room;
        return true;
}

static enum err add_row(void *context, const struct export_row *row, struct err_msg *msg)
{
        struct import_merged *merged = context;
        struct slice from;
        struct slice into;
        struct merge *merge;

        if (!value_member_text(row->row, "student", &from) || !value_member_text(row->row, "into", &into))
                return OK;
        if (!make_room(merged))
                return err_set(msg, ERR_NOMEM, "out of memory");
        merge = &merged->merges[merged->count];
        if (!keep_text(merged, from, &merge->from) || !keep_text(merged, into, &merge->into))
                return err_set(msg, ERR_NOMEM, "out of memory");
        merged->count++;
        return OK;
}

static int by_from(const void *a, const void *b)
{
        const struct merge *left = a;
        const struct merge *right = b;

        return slice_compare(left->from, right->from);
}

static int by_into(const void *a, const void *b)
{
        const struct merge *left = a;
        const struct merge *right = b;
        int order = slice_compare(left->into, right->into);

        return order != 0 ? order : slice_compare(left->from, right->from);
}

/* Sorted by `from`: each merge leads to the end of its chain. */
static struct slice end_of_chain(const struct import_merged *merged, struct slice student)
{
        for (int step = 0; step < CHAIN_MAX; step++) {
                const struct merge key = {.from = student};
                const struct merge *next =
                        bsearch(&key, merged->merges, merged->count, sizeof(*merged->merges), by_from);

                if (next == NULL)
                        break;
                student = next->into;
        }
        return student;
}

static enum err sort_merges(struct import_merged *merged, struct err_msg *msg)
{
        size_t count = merged->count;
        struct slice *ends = vc_malloc((count + 1) * sizeof(*ends));

        merged->from = vc_malloc((count + 1) * sizeof(*merged->from));
        merged->known = vc_malloc((count + 1) * sizeof(*merged->known));
        if (ends == NULL || merged->from == NULL || merged->known == NULL) {
                vc_free(ends);
                return err_set(msg, ERR_NOMEM, "out of memory");
        }
        if (count > 0)
                qsort(merged->merges, count, sizeof(*merged->merges), by_from);
        for (size_t i = 0; i < count; i++) {
                ends[i] = end_of_chain(merged, merged->merges[i].into);
                merged->known[i] = merged->merges[i].from;
        }
        for (size_t i = 0; i < count; i++)
                merged->merges[i].into = ends[i];
        if (count > 0)
                qsort(merged->merges, count, sizeof(*merged->merges), by_into);
        for (size_t i = 0; i < count; i++)
                merged->from[i] = merged->merges[i].from;
        vc_free(ends);
        return OK;
}

enum err import_merged_load(struct import_merged **out, struct conn *conn, struct err_msg *msg)
{
        struct import_merged *merged = vc_calloc(1, sizeof(*merged));
        const struct export_walk walk = {.conn = conn, .table = "merges", .visit = add_row, .context = merged};
        enum err rc;

        *out = NULL;
        if (merged == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        arena_init(&merged->texts);
        rc = export_walk(&walk, msg);
        if (rc == OK || rc == ERR_NOTFOUND) /* no such table: nobody is merged */
                rc = sort_merges(merged, msg);
        if (rc == OK)
                *out = merged;
        else
                import_merged_destroy(&merged);
        return rc;
}

/* ---- asking ---- */

static int compare_ids(const void *a, const void *b)
{
        const struct slice *left = a;
        const struct slice *right = b;

        return slice_compare(*left, *right);
}

bool import_merged_is(const struct import_merged *merged, struct slice student)
{
        return merged->count > 0 &&
               bsearch(&student, merged->known, merged->count, sizeof(*merged->known), compare_ids) != NULL;
}

size_t import_merged_into(const struct import_merged *merged, struct slice student, const struct slice **ids)
{
        size_t first = 0;
        size_t behind = merged->count;
        size_t count = 0;

        while (first < behind) { /* the first merge into the student */
                size_t middle = first + (behind - first) / 2;

                if (slice_compare(merged->merges[middle].into, student) < 0)
                        first = middle + 1;
                else
                        behind = middle;
        }
        while (first + count < merged->count && slice_equal(merged->merges[first + count].into, student))
                count++;
        *ids = merged->from + first;
        return count;
}
