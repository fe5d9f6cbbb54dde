#include "cache/l1_arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 4000, STEPS = 200000, PAGE = 4096 };

/* What the arena should hold: each block is filled with bytes that only it has. */
struct block {
        place_ref ref;
        size_t bytes;
        uint8_t filling;
};

struct model {
        struct l1_arena *arena;
        uint64_t random;
        uint64_t used; /* by the blocks' own rounding */
        struct block blocks[BLOCKS];
};

static struct model m;

static uint8_t *bytes_at(struct l1_arena *a, place_ref ref)
{
        return l1_arena_base(a) + ((size_t)ref << l1_arena_shift(a));
}

static struct l1_arena *make(void)
{
        struct l1_arena *a;

        assert_ok(l1_arena_create(&a, 1 << 20));
        return a;
}

static place_ref take(struct l1_arena *a, size_t bytes)
{
        place_ref ref;

        assert_ok(l1_arena_alloc(a, bytes, true, &ref));
        assert_true(ref != 0);
        return ref;
}

/* All bytes but the arena's own are the filling. */
static void fill(const struct block *b)
{
        uint8_t *at = bytes_at(m.arena, b->ref);
        const size_t before = b->bytes < L1_ARENA_OWN ? b->bytes : L1_ARENA_OWN;

        memset(at, b->filling, before);
        if (b->bytes > L1_ARENA_OWN + 1)
                memset(at + L1_ARENA_OWN + 1, b->filling, b->bytes - L1_ARENA_OWN - 1);
}

static bool is_filled(const uint8_t *at, size_t len, uint8_t filling)
{
        return len == 0 || (at[0] == filling && memcmp(at, at + 1, len - 1) == 0); /* each is as the one before */
}

static void assert_untouched(const struct block *b)
{
        const uint8_t *at = bytes_at(m.arena, b->ref);
        const size_t before = b->bytes < L1_ARENA_OWN ? b->bytes : L1_ARENA_OWN;

        assert_true(is_filled(at, before, b->filling));
        if (b->bytes > L1_ARENA_OWN + 1)
                assert_true(is_filled(at + L1_ARENA_OWN + 1, b->bytes - L1_ARENA_OWN - 1, b->filling));
}

static void model_take(struct block *b, size_t bytes)
{
        *b = (struct block){take(m.arena, bytes), bytes, (uint8_t)random_next(&m.random)};
        m.used += l1_arena_rounded(m.arena, bytes);
        fill(b);
}

static void model_free(struct block *b)
{
        assert_untouched(b);
        l1_arena_free(m.arena, b->ref, b->bytes);
        m.used -= l1_arena_rounded(m.arena, b->bytes);
        b->ref = 0;
}

/* Small ones as a rule, some of a page and more, a few of many pages. */
static size_t draw_size(void)
{
        const uint64_t kind = random_next(&m.random) % 100;
        const uint64_t most = kind < 90 ? 400 : kind < 99 ? 20000 : 300000;

        return 1 + random_next(&m.random) % most;
}

static void model_begin(uint64_t seed)
{
        memset(&m, 0, sizeof(m));
        m.arena = make();
        m.random = seed;
}

/* Each block may have up to two granules too many, where what was over was too little for a block. */
static void assert_figures(void)
{
        assert_in_range(l1_arena_used(m.arena), m.used, m.used + BLOCKS * 20);
        assert_true(l1_arena_resident(m.arena) + 2 * PAGE >= l1_arena_used(m.arena));
}

static void model_end(void)
{
        for (int i = 0; i < BLOCKS; i++)
                if (m.blocks[i].ref != 0)
                        model_free(&m.blocks[i]);
        assert_int_equal(l1_arena_used(m.arena), 0); /* all is one again, and that is what was never used */
        l1_arena_trim(m.arena);
        assert_true(l1_arena_resident(m.arena) <= 16 * PAGE);
        l1_arena_destroy(&m.arena);
        assert_null(m.arena);
}

