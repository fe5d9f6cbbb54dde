#include "bench/replies.h"

#include "tests/lib/test.h"

struct expected {
        uint64_t done;
        uint64_t values;
        uint64_t errors;
};

/* The whole text at once, then in two pieces cut at every place, then byte by byte: it is all the same. */
static void expect(enum protocol protocol, const char *text, struct expected expected)
{
        const size_t len = strlen(text);
        struct replies r;

        for (size_t cut = 0; cut <= len; cut++) {
                uint64_t done;

                replies_init(&r, protocol, 5);
                done = replies_feed(&r, slice_of(text, cut));
                done += replies_feed(&r, slice_of(text + cut, len - cut));
                assert_false(r.damaged);
                assert_int_equal(done, expected.done);
                assert_int_equal(r.done, expected.done);
                assert_int_equal(r.values, expected.values);
                assert_int_equal(r.errors, expected.errors);
        }
        replies_init(&r, protocol, 5);
        for (size_t i = 0; i < len; i++)
                (void)replies_feed(&r, slice_of(text + i, 1));
        assert_int_equal(r.done, expected.done);
        assert_int_equal(r.values, expected.values);
}

static void resp_replies_are_counted(void **state)
{
        (void)state;
        expect(PROTOCOL_RESP, "$5\r\nhello\r\n$5\r\na\r\nbc\r\n", (struct expected){2, 2, 0});
        expect(PROTOCOL_RESP, "$-1\r\n_\r\n", (struct expected){2, 0, 0});
        expect(PROTOCOL_RESP, "+OK\r\n:12\r\n-ERR no\r\n", (struct expected){3, 0, 1});
        expect(PROTOCOL_RESP, "$5\r\nhel", (struct expected){0, 1, 0});
}

static void an_array_is_one_reply(void **state)
{
        (void)state;
        expect(PROTOCOL_RESP, "*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nworld\r\n+OK\r\n", (struct expected){2, 2, 0});
        expect(PROTOCOL_RESP, "*0\r\n*-1\r\n", (struct expected){2, 0, 0});
        expect(PROTOCOL_RESP, "*2\r\n*2\r\n:1\r\n:2\r\n%1\r\n$5\r\nhello\r\n*0\r\n", (struct expected){1, 1, 0});
        expect(PROTOCOL_RESP, "*2\r\n*1\r\n:1\r\n", (struct expected){0, 0, 0});
}

static void memcached_replies_are_counted(void **state)
{
        (void)state;
        expect(PROTOCOL_MEMCACHED, "VALUE key 0 5\r\nEND\r\n\r\nEND\r\n", (struct expected){1, 1, 0});
        expect(PROTOCOL_MEMCACHED, "END\r\nEND\r\nSTORED\r\n", (struct expected){3, 0, 0});
        expect(PROTOCOL_MEMCACHED, "VALUE a 0 5\r\nhello\r\nVALUE b 0 5\r\nworld\r\nEND\r\n",
                (struct expected){1, 2, 0});
        expect(PROTOCOL_MEMCACHED, "ERROR\r\nCLIENT_ERROR line\r\nSERVER_ERROR out of memory\r\n",
                (struct expected){3, 0, 3});
}

static void a_value_of_another_size_is_an_error(void **state)
{
        (void)state;
        expect(PROTOCOL_RESP, "$4\r\nhell\r\n", (struct expected){1, 0, 1});
        expect(PROTOCOL_MEMCACHED, "VALUE a 0 6\r\nhello!\r\nEND\r\n", (struct expected){1, 0, 1});
}

static void long_lines_are_cut(void **state)
{
        char text[1000] = "-ERR ";
        struct replies r;

        (void)state;
        memset(text + 5, 'x', sizeof(text) - 5);
        memcpy(text + sizeof(text) - 2, "\r\n", 2);
        replies_init(&r, PROTOCOL_RESP, 0);
        assert_int_equal(replies_feed(&r, slice_of(text, 500)), 0);
        assert_int_equal(replies_feed(&r, slice_of(text + 500, 500)), 1);
        assert_int_equal(r.errors, 1);
}

static void other_bytes_are_damage(void **state)
{
        static const struct {
                enum protocol protocol;
                const char *text;
        } cases[] = {
                {PROTOCOL_RESP, "hello\r\n"},
                {PROTOCOL_RESP, "$five\r\n"},
                {PROTOCOL_RESP, "\r\n"},
                {PROTOCOL_MEMCACHED, "$5\r\nhello\r\n"},
                {PROTOCOL_MEMCACHED, "VALUE a 0 x\r\n"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct replies r;

                replies_init(&r, cases[i].protocol, 0);
                assert_int_equal(replies_feed(&r, slice_str(cases[i].text)), 0);
                assert_true(r.damaged);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(resp_replies_are_counted),
                cmocka_unit_test(an_array_is_one_reply),
                cmocka_unit_test(memcached_replies_are_counted),
                cmocka_unit_test(a_value_of_another_size_is_an_error),
                cmocka_unit_test(long_lines_are_cut),
                cmocka_unit_test(other_bytes_are_damage),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
