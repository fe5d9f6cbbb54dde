/* STATS, HEALTH, EXPLAIN: what the server counts, how it is, and why a key answers as it does. */
#include "cache/l1.h"
#include "database/source.h"
#include "database/type_tags.h"
#include "invalidation/freshness.h"
#include "monitoring/counters.h"
#include "net/client_memory.h"
#include "net/handlers.h"
#include "net/lane.h"
#include "net/read.h"
#include "net/services.h"
#include "net/session.h"

#include <inttypes.h>
#include <stdatomic.h>

/* ---- STATS ---- */

struct tier_figure {
        const char *name;
        enum counter counter;
};

static const struct tier_figure l1_figures[] = {
        {"hits", COUNTER_l1_hits},
        {"misses", COUNTER_l1_misses},
        {"sets", COUNTER_l1_sets},
        {"deletes", COUNTER_l1_deletes},
        {"evictions", COUNTER_l1_evictions},
        {"expirations", COUNTER_l1_expirations},
};

static const struct tier_figure database_figures[] = {
        {"reads", COUNTER_database_reads},
        {"batches", COUNTER_database_batches},
        {"joined", COUNTER_fills_joined},
        {"failed", COUNTER_fills_failed},
        {"commits", COUNTER_database_commits},
        {"writes", COUNTER_database_writes},
        {"conflicts", COUNTER_database_conflicts},
        {"imported", COUNTER_database_imported},
};

enum { L1_FIGURES = sizeof(l1_figures) / sizeof(l1_figures[0]) };
enum { DATABASE_FIGURES = sizeof(database_figures) / sizeof(database_figures[0]) };

static void write_figures(struct resp_writer *out, const struct tier_figure *figures, size_t count)
{
        for (size_t i = 0; i < count; i++)
                resp_member_count(out, figures[i].name, counter_read(figures[i].counter));
}

static void write_hit_rate(struct resp_writer *out, uint64_t hits, uint64_t misses)
{
        resp_bulk_str(out, "hit_rate");
        resp_double(out, hits + misses == 0 ? 0.0 : (double)hits / (double)(hits + misses));
}

static void write_tiers(struct call *call)
{
        struct resp_writer *out = &call->out;
        struct l1_usage usage = {0};

        if (call->services->l1 != NULL)
                l1_usage(call->services->l1, &usage);
        resp_bulk_str(out, "tiers");
        resp_map(out, 2);
        resp_bulk_str(out, "l1");
        resp_map(out, L1_FIGURES + 6);
        write_figures(out, l1_figures, L1_FIGURES);
        write_hit_rate(out, counter_read(COUNTER_l1_hits), counter_read(COUNTER_l1_misses));
        resp_member_count(out, "entries", usage.entries);
        resp_member_count(out, "bytes", usage.bytes);
        resp_member_count(out, "resident_bytes", usage.resident);
        resp_member_count(out, "max_entries", usage.max_entries);
        resp_member_count(out, "max_bytes", usage.max_bytes);
        resp_bulk_str(out, "database");
        resp_map(out, DATABASE_FIGURES);
        write_figures(out, database_figures, DATABASE_FIGURES);
}

static void write_types(struct call *call)
{
        const struct record_types *types = call->services->types;
        struct resp_writer *out = &call->out;

        resp_bulk_str(out, "types");
        resp_map(out, record_types_count(types));
        for (uint32_t t = 0; t < record_types_count(types); t++) {
                resp_bulk_str(out, record_types_at(types, t)->name);
                resp_map(out, TYPE_COUNTER_COUNT_ + 1);
                for (int c = 0; c < TYPE_COUNTER_COUNT_; c++)
                        resp_member_count(out, type_counter_row((enum type_counter)c)->name,
                                type_counter_read(t, (enum type_counter)c));
                write_hit_rate(out, type_counter_read(t, TYPE_COUNTER_hits), type_counter_read(t, TYPE_COUNTER_misses));
        }
}

static void write_clients(struct call *call)
{
        struct services *services = call->services;

        resp_bulk_str(&call->out, "clients");
        resp_map(&call->out, 4);
        resp_member_count(&call->out, "connected", atomic_load(&services->clients));
        resp_member_count(&call->out, "max_connected", services->limits.clients);
        resp_member_count(&call->out, "bytes", client_memory_bytes(services->client_memory));
        resp_member_count(&call->out, "max_bytes", services->limits.memory);
}

