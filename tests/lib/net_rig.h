/* One lane on a loop of its own, around a fake source, and clients that talk to it over socket pairs: the whole way of
 * a request, on one thread, without a port. Reads can be held back (fake_source_hold), and so can writes. */
#ifndef TESTS_LIB_NET_RIG_H
#define TESTS_LIB_NET_RIG_H

#include "net/lane.h"
#include "net/services.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/test.h"

struct net_rig {
        struct services services;
        struct event_base *base;
        struct lane lane;
        struct fake_source *fake;
        struct source source; /* the fake's reads, and writes of its own */
        struct list writes;   /* held back */
        uint64_t newest;      /* position of the last write answered */
        uint32_t stored;      /* rows that a walk meets: {"id":"0"}, {"id":"1"}, … of one student, in `visits` */
        const char *merged;   /* NULL, or the other id that goes with every student erased */
        size_t row_size;      /* 0, or how long a text `reason` in each of them is */
        bool emptied;         /* the lane said so */
};

/* All of it; small limits: 100 elements, bulk 64 kB, inline 4 kB, input 1 MB, output 1 MB, all clients together 4 MB,
 * 8 clients. `types_file` as
 * record_types_load wants it. */
void net_rig_init(struct net_rig *rig, const char *types_file);

/* Stops the lane; every client must be closed or idle. */
void net_rig_deinit(struct net_rig *rig);

/* A client's end of a new connection. The caller closes it. */
int net_rig_connect(struct net_rig *rig);

/* Runs the loop until nothing is ready any more. */
void net_rig_settle(struct net_rig *rig);

/* Sends, lets the lane work, and checks that exactly `reply` has come. */
void net_rig_dialogue(struct net_rig *rig, int client, const char *request, const char *reply);
void net_rig_send(struct net_rig *rig, int client, const char *request);
void net_rig_expect(struct net_rig *rig, int client, const char *reply);

/* Checks that the lane has closed the connection. */
void net_rig_expect_closed(struct net_rig *rig, int client);

/* Answers the writes held back with `status`, each at the next position; returns how many there were. */
unsigned net_rig_answer_writes(struct net_rig *rig, enum err status);

#endif
