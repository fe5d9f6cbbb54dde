#include "database/value.h"
#include "tests/lib/test.h"

#include <stdio.h>

static const struct value_limits LIMITS = VALUE_LIMITS_DEFAULT;

static enum err check(const char *bytes, size_t len, struct err_msg *msg)
{
        return value_check(slice_of(bytes, len), &LIMITS, msg);
}

#define CHECK(literal, msg) check(literal, sizeof(literal) - 1, msg)

static void accepts_every_form_of_the_model(void **state)
{
        (void)state;
        assert_ok(CHECK("\xc0", NULL));
        assert_ok(CHECK("\xc2", NULL));
        assert_ok(CHECK("\x7f", NULL));
        assert_ok(CHECK("\xe0", NULL));
        assert_ok(CHECK("\xcc\xff", NULL));
        assert_ok(CHECK("\xcd\xff\xff", NULL));
        assert_ok(CHECK("\xce\xff\xff\xff\xff", NULL));
        assert_ok(CHECK("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", NULL));
        assert_ok(CHECK("\xd0\x80", NULL));
        assert_ok(CHECK("\xd1\x80\x00", NULL));
        assert_ok(CHECK("\xd2\x80\x00\x00\x00", NULL));
        assert_ok(CHECK("\xd3\x80\x00\x00\x00\x00\x00\x00\x00", NULL));
        assert_ok(CHECK("\xca\x3f\x80\x00\x00", NULL));
        assert_ok(CHECK("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", NULL));
        assert_ok(CHECK("\xa2hi", NULL));
        assert_ok(CHECK("\xd9\x02hi", NULL));
        assert_ok(CHECK("\xda\x00\x02hi", NULL));
        assert_ok(CHECK("\xdb\x00\x00\x00\x02hi", NULL));
        assert_ok(CHECK("\x92\x01\x02", NULL));
        assert_ok(CHECK("\xdc\x00\x02\x01\x02", NULL));
        assert_ok(CHECK("\xdd\x00\x00\x00\x01\x01", NULL));
        assert_ok(CHECK("\x82\xa1"
                        "a\x01\xa1"
                        "b\x02",
                NULL));
        assert_ok(CHECK("\xde\x00\x01\xa1"
                        "a\x01",
                NULL));
        assert_ok(CHECK("\xdf\x00\x00\x00\x01\xa1"
                        "a\x01",
                NULL));
}

static void refuses_what_json_could_not_say(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
                const char *text;
        } cases[] = {
                {"", 0, "msgpack at byte 0: the value ends early"},
                {"\xc1", 1, "msgpack at byte 0: 0xc1 begins no value"},
                {"\x91\xc4\x01x", 4, "msgpack at byte 1: binary is not supported; text is"},
                {"\xd6\xff\0\0\0\0", 6,
                        "msgpack at byte 0: extension types (timestamps among them) are not supported; text is"},
                {"\xcf\x80\0\0\0\0\0\0\0", 9, "msgpack at byte 0: the integer is larger than 9223372036854775807"},
                {"\xcb\x7f\xf0\0\0\0\0\0\0", 9, "msgpack at byte 0: NaN and infinity are not supported"},
                {"\xca\x7f\xc0\0\0", 5, "msgpack at byte 0: NaN and infinity are not supported"},
                {"\x81\x01\x02", 3, "msgpack at byte 1: a member's name must be text"},
                {"\x81\xa1\xff\x02", 4, "msgpack at byte 1: the member's name is not valid UTF-8"},
                {"\x81\xa1\0\x02", 4, "msgpack at byte 1: the member's name has a NUL in it"},
                {"\xa2\xc3\x28", 3, "msgpack at byte 0: the text is not valid UTF-8"},
                {"\x82\xa1"
                 "a\x01\xa1"
                 "a\x02",
                        7, "msgpack at byte 5: the member has the same name as another one"},
                {"\x01\x02", 2, "msgpack at byte 1: there are bytes after the value"},
                {"\xdd\xff\xff\xff\xff\x01", 6, "msgpack at byte 6: the value ends early"},
                {"\xdb\xff\xff\xff\xff"
                 "abc",
                        8, "msgpack at byte 0: the value ends early"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct err_msg msg;

                assert_err(ERR_BADVALUE, check(cases[i].bytes, cases[i].len, &msg));
                assert_string_equal(msg.text, cases[i].text);
        }
}

