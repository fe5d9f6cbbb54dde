#include "net/resp_write.h"

#include "tests/lib/test.h"

static void write_one_of_each(struct resp_writer *w)
{
        resp_simple(w, "OK");
        resp_int(w, INT64_MIN);
        resp_int(w, 0);
        resp_bulk_str(w, "");
        resp_bulk_printf(w, "%d-%s", 4, "x");
        resp_nil(w);
        resp_bool(w, true);
        resp_bool(w, false);
        resp_double(w, 0.5);
        resp_text(w, slice_str("hi"));
        resp_array(w, 2);
        resp_map(w, 2);
        resp_set(w, 1);
        resp_push(w, 3);
}

static void protocol_2(void **state)
{
        struct buf out;
        struct resp_writer w;

        (void)state;
        buf_init(&out, 0);
        w = resp_writer_of(&out, 2);
        write_one_of_each(&w);
        assert_ok(w.failed);
        assert_slice_is(buf_slice(&out), "+OK\r\n:-9223372036854775808\r\n:0\r\n$0\r\n\r\n$3\r\n4-x\r\n$-1\r\n:1\r\n:"
                                         "0\r\n$3\r\n0.5\r\n$2\r\nhi\r\n"
                                         "*2\r\n*4\r\n*1\r\n*3\r\n");
        buf_deinit(&out);
}

static void protocol_3(void **state)
{
        struct buf out;
        struct resp_writer w;

        (void)state;
        buf_init(&out, 0);
        w = resp_writer_of(&out, 3);
        write_one_of_each(&w);
        assert_ok(w.failed);
        assert_slice_is(buf_slice(&out),
                "+OK\r\n:-9223372036854775808\r\n:0\r\n$0\r\n\r\n$3\r\n4-x\r\n_\r\n#t\r\n#f\r\n,0.5\r\n=6\r\ntxt:hi\r\n"
                "*2\r\n%2\r\n~1\r\n>3\r\n");
        buf_deinit(&out);
}

static void errors_are_one_visible_line(void **state)
{
        struct buf out;
        struct resp_writer w;
        char long_text[3000];

        (void)state;
        buf_init(&out, 0);
        w = resp_writer_of(&out, 2);
        resp_error(&w, ERR_BADKEY, "no\r\n+OK\x1b[2J\x7f caf\xc3\xa9");
        assert_slice_is(buf_slice(&out), "-BADKEY no\\x0d\\x0a+OK\\x1b[2J\\x7f caf\xc3\xa9\r\n");
        buf_consume(&out, buf_len(&out));
        memset(long_text, '\x01', sizeof(long_text));
        long_text[sizeof(long_text) - 1] = '\0';
        resp_error(&w, ERR_BADKEY, long_text);
        assert_ok(w.failed);
        assert_true(buf_len(&out) < 450);
        buf_deinit(&out);
}

static void keeps_its_first_failure_until_rewound(void **state)
{
        struct buf out;
        struct resp_writer w;

        (void)state;
        buf_init(&out, 20);
        w = resp_writer_of(&out, 2);
        resp_simple(&w, "OK");
        resp_bulk_str(&w, "much too long for this buffer");
        resp_simple(&w, "OK");
        assert_err(ERR_LIMIT, w.failed);
        resp_rewind(&w, 5);
        assert_ok(w.failed);
        resp_int(&w, 7);
        assert_slice_is(buf_slice(&out), "+OK\r\n:7\r\n");
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(protocol_2),
                cmocka_unit_test(protocol_3),
                cmocka_unit_test(errors_are_one_visible_line),
                cmocka_unit_test(keeps_its_first_failure_until_rewound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
