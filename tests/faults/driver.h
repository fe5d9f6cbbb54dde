/* The parts of fault_driver (driver.c says what it does and how it is told). One writer or reader is one thread; it
 * owns its struct, and the main thread reads their histories when they have ended. */
#ifndef TESTS_FAULTS_DRIVER_H
#define TESTS_FAULTS_DRIVER_H

#include "tests/faults/checker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { NODES_MAX = 4, WRITERS_MAX = 16, READERS_MAX = 16, SQL_MAX = 512, TOKEN_MAX = 64, BULK_KEYS = 64 };

struct driver_options {
        const char *nodes[NODES_MAX]; /* host:port */
        unsigned node_count;
        const char *writer_dsns[WRITERS_MAX]; /* dealt out to the writers */
        unsigned writer_dsn_count;
        const char *admin_dsn; /* asked what became of a write */
        uint32_t keys;         /* students 1 to this are written to */
        uint32_t missing;      /* so many after them never are there */
        unsigned writers, readers, pipeline;
        long write_pause_ms, read_pause_ms;
        int64_t bound, deadline;
        unsigned strict_percent, token_percent;
        bool lossy; /* acknowledged commits may be lost: told by reading the database after each fault */
};

/* How a writer commits, as SQL: what comes before the changes, after them, and the message that commits. {writer} is
 * its number. */
struct write_mode {
        char before[SQL_MAX], after[SQL_MAX], commit[SQL_MAX];
        bool bulk; /* many keys in one transaction, by COPY */
};

/* What writers and readers share. */
struct shared {
        const struct driver_options *options;
        pthread_mutex_t lock;
        struct write_mode modes[WRITERS_MAX];
        struct {
                uint32_t key;
                uint64_t version;
                char text[TOKEN_MAX];
        } tokens[WRITERS_MAX];
        atomic_bool stopping, frozen;
        atomic_uint idle;         /* writers that have seen `frozen` */
        atomic_uint reread;       /* raised: each writer is to compare its keys with the database */
        atomic_uint reread_done;  /* by how many writers, in all; the first time: at the start */
        _Atomic int64_t crash_at; /* when the database began to lose what it had; 0: it did not */
        _Atomic uint64_t values, unavailable, others, commits, unknowns;
};

struct told_step {
        uint32_t key;
        struct step step;
};

struct writer {
        struct shared *shared;
        unsigned number;
        pthread_t thread;
        void *connection, *admin; /* PGconn */
        uint64_t version, seed;
        struct told_step *steps;
        size_t step_count, step_room;
        struct step *last; /* by key: what it holds */
        unsigned rereads_seen;
        char token[TOKEN_MAX];
};

enum { READS_PER_CHUNK = 1 << 15 };

struct read_chunk {
        struct read_chunk *next;
        size_t count;
        struct read reads[READS_PER_CHUNK];
};

struct reader {
        struct shared *shared;
        unsigned number;
        pthread_t thread;
        void *connection; /* redisContext */
        uint64_t seed;
        struct read_chunk *first, *last;
};

int64_t driver_now(void);

/* Ends the program: the campaign cannot go on. */
_Noreturn void driver_fail(const char *what, const char *detail);

/* A pause of the calling thread; 0: none. */
void driver_pause(long ms);

/* Threads' bodies: until shared->stopping. */
void *writer_run(void *writer);
void *reader_run(void *reader);

/* Which writer has `key`. */
unsigned writer_of(const struct driver_options *o, uint32_t key);

/* What `text`, the reply to a read of `type`, shows: by the members "version" in it. False: a part of it is an error,
 * which says nothing of the others either. */
bool reply_shows(const char *type, const char *text, size_t len, struct shown *out);

/* Judges all, once all threads have ended, and prints the report, one line of JSON. False: no memory, or a history that
 * cannot be. */
bool driver_report(struct shared *s, struct writer *writers, struct reader *readers, struct checker *c);

#endif
