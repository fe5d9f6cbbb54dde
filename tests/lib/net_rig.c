#include "tests/lib/net_rig.h"

#include "base/option.h"
#include "cache/tiers.h"
#include "database/record_type.h"
#include "database/value.h"
#include "net/client_memory.h"
#include "net/command.h"
#include "net/pubsub.h"

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EPOCH = 77, REPLY_MAX = 1 << 20 };

/* ---- the source: reads are the fake's, writes wait in a list ---- */

static struct net_rig *rig_of(struct source *source)
{
        return LIST_ENTRY(source, struct net_rig, source);
}

static void fetch_many(struct source_port *port, struct list *reads)
{
        struct source_port fakes = {fake_source_as_source(rig_of(port->source)->fake)};

        source_fetch_many(&fakes, reads);
}

static void apply(struct source *source, struct source_write *write)
{
        list_init(&write->link);
        list_push_back(&rig_of(source)->writes, &write->link);
}

/* A row's cursor is its number in four bytes. */
static enum err visit_row(struct net_rig *rig, const struct source_walk *walk, uint32_t number)
{
        const uint8_t cursor[] = {0, 0, (uint8_t)(number >> 8), (uint8_t)number};
        struct source_row row = {.table = slice_str("visits"), .student = slice_str("1")};
        struct buf map;
        char id[16];
        enum err rc;

        buf_init(&map, 0);
        row.id = slice_of(id, (size_t)snprintf(id, sizeof(id), "%u", number));
        rc = value_put_map(&map, rig->row_size > 0 ? 2 : 1);
        if (rc == OK)
                rc = value_put_member(&map, "id", row.id);
        if (rc == OK && rig->row_size > 0) {
                char *reason = calloc(1, rig->row_size);

                assert_non_null(reason);
                memset(reason, 'x', rig->row_size);
                rc = value_put_member(&map, "reason", slice_of(reason, rig->row_size));
                free(reason);
        }
        row.map = buf_slice(&map);
        row.cursor = slice_of(cursor, sizeof(cursor));
        if (rc == OK)
                rc = walk->visit(walk->context, &row);
        buf_deinit(&map);
        return rc;
}

static enum err walk_rows(struct source *source, const struct source_walk *walk, struct err_msg *msg)
{
        struct net_rig *rig = rig_of(source);
        uint32_t first = walk->after.len == 4 ? (uint32_t)(walk->after.data[2] << 8 | walk->after.data[3]) + 1 : 0;
        enum err rc = OK;

        (void)msg;
        for (uint32_t i = first; rc == OK && i < rig->stored; i++)
                rc = visit_row(rig, walk, i);
        return rc;
}

static enum err health(struct source *source, bool deep, struct source_health *out, struct err_msg *msg)
{
        (void)source;
        (void)msg;
        *out = (struct source_health){.ok = true, .students = 3, .deep = deep};
        return OK;
}

static const struct source_ops OPS = {.name = "rig",
        .open_port = source_plain_port_open,
        .close_port = source_plain_port_close,
        .fetch_many = fetch_many,
        .apply = apply,
        .walk = walk_rows,
        .health = health};

unsigned net_rig_answer_writes(struct net_rig *rig, enum err status)
{
        struct list *link;
        unsigned count = 0;

        while ((link = list_pop_front(&rig->writes)) != NULL) {
                struct source_write *write = LIST_ENTRY(link, struct source_write, link);

                write->status = status;
                if (write->kind == WRITE_ERASE_STUDENT && rig->merged != NULL)
                        assert_ok(source_touched_add(write->touched, slice_str(rig->merged)));
                write->epoch = EPOCH;
                write->position = (struct position){++rig->newest};
                write->done(write);
                count++;
        }
        net_rig_settle(rig);
        return count;
}

/* ---- options: none ---- */

static size_t no_options(
        void *context, const char *pattern, void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
        (void)context;
        (void)pattern;
        (void)visit;
        (void)arg;
        return 0;
}

static enum err no_option(void *context, const struct option_change *changes, size_t count, struct err_msg *msg)
{
        (void)context;
        assert_true(count > 0);
        return err_set(msg, ERR_BADARG, "no option %s", changes[0].name);
}

/* ---- the parts ---- */

static void make_tiers(struct net_rig *rig)
{
        const struct freshness_config truth = {.slots = 1024, .polls_kept = 1, .tag_seed = 3, .always_certain = true};
        const struct l1_config memory = {.max_bytes = 1 << 20, .shards = 4, .policy = "lru", .seed = 42};
        struct services *s = &rig->services;
        struct tiers_config tiers;

        rig->source = (struct source){.magic = SOURCE_MAGIC, .ops = &OPS};
        list_init(&rig->writes);
        rig->newest = 1;
        rig->fake = fake_source_create(EPOCH);
        assert_ok(freshness_create(&s->freshness, &truth));
        freshness_begin_epoch(s->freshness, EPOCH, (struct position){1});
        assert_ok(l1_create(&s->l1, &memory, NULL));
        tiers = (struct tiers_config){
                .l1 = s->l1,
                .source = &rig->source,
                .freshness = s->freshness,
                .ttl_default = nanos_ms(60000),
                .seed = 5,
                .fills_max = 1000,
                .clock = clock_boot,
        };
        assert_ok(tiers_create(&s->tiers, &tiers));
        s->source = &rig->source;
}

