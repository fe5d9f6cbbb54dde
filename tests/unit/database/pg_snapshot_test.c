#include "database/pg_snapshot.h"

#include "tests/lib/test.h"

#include <stdio.h>

static void texts_are_read_and_written_back(void **state)
{
        static const char *const texts[] = {"1:1:", "10:20:10,14,19", "0:18446744073709551615:"};

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct snapshot s;
                struct buf out;

                buf_init(&out, 0);
                assert_true(pg_snapshot_read(slice_str(texts[i]), &s));
                assert_ok(pg_snapshot_put(&out, &s));
                assert_slice_is(buf_slice(&out), texts[i]);
                buf_deinit(&out);
        }
}

static void running_ones_are_not_contained(void **state)
{
        struct snapshot s;

        (void)state;
        assert_true(pg_snapshot_read(slice_str("10:20:10,14,19"), &s));
        assert_int_equal(s.running, 3);
        assert_true(snapshot_has(&s, 9) && snapshot_has(&s, 11));
        assert_false(snapshot_has(&s, 14) || snapshot_has(&s, 20));
}

static void a_long_list_claims_less(void **state)
{
        char text[1024] = "100:900:";
        struct snapshot s;

        (void)state;
        for (int i = 0; i <= SNAPSHOT_MAX_RUNNING; i++) {
                size_t used = strlen(text);

                (void)snprintf(text + used, sizeof(text) - used, "%s%d", i == 0 ? "" : ",", 100 + i);
        }
        assert_true(pg_snapshot_read(slice_str(text), &s));
        assert_int_equal(s.xmax, 100);
        assert_int_equal(s.running, 0);
}

static void other_texts_are_refused(void **state)
{
        static const char *const texts[] = {"", "1", "1:2", "2:1:", "a:2:", "1:b:", "1:2:x", "1:2:1,,1", "-1:2:"};
        struct snapshot s;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (pg_snapshot_read(slice_str(texts[i]), &s))
                        fail_msg("\"%s\" was read", texts[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_are_read_and_written_back),
                cmocka_unit_test(running_ones_are_not_contained),
                cmocka_unit_test(a_long_list_claims_less),
                cmocka_unit_test(other_texts_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
