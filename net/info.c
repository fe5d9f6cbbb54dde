/* INFO: the server's state in Redis' form, `# Section` and `name:value` lines, so that what watches Redis can watch
 * this. One function per section, listed in `sections`. */
#include "cache/l1.h"
#include "monitoring/counters.h"
#include "net/client_memory.h"
#include "net/handlers.h"
#include "net/provider.h"
#include "net/pubsub.h"
#include "net/services.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Commands and shapes follow Redis 7.0's, so client libraries may rely on what that version has. */
#define REDIS_VERSION "7.0.0"

struct info {
        struct buf *out;
        const struct services *services;
        struct nanos now;
};

static enum err count(const struct info *i, const char *name, uint64_t value)
{
        return buf_printf(i->out, "%s:%" PRIu64 "\r\n", name, value);
}

static enum err text(const struct info *i, const char *name, const char *value)
{
        return buf_printf(i->out, "%s:%s\r\n", name, value == NULL ? "" : value);
}

/* The first failure of a section's lines; a buffer that refused one refuses the rest. */
static enum err first(enum err a, enum err b)
{
        return a != OK ? a : b;
}

static enum err info_server(const struct info *i)
{
        const struct server_facts *facts = &i->services->facts;
        uint64_t up = (uint64_t)nanos_to_ms(nanos_sub(i->now, facts->started)) / 1000;
        enum err rc = text(i, "redis_version", REDIS_VERSION);

        rc = first(rc, text(i, "vitalcache_version", facts->version));
        rc = first(rc, text(i, "redis_mode", "standalone"));
        rc = first(rc, count(i, "arch_bits", sizeof(void *) * 8));
        rc = first(rc, count(i, "process_id", (uint64_t)getpid()));
        rc = first(rc, text(i, "run_id", facts->run_id));
        rc = first(rc, count(i, "tcp_port", i->services->port));
        rc = first(rc, text(i, "unix_socket", facts->socket_path));
        rc = first(rc, count(i, "worker_threads", facts->threads));
        rc = first(rc, count(i, "uptime_in_seconds", up));
        rc = first(rc, count(i, "uptime_in_days", up / 86400));
        rc = first(rc, text(i, "config_file", facts->config_path));
        return first(rc, text(i, "data_folder", facts->data_path));
}

static enum err info_clients(const struct info *i)
{
        enum err rc = count(i, "connected_clients", atomic_load(&i->services->clients));

        rc = first(rc, count(i, "maxclients", i->services->limits.clients));
        rc = first(rc, count(i, "blocked_clients", 0));
        return first(rc, count(i, "pubsub_clients", pubsub_subscribers(i->services->pubsub)));
}

