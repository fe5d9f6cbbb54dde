#include "net/resp_parse.h"

#include "base/mem.h"
#include "tests/lib/test.h"

#include <stdio.h>

static const struct resp_limits LIMITS = {.elements = 1024, .bulk = 1 << 20, .inline_line = 1024, .frame = 4 << 20};

struct seen {
        char text[4096]; /* arguments as "[a][b]", frames separated by ';' */
        enum err code;
        struct err_msg message;
};

static void note_frame(struct seen *seen, const struct resp_frame *frame)
{
        for (size_t i = 0; i < frame->argc; i++) {
                size_t used = strlen(seen->text);

                (void)snprintf(seen->text + used, sizeof(seen->text) - used, "[%.*s]", SLICE_ARG(frame->argv[i]));
        }
        (void)strncat(seen->text, ";", sizeof(seen->text) - strlen(seen->text) - 1);
}

/* Feeds `bytes` in pieces of `step`; each piece lies in a block of its own, so that reading past it is seen. */
static void feed(struct slice bytes, size_t step, struct seen *seen)
{
        struct resp_parser parser;
        size_t start = 0;
        size_t end = 0;
        enum resp_status status = RESP_NEED_MORE;

        memset(seen, 0, sizeof(*seen));
        resp_parser_init(&parser, &LIMITS);
        while (status != RESP_BAD && (end < bytes.len || status != RESP_NEED_MORE)) {
                struct resp_frame frame;
                uint8_t *copy;

                if (status == RESP_NEED_MORE)
                        end = end + step < bytes.len ? end + step : bytes.len;
                copy = vc_memdup(bytes.data + start, end - start);
                assert_non_null(copy);
                status = resp_next_frame(&parser, slice_of(copy, end - start), &frame, &seen->code, &seen->message);
                if (status == RESP_FRAME)
                        note_frame(seen, &frame);
                if (status == RESP_FRAME || status == RESP_NOTHING)
                        start += frame.consumed;
                vc_free(copy);
        }
        resp_parser_deinit(&parser);
}

static void expect(struct slice bytes, const char *text, enum err code)
{
        static const size_t steps[] = {SIZE_MAX / 4, 1, 2, 3, 7, 64};

        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                struct seen seen;

                feed(bytes, steps[i], &seen);
                assert_string_equal(seen.text, text);
                assert_string_equal(err_name(seen.code), err_name(code));
                if (code != OK)
                        assert_true(seen.message.text[0] != '\0');
        }
}

#define EXPECT(bytes, text) expect(slice_of(bytes, sizeof(bytes) - 1), text, OK)
#define REFUSE(bytes, code) expect(slice_of(bytes, sizeof(bytes) - 1), "", code)

static void arrays_whole_or_in_pieces(void **state)
{
        (void)state;
        EXPECT("*1\r\n$4\r\nPING\r\n", "[PING];");
        EXPECT("*2\r\n$3\r\nGET\r\n$12\r\nallergies:42\r\n*1\r\n$4\r\nPING\r\n", "[GET][allergies:42];[PING];");
        EXPECT("*2\r\n$0\r\n\r\n$1\r\nx\r\n", "[][x];");
        EXPECT("*2\r\n$4\r\na\r\nb\r\n$2\r\n\r\n\r\n", "[a\r\nb][\r\n];");
        EXPECT("*0\r\n*-1\r\n\r\n*1\r\n$1\r\nx\r\n", "[x];");
}

static void incomplete_frames_wait(void **state)
{
        (void)state;
        EXPECT("*", "");
        EXPECT("*2\r", "");
        EXPECT("*2\r\n$3\r\nGET\r\n$12\r\nallergies", "");
        EXPECT("*1\r\n$1\r\nx\r", "");
        EXPECT("PING", "");
}

static void inline_lines_with_quotes(void **state)
{
        (void)state;
        EXPECT("PING\r\n", "[PING];");
        EXPECT("  GET \t student:1  \nPING\n", "[GET][student:1];[PING];");
        EXPECT("\r\n\n   \r\nPING\r\n", "[PING];");
        EXPECT("PUT k \"a b\\n\\x41\\\"\" ''\r\n", "[PUT][k][a b\nA\"][];");
        EXPECT("E 'it\\'s' '\\n' \"\\xZZ\"\n", "[E][it's][\\n][xZZ];");
        EXPECT("a\"b c\"\n", "[ab c];");
}

static void unbalanced_quotes_are_refused(void **state)
{
        (void)state;
        REFUSE("GET \"abc\r\n", ERR_PROTOCOL);
        REFUSE("GET 'abc\r\n", ERR_PROTOCOL);
        REFUSE("GET \"abc\"d\r\n", ERR_PROTOCOL);
        REFUSE("GET 'abc'd\r\n", ERR_PROTOCOL);
        REFUSE("GET \"abc\\\r\n", ERR_PROTOCOL);
}

