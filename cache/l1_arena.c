/* Problem: a million entries of any size between 50 bytes and megabytes come and go in any order. malloc takes 8 to 23
 * bytes for each, hands out pointers of 8 bytes, and keeps what was freed in ways that nobody can account for.
 *
 * Idea: one region of addresses, reserved once, and "two-level segregated fit" (Masmano et al., ECRTS 2004) in it.
 * Free blocks are in bins by size: one for each power of two, divided into 64. Two levels of bitmaps tell which bins
 * have blocks, so that the first one with a block large enough is two "count trailing zeros" away. What is too much of
 * it is split off; a block given back is merged with free neighbours at once. Every operation is O(1). Sizes are
 * rounded to those at which bins begin, so that what was freed fits the next one of its size: that is 4 bytes up to
 * half a kilobyte, and 1.6 % at most beyond.
 *
 * To merge one must know the neighbours. TLSF keeps a header in each block; here a block in use has none. Its owner
 * knows how long it is, and one byte inside it (L1_ARENA_OWN) says whether the block on its left is free; that one's
 * length is in its last four bytes then. The block on the right begins where this one ends, and its own byte says
 * whether it is free. What is too small to be a free block stays with the block that was split: the byte counts it.
 *
 *      | in use ........|  free: next prev size .. byte (clean pages) .............. size | in use ..| top -> untouched
 *                  byte: FREE, HAS_CLEAN                                                  ^ byte: LEFT_FREE
 *
 * Behind the last block (`top`) is what was never used. It is taken only where no free block fits.
 *
 * Pages: of a large free block the whole pages inside are given back to the system. As that is a system call, it is
 * made when 64 KB have come together, and the block remembers which of its pages are "clean", so that a small neighbour
 * that is freed later does not cause another. So what the process has is known: all up to `peak`, less clean pages.
 *
 * Why not size classes (slabs): a class keeps its pages when the sizes of entries change, and rounding costs 6 % of
 * every entry even at 8 classes for a power of two. Why not a log with compaction: entries would move under readers.
 *
 * Cost: about a hundred instructions for a pair of calls, under a lock of its own; hits never come here. */
#include "cache/l1_arena.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* AddressSanitizer sees one block in what is many: free ones are poisoned by hand, and only the arena looks inside. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define LOOKS_INTO_FREE __attribute__((no_sanitize_address))
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define LOOKS_INTO_FREE
#endif

enum {
        SECOND_BITS = 6,
        SECONDS = 1 << SECOND_BITS,
        FIRSTS = 32 - SECOND_BITS + 1,
        SHIFT_MIN = 2, /* references are of 4 bytes, or more where that reaches not far enough */
        PAGE_SHIFT = 12,
        PAGE = 1 << PAGE_SHIFT,
        GIVE_BACK = 16,       /* pages */
        COMMIT_STEP = 1 << 20 /* bytes made usable at a time, at least */
};

#define GRANULES_MOST UINT32_MAX

enum mark { FREE = 1, LEFT_FREE = 2, HAS_CLEAN = 4, SLACK_SHIFT = 3 }; /* slack: granules beyond what was asked for */

/* Pages from `from` until before `to`, counted from the region's beginning; none where the two are equal. */
struct pages {
        uint32_t from;
        uint32_t to;
};

/* How a free block begins; its size stands in its last four bytes once more. */
struct free_block {
        place_ref next;
        place_ref prev;
        uint32_t size; /* granules */
        uint8_t unused[3];
        uint8_t mark;       /* at L1_ARENA_OWN, as in blocks in use */
        struct pages clean; /* with HAS_CLEAN, in blocks that are longer than this */
};

_Static_assert(offsetof(struct free_block, mark) == L1_ARENA_OWN, "the same byte, free or not");

enum { HEAD = sizeof(struct free_block), FOOT = sizeof(uint32_t), LEAST = HEAD };

