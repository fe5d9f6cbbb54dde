#include "cache/l1.h"
#include "base/hash.h"
#include "base/mem.h"
#include "monitoring/counters.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TYPE = 3 };

static struct l1 *make(uint64_t max_bytes, uint64_t max_entries, uint32_t shards)
{
        const struct l1_config config = {max_bytes, max_entries, shards, "lru", 42};
        struct err_msg msg;
        struct l1 *l1;

        assert_ok(l1_create(&l1, &config, &msg));
        return l1;
}

/* An entry filled at 1 s, good until 61 s. */
static struct l1_view view_of(const char *key, const char *value)
{
        return (struct l1_view){
                .key = slice_str(key),
                .value = slice_str(value),
                .found = true,
                .type_index = TYPE,
                .stamp = {.epoch = 1, .def = 2, .as_of = {10}, .expires = nanos_ms(61000)},
                .filled = nanos_ms(1000),
                .fill_micros = 77,
        };
}

static void put(struct l1 *l1, const char *key, const char *value)
{
        struct l1_view view = view_of(key, value);

        assert_ok(l1_put(l1, &view));
}

static void put_number(struct l1 *l1, int number, size_t value_len)
{
        static char value[100000];
        char key[32];
        struct l1_view view;

        (void)snprintf(key, sizeof(key), "allergies:%d", number);
        view = view_of(key, "");
        view.value = slice_of(value, value_len);
        assert_ok(l1_put(l1, &view));
}

static bool has(struct l1 *l1, const char *key)
{
        struct l1_entry *e;
        bool there = l1_peek(l1, slice_str(key), &e);

        l1_release(l1, &e);
        return there;
}

static void use(struct l1 *l1, const char *key)
{
        struct l1_entry *e;

        assert_true(l1_get(l1, slice_str(key), &e));
        l1_release(l1, &e);
        assert_null(e);
}

static struct l1_usage usage_of(const struct l1 *l1)
{
        struct l1_usage usage;

        l1_usage(l1, &usage);
        return usage;
}

static void keeps_all_that_an_entry_holds(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 4);
        struct l1_view view = view_of("allergies:42", "[{\"code\":1}]");
        struct l1_view back;
        struct l1_entry *e;

        (void)state;
        assert_ok(l1_put(l1, &view));
        assert_false(l1_get(l1, slice_str("allergies:43"), &e));
        assert_null(e);
        assert_true(l1_get(l1, slice_str("allergies:42"), &e));
        back = l1_view_of(l1, e);
        assert_slice_is(back.key, "allergies:42");
        assert_slice_is(back.value, "[{\"code\":1}]");
        assert_true(back.found);
        assert_int_equal(back.type_index, TYPE);
        assert_int_equal(back.stamp.epoch, 1);
        assert_int_equal(back.stamp.def, 2);
        assert_int_equal(back.stamp.as_of.n, 10);
        assert_int_equal(back.stamp.expires.ns, nanos_ms(61000).ns);
        assert_int_equal(back.stamp.tag_count, 0); /* they follow from the key */
        assert_int_equal(back.filled.ns, nanos_ms(1000).ns);
        assert_int_equal(back.fill_micros, 77);
        l1_release(l1, &e);
        l1_destroy(&l1);
        assert_null(l1);
}

static void keeps_negative_entries_apart_from_empty_values(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 4);
        struct l1_view none = view_of("student:1", "");
        struct l1_view empty = view_of("student:2", "");
        struct l1_entry *e;

        (void)state;
        none.found = false;
        assert_ok(l1_put(l1, &none));
        assert_ok(l1_put(l1, &empty));
        assert_true(l1_get(l1, slice_str("student:1"), &e));
        assert_false(l1_view_of(l1, e).found);
        l1_release(l1, &e);
        assert_true(l1_get(l1, slice_str("student:2"), &e));
        assert_true(l1_view_of(l1, e).found);
        assert_int_equal(l1_view_of(l1, e).value.len, 0);
        l1_release(l1, &e);
        l1_destroy(&l1);
}

static void evicts_the_least_recently_used(void **state)
{
        struct l1 *l1 = make(1 << 20, 3, 1);

        (void)state;
        put(l1, "a", "1");
        put(l1, "b", "2");
        put(l1, "c", "3");
        use(l1, "a");
        put(l1, "d", "4"); /* b goes: a was used since */
        assert_false(has(l1, "b"));
        assert_true(has(l1, "a") && has(l1, "c") && has(l1, "d"));
        assert_true(has(l1, "c")); /* peeking is no use: c goes next */
        put(l1, "a", "5");         /* nor is replacing, which costs no other its place */
        assert_int_equal(usage_of(l1).entries, 3);
        put(l1, "e", "6");
        assert_false(has(l1, "c"));
        put(l1, "f", "7");
        assert_false(has(l1, "a"));
        assert_true(has(l1, "d") && has(l1, "e") && has(l1, "f"));
        l1_destroy(&l1);
}

