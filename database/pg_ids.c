#include "database/pg_ids.h"

#include "base/cursor.h"
#include "database/pg_type.h"
#include "database/record_type.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
        return slice_compare(*(const struct slice *)left, *(const struct slice *)right);
}

size_t pg_ids_sort(struct slice *ids, size_t count)
{
        size_t kept = 0;

        if (count > 1)
                qsort(ids, count, sizeof(*ids), compare);
        for (size_t i = 0; i < count; i++)
                if (kept == 0 || !slice_equal(ids[kept - 1], ids[i]))
                        ids[kept++] = ids[i];
        return kept;
}

size_t pg_ids_find(const struct slice *ids, size_t count, struct slice id)
{
        const struct slice *found = count == 0 ? NULL : bsearch(&id, ids, count, sizeof(*ids), compare);

        return found == NULL ? count : (size_t)(found - ids);
}

size_t pg_ids_find_next(const struct slice *ids, size_t count, struct slice id, size_t last)
{
        for (size_t place = last; place < count && place <= last + 1; place++)
                if (slice_equal(ids[place], id))
                        return place;
        return pg_ids_find(ids, count, id);
}

static enum err put_quoted(struct buf *out, struct slice id)
{
        enum err rc = buf_append_str(out, "\"");
        size_t from = 0;

        for (size_t i = 0; rc == OK && i < id.len; i++) {
                if (id.data[i] != '"' && id.data[i] != '\\')
                        continue;
                rc = buf_append(out, id.data + from, i - from);
                if (rc == OK)
                        rc = buf_append_str(out, "\\");
                from = i;
        }
        if (rc == OK)
                rc = buf_append(out, id.data + from, id.len - from);
        return rc == OK ? buf_append_str(out, "\"") : rc;
}

enum err pg_ids_put(struct buf *out, const struct slice *ids, size_t count)
{
        enum err rc = buf_append_str(out, "{");

        for (size_t i = 0; rc == OK && i < count; i++) {
                if (i > 0)
                        rc = buf_append_str(out, ",");
                if (rc == OK)
                        rc = put_quoted(out, ids[i]);
        }
        return rc == OK ? buf_append(out, "}", sizeof("}")) : rc;
}

static bool has_letters_of_numbers_only(struct slice id)
{
        for (size_t i = id.len > 0 && id.data[0] == '-' ? 1 : 0; i < id.len; i++)
                if (id.data[i] < '0' || id.data[i] > '9')
                        return false;
        return true;
}

static enum err check_int(int64_t least, int64_t most, struct slice id, bool *possible, struct err_msg *msg)
{
        enum err rc = record_id_check(ID_KIND_INT, id, msg);
        int64_t number;

        if (rc == OK)
                *possible = slice_to_i64(id, &number) && number <= most && number >= least;
        else if (has_letters_of_numbers_only(id) && id.len > 19 && id.data[0] != '0')
                *possible = false; /* past 64 bits */
        return *possible ? rc : OK;
}

static bool skip(struct cursor *c, uint8_t wanted)
{
        uint8_t byte;

        return cursor_left(c) > 0 && *c->at == wanted && cursor_u8(c, &byte);
}

static size_t skip_digits(struct cursor *c)
{
        size_t count = 0;
        uint8_t byte;

        while (cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9' && cursor_u8(c, &byte))
                count++;
        return count;
}

/* As PostgreSQL prints a numeric: no '+', no zeros before the number, no exponent. */
static bool is_numeric(struct slice id)
{
        struct cursor c = cursor_of(id);
        size_t digits;
        bool zero;

        if (skip(&c, '-') && cursor_left(&c) == 0)
                return false;
        zero = cursor_left(&c) > 0 && *c.at == '0';
        digits = skip_digits(&c);
        if (digits == 0 || (zero && digits > 1))
                return false;
        return cursor_left(&c) == 0 || (skip(&c, '.') && skip_digits(&c) > 0 && cursor_left(&c) == 0);
}

static enum err check_numeric(struct slice id, struct err_msg *msg)
{
        return is_numeric(id) ? OK : err_set(msg, ERR_BADKEY, "the id must be a number, written such as 42");
}

/* A column of type char(n) shows no spaces at the end, and takes ids with and without them for equal. */
static enum err check_padded(struct slice id, struct err_msg *msg)
{
        size_t len = id.len;

        while (len > 0 && id.data[len - 1] == ' ')
                len--;
        if (len == id.len)
                return OK;
        return err_set(
                msg, ERR_BADKEY, "the id is not in canonical form; it would be %.*s", (int)len, (const char *)id.data);
}

enum err pg_id_check(uint32_t column_type, struct slice id, bool *possible, struct err_msg *msg)
{
        *possible = true;
        switch (column_type) {
        case PG_TYPE_INT2: return check_int(INT16_MIN, INT16_MAX, id, possible, msg);
        case PG_TYPE_INT4: return check_int(INT32_MIN, INT32_MAX, id, possible, msg);
        case PG_TYPE_INT8: return check_int(INT64_MIN, INT64_MAX, id, possible, msg);
        case PG_TYPE_OID: return check_int(0, UINT32_MAX, id, possible, msg);
        case PG_TYPE_NUMERIC: return check_numeric(id, msg);
        case PG_TYPE_BPCHAR: return check_padded(id, msg);
        case PG_TYPE_UUID: return record_id_check(ID_KIND_UUID, id, msg);
        default: return OK;
        }
}
