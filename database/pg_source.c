#include "database/pg_source.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/pg_ids.h"
#include "database/pg_plan.h"
#include "database/pg_port.h"

#include <stdio.h>

static struct pg_port *port_of(struct source_port *port)
{
        return LIST_ENTRY(port, struct pg_port, port);
}

/* ---- ports ---- */

static enum err open_pool(
        const struct pg_source *s, const struct pg_server *server, struct event_base *base, struct pg_pool **out)
{
        struct pg_pool_config config = {.base = base,
                .server = server,
                .size = s->config.pool_size,
                .acquire_timeout = s->config.acquire_timeout,
                .now = s->config.clock};
        enum err rc = random_bytes(&config.seed, sizeof(config.seed));

        return rc == OK ? pg_pool_create(out, &config) : rc;
}

static void close_port(struct source_port **out)
{
        struct pg_port *port;

        if (*out == NULL)
                return;
        port = port_of(*out);
        for (uint32_t i = 0; i < PG_REPLICAS_MAX; i++)
                pg_pool_destroy(&port->replicas[i]); /* what they leave undone, the primary is asked */
        pg_pool_destroy(&port->primary);
        vc_free(port);
        *out = NULL;
}

static enum err open_port(struct source *source, struct event_base *base, struct source_port **out)
{
        struct pg_source *s = pg_source_of(source);
        struct pg_port *port = vc_calloc(1, sizeof(*port));
        enum err rc;

        *out = NULL;
        if (port == NULL)
                return ERR_NOMEM;
        port->port.source = source;
        port->source = s;
        (void)snprintf(port->node, sizeof(port->node), "%.256s#%u", s->config.node == NULL ? "" : s->config.node,
                atomic_fetch_add(&s->port_count, 1));
        rc = open_pool(s, &s->config.primary, base, &port->primary);
        for (uint32_t i = 0; rc == OK && i < s->config.replica_count; i++)
                rc = open_pool(s, &s->replicas[i], base, &port->replicas[i]);
        *out = &port->port;
        if (rc != OK)
                close_port(out);
        return rc;
}

/* ---- reads ---- */

/* A tick's reads by the way that they go. */
enum way {
        WAY_FETCH,
        WAY_FETCH_STRICT,
        WAY_CHECK,
        WAY_CHECK_STRICT,
        WAY_ALONE,
        WAY_ALONE_STRICT,
        WAY_REPLICA,
        WAY_COUNT
};

static bool is_uncacheable(const struct pg_source *s, const struct record_type *type)
{
        return (atomic_load(&s->states[type->index]) & PG_STATE_UNCACHEABLE) != 0;
}

/* The replica whose turn it is; PG_PRIMARY: there is none that may be asked now. */
static int next_replica(struct pg_port *port)
{
        const uint32_t count = port->source->config.replica_count;
        const struct nanos now = count == 0 ? NANOS_ZERO : port->source->config.clock();

        for (uint32_t i = 0; i < count; i++) {
                const uint32_t index = port->next_replica++ % count;

                if (!nanos_before(now, port->replica_rests[index]))
                        return (int)index;
        }
        return PG_PRIMARY;
}

/* `possible`: see is_possible. */
static enum way way_of(const struct pg_source *s, const struct source_read *read, bool possible)
{
        const bool strict = read->bound.ns == 0 && atomic_load(&s->heartbeat);

        if (!possible)
                return strict ? WAY_ALONE_STRICT : WAY_ALONE;
        if (read->known != NULL && !is_uncacheable(s, read->type))
                return strict ? WAY_CHECK_STRICT : WAY_CHECK;
        if (s->config.replica_count > 0 && !read->primary_only && read->bound.ns > 0)
                return WAY_REPLICA;
        return strict ? WAY_FETCH_STRICT : WAY_FETCH;
}

/* Whether the columns that the read's SQL compares its id with could hold it when they were looked at last. If not, it
 * would only spoil the queries of others; but that there is no such id is the database's to say, for the columns may
 * have become wider since. An id that is to be written otherwise is refused: status. */
static bool is_possible(const struct pg_source *s, struct source_read *read)
{
        const struct record_type *leaf;
        bool possible = true;

        for (uint32_t i = 0; possible && read->status == OK && (leaf = pg_leaf(read->type, i)) != NULL; i++)
                read->status =
                        pg_id_check(atomic_load(&s->key_types[leaf->index]), read->id, &possible, &read->message);
        return possible;
}

static void clear(struct source_read *read)
{
        read->status = OK;
        read->message.text[0] = '\0';
        read->found = false;
        read->unmodified = false;
        read->from_replica = false;
        read->beaten = false;
        read->epoch = 0;
        read->lives = NANOS_ZERO;
}

static enum pg_errand errand_of(enum way way)
{
        if (way == WAY_ALONE || way == WAY_ALONE_STRICT)
                return PG_ERRAND_ALONE;
        return way == WAY_CHECK || way == WAY_CHECK_STRICT ? PG_ERRAND_CHECK : PG_ERRAND_FETCH;
}