static void assert_within_bounds(const struct l1 *l1)
{
        struct l1_usage u = usage_of(l1);

        assert_true(u.bytes <= u.max_bytes);
        assert_true(u.max_entries == 0 || u.entries <= u.max_entries);
}

static void bounds_hold_at_every_step(void **state)
{
        struct l1 *l1 = make(200000, 500, 8);
        uint64_t random = 1;

        (void)state;
        for (int i = 0; i < 20000; i++) {
                put_number(l1, (int)(random_next(&random) % 3000), random_next(&random) % (i < 10000 ? 2000 : 50));
                assert_within_bounds(l1);
        }
        assert_int_equal(usage_of(l1).entries, 500); /* small values: entries decide, and all places are used */
        l1_destroy(&l1);
}

static void bytes_decide_when_there_is_no_bound_of_entries(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 8);

        (void)state;
        assert_int_equal(usage_of(l1).max_entries, 0);
        for (int i = 0; i < 20000; i++) {
                put_number(l1, i, 1000);
                assert_within_bounds(l1);
        }
        assert_in_range(usage_of(l1).entries, 850, 1048);
        assert_true(usage_of(l1).bytes > (1 << 20) - (1 << 20) / 40); /* but for what lies free between */
        l1_destroy(&l1);
}

static void can_be_resized_while_full(void **state)
{
        struct l1 *l1 = make(1 << 20, 1000, 8);

        (void)state;
        for (int i = 0; i < 1000; i++)
                put_number(l1, i, 100);
        assert_int_equal(usage_of(l1).entries, 1000);
        l1_resize(l1, 1 << 20, 10);
        assert_int_equal(usage_of(l1).entries, 10);
        l1_resize(l1, 1 << 20, 20);
        for (int i = 0; i < 100; i++)
                put_number(l1, i, 100);
        assert_int_equal(usage_of(l1).entries, 20);
        l1_resize(l1, 0, 0);
        assert_int_equal(usage_of(l1).entries, 0);
        l1_destroy(&l1);
}

static void a_giant_is_refused_and_sweeps_nothing(void **state)
{
        struct l1 *l1 = make(1 << 16, 0, 2);
        static char giant[1 << 14];
        struct l1_view view = view_of("a", "");

        (void)state;
        put(l1, "a", "old");
        put(l1, "b", "2");
        view.value = slice_of(giant, sizeof(giant));
        assert_err(ERR_LIMIT, l1_put(l1, &view));
        assert_false(has(l1, "a")); /* the old state must not stand in for the new one */
        assert_true(has(l1, "b"));
        l1_destroy(&l1);
}

static void nothing_fits_into_nothing(void **state)
{
        struct l1 *l1 = make(64, 0, 1);
        struct l1_view view = view_of("a", "");

        (void)state;
        assert_err(ERR_LIMIT, l1_put(l1, &view));
        assert_int_equal(usage_of(l1).entries, 0);
        l1_destroy(&l1);
}

static void an_older_state_never_replaces_a_newer_one(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 1);
        struct l1_view old = view_of("a", "old");
        struct l1_view new = view_of("a", "new");
        struct l1_view other = view_of("a", "other history");
        struct l1_entry *e;

        (void)state;
        new.stamp.as_of.n = 11;
        other.stamp.as_of.n = 1;
        other.stamp.epoch = 2;
        assert_ok(l1_put(l1, &new));
        assert_ok(l1_put(l1, &old));
        assert_true(l1_get(l1, slice_str("a"), &e));
        assert_slice_is(l1_view_of(l1, e).value, "new");
        l1_release(l1, &e);
        assert_ok(l1_put(l1, &other)); /* positions of two histories do not compare: the later read wins */
        assert_true(l1_get(l1, slice_str("a"), &e));
        assert_slice_is(l1_view_of(l1, e).value, "other history");
        l1_release(l1, &e);
        l1_destroy(&l1);
}

/* Entries of histories that have ended make place for the newest, as any that nobody uses. */
static void more_histories_than_can_be_told_apart_evict_the_oldest(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 1);
        char key[32];

        (void)state;
        for (uint64_t epoch = 1; epoch <= 3000; epoch++) {
                struct l1_view view = view_of("", "v");
                struct l1_entry *e;

                (void)snprintf(key, sizeof(key), "allergies:%d", (int)epoch);
                view.key = slice_str(key);
                view.stamp.epoch = epoch;
                assert_ok(l1_put(l1, &view));
                assert_true(l1_get(l1, view.key, &e));
                assert_int_equal(l1_view_of(l1, e).stamp.epoch, epoch);
                l1_release(l1, &e);
        }
        assert_false(has(l1, "allergies:1"));
        assert_int_equal(usage_of(l1).entries, 1024);
        l1_destroy(&l1);
}