static void write_counters(struct resp_writer *out)
{
        for (int c = 0; c < COUNTER_COUNT_; c++)
                resp_member_count(out, counter_row((enum counter)c)->name, counter_read((enum counter)c));
}

enum err cmd_stats(struct call *call)
{
        struct nanos up = nanos_sub(call->now, call->services->facts.started);

        resp_map(&call->out, COUNTER_COUNT_ + 4);
        resp_member_count(&call->out, "uptime_seconds", (uint64_t)nanos_to_ms(up) / 1000);
        write_tiers(call);
        write_types(call);
        write_clients(call);
        write_counters(&call->out);
        return OK;
}

/* ---- EXPLAIN ---- */

struct tag_writer {
        struct resp_writer *out; /* NULL: only counts */
        size_t count;
        struct buf text;
};

static void visit_tag(void *context, const struct tag *tag)
{
        struct tag_writer *w = context;

        w->count++;
        if (w->out == NULL)
                return;
        buf_truncate(&w->text, 0);
        if (tag_format(tag, &w->text) != OK)
                w->out->failed = ERR_NOMEM;
        resp_bulk(w->out, buf_slice(&w->text));
}

static void write_tags(struct resp_writer *out, const struct lookup *l)
{
        struct tag_writer w = {.out = NULL, .count = 0};

        buf_init(&w.text, 0);
        type_tags(l->type, l->tenant, l->id, visit_tag, &w);
        resp_bulk_str(out, "tags");
        resp_array(out, w.count);
        w.out = out;
        type_tags(l->type, l->tenant, l->id, visit_tag, &w);
        buf_deinit(&w.text);
}

static void write_ms(struct resp_writer *out, const char *name, struct nanos span)
{
        resp_bulk_str(out, name);
        resp_int(out, span.ns == NANOS_NEVER.ns ? -1 : nanos_to_ms(span));
}

static void write_as_of(struct call *call, struct position as_of)
{
        const struct freshness *f = call->services->freshness;

        resp_bulk_str(&call->out, "as_of");
        if (freshness_always_certain(f))
                read_write_token(f, as_of, &call->out);
        else
                resp_bulk_printf(&call->out, "poll %" PRIu64, as_of.n);
}

static void write_explain(struct call *call, const struct lookup *l, const struct lookup_explain *e)
{
        struct resp_writer *out = &call->out;
        bool answers = e->cached && e->verdict == VERDICT_FRESH;

        resp_map(out, e->cached ? 15 : 9);
        resp_member_str(out, "type", l->type->name);
        resp_member_str(out, "tier", answers ? "l1" : "database");
        resp_member_str(out, "why", e->cached ? verdict_name(e->verdict) : "not-cached");
        resp_member_bool(out, "cached", e->cached);
        resp_member_bool(out, "critical", l->type->critical);
        write_ms(out, "bound", tiers_bound(call->services->tiers, l->type));
        write_ms(out, "certificate_age", e->certificate_age);
        resp_bulk_str(out, "def");
        resp_bulk_printf(out, "%016" PRIx64, l->type->def);
        write_tags(out, l);
        if (!e->cached)
                return;
        resp_member_bool(out, "found", e->found);
        write_ms(out, "age", e->age);
        write_ms(out, "expires_in", e->expires_in);
        write_as_of(call, e->as_of);
        resp_member_count(out, "fill_micros", e->fill_micros);
        resp_member_count(out, "bytes", e->bytes);
}

enum err cmd_explain(struct call *call)
{
        const struct read_context context = {.lane = call->lane, .session = call->session, .now = call->now};
        const struct read_options options = {.has_after = false};
        struct read *read = read_create(&context, call->argv[1], &options);
        struct lookup_explain explain;
        enum err rc;

        if (read == NULL)
                return ERR_NOMEM;
        rc = read_check(read);
        call->message = read->lookup.message;
        if (rc == OK) {
                lookup_explain(call->services->tiers, &read->lookup, &explain);
                write_explain(call, &read->lookup, &explain);
        }
        read_destroy(&read);
        return rc;
}