static void malformed_lengths_are_refused(void **state)
{
        (void)state;
        REFUSE("*-2\r\n", ERR_PROTOCOL);
        REFUSE("*+1\r\n", ERR_PROTOCOL);
        REFUSE("*01\r\n", ERR_PROTOCOL);
        REFUSE("* 1\r\n", ERR_PROTOCOL);
        REFUSE("*\r\n", ERR_PROTOCOL);
        REFUSE("*1\n$4\nPING\n", ERR_PROTOCOL);
        REFUSE("*9223372036854775808\r\n", ERR_PROTOCOL);
        REFUSE("*18446744073709551617\r\n", ERR_PROTOCOL);
        REFUSE("*1\r\n$-1\r\n", ERR_PROTOCOL);
        REFUSE("*1\r\n$x\r\n", ERR_PROTOCOL);
        REFUSE("*1\r\n$9223372036854775808\r\n", ERR_PROTOCOL);
        REFUSE("*1\r\n$18446744073709551615\r\n", ERR_PROTOCOL);
        REFUSE("*1111111111111111111111111111111111111111", ERR_PROTOCOL);
        REFUSE("*1\r\n$1111111111111111111111111111111111111111", ERR_PROTOCOL);
        REFUSE("*1\r\n$4\r\nPINGPONG\r\n", ERR_PROTOCOL);
}

static void only_flat_arrays_of_bulk_strings(void **state)
{
        (void)state;
        REFUSE("*1\r\n*1\r\n$4\r\nPING\r\n", ERR_PROTOCOL);
        REFUSE("*1\r\n:5\r\n", ERR_PROTOCOL);
        REFUSE("*2\r\n$3\r\nGET\r\n+x\r\n", ERR_PROTOCOL);
}

static void limits_hold_before_any_memory_is_taken(void **state)
{
        (void)state;
        REFUSE("*1025\r\n", ERR_LIMIT);
        REFUSE("*9223372036854775807\r\n", ERR_LIMIT);
        REFUSE("*1\r\n$1048577\r\n", ERR_LIMIT);
        REFUSE("*1\r\n$9223372036854775807\r\n", ERR_LIMIT);
}

static void a_request_is_bounded_as_a_whole(void **state)
{
        static const struct resp_limits small = {.elements = 10, .bulk = 100, .inline_line = 20, .frame = 50};
        struct resp_parser parser;
        struct resp_frame frame;
        struct err_msg message;
        enum err code = OK;

        (void)state;
        resp_parser_init(&parser, &small);
        assert_int_equal(resp_next_frame(&parser, slice_str("*2\r\n$30\r\n123456789012345678901234567890\r\n$30\r\n"),
                                 &frame, &code, &message),
                RESP_BAD);
        assert_err(ERR_LIMIT, code);
        resp_parser_deinit(&parser);
        assert_int_equal(
                resp_next_frame(&parser, slice_str("PING 6789 1234 6789 1"), &frame, &code, &message), RESP_BAD);
        assert_err(ERR_LIMIT, code);
        resp_parser_deinit(&parser);
}

static void a_header_alone_reserves_nothing(void **state)
{
        static const struct resp_limits wide = {
                .elements = UINT32_MAX, .bulk = 1 << 30, .inline_line = 1, .frame = 1 << 30};
        struct resp_parser parser;
        struct resp_frame frame;
        struct err_msg message;
        enum err code = OK;

        (void)state;
        resp_parser_init(&parser, &wide);
        assert_int_equal(resp_next_frame(&parser, slice_str("*4294967295\r\n$1\r\nx\r\n$1000000000\r\n"), &frame, &code,
                                 &message),
                RESP_NEED_MORE);
        assert_true(parser.capacity <= 16);
        resp_parser_deinit(&parser);
}

static enum err parse_many(void *context)
{
        struct resp_parser parser;
        struct resp_frame frame;
        struct err_msg message;
        enum err code = OK;

        resp_parser_init(&parser, &LIMITS);
        if (resp_next_frame(&parser, slice_str(context), &frame, &code, &message) == RESP_FRAME)
                code = OK;
        resp_parser_deinit(&parser);
        return code;
}

static void survives_each_failed_allocation(void **state)
{
        struct buf wide;

        (void)state;
        buf_init(&wide, 0);
        assert_ok(buf_append_str(&wide, "*40\r\n"));
        for (int i = 0; i < 40; i++)
                assert_ok(buf_append_str(&wide, "$1\r\nx\r\n"));
        assert_ok(buf_append(&wide, "", 1));
        each_allocation_fails(parse_many, wide.data);
        buf_deinit(&wide);
        each_allocation_fails(parse_many, (char[]){"a b c d e f g h i j k l m n o p q r s t u v w x y z\r\n"});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arrays_whole_or_in_pieces),
                cmocka_unit_test(incomplete_frames_wait),
                cmocka_unit_test(inline_lines_with_quotes),
                cmocka_unit_test(unbalanced_quotes_are_refused),
                cmocka_unit_test(malformed_lengths_are_refused),
                cmocka_unit_test(only_flat_arrays_of_bulk_strings),
                cmocka_unit_test(limits_hold_before_any_memory_is_taken),
                cmocka_unit_test(a_request_is_bounded_as_a_whole),
                cmocka_unit_test(a_header_alone_reserves_nothing),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
