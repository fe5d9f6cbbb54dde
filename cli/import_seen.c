/* Has a row of this table, student and id come before?
 *
 * The problem. An input may hold a row twice: exports overlap, and one patient is in many Bundles. If both were sent,
 * the second would replace the first, a second import would write both again, and every import of the same file would
 * make cached copies void for nothing. So the first row of a name wins, an equal one after it is only counted, and a
 * different one is left out with its reason. Inputs have any size, memory has not: ten million names alone are several
 * hundred megabytes.
 *
 * The idea. Nearly all rows are new, and for a new row a small answer is enough: a Bloom filter says "surely not seen"
 * or "perhaps". What is surely new is sent at once, and its mark (128 bits of hash for the name, 64 for the content)
 * goes to a log on disk. What is perhaps not new is put aside, and its mark goes to a second log. When the input has
 * ended both logs are compared part by part, each part holding all marks of its names: those that were sent go into a
 * table, then those that were put aside are looked up there in the order in which they came, and one that is not found
 * goes in. So the first of a name is the row that wins, whether the filter was right or not.
 *
 * Why not the obvious. A set of all names needs memory without bound. A filter alone would now and then take a new row
 * for an old one and lose a record; here a false "perhaps" costs a detour over the disk and nothing else. Sorting the
 * whole input first would hold up every row to find the few that matter. Asking the server would not help: it cannot
 * know whether a record is there from this import or from the last.
 *
 * Cost. The filter is one cache line for each row: 7 bits in 64 bytes, chosen by one hash. In a filter of many
 * megabytes that line is never near, and waiting for it would be a third of the client's time: so it is fetched one row
 * ahead (import_seen_expect). With 64 MB and ten million rows fewer than one in a million is put aside without need;
 * with a hundred million about one in ten is, still exact. On disk each row costs 32 bytes. At the end only the parts
 * that have rows put aside are read, each 1/256 of all. Names are equal when their hashes are: for ten
 * million names the chance that any two are confused is about 1 to 10^24, and as the seed is random nobody can prepare
 * such a pair. */
#include "cli/import_seen.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/value.h"

#include <sys/mman.h>

enum { BLOCK_WORDS = 8, BLOCK_BYTES = 64, BLOCK_BIT_COUNT = 7, HUGE_BYTES = 2 << 20 };

struct import_seen {
        uint64_t seed;
        void *room;       /* what `filter` lies in */
        uint64_t *filter; /* blocks of BLOCK_WORDS words, each a cache line; NULL: nothing is noted any more */
        uint64_t blocks;
        struct mark_log *came;
        struct mark_log *deferred;
};

/* In huge pages, where there are such: the filter is read all over, and a table of 4 KB pages would be, too. */
static bool make_filter(struct import_seen *seen)
{
        const uintptr_t mask = BLOCK_BYTES - 1;

        seen->room = vc_calloc(seen->blocks + 1, BLOCK_BYTES);
        if (seen->room == NULL)
                return false;
        seen->filter = (uint64_t *)(((uintptr_t)seen->room + mask) & ~mask);
        if (seen->blocks >= HUGE_BYTES / BLOCK_BYTES) {
                uintptr_t first = ((uintptr_t)seen->room + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1);
                size_t before = first - (uintptr_t)seen->room;

                (void)madvise((void *)first, seen->blocks * BLOCK_BYTES - before, MADV_HUGEPAGE);
        }
        return true;
}

enum err import_seen_create(struct import_seen **out, const struct import_seen_config *config)
{
        struct import_seen *seen = vc_calloc(1, sizeof(*seen));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (seen == NULL)
                return ERR_NOMEM;
        seen->seed = config->seed;
        seen->blocks = config->filter_bytes < BLOCK_BYTES ? 1 : config->filter_bytes / BLOCK_BYTES;
        if (make_filter(seen))
                rc = mark_log_create(&seen->came);
        if (rc == OK)
                rc = mark_log_create(&seen->deferred);
        if (rc == OK)
                *out = seen;
        else
                import_seen_destroy(&seen);
        return rc;
}

void import_seen_destroy(struct import_seen **seen)
{
        if (*seen == NULL)
                return;
        vc_free((*seen)->room);
        mark_log_destroy(&(*seen)->came);
        mark_log_destroy(&(*seen)->deferred);
        vc_free(*seen);
        *seen = NULL;
}

const struct mark_log *import_seen_came(const struct import_seen *seen)
{
        return seen->came;
}

/* ---- marks ---- */

