#include "database/lmdb_format1.h"

#include "base/cursor.h"
#include "database/lmdb_key.h"
#include "database/value.h"

#include <stdio.h>

enum { FORMAT = 1 };

static bool take_part16(struct cursor *c, struct slice *out)
{
        uint16_t len;

        return cursor_u16(c, &len) && cursor_take(c, len, out);
}

static bool take_table(struct cursor *c, char table[RECORD_NAME_MAX + 1])
{
        struct slice name;
        uint8_t len;

        if (!cursor_u8(c, &len) || !cursor_take(c, len, &name) || name.len == 0 || name.len > RECORD_NAME_MAX)
                return false;
        (void)snprintf(table, RECORD_NAME_MAX + 1, "%.*s", SLICE_ARG(name));
        return strlen(table) == name.len;
}

/* The whole id of a part of the key: `full` when the part is a hash. */
static bool whole_id(struct slice part, struct slice full, struct slice *out)
{
        *out = lmdb_part_is_hash(part) ? full : part;
        return out->len > 0;
}

bool lmdb_format1_read(struct slice key, struct slice value, struct lmdb_format1_record *out)
{
        struct cursor k = cursor_of(key);
        struct cursor v = cursor_of(value);
        struct slice student;
        struct slice id;
        struct slice full;
        uint8_t format;

        if (!take_part16(&k, &out->tenant) || !take_table(&k, out->table) || !take_part16(&k, &student))
                return false;
        if (!cursor_take(&k, cursor_left(&k), &id) || id.len == 0 || !cursor_u8(&v, &format) || format != FORMAT)
                return false;
        if (!cursor_u32(&v, &out->schema) || !cursor_u64(&v, &out->version.n) || !take_part16(&v, &full))
                return false;
        if (!whole_id(student, full, &out->student) || !cursor_take(&v, cursor_left(&v), &out->map))
                return false;
        return whole_id(id, SLICE_EMPTY, &out->id) || value_member_text(out->map, "id", &out->id);
}
