/* Values from outside: whatever the bytes, checking ends with a verdict; what passes as msgpack goes to JSON and back
 * unchanged, and what passes as JSON makes msgpack that passes too. */
#include "database/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value_limits LIMITS = {.bytes = 1 << 16, .depth = 32, .elements = 4096};

static void walk(struct slice item)
{
        struct value_iter iter;
        struct slice key;
        struct slice child;

        if (value_iter_init(&iter, item, VALUE_LIST))
                while (value_next(&iter, &child))
                        walk(child);
        else if (value_iter_init(&iter, item, VALUE_MAP))
                while (value_next_member(&iter, &key, &child))
                        walk(child);
}

/* Canonical msgpack -> JSON -> msgpack: the same bytes. */
static void round_trip(struct slice value)
{
        const struct value_limits wide = {.bytes = 1 << 22, .depth = 32, .elements = 4096};
        struct buf canonical;
        struct buf json;
        struct buf again;

        buf_init(&canonical, 0);
        buf_init(&json, 0);
        buf_init(&again, 0);
        VC_ASSERT(value_put_canonical(&canonical, value) == OK);
        VC_ASSERT(value_to_json(buf_slice(&canonical), &json) == OK);
        VC_ASSERT(value_from_json(buf_slice(&json), &wide, &again, NULL) == OK);
        VC_ASSERT(slice_equal(buf_slice(&canonical), buf_slice(&again)));
        buf_deinit(&again);
        buf_deinit(&json);
        buf_deinit(&canonical);
}

static void as_json(struct slice bytes)
{
        struct buf value;
        struct err_msg msg;

        buf_init(&value, 0);
        if (value_from_json(bytes, &LIMITS, &value, &msg) == OK) {
                const struct value_limits wide = {.bytes = 1 << 22, .depth = 32, .elements = 4096};

                VC_ASSERT(value_check(buf_slice(&value), &wide, NULL) == OK);
                round_trip(buf_slice(&value));
        }
        buf_deinit(&value);
}

static void as_msgpack(struct slice bytes)
{
        struct cursor c = cursor_of(bytes);
        struct slice item;
        struct buf json;

        buf_init(&json, 0);
        if (value_check(bytes, &LIMITS, NULL) == OK) {
                walk(bytes);
                round_trip(bytes);
        } else {
                (void)!value_to_json(bytes, &json); /* damaged stored bytes: an error at most */
                (void)!value_take(&c, &item);
        }
        buf_deinit(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        as_msgpack(slice_of(data, size));
        as_json(slice_of(data, size));
        return 0;
}
