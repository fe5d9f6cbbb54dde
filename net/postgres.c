#include "net/postgres.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stdio.h>

enum { REPLICA_NAME_SIZE = 32, CLEAN_SECONDS = 60 };

struct postgres {
        struct postgres_config config;
        struct pg_server replicas[PG_REPLICAS_MAX];
        char replica_names[PG_REPLICAS_MAX][REPLICA_NAME_SIZE];
        struct loop_thread *thread;
        struct source *source;
        struct pg_checker *checker;
        _Atomic bool reading;             /* the source may be read from by now */
        bool relied_on[RECORD_TYPES_MAX]; /* by their index, the checker's: reads may have taken the type for covered */
        struct truth_postgres *truth;
};

/* ---- what the follower says; on its thread ---- */

static void on_heartbeats(void *context, bool on)
{
        struct postgres *p = context;

        pg_source_set_heartbeat(p->source, on);
}

/* Whatever it is: reads that found no schema `vitalcache` look for it once more. */
static void on_changed(void *context)
{
        struct postgres *p = context;

        pg_source_installed(p->source);
}

static void on_recheck(void *context, uint64_t round)
{
        struct postgres *p = context;

        pg_checker_request(p->checker, round);
}

/* ---- what the checker says; on its thread ---- */

static void take_states(struct postgres *p, const struct pg_check *check)
{
        struct pg_type_state states[RECORD_TYPES_MAX];
        const uint32_t count = record_types_count(p->config.types);

        for (uint32_t i = 0; i < count; i++) {
                const struct pg_check_type *type = pg_check_type(check, i);

                states[i] = (struct pg_type_state){.uncacheable = !type->cacheable,
                        .binary_results = type->binary_results,
                        .key_type = type->key_type};
        }
        pg_source_set_states(p->source, states, count);
}

/* Notes which types reads have been able to rely on, and returns whether one has and must not any more. */
static bool is_withdrawn(struct postgres *p, uint32_t index, bool cacheable)
{
        p->relied_on[index] = cacheable || (p->relied_on[index] && atomic_load(&p->reading));
        return p->relied_on[index] && !cacheable;
}

/* First the source is told, then what is cached is void: all of it, until the answer. A read that began before with
 * what was known then may still be stored after that, so what may no longer be relied on stays void, the other types of
 * the same table with it. Types that were never relied on have left no copies. */
static void on_checked(void *context, uint64_t round, const struct pg_check *check)
{
        struct postgres *p = context;
        const char *tables[RECORD_TYPES_MAX];
        size_t count = 0;

        take_states(p, check);
        for (uint32_t i = 0; i < record_types_count(p->config.types); i++) {
                const struct record_type *type = record_types_at(p->config.types, i);

                if (is_withdrawn(p, i, pg_check_type(check, i)->cacheable) && type->table != NULL)
                        tables[count++] = type->table->name;
        }
        if (round != 0) /* the first is made before anybody follows */
                truth_postgres_checked(p->truth, round, tables, count);
}

/* ---- life ---- */

static void touch(void *context, struct source_write *write)
{
        struct postgres *p = context;

        truth_postgres_touch(p->truth, write);
}

static enum err check_server(const struct pg_server *server, const char *option, struct err_msg *msg)
{
        enum err rc = pg_server_check(server, msg);

        return rc == OK ? OK : err_wrap(msg, rc, "%s", option);
}

static enum err name_replicas(struct postgres *p, struct err_msg *msg)
{
        const struct postgres_config *c = &p->config;
        enum err rc = OK;

        if (c->replica_count > PG_REPLICAS_MAX)
                return err_set(msg, ERR_CONFIG, "database.postgres.replicas names %zu; there can be %d",
                        c->replica_count, PG_REPLICAS_MAX);
        for (size_t i = 0; rc == OK && i < c->replica_count; i++) {
                (void)snprintf(p->replica_names[i], REPLICA_NAME_SIZE, "replica %zu", i + 1);
                p->replicas[i] = c->replica;
                p->replicas[i].name = p->replica_names[i];
                p->replicas[i].dsn = c->replicas[i];
                rc = check_server(&p->replicas[i], "database.postgres.replicas", msg);
        }
        return rc;
}