bool import_name_of(const char *table, struct slice row, struct import_name *out)
{
        bool students = strcmp(table, "students") == 0;
        struct slice text;

        *out = (struct import_name){.table = slice_str(table)};
        if (!value_member_text(row, "id", &out->id) || out->id.len > IMPORT_NAME_MAX)
                return false;
        out->student = out->id;
        if (value_member_text(row, "student", &text))
                out->student = text;
        else if (!students)
                return false;
        return out->student.len <= IMPORT_NAME_MAX;
}

/* The name as one text; lengths stand before the parts, so that no two names have the same. */
struct mark import_seen_mark(const struct import_seen *seen, const struct import_name *name, struct slice row)
{
        uint8_t text[2 * sizeof(uint64_t) + 2 * IMPORT_NAME_MAX];
        const uint64_t head[2] = {hash64(name->table, seen->seed), name->student.len};
        struct hash128 hash;
        size_t len = sizeof(head);

        VC_ASSERT(name->student.len <= IMPORT_NAME_MAX && name->id.len <= IMPORT_NAME_MAX);
        memcpy(text, head, sizeof(head));
        memcpy(text + len, name->student.data, name->student.len);
        len += name->student.len;
        memcpy(text + len, name->id.data, name->id.len);
        len += name->id.len;
        hash = hash128(slice_of(text, len), seen->seed);
        return (struct mark){.name = {hash.high, hash.low}, .content = row.len == 0 ? 0 : hash64(row, seen->seed)};
}

/* The text's head goes with it: of short texts, which ids are, it is one byte, two, or three. */
uint64_t import_seen_content(const struct import_seen *seen, struct slice row, struct slice student)
{
        size_t head = student.len < 32 ? 1 : student.len < 256 ? 2 : 3;
        size_t begin = (size_t)(student.data - row.data);
        size_t end = begin + student.len;

        VC_ASSERT(begin >= head && end <= row.len);
        return hash64(slice_of(row.data + end, row.len - end), hash64(slice_of(row.data, begin - head), seen->seed));
}

/* ---- while the input is read ---- */

/* The first word of a name chooses the block, the second the bits in it. */
static uint64_t *filter_block(const struct import_seen *seen, const struct mark *mark)
{
        return seen->filter + ((mark->name[0] >> 32) * seen->blocks >> 32) * BLOCK_WORDS;
}

void import_seen_expect(const struct import_seen *seen, const struct mark *mark)
{
        __builtin_prefetch(filter_block(seen, mark), 1);
}

/* Sets the bits of a name; true when all were set before. */
static bool filter_add(struct import_seen *seen, const struct mark *mark)
{
        uint64_t *block = filter_block(seen, mark);
        uint64_t bits = mark->name[1];
        bool all = true;

        for (int i = 0; i < BLOCK_BIT_COUNT; i++, bits >>= 9) {
                uint64_t bit = UINT64_C(1) << (bits & 63);
                uint64_t *word = block + (bits >> 6 & (BLOCK_WORDS - 1));

                all = all && (*word & bit) != 0;
                *word |= bit;
        }
        return all;
}

enum err import_seen_note(
        struct import_seen *seen, const struct mark *mark, enum seen_verdict *verdict, struct err_msg *msg)
{
        VC_ASSERT(seen->filter != NULL);
        *verdict = filter_add(seen, mark) ? SEEN_PERHAPS : SEEN_NEW;
        return *verdict == SEEN_NEW ? mark_log_add(seen->came, mark, msg) : OK;
}

enum err import_seen_defer(struct import_seen *seen, const struct mark *mark, struct err_msg *msg)
{
        VC_ASSERT(mark->ticket != 0);
        return mark_log_add(seen->deferred, mark, msg);
}

/* ---- when it has ended ---- */

/* The first mark of each name of a part: open addressing, linear probing. Grows with the names, not with the rows, for
 * an input may well hold one row a million times. */
struct firsts {
        struct mark *slots; /* a ticket of SLOT_FREE: nothing there */
        size_t mask;        /* their number, a power of two, less one */
        size_t count;
};

enum { SLOT_FREE = 0, SLOT_TAKEN = 1, SLOTS_LEAST = 512 };

static struct mark *find_slot(const struct firsts *firsts, const struct mark *mark)
{
        size_t at = (size_t)mark->name[1] & firsts->mask;

        while (firsts->slots[at].ticket != SLOT_FREE &&
                (firsts->slots[at].name[0] != mark->name[0] || firsts->slots[at].name[1] != mark->name[1]))
                at = (at + 1) & firsts->mask;
        return &firsts->slots[at];
}

