#include "database/lmdb_commit.h"

#include "base/log.h"
#include "base/mem.h"
#include "database/lmdb_change.h"
#include "database/lmdb_wipe.h"

/* Why no nested transaction for each write, so that a bad one can be rolled back alone: LMDB's cost a copy of every
 * page touched. Nearly all bad writes are refused before they change anything; the rest (no memory, no disk, damage)
 * are so rare that the whole batch may be aborted and done again, one write to a transaction. */

struct lmdb_commit {
        struct lmdb_env *env;
        struct source_hooks hooks;
        struct lmdb_change change;
        uint32_t batch_max;
        struct source_write *writes[]; /* of the transaction under way; room for batch_max */
};

enum err lmdb_commit_create(struct lmdb_commit **out, struct lmdb_env *env, const struct lmdb_schema *schema,
        const struct source_hooks *hooks, uint32_t batch_max)
{
        struct lmdb_commit *c;

        VC_ASSERT(batch_max > 0);
        *out = NULL;
        c = vc_calloc(1, sizeof(*c) + batch_max * sizeof(c->writes[0]));
        if (c == NULL)
                return ERR_NOMEM;
        c->env = env;
        c->hooks = *hooks;
        c->batch_max = batch_max;
        c->change = (struct lmdb_change){
                .store.dbs = lmdb_env_dbs(env), .store.schema = schema, .tag_seed = hooks->tag_seed};
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

        if (change->store.has_merges)
                lmdb_env_note_merges(c->env);
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
static void set_positions(const struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        uint64_t n = c->change.changed ? c->change.store.position.n : c->change.store.position.n - 1;

        for (size_t i = 0; i < count; i++)
                if (writes[i]->status == OK)
                        writes[i]->position = (struct position){n};
}

static enum err apply_all(struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                enum err rc = lmdb_change_apply(&c->change, writes[i], writes[i]->prepared);

                if (rc != OK)
                        return rc;
        }
        return lmdb_change_finish(&c->change);
}

static enum err try_once(struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        MDB_txn *txn;
        enum err rc = lmdb_env_write_begin(c->env, &txn);

        if (rc != OK)
                return rc;
        c->change.store.has_merges = lmdb_env_has_merges(c->env);
        rc = lmdb_change_begin(&c->change, txn);
        if (rc == OK)
                rc = apply_all(c, writes, count);
        lmdb_change_end(&c->change);
        if (rc == OK && c->change.changed)
                rc = commit_change(c, &txn);
        if (txn != NULL)
                mdb_txn_abort(txn);
        if (rc == OK)
                set_positions(c, writes, count);
        return rc;
}

/* One transaction, done again in a larger map for as long as the map is full and can grow. */
static enum err try_growing(struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        for (;;) {
                enum err rc = try_once(c, writes, count);

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

static void commit_all(struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        enum err rc = try_growing(c, writes, count);

        if (rc == OK)
                return;
        for (size_t i = 0; i < count; i++) {
                if (count > 1)
                        rc = try_growing(c, &writes[i], 1);
                if (rc != OK)
                        fail(writes[i], rc);
        }
}

static size_t rows_of(const struct source_write *write)
{
        return write->prepared == NULL ? 0 : ((const struct lmdb_rows *)write->prepared)->count;
}

/* Moves writes from the front of `waiting` to `taken`. Those whose rows could be made are to be carried out; the others
 * have their status already, and are answered in their turn. */
static size_t take(struct lmdb_commit *c, struct list *waiting, struct list *taken)
{
        size_t count = 0;
        size_t rows = 0;

        for (uint32_t n = 0; n < c->batch_max && rows < LMDB_COMMIT_ROWS && !list_empty(waiting); n++) {
                struct list *link = list_pop_front(waiting);
                struct source_write *write = LIST_ENTRY(link, struct source_write, link);

                list_push_back(taken, link);
                rows += rows_of(write);
                if (write->status == OK)
                        c->writes[count++] = write;
        }
        return count;
}

/* What was erased has left the records; it must leave LMDB's memory, too. */
static void wipe_after_erasure(struct lmdb_commit *c, struct source_write **writes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (writes[i]->kind != WRITE_ERASE_STUDENT || writes[i]->status != OK)
                        continue;
                enum err rc = lmdb_wipe(c->env);

                while (rc == ERR_MAP_FULL && lmdb_env_grow(c->env) == OK)
                        rc = lmdb_wipe(c->env);
                if (rc != OK)
                        LOG_WARNING("the writer's memory may hold parts of an erased record", LOG_ERR(rc));
                return;
        }
}

void lmdb_commit_run(struct lmdb_commit *c, struct list *waiting)
{
        struct list taken;
        size_t count;

        list_init(&taken);
        count = take(c, waiting, &taken);
        if (count > 0)
                commit_all(c, c->writes, count);
        wipe_after_erasure(c, c->writes, count);
        while (!list_empty(&taken)) {
                struct source_write *write = LIST_ENTRY(list_pop_front(&taken), struct source_write, link);

                lmdb_rows_release(write);
                write->done(write);
        }
        lmdb_env_make_room(c->env);
}
