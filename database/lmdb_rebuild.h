/* A database written anew, entry by entry, into pages that never held anything else.
 *
 * LMDB's own compacting copy (database/lmdb_image.h) leaves out free pages, but copies the last page of a long value
 * whole, and what lies behind the value there may be left from a record that was erased. Here nothing is copied but
 * what the database has. It takes somewhat longer, and nobody may write meanwhile.
 *
 * Entries may become others on their way: that is how a database is upgraded (database/lmdb_upgrade.h). */
#ifndef DATABASE_LMDB_REBUILD_H
#define DATABASE_LMDB_REBUILD_H

#include "database/lmdb_mark.h"

struct lmdb_rebuild_entry {
        const char *part; /* the sub-database that it is of */
        MDB_dbi to;       /* the one of that name in the new file */
        MDB_val key;
        MDB_val value;
};

/* For copies that can be gone on with when they were killed: each transaction is durable, and has the mark of how far
 * it came (database/lmdb_mark.h). None of it is NULL but the context. */
struct lmdb_rebuild_steps {
        const struct lmdb_mark *mark; /* of what and for what the copy is, and how far the one that is there has come */
        size_t bytes;                 /* of entries in one transaction */
        enum err (*resume)(void *context, MDB_txn *out, MDB_dbi place); /* behind `begin`, when one is there */
        enum err (*save)(void *context, MDB_txn *out, MDB_dbi place);   /* before the end of a transaction */
        void (*saved)(void *context);                                   /* it is durable */
        void *context;
};

/* What becomes of the entries; NULL: what they were. A transaction may end between two of them, and *out is another
 * one then. */
struct lmdb_rebuild_hooks {
        enum err (*begin)(void *context, MDB_txn *out, struct err_msg *msg);
        bool (*wants)(void *context, const char *part);
        enum err (*entry)(void *context, MDB_txn *out, const struct lmdb_rebuild_entry *entry);
        enum err (*end)(void *context, MDB_txn *out, struct err_msg *msg);
        const struct lmdb_rebuild_steps *steps; /* NULL: it is begun again when it was killed */
        void *context;
};

/* Writes the database of the folder `from`, which nobody may be writing, into `to`, a folder without one (but for what
 * is gone on with), and makes it durable; its positions go on. `hooks` NULL: all of it as it is. ERR_NOTFOUND,
 * ERR_VERSION, ERR_CORRUPT, ERR_DISK_FULL, ERR_MAP_FULL, ERR_IO, ERR_NOMEM, what hooks returned; what is in `to` is of
 * no use then. One thread. */
enum err lmdb_rebuild(
        const char *from, const char *to, const struct lmdb_rebuild_hooks *hooks, struct err_msg *msg) MUST_CHECK;

/* Puts an entry as it is. Errors of LMDB. */
enum err lmdb_rebuild_keep(MDB_txn *out, const struct lmdb_rebuild_entry *entry) MUST_CHECK;

#endif