static void on_emptied(void *context)
{
        struct net_rig *rig = context;

        rig->emptied = true;
}

void net_rig_init(struct net_rig *rig, const char *types_file)
{
        struct services *s = &rig->services;
        struct record_types *types;

        memset(rig, 0, sizeof(*rig));
        s->limits = (struct client_limits){.elements = 100,
                .depth = 8,
                .bulk = 64 << 10,
                .inline_line = 4 << 10,
                .input = 1 << 20,
                .output = 1 << 20,
                .output_pause = 256 << 10,
                .output_stall = nanos_ms(60000),
                .ordinary = {.soft = 512 << 10, .grace = nanos_ms(10000)},
                .subscriber = {.hard = 512 << 10, .soft = 128 << 10, .grace = nanos_ms(10000)},
                .commands = 256,
                .turn_words = 1024,
                .turn_bytes = 128 << 10,
                .memory = 4 << 20,
                .clients = 8};
        s->facts = (struct server_facts){.version = "0", .run_id = "0", .bind = "-", .data_path = "-", .threads = 1};
        s->config = (struct config_port){.get = no_options, .set = no_option};
        assert_ok(record_types_load(&types, &types_file, 1, NULL));
        s->types = types;
        rig->base = event_base_new();
        assert_non_null(rig->base);
        make_tiers(rig);
        assert_ok(command_table_create(&s->commands));
        assert_ok(pubsub_create(&s->pubsub, 1));
        assert_ok(client_memory_create(&s->client_memory, s->limits.memory, 1));
        assert_ok(lane_init(&rig->lane, s, rig->base, 0));
        pubsub_attach(s->pubsub, &rig->lane);
        rig->lane.emptied = on_emptied;
        rig->lane.emptied_context = rig;
}

void net_rig_deinit(struct net_rig *rig)
{
        struct services *s = &rig->services;
        struct record_types *types = (struct record_types *)(uintptr_t)s->types;

        net_rig_settle(rig);
        if (!rig->lane.stopping)
                lane_stop(&rig->lane, nanos_ms(1000));
        assert_true(rig->emptied);
        lane_deinit(&rig->lane);
        assert_int_equal(client_memory_bytes(s->client_memory), 0);
        client_memory_destroy(&s->client_memory);
        pubsub_destroy(&s->pubsub);
        command_table_destroy(&s->commands);
        tiers_destroy(&s->tiers);
        l1_destroy(&s->l1);
        freshness_destroy(&s->freshness);
        fake_source_destroy(&rig->fake);
        record_types_destroy(&types);
        event_base_free(rig->base);
}

/* ---- clients ---- */

int net_rig_connect(struct net_rig *rig)
{
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        lane_accept(&rig->lane, ends[0]);
        return ends[1];
}

void net_rig_settle(struct net_rig *rig)
{
        for (int i = 0; i < 20; i++) /* what one round makes ready, the next one runs */
                assert_int_not_equal(event_base_loop(rig->base, EVLOOP_NONBLOCK), -1);
}

void net_rig_send(struct net_rig *rig, int client, const char *request)
{
        size_t len = strlen(request);

        while (len > 0) {
                ssize_t sent = write(client, request, len);

                assert_true(sent > 0 || errno == EAGAIN);
                request += sent > 0 ? sent : 0;
                len -= sent > 0 ? (size_t)sent : 0;
                net_rig_settle(rig);
        }
}

void net_rig_expect(struct net_rig *rig, int client, const char *reply)
{
        char *got = calloc(1, REPLY_MAX);
        size_t len = 0;
        ssize_t n = 1;

        assert_non_null(got);
        while (n > 0 && len < REPLY_MAX - 1) {
                net_rig_settle(rig);
                n = read(client, got + len, REPLY_MAX - 1 - len);
                len += n > 0 ? (size_t)n : 0;
        }
        assert_string_equal(got, reply);
        free(got);
}

void net_rig_dialogue(struct net_rig *rig, int client, const char *request, const char *reply)
{
        net_rig_send(rig, client, request);
        net_rig_expect(rig, client, reply);
}

void net_rig_expect_closed(struct net_rig *rig, int client)
{
        char byte;

        net_rig_settle(rig);
        assert_int_equal(read(client, &byte, 1), 0);
}