static void every_cut_is_refused(void **state)
{
        const char whole[] = "\x83\xa1"
                             "a\xcd\x01\x02\xa1"
                             "b\x92\xcb\x3f\xf0\0\0\0\0\0\0\xd9\x02hi\xa1"
                             "c\x81\xa1"
                             "d\xc0";
        struct slice item;

        (void)state;
        assert_ok(check(whole, sizeof(whole) - 1, NULL));
        for (size_t len = 0; len < sizeof(whole) - 1; len++) {
                struct cursor c = cursor_of(slice_of(whole, len));

                assert_err(ERR_BADVALUE, check(whole, len, NULL));
                assert_false(value_take(&c, &item));
                assert_int_equal(cursor_left(&c), len);
        }
}

static void holds_its_limits(void **state)
{
        const struct value_limits tight = {.bytes = 8, .depth = 2, .elements = 4};
        struct err_msg msg;

        (void)state;
        assert_ok(value_check(slice_str("\x91\x91\x01"), &tight, NULL));
        assert_err(ERR_LIMIT, value_check(slice_str("\x91\x91\x91\x01"), &tight, &msg));
        assert_string_equal(msg.text, "msgpack at byte 2: nested deeper than 2");
        assert_ok(value_check(slice_str("\x93\x01\x01\x01"), &tight, NULL));
        assert_err(ERR_LIMIT, value_check(slice_str("\x94\x01\x01\x01\x01"), &tight, &msg));
        assert_string_equal(msg.text, "the value has more than 4 items");
        assert_err(ERR_LIMIT, value_check(slice_str("\xa8"
                                                    "12345678"),
                                      &tight, &msg));
        assert_string_equal(msg.text, "the value has 9 bytes; at most 8 are allowed");
}

static void build_wide_map(struct buf *b, unsigned count, unsigned last)
{
        assert_ok(value_put_map(b, count));
        for (unsigned i = 0; i < count; i++) {
                char key[16];

                (void)snprintf(key, sizeof(key), "k%u", i + 1 == count ? last : i);
                assert_ok(value_put_str(b, key));
                assert_ok(value_put_int(b, i));
        }
}

static void finds_twins_among_many_members(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 0);
        build_wide_map(&b, 1000, 1000);
        assert_ok(value_check(buf_slice(&b), &LIMITS, NULL));
        buf_truncate(&b, 0);
        build_wide_map(&b, 1000, 517);
        assert_err(ERR_BADVALUE, value_check(buf_slice(&b), &LIMITS, NULL));
        buf_deinit(&b);
}

static enum err build_all(struct buf *b)
{
        size_t mark;
        enum err rc = value_put_map(b, 6);

        rc = rc == OK ? value_put_member(b, "name", slice_str("Ana")) : rc;
        rc = rc == OK ? value_put_str(b, "age") : rc;
        rc = rc == OK ? value_put_int(b, -70000) : rc;
        rc = rc == OK ? value_put_str(b, "ok") : rc;
        rc = rc == OK ? value_put_bool(b, true) : rc;
        rc = rc == OK ? value_put_str(b, "none") : rc;
        rc = rc == OK ? value_put_nil(b) : rc;
        rc = rc == OK ? value_put_str(b, "half") : rc;
        rc = rc == OK ? value_put_float(b, 0.5) : rc;
        rc = rc == OK ? value_put_str(b, "list") : rc;
        rc = rc == OK ? value_open_list(b, &mark) : rc;
        rc = rc == OK ? value_put_int(b, 1) : rc;
        rc = rc == OK ? value_put_int(b, 2) : rc;
        if (rc == OK)
                value_close(b, mark, 2);
        return rc;
}

static void reads_back_what_it_builds(void **state)
{
        struct buf b;
        struct slice text;
        struct slice item;
        struct value v;
        struct value_iter iter;

        (void)state;
        buf_init(&b, 0);
        assert_ok(buf_append_str(&b, "consumed"));
        buf_consume(&b, 4);
        assert_ok(build_all(&b));
        buf_consume(&b, 4);
        assert_ok(value_check(buf_slice(&b), &LIMITS, NULL));
        assert_true(value_member_text(buf_slice(&b), "name", &text));
        assert_slice_is(text, "Ana");
        assert_true(value_member(buf_slice(&b), "age", &item) && value_of(item, &v));
        assert_int_equal(v.as.integer, -70000);
        assert_true(value_member(buf_slice(&b), "half", &item) && value_of(item, &v));
        assert_true(v.kind == VALUE_FLOAT && v.as.real >= 0.5 && v.as.real <= 0.5);
        assert_true(value_member(buf_slice(&b), "none", &item) && value_of(item, &v));
        assert_int_equal(v.kind, VALUE_NIL);
        assert_false(value_member(buf_slice(&b), "nam", &item));
        assert_false(value_member_text(buf_slice(&b), "ok", &text));
        assert_true(value_member(buf_slice(&b), "list", &item));
        assert_true(value_iter_init(&iter, item, VALUE_LIST));
        assert_false(value_iter_init(&(struct value_iter){0}, item, VALUE_MAP));
        assert_true(value_next(&iter, &item) && value_next(&iter, &item));
        assert_true(value_of(item, &v) && v.as.integer == 2);
        assert_false(value_next(&iter, &item));
        buf_deinit(&b);
}

