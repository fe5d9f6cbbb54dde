#include "base/log.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char output[65536];

/* Points the log at a pipe; read_log() returns what has been written since. */
static int pipe_ends[2];

static int capture(void **state)
{
        (void)state;
        assert_int_equal(pipe2(pipe_ends, O_NONBLOCK), 0);
        log_set_fd(pipe_ends[1]);
        return 0;
}

static int release(void **state)
{
        (void)state;
        log_set_fd(STDERR_FILENO);
        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        return 0;
}

static const char *read_log(void)
{
        ssize_t got = read(pipe_ends[0], output, sizeof(output) - 1);

        output[got < 0 ? 0 : got] = '\0';
        return output;
}

static void writes_logfmt_with_typed_fields(void **state)
{
        const char *line;

        (void)state;
        LOG_INFO("listening", LOG_WORD("protocol", "resp"), LOG_INT("port", -1), LOG_UINT("big", UINT64_MAX),
                LOG_PATH("data", "/a b/\"c\""), LOG_ERR(ERR_BUSY));
        line = read_log();
        assert_int_equal(line[10], 'T');
        assert_string_equal(line + 24, " info listening protocol=resp port=-1 big=18446744073709551615 "
                                       "data=\"/a b/\\\"c\\\"\" error=BUSY\n");
}

static void writes_json(void **state)
{
        (void)state;
        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
        LOG_WARNING("disk nearly full", LOG_UINT("free", 5), LOG_PATH("path", "/x\ny"));
        assert_non_null(strstr(read_log(), "\",\"level\":\"warning\",\"event\":\"disk nearly full\",\"free\":5,"
                                           "\"path\":\"/x y\"}\n"));
}

static void levels_below_the_least_are_silent(void **state)
{
        (void)state;
        LOG_DEBUG("not seen", LOG_INT("x", 1));
        assert_string_equal(read_log(), "");
        log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
        LOG_WARNING("not seen", LOG_INT("x", 1));
        assert_false(log_enabled(LOG_LEVEL_WARNING));
        assert_string_equal(read_log(), "");
        LOG_ERROR("seen", LOG_INT("x", 1));
        assert_non_null(strstr(read_log(), "error seen x=1\n"));
}

static void one_site_cannot_flood_the_log(void **state)
{
        int lines = 0;

        (void)state;
        for (int i = 0; i < 1000; i++)
                LOG_INFO("flood", LOG_INT("i", i));
        for (const char *c = read_log(); *c != '\0'; c++)
                lines += *c == '\n';
        assert_in_range(lines, LOG_BURST, 4 * LOG_BURST); /* the loop may cross into another second */
}

static void an_audit_line_is_never_left_out(void **state)
{
        enum { LINES = 10 * LOG_BURST };
        int lines = 0;

        (void)state;
        log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
        for (int i = 0; i < LINES; i++)
                LOG_AUDIT("record", LOG_INT("i", i));
        for (const char *at = read_log(); (at = strstr(at, " audit record i=")) != NULL; at++)
                lines++;
        assert_int_equal(lines, LINES);
}

static void a_line_too_long_is_cut_and_stays_a_line(void **state)
{
        char text[5000];
        const char *line;

        (void)state;
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        LOG_INFO("long", LOG_PATH("path", text));
        line = read_log();
        assert_true(strlen(line) <= 2048);
        assert_int_equal(line[strlen(line) - 1], '\n');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(writes_logfmt_with_typed_fields, capture, release),
                cmocka_unit_test_setup_teardown(writes_json, capture, release),
                cmocka_unit_test_setup_teardown(levels_below_the_least_are_silent, capture, release),
                cmocka_unit_test_setup_teardown(one_site_cannot_flood_the_log, capture, release),
                cmocka_unit_test_setup_teardown(an_audit_line_is_never_left_out, capture, release),
                cmocka_unit_test_setup_teardown(a_line_too_long_is_cut_and_stays_a_line, capture, release),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
