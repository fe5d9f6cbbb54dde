/* The source of truth, behind one interface: read many, write, go through it, health.
 *
 * All calls are asynchronous in form: a request carries its `done`, which is called exactly once. A source may call it
 * before the call returns (LMDB reads do: they are answered from mapped memory) or later: reads on the loop of the port
 * that they went through, writes on a thread of the source's own. Who needs another thread posts a mail from `done`. */
#ifndef DATABASE_SOURCE_H
#define DATABASE_SOURCE_H

#include "database/source_read.h"
#include "database/source_walk.h"
#include "database/source_write.h"

struct source;
struct event_base;

/* One loop's way into the source: what a source keeps for each loop that reads it (its connections). Every
 * implementation's struct begins with this. */
struct source_port {
        struct source *source;
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
        bool foreign;        /* a server that others run: it has none of the figures below */
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
        /* A port for the loop of `base`. ERR_NOMEM, ERR_IO; *out is NULL then. Before the loop runs, or on its
         * thread. */
        enum err (*open_port)(struct source *source, struct event_base *base, struct source_port **out);
        /* When no read is under way in it, before the source is closed. Frees, nulls. Once its loop has ended, any
         * thread. */
        void (*close_port)(struct source_port **port);
        /* Answers every read of the list (left empty), each from one snapshot, which as many share as can. `done` is
         * called on the port's loop, before this returns or later. The thread of the port's loop only. */
        void (*fetch_many)(struct source_port *port, struct list *reads);
        /* Takes the write in order of the calls; `done` follows. Prepares it on the calling thread (an IMPORT's rows:
         * about two microseconds each), commits it on another. Any thread. */
        void (*apply)(struct source *source, struct source_write *write);
        /* OK when the index was walked to its end or the visitor stopped it. Any thread. */
        enum err (*scan)(struct source *source, const struct source_scan *scan, struct err_msg *msg);
        /* OK when all rows were visited; else the visitor's result, or why the rest cannot be read. Any thread. */
        enum err (*walk)(struct source *source, const struct source_walk *walk, struct err_msg *msg);
        /* Any thread; `deep` reads everything, and may take seconds. */
        enum err (*health)(struct source *source, bool deep, struct source_health *out, struct err_msg *msg);
        /* Has finished the writes taken when it returns; no more may come. Reads go on. May be called again. NULL: it
         * takes none. */
        void (*stop)(struct source *source);
        /* Stops, closes, frees, nulls. All ports are closed. */
        void (*close)(struct source **source);
};

/* Every implementation's struct begins with this. */
struct source {
        uint32_t magic;
        const struct source_ops *ops;
};

#define SOURCE_MAGIC 0x50c3aa17u

static inline enum err source_port_open(struct source *s, struct event_base *base, struct source_port **out)
{
        VC_ASSERT(s->magic == SOURCE_MAGIC);
        return s->ops->open_port(s, base, out);
}

static inline void source_stop(struct source *s)
{
        VC_ASSERT(s->magic == SOURCE_MAGIC);
        if (s->ops->stop != NULL)
                s->ops->stop(s);
}

/* NULL-safe; nulls. */
static inline void source_port_close(struct source_port **port)
{
        if (*port == NULL)
                return;
        VC_ASSERT((*port)->source->magic == SOURCE_MAGIC);
        (*port)->source->ops->close_port(port);
}

static inline void source_fetch_many(struct source_port *port, struct list *reads)
{
        VC_ASSERT(port->source->magic == SOURCE_MAGIC);
        port->source->ops->fetch_many(port, reads);
}

static inline void source_apply(struct source *s, struct source_write *write)
{
        VC_ASSERT(s->magic == SOURCE_MAGIC);
        s->ops->apply(s, write);
}

/* open_port and close_port of a source that keeps nothing for a loop. */
enum err source_plain_port_open(struct source *source, struct event_base *base, struct source_port **out) MUST_CHECK;
void source_plain_port_close(struct source_port **port);

#endif