/* What the reader has not let go of takes memory, though L1 has it no more. */
static void a_held_entry_is_accounted_until_it_is_let_go(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 1);
        const uint64_t empty = usage_of(l1).bytes;
        struct l1_entry *e;

        (void)state;
        put(l1, "a", "value");
        assert_true(l1_get(l1, slice_str("a"), &e));
        assert_true(l1_remove(l1, slice_str("a")));
        assert_int_equal(usage_of(l1).entries, 0);
        assert_true(usage_of(l1).bytes > empty);
        l1_release(l1, &e);
        assert_int_equal(usage_of(l1).bytes, empty);
        l1_destroy(&l1);
}

static void keys_can_be_hashed_and_prefetched_before(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 4);
        const char *const keys[] = {"a", "b", "c"};
        uint64_t hashes[3];
        struct l1_entry *e;

        (void)state;
        put(l1, "a", "1");
        put(l1, "c", "3");
        for (int i = 0; i < 3; i++) {
                hashes[i] = l1_hash(l1, slice_str(keys[i]));
                l1_prefetch(l1, hashes[i]);
        }
        for (int i = 0; i < 3; i++)
                l1_prefetch_entry(l1, hashes[i]);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(l1_get_hashed(l1, slice_str(keys[i]), hashes[i], &e), i != 1);
                l1_release(l1, &e);
        }
        l1_destroy(&l1);
}

static void a_held_entry_outlives_its_removal(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 1);
        struct l1_entry *e;

        (void)state;
        put(l1, "a", "value");
        assert_true(l1_get(l1, slice_str("a"), &e));
        assert_true(l1_remove(l1, slice_str("a")));
        assert_false(l1_remove(l1, slice_str("a")));
        put(l1, "a", "another");
        assert_slice_is(l1_view_of(l1, e).value, "value");
        l1_release(l1, &e);
        l1_destroy(&l1);
}

struct counts {
        uint64_t sets, deletes, evictions, expirations;
};

static struct counts counts_now(void)
{
        return (struct counts){
                type_counter_read(TYPE, TYPE_COUNTER_sets),
                type_counter_read(TYPE, TYPE_COUNTER_deletes),
                type_counter_read(TYPE, TYPE_COUNTER_evictions),
                type_counter_read(TYPE, TYPE_COUNTER_expirations),
        };
}

static void tells_expiry_eviction_and_deletion_apart(void **state)
{
        struct counts before = counts_now();
        struct l1 *l1 = make(1 << 20, 2, 1);
        struct l1_view late = view_of("c", "3");
        struct counts after;

        (void)state;
        put(l1, "a", "1");
        put(l1, "b", "2");
        put(l1, "b", "3"); /* in its place, before its time: its record had changed */
        put(l1, "c", "4"); /* evicts a */
        late.filled = nanos_ms(61000);
        late.stamp.expires = nanos_ms(121000);
        assert_ok(l1_put(l1, &late)); /* c again, whose time had passed */
        late.key = slice_str("d");
        assert_ok(l1_put(l1, &late)); /* evicts b, whose time had passed */
        after = counts_now();
        assert_int_equal(after.sets - before.sets, 6);
        assert_int_equal(after.deletes - before.deletes, 1);
        assert_int_equal(after.evictions - before.evictions, 1);
        assert_int_equal(after.expirations - before.expirations, 2);
        l1_destroy(&l1);
}

/* ---- the hit path: no allocation, no system call ---- */

static bool count_allocation(void *context)
{
        ++*(uint64_t *)context;
        return true;
}

static void hits_allocate_nothing(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 4);
        uint64_t allocations = 0;

        (void)state;
        put(l1, "a", "1");
        mem_set_gate(count_allocation, &allocations);
        for (int i = 0; i < 1000; i++)
                use(l1, "a");
        mem_set_gate(NULL, NULL);
        assert_int_equal(allocations, 0);
        l1_destroy(&l1);
}

