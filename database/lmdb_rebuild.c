#include "database/lmdb_rebuild.h"

#include "database/lmdb_image.h"
#include "database/lmdb_parts.h"

#include <stdio.h>

struct rebuild {
        struct lmdb_rebuild_hooks hooks;
        MDB_env *from;
        MDB_env *to;
        MDB_txn *in;
        MDB_txn *out;
        size_t pending; /* bytes read since the last commit */
        MDB_dbi place;  /* of the mark; with steps only */
        struct lmdb_mark mark;
};

enum {
        COMMIT_BYTES = 16 << 20, /* so that the pages of one transaction stay in memory */
        ROOM = 4,                /* times the present file, for entries that grow */
};

static enum err commit(struct rebuild *r)
{
        int rc = mdb_txn_commit(r->out);

        r->out = NULL;
        r->pending = 0;
        if (rc == MDB_SUCCESS && r->hooks.steps != NULL)
                r->hooks.steps->saved(r->hooks.steps->context);
        return lmdb_err(rc);
}

/* Leaves the mark behind the entry, which was the last. */
static enum err save(struct rebuild *r, const struct lmdb_rebuild_entry *entry)
{
        struct lmdb_mark *mark = &r->mark;
        enum err rc;

        if (entry->key.mv_size > sizeof(mark->key))
                return ERR_CORRUPT;
        (void)snprintf(mark->part, sizeof(mark->part), "%s", entry->part);
        memcpy(mark->key, entry->key.mv_data, entry->key.mv_size);
        mark->key_len = entry->key.mv_size;
        rc = lmdb_mark_put(r->out, r->place, mark);
        return rc == OK ? r->hooks.steps->save(r->hooks.steps->context, r->out, r->place) : rc;
}

static enum err end_step(struct rebuild *r, const struct lmdb_rebuild_entry *entry)
{
        enum err rc = r->hooks.steps == NULL ? OK : save(r, entry);

        if (rc == OK)
                rc = commit(r);
        return rc == OK ? lmdb_err(mdb_txn_begin(r->to, NULL, 0, &r->out)) : rc;
}

enum err lmdb_rebuild_keep(MDB_txn *out, const struct lmdb_rebuild_entry *entry)
{
        MDB_val key = entry->key;
        MDB_val value = entry->value;

        return lmdb_err(mdb_put(out, entry->to, &key, &value, MDB_APPEND));
}

static enum err copy_entry(struct rebuild *r, const struct lmdb_rebuild_entry *entry)
{
        const size_t most = r->hooks.steps == NULL ? COMMIT_BYTES : r->hooks.steps->bytes;
        enum err rc = r->hooks.entry == NULL ? lmdb_rebuild_keep(r->out, entry)
                                             : r->hooks.entry(r->hooks.context, r->out, entry);

        r->pending += entry->key.mv_size + entry->value.mv_size;
        return rc == OK && r->pending > most ? end_step(r, entry) : rc;
}

/* Puts the cursor on the last entry of the part that the copy has already. */
static enum err skip_copied(const struct rebuild *r, MDB_cursor *cursor)
{
        MDB_val key = lmdb_val(slice_of(r->mark.key, r->mark.key_len));
        int rc = mdb_cursor_get(cursor, &key, NULL, MDB_SET);

        return rc == MDB_NOTFOUND ? ERR_CORRUPT : lmdb_err(rc);
}

static enum err copy_part(void *context, MDB_txn *in, MDB_dbi from, const char *name)
{
        struct rebuild *r = context;
        struct lmdb_rebuild_entry entry = {.part = name};
        MDB_cursor *cursor;
        const int order = strcmp(name, r->mark.part); /* parts come in this order */
        enum err err = OK;
        int rc;

