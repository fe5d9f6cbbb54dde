/* Group commit: many writes, one transaction, one fsync (docs/FRESHNESS.md, 3.1). */
#ifndef DATABASE_LMDB_COMMIT_H
#define DATABASE_LMDB_COMMIT_H

#include "base/list.h"
#include "database/lmdb_env.h"

struct lmdb_commit;

/* A transaction of more would keep the writes behind it waiting for long, and be no cheaper by the row. */
enum { LMDB_COMMIT_ROWS = 1 << 15 };

/* A committer over `env`; `schema` and what it points to outlive it. ERR_NOMEM; *out is NULL then. */
enum err lmdb_commit_create(struct lmdb_commit **out, struct lmdb_env *env, const struct lmdb_schema *schema,
        const struct source_hooks *hooks, uint32_t batch_max) MUST_CHECK;
void lmdb_commit_destroy(struct lmdb_commit **commit);

/* Takes writes from the front of `waiting`, in their order, up to batch_max and until they have LMDB_COMMIT_ROWS rows
 * together, and carries them out: one transaction, hooks.before, commit, hooks.after (or aborted), then `done` of each
 * in the same order. All have been through lmdb_rows_prepare(). A write that is refused or fails does so alone. `done`
 * may free its write. One thread at a time. */
void lmdb_commit_run(struct lmdb_commit *commit, struct list *waiting);

#endif