static enum err open_source(struct postgres *p, struct err_msg *msg)
{
        const struct postgres_config *c = &p->config;
        const struct pg_source_config config = {
                .types = c->types,
                .primary = c->primary,
                .replicas = p->replicas,
                .replica_count = (uint32_t)c->replica_count,
                .pool_size = c->pool_size,
                .batch_max = c->batch_max,
                .acquire_timeout = c->acquire_timeout,
                .read_timeout = c->read_timeout,
                .node = c->node,
                .clock = clock_boot,
                .touch = touch,
                .touch_context = p,
        };

        return pg_source_open(&p->source, &config, msg);
}

static enum err start_truth(struct postgres *p, struct freshness *freshness, struct err_msg *msg)
{
        const struct postgres_config *c = &p->config;
        struct truth_postgres_config config = {
                .freshness = freshness,
                .thread = p->thread,
                .server = &p->config.direct,
                .node = c->node,
                .poll_interval = c->poll_interval,
                .poll_timeout = c->poll_timeout,
                .write_timeout = c->read_timeout,
                .longest_life = c->longest_life,
                .clean_interval = {CLEAN_SECONDS * NANOS_PER_S},
                .heartbeat = c->heartbeat,
                .now = clock_boot,
                .check_definitions = true,
                .recheck = on_recheck,
                .heartbeats = on_heartbeats,
                .changed = on_changed,
                .context = p,
        };
        enum err rc = random_bytes(&config.seed, sizeof(config.seed));

        config.seed |= 1; /* not 0 */
        if (rc == OK)
                rc = truth_postgres_start(&p->truth, &config);
        return rc == OK ? OK : err_set(msg, rc, "cannot begin to follow the database: %s", err_text(rc));
}

static enum err check_definitions(struct postgres *p, struct err_msg *msg)
{
        const struct pg_checker_config config = {
                .types = p->config.types, .server = &p->config.direct, .checked = on_checked, .context = p};
        enum err rc = pg_checker_start(&p->checker, &config);

        if (rc != OK)
                return err_set(msg, rc, "cannot check the definitions: %s", err_text(rc));
        rc = pg_checker_first(p->checker, msg);
        atomic_store(&p->reading, true);
        return rc;
}

static enum err make(struct postgres *p, struct freshness *freshness, struct err_msg *msg)
{
        enum err rc = check_server(&p->config.primary, "database.postgres.dsn", msg);

        if (rc == OK)
                rc = check_server(&p->config.direct, "database.postgres.dsn_direct", msg);
        if (rc == OK)
                rc = name_replicas(p, msg);
        if (rc == OK)
                rc = open_source(p, msg);
        if (rc == OK)
                rc = check_definitions(p, msg);
        if (rc != OK)
                return rc;
        rc = loop_thread_create(&p->thread, "vc-postgres");
        if (rc != OK)
                return err_set(msg, rc, "cannot start the thread that follows the database: %s", err_text(rc));
        return start_truth(p, freshness, msg);
}

enum err postgres_open(
        struct postgres **out, const struct postgres_config *config, struct freshness *freshness, struct err_msg *msg)
{
        struct postgres *p = vc_calloc(1, sizeof(*p));
        enum err rc;

        *out = NULL;
        if (p == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        p->config = *config;
        for (uint32_t i = 0; i < RECORD_TYPES_MAX; i++)
                p->relied_on[i] = true; /* until the database has said otherwise */
        rc = make(p, freshness, msg);
        if (rc != OK)
                postgres_close(&p);
        *out = p;
        return rc;
}

struct source *postgres_source(struct postgres *postgres)
{
        return postgres->source;
}

struct pg_checker *postgres_checker(struct postgres *postgres)
{
        return postgres->checker;
}

struct truth_postgres *postgres_truth(struct postgres *postgres)
{
        return postgres->truth;
}

void postgres_stop(struct postgres *postgres)
{
        if (postgres == NULL)
                return;
        pg_checker_stop(postgres->checker); /* it answers the follower, which may ask it to the end */
        truth_postgres_stop(&postgres->truth);
        loop_thread_destroy(&postgres->thread);
}

void postgres_close(struct postgres **postgres)
{
        struct postgres *p = *postgres;

        *postgres = NULL;
        if (p == NULL)
                return;
        postgres_stop(p);
        if (p->source != NULL)
                p->source->ops->close(&p->source);
        pg_checker_destroy(&p->checker);
        vc_free(p);
}