static uint64_t resident_bytes(void)
{
        FILE *f = fopen("/proc/self/statm", "re");
        unsigned long long pages = 0;

        if (f == NULL)
                return 0;
        if (fscanf(f, "%*s %llu", &pages) != 1)
                pages = 0;
        (void)fclose(f);
        return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static struct l1_usage usage_of(const struct info *i)
{
        struct l1_usage usage = {0};

        if (i->services->l1 != NULL)
                l1_usage(i->services->l1, &usage);
        return usage;
}

static enum err info_memory(const struct info *i)
{
        struct l1_usage usage = usage_of(i);
        enum err rc = count(i, "used_memory", usage.bytes);

        rc = first(rc, buf_printf(i->out, "used_memory_human:%.2fM\r\n", (double)usage.bytes / 1048576.0));
        rc = first(rc, count(i, "used_memory_rss", resident_bytes()));
        rc = first(rc, count(i, "used_memory_clients", client_memory_bytes(i->services->client_memory)));
        rc = first(rc, count(i, "maxmemory_clients", i->services->limits.memory));
        rc = first(rc, count(i, "maxmemory", usage.max_bytes));
        return first(rc, text(i, "maxmemory_policy", "allkeys-lru"));
}

static enum err info_persistence(const struct info *i)
{
        enum err rc = count(i, "loading", 0);

        rc = first(rc, count(i, "rdb_bgsave_in_progress", 0));
        return first(rc, count(i, "aof_enabled", 0));
}

static enum err info_stats(const struct info *i)
{
        static const struct {
                const char *name; /* Redis' */
                enum counter counter;
        } lines[] = {
                {"total_connections_received", COUNTER_connections_accepted},
                {"total_commands_processed", COUNTER_commands},
                {"total_net_input_bytes", COUNTER_bytes_received},
                {"total_net_output_bytes", COUNTER_bytes_sent},
                {"rejected_connections", COUNTER_connections_refused},
                {"client_output_buffer_limit_disconnections", COUNTER_connections_overflowed},
                {"evicted_clients", COUNTER_connections_evicted},
                {"total_error_replies", COUNTER_command_errors},
                {"keyspace_hits", COUNTER_l1_hits},
                {"keyspace_misses", COUNTER_l1_misses},
                {"expired_keys", COUNTER_l1_expirations},
                {"evicted_keys", COUNTER_l1_evictions},
        };
        enum err rc = OK;

        for (size_t l = 0; l < sizeof(lines) / sizeof(lines[0]); l++)
                rc = first(rc, count(i, lines[l].name, counter_read(lines[l].counter)));
        return first(rc, count(i, "pubsub_channels", pubsub_subscribers(i->services->pubsub) > 0 ? 1 : 0));
}

static enum err info_replication(const struct info *i)
{
        return first(text(i, "role", "master"), count(i, "connected_slaves", 0));
}

static enum err info_cpu(const struct info *i)
{
        struct rusage used = {0};

        (void)getrusage(RUSAGE_SELF, &used);
        return buf_printf(i->out, "used_cpu_sys:%ld.%06ld\r\nused_cpu_user:%ld.%06ld\r\n", (long)used.ru_stime.tv_sec,
                (long)used.ru_stime.tv_usec, (long)used.ru_utime.tv_sec, (long)used.ru_utime.tv_usec);
}

static enum err info_database(const struct info *i)
{
        return provider_lines(i->out, i->services, i->now);
}

static enum err info_cluster(const struct info *i)
{
        return count(i, "cluster_enabled", 0);
}

static enum err info_keyspace(const struct info *i)
{
        uint64_t entries = usage_of(i).entries;

        return buf_printf(i->out, "db0:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0\r\n", entries, entries);
}

static enum err info_vitalcache(const struct info *i)
{
        enum err rc = OK;

        for (int c = 0; c < COUNTER_COUNT_; c++)
                rc = first(rc, count(i, counter_row((enum counter)c)->name, counter_read((enum counter)c)));
        return rc;
}

static const struct section {
        const char *name;
        enum err (*write)(const struct info *info);
} sections[] = {
        {"Server", info_server},
        {"Clients", info_clients},
        {"Memory", info_memory},
        {"Persistence", info_persistence},
        {"Stats", info_stats},
        {"Replication", info_replication},
        {"CPU", info_cpu},
        {"Cluster", info_cluster},
        {"Keyspace", info_keyspace},
        {"Database", info_database},
        {"Vitalcache", info_vitalcache},
};

static bool is_wanted(const struct call *call, const char *name)
{
        for (size_t i = 1; i < call->argc; i++)
                if (slice_is_word(call->argv[i], name) || slice_is_word(call->argv[i], "all") ||
                        slice_is_word(call->argv[i], "everything") || slice_is_word(call->argv[i], "default"))
                        return true;
        return call->argc == 1;
}

enum err cmd_info(struct call *call)
{
        struct buf out;
        const struct info info = {.out = &out, .services = call->services, .now = call->now};
        enum err rc = OK;

        buf_init(&out, 0);
        for (size_t i = 0; rc == OK && i < sizeof(sections) / sizeof(sections[0]); i++) {
                if (!is_wanted(call, sections[i].name))
                        continue;
                rc = buf_printf(&out, "%s# %s\r\n", buf_len(&out) == 0 ? "" : "\r\n", sections[i].name);
                rc = first(rc, sections[i].write(&info));
        }
        if (rc == OK)
                resp_text(&call->out, buf_slice(&out));
        buf_deinit(&out);
        return rc;
}
