#include "import/json_split.h"
#include "tests/lib/test.h"

#include "base/buf.h"

#include <stdio.h>

/* What was found, written down: "1:{} 3!json:{" is a value on line 1 and a broken one on line 3. */
static enum err note_value(void *context, struct slice text, uint64_t line)
{
        struct buf *notes = context;

        return buf_printf(notes, "%s%d:%.*s", buf_len(notes) > 0 ? " " : "", (int)line, SLICE_ARG(text));
}

static enum err note_broken(void *context, struct slice text, uint64_t line, enum reject_reason why)
{
        struct buf *notes = context;

        return buf_printf(
                notes, "%s%d!%s:%.*s", buf_len(notes) > 0 ? " " : "", (int)line, reject_word(why), SLICE_ARG(text));
}

static enum err split_in_pieces(struct slice text, size_t value_max, size_t piece, struct buf *notes)
{
        const struct json_split_sink sink = {.value = note_value, .broken = note_broken, .context = notes};
        struct json_split *split;
        enum err rc = json_split_create(&split, value_max, &sink);

        while (rc == OK && text.len > 0) {
                size_t len = text.len < piece ? text.len : piece;

                rc = json_split_feed(split, slice_of(text.data, len));
                text = slice_of(text.data + len, text.len - len);
        }
        if (rc == OK)
                rc = json_split_finish(split);
        json_split_destroy(&split);
        return rc;
}

/* Fed whole, in halves at every place, and byte by byte: always the same. */
static void expect_with_limit(struct slice text, size_t value_max, const char *expected)
{
        for (size_t piece = 1; piece <= text.len + 1; piece++) {
                struct buf notes;

                buf_init(&notes, 0);
                assert_ok(split_in_pieces(text, value_max, piece, &notes));
                assert_ok(buf_append(&notes, "", 1));
                assert_string_equal((const char *)buf_slice(&notes).data, expected);
                buf_deinit(&notes);
        }
}

static void expect(const char *text, const char *expected)
{
        expect_with_limit(slice_str(text), 1000, expected);
}

static void one_value_to_a_line(void **state)
{
        (void)state;
        expect("", "");
        expect("\n \r\n\t\n", "");
        expect("{\"a\":1}\n{\"b\":[{}]}\n", "1:{\"a\":1} 2:{\"b\":[{}]}");
        expect("{\"a\":1}\r\n\r\n{\"b\":2}", "1:{\"a\":1} 3:{\"b\":2}");
        expect("\xef\xbb\xbf{}\n\xef\xbb\xbf{}", "1:{} 2:{}"); /* files put together with cat */
        expect("{\"a\":\"}{\\\"][\\\\\"}\n{}", "1:{\"a\":\"}{\\\"][\\\\\"} 2:{}");
        expect("  {}  \n", "1:{}");
}

static void values_over_many_lines(void **state)
{
        (void)state;
        expect("{\n  \"a\": [\n    1,\n    {\n    }\n  ]\n}\n", "1:{\n  \"a\": [\n    1,\n    {\n    }\n  ]\n}");
        expect("{\n}\n{\n}", "1:{\n} 3:{\n}");
        expect("\n{\n\"a\":\n{\n}\n}{\n} {}\n", "2:{\n\"a\":\n{\n}\n} 6:{\n} 7:{}"); /* printed without indentation */
        expect("{}{}\t{} \n", "1:{} 1:{} 1:{}");
}

static void an_array_around_the_values(void **state)
{
        (void)state;
        expect("[]", "");
        expect("[{\"a\":1},{\"b\":[2]}]", "1:{\"a\":1} 1:{\"b\":[2]}");
        expect("[\n  {\n    \"a\": 1\n  },\n  {\n  }\n]\n", "2:{\n    \"a\": 1\n  } 5:{\n  }");
        expect("[\n{},\n{}\n]\n{}\n[{}]", "2:{} 3:{} 5:{} 6:{}");
        expect("[[{}],1, \"x\" ]{}", "1:[{}] 1:1 1:\"x\" 1:{}");
}

