/* Backups: making them. */
#include "database/backup.h"
#include "database/backup_layout.h"

#include "database/new_file.h"
#include "database/value_json.h"

#include <stdio.h>

struct output {
        int fd;
        const char *name;
        struct backup_facts *facts;
        struct backup_sum sum;
};

static enum err put(struct output *o, struct slice bytes, struct err_msg *msg)
{
        backup_sum_add(&o->sum, bytes);
        return backup_put(o->fd, bytes, o->name, msg);
}

static enum err put_head(struct output *o, struct err_msg *msg)
{
        struct buf value;
        struct buf text;
        enum err rc;

        buf_init(&value, 0);
        buf_init(&text, 0);
        rc = backup_facts_put(o->facts, &value);
        if (rc == OK)
                rc = buf_printf(&text, BACKUP_MAGIC "%d\n", BACKUP_VERSION);
        if (rc == OK)
                rc = value_to_json(buf_slice(&value), &text);
        if (rc == OK)
                rc = buf_append_str(&text, "\n");
        rc = rc == OK ? put(o, buf_slice(&text), msg) : err_set(msg, rc, "%s", err_text(rc));
        buf_deinit(&value);
        buf_deinit(&text);
        return rc;
}

static enum err begin(void *context, const struct lmdb_image_facts *image, struct err_msg *msg)
{
        struct output *o = context;
        struct lmdb_image_facts *kept = &o->facts->image;
        struct buf schemas = kept->schemas;
        enum err rc = buf_append_slice(&schemas, buf_slice(&image->schemas));

        *kept = *image;
        kept->schemas = schemas;
        return rc == OK ? put_head(o, msg) : err_set(msg, rc, "%s", err_text(rc));
}

static enum err put_bytes(void *context, struct slice bytes, struct err_msg *msg)
{
        return put(context, bytes, msg);
}

static enum err put_end(struct output *o, struct err_msg *msg)
{
        char line[BACKUP_END_SIZE + 1];

        backup_sum_finish(&o->sum, o->facts);
        (void)snprintf(
                line, sizeof(line), BACKUP_END_MAGIC "%020llu %s\n", (unsigned long long)o->sum.bytes, o->facts->hash);
        o->facts->bytes = o->sum.bytes + BACKUP_END_SIZE;
        return backup_put(o->fd, slice_str(line), o->name, msg);
}

static enum err write_to(struct output *o, const char *folder, struct wall now, struct err_msg *msg)
{
        const struct lmdb_image_sink sink = {.begin = begin, .bytes = put_bytes, .context = o};
        enum err rc;

        clock_format(now, o->facts->time);
        (void)snprintf(o->facts->release, sizeof(o->facts->release), "%s", VC_VERSION);
        rc = backup_sum_init(&o->sum);
        if (rc == OK)
                rc = lmdb_image_copy(folder, &sink, msg);
        else
                rc = err_set(msg, rc, "%s", err_text(rc));
        if (rc == OK)
                rc = put_end(o, msg);
        backup_sum_deinit(&o->sum);
        return rc;
}

enum err backup_write(const char *folder, int fd, struct wall now, struct backup_facts *facts, struct err_msg *msg)
{
        struct output o = {.fd = fd, .name = "the output", .facts = facts};

        return write_to(&o, folder, now, msg);
}

/* ---- into a file ---- */

enum err backup_save(
        const char *folder, const char *path, struct wall now, struct backup_facts *facts, struct err_msg *msg)
{
        struct new_file file;
        enum err rc = new_file_begin(&file, path, msg);
        struct output o = {.fd = file.fd, .name = file.part, .facts = facts};

        if (rc == OK)
                rc = write_to(&o, folder, now, msg);
        if (rc == OK)
                rc = new_file_finish(&file, msg);
        new_file_end(&file);
        return rc;
}
