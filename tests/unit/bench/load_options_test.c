#include "bench/load_options.h"

#include "tests/lib/test.h"

enum { WORDS_MAX = 16 };

/* Splits `line` at its spaces. */
static enum err parse(const char *line, struct load_options *out, struct err_msg *msg)
{
        char text[256];
        char *words[WORDS_MAX + 1] = {NULL};
        char *rest = text;
        int count = 0;

        assert_true(strlen(line) < sizeof(text));
        memcpy(text, line, strlen(line) + 1);
        while (count < WORDS_MAX && (words[count] = strsep(&rest, " ")) != NULL)
                count++;
        return load_options_parse(out, count, words, msg);
}

static void what_is_not_said_is_the_usual(void **state)
{
        struct load_options o;

        (void)state;
        assert_ok(parse("load --port 7379", &o, NULL));
        assert_int_equal(o.port, 7379);
        assert_int_equal(o.connections, 50);
        assert_int_equal(o.keys.count, 10000);
        assert_int_equal(o.keys.order, KEYS_UNIFORM);
        assert_int_equal(o.request.value, 512);
        assert_int_equal(o.requests, 0);
        assert_int_equal(o.rate, 0);
}

static void options_are_taken(void **state)
{
        struct load_options o;

        (void)state;
        assert_ok(parse(
                "load --port 1 --protocol memcached --zipf 0.99 --seconds 1.5 --rate 5000 --server-pid 9", &o, NULL));
        assert_int_equal(o.request.protocol, PROTOCOL_MEMCACHED);
        assert_int_equal(o.keys.order, KEYS_ZIPF);
        assert_true(o.keys.exponent > 0.98 && o.keys.exponent < 1);
        assert_int_equal(o.measured.ns, 1500 * NANOS_PER_MS);
        assert_int_equal(o.rate, 5000);
        assert_int_equal(o.server, 9);
        assert_ok(parse("load --port 1 --hold --connections 300", &o, NULL));
        assert_int_equal(o.requests, 300);
        assert_ok(parse("load --port 1 --command set --in-order --expires --requests 12", &o, NULL));
        assert_int_equal(o.request.kind, REQUEST_SET);
        assert_int_equal(o.keys.order, KEYS_IN_ORDER);
        assert_true(o.request.expires);
}

static void what_is_wrong_is_said(void **state)
{
        static const struct {
                const char *line;
                const char *message;
        } cases[] = {
                {"load", "--port says where the server listens"},
                {"load --port 70000", "70000 is no number from 1 to 65535"},
                {"load --port -1", "-1 is no number from 1 to 65535"},
                {"load --port 1 --connections 1x", "1x is no number from 1 to 1000000"},
                {"load --port 1 --protocol http", "http is neither resp nor memcached"},
                {"load --port 1 --zipf nan", "nan is no number from 0 to 10"},
                {"load --port 1 --nothing", "--nothing: no such option, or no value for it"},
                {"load --port 1 more", "more is no option"},
                {"load --port 1 --rate 5 --pipeline 2", "--rate goes with neither --requests nor --pipeline"},
                {"load --port 1 --command set --value 13", "set is of one key, and of a value of 14 bytes at least"},
        };
        struct load_options o;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct err_msg msg = {""};

                assert_err(ERR_BADARG, parse(cases[i].line, &o, &msg));
                assert_string_equal(msg.text, cases[i].message);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_not_said_is_the_usual),
                cmocka_unit_test(options_are_taken),
                cmocka_unit_test(what_is_wrong_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