struct l1_arena {
        pthread_mutex_t lock; /* lock class "l1_arena": a leaf */
        uint8_t *base;
        unsigned shift;
        uint32_t least;   /* granules of the smallest block */
        uint32_t top;     /* where the untouched begins */
        uint32_t end;     /* what is reserved */
        size_t committed; /* bytes that can be used, from the beginning */
        uint32_t peak;    /* pages up to which memory was touched and not given back */
        uint32_t clean;   /* pages below it that were */
        uint64_t in_use;
        _Atomic uint64_t used; /* the figures as they were when the lock was last given up */
        _Atomic uint64_t resident;
        uint32_t firsts; /* bit for each first level that has a block */
        uint64_t seconds[FIRSTS];
        place_ref bins[FIRSTS][SECONDS];
};

/* ---- blocks ---- */

static uint8_t *at(const struct l1_arena *a, uint32_t ref)
{
        return a->base + ((size_t)ref << a->shift);
}

static size_t offset_of(const struct l1_arena *a, uint32_t ref)
{
        return (size_t)ref << a->shift;
}

static struct free_block *block_at(const struct l1_arena *a, uint32_t ref)
{
        return (struct free_block *)(void *)at(a, ref);
}

static uint8_t *mark_of(const struct l1_arena *a, uint32_t ref)
{
        return at(a, ref) + L1_ARENA_OWN;
}

/* To where the next bin begins: a multiple of a 64th of the power of two below. */
static uint32_t granules_for(const struct l1_arena *a, size_t bytes)
{
        const uint32_t granules = (uint32_t)((bytes + ((size_t)1 << a->shift) - 1) >> a->shift);
        uint32_t step;

        if (granules < a->least)
                return a->least;
        if (granules < SECONDS)
                return granules;
        step = UINT32_C(1) << (31 - (unsigned)__builtin_clz(granules) - SECOND_BITS);
        return (granules + step - 1) & ~(step - 1);
}

/* The footer of the free block that ends where `ref` begins. */
static uint32_t *footer_before(const struct l1_arena *a, uint32_t ref)
{
        return (uint32_t *)(void *)(at(a, ref) - FOOT);
}

static uint32_t page_up(size_t offset)
{
        return (uint32_t)((offset + PAGE - 1) >> PAGE_SHIFT);
}

static uint32_t pages_count(struct pages p)
{
        return p.to - p.from;
}

/* ---- bins ---- */

struct bin {
        unsigned first;
        unsigned second;
};

/* The bin that blocks of that size are in. */
static struct bin bin_of(uint32_t size)
{
        unsigned log;

        if (size < SECONDS)
                return (struct bin){0, size};
        log = 31 - (unsigned)__builtin_clz(size);
        return (struct bin){log - SECOND_BITS + 1, (size >> (log - SECOND_BITS)) - SECONDS};
}

/* A free block of that size at least, or 0. The size is one at which a bin begins. */
static place_ref find(const struct l1_arena *a, uint32_t size)
{
        struct bin bin = bin_of(size);
        uint64_t seconds = a->seconds[bin.first] & (UINT64_MAX << bin.second);
        uint32_t firsts;

        if (seconds == 0) {
                firsts = a->firsts & (UINT32_MAX << bin.first << 1);
                if (firsts == 0)
                        return 0;
                bin.first = (unsigned)__builtin_ctz(firsts);
                seconds = a->seconds[bin.first];
        }
        return a->bins[bin.first][__builtin_ctzll(seconds)];
}

LOOKS_INTO_FREE static void bin_add(struct l1_arena *a, place_ref ref, uint32_t size)
{
        const struct bin bin = bin_of(size);
        place_ref *head = &a->bins[bin.first][bin.second];
        struct free_block *block = block_at(a, ref);

        block->next = *head;
        block->prev = 0;
        if (*head != 0)
                block_at(a, *head)->prev = ref;
        *head = ref;
        a->seconds[bin.first] |= UINT64_C(1) << bin.second;
        a->firsts |= 1u << bin.first;
}

