#include "database/lmdb_readers.h"

#include "base/mem.h"

#include <pthread.h>

struct lmdb_readers {
        MDB_env *env;
        pthread_mutex_t lock;
        pthread_cond_t given;
        uint32_t made; /* in the pool and out of it */
        uint32_t max;
        uint32_t idle_count;
        MDB_txn *idle[]; /* reset; room for max */
};

enum err lmdb_readers_create(struct lmdb_readers **out, MDB_env *env, uint32_t max)
{
        struct lmdb_readers *r;

        VC_ASSERT(max > 0);
        *out = NULL;
        r = vc_calloc(1, sizeof(*r) + max * sizeof(r->idle[0]));
        if (r == NULL)
                return ERR_NOMEM;
        r->env = env;
        r->max = max;
        VC_ASSERT(pthread_mutex_init(&r->lock, NULL) == 0);
        VC_ASSERT(pthread_cond_init(&r->given, NULL) == 0);
        *out = r;
        return OK;
}

void lmdb_readers_destroy(struct lmdb_readers **readers)
{
        struct lmdb_readers *r = *readers;

        if (r == NULL)
                return;
        VC_ASSERT(r->idle_count == r->made);
        for (uint32_t i = 0; i < r->idle_count; i++)
                mdb_txn_abort(r->idle[i]);
        (void)pthread_cond_destroy(&r->given);
        (void)pthread_mutex_destroy(&r->lock);
        vc_free(r);
        *readers = NULL;
}

/* A reset transaction, or NULL when the caller is to make one (it counts as made already). */
static MDB_txn *take_idle(struct lmdb_readers *r)
{
        MDB_txn *txn = NULL;

        (void)pthread_mutex_lock(&r->lock);
        while (r->idle_count == 0 && r->made == r->max)
                (void)pthread_cond_wait(&r->given, &r->lock);
        if (r->idle_count > 0)
                txn = r->idle[--r->idle_count];
        else
                r->made++;
        (void)pthread_mutex_unlock(&r->lock);
        return txn;
}

static void put_idle(struct lmdb_readers *r, MDB_txn *txn)
{
        (void)pthread_mutex_lock(&r->lock);
        r->idle[r->idle_count++] = txn;
        (void)pthread_cond_signal(&r->given);
        (void)pthread_mutex_unlock(&r->lock);
}

/* The one that was to be made could not be. True: the table is full of others' readers but some of ours are out, so it
 * is as large as it gets and the caller can wait for one. */
static bool give_up_one(struct lmdb_readers *r, int rc)
{
        bool can_wait;

        (void)pthread_mutex_lock(&r->lock);
        r->made--;
        can_wait = rc == MDB_READERS_FULL && r->made > 0;
        if (can_wait)
                r->max = r->made;
        (void)pthread_cond_signal(&r->given);
        (void)pthread_mutex_unlock(&r->lock);
        return can_wait;
}

/* A new transaction. Slots of processes that died are cleared before the table counts as full. */
static int make_one(struct lmdb_readers *r, MDB_txn **out)
{
        int rc = mdb_txn_begin(r->env, NULL, MDB_RDONLY, out);

        if (rc != MDB_READERS_FULL)
                return rc;
        (void)mdb_reader_check(r->env, NULL);
        return mdb_txn_begin(r->env, NULL, MDB_RDONLY, out);
}

enum err lmdb_readers_take(struct lmdb_readers *r, MDB_txn **out)
{
        int rc;

        *out = NULL;
        for (;;) {
                MDB_txn *txn = take_idle(r);

                if (txn != NULL) {
                        rc = mdb_txn_renew(txn);
                        if (rc == MDB_SUCCESS)
                                *out = txn;
                        else
                                put_idle(r, txn);
                        return lmdb_err(rc);
                }
                rc = make_one(r, out);
                if (rc == MDB_SUCCESS || !give_up_one(r, rc))
                        return lmdb_err(rc);
        }
}

void lmdb_readers_give(struct lmdb_readers *r, MDB_txn **txn)
{
        mdb_txn_reset(*txn);
        put_idle(r, *txn);
        *txn = NULL;
}