static void any_order_of_calls_keeps_every_byte(void **state)
{
        (void)state;
        model_begin(5);
        for (int i = 0; i < STEPS; i++) {
                struct block *b = &m.blocks[random_next(&m.random) % BLOCKS];

                if (b->ref == 0)
                        model_take(b, draw_size());
                else
                        model_free(b);
                if (i % 1000 == 0)
                        assert_figures();
                if (i % 20000 == 0)
                        l1_arena_trim(m.arena);
        }
        model_end();
}

/* Blocks of every size side by side; then every second one is free, and its neighbours stay; then all. */
static void every_size_is_served(void **state)
{
        (void)state;
        model_begin(6);
        for (int i = 0; i < BLOCKS; i++)
                model_take(&m.blocks[i], (size_t)i + 1);
        for (int i = 0; i < BLOCKS; i += 2)
                model_free(&m.blocks[i]);
        assert_figures();
        for (int i = BLOCKS - 2; i >= 0; i -= 2)
                model_take(&m.blocks[i], (size_t)i + 1);
        assert_figures();
        model_end();
}

static void sizes_are_rounded_by_a_64th_at_most(void **state)
{
        struct l1_arena *a = make();

        (void)state;
        assert_int_equal(l1_arena_rounded(a, 1), 24);
        assert_int_equal(l1_arena_rounded(a, 25), 28);
        for (size_t bytes = 24; bytes < 512; bytes++)
                assert_int_equal(l1_arena_rounded(a, bytes), (bytes + 3) / 4 * 4);
        for (size_t bytes = 512; bytes < 1 << 20; bytes += 1 + bytes / 1000) {
                const size_t size = l1_arena_rounded(a, bytes);

                assert_in_range(size, bytes, bytes + bytes / 64 + 8);
                assert_int_equal(l1_arena_rounded(a, size), size);
        }
        l1_arena_destroy(&a);
}

static void what_was_freed_is_used_again_before_more_is_taken(void **state)
{
        struct l1_arena *a = make();
        place_ref refs[1000];
        uint64_t before;
        place_ref ref;

        (void)state;
        assert_err(ERR_LIMIT, l1_arena_alloc(a, 100, false, &ref)); /* nothing was freed yet */
        assert_int_equal(ref, 0);
        for (int i = 0; i < 1000; i++)
                refs[i] = take(a, 200);
        before = l1_arena_resident(a);
        for (int i = 0; i < 1000; i += 2)
                l1_arena_free(a, refs[i], 200);
        assert_err(ERR_LIMIT, l1_arena_alloc(a, 201, false, &ref));
        for (int i = 0; i < 1000; i += 2)
                assert_ok(l1_arena_alloc(a, 200, false, &refs[i]));
        assert_int_equal(l1_arena_used(a), 1000 * 200);
        assert_int_equal(l1_arena_resident(a), before);
        l1_arena_destroy(&a);
}

static void neighbours_merge_in_every_order(void **state)
{
        static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        struct l1_arena *a = make();

        (void)state;
        for (int o = 0; o < 6; o++) {
                place_ref refs[4];
                place_ref all;

                for (int i = 0; i < 4; i++)
                        refs[i] = take(a, 104);
                for (int i = 0; i < 3; i++)
                        l1_arena_free(a, refs[orders[o][i]], 104);
                assert_ok(l1_arena_alloc(a, 312, false, &all)); /* the three in one; the fourth keeps it from the top */
                assert_int_equal(all, refs[0]);
                l1_arena_free(a, all, 312);
                l1_arena_free(a, refs[3], 104);
                assert_int_equal(l1_arena_used(a), 0);
        }
        l1_arena_destroy(&a);
}

static uint64_t resident_of_process(void)
{
        unsigned long long total;
        unsigned long long pages;
        FILE *f = fopen("/proc/self/statm", "r");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%llu %llu", &total, &pages), 2);
        (void)fclose(f);
        return pages * PAGE;
}

static void take_and_touch(struct block *b, size_t bytes)
{
        *b = (struct block){take(m.arena, bytes), bytes, 1};
        fill(b);
}

