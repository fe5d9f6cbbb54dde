#include "cache/store.h"

#include "base/mem.h"
#include "cache/lookup.h"
#include "tests/lib/cache_rig.h"

#include <stdio.h>

enum { DRAWS = 200 };

/* Tiers of their own over the rig's parts, as the rig has no jitter. */
static void with_jitter(struct rig *rig, uint32_t percent)
{
        struct tiers_config config = {
                .l1 = rig->l1,
                .source = fake_source_as_source(rig->fake),
                .freshness = rig->freshness,
                .ttl_default = nanos_ms(30000),
                .ttl_jitter_percent = percent,
                .seed = 5,
                .fills_max = 10,
                .clock = fake_clock,
        };

        reader_destroy(&rig->reader);
        tiers_destroy(&rig->tiers);
        assert_ok(tiers_create(&rig->tiers, &config));
        assert_ok(reader_create(&rig->reader, rig->tiers, rig->base));
}

static struct nanos life_of(struct rig *rig, const struct record_type *type, const char *id)
{
        struct lookup lookup = rig_lookup(type, id);
        struct lookup_explain e;

        rig_read(rig, &lookup);
        lookup_explain(rig->tiers, &lookup, &e);
        lookup_deinit(&lookup);
        return e.expires_in;
}

static void types_have_their_own_ttl_or_the_default(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        assert_int_equal(life_of(&rig, &rig_allergies, "42").ns, nanos_ms(60000).ns);
        assert_int_equal(life_of(&rig, &rig_student, "42").ns, nanos_ms(30000).ns);
        rig_deinit(&rig);
}

static void lifetimes_are_spread_over_the_jitter(void **state)
{
        struct nanos shortest = NANOS_NEVER;
        struct nanos longest = NANOS_ZERO;
        struct rig rig;
        char id[16];

        (void)state;
        rig_init(&rig);
        with_jitter(&rig, 10);
        for (int i = 0; i < DRAWS; i++) {
                struct nanos life;

                (void)snprintf(id, sizeof(id), "%d", i);
                life = life_of(&rig, &rig_allergies, id);
                shortest = nanos_before(life, shortest) ? life : shortest;
                longest = nanos_before(longest, life) ? life : longest;
        }
        assert_in_range(shortest.ns, nanos_ms(54000).ns, nanos_ms(55000).ns);
        assert_in_range(longest.ns, nanos_ms(59000).ns, nanos_ms(60000).ns);
        rig_deinit(&rig);
}

static void what_was_touched_while_it_was_read_is_not_stored(void **state)
{
        struct l1_usage usage;
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_start_held(&rig, &lookup, "42");
        rig_write(&rig, "42", "peanut");
        fake_source_release(rig.fake);
        assert_ok(lookup.status);
        assert_false(lookup.found); /* true when it was read */
        lookup_deinit(&lookup);
        l1_usage(rig.l1, &usage);
        assert_int_equal(usage.entries, 0);
        rig_deinit(&rig);
}

struct meanwhile {
        struct rig *rig;
        struct token erased;
};

/* Called when the entry to be stored is allocated: after the test that it is worth storing, before it is in L1. */
static bool erase_meanwhile(void *context)
{
        struct meanwhile *m = context;

        if (m->erased.n == 0)
                m->erased = rig_write(m->rig, "42", NULL);
        return true;
}

static void what_is_erased_while_it_is_being_stored_leaves_again(void **state)
{
        struct meanwhile meanwhile;
        struct l1_usage usage;
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_start_held(&rig, &lookup, "42");
        meanwhile = (struct meanwhile){.rig = &rig};
        mem_set_gate(erase_meanwhile, &meanwhile);
        fake_source_release(rig.fake);
        mem_set_gate(NULL, NULL);
        assert_true(meanwhile.erased.n > 0);
        assert_true(lookup.found); /* it was sent before the erasure */
        lookup_deinit(&lookup);
        l1_usage(rig.l1, &usage);
        assert_int_equal(usage.entries, 0);
        rig_deinit(&rig);
}

/* Whichever of an entry's tags is touched, the entry is void, be it positive or negative; and no other is. */
static void touching_any_tag_of_it_voids_the_entry(void **state)
{
        const struct tag mine[] = {
                {.kind = TAG_STUDENT_TABLE, .id = slice_str("42"), .table = slice_str("allergies")},
                {.kind = TAG_STUDENT_TABLE, .id = slice_str("42"), .table = slice_str("students")},
                {.kind = TAG_STUDENT, .id = slice_str("42")},
                {.kind = TAG_TABLE, .table = slice_str("allergies")},
                {.kind = TAG_TABLE, .table = slice_str("students")},
                {.kind = TAG_ALL},
        };
        const struct tag others[] = {
                {.kind = TAG_STUDENT_TABLE, .id = slice_str("42"), .table = slice_str("visits")},
                {.kind = TAG_STUDENT_TABLE, .id = slice_str("43"), .table = slice_str("allergies")},
                {.kind = TAG_STUDENT, .id = slice_str("43")},
                {.kind = TAG_TABLE, .table = slice_str("visits")},
                {.kind = TAG_ALL, .tenant = slice_str("south")},
        };
        const size_t mine_count = sizeof(mine) / sizeof(mine[0]);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        for (size_t i = 0; i < mine_count + sizeof(others) / sizeof(others[0]); i++) {
                const struct tag *tag = i < mine_count ? &mine[i] : &others[i - mine_count];
                uint64_t hash = tag_hash(tag, freshness_tag_seed(rig.freshness));
                struct position position = {fake_source_advance(rig.fake)};

                freshness_poison(rig.freshness, &hash, 1);
                freshness_touch(rig.freshness, &hash, 1, position);
                rig_expect(&rig, "42", NULL, i < mine_count ? TIER_DATABASE : TIER_L1);
        }
        rig_deinit(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(types_have_their_own_ttl_or_the_default),
                cmocka_unit_test(lifetimes_are_spread_over_the_jitter),
                cmocka_unit_test(what_was_touched_while_it_was_read_is_not_stored),
                cmocka_unit_test(what_is_erased_while_it_is_being_stored_leaves_again),
                cmocka_unit_test(touching_any_tag_of_it_voids_the_entry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
