/* Problem: LMDB changes copies of pages in memory that it has from malloc. When their transaction ends it does not give
 * them back, but keeps them for the next ones, as they are. A record that was erased would stay there, in the copies
 * that its pages had when it was written or a neighbour of it was, until other pages need the room: for ever, after one
 * large import and little else.
 *
 * Idea: a transaction that needs all these pages, fills each to the brim with zeros, and is given up. LMDB takes the
 * pages it keeps before it asks for new ones, the last one kept first; and new ones it clears. So when many in a row
 * are found empty, all are through: what lies below them has been wiped before. Two records fill a page.
 *
 * The pages above the leaves are not filled to the brim: they keep something of what they held before. They are few
 * (one for some hundred leaves), and a second transaction of as many pages meets the pages in the other order, so that
 * what was above is a leaf then.
 *
 * Why not MDB_WRITEMAP, which needs no copies: a stray pointer of ours could then write into the database.
 *
 * Cost: a microsecond or two for each page of the largest transaction since the last time. */
#include "database/lmdb_wipe.h"

enum {
        RUN_OF_EMPTY = 64, /* pages found empty one after the other: there are no others */
        PAGE_HEAD = 16,    /* of LMDB's pages */
        NODE_HEAD = 8,     /* of a record in them, without its key */
        NODE_PLACE = 2,    /* a record's entry at the page's start */
        KEY_LEN = 12
};

static const uint8_t BEHIND_ALL[KEY_LEN] = {0xff, 0xff, 0xff, 0xff}; /* no record's key begins so */

struct wipe {
        MDB_txn *txn;
        MDB_dbi db;
        size_t value_len; /* two of them fill a page */
        size_t pages;
        size_t empty_run;
};

static void make_key(uint64_t number, uint8_t *key)
{
        memcpy(key, BEHIND_ALL, KEY_LEN);
        for (int i = 0; i < 8; i++)
                key[KEY_LEN - 1 - i] = (uint8_t)(number >> 8 * i);
}

static bool is_empty(const uint8_t *bytes, size_t len)
{
        return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Half a page of zeros. */
static int wipe_half(struct wipe *w, uint64_t number, bool *was_empty)
{
        uint8_t key[KEY_LEN];
        MDB_val at = {sizeof(key), key};
        MDB_val value = {w->value_len, NULL};
        int rc;

        make_key(number, key);
        rc = mdb_put(w->txn, w->db, &at, &value, MDB_APPEND | MDB_RESERVE);
        if (rc != MDB_SUCCESS)
                return rc;
        *was_empty = is_empty(value.mv_data, w->value_len);
        memset(value.mv_data, 0, w->value_len);
        return MDB_SUCCESS;
}

static int wipe_page(struct wipe *w)
{
        bool upper;
        bool lower;
        int rc = wipe_half(w, 2 * w->pages, &upper);

        if (rc == MDB_SUCCESS)
                rc = wipe_half(w, 2 * w->pages + 1, &lower);
        if (rc != MDB_SUCCESS)
                return rc;
        w->pages++;
        w->empty_run = upper && lower ? w->empty_run + 1 : 0;
        return MDB_SUCCESS;
}

/* Wipes at least so many pages, and goes on until RUN_OF_EMPTY are found empty. */
static enum err wipe_once(struct lmdb_env *env, size_t least, size_t *pages)
{
        struct wipe w = {.db = lmdb_env_dbs(env)->records};
        MDB_stat stat;
        enum err rc = lmdb_env_write_begin(env, &w.txn);
        int result;

        if (rc != OK)
                return rc;
        result = mdb_stat(w.txn, w.db, &stat);
        if (result == MDB_SUCCESS) {
                w.value_len = (stat.ms_psize - PAGE_HEAD) / 2 - NODE_PLACE - NODE_HEAD - KEY_LEN;
                while (result == MDB_SUCCESS && (w.pages < least || w.empty_run < RUN_OF_EMPTY))
                        result = wipe_page(&w);
        }
        mdb_txn_abort(w.txn);
        *pages = w.pages;
        return result == MDB_SUCCESS ? OK : lmdb_err(result);
}

enum err lmdb_wipe(struct lmdb_env *env)
{
        size_t pages;
        enum err rc = wipe_once(env, 0, &pages);

        return rc == OK ? wipe_once(env, pages, &pages) : rc;
}