static void what_begins_no_value_is_given_out(void **state)
{
        (void)state;
        expect("oops\n{}\n}\n\"text\"\n", "1:oops 2:{} 3:} 4:\"text\"");
        expect("\xef\xbbx\n{}\n\xef", "1:\xef\xbbx 2:{} 3:\xef");
        expect("Id,NAME\n1,Ann\n", "1:Id,NAME 2:1,Ann");
}

/* One line of NDJSON is damaged: it costs no other one. */
static void a_broken_line_costs_no_other(void **state)
{
        static const char *const damaged[] = {"{\"a\":\"cut", "{\"a\":\"cut\\", "{\"a\":{\"b\":1}", "{\"a\":\"b\"",
                "{\"a\"", "{", "{\"a\":[{}", "{\"a\":1}}", "{\"a\":1},", "{\"a\":1}]", "{\"a\":1} x", "{\"a\" {}}"};

        (void)state;
        for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
                char text[128];
                char expected[128];

                (void)snprintf(text, sizeof(text), "{\"x\":1}\n%s\n{\"y\":2}\n{\"z\":3}\n", damaged[i]);
                (void)snprintf(expected, sizeof(expected), "1:{\"x\":1} 2!json:%s 3:{\"y\":2} 4:{\"z\":3}", damaged[i]);
                expect(text, expected);
        }
}
/* The same, where the next line could belong to the value: it takes the one after that to see that it does not. */
static void a_line_that_could_go_on_is_looked_at_again(void **state)
{
        (void)state;
        expect("{\"a\":\n{\"y\":2}\n{\"z\":3}\n", "1!json:{\"a\": 2:{\"y\":2} 3:{\"z\":3}");
        expect("{\"a\":[1,\n{\"y\":2}\n{\"z\":3}\n", "1!json:{\"a\":[1, 2:{\"y\":2} 3:{\"z\":3}");
        expect("{\"a\":1,\n{\"y\":2}", "1!json:{\"a\":1, 2:{\"y\":2}");
        expect("{\"a\":\n{\"b\":\n{\"c\":1", "1!json:{\"a\": 2!json:{\"b\": 3!json:{\"c\":1");
}

static void a_broken_document_is_one_fault(void **state)
{
        (void)state;
        expect("{\n  \"a\": \"no\nend\",\n  \"b\": {\n    \"c\": 1\n  }\n}\n{\n  \"d\": 1\n}\n",
                "1!json:{ 8:{\n  \"d\": 1\n}");
        expect("{\n  \"a\": 1\n", "1!json:{");
        expect("[\n  {\n    \"a\": \"\n  },\n  {\n    \"b\": 1\n  }\n]\n", "2!json:{ 5:{\n    \"b\": 1\n  }");
        expect("[\n  {}", "2:{} 1!json:");
        expect("[\n  {\"a\":\n]", "2!json:{\"a\":");
}

static void an_array_that_does_not_end_is_reported(void **state)
{
        (void)state;
        expect("\n[{},", "2:{} 2!json:");
        expect("[", "1!json:");
}

static void no_value_longer_than_the_limit(void **state)
{
        (void)state;
        expect_with_limit(slice_str("{\"a\":12}\n{\"a\":123}\n{}"), 8, "1:{\"a\":12} 2!too-long: 3:{}");
        expect_with_limit(slice_str("{\"a\":\"123456789\n{\"b\":2}"), 8, "1!too-long: 2:{\"b\":2}");
        expect_with_limit(slice_str("nonsense, much of it\n{\"b\":2}"), 8, "1!too-long: 2:{\"b\":2}");
        expect_with_limit(slice_str("{\n \"a\": 1,\n \"b\": 2\n}\n{}"), 8, "1!too-long:{ 5:{}");
        expect_with_limit(slice_str("               \n         {}            "), 8, "2:{}");
        expect_with_limit(slice_str("{}}           \n{}"), 8, "1!too-long: 2:{}");
}

