/* The source of truth, behind one interface: read many, write, go through it, health. LMDB is the first member; a
 * PostgreSQL source joins without edits elsewhere.
 *
 * All calls are asynchronous in form: a request carries its `done`, which is called exactly once. A source may call it
 * before the call returns (LMDB reads do: they are answered from mapped memory) or later on a thread of its own (LMDB
 * writes: the writer thread after the commit). Who needs another thread posts a mail from `done`. */
#ifndef DATABASE_SOURCE_H
#define DATABASE_SOURCE_H

#include "base/clock.h"
#include "database/source_walk.h"
#include "database/source_write.h"

struct source;

/* One key to read. The caller owns it and keeps it until `done`. */
struct source_read {
        struct list link; /* in the batch */
        const struct record_type *type;
        struct slice tenant;
        struct slice id;
        void (*done)(struct source_read *read);
        void *context;
        /* set before `done`: */
        enum err status;          /* OK, or why it cannot be known now (never OK for a failed read) */
        bool found;               /* there is such a student; false: `value` is empty */
        struct buf value;         /* msgpack of the reply; initialised by the caller, freed by the caller */
        uint64_t epoch;           /* the history it was read in: of the hooks; 0: the source cannot say */
        struct snapshot snapshot; /* what the data contains */
};

/* What the freshness layer does around each commit, called on the source's writer thread in this order:
 * before (the tags' entries stop answering), the commit, after (with its position) or aborted; then writes' `done`.
 * One commit is one bracket: `before` once with the tags of all its writes, `after` or `aborted` once with the same; a
 * tag may be among them twice. When the outcome of a commit is unknown (the disk failed in its last write) neither
 * follows: the tags stay poisoned, and the source answers nothing until it is opened anew. `opened` is called once,
 * before anything is read or written, with the newest position there is. */
struct source_hooks {
        void (*opened)(void *context, uint64_t epoch, struct position newest);
        void (*before)(void *context, const uint64_t *tag_hashes, size_t count);
        void (*after)(void *context, const uint64_t *tag_hashes, size_t count, struct position position);
        void (*aborted)(void *context, const uint64_t *tag_hashes, size_t count);
        void *context;
        uint64_t epoch;    /* what the reads of this opening carry */
        uint64_t tag_seed; /* for tag_hash() */
};

struct source_health {
        bool ok;
        const char *problem; /* a literal, or NULL */
        uint64_t bytes_used;
        uint64_t bytes_mapped;
        uint64_t bytes_free_on_disk;
        uint32_t readers;
        uint32_t readers_max;
        uint64_t students;
        uint64_t records;
        uint64_t last_position;
        bool deep;        /* the integrity figures below are set */
        uint64_t damaged; /* records or index rows that do not fit together */
};

struct source_ops {
        const char *name;
        /* Answers every read of the list (left empty) from ONE snapshot. Any thread. */
        void (*fetch_many)(struct source *source, struct list *reads);
        /* Takes the write in order of the calls; `done` follows. Prepares it on the calling thread (an IMPORT's rows:
         * about two microseconds each), commits it on another. Any thread. */
        void (*apply)(struct source *source, struct source_write *write);
        /* OK when the index was walked to its end or the visitor stopped it. Any thread. */
        enum err (*scan)(struct source *source, const struct source_scan *scan, struct err_msg *msg);
        /* OK when all rows were visited; else the visitor's result, or why the rest cannot be read. Any thread. */
        enum err (*walk)(struct source *source, const struct source_walk *walk, struct err_msg *msg);
        /* Any thread; `deep` reads everything, and may take seconds. */
        enum err (*health)(struct source *source, bool deep, struct source_health *out, struct err_msg *msg);
        /* Stops taking writes, finishes those taken, closes, frees, nulls. */
        void (*close)(struct source **source);
};

/* Every implementation's struct begins with this. */
struct source {
        uint32_t magic;
        const struct source_ops *ops;
};

#define SOURCE_MAGIC 0x50c3aa17u

static inline void source_fetch_many(struct source *s, struct list *reads)
{
        VC_ASSERT(s->magic == SOURCE_MAGIC);
        s->ops->fetch_many(s, reads);
}

static inline void source_apply(struct source *s, struct source_write *write)
{
        VC_ASSERT(s->magic == SOURCE_MAGIC);
        s->ops->apply(s, write);
}

#endif
