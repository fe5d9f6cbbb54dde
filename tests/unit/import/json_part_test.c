#include "import/json_part.h"
#include "tests/lib/values.h"

static const struct value_json_rules RULES = {.limits = VALUE_LIMITS_DEFAULT};

/* A document in both forms; `value` holds the msgpack. */
static struct json_part read_part(struct buf *value, const char *json)
{
        struct value_json_fault fault;

        buf_init(value, 0);
        assert_ok(value_from_json_text(slice_str(json), &RULES, value, &fault));
        return (struct json_part){.value = buf_slice(value), .text = slice_str(json)};
}

static void members_have_both_forms(void **state)
{
        struct buf value;
        const struct json_part part = read_part(
                &value, " { \"a\" : 1.50 ,\"b\\u0022}\":[ {\"x\":\"]\\\\\"}, 2 ]\n,\"c\":{} , \"d\" : \"\\\"\" } ");
        struct json_part_iter iter;
        struct json_part member;
        struct json_part item;
        struct slice name;

        (void)state;
        assert_true(json_part_iter_init(&iter, &part, VALUE_MAP));
        assert_true(json_part_next_member(&iter, &name, &member));
        assert_slice_is(name, "a");
        assert_slice_is(member.text, "1.50 ");
        assert_value_is(member.value, "1.5");
        assert_true(json_part_next_member(&iter, &name, &member));
        assert_slice_is(name, "b\"}");
        assert_slice_is(member.text, "[ {\"x\":\"]\\\\\"}, 2 ]\n");
        assert_value_is(member.value, "[{\"x\":\"]\\\\\"},2]");
        assert_true(json_part_next_member(&iter, &name, &item));
        assert_slice_is(item.text, "{} ");
        assert_true(json_part_next_member(&iter, &name, &item));
        assert_slice_is(item.text, "\"\\\"\" ");
        assert_false(json_part_next_member(&iter, &name, &item));
        assert_true(json_part_iter_init(&iter, &member, VALUE_LIST));
        assert_true(json_part_next(&iter, &item));
        assert_slice_is(item.text, "{\"x\":\"]\\\\\"}");
        assert_true(json_part_next(&iter, &item));
        assert_slice_is(item.text, "2 ");
        assert_value_is(item.value, "2");
        assert_false(json_part_next(&iter, &item));
        buf_deinit(&value);
}

static void a_member_is_found_by_its_name(void **state)
{
        struct buf value;
        const struct json_part part = read_part(&value, "{\"x\":{\"resource\":1},\"resou\\u0072ce\": {\"y\":[]}}");
        struct json_part member;
        struct json_part other;

        (void)state;
        assert_true(json_part_member(&part, "resource", &member)); /* however it is spelled */
        assert_slice_is(member.text, "{\"y\":[]}");
        assert_true(json_part_member(&member, "y", &member));
        assert_slice_is(member.text, "[]");
        assert_false(json_part_member(&member, "y", &other)); /* an array has none */
        assert_false(json_part_member(&part, "y", &other));
        buf_deinit(&value);
}

static void empty_ones_have_nothing(void **state)
{
        struct buf value;
        struct json_part part = read_part(&value, "[ ]");
        struct json_part_iter iter;

        (void)state;
        assert_false(json_part_iter_init(&iter, &part, VALUE_MAP));
        assert_true(json_part_iter_init(&iter, &part, VALUE_LIST));
        assert_false(json_part_next(&iter, &part));
        buf_deinit(&value);
}

/* A caller's mistake: text that is not the value's. */
static void forms_that_do_not_fit_are_refused(void **state)
{
        static const char *const texts[] = {"", "[", "[1", "[\"1", "[\"1\\", "[1,", "{\"a\"", "{\"a\":", "{\"a"};
        struct buf list;
        struct buf map;
        const struct slice two = read_part(&list, "[1,2]").value;
        const struct slice one = read_part(&map, "{\"a\":1,\"b\":2}").value;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                const struct json_part bad_list = {.value = two, .text = slice_str(texts[i])};
                const struct json_part bad_map = {.value = one, .text = slice_str(texts[i])};
                struct json_part_iter iter;
                struct json_part item;
                unsigned found = 0;

                if (json_part_iter_init(&iter, &bad_list, VALUE_LIST))
                        while (json_part_next(&iter, &item))
                                found++;
                assert_true(found < 2);
                assert_false(json_part_member(&bad_map, "b", &item));
        }
        buf_deinit(&map);
        buf_deinit(&list);
}

static void compact(const char *json, const char *expected)
{
        struct buf out;

        buf_init(&out, 0);
        assert_ok(json_part_compact(slice_str(json), &out));
        assert_slice_is(buf_slice(&out), expected);
        buf_deinit(&out);
}

static void only_space_between_tokens_goes(void **state)
{
        (void)state;
        compact("", "");
        compact("{\"a\":[1,2]}", "{\"a\":[1,2]}");
        compact(" {\r\n\t\"a b\" : [ 1.0 , -2E+5 , \"\\u00e9 \\\" x\" ,null ] } \n",
                "{\"a b\":[1.0,-2E+5,\"\\u00e9 \\\" x\",null]}");
        compact("\"  \\\\\"  ", "\"  \\\\\"");
        compact(" \"open ", "\"open ");
}

static enum err compact_it(void *context)
{
        struct buf out;
        enum err rc;

        (void)context;
        buf_init(&out, 0);
        rc = json_part_compact(slice_str("[ 1 , 2 ]"), &out);
        assert_true(rc == OK || buf_len(&out) == 0);
        buf_deinit(&out);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(compact_it, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(members_have_both_forms),
                cmocka_unit_test(a_member_is_found_by_its_name),
                cmocka_unit_test(empty_ones_have_nothing),
                cmocka_unit_test(forms_that_do_not_fit_are_refused),
                cmocka_unit_test(only_space_between_tokens_goes),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
