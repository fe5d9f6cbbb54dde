#include "database/tag.h"

#include "base/hash.h"

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
        len += put_part(tag->student, out + len);
        len += put_part(tag->table, out + len);
        return len;
}

uint64_t tag_hash(const struct tag *tag, uint64_t seed)
{
        uint8_t bytes[TAG_BINARY_MAX];

        return hash64(slice_of(bytes, tag_encode(tag, bytes)), seed);
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

/* What follows "student:": an id, or an id, '/' and a table. Ids may hold '/' themselves, table names cannot: so the
 * last one splits. */
static enum err parse_student(struct slice rest, struct tag *out, struct err_msg *msg)
{
        size_t split = rest.len;
        enum err rc;

        while (split > 0 && rest.data[split - 1] != '/')
                split--;
        if (split == 0) {
                out->kind = TAG_STUDENT;
                out->student = rest;
                return check_part(out->student, "a student's id after 'student:'", msg);
        }
        out->kind = TAG_STUDENT_TABLE;
        out->student = slice_of(rest.data, split - 1);
        out->table = slice_of(rest.data + split, rest.len - split);
        rc = check_part(out->student, "a student's id between 'student:' and '/'", msg);
        return rc != OK ? rc : check_part(out->table, "a table's name after the last '/'", msg);
}

enum err tag_parse(struct slice text, struct slice tenant, struct tag *out, struct err_msg *msg)
{
        const size_t prefix = sizeof(student_prefix) - 1;

        *out = (struct tag){.kind = TAG_ALL, .tenant = tenant};
        if (slice_equal(text, slice_str("*")))
                return OK;
        if (text.len >= prefix && memcmp(text.data, student_prefix, prefix) == 0)
                return parse_student(slice_of(text.data + prefix, text.len - prefix), out, msg);
        out->kind = TAG_TABLE;
        out->table = text;
        if (text.len > 0 && (memchr(text.data, ':', text.len) != NULL || memchr(text.data, '/', text.len) != NULL))
                return err_set(msg, ERR_BADARG, "a tag is 'student:<id>/<table>', 'student:<id>', '<table>' or '*'");
        return check_part(out->table, "a table's name, or '*'", msg);
}

enum err tag_format(const struct tag *tag, struct buf *out)
{
        const size_t before = buf_len(out);
        enum err rc = OK;

        if (tag->kind == TAG_ALL)
                return buf_append_str(out, "*");
        if (tag->kind == TAG_TABLE)
                return buf_append_slice(out, tag->table);
        rc = buf_append_str(out, student_prefix);
        if (rc == OK)
                rc = buf_append_slice(out, tag->student);
        if (rc == OK && tag->kind == TAG_STUDENT_TABLE)
                rc = buf_append_str(out, "/");
        if (rc == OK && tag->kind == TAG_STUDENT_TABLE)
                rc = buf_append_slice(out, tag->table);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