/* The figure that the arena gives, and the process's growth, go down together and up together. */
static void whole_pages_go_back_to_the_system(void **state)
{
        enum { MB = 1 << 20, COUNT = 40 };
        uint64_t before;
        uint64_t full;

        (void)state;
        SKIP_WHEN_SANITIZED();
        model_begin(7);
        before = resident_of_process();
        for (int i = 0; i < COUNT; i++)
                take_and_touch(&m.blocks[i], MB);
        full = l1_arena_resident(m.arena);
        assert_in_range(full, COUNT * MB, COUNT * MB + 2 * PAGE);
        assert_in_range(resident_of_process() - before, COUNT * MB - MB, COUNT * MB + MB);
        for (int i = 0; i < COUNT; i += 2)
                l1_arena_free(m.arena, m.blocks[i].ref, MB);
        assert_in_range(l1_arena_resident(m.arena), COUNT * MB / 2, COUNT * MB / 2 + COUNT * 2 * PAGE);
        assert_in_range(resident_of_process() - before, COUNT * MB / 2 - MB, COUNT * MB / 2 + MB);
        for (int i = 0; i < COUNT; i += 2)
                take_and_touch(&m.blocks[i], MB / 2);
        assert_in_range(l1_arena_resident(m.arena), COUNT * MB * 3 / 4, COUNT * MB * 3 / 4 + COUNT * 3 * PAGE);
        assert_in_range(resident_of_process() - before, COUNT * MB * 3 / 4 - MB, COUNT * MB * 3 / 4 + MB);
        l1_arena_destroy(&m.arena);
        assert_true(resident_of_process() < before + MB);
}

/* Small blocks that are freed one after another come together to pages: no system call for each, and none forgotten. */
static void small_blocks_come_together_to_pages(void **state)
{
        struct l1_arena *a = make();
        static place_ref refs[20000];
        uint64_t full;

        (void)state;
        for (int i = 0; i < 20000; i++)
                refs[i] = take(a, 208);
        full = l1_arena_resident(a);
        for (int i = 1; i < 19999; i++)
                l1_arena_free(a, refs[i], 208);
        assert_true(l1_arena_resident(a) < full / 10);
        l1_arena_trim(a);
        assert_true(l1_arena_resident(a) <= 4 * PAGE);
        l1_arena_destroy(&a);
}

static void freed_bytes_are_overwritten(void **state)
{
        enum { BYTES = 3000, HEAD = 24, FOOT = 4 };
        static const uint8_t nothing[BYTES];
        struct l1_arena *a;
        place_ref ref;
        place_ref next;

        (void)state;
        SKIP_WHEN_SANITIZED();
        a = make();
        ref = take(a, BYTES);
        next = take(a, 100);
        memset(bytes_at(a, ref) + L1_ARENA_OWN + 1, 'p', BYTES - L1_ARENA_OWN - 1);
        l1_arena_free(a, ref, BYTES);
        assert_memory_equal(bytes_at(a, ref) + HEAD, nothing, BYTES - HEAD - FOOT);
        memset(bytes_at(a, next) + L1_ARENA_OWN + 1, 'p', 100 - L1_ARENA_OWN - 1);
        l1_arena_free(a, next, 100); /* the last one: nothing of the arena's own comes in its place */
        assert_memory_equal(bytes_at(a, next) + L1_ARENA_OWN + 1, nothing, 100 - L1_ARENA_OWN - 1);
        l1_arena_destroy(&a);
}

static bool no_memory(void *context)
{
        (void)context;
        return false;
}

static void want_of_memory_is_an_error(void **state)
{
        struct l1_arena *a = make();
        place_ref ref;

        (void)state;
        assert_err(ERR_NOMEM, l1_arena_alloc(a, l1_arena_most(a), true, &ref));
        assert_int_equal(ref, 0);
        mem_set_gate(no_memory, NULL);
        assert_err(ERR_NOMEM, l1_arena_alloc(a, 100, true, &ref));
        mem_set_gate(NULL, NULL);
        assert_int_equal(ref, 0);
        assert_int_equal(l1_arena_used(a), 0);
        l1_arena_destroy(&a);
}

