#include "database/pg_source.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/pg_ids.h"
#include "database/pg_plan.h"
#include "database/pg_port.h"
#include "monitoring/counters.h"

#include <event2/event.h>

#include <stdio.h>

enum { GATHER_PATIENCE_US = 1000 };

static struct pg_port *port_of(struct source_port *port)
{
        return LIST_ENTRY(port, struct pg_port, port);
}

/* ---- reads ---- */

static bool is_uncacheable(const struct pg_source *s, const struct record_type *type)
{
        return (atomic_load(&s->states[type->index]) & PG_STATE_UNCACHEABLE) != 0;
}

static bool is_resting(const struct pg_port *port, uint32_t replica, struct nanos now)
{
        return nanos_before(now, port->replica_rests[replica]);
}

/* Exchanges that the replica has not answered. */
static uint32_t load_of(const struct pg_port *port, uint32_t replica)
{
        const struct pg_pool_state state = pg_pool_state(port->replicas[replica]);

        return state.busy + state.waiting;
}

/* The replica that has least to do, of equal ones each in its turn; PG_PRIMARY: there is none that may be asked now. */
static int next_replica(struct pg_port *port)
{
        const uint32_t count = port->source->config.replica_count;
        const struct nanos now = count == 0 ? NANOS_ZERO : port->source->config.clock();
        const uint32_t first = port->next_replica++;
        uint32_t least = UINT32_MAX;
        int best = PG_PRIMARY;

        for (uint32_t i = 0; i < count; i++) {
                const uint32_t index = (first + i) % count;

                if (is_resting(port, index, now) || load_of(port, index) >= least)
                        continue;
                best = (int)index;
                least = load_of(port, index);
        }
        return best;
}

/* How many exchanges of a way may be out: as many as there are connections for them. The replicas share a way, but each
 * has connections of its own; what hangs on one that rests is in nobody's way. */
static uint32_t room_of(void *context)
{
        const struct pg_way_out *way = context;
        const struct pg_port *port = way->port;
        const struct pg_source_config *config = &port->source->config;
        const struct nanos now = config->clock();
        uint32_t awake = 0;
        uint32_t hanging = 0;

        for (uint32_t i = 0; way->way == PG_WAY_REPLICA && i < config->replica_count; i++) {
                if (is_resting(port, i, now))
                        hanging += load_of(port, i);
                else
                        awake++;
        }
        return config->pool_size * (awake == 0 ? 1 : awake) + hanging;
}

/* `possible`: see is_possible. */
static enum pg_way way_of(const struct pg_source *s, const struct source_read *read, bool possible)
{
        const bool strict = read->bound.ns == 0 && atomic_load(&s->heartbeat);

