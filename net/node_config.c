#include "net/node_config.h"

#include "database/record_type.h"

#include <unistd.h>

static struct client_limits limits_of(const struct settings_values *v)
{
        return (struct client_limits){.elements = v->limits_elements,
                .depth = v->limits_depth,
                .bulk = v->limits_bulk,
                .inline_line = v->limits_inline,
                .input = v->limits_client_input,
                .output = v->limits_client_output,
                .output_pause = v->limits_client_output_pause,
                .output_stall = v->limits_client_output_stall,
                .ordinary = {.soft = v->limits_client_output_soft, .grace = v->limits_client_output_grace},
                .subscriber = {.hard = v->limits_subscriber_output,
                        .soft = v->limits_subscriber_output_soft,
                        .grace = v->limits_subscriber_output_grace},
                .commands = v->limits_client_commands,
                .turn_words = v->limits_client_turn_words,
                .turn_bytes = v->limits_client_turn_bytes,
                .memory = v->limits_client_memory,
                .clients = v->server_max_clients,
                .idle = v->server_idle_timeout};
}

static struct server_config server_of(const struct settings_values *v)
{
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        return (struct server_config){.bind = v->server_bind,
                .port = (uint16_t)v->server_port,
                .socket_path = v->server_socket,
                .socket_mode = v->server_socket_mode,
                .threads = v->server_threads > 0 ? (uint32_t)v->server_threads : (uint32_t)(cores < 1 ? 1 : cores),
                .stop_patience = v->server_stop_patience};
}

const char *node_policy_name(uint32_t place)
{
        /* in the order of the option's words */
        static const char *const names[] = {"lru", "sieve", "s3fifo", "wtinylfu", "auto"};

        VC_ASSERT(place < sizeof(names) / sizeof(names[0]));
        return names[place];
}

static struct pg_server server_named(const struct settings_values *v, const char *name, const char *dsn, bool pooled)
{
        return (struct pg_server){.name = name,
                .dsn = dsn,
                .connect_timeout = v->database_postgres_connect_timeout,
                .statement_timeout = v->database_postgres_statement_timeout,
                .prepared = !pooled,
                .prepared_max = (uint32_t)v->database_postgres_prepared_max,
                .session_settings = !pooled};
}

/* What no entry outlives, in this server or another tier. */
static struct nanos longest_life(const struct settings_values *v, const struct record_types *types)
{
        struct nanos longest = v->cache_l1_ttl;

        for (uint32_t i = 0; i < record_types_count(types); i++) {
                const struct record_type *type = record_types_at(types, i);

                longest = nanos_before(longest, type->ttl_l1) ? type->ttl_l1 : longest;
                longest = nanos_before(longest, type->ttl_l2) ? type->ttl_l2 : longest;
        }
        return longest;
}

static struct postgres_config postgres_of(const struct settings_values *v, const struct record_types *types)
{
        bool pooled = !v->database_postgres_prepared;
        bool own_way = v->database_postgres_dsn_direct[0] != '\0';
        const char *direct = own_way ? v->database_postgres_dsn_direct : v->database_postgres_dsn;

        return (struct postgres_config){
                .types = types,
                .primary = server_named(v, "primary", v->database_postgres_dsn, pooled),
                .direct = server_named(v, "primary, direct", direct, pooled && !own_way),
                .replica = server_named(v, NULL, NULL, pooled),
                .replicas = v->database_postgres_replicas.items,
                .replica_count = v->database_postgres_replicas.count,
                .pool_size = (uint32_t)v->database_postgres_pool_size,
                .batch_max = (uint32_t)v->database_postgres_batch_max,
                .acquire_timeout = v->database_postgres_acquire_timeout,
                .read_timeout = v->database_postgres_read_timeout,
                .poll_interval = v->freshness_poll_interval,
                .poll_timeout = v->freshness_poll_timeout,
                .longest_life = longest_life(v, types),
                .heartbeat = (enum truth_heartbeat)v->freshness_heartbeat,
                .node = v->freshness_node,
        };
}

static size_t get_options(
        void *context, const char *pattern, void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
        return settings_get(context, pattern, visit, arg);
}

static enum err set_options(void *context, const struct option_change *changes, size_t count, struct err_msg *msg)
{
        return settings_set(context, changes, count, msg);
}

struct node_config node_config_of(struct settings *settings, const struct record_types *types)
{
        const struct settings_values *v = settings_values(settings);

        return (struct node_config){
                .types = types,
                .kind = (enum node_database)v->database_kind,
                .data_path = v->database_path,
                .config_path = settings_file(settings),
                .slots = (uint32_t)v->freshness_slots,
                .lmdb = {.map_size = v->database_map_size,
                        .map_size_max = v->database_map_size_max,
                        .max_readers = (uint32_t)v->database_max_readers,
                        .batch_max = (uint32_t)v->database_batch_max},
                .postgres = postgres_of(v, types),
                .l1_enabled = v->cache_l1_enabled,
                .l1 = {.max_bytes = v->cache_l1_max_bytes,
                        .max_entries = v->cache_l1_max_entries,
                        .shards = (uint32_t)v->cache_l1_shards,
                        .policy = "lru"},
                .policy = node_policy_name(v->cache_l1_policy),
                .whatif_enabled = v->cache_whatif_enabled,
                .sampling = {.samples = (uint32_t)v->cache_whatif_samples,
                        .half_life = v->cache_whatif_half_life,
                        .clock = clock_boot},
                .tiers = {.ttl_default = v->cache_l1_ttl,
                        .ttl_jitter_percent = (uint32_t)v->cache_ttl_jitter,
                        .fills_max = (uint32_t)v->cache_fills_max,
                        .bound_default = v->freshness_bound,
                        .retry_within =
                                v->database_kind == NODE_POSTGRES ? v->database_postgres_acquire_timeout : NANOS_ZERO},
                .server = server_of(v),
                .limits = limits_of(v),
                .config = {.context = settings, .get = get_options, .set = set_options},
        };
}
