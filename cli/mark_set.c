#include "cli/mark_set.h"

#include "base/mem.h"

#include <stdlib.h>

/* Of a loaded part only the second word of each name is kept: the first word's leading bits are the part's number. */
struct mark_set {
        const struct mark_log *log;
        size_t most;     /* words at a time */
        unsigned first;  /* part loaded */
        unsigned behind; /* the last part loaded */
        uint64_t *words; /* sorted within each part */
        size_t begin[MARK_LOG_PARTS + 1];
};

enum err mark_set_create(struct mark_set **out, const struct mark_log *log, size_t memory)
{
        struct mark_set *set = vc_calloc(1, sizeof(*set));

        *out = set;
        if (set == NULL)
                return ERR_NOMEM;
        set->log = log;
        set->most = memory / sizeof(*set->words);
        return OK;
}

void mark_set_destroy(struct mark_set **set)
{
        if (*set == NULL)
                return;
        vc_free((*set)->words);
        vc_free(*set);
        *set = NULL;
}

static int compare_words(const void *a, const void *b)
{
        const uint64_t *left = a;
        const uint64_t *right = b;

        return *left < *right ? -1 : *left > *right;
}

static enum err load_part(struct mark_set *set, unsigned part, struct err_msg *msg)
{
        size_t count = (size_t)mark_log_count(set->log, part);
        struct mark *marks = vc_malloc((count + 1) * sizeof(*marks));
        uint64_t *words = set->words + set->begin[part];
        enum err rc;

        if (marks == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        rc = mark_log_read(set->log, part, marks, msg);
        for (size_t i = 0; rc == OK && i < count; i++)
                words[i] = marks[i].name[1];
        vc_free(marks);
        if (rc == OK && count > 1)
                qsort(words, count, sizeof(*words), compare_words);
        set->begin[part + 1] = set->begin[part] + count;
        return rc;
}

/* How many words the next parts have; `behind` is set behind the last of them. */
static size_t choose_parts(struct mark_set *set)
{
        size_t count = 0;

        set->first = set->behind;
        for (; set->behind < MARK_LOG_PARTS; set->behind++) {
                size_t more = (size_t)mark_log_count(set->log, set->behind);

                if (set->behind > set->first && count + more > set->most)
                        break;
                count += more;
        }
        return count;
}

enum err mark_set_next(struct mark_set *set, bool *loaded, struct err_msg *msg)
{
        size_t count = choose_parts(set);
        enum err rc = OK;

        *loaded = set->first < set->behind;
        vc_free(set->words);
        set->words = vc_malloc((count + 1) * sizeof(*set->words));
        if (set->words == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        if (*loaded)
                set->begin[set->first] = 0;
        for (unsigned part = set->first; rc == OK && part < set->behind; part++)
                rc = load_part(set, part, msg);
        return rc;
}

enum mark_answer mark_set_ask(const struct mark_set *set, const struct mark *mark)
{
        unsigned part = mark_log_part(mark);
        size_t count;

        if (part < set->first || part >= set->behind)
                return MARK_NOT_LOADED;
        count = set->begin[part + 1] - set->begin[part];
        if (count == 0)
                return MARK_ABSENT;
        return bsearch(&mark->name[1], set->words + set->begin[part], count, sizeof(*set->words), compare_words) == NULL
                       ? MARK_ABSENT
                       : MARK_PRESENT;
}