static void signs_and_edges_of_integers_survive(void **state)
{
        static const int64_t edges[] = {0, 127, 128, -1, -32, -33, -128, -129, 255, 256, 32767, 32768, -32768, -32769,
                65535, 65536, INT32_MAX, INT32_MIN, (int64_t)INT32_MIN - 1, UINT32_MAX, (int64_t)UINT32_MAX + 1,
                INT64_MAX, INT64_MIN};

        (void)state;
        for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
                struct buf b;
                struct value v;

                buf_init(&b, 0);
                assert_ok(value_put_int(&b, edges[i]));
                assert_ok(value_check(buf_slice(&b), &LIMITS, NULL));
                assert_true(value_of(buf_slice(&b), &v) && v.kind == VALUE_INT && v.as.integer == edges[i]);
                buf_deinit(&b);
        }
}

static void canonical_copies_are_equal_for_equal_values(void **state)
{
        const char wide[] = "\xdf\0\0\0\x02\xd9\x01"
                            "a\xd3\0\0\0\0\0\0\0\x05\xda\0\x01"
                            "b\xdd\0\0\0\x01\xca\x3f\x80\0\0";
        const char tight[] = "\x82\xa1"
                             "a\x05\xa1"
                             "b\x91\xcb\x3f\xf0\0\0\0\0\0\0";
        struct buf b;

        (void)state;
        buf_init(&b, 0);
        assert_ok(value_put_canonical(&b, slice_of(wide, sizeof(wide) - 1)));
        assert_true(slice_equal(buf_slice(&b), slice_of(tight, sizeof(tight) - 1)));
        assert_err(ERR_CORRUPT, value_put_canonical(&b, slice_str("\x92\x01")));
        assert_err(ERR_CORRUPT, value_put_canonical(&b, slice_str("\x01\x01")));
        buf_deinit(&b);
}

/* An integer, text, list or map head of the form `form`, with `n` in `width` bytes behind it, and so many zero bytes or
 * nils as it promises. */
static void put_form(struct buf *b, uint8_t form, unsigned width, uint64_t n)
{
        size_t content = form == 0xd9 || form == 0xda || form == 0xdb ? n
                         : form == 0xdc || form == 0xdd               ? n
                         : form == 0xde || form == 0xdf               ? 2 * n
                                                                      : 0;

        buf_truncate(b, 0);
        assert_ok(buf_append(b, &form, 1));
        for (unsigned i = width; i-- > 0;) {
                uint8_t byte = (uint8_t)(n >> (8 * i));

                assert_ok(buf_append(b, &byte, 1));
        }
        for (size_t i = 0; i < content; i++)
                assert_ok(buf_append(b, form <= 0xdb ? "" : "\xa0", 1));
}

