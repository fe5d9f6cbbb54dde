/* vitalcached: reads the command line, sets the node up, serves until a signal says to stop, takes it down. */
#include "base/log.h"
#include "base/mem.h"
#include "net/control.h"
#include "net/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef VC_CONF_DIR
#define VC_CONF_DIR "conf"
#endif

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct flags {
        const char *port;
        const char *data;
        const char *threads;
        const char *socket;
        const char *types;
};

static const struct flag {
        const char *name;
        size_t place;
} flag_rows[] = {
        {"--port", offsetof(struct flags, port)},
        {"--data", offsetof(struct flags, data)},
        {"--threads", offsetof(struct flags, threads)},
        {"--socket", offsetof(struct flags, socket)},
        {"--types", offsetof(struct flags, types)},
};

static bool parse_flag(struct flags *flags, const char *name, const char *value)
{
        for (size_t i = 0; i < sizeof(flag_rows) / sizeof(flag_rows[0]); i++) {
                if (strcmp(flag_rows[i].name, name) != 0 || value == NULL)
                        continue;
                *(const char **)(void *)((char *)flags + flag_rows[i].place) = value;
                return true;
        }
        (void)fprintf(stderr, "vitalcached: unknown flag, or flag without value: %s\n", name);
        return false;
}

static size_t no_options(
        void *context, const char *pattern, void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
        (void)context;
        (void)pattern;
        (void)visit;
        (void)arg;
        return 0;
}

static enum err no_option(void *context, const char *name, const char *value, struct err_msg *msg)
{
        (void)context;
        (void)name;
        (void)value;
        return err_set(msg, ERR_BADARG, "no option can be changed");
}

static struct node_config configure(const struct flags *flags, const struct record_types *types)
{
        return (struct node_config){
                .types = types,
                .data_path = flags->data,
                .slots = 1u << 20,
                .lmdb = {.map_size = 1ull << 30, .map_size_max = 1ull << 40, .max_readers = 126, .batch_max = 256},
                .l1_enabled = true,
                .l1 = {.max_bytes = 64u << 20, .shards = 16, .policy = "lru"},
                .tiers = {.ttl_default = {60 * NANOS_PER_S}, .ttl_jitter_percent = 10, .fills_max = 65536},
                .server = {.bind = "127.0.0.1",
                        .port = (uint16_t)strtoul(flags->port, NULL, 10),
                        .socket_path = flags->socket,
                        .socket_mode = 0660,
                        .threads = (uint32_t)strtoul(flags->threads, NULL, 10),
                        .stop_patience = {5 * NANOS_PER_S}},
                .limits = {.elements = 1u << 20,
                        .depth = 32,
                        .bulk = 16u << 20,
                        .inline_line = 64u << 10,
                        .input = 64u << 20,
                        .output = 256u << 20,
                        .clients = 10000},
                .config = {.get = no_options, .set = no_option},
        };
}

static void on_reload(void *context)
{
        (void)context;
        LOG_INFO("reloaded");
}

/* The line that scripts await. */
static void say_ready(struct node *node)
{
        const struct services *s = node_services(node);

        LOG_INFO("ready", LOG_PATH("bind", s->facts.bind), LOG_UINT("port", s->port),
                LOG_PATH("data", s->facts.data_path), LOG_UINT("types", record_types_count(s->types)),
                LOG_UINT("threads", s->facts.threads));
}

static enum err serve(const struct node_config *config, struct err_msg *msg)
{
        struct control *control = NULL;
        struct node *node = NULL;
        enum err rc = control_create(&control, on_reload, NULL);

        if (rc == OK)
                rc = node_open(&node, config, msg);
        if (rc == OK)
                rc = node_start(node, msg);
        if (rc == OK) {
                say_ready(node);
                LOG_INFO("stopping", LOG_INT("signal", control_run(control)));
        }
        node_close(&node);
        control_destroy(&control);
        if (rc == OK)
                LOG_INFO("stopped");
        return rc;
}

int main(int argc, char **argv)
{
        struct flags flags = {
                .port = "7379", .data = "./vitalcache-data", .types = VC_CONF_DIR "/types/school-health.yaml"};
        char cores[16];
        struct record_types *types = NULL;
        struct node_config config;
        struct err_msg msg = {""};
        enum err rc;

        (void)snprintf(cores, sizeof(cores), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
        flags.threads = cores;
        for (int i = 1; i < argc; i += 2)
                if (!parse_flag(&flags, argv[i], argv[i + 1]))
                        return EXIT_USAGE;
        rc = record_types_load(&types, &flags.types, 1, &msg);
        if (rc == OK) {
                config = configure(&flags, types);
                rc = serve(&config, &msg);
        }
        record_types_destroy(&types);
        if (rc == OK)
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "vitalcached: %s\n", msg.text[0] == '\0' ? err_text(rc) : msg.text);
        return EXIT_FAULT;
}
