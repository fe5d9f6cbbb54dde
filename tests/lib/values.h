/* Test data of the shape that the shipped types have, and values written as JSON. */
#ifndef TESTS_LIB_VALUES_H
#define TESTS_LIB_VALUES_H

#include "tests/lib/test.h"

#include "database/value_json.h"

static inline void append_json(struct buf *out, const char *json)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct err_msg msg = {.text = ""};
        enum err rc = value_from_json(slice_str(json), &limits, out, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
}

/* Fails unless the msgpack `value` is, in JSON, exactly `expected`. */
static inline void assert_value_is(struct slice value, const char *expected)
{
        struct buf json;

        buf_init(&json, 0);
        assert_ok(value_to_json(value, &json));
        assert_slice_is(buf_slice(&json), expected);
        buf_deinit(&json);
}

#endif