/* The child enters seccomp's strict mode, in which any system call but read, write and exit kills it. */
static void hits_make_no_system_call(void **state)
{
        struct l1_entry *e;
        struct l1 *l1;
        int status;
        pid_t child;

        (void)state;
        SKIP_WHEN_SANITIZED();
        l1 = make(1 << 20, 0, 4);
        put(l1, "a", "1");
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                bool hit = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0;

                for (int i = 0; i < 1000; i++) {
                        hit = l1_get(l1, slice_str("a"), &e) && hit;
                        l1_release(l1, &e);
                }
                (void)syscall(SYS_exit, hit ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        l1_destroy(&l1);
}

/* ---- failures ---- */

static enum err create_and_put(void *context)
{
        const struct l1_config config = {1 << 20, 0, 2, "lru", 42};
        struct l1_view view = view_of("a", "new");
        struct l1 *l1;
        enum err rc = l1_create(&l1, &config, NULL);

        (void)context;
        if (rc != OK) {
                assert_null(l1);
                return rc;
        }
        rc = l1_put(l1, &view);
        assert_int_equal(has(l1, "a"), rc == OK);
        l1_destroy(&l1);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create_and_put, NULL);
}

static bool no_memory(void *context)
{
        (void)context;
        return false;
}

static void a_failed_put_leaves_no_old_state(void **state)
{
        struct l1 *l1 = make(1 << 20, 0, 1);
        struct l1_view view = view_of("a", "new");

        (void)state;
        put(l1, "a", "old");
        put(l1, "b", "2");
        mem_set_gate(no_memory, NULL);
        assert_err(ERR_NOMEM, l1_put(l1, &view));
        mem_set_gate(NULL, NULL);
        assert_false(has(l1, "a"));
        assert_true(has(l1, "b"));
        l1_destroy(&l1);
}

static void an_unknown_policy_is_named(void **state)
{
        const struct l1_config config = {1 << 20, 0, 1, "fifo", 42};
        struct err_msg msg;
        struct l1 *l1;

        (void)state;
        assert_err(ERR_CONFIG, l1_create(&l1, &config, &msg));
        assert_string_equal(msg.text, "no eviction policy \"fifo\"; there is: lru, sieve, s3fifo, wtinylfu");
        assert_null(l1);
}

/* ---- many threads ---- */

struct hammer {
        struct l1 *l1;
        uint64_t seed;
};

static void *hammer(void *arg)
{
        struct hammer *h = arg;

        for (int i = 0; i < 20000; i++) {
                char key[32];
                struct l1_view view;
                struct l1_entry *e;

                (void)snprintf(key, sizeof(key), "k%d", (int)(random_next(&h->seed) % 200));
                view = view_of(key, key);
                l1_prefetch_entry(h->l1, l1_hash(h->l1, view.key));
                if (i % 4 == 0)
                        assert_ok(l1_put(h->l1, &view));
                else if (i % 37 == 0)
                        (void)l1_remove(h->l1, view.key);
                else if (l1_get(h->l1, view.key, &e)) {
                        assert_true(slice_equal(l1_view_of(h->l1, e).value, view.key)); /* never another key's value */
                        l1_release(h->l1, &e);
                }
        }
        return NULL;
}

static void share(struct l1 *l1)
{
        struct hammer hammers[3];
        pthread_t threads[3];

        for (uint64_t i = 0; i < 3; i++) {
                hammers[i] = (struct hammer){l1, i};
                assert_int_equal(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
        }
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_within_bounds(l1);
        l1_resize(l1, 0, 0);
        assert_int_equal(usage_of(l1).entries, 0);
        l1_destroy(&l1);
}

/* By count; and by bytes, where the tables of the shards grow and shrink all the time as well. */
static void threads_share_it(void **state)
{
        (void)state;
        share(make(1 << 20, 100, 4));
        share(make(9000, 0, 4));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keeps_all_that_an_entry_holds),
                cmocka_unit_test(keeps_negative_entries_apart_from_empty_values),
                cmocka_unit_test(evicts_the_least_recently_used),
                cmocka_unit_test(bounds_hold_at_every_step),
                cmocka_unit_test(bytes_decide_when_there_is_no_bound_of_entries),
                cmocka_unit_test(can_be_resized_while_full),
                cmocka_unit_test(a_giant_is_refused_and_sweeps_nothing),
                cmocka_unit_test(nothing_fits_into_nothing),
                cmocka_unit_test(an_older_state_never_replaces_a_newer_one),
                cmocka_unit_test(more_histories_than_can_be_told_apart_evict_the_oldest),
                cmocka_unit_test(a_held_entry_outlives_its_removal),
                cmocka_unit_test(a_held_entry_is_accounted_until_it_is_let_go),
                cmocka_unit_test(keys_can_be_hashed_and_prefetched_before),
                cmocka_unit_test(tells_expiry_eviction_and_deletion_apart),
                cmocka_unit_test(hits_allocate_nothing),
                cmocka_unit_test(hits_make_no_system_call),
                cmocka_unit_test(survives_each_failed_allocation),
                cmocka_unit_test(a_failed_put_leaves_no_old_state),
                cmocka_unit_test(an_unknown_policy_is_named),
                cmocka_unit_test(threads_share_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
