/* The tiers over the real embedded source and its provider of truth. */
#include "cache/tiers.h"
#include "cache/lookup.h"
#include "invalidation/truth_lmdb.h"
#include "tests/lib/school.h"

#include <event2/event.h>

#include <stdlib.h>

enum { EPOCH = 9 };

struct node {
        char path[64];
        struct event_base *base;
        struct freshness *freshness;
        struct source *source;
        struct l1 *l1;
        struct tiers *tiers;
        struct reader *reader;
};

static int setup(void **state)
{
        const struct freshness_config truth = {.slots = 1 << 16, .tag_seed = 3, .always_certain = true};
        const struct l1_config memory = {1 << 20, 0, 4, "lru", 42};
        struct node *n = calloc(1, sizeof(*n));
        struct tiers_config tiers = {.ttl_default = nanos_ms(60000), .fills_max = 100, .clock = clock_boot};
        struct lmdb_config lmdb;

        assert_non_null(n);
        temp_dir_make(n->path, sizeof(n->path));
        n->base = event_base_new();
        assert_ok(freshness_create(&n->freshness, &truth));
        lmdb = school_config(n->path);
        lmdb.hooks = truth_lmdb_hooks(n->freshness, EPOCH);
        n->source = school_open(&lmdb);
        assert_ok(l1_create(&n->l1, &memory, NULL));
        tiers.l1 = n->l1;
        tiers.source = n->source;
        tiers.freshness = n->freshness;
        assert_ok(tiers_create(&n->tiers, &tiers));
        assert_ok(reader_create(&n->reader, n->tiers, n->base));
        *state = n;
        return 0;
}

static int teardown(void **state)
{
        struct node *n = *state;

        reader_destroy(&n->reader);
        tiers_destroy(&n->tiers);
        l1_destroy(&n->l1);
        n->source->ops->close(&n->source);
        freshness_destroy(&n->freshness);
        event_base_free(n->base);
        temp_dir_remove(n->path);
        free(n);
        return 0;
}

static void on_done(struct lookup *lookup)
{
        *(bool *)lookup->context = true;
}

/* Reads a key through the tiers and checks value (NULL: no such student) and tier; `after` may be NULL. */
static void expect_after(
        struct node *n, const struct record_type *type, const struct token *after, const char *json, enum tier tier)
{
        bool done = false;
        struct lookup lookup = {
                .type = type,
                .id = slice_str("42"),
                .format = FORMAT_JSON,
                .now = clock_boot(),
                .has_after = after != NULL,
                .after = after == NULL ? (struct token){0, 0} : *after,
                .done = on_done,
                .context = &done,
        };

        if (!lookup_start(n->reader, &lookup)) {
                assert_int_not_equal(event_base_loop(n->base, EVLOOP_NONBLOCK), -1);
                assert_true(done);
        }
        assert_ok(lookup.status);
        assert_int_equal(lookup.found, json != NULL);
        assert_slice_is(lookup.value, json == NULL ? "" : json);
        assert_string_equal(lookup_tier_name(lookup.tier), lookup_tier_name(tier));
        lookup_deinit(&lookup);
}

static void expect(struct node *n, const struct record_type *type, const char *json, enum tier tier)
{
        expect_after(n, type, NULL, json, tier);
}

static void nil_and_empty_and_a_list_are_three_things(void **state)
{
        struct node *n = *state;

        expect(n, &SCHOOL_ALLERGY_LIST, NULL, TIER_DATABASE);
        expect(n, &SCHOOL_ALLERGY_LIST, NULL, TIER_L1);
        school_must_put(n->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_DATABASE);
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_L1);
        school_must_put(n->source, &SCHOOL_ALLERGY_LIST, "42", "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        expect(n, &SCHOOL_ALLERGY_LIST, "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]", TIER_DATABASE);
        expect(n, &SCHOOL_ALLERGY_LIST, "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]", TIER_L1);
}

static void a_write_voids_its_students_entries_and_no_others(void **state)
{
        struct node *n = *state;

        school_must_put(n->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(n->source, &SCHOOL_STUDENT, "43", "{\"name\":\"Bo\"}");
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_DATABASE);
        expect(n, &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}", TIER_DATABASE);
        school_must_put(n->source, &SCHOOL_ALLERGY_LIST, "43", "[{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"}]");
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_L1);
        school_must_put(n->source, &SCHOOL_ALLERGY_LIST, "42", "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        expect(n, &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}", TIER_L1); /* of another table */
        expect(n, &SCHOOL_ALLERGY_LIST, "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]", TIER_DATABASE);
}

static void erasing_a_student_voids_all_that_was_cached_of_it(void **state)
{
        struct node *n = *state;
        struct source_write erase = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("42")};
        struct token token;

        school_must_put(n->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_DATABASE);
        expect(n, &SCHOOL_SUMMARY, "{\"student\":{\"id\":\"42\",\"name\":\"Ada\"},\"allergies\":[],\"visits\":[]}",
                TIER_DATABASE);
        assert_ok(school_apply(n->source, &erase));
        token = (struct token){EPOCH, erase.position.n};
        expect_after(n, &SCHOOL_ALLERGY_LIST, &token, NULL, TIER_DATABASE);
        expect(n, &SCHOOL_SUMMARY, NULL, TIER_DATABASE);
        expect(n, &SCHOOL_STUDENT, NULL, TIER_DATABASE);
        expect_after(n, &SCHOOL_ALLERGY_LIST, &token, NULL, TIER_L1);
}

static void invalidating_everything_keeps_everything_readable(void **state)
{
        struct node *n = *state;
        const struct tag all = {.kind = TAG_ALL};
        struct source_write touch = {.kind = WRITE_TOUCH, .tags = &all, .tag_count = 1};

        school_must_put(n->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_DATABASE);
        assert_ok(school_apply(n->source, &touch));
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_DATABASE);
        expect(n, &SCHOOL_ALLERGY_LIST, "[]", TIER_L1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(nil_and_empty_and_a_list_are_three_things, setup, teardown),
                cmocka_unit_test_setup_teardown(a_write_voids_its_students_entries_and_no_others, setup, teardown),
                cmocka_unit_test_setup_teardown(erasing_a_student_voids_all_that_was_cached_of_it, setup, teardown),
                cmocka_unit_test_setup_teardown(invalidating_everything_keeps_everything_readable, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
