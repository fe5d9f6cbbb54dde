/* Backups: reading and checking them. */
#include "database/backup.h"
#include "database/backup_layout.h"

#include "base/cursor.h"
#include "database/lmdb_err.h"
#include "database/lmdb_meta.h"
#include "database/value_json.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct reading {
        const struct backup_input *input;
        int image;
        struct backup_facts *facts;
        struct err_msg *msg;
        struct buf pending; /* read, and not yet passed on */
        struct backup_sum sum;
        bool ended;
};

static enum err damaged(const struct reading *r, const char *how)
{
        return err_set(r->msg, ERR_CORRUPT, "%s %s", r->input->name, how);
}

static enum err read_more(struct reading *r)
{
        enum err rc = buf_reserve(&r->pending, PIECE);
        ssize_t got;

        if (rc != OK)
                return err_set(r->msg, rc, "%s", err_text(rc));
        do
                got = read(r->input->fd, r->pending.data + r->pending.end, PIECE);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return err_errno(r->msg, lmdb_err(errno), errno, "cannot read %s", r->input->name);
        buf_added(&r->pending, (size_t)got);
        r->ended = got == 0;
        return OK;
}

/* ---- the head ---- */

static bool take_number(struct slice map, const char *name, uint64_t *out)
{
        struct slice item;
        struct value value;

        if (!value_member(map, name, &item) || !value_of(item, &value) || value.kind != VALUE_INT ||
                value.as.integer < 0)
                return false;
        *out = (uint64_t)value.as.integer;
        return true;
}

static bool take_word(struct slice map, const char *name, char *out, size_t size)
{
        struct slice text;

        if (!value_member_text(map, name, &text) || text.len >= size)
                return false;
        (void)snprintf(out, size, "%.*s", SLICE_ARG(text));
        return true;
}

static enum err take_facts(struct reading *r, struct slice map)
{
        struct lmdb_image_facts *image = &r->facts->image;
        struct slice schemas;

        if (!take_number(map, "format", &image->format) || !take_number(map, "position", &image->position) ||
                !take_number(map, "students", &image->students) || !take_number(map, "records", &image->records) ||
                !value_member(map, "schemas", &schemas) ||
                !take_word(map, "time", r->facts->time, sizeof(r->facts->time)) ||
                !take_word(map, "vitalcache", r->facts->release, sizeof(r->facts->release)))
                return damaged(r, "is damaged: its second line does not say what a backup says");
        if (image->format > LMDB_FORMAT)
                return err_set(r->msg, ERR_VERSION,
                        "%s was made by vitalcache %s, which stores format %llu; this release reads formats up to %d",
                        r->input->name, r->facts->release, (unsigned long long)image->format, LMDB_FORMAT);
        buf_truncate(&image->schemas, 0);
        return buf_append_slice(&image->schemas, schemas);
}

static enum err take_version(struct reading *r, struct slice line)
{
        const size_t skip = sizeof(BACKUP_MAGIC) - 1;
        uint64_t version;

        if (!slice_to_u64(slice_of(line.data + skip, line.len - skip), &version))
                return damaged(r, "is not a backup of vitalcache");
        if (version != BACKUP_VERSION)
                return err_set(r->msg, ERR_VERSION,
                        "%s is a backup of version %llu, made by a newer release; this one reads version %d",
                        r->input->name, (unsigned long long)version, BACKUP_VERSION);
        return OK;
}

static enum err take_manifest(struct reading *r, struct slice line)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        rc = value_from_json(line, &limits, &value, NULL);
        if (rc == OK)
                rc = take_facts(r, buf_slice(&value));
        else if (rc != ERR_NOMEM)
                rc = damaged(r, "is damaged: its second line is no JSON");
        if (rc == ERR_NOMEM)
                rc = err_set(r->msg, rc, "%s", err_text(rc));
        buf_deinit(&value);
        return rc;
}

/* False: what is there so far holds no two whole lines. */
static bool split_head(const struct reading *r, struct slice *version, struct slice *manifest)
{
        struct cursor c = cursor_of(buf_slice(&r->pending));

        return cursor_until(&c, '\n', version) && cursor_until(&c, '\n', manifest);
}

static bool begins_as_backup(const struct reading *r)
{
        const struct slice magic = slice_str(BACKUP_MAGIC);
        struct slice seen = buf_slice(&r->pending);

        return seen.len >= magic.len && memcmp(seen.data, magic.data, magic.len) == 0;
}

static enum err take_head(struct reading *r)
{
        struct slice version;
        struct slice manifest;
        size_t len;
        bool whole = false;
        enum err rc = OK;

        while (rc == OK && !r->ended && !whole && buf_len(&r->pending) < BACKUP_HEAD_MAX) {
                rc = read_more(r);
                whole = split_head(r, &version, &manifest);
        }
        if (rc == OK && !begins_as_backup(r))
                return damaged(r, "is not a backup of vitalcache");
        if (rc == OK && !whole)
                return damaged(r, "is cut short, or damaged: it has no second line");
        if (rc == OK)
                rc = take_version(r, version);
        if (rc == OK)
                rc = take_manifest(r, manifest);
        if (rc != OK)
                return rc;
        len = version.len + 1 + manifest.len + 1;
        backup_sum_add(&r->sum, slice_of(r->pending.data + r->pending.start, len));
        buf_consume(&r->pending, len);
        return OK;
}

/* ---- the image, and the end ---- */

/* All but what may be the last line. */
static enum err pass_on(struct reading *r)
{
        size_t len = buf_len(&r->pending) > BACKUP_END_SIZE ? buf_len(&r->pending) - BACKUP_END_SIZE : 0;
        struct slice bytes = slice_of(r->pending.data + r->pending.start, len);
        enum err rc = OK;

        backup_sum_add(&r->sum, bytes);
        if (r->image >= 0)
                rc = backup_put(r->image, bytes, "the restored database", r->msg);
        buf_consume(&r->pending, len);
        return rc;
}

static enum err check_end(struct reading *r)
{
        char line[BACKUP_END_SIZE + 1];
        struct slice seen = buf_slice(&r->pending);

        backup_sum_finish(&r->sum, r->facts);
        r->facts->bytes = r->sum.bytes + BACKUP_END_SIZE;
        (void)snprintf(
                line, sizeof(line), BACKUP_END_MAGIC "%020llu %s\n", (unsigned long long)r->sum.bytes, r->facts->hash);
        if (slice_equal(seen, slice_str(line)))
                return OK;
        if (seen.len == BACKUP_END_SIZE && memcmp(seen.data, line, sizeof(BACKUP_END_MAGIC) - 1) == 0)
                return damaged(r, "is damaged: its checksum is not that of its bytes");
        return damaged(r, "is cut short, or damaged: it does not end as a backup does");
}

static enum err read_backup(struct reading *r)
{
        enum err rc = take_head(r);

        if (rc == OK)
                rc = pass_on(r);
        while (rc == OK && !r->ended) {
                rc = read_more(r);
                if (rc == OK)
                        rc = pass_on(r);
        }
        return rc == OK ? check_end(r) : rc;
}

enum err backup_read(const struct backup_input *input, int image, struct backup_facts *facts, struct err_msg *msg)
{
        struct reading r = {.input = input, .image = image, .facts = facts, .msg = msg};
        enum err rc = backup_sum_init(&r.sum);

        buf_init(&r.pending, 0);
        rc = rc == OK ? read_backup(&r) : err_set(msg, rc, "%s", err_text(rc));
        buf_deinit(&r.pending);
        backup_sum_deinit(&r.sum);
        return rc;
}
