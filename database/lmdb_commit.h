/* Group commit: many writes, one transaction, one fsync (docs/FRESHNESS.md, 3.1). */
#ifndef DATABASE_LMDB_COMMIT_H
#define DATABASE_LMDB_COMMIT_H

#include "base/list.h"
#include "database/lmdb_env.h"

struct lmdb_commit;

/* A committer over `env`; `schema` and what it points to outlive it. ERR_NOMEM; *out is NULL then. */
enum err lmdb_commit_create(struct lmdb_commit **out, struct lmdb_env *env, const struct lmdb_schema *schema,
        const struct source_hooks *hooks, uint32_t batch_max) MUST_CHECK;
void lmdb_commit_destroy(struct lmdb_commit **commit);

/* Takes up to batch_max writes from the front of `writes`, in their order, and carries them out: makes their rows, one
 * transaction, hooks.before, commit, hooks.after (or aborted), then `done` of each in the same order. A write that is
 * refused or fails does so alone. `done` may free its write. One thread at a time. */
void lmdb_commit_run(struct lmdb_commit *commit, struct list *writes);

#endif
