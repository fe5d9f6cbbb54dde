/* What all connections of a server share, wired by main and handed to every command. Made before the workers start and
 * taken down after they have ended; the pointers do not change in between. Each thing named here says itself which
 * threads may use it. */
#ifndef NET_SERVICES_H
#define NET_SERVICES_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

struct aside;
struct client_memory;
struct record_types;
struct tiers;
struct l1;
struct option_change;
struct source;
struct truth_postgres;
struct freshness;
struct pubsub;
struct command_table;

/* CONFIG GET and SET, behind two functions, so that commands know nothing of how options are kept. Any thread. */
struct config_port {
        void *context;
        /* Calls `visit` for each option whose name matches the glob `pattern`; returns how many did. */
        size_t (*get)(void *context, const char *pattern, void (*visit)(void *arg, const char *name, const char *value),
                void *arg);
        /* Changes reloadable options now, all of them or none. ERR_BADARG says what would be right. */
        enum err (*set)(void *context, const struct option_change *changes, size_t count, struct err_msg *msg);
};

/* When what a connection has unsent closes it: at once, or after a while. */
struct output_limits {
        uint64_t hard; /* bytes; 0: none */
        uint64_t soft; /* bytes that it may have for no longer than `grace`; 0: none */
        struct nanos grace;
};

/* Limits of one connection, and of all of them together (options limits.*, server.*). */
struct client_limits {
        uint64_t elements;
        uint64_t depth;
        uint64_t bulk;
        uint64_t inline_line;
        uint64_t input;
        uint64_t output; /* of one reply */
        uint64_t output_pause;
        struct nanos output_stall; /* 0: none */
        struct output_limits ordinary;
        struct output_limits subscriber;
        uint64_t commands; /* under way at once */
        uint64_t turn_words;
        uint64_t turn_bytes;
        uint64_t memory; /* of all */
        uint64_t clients;
        struct nanos idle; /* 0: never timed out */
};

/* What INFO and HELLO say of this server. Paths and addresses are of the configuration. */
struct server_facts {
        const char *version;
        const char *run_id; /* 40 hex digits, new at each start */
        const char *bind;
        const char *socket_path; /* NULL: none */
        const char *config_path; /* NULL: none */
        const char *data_path;
        uint32_t threads;
        struct nanos started; /* boot clock */
        struct wall started_at;
};

struct services {
        const struct record_types *types;
        struct command_table *commands;
        struct tiers *tiers;
        struct l1 *l1; /* NULL: switched off */
        struct source *source;
        struct truth_postgres *truth; /* NULL: the embedded database; else the records are another's, to be read only */
        struct pg_checker *definitions; /* NULL: the embedded database */
        struct aside *intake;           /* where the values of imports are read; NULL: on the lane */
        struct aside *exports;          /* where exports are put together; NULL: on the lane */
        struct freshness *freshness;
        struct pubsub *pubsub;
        struct client_memory *client_memory;
        struct config_port config;
        struct client_limits limits;
        struct server_facts facts;
        uint16_t port;                   /* bound TCP port; 0: none */
        _Atomic uint64_t next_client_id; /* ids of connections: 1, 2, … */
        _Atomic uint32_t clients;        /* connected now */
};

#endif