        if (order < 0 || (r->hooks.wants != NULL && !r->hooks.wants(r->hooks.context, name)))
                return OK;
        rc = mdb_dbi_open(r->out, name, MDB_CREATE, &entry.to);
        if (rc == MDB_SUCCESS)
                rc = mdb_cursor_open(in, from, &cursor);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        if (order == 0)
                err = skip_copied(r, cursor);
        while (err == OK && (rc = mdb_cursor_get(cursor, &entry.key, &entry.value, MDB_NEXT)) == MDB_SUCCESS)
                err = copy_entry(r, &entry);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

static enum err begin(struct rebuild *r, struct err_msg *msg)
{
        enum err rc = lmdb_err(mdb_txn_begin(r->from, NULL, MDB_RDONLY, &r->in));

        if (rc == OK)
                rc = lmdb_err(mdb_txn_begin(r->to, NULL, 0, &r->out));
        if (rc == OK && r->hooks.begin != NULL)
                rc = r->hooks.begin(r->hooks.context, r->out, msg);
        if (rc != OK || r->hooks.steps == NULL)
                return rc;
        r->mark = *r->hooks.steps->mark;
        rc = lmdb_mark_open(r->out, &r->place);
        if (rc != OK || r->mark.part[0] == '\0')
                return rc;
        return r->hooks.steps->resume(r->hooks.steps->context, r->out, r->place);
}

static enum err end(struct rebuild *r, struct err_msg *msg)
{
        enum err rc = r->hooks.end == NULL ? OK : r->hooks.end(r->hooks.context, r->out, msg);

        if (rc == OK && r->hooks.steps != NULL)
                rc = lmdb_mark_finish(r->out, r->place, &r->mark.of);
        return rc == OK ? commit(r) : rc;
}

static enum err copy_all(struct rebuild *r, struct err_msg *msg)
{
        enum err rc = begin(r, msg);

        if (rc == OK)
                rc = lmdb_parts_visit(r->in, copy_part, r);
        if (rc == OK)
                rc = end(r, msg);
        mdb_txn_abort(r->out);
        mdb_txn_abort(r->in);
        return rc == OK ? lmdb_err(mdb_env_sync(r->to, 1)) : rc;
}

/* Nobody else uses either, so neither needs LMDB's lock file; and what is begun again when it is killed need not be
 * durable before it is complete. */
static enum err open_both(struct rebuild *r, const char *from, const char *to)
{
        MDB_envinfo info;
        MDB_stat stat;
        size_t used;
        const unsigned int durable = r->hooks.steps == NULL ? MDB_NOSYNC : 0;
        enum err rc = lmdb_parts_open(&r->from, from, MDB_RDONLY | MDB_NOLOCK, 0);

        if (rc != OK)
                return rc;
        (void)mdb_env_info(r->from, &info);
        (void)mdb_env_stat(r->from, &stat);
        used = (info.me_last_pgno + 1) * stat.ms_psize;
        return lmdb_parts_open(
                &r->to, to, durable | MDB_NOLOCK, info.me_mapsize / ROOM < used ? used * ROOM : info.me_mapsize);
}

enum err lmdb_rebuild(const char *from, const char *to, const struct lmdb_rebuild_hooks *hooks, struct err_msg *msg)
{
        struct rebuild r = {.from = NULL};
        struct lmdb_image_facts facts;
        enum err rc;

        if (hooks != NULL)
                r.hooks = *hooks;
        lmdb_image_facts_init(&facts);
        rc = lmdb_image_look(from, &facts, msg);
        if (rc == OK) {
                rc = open_both(&r, from, to);
                if (rc == OK)
                        rc = copy_all(&r, msg);
                if (rc != OK) /* LMDB says so of a write that went halfway, too */
                        (void)err_set(msg, rc, "cannot write the database in %s anew: %s%s", from, err_text(rc),
                                rc == ERR_IO ? "; is the disk full?" : "");
        }
        lmdb_parts_close(&r.to);
        lmdb_parts_close(&r.from);
        if (rc == OK)
                rc = lmdb_image_settle(to, facts.position, msg);
        lmdb_image_facts_deinit(&facts);
        return rc;
}
