#include "cache/lookup.h"
#include "tests/lib/cache_rig.h"

static struct lookup_explain explain(struct rig *rig, const char *id)
{
        struct lookup lookup = rig_lookup(&rig_allergies, id);
        struct lookup_explain out;

        lookup_explain(rig->tiers, &lookup, &out);
        return out;
}

static void says_what_there_is_and_why_it_may_answer(void **state)
{
        struct lookup_explain e;
        struct token token;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        assert_false(explain(&rig, "42").cached);
        token = rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        (void)fake_clock_advance(nanos_ms(10000));
        e = explain(&rig, "42");
        assert_true(e.cached && e.found);
        assert_string_equal(verdict_name(e.verdict), verdict_name(VERDICT_FRESH));
        assert_int_equal(e.age.ns, nanos_ms(10000).ns);
        assert_int_equal(e.expires_in.ns, nanos_ms(50000).ns);
        assert_int_equal(e.as_of.n, token.n);
        assert_int_equal(e.epoch, RIG_EPOCH);
        assert_int_equal(e.def, rig_allergies.def);
        assert_int_equal(e.bytes, strlen("\"peanut\""));
        assert_int_equal(e.certificate_age.ns, 0);
        rig_deinit(&rig);
}

static void says_why_it_may_not_answer_and_reads_nothing(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_expect(&rig, "42", NULL, TIER_DATABASE);
        assert_false(explain(&rig, "42").found);
        rig_write(&rig, "42", "peanut");
        assert_string_equal(verdict_name(explain(&rig, "42").verdict), verdict_name(VERDICT_TOUCHED));
        (void)fake_clock_advance(nanos_ms(60001));
        assert_string_equal(verdict_name(explain(&rig, "42").verdict), verdict_name(VERDICT_EXPIRED));
        assert_int_equal(explain(&rig, "42").expires_in.ns, -nanos_ms(1).ns);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        rig_deinit(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_what_there_is_and_why_it_may_answer),
                cmocka_unit_test(says_why_it_may_not_answer_and_reads_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