static void no_deeper_than_values_may_be(void **state)
{
        char text[400] = "";
        char expected[400];

        (void)state;
        for (int i = 0; i < 64; i++)
                memcpy(text + 5 * i, "{\"a\":", 5);
        assert_int_equal(strlen(text), 320);
        (void)snprintf(text + 320, sizeof(text) - 320, "1%.64s\n{}",
                "}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}");
        (void)snprintf(expected, sizeof(expected), "1:%.385s 2:{}", text);
        expect(text, expected);
        (void)snprintf(text + 320, sizeof(text) - 320, "[]}}}\n{}");
        expect(text, "1!too-deep: 2:{}");
}

static void every_byte_may_come(void **state)
{
        static const char zero[] = "{\"a\0\":\0}\n\0\n{}";
        struct buf notes;

        (void)state;
        buf_init(&notes, 0);
        assert_ok(split_in_pieces(slice_of(zero, sizeof(zero) - 1), 1000, 1, &notes));
        assert_slice_is(buf_slice(&notes), "1:{\"a 2: 3:{}"); /* printed to the NUL */
        buf_deinit(&notes);
}

static enum err stop(void *context, struct slice text, uint64_t line)
{
        (void)context;
        (void)text;
        (void)line;
        return ERR_UNAVAILABLE;
}

static void a_sink_that_fails_ends_the_reading(void **state)
{
        const struct json_split_sink sink = {.value = stop, .broken = note_broken, .context = NULL};
        struct json_split *split;

        (void)state;
        assert_ok(json_split_create(&split, 100, &sink));
        assert_err(ERR_UNAVAILABLE, json_split_feed(split, slice_str("{}\n{}\n")));
        json_split_destroy(&split);
        json_split_destroy(&split);
}

static enum err pass_value(void *context, struct slice text, uint64_t line)
{
        (void)context;
        (void)text;
        (void)line;
        return OK;
}

static enum err split_all(void *context)
{
        const struct json_split_sink sink = {.value = pass_value, .broken = note_broken, .context = NULL};
        struct json_split *split;
        enum err rc = json_split_create(&split, 100, &sink);

        (void)context;
        if (rc == OK)
                rc = json_split_feed(split, slice_str("{\"a\":"));
        if (rc == OK)
                rc = json_split_feed(split, slice_str("1}\n{}"));
        if (rc == OK)
                rc = json_split_finish(split);
        json_split_destroy(&split);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(split_all, NULL);
}

/* A value that opens more and more, over many lines: the time must not grow with the square of its length. */
static void many_open_lines_are_no_trap(void **state)
{
        const struct json_split_sink sink = {.value = stop, .broken = note_broken};
        struct json_split_sink counting = sink;
        struct json_split *split;
        struct buf notes;

        (void)state;
        buf_init(&notes, 0);
        counting.context = &notes;
        assert_ok(json_split_create(&split, 1 << 22, &counting));
        for (int i = 0; i < 20000; i++)
                assert_ok(json_split_feed(split, slice_str("{\"a\":\n")));
        assert_ok(json_split_finish(split));
        json_split_destroy(&split);
        assert_true(buf_len(&notes) > 20000);
        buf_deinit(&notes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_value_to_a_line),
                cmocka_unit_test(values_over_many_lines),
                cmocka_unit_test(an_array_around_the_values),
                cmocka_unit_test(what_begins_no_value_is_given_out),
                cmocka_unit_test(a_broken_line_costs_no_other),
                cmocka_unit_test(a_line_that_could_go_on_is_looked_at_again),
                cmocka_unit_test(a_broken_document_is_one_fault),
                cmocka_unit_test(an_array_that_does_not_end_is_reported),
                cmocka_unit_test(no_value_longer_than_the_limit),
                cmocka_unit_test(no_deeper_than_values_may_be),
                cmocka_unit_test(every_byte_may_come),
                cmocka_unit_test(a_sink_that_fails_ends_the_reading),
                cmocka_unit_test(survives_each_failed_allocation),
                cmocka_unit_test(many_open_lines_are_no_trap),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