        if (!possible)
                return strict ? PG_WAY_ALONE_STRICT : PG_WAY_ALONE;
        if (read->known != NULL && !is_uncacheable(s, read->type))
                return strict ? PG_WAY_CHECK_STRICT : PG_WAY_CHECK;
        if (s->config.replica_count > 0 && !read->primary_only && read->bound.ns > 0)
                return PG_WAY_REPLICA;
        return strict ? PG_WAY_FETCH_STRICT : PG_WAY_FETCH;
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

static enum pg_errand errand_of(enum pg_way way)
{
        if (way == PG_WAY_ALONE || way == PG_WAY_ALONE_STRICT)
                return PG_ERRAND_ALONE;
        return way == PG_WAY_CHECK || way == PG_WAY_CHECK_STRICT ? PG_ERRAND_CHECK : PG_ERRAND_FETCH;
}

/* One exchange of what has gathered; nobody in it waits past the time of the one who asked first. */
static bool start_way(void *context, struct list *reads)
{
        struct pg_way_out *way = context;
        const struct source_read *first = LIST_ENTRY(reads->next, struct source_read, link);
        const struct pg_errand_in in = {.port = way->port,
                .errand = errand_of(way->way),
                .replica = way->way == PG_WAY_REPLICA ? next_replica(way->port) : PG_PRIMARY,
                .beat = way->way == PG_WAY_CHECK_STRICT || way->way == PG_WAY_FETCH_STRICT ||
                        way->way == PG_WAY_ALONE_STRICT,
                .deadline = nanos_add(first->asked, way->port->source->config.read_timeout),
                .way = way};

        return pg_batch_start(&in, reads);
}

static void fail_waiting(void *context, struct source_read *read, enum err status)
{
        (void)context;
        counter_add(COUNTER_pg_exhausted, status == ERR_BUSY);
        read->status = err_set(&read->message, status, "%s",
                pg_failure_text(status == ERR_BUSY ? PG_FAILURE_EXHAUSTED : PG_FAILURE_CLOSED));
        read->done(read);
}

static void set_timer(struct pg_port *port)
{
        struct nanos due = NANOS_NEVER;
        struct timeval span = {0, 1};
        int64_t left;

        for (int i = 0; i < PG_WAY_COUNT; i++)
                if (nanos_before(pg_gather_due(&port->ways[i].gather), due))
                        due = pg_gather_due(&port->ways[i].gather);
        if (!nanos_before(due, NANOS_NEVER))
                return;
        left = nanos_sub(due, port->source->config.clock()).ns;
        if (left > 0)
                span = (struct timeval){left / NANOS_PER_S, left % NANOS_PER_S / 1000 + 1};
        event_add(port->timer, &span);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
        struct pg_port *port = context;
        const struct nanos now = port->source->config.clock();

        (void)fd, (void)what;
        for (int i = 0; i < PG_WAY_COUNT; i++)
                pg_gather_tick(&port->ways[i].gather, now);
        set_timer(port);
}

void pg_way_returned(struct pg_way_out *way)
{
        pg_gather_returned(&way->gather, way->port->source->config.clock());
        set_timer(way->port);
}

/* What is refused is answered last: that may add more. */
static void fetch_many(struct source_port *source_port, struct list *reads)
{
        struct pg_port *port = port_of(source_port);
        struct pg_source *s = port->source;
        const struct nanos now = s->config.clock();
        struct list refused;

        list_init(&refused);
        while (!list_empty(reads)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(reads), struct source_read, link);
                bool possible;

                clear(read);
                read->asked = now;
                possible = is_possible(s, read);
                if (read->status == OK)
                        pg_gather_add(&port->ways[way_of(s, read, possible)].gather, read);
                else
                        list_push_back(&refused, &read->link);
        }
        for (int i = 0; i < PG_WAY_COUNT; i++)
                pg_gather_send(&port->ways[i].gather, now);
        set_timer(port);
        while (!list_empty(&refused)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(&refused), struct source_read, link);

                read->done(read);
        }
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
        for (int i = 0; i < PG_WAY_COUNT; i++)
                pg_gather_close(&port->ways[i].gather);
        for (uint32_t i = 0; i < PG_REPLICAS_MAX; i++)
                pg_pool_destroy(&port->replicas[i]); /* what they leave undone, the primary is asked */
        pg_pool_destroy(&port->primary);
        if (port->timer != NULL)
                event_free(port->timer);
        vc_free(port);
        *out = NULL;
}

static void init_ways(struct pg_port *port)
{
        const struct pg_source_config *config = &port->source->config;
        const bool impatient = nanos_before(config->read_timeout, config->acquire_timeout);
        struct pg_gather_config gather = {.reads_max = config->batch_max,
                .room = room_of,
                .patience = {GATHER_PATIENCE_US * (NANOS_PER_MS / 1000)},
                .most_wait = impatient ? config->read_timeout : config->acquire_timeout,
                .start = start_way,
                .fail = fail_waiting};

        for (int i = 0; i < PG_WAY_COUNT; i++) {
                port->ways[i].port = port;
                port->ways[i].way = (enum pg_way)i;
                gather.context = &port->ways[i];
                pg_gather_init(&port->ways[i].gather, &gather);
        }
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
        init_ways(port);
        port->timer = event_new(base, -1, 0, on_timer, port);
        rc = port->timer == NULL ? ERR_NOMEM : open_pool(s, &s->config.primary, base, &port->primary);
        for (uint32_t i = 0; rc == OK && i < s->config.replica_count; i++)
                rc = open_pool(s, &s->replicas[i], base, &port->replicas[i]);
        *out = &port->port;
        if (rc != OK)
                close_port(out);
        return rc;
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

        VC_ASSERT(config->batch_max > 0 && config->batch_max <= PG_BATCH_READS_MAX);
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