/* A process whose addresses are limited has a smaller region; when that is full, it is full, and goes on. */
static bool fills_what_it_can_reserve(void)
{
        const struct rlimit limit = {256 << 20, 256 << 20};
        struct l1_arena *a;
        place_ref last = 0;
        place_ref ref;
        uint64_t most;
        enum err rc;

        if (setrlimit(RLIMIT_AS, &limit) != 0 || l1_arena_create(&a, 16 << 20) != OK)
                return false;
        most = l1_arena_most(a);
        while ((rc = l1_arena_alloc(a, 1 << 20, true, &ref)) == OK)
                last = ref;
        if (rc != ERR_NOMEM || most > 256 << 20 || l1_arena_used(a) < most - (3 << 20))
                return false;
        l1_arena_free(a, last, 1 << 20);
        return l1_arena_alloc(a, 1 << 20, true, &ref) == OK && l1_arena_create(&a, 1 << 30) == ERR_NOMEM;
}

static void limited_addresses_make_a_smaller_region(void **state)
{
        pid_t child;
        int status;

        (void)state;
        SKIP_WHEN_SANITIZED();
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                _exit(fills_what_it_can_reserve() ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void large_bounds_have_coarser_references(void **state)
{
        struct l1_arena *a;

        (void)state;
        assert_ok(l1_arena_create(&a, UINT64_C(10) << 30));
        assert_int_equal(l1_arena_shift(a), 2);
        l1_arena_destroy(&a);
        assert_ok(l1_arena_create(&a, UINT64_C(30) << 30));
        assert_int_equal(l1_arena_shift(a), 4);
        assert_int_equal(take(a, 33), 1);
        assert_int_equal(take(a, 1), 1 + 3);
        assert_int_equal(take(a, 1), 1 + 3 + 2);
        assert_int_equal(l1_arena_used(a), 48 + 32 + 32);
        l1_arena_destroy(&a);
}

static enum err create(void *context)
{
        struct l1_arena *a;
        enum err rc = l1_arena_create(&a, 1 << 20);

        (void)context;
        l1_arena_destroy(&a);
        assert_null(a);
        return rc;
}

static void creation_survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create, NULL);
}

static void *hammer(void *arg)
{
        struct l1_arena *a = arg;
        struct block blocks[64] = {{0}};
        uint64_t random = (uint64_t)(uintptr_t)&random;

        for (int i = 0; i < 20000; i++) {
                struct block *b = &blocks[random_next(&random) % 64];

                if (b->ref != 0) {
                        assert_int_equal(bytes_at(a, b->ref)[b->bytes - 1], b->filling);
                        l1_arena_free(a, b->ref, b->bytes);
                        b->ref = 0;
                        continue;
                }
                *b = (struct block){0, 30 + random_next(&random) % 3000, (uint8_t)i};
                b->ref = take(a, b->bytes);
                bytes_at(a, b->ref)[b->bytes - 1] = b->filling;
        }
        for (int i = 0; i < 64; i++)
                if (blocks[i].ref != 0)
                        l1_arena_free(a, blocks[i].ref, blocks[i].bytes);
        return NULL;
}

static void threads_share_it(void **state)
{
        struct l1_arena *a = make();
        pthread_t threads[3];

        (void)state;
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, hammer, a), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(l1_arena_used(a), 0);
        l1_arena_destroy(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_order_of_calls_keeps_every_byte),
                cmocka_unit_test(every_size_is_served),
                cmocka_unit_test(sizes_are_rounded_by_a_64th_at_most),
                cmocka_unit_test(what_was_freed_is_used_again_before_more_is_taken),
                cmocka_unit_test(neighbours_merge_in_every_order),
                cmocka_unit_test(whole_pages_go_back_to_the_system),
                cmocka_unit_test(small_blocks_come_together_to_pages),
                cmocka_unit_test(freed_bytes_are_overwritten),
                cmocka_unit_test(want_of_memory_is_an_error),
                cmocka_unit_test(limited_addresses_make_a_smaller_region),
                cmocka_unit_test(large_bounds_have_coarser_references),
                cmocka_unit_test(creation_survives_each_failed_allocation),
                cmocka_unit_test(threads_share_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
