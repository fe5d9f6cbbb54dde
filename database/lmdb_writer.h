/* The writer thread: takes writes in the order of their coming, and commits in groups what has come meanwhile. */
#ifndef DATABASE_LMDB_WRITER_H
#define DATABASE_LMDB_WRITER_H

#include "base/list.h"
#include "database/lmdb_commit.h"

struct lmdb_writer;

/* Starts the thread over `commit`, which it alone uses from then on. ERR_NOMEM; *out is NULL then. */
enum err lmdb_writer_start(struct lmdb_writer **out, struct lmdb_commit *commit) MUST_CHECK;

/* Hands over a write; its `done` follows on the writer's thread. Any thread; never waits for a commit. */
void lmdb_writer_add(struct lmdb_writer *writer, struct source_write *write);

/* Finishes the writes it has, ends the thread, frees, nulls. Nobody may add any more. NULL-safe. */
void lmdb_writer_stop(struct lmdb_writer **writer);

#endif
