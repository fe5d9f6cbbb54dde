#include "database/tag.h"

#include "base/cursor.h"

static const char student_prefix[] = "student:";

static size_t put_part(struct slice part, uint8_t *out)
{
        VC_ASSERT(part.len <= TAG_PART_MAX);
        out[0] = (uint8_t)(part.len >> 8);
        out[1] = (uint8_t)(part.len & 0xff);
        if (part.len > 0)
                memcpy(out + 2, part.data, part.len);
        return 2 + part.len;
}

size_t tag_encode(const struct tag *tag, uint8_t *out)
{
        size_t len = 1;

        out[0] = (uint8_t)tag->kind;
        len += put_part(tag->tenant, out + len);
        if (tag->kind == TAG_CONTAINER)
                len += put_part(tag->subject, out + len);
        len += put_part(tag->id, out + len);
        len += put_part(tag->table, out + len);
        return len;
}

uint64_t tag_hash(const struct tag *tag, uint64_t seed)
{
        return tag_hash_of(tag_hash_whom(tag->tenant, tag->id, seed),
                tag_hash_what(tag->kind, tag_hash_name(tag->table), tag_hash_name(tag->subject)));
}

static bool take_part(struct cursor *c, struct slice *out)
{
        uint16_t len;

        return cursor_u16(c, &len) && cursor_take(c, len, out);
}

static bool decode(struct slice bytes, struct tag *out)
{
        struct cursor c = cursor_of(bytes);
        uint8_t kind;

        *out = (struct tag){.subject = SLICE_EMPTY};
        if (!cursor_u8(&c, &kind) || kind < TAG_STUDENT_TABLE || kind > TAG_CONTAINER)
                return false;
        out->kind = (enum tag_kind)kind;
        if (!take_part(&c, &out->tenant) || (out->kind == TAG_CONTAINER && !take_part(&c, &out->subject)))
                return false;
        return take_part(&c, &out->id) && take_part(&c, &out->table) && cursor_left(&c) == 0;
}

uint64_t tag_hash_encoded(struct slice bytes, uint64_t seed)
{
        struct tag tag;

        return decode(bytes, &tag) ? tag_hash(&tag, seed) : hash64(bytes, seed);
}

static enum err check_part(struct slice part, const char *what, struct err_msg *msg)
{
        if (part.len == 0)
                return err_set(msg, ERR_BADARG, "a tag needs %s", what);
        if (part.len > TAG_PART_MAX)
                return err_set(
                        msg, ERR_BADARG, "%s of a tag has at most %d bytes, not %zu", what, TAG_PART_MAX, part.len);
        return OK;
}

/* What follows the ':': an id, or an id, '/' and a table. Ids may hold '/' themselves, table names cannot: so the last
 * one splits. False: there is none. */
static bool split_last(struct slice rest, struct tag *out)
{
        size_t split = rest.len;

        while (split > 0 && rest.data[split - 1] != '/')
                split--;
        if (split == 0)
                return false;
        out->id = slice_of(rest.data, split - 1);
        out->table = slice_of(rest.data + split, rest.len - split);
        return true;
}

static enum err parse_student(struct slice rest, struct tag *out, struct err_msg *msg)
{
        enum err rc;

        if (!split_last(rest, out)) {
                out->kind = TAG_STUDENT;
                out->id = rest;
                return check_part(out->id, "a student's id after 'student:'", msg);
        }
        out->kind = TAG_STUDENT_TABLE;
        rc = check_part(out->id, "a student's id between 'student:' and '/'", msg);
        return rc != OK ? rc : check_part(out->table, "a table's name after the last '/'", msg);
}

static enum err no_such_form(struct err_msg *msg)
{
        return err_set(msg, ERR_BADARG,
                "a tag is 'student:<id>/<table>', 'student:<id>', '<subject>:<id>/<table>', '<table>' or '*'");
}

/* `colon` is the place of the ':'. */
static enum err parse_container(struct slice text, size_t colon, struct tag *out, struct err_msg *msg)
{
        enum err rc;

        out->kind = TAG_CONTAINER;
        out->subject = slice_of(text.data, colon);
        if (!split_last(slice_of(text.data + colon + 1, text.len - colon - 1), out))
                return no_such_form(msg);
        rc = check_part(out->subject, "a subject before the ':'", msg);
        if (rc == OK)
                rc = check_part(out->id, "an id between ':' and '/'", msg);
        return rc != OK ? rc : check_part(out->table, "a table's name after the last '/'", msg);
}

enum err tag_parse(struct slice text, struct slice tenant, struct tag *out, struct err_msg *msg)
{
        const size_t prefix = sizeof(student_prefix) - 1;
        const uint8_t *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);

        *out = (struct tag){.kind = TAG_ALL, .tenant = tenant};
        if (slice_equal(text, slice_str("*")))
                return OK;
        if (text.len >= prefix && memcmp(text.data, student_prefix, prefix) == 0)
                return parse_student(slice_of(text.data + prefix, text.len - prefix), out, msg);
        if (colon != NULL)
                return parse_container(text, (size_t)(colon - text.data), out, msg);
        if (text.len > 0 && memchr(text.data, '/', text.len) != NULL)
                return no_such_form(msg);
        out->kind = TAG_TABLE;
        out->table = text;
        return check_part(out->table, "a table's name, or '*'", msg);
}

static enum err put_text(const struct tag *tag, struct buf *out)
{
        const bool container = tag->kind == TAG_CONTAINER;
        enum err rc = container ? buf_append_slice(out, tag->subject) : buf_append_str(out, student_prefix);

        if (rc == OK && container)
                rc = buf_append_str(out, ":");
        if (rc == OK)
                rc = buf_append_slice(out, tag->id);
        if (rc == OK && tag->kind != TAG_STUDENT)
                rc = buf_append_str(out, "/");
        return rc == OK && tag->kind != TAG_STUDENT ? buf_append_slice(out, tag->table) : rc;
}

enum err tag_format(const struct tag *tag, struct buf *out)
{
        const size_t before = buf_len(out);
        enum err rc;

        if (tag->kind == TAG_ALL)
                return buf_append_str(out, "*");
        if (tag->kind == TAG_TABLE)
                return buf_append_slice(out, tag->table);
        rc = put_text(tag, out);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