static void start_way(struct pg_port *port, enum way way, struct nanos deadline, struct list *reads)
{
        const struct pg_errand_in in = {.port = port,
                .errand = errand_of(way),
                .replica = way == WAY_REPLICA && !list_empty(reads) ? next_replica(port) : PG_PRIMARY,
                .beat = way == WAY_CHECK_STRICT || way == WAY_FETCH_STRICT || way == WAY_ALONE_STRICT,
                .deadline = deadline};

        pg_batch_start(&in, reads);
}

static void fetch_many(struct source_port *source_port, struct list *reads)
{
        struct pg_port *port = port_of(source_port);
        struct pg_source *s = port->source;
        const struct nanos deadline = nanos_add(s->config.clock(), s->config.read_timeout);
        struct list ways[WAY_COUNT];
        struct list refused;

        list_init(&refused);
        for (int way = 0; way < WAY_COUNT; way++)
                list_init(&ways[way]);
        while (!list_empty(reads)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(reads), struct source_read, link);
                bool possible;

                clear(read);
                possible = is_possible(s, read);
                list_push_back(read->status == OK ? &ways[way_of(s, read, possible)] : &refused, &read->link);
        }
        for (int way = 0; way < WAY_COUNT; way++)
                start_way(port, (enum way)way, deadline, &ways[way]);
        while (!list_empty(&refused)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(&refused), struct source_read, link);

                read->done(read);
        }
}

/* ---- writes and scans: none but touches ---- */

#define NOT_OURS "PostgreSQL's records are written by its own applications"

static void apply(struct source *source, struct source_write *write)
{
        const struct pg_source *s = pg_source_of(source);

        if (write->kind == WRITE_TOUCH && s->config.touch != NULL) {
                s->config.touch(s->config.touch_context, write);
                return;
        }
        write->status = err_set(&write->message, ERR_READONLY, NOT_OURS);
        write->done(write);
}

static enum err scan(struct source *source, const struct source_scan *what, struct err_msg *msg)
{
        (void)source;
        (void)what;
        return err_set(msg, ERR_READONLY, "PostgreSQL has no index of ours to go through; ask it with SQL");
}

static enum err walk(struct source *source, const struct source_walk *what, struct err_msg *msg)
{
        (void)source;
        (void)what;
        return err_set(msg, ERR_READONLY, "PostgreSQL's records are exported and compared with its own tools");
}

static enum err health(struct source *source, bool deep, struct source_health *out, struct err_msg *msg)
{
        const char *problem = atomic_load(&pg_source_of(source)->problem);

        (void)deep; /* there is nothing of ours in the database to go through */
        (void)msg;
        *out = (struct source_health){.ok = problem == NULL, .problem = problem, .foreign = true};
        return OK;
}

/* ---- life ---- */

static void close_source(struct source **source)
{
        struct pg_source *s;

        if (*source == NULL)
                return;
        s = pg_source_of(*source);
        pg_sql_deinit(&s->sql);
        vc_free(s);
        *source = NULL;
}

static const struct source_ops OPS = {.name = "postgres",
        .open_port = open_port,
        .close_port = close_port,
        .fetch_many = fetch_many,
        .apply = apply,
        .scan = scan,
        .walk = walk,
        .health = health,
        .close = close_source};

enum err pg_source_open(struct source **out, const struct pg_source_config *config, struct err_msg *msg)
{
        struct pg_source *s;
        enum err rc;

        *out = NULL;
        if (config->replica_count > PG_REPLICAS_MAX)
                return err_set(
                        msg, ERR_CONFIG, "there can be %d replicas, not %u", PG_REPLICAS_MAX, config->replica_count);
        s = vc_calloc(1, sizeof(*s));
        if (s == NULL)
                return err_set(msg, ERR_NOMEM, "no memory for the database's reads");
        s->source = (struct source){.magic = SOURCE_MAGIC, .ops = &OPS};
        s->config = *config;
        for (uint32_t i = 0; i < config->replica_count; i++)
                s->replicas[i] = config->replicas[i];
        s->config.replicas = s->replicas;
        rc = pg_sql_init(&s->sql, config->types, &s->config.primary);
        if (rc != OK) {
                vc_free(s);
                return err_set(msg, rc, "the database's reads cannot be prepared: %s", err_text(rc));
        }
        *out = &s->source;
        return OK;
}

void pg_source_set_heartbeat(struct source *source, bool on)
{
        atomic_store(&pg_source_of(source)->heartbeat, on);
}

void pg_source_installed(struct source *source)
{
        atomic_store(&pg_source_of(source)->bare_until, 0);
}

void pg_source_set_states(struct source *source, const struct pg_type_state *states, uint32_t count)
{
        struct pg_source *s = pg_source_of(source);

        VC_ASSERT(count <= RECORD_TYPES_MAX);
        for (uint32_t i = 0; i < count; i++) {
                atomic_store(&s->states[i], (uint8_t)((states[i].uncacheable ? PG_STATE_UNCACHEABLE : 0) |
                                                      (states[i].binary_results ? PG_STATE_BINARY : 0)));
                atomic_store(&s->key_types[i], states[i].key_type);
        }
}
