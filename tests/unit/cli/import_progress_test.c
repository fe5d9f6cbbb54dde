#include "cli/import_progress.h"
#include "tests/lib/test.h"

#include <stdlib.h>

/* An import whose clock is the test's. */
struct world {
        struct import_progress progress;
        char *text;
        size_t len;
        struct nanos now;
};

static void world_begin(struct world *w, enum progress_style style, size_t width, uint64_t total)
{
        *w = (struct world){.now = {7 * NANOS_PER_S}};
        w->progress = (struct import_progress){
                .style = style, .out = open_memstream(&w->text, &w->len), .width = width, .total = total};
        import_progress_start(&w->progress, w->now);
}

/* Goes on for some time, and shows where the import is then. */
static void go_on(struct world *w, int64_t ms, const struct progress_at *at)
{
        w->now = nanos_add(w->now, nanos_ms(ms));
        import_progress_show(&w->progress, at, w->now);
}

static void world_end(struct world *w, const char *expected)
{
        import_progress_end(&w->progress);
        import_progress_end(&w->progress);
        (void)fclose(w->progress.out);
        assert_string_equal(w->text, expected);
        free(w->text);
}

static const struct progress_at HALF = {.path = "export/conditions.csv", .bytes = 500, .rows = 20};

static void a_bar_is_written_over_itself_and_cleared(void **state)
{
        const struct progress_at end = {.path = "x.csv", .bytes = 1000, .rows = 40};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_BAR, 80, 1000);
        go_on(&w, 99, &HALF); /* too early */
        go_on(&w, 901, &HALF);
        go_on(&w, 50, &end); /* too early */
        go_on(&w, 950, &end);
        world_end(&w, "\r 50% [==========>         ] 20 rows/s  0:01 left  conditions.csv"
                      "\r100% [====================] 20 rows/s  0:00 left  x.csv         "
                      "\r                                                       \r");
}

static void a_narrow_terminal_is_not_wrapped(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_BAR, 50, 1000);
        go_on(&w, 1000, &HALF);
        world_end(&w,
                "\r 50% [======>     ] 20 rows/s  0:01 left  conditi\r                                               "
                "  \r");
        world_begin(&w, PROGRESS_BAR, 39, 1000);
        go_on(&w, 1000, &HALF);
        world_end(&w, "\r 50% 20 rows/s  0:01 left  conditions.\r                                      \r");
}

static void a_second_round_is_written_over_the_first(void **state)
{
        const struct progress_at begun = {.path = "a", .bytes = 100, .rows = 4};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_BAR, 39, 1000);
        go_on(&w, 1000, &HALF);
        import_progress_start(&w.progress, w.now);
        go_on(&w, 1000, &begun);
        world_end(&w, "\r 50% 20 rows/s  0:01 left  conditions."
                      "\r 10% 4 rows/s  0:09 left  a           \r                           \r");
}

static void what_comes_after_the_last_byte_is_said(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_BAR, 39, 1000);
        import_progress_say(&w.progress, "too early");
        go_on(&w, 1000, &HALF);
        import_progress_say(&w.progress, "waiting");
        world_end(&w, "\r 50% 20 rows/s  0:01 left  conditions.\rwaiting                               \r       \r");
        world_begin(&w, PROGRESS_LINES, 39, 1000);
        import_progress_say(&w.progress, "waiting");
        world_end(&w, "");
}

static void lines_come_every_five_seconds(void **state)
{
        const struct progress_at later = {.path = "b.csv", .bytes = 600, .rows = 120};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_LINES, 0, 1000);
        go_on(&w, 4999, &HALF);
        go_on(&w, 1, &HALF);
        go_on(&w, 4999, &later);
        go_on(&w, 5001, &later);
        world_end(&w, " 50%  20 rows  4 rows/s  0:05 left  conditions.csv\n"
                      " 60%  120 rows  9 rows/s  0:13 left  b.csv\n");
}

static void a_pipe_has_no_end_in_sight(void **state)
{
        const struct progress_at at = {.path = "standard\x1binput", .bytes = 2500000, .rows = 1000};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_LINES, 0, 0);
        go_on(&w, 5000, &at);
        world_end(&w, "2.5 MB  1000 rows  200 rows/s  standard?input\n");
        world_begin(&w, PROGRESS_BAR, 30, 0);
        go_on(&w, 5000, &at);
        world_end(&w, "\r2.5 MB  1000 rows  200 rows/s\r                             \r");
}

static void time_left_has_hours_and_may_be_unknown(void **state)
{
        const struct progress_at little = {.path = "a", .bytes = 1, .rows = 1};
        const struct progress_at none = {.path = "a"};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_LINES, 0, 1001);
        go_on(&w, 5000, &none);
        go_on(&w, 5000, &little);
        world_end(&w, "  0%  0 rows  0 rows/s  ? left  a\n"
                      "  0%  1 rows  0 rows/s  1:23:20 left  a\n");
}

static void none_shows_nothing_and_names_may_be_cut_within_a_character(void **state)
{
        const struct progress_at at = {.path = "Nú\xc3\xb1"
                                               "ez",
                .bytes = 1,
                .rows = 1};
        struct world w;

        (void)state;
        world_begin(&w, PROGRESS_NONE, 0, 10);
        go_on(&w, 50000, &at);
        world_end(&w, "");
        world_begin(&w, PROGRESS_BAR, 29, 10);
        go_on(&w, 1000, &at);
        world_end(&w, "\r 10% 1 rows/s  0:09 left  Nú\r                            \r");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_bar_is_written_over_itself_and_cleared),
                cmocka_unit_test(a_narrow_terminal_is_not_wrapped),
                cmocka_unit_test(a_second_round_is_written_over_the_first),
                cmocka_unit_test(what_comes_after_the_last_byte_is_said),
                cmocka_unit_test(lines_come_every_five_seconds),
                cmocka_unit_test(a_pipe_has_no_end_in_sight),
                cmocka_unit_test(time_left_has_hours_and_may_be_unknown),
                cmocka_unit_test(none_shows_nothing_and_names_may_be_cut_within_a_character),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
