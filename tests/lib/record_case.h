/* Records in JSON on their way into normal form, by a PUT or as a row of an IMPORT. */
#ifndef TESTS_LIB_RECORD_CASE_H
#define TESTS_LIB_RECORD_CASE_H

#include "database/record.h"
#include "tests/lib/values.h"

/* Every id that is made becomes a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5. */
static inline enum err record_case_random(void *out, size_t len)
{
        memset(out, 0xa5, len);
        return OK;
}

/* PUT of a JSON value by `type` for student 42. */
static inline enum err put_as(const struct record_type *type, const char *json, struct buf *out, struct err_msg *msg)
{
        struct buf value;
        struct record_put put = {.type = type, .id = slice_str("42"), .random = record_case_random};
        enum err rc;

        buf_init(&value, 0);
        append_json(&value, json);
        put.value = buf_slice(&value);
        rc = record_normalise(&put, out, msg);
        buf_deinit(&value);
        return rc;
}

/* Fails unless that is taken and has, in JSON, the normal form `expected`. */
static inline void assert_put(const struct record_type *type, const char *json, const char *expected)
{
        struct err_msg msg = {.text = ""};
        struct buf out;
        enum err rc;

        buf_init(&out, 0);
        rc = put_as(type, json, &out, &msg);
        assert_string_equal(msg.text, "");
        assert_ok(rc);
        assert_value_is(buf_slice(&out), expected);
        buf_deinit(&out);
}

/* Fails unless that is refused in these words, and what was in the buffer stays. */
static inline void assert_refused(const struct record_type *type, const char *json, enum err code, const char *text)
{
        struct err_msg msg = {.text = ""};
        struct buf out;

        buf_init(&out, 0);
        assert_ok(buf_append_str(&out, "kept"));
        assert_err(code, put_as(type, json, &out, &msg));
        assert_string_equal(msg.text, text);
        assert_slice_is(buf_slice(&out), "kept");
        buf_deinit(&out);
}

/* A row of an IMPORT from its JSON. `value` has to live as long as what *row borrows. */
static inline enum err row_from(
        struct record_row *row, const char *json, struct buf *value, struct buf *out, struct err_msg *msg)
{
        buf_truncate(value, 0);
        append_json(value, json);
        row->row = buf_slice(value);
        return record_from_row(row, out, msg);
}

#endif