/* Canonical is what a canonical copy would not change: for each form of head at each edge of the shorter ones. */
static void canonical_values_are_known_as_such(void **state)
{
        static const struct {
                uint8_t form;
                unsigned width;
        } forms[] = {{0xcc, 1}, {0xcd, 2}, {0xce, 4}, {0xcf, 8}, {0xd0, 1}, {0xd1, 2}, {0xd2, 4}, {0xd3, 8}, {0xd9, 1},
                {0xda, 2}, {0xdb, 4}, {0xdc, 2}, {0xdd, 4}, {0xde, 2}, {0xdf, 4}, {0xca, 4}, {0xcb, 8}};
        static const uint64_t edges[] = {0, 15, 16, 31, 32, 127, 128, 224, 255, 256, 32767, 32768, 65408, 65503, 65535,
                65536, UINT64_C(0x7fffffff), UINT64_C(0x80000000), UINT64_C(0xffff7fff), UINT64_C(0xffffffff),
                UINT64_C(0x100000000), UINT64_C(0xffffffffffffffe0), UINT64_C(0xffffffffffffffdf),
                UINT64_C(0xffffffffffff7fff), UINT64_C(0xffffffff7fffffff)};
        unsigned canonical = 0;
        struct buf b;
        struct buf copy;

        (void)state;
        buf_init(&b, 0);
        buf_init(&copy, 0);
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) * (sizeof(edges) / sizeof(edges[0])); i++) {
                uint8_t form = forms[i % (sizeof(forms) / sizeof(forms[0]))].form;
                uint64_t n = edges[i / (sizeof(forms) / sizeof(forms[0]))];

                if (form >= 0xd9 && n > 70000)
                        continue;
                put_form(&b, form, forms[i % (sizeof(forms) / sizeof(forms[0]))].width, n);
                buf_truncate(&copy, 0);
                if (value_put_canonical(&copy, buf_slice(&b)) != OK)
                        continue; /* the width cuts the length: not a whole value */
                canonical += value_is_canonical(buf_slice(&b));
                assert_int_equal(value_is_canonical(buf_slice(&b)), slice_equal(buf_slice(&b), buf_slice(&copy)));
                assert_true(value_is_canonical(buf_slice(&copy)));
        }
        assert_true(canonical > 30);
        buf_deinit(&copy);
        buf_deinit(&b);
}

static void a_closed_map_has_the_shortest_head(void **state)
{
        static const uint32_t counts[] = {0, 15, 16, 65535, 65536};
        struct buf b;

        (void)state;
        buf_init(&b, 0);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                struct value v;
                size_t mark;

                buf_truncate(&b, 0);
                assert_ok(value_put_nil(&b));
                assert_ok(value_open_map(&b, &mark));
                for (uint32_t n = 0; n < counts[i]; n++) {
                        assert_ok(value_put_str(&b, "x"));
                        assert_ok(value_put_bool(&b, true));
                }
                value_close_map(&b, mark, counts[i]);
                buf_consume(&b, 1);
                assert_true(value_of(buf_slice(&b), &v) && v.kind == VALUE_MAP && v.as.count == counts[i]);
                assert_true(value_is_canonical(buf_slice(&b)));
        }
        buf_deinit(&b);
}

static void iteration_stops_at_damage(void **state)
{
        struct value_iter iter;
        struct slice key;
        struct slice item;

        (void)state;
        assert_true(value_iter_init(&iter, slice_str("\x93\x01"), VALUE_LIST));
        assert_true(value_next(&iter, &item));
        assert_false(value_next(&iter, &item));
        assert_int_equal(iter.left, 2);
        assert_true(value_iter_init(&iter, slice_str("\x82\x01\x02"), VALUE_MAP));
        assert_false(value_next_member(&iter, &key, &item));
        assert_int_equal(iter.left, 2);
}

static enum err build_and_check(void *context)
{
        struct buf b;
        enum err rc;

        (void)context;
        buf_init(&b, 0);
        rc = value_put_map(&b, 40); /* enough members for the list that twins are looked for in */
        for (int i = 0; rc == OK && i < 40; i++) {
                char key[16];

                (void)snprintf(key, sizeof(key), "k%d", i);
                rc = value_put_member(&b, key, slice_str("x"));
        }
        if (rc == OK)
                rc = value_check(buf_slice(&b), &LIMITS, NULL);
        buf_deinit(&b);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(build_and_check, NULL);
}

static void a_full_buffer_keeps_what_it_had(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 4);
        assert_ok(value_put_int(&b, 1));
        assert_err(ERR_LIMIT, value_put_str(&b, "four"));
        assert_int_equal(buf_len(&b), 1);
        buf_deinit(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepts_every_form_of_the_model),
                cmocka_unit_test(refuses_what_json_could_not_say),
                cmocka_unit_test(every_cut_is_refused),
                cmocka_unit_test(holds_its_limits),
                cmocka_unit_test(finds_twins_among_many_members),
                cmocka_unit_test(reads_back_what_it_builds),
                cmocka_unit_test(signs_and_edges_of_integers_survive),
                cmocka_unit_test(canonical_copies_are_equal_for_equal_values),
                cmocka_unit_test(canonical_values_are_known_as_such),
                cmocka_unit_test(a_closed_map_has_the_shortest_head),
                cmocka_unit_test(iteration_stops_at_damage),
                cmocka_unit_test(survives_each_failed_allocation),
                cmocka_unit_test(a_full_buffer_keeps_what_it_had),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
