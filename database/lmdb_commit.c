#include "database/lmdb_commit.h"

#include "base/log.h"
#include "base/mem.h"
#include "database/lmdb_change.h"

/* Why no nested transaction for each write, so that a bad one can be rolled back alone: LMDB's cost a copy of every
 * page touched. Nearly all bad writes are refused before they change anything; the rest (no memory, no disk, damage)
 * are so rare that the whole batch may be aborted and done again, one write to a transaction. */

struct entry {
        struct source_write *write;
        struct lmdb_rows rows;
};

struct lmdb_commit {
        struct lmdb_env *env;
        struct source_hooks hooks;
        struct lmdb_change change;
        uint32_t batch_max;
        struct entry entries[]; /* room for batch_max */
};

enum err lmdb_commit_create(struct lmdb_commit **out, struct lmdb_env *env, const struct lmdb_schema *schema,
        const struct source_hooks *hooks, uint32_t batch_max)
{
        struct lmdb_commit *c;

        VC_ASSERT(batch_max > 0);
        *out = NULL;
        c = vc_calloc(1, sizeof(*c) + batch_max * sizeof(c->entries[0]));
        if (c == NULL)
                return ERR_NOMEM;
        c->env = env;
        c->hooks = *hooks;
        c->batch_max = batch_max;
        c->change = (struct lmdb_change){.store.dbs = lmdb_env_dbs(env), .schema = schema, .tag_seed = hooks->tag_seed};
        *out = c;
        return OK;
}

void lmdb_commit_destroy(struct lmdb_commit **commit)
{
        struct lmdb_commit *c = *commit;

        if (c == NULL)
                return;
        lmdb_change_deinit(&c->change);
        vc_free(c);
        *commit = NULL;
}

/* Between before and after, entries of the touched tags do not answer. A commit whose outcome is unknown leaves them
 * so: neither state may be served until the database is opened again. */
static enum err commit_change(struct lmdb_commit *c, MDB_txn **txn)
{
        const struct source_hooks *h = &c->hooks;
        const struct lmdb_change *change = &c->change;
        bool unknown;
        enum err rc;

        if (h->before != NULL)
                h->before(h->context, change->tags, change->tag_count);
        rc = lmdb_env_write_commit(c->env, txn, &unknown);
        if (rc == OK && h->after != NULL)
                h->after(h->context, change->tags, change->tag_count, change->store.position);
        if (rc != OK && !unknown && h->aborted != NULL)
                h->aborted(h->context, change->tags, change->tag_count);
        return rc;
}

/* Those that succeeded all get the same position: the commit's, or, when nothing was to be changed, the newest. */
static void set_positions(const struct lmdb_commit *c, struct entry *entries, size_t count)
{
        uint64_t n = c->change.changed ? c->change.store.position.n : c->change.store.position.n - 1;

        for (size_t i = 0; i < count; i++)
                if (entries[i].write->status == OK)
                        entries[i].write->position = (struct position){n};
}

static enum err apply_all(struct lmdb_commit *c, struct entry *entries, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                enum err rc = lmdb_change_apply(&c->change, entries[i].write, &entries[i].rows);

                if (rc != OK)
                        return rc;
        }
        return lmdb_change_finish(&c->change);
}

static enum err try_once(struct lmdb_commit *c, struct entry *entries, size_t count)
{
        MDB_txn *txn;
        enum err rc = lmdb_env_write_begin(c->env, &txn);

        if (rc != OK)
                return rc;
        lmdb_change_begin(&c->change, txn);
        rc = apply_all(c, entries, count);
        if (rc == OK && c->change.changed)
                rc = commit_change(c, &txn);
        if (txn != NULL)
                mdb_txn_abort(txn);
        if (rc == OK)
                set_positions(c, entries, count);
        return rc;
}

/* One transaction, done again in a larger map for as long as the map is full and can grow. */
static enum err try_growing(struct lmdb_commit *c, struct entry *entries, size_t count)
{
        for (;;) {
                enum err rc = try_once(c, entries, count);

                if (rc != ERR_MAP_FULL || lmdb_env_grow(c->env) != OK)
                        return rc;
        }
}

static void fail(struct source_write *write, enum err rc)
{
        LOG_ERROR("write failed", LOG_ERR(rc));
        write->status = rc;
        if (write->message.text[0] == '\0')
                (void)err_set(&write->message, rc, "%s", err_text(rc));
}

static void commit_entries(struct lmdb_commit *c, struct entry *entries, size_t count)
{
        enum err rc = try_growing(c, entries, count);

        if (rc == OK)
                return;
        for (size_t i = 0; i < count; i++) {
                if (count > 1)
                        rc = try_growing(c, &entries[i], 1);
                if (rc != OK)
                        fail(entries[i].write, rc);
        }
}

/* Moves writes from the front of `writes` to `taken`. Those whose rows can be made get an entry; the others have their
 * status already, and are answered in their turn. */
static size_t take(struct lmdb_commit *c, struct list *writes, struct list *taken)
{
        size_t count = 0;

        for (uint32_t n = 0; n < c->batch_max && !list_empty(writes); n++) {
                struct list *link = list_pop_front(writes);
                struct entry *entry = &c->entries[count];

                list_push_back(taken, link);
                entry->write = LIST_ENTRY(link, struct source_write, link);
                entry->write->message.text[0] = '\0';
                entry->write->status =
                        lmdb_rows_make(&entry->rows, entry->write, c->change.schema, &entry->write->message);
                count += entry->write->status == OK;
        }
        return count;
}

void lmdb_commit_run(struct lmdb_commit *c, struct list *writes)
{
        struct list taken;
        size_t count;

        list_init(&taken);
        count = take(c, writes, &taken);
        if (count > 0)
                commit_entries(c, c->entries, count);
        for (size_t i = 0; i < count; i++)
                lmdb_rows_deinit(&c->entries[i].rows);
        while (!list_empty(&taken)) {
                struct source_write *write = LIST_ENTRY(list_pop_front(&taken), struct source_write, link);

                write->done(write);
        }
}