static enum err firsts_resize(struct firsts *firsts, size_t slots, struct err_msg *msg)
{
        struct firsts grown = {
                .slots = vc_calloc(slots, sizeof(*grown.slots)), .mask = slots - 1, .count = firsts->count};

        if (grown.slots == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        for (size_t i = 0; firsts->slots != NULL && i <= firsts->mask; i++)
                if (firsts->slots[i].ticket != SLOT_FREE)
                        *find_slot(&grown, &firsts->slots[i]) = firsts->slots[i];
        vc_free(firsts->slots);
        *firsts = grown;
        return OK;
}

/* What the mark is beside those before it; a new one is added. */
static enum err firsts_meet(
        struct firsts *firsts, const struct mark *mark, enum seen_verdict *verdict, struct err_msg *msg)
{
        enum err rc = firsts->count > firsts->mask / 2 ? firsts_resize(firsts, 2 * (firsts->mask + 1), msg) : OK;
        struct mark *slot;

        if (rc != OK)
                return rc;
        slot = find_slot(firsts, mark);
        if (slot->ticket != SLOT_FREE) {
                *verdict = slot->content == mark->content ? SEEN_SAME : SEEN_DIFFERENT;
                return OK;
        }
        *slot = *mark;
        slot->ticket = SLOT_TAKEN;
        firsts->count++;
        *verdict = SEEN_NEW;
        return OK;
}

/* Begins with the marks that came: each the only one of its name. */
static enum err firsts_begin(struct firsts *firsts, const struct mark_log *came, unsigned part, struct err_msg *msg)
{
        struct mark marks[MARK_LOG_PIECE];
        struct mark_log_cursor cursor;
        size_t count = 1;
        enum err rc = firsts_resize(firsts, SLOTS_LEAST, msg);

        mark_log_begin(came, part, &cursor);
        while (rc == OK && count > 0) {
                enum seen_verdict verdict;

                rc = mark_log_next(came, &cursor, marks, &count, msg);
                for (size_t i = 0; rc == OK && i < count; i++)
                        rc = firsts_meet(firsts, &marks[i], &verdict, msg);
        }
        return rc;
}

/* Who hears of the rows that were deferred. */
struct visitor {
        import_seen_fn visit;
        void *context;
};

static enum err settle_one(struct import_seen *seen, struct firsts *firsts, const struct mark *deferred,
        const struct visitor *visitor, struct err_msg *msg)
{
        struct mark mark = *deferred;
        enum seen_verdict verdict;
        enum err rc = firsts_meet(firsts, &mark, &verdict, msg);

        if (rc == OK)
                rc = visitor->visit(visitor->context, mark.ticket, verdict);
        mark.ticket = 0; /* it is one of those that came now */
        return rc == OK && verdict == SEEN_NEW ? mark_log_add(seen->came, &mark, msg) : rc;
}

/* The marks that were deferred stand in the order of their tickets. */
static enum err settle_part(struct import_seen *seen, unsigned part, const struct visitor *visitor, struct err_msg *msg)
{
        struct firsts firsts = {.slots = NULL};
        struct mark marks[MARK_LOG_PIECE];
        struct mark_log_cursor cursor;
        size_t count = 1;
        enum err rc;

        if (mark_log_count(seen->deferred, part) == 0)
                return OK;
        rc = firsts_begin(&firsts, seen->came, part, msg);
        mark_log_begin(seen->deferred, part, &cursor);
        while (rc == OK && count > 0) {
                rc = mark_log_next(seen->deferred, &cursor, marks, &count, msg);
                for (size_t i = 0; rc == OK && i < count; i++)
                        rc = settle_one(seen, &firsts, &marks[i], visitor, msg);
        }
        vc_free(firsts.slots);
        return rc;
}

enum err import_seen_settle(struct import_seen *seen, import_seen_fn visit, void *context, struct err_msg *msg)
{
        const struct visitor visitor = {.visit = visit, .context = context};
        enum err rc = OK;

        vc_free(seen->room); /* its memory is for the parts now */
        seen->room = NULL;
        seen->filter = NULL;
        for (unsigned part = 0; rc == OK && part < MARK_LOG_PARTS; part++)
                rc = settle_part(seen, part, &visitor, msg);
        mark_log_destroy(&seen->deferred);
        if (mark_log_create(&seen->deferred) != OK && rc == OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        return rc;
}