LOOKS_INTO_FREE static void bin_remove(struct l1_arena *a, place_ref ref)
{
        const struct free_block *block = block_at(a, ref);
        const struct bin bin = bin_of(block->size);
        place_ref *head = &a->bins[bin.first][bin.second];

        if (block->next != 0)
                block_at(a, block->next)->prev = block->prev;
        if (block->prev != 0)
                block_at(a, block->prev)->next = block->next;
        else
                *head = block->next;
        if (*head != 0)
                return;
        a->seconds[bin.first] &= ~(UINT64_C(1) << bin.second);
        if (a->seconds[bin.first] == 0)
                a->firsts &= ~(1u << bin.first);
}

/* ---- free blocks ---- */

LOOKS_INTO_FREE static struct pages clean_of(const struct free_block *block)
{
        return (block->mark & HAS_CLEAN) != 0 ? block->clean : (struct pages){0, 0};
}

/* Makes a free block; on both sides of it are blocks in use. */
LOOKS_INTO_FREE static void free_block_add(struct l1_arena *a, place_ref ref, uint32_t size, struct pages clean)
{
        struct free_block *block = block_at(a, ref);

        block->size = size;
        block->mark = FREE;
        if (pages_count(clean) > 0) {
                block->mark = FREE | HAS_CLEAN;
                block->clean = clean;
        }
        *footer_before(a, ref + size) = size;
        *mark_of(a, ref + size) |= LEFT_FREE;
        bin_add(a, ref, size);
}

/* Gives pages back to the system. Where memory is locked it stays, and is counted as if it had gone. */
static void give_back(struct l1_arena *a, struct pages pages)
{
        const size_t size = (size_t)pages_count(pages) << PAGE_SHIFT;

        if (size > 0)
                (void)madvise(a->base + ((size_t)pages.from << PAGE_SHIFT), size, MADV_DONTNEED);
        a->clean += pages_count(pages);
}

/* The whole pages between the head and the footer of a free block. */
static struct pages pages_inside(const struct l1_arena *a, place_ref ref, uint32_t size)
{
        const uint32_t from = page_up(offset_of(a, ref) + HEAD);
        const uint32_t to = (uint32_t)((offset_of(a, ref + size) - FOOT) >> PAGE_SHIFT);

        return (struct pages){from, to < from ? from : to};
}

/* What is clean of a free block, when as much of it is given back as is worth a system call: `least` pages. */
static struct pages clean_more(struct l1_arena *a, place_ref ref, uint32_t size, struct pages clean, uint32_t least)
{
        const struct pages inside = pages_inside(a, ref, size);

        if (pages_count(inside) < pages_count(clean) + least)
                return clean;
        if (pages_count(clean) == 0)
                clean = (struct pages){inside.to, inside.to};
        give_back(a, (struct pages){inside.from, clean.from});
        give_back(a, (struct pages){clean.to, inside.to});
        return inside;
}

/* The clean pages of two free blocks that are one now, and of what lies between. */
static struct pages clean_join(struct l1_arena *a, struct pages left, struct pages right)
{
        if (pages_count(left) == 0)
                return right;
        if (pages_count(right) == 0)
                return left;
        give_back(a, (struct pages){left.to, right.from});
        return (struct pages){left.from, right.to};
}

/* ---- allocation ---- */

/* Cuts `size` granules off the left of a free block; what is clean there will be touched. */
LOOKS_INTO_FREE static void cut(struct l1_arena *a, place_ref ref, uint32_t size)
{
        const struct free_block *block = block_at(a, ref);
        const uint32_t whole = block->size;
        const struct pages before = clean_of(block);
        struct pages clean = {0, 0};
        uint32_t slack = 0;

        bin_remove(a, ref);
        if (whole - size >= a->least) {
                clean.from = page_up(offset_of(a, ref + size) + HEAD);
                clean.from = clean.from < before.from ? before.from : clean.from;
                clean.to = clean.from < before.to ? before.to : clean.from;
                free_block_add(a, ref + size, whole - size, clean);
        } else {
                slack = whole - size;
                *mark_of(a, ref + whole) &= (uint8_t)~LEFT_FREE;
        }
        a->clean -= pages_count(before) - pages_count(clean);
        *mark_of(a, ref) = (uint8_t)(slack << SLACK_SHIFT);
        a->in_use += (uint64_t)(size + slack) << a->shift;
}

