#include "cli/import_merged.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "cli/export_walk.h"
#include "database/value.h"

#include <stdlib.h>

enum { CHAIN_MAX = 64 }; /* the server allows no circles; what an input says is not to become one here */

struct merge {
        struct slice from;
        struct slice into;
};

struct import_merged {
        uint64_t seed;
        struct arena texts;
        struct merge *merges;
        uint32_t count;
        uint32_t *index;    /* of `from`: a hash table of places in `merges`, plus one; 0: free */
        size_t index_size;  /* a power of two, at least twice the merges */
        struct merge *ends; /* when listed: each with the end of its chain, sorted by that */
        struct slice *from; /* of these, in their order */
};

enum err import_merged_create(struct import_merged **out, uint64_t seed)
{
        struct import_merged *merged = vc_calloc(1, sizeof(*merged));

        *out = merged;
        if (merged == NULL)
                return ERR_NOMEM;
        merged->seed = seed;
        arena_init(&merged->texts);
        return OK;
}

void import_merged_destroy(struct import_merged **merged)
{
        if (*merged == NULL)
                return;
        arena_deinit(&(*merged)->texts);
        vc_free((*merged)->merges);
        vc_free((*merged)->index);
        vc_free((*merged)->ends);
        vc_free((*merged)->from);
        vc_free(*merged);
        *merged = NULL;
}

/* ---- the table ---- */

/* The place of the student in the index, or the free one where it would be. There is a free one always. */
static size_t find_place(const struct import_merged *merged, struct slice student)
{
        size_t mask = merged->index_size - 1;
        size_t place = (size_t)hash64(student, merged->seed) & mask;

        while (merged->index[place] != 0 && !slice_equal(merged->merges[merged->index[place] - 1].from, student))
                place = (place + 1) & mask;
        return place;
}

static const struct merge *find(const struct import_merged *merged, struct slice student)
{
        uint32_t number = merged->count == 0 ? 0 : merged->index[find_place(merged, student)];

        return number == 0 ? NULL : &merged->merges[number - 1];
}

/* Doubles the room when one more would make it too full. */
static enum err make_room(struct import_merged *merged)
{
        size_t size = merged->index_size == 0 ? 64 : 2 * merged->index_size;
        struct merge *merges;
        uint32_t *index;

        if (2 * ((size_t)merged->count + 1) <= merged->index_size)
                return OK;
        merges = vc_realloc(merged->merges, size / 2 * sizeof(*merges));
        if (merges == NULL)
                return ERR_NOMEM;
        merged->merges = merges;
        index = vc_calloc(size, sizeof(*index));
        if (index == NULL)
                return ERR_NOMEM;
        vc_free(merged->index);
        merged->index = index;
        merged->index_size = size;
        for (uint32_t i = 0; i < merged->count; i++)
                index[find_place(merged, merges[i].from)] = i + 1;
        return OK;
}

static bool keep_text(struct import_merged *merged, struct slice text, struct slice *out)
{
        char *copy = arena_text(&merged->texts, text);

        *out = slice_of(copy, text.len);
        return copy != NULL;
}

enum err import_merged_add(struct import_merged *merged, struct slice row)
{
        struct slice from;
        struct slice into;
        struct merge *merge;
        enum err rc;

        if (!value_member_text(row, "student", &from) || !value_member_text(row, "into", &into))
                return OK;
        if (find(merged, from) != NULL)
                return OK;
        rc = make_room(merged);
        if (rc != OK)
                return rc;
        merge = &merged->merges[merged->count];
        if (!keep_text(merged, from, &merge->from) || !keep_text(merged, into, &merge->into))
                return ERR_NOMEM;
        merged->index[find_place(merged, from)] = ++merged->count;
        return OK;
}

static enum err add_row(void *context, const struct export_row *row, struct err_msg *msg)
{
        enum err rc = import_merged_add(context, row->row);

        return rc == OK ? OK : err_set(msg, rc, "out of memory");
}

enum err import_merged_load(struct import_merged *merged, struct conn *conn, struct err_msg *msg)
{
        const struct export_walk walk = {.conn = conn, .table = "merges", .visit = add_row, .context = merged};
        enum err rc = export_walk(&walk, msg);

        return rc == ERR_NOTFOUND ? OK : rc; /* no such table: nobody is merged */
}

/* ---- asking ---- */

bool import_merged_is(const struct import_merged *merged, struct slice student)
{
        return find(merged, student) != NULL;
}

struct slice import_merged_root(const struct import_merged *merged, struct slice student)
{
        const struct merge *next = find(merged, student);

        for (int step = 0; next != NULL && step < CHAIN_MAX; step++) {
                student = next->into;
                next = find(merged, student);
        }
        return student;
}

static int by_end(const void *a, const void *b)
{
        const struct merge *left = a;
        const struct merge *right = b;
        int order = slice_compare(left->into, right->into);

        return order != 0 ? order : slice_compare(left->from, right->from);
}

enum err import_merged_list(struct import_merged *merged)
{
        size_t count = merged->count;

        merged->ends = vc_malloc((count + 1) * sizeof(*merged->ends));
        merged->from = vc_malloc((count + 1) * sizeof(*merged->from));
        if (merged->ends == NULL || merged->from == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < count; i++)
                merged->ends[i] = (struct merge){
                        .from = merged->merges[i].from, .into = import_merged_root(merged, merged->merges[i].from)};
        qsort(merged->ends, count, sizeof(*merged->ends), by_end);
        for (size_t i = 0; i < count; i++)
                merged->from[i] = merged->ends[i].from;
        return OK;
}

size_t import_merged_into(const struct import_merged *merged, struct slice student, const struct slice **ids)
{
        size_t first = 0;
        size_t behind = merged->count;
        size_t count = 0;

        while (first < behind) { /* the first merge that ends at the student */
                size_t middle = first + (behind - first) / 2;

                if (slice_compare(merged->ends[middle].into, student) < 0)
                        first = middle + 1;
                else
                        behind = middle;
        }
        while (first + count < merged->count && slice_equal(merged->ends[first + count].into, student))
                count++;
        *ids = merged->from + first;
        return count;
}
