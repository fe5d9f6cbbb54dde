#include "cache/entry_snapshot.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

static void assert_survives(const struct snapshot *s)
{
        const size_t size = entry_snapshot_size(s);
        uint8_t *bytes = vc_malloc(size); /* as long as it has to be, so that AddressSanitizer sees a byte more */
        struct snapshot back;

        assert_non_null(bytes);
        entry_snapshot_write(s, bytes);
        assert_int_equal(entry_snapshot_len(bytes), size);
        entry_snapshot_read(bytes, &back);
        vc_free(bytes);
        assert_true(back.xmin == s->xmin && back.xmax == s->xmax);
        assert_true(back.end == s->xmax);
        assert_int_equal(back.running, s->running);
        for (uint32_t i = 0; i < s->running; i++)
                assert_true(back.xip[i] == s->xip[i]);
}

static void none_takes_nothing(void **state)
{
        uint8_t byte = 7;

        (void)state;
        assert_int_equal(entry_snapshot_size(NULL), 0);
        entry_snapshot_write(NULL, &byte);
        assert_int_equal(byte, 7);
}

static void any_snapshot_comes_back(void **state)
{
        static const uint64_t starts[] = {0, 1, 127, 128, 5000000, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX - 100000};
        uint64_t random = 3;

        (void)state;
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
                for (uint32_t running = 0; running <= SNAPSHOT_MAX_RUNNING; running++) {
                        struct snapshot s = {.xmin = starts[i], .running = running};
                        uint64_t at = s.xmin;

                        for (uint32_t k = 0; k < running; k++) {
                                s.xip[k] = at;
                                at += 1 + random_next(&random) % 1000;
                        }
                        s.xmax = at;
                        assert_survives(&s);
                }
}

static void usual_ones_are_short(void **state)
{
        const struct snapshot idle = {.xmin = 5000000, .xmax = 5000000};
        const struct snapshot busy = {
                .xmin = 5000000, .xmax = 5000100, .running = 3, .xip = {5000000, 5000040, 5000090}};

        (void)state;
        assert_int_equal(entry_snapshot_size(&idle), 6);
        assert_int_equal(entry_snapshot_size(&busy), 9);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(none_takes_nothing),
                cmocka_unit_test(any_snapshot_comes_back),
                cmocka_unit_test(usual_ones_are_short),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