/* Makes the region usable up to `bytes`. */
static bool commit(struct l1_arena *a, size_t bytes)
{
        const size_t reserved = offset_of(a, a->end);
        size_t more = a->committed / 8 < COMMIT_STEP ? COMMIT_STEP : a->committed / 8;

        if (bytes <= a->committed)
                return true;
        if (more < bytes - a->committed)
                more = bytes - a->committed;
        more = (more + PAGE - 1) & ~(size_t)(PAGE - 1);
        if (more > reserved - a->committed)
                more = reserved - a->committed;
        if (mprotect(a->base + a->committed, more, PROT_READ | PROT_WRITE) != 0)
                return false;
        ASAN_POISON_MEMORY_REGION(a->base + a->committed, more);
        a->committed += more;
        return true;
}

/* A block behind all others, or 0. The byte of the block in its place is set to nothing: the last block is in use. */
LOOKS_INTO_FREE static place_ref extend(struct l1_arena *a, uint32_t size)
{
        const place_ref ref = a->top;
        uint32_t peak;

        if (size >= a->end - a->top || !commit(a, offset_of(a, a->top + size)))
                return 0;
        a->top += size;
        peak = page_up(offset_of(a, a->top));
        a->peak = peak > a->peak ? peak : a->peak;
        a->in_use += (uint64_t)size << a->shift;
        *mark_of(a, ref) = 0;
        return ref;
}

static void publish(struct l1_arena *a)
{
        atomic_store_explicit(&a->used, a->in_use, memory_order_relaxed);
        atomic_store_explicit(&a->resident, (uint64_t)(a->peak - a->clean) << PAGE_SHIFT, memory_order_relaxed);
}

enum err l1_arena_alloc(struct l1_arena *a, size_t bytes, bool grow, place_ref *out)
{
        uint32_t size;

        *out = 0;
        if (bytes > l1_arena_most(a) / 2 || !mem_may_allocate())
                return ERR_NOMEM;
        size = granules_for(a, bytes);
        pthread_mutex_lock(&a->lock);
        *out = find(a, size);
        if (*out != 0)
                cut(a, *out, size);
        else if (grow)
                *out = extend(a, size);
        publish(a);
        pthread_mutex_unlock(&a->lock);
        if (*out == 0)
                return grow ? ERR_NOMEM : ERR_LIMIT;
        ASAN_UNPOISON_MEMORY_REGION(at(a, *out), bytes <= L1_ARENA_OWN ? L1_ARENA_OWN + 1 : bytes);
        return OK;
}

/* ---- giving back ---- */

/* The last block has become free: it joins the untouched, and the system takes back what is worth a call. */
static void lower_top(struct l1_arena *a, place_ref ref, struct pages clean)
{
        const uint32_t from = page_up(offset_of(a, ref));

        a->top = ref;
        a->clean -= pages_count(clean);
        if (pages_count(clean) == 0 && a->peak < from + GIVE_BACK)
                return;
        give_back(a, (struct pages){from, a->peak});
        a->clean -= a->peak - from; /* what is above the peak is not counted at all */
        a->peak = from;
}

/* Merges a block in use with its free neighbours. */
LOOKS_INTO_FREE static void merge(struct l1_arena *a, place_ref ref, uint32_t size)
{
        const place_ref right = ref + size;
        struct pages clean = {0, 0};

        if ((*mark_of(a, ref) & LEFT_FREE) != 0) {
                const uint32_t left = *footer_before(a, ref);

                ref -= left;
                size += left;
                clean = clean_of(block_at(a, ref));
                bin_remove(a, ref);
        }
        if (right == a->top) {
                lower_top(a, ref, clean);
                return;
        }
        if ((*mark_of(a, right) & FREE) != 0) {
                size += block_at(a, right)->size;
                bin_remove(a, right); /* before the page that its head is on is given back */
                clean = clean_join(a, clean, clean_of(block_at(a, right)));
        }
        free_block_add(a, ref, size, clean_more(a, ref, size, clean, GIVE_BACK));
}

/* Overwritten before the lock is taken; but for the byte that is the arena's, and what stands before it, which is
 * overwritten right away. */
