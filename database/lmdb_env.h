/* The LMDB environment: its folder, exclusive lock, map and transactions.
 *
 * The map is a large sparse stretch of address space. When a write transaction finds it full, the writer aborts, waits
 * at a barrier until the reads under way have ended (they are short), doubles the map, and does its work again. */
#ifndef DATABASE_LMDB_ENV_H
#define DATABASE_LMDB_ENV_H

#include "database/lmdb_err.h"
#include "database/lmdb_meta.h"

struct lmdb_env;

struct lmdb_env_config {
        const char *path;
        uint64_t map_size;
        uint64_t map_size_max;
        uint32_t max_readers;
        const struct lmdb_schema *schema;
};

struct lmdb_usage {
        bool dead;           /* a commit failed half-way, or the map could not be mapped again: restart */
        uint64_t bytes_used; /* of the file, pages that are free for use again included */
        uint64_t bytes_mapped;
        uint64_t bytes_mapped_max;
        uint64_t bytes_free_on_disk;
        uint32_t readers; /* slots of the reader table that are or were in use, all processes together */
        uint32_t readers_max;
        uint64_t last_position;
};

/* Opens or makes the environment in the folder, with the exclusive lock held, the format checked and every sub-database
 * open. *damage_suspected: the file is shorter than its pages, so a deep check should decide. Errors as
 * lmdb_source_open(); *out is NULL then. */
enum err lmdb_env_open(struct lmdb_env **out, const struct lmdb_env_config *config, bool *damage_suspected,
        struct err_msg *msg) MUST_CHECK;

/* Closes, frees, nulls. No transaction may be under way. NULL-safe. */
void lmdb_env_close(struct lmdb_env **env);

/* The handles of its sub-databases; the same for its life. Any thread. */
const struct lmdb_dbs *lmdb_env_dbs(const struct lmdb_env *env);

/* Whether any student may be merged into another (database/lmdb_merge.h). Asked with a read transaction open, it is
 * true if that transaction sees a merge. Any thread. */
bool lmdb_env_has_merges(const struct lmdb_env *env);

/* There will be one, once the transaction under way is committed. The writer's thread. */
void lmdb_env_note_merges(struct lmdb_env *env);

/* A read transaction on the newest snapshot. It holds up the growth of the map: keep it short, begin no second one
 * while it lasts, and wait for no write. Any thread. ERR_IO when the environment is dead; *txn is NULL then. */
enum err lmdb_env_read_begin(struct lmdb_env *env, MDB_txn **txn) MUST_CHECK;
void lmdb_env_read_end(struct lmdb_env *env, MDB_txn **txn);

/* The write transaction; one at a time, all in one thread (or before that thread starts). End it with
 * lmdb_env_write_commit() or mdb_txn_abort(). */
enum err lmdb_env_write_begin(struct lmdb_env *env, MDB_txn **txn) MUST_CHECK;

/* Makes it durable (*txn is NULL afterwards, whatever comes of it). On failure nothing has happened, unless
 * *outcome_unknown: the last page may or may not have reached the disk, and the environment is dead: no transaction
 * begins any more until it is opened anew. */
enum err lmdb_env_write_commit(struct lmdb_env *env, MDB_txn **txn, bool *outcome_unknown) MUST_CHECK;

/* After a commit, and after its writes were answered: makes page cache ready for the file's further growth
 * (database/lmdb_room.h). The writer's thread, with no transaction of its own. */
void lmdb_env_make_room(struct lmdb_env *env);

/* Doubles the map, at most to its maximum. The writer's thread, with no transaction of its own. ERR_MAP_FULL when it is
 * at its maximum, or there is no address space for more. */
enum err lmdb_env_grow(struct lmdb_env *env) MUST_CHECK;

/* Runs `work` in a write transaction and commits it, growing the map and starting over when it is full. For set-up,
 * before the writer runs. */
typedef enum err (*lmdb_work_fn)(MDB_txn *txn, void *context, struct err_msg *msg);
enum err lmdb_env_update(struct lmdb_env *env, lmdb_work_fn work, void *context, struct err_msg *msg) MUST_CHECK;

/* Figures for HEALTH. Any thread. */
enum err lmdb_env_usage(struct lmdb_env *env, struct lmdb_usage *out) MUST_CHECK;

#endif