void l1_arena_free(struct l1_arena *a, place_ref ref, size_t bytes)
{
        uint32_t size = granules_for(a, bytes);

        if (bytes > L1_ARENA_OWN + 1)
                explicit_bzero(at(a, ref) + L1_ARENA_OWN + 1, bytes - L1_ARENA_OWN - 1);
        pthread_mutex_lock(&a->lock);
        size += (uint32_t)*mark_of(a, ref) >> SLACK_SHIFT;
        ASAN_POISON_MEMORY_REGION(at(a, ref), (size_t)size << a->shift);
        a->in_use -= (uint64_t)size << a->shift;
        merge(a, ref, size);
        publish(a);
        pthread_mutex_unlock(&a->lock);
}

LOOKS_INTO_FREE static void trim_bin(struct l1_arena *a, place_ref first)
{
        for (place_ref ref = first; ref != 0; ref = block_at(a, ref)->next) {
                struct free_block *block = block_at(a, ref);
                const struct pages clean = clean_more(a, ref, block->size, clean_of(block), 1);

                if (pages_count(clean) == 0)
                        continue;
                block->mark |= HAS_CLEAN;
                block->clean = clean;
        }
}

void l1_arena_trim(struct l1_arena *a)
{
        pthread_mutex_lock(&a->lock);
        for (unsigned first = 0; first < FIRSTS; first++)
                for (unsigned second = 0; second < SECONDS; second++)
                        trim_bin(a, a->bins[first][second]);
        publish(a);
        pthread_mutex_unlock(&a->lock);
}

/* ---- the region ---- */

/* Addresses are refused only where the process's are limited: then half is tried, and half of that. */
static enum err reserve(struct l1_arena *a, uint64_t most_bytes)
{
        const uint64_t wanted = most_bytes + most_bytes / 2 + COMMIT_STEP;

        a->shift = SHIFT_MIN;
        while ((uint64_t)GRANULES_MOST << a->shift < wanted)
                a->shift++;
        for (uint64_t size = (uint64_t)1 << (32 + a->shift); size >= wanted; size /= 2) {
                void *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

                if (base == MAP_FAILED)
                        continue;
                a->base = base;
                a->end = (uint32_t)((size >> a->shift) - 1);
                return OK;
        }
        return ERR_NOMEM;
}

enum err l1_arena_create(struct l1_arena **out, uint64_t most_bytes)
{
        struct l1_arena *a = vc_calloc(1, sizeof(*a));

        *out = NULL;
        if (a == NULL)
                return ERR_NOMEM;
        if (!mem_may_allocate() || reserve(a, most_bytes) != OK) {
                vc_free(a);
                return ERR_NOMEM;
        }
        a->top = 1; /* 0 is no reference */
        a->least = (uint32_t)((LEAST + ((size_t)1 << a->shift) - 1) >> a->shift);
        (void)pthread_mutex_init(&a->lock, NULL);
        *out = a;
        return OK;
}

void l1_arena_destroy(struct l1_arena **out)
{
        struct l1_arena *a = *out;

        *out = NULL;
        if (a == NULL)
                return;
        ASAN_UNPOISON_MEMORY_REGION(a->base, a->committed);
        (void)munmap(a->base, offset_of(a, a->end) + ((size_t)1 << a->shift));
        pthread_mutex_destroy(&a->lock);
        vc_free(a);
}

uint8_t *l1_arena_base(const struct l1_arena *arena)
{
        return arena->base;
}

unsigned l1_arena_shift(const struct l1_arena *arena)
{
        return arena->shift;
}

uint64_t l1_arena_most(const struct l1_arena *arena)
{
        return (uint64_t)offset_of(arena, arena->end);
}

size_t l1_arena_rounded(const struct l1_arena *arena, size_t bytes)
{
        return offset_of(arena, granules_for(arena, bytes));
}

uint64_t l1_arena_used(const struct l1_arena *arena)
{
        return atomic_load_explicit(&arena->used, memory_order_relaxed);
}

uint64_t l1_arena_resident(const struct l1_arena *arena)
{
        return atomic_load_explicit(&arena->resident, memory_order_relaxed);
}
