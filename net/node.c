#include "net/node.h"

#include "base/hash.h"
#include "base/mem.h"
#include "invalidation/freshness.h"
#include "invalidation/truth_lmdb.h"
#include "net/aside.h"
#include "net/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum {
        RUN_ID_BYTES = 20,
        POLLS_KEPT = 1024 /* four minutes of polls: what a replica that lags by more reads is not kept */
};

_Static_assert(PATH_MAX >= PG_SERVER_PLACE_SIZE, "either names where the records are");

struct node {
        struct services services;
        struct server *server;
        struct postgres *postgres; /* NULL: the embedded database */
        struct command_table *commands;
        char data_path[PATH_MAX];
        char run_id[2 * RUN_ID_BYTES + 1];
        char name[HOST_NAME_MAX + 16]; /* among the nodes of one database */
};

static enum err no_randomness(struct err_msg *msg)
{
        return err_set(msg, ERR_IO, "the operating system gives no random bytes");
}

/* ---- the parts, in order ---- */

static enum err name_run(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        uint8_t bytes[RUN_ID_BYTES];

        if (random_bytes(bytes, sizeof(bytes)) != OK)
                return no_randomness(msg);
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void)snprintf(node->run_id + 2 * i, 3, "%02x", bytes[i]);
        node->services.types = config->types;
        node->services.config = config->config;
        node->services.limits = config->limits;
        node->services.facts = (struct server_facts){
                .version = VC_VERSION,
                .run_id = node->run_id,
                .bind = config->server.bind,
                .socket_path = config->server.socket_path,
                .config_path = config->config_path,
                .data_path = node->data_path,
                .threads = config->server.threads,
                .started = clock_boot(),
                .started_at = clock_wall(),
        };
        return OK;
}

/* Other servers of the same database must not have the same one: where the port is not known yet, the run's id is. */
static void name_node(struct node *node, uint16_t port)
{
        char host[HOST_NAME_MAX + 1] = "";

        if (gethostname(host, sizeof(host) - 1) != 0)
                host[0] = '\0';
        if (port != 0)
                (void)snprintf(node->name, sizeof(node->name), "%s:%u", host, port);
        else
                (void)snprintf(node->name, sizeof(node->name), "%s:%.12s", host, node->run_id);
}

/* The data folder's absolute path: people must find it, whatever the current directory was. */
static enum err name_data(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        char here[PATH_MAX] = "";
        int len;

        if (config->kind == NODE_POSTGRES) {
                pg_server_place(&config->postgres.primary, node->data_path);
                return OK;
        }
        if (config->kind == NODE_OTHER)
                return OK;
        if (config->data_path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
                return err_errno(msg, ERR_IO, errno, "cannot tell the current directory");
        if (config->data_path[0] == '/')
                len = snprintf(node->data_path, sizeof(node->data_path), "%s", config->data_path);
        else
                len = snprintf(node->data_path, sizeof(node->data_path), "%s/%s", here,
                        config->data_path + (strncmp(config->data_path, "./", 2) == 0 ? 2 : 0));
        if (len < 0 || (size_t)len >= sizeof(node->data_path))
                return err_set(msg, ERR_CONFIG, "the data folder's path is too long");
        return OK;
}

static enum err open_freshness(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        struct freshness_config c = {.slots = config->slots,
                .polls_kept = POLLS_KEPT,
                .always_certain = config->kind == NODE_LMDB,
                .heartbeats = config->postgres.heartbeat == TRUTH_HEARTBEAT_ON};

        if (random_bytes(&c.tag_seed, sizeof(c.tag_seed)) != OK)
                return no_randomness(msg);
        if (freshness_create(&node->services.freshness, &c) != OK)
                return err_set(msg, ERR_NOMEM, "no memory for %u freshness slots", config->slots);
        return OK;
}

static enum err draw_epoch(uint64_t *epoch)
{
        enum err rc = OK;

        *epoch = EPOCH_NONE;
        while (rc == OK && *epoch == EPOCH_NONE)
                rc = random_bytes(epoch, sizeof(*epoch));
        return rc;
}

static enum err open_lmdb(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        struct lmdb_config c = config->lmdb;
        uint64_t epoch;

        c.path = node->data_path;
        c.schema = (struct lmdb_schema){
                .tables = record_types_tables(config->types),
                .table_count = record_types_table_count(config->types),
                .students = record_types_students(config->types),
                .student_ids = record_types_id_kind(config->types),
                .merges = record_types_merges(config->types),
        };
        if (draw_epoch(&epoch) != OK)
                return no_randomness(msg);
        c.hooks = truth_lmdb_hooks(node->services.freshness, epoch);
        return lmdb_source_open(&node->services.source, &c, msg);
}

static enum err open_postgres(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        struct postgres_config c = config->postgres;
        enum err rc;

        name_node(node, config->server.port);
        if (c.node[0] == '\0')
                c.node = node->name;
        rc = postgres_open(&node->postgres, &c, node->services.freshness, msg);
        if (rc != OK)
                return rc;
        node->services.source = postgres_source(node->postgres);
        node->services.truth = postgres_truth(node->postgres);
        node->services.definitions = postgres_checker(node->postgres);
        return OK;
}

static enum err open_source(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        if (config->kind == NODE_OTHER)
                return config->other.open(config->other.context, node->services.freshness, &node->services.source, msg);
        return config->kind == NODE_LMDB ? open_lmdb(node, config, msg) : open_postgres(node, config, msg);
}

/* What does best is known later: "auto" begins with lru. */
static enum err open_l1(
        struct node *node, const struct l1_config *l1, const struct node_config *config, struct err_msg *msg)
{
        enum err rc = l1_create(&node->services.l1, l1, msg);

        if (rc != OK)
                return rc;
        rc = l1_sample(node->services.l1, &config->sampling);
        if (rc != OK)
                return err_set(msg, rc, "no memory for the sample of L1's keys");
        l1_keep_sampling(node->services.l1, config->whatif_enabled);
        return l1_set_policy(node->services.l1, config->policy);
}

static enum err open_cache(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        struct l1_config l1 = config->l1;
        struct tiers_config tiers = config->tiers;
        enum err rc = OK;

        if (random_bytes(&l1.seed, sizeof(l1.seed)) != OK || random_bytes(&tiers.seed, sizeof(tiers.seed)) != OK)
                return no_randomness(msg);
        if (config->l1_enabled)
                rc = open_l1(node, &l1, config, msg);
        if (rc != OK)
                return rc;
        tiers.clock = clock_boot;
        tiers.l1 = node->services.l1;
        tiers.source = node->services.source;
        tiers.freshness = node->services.freshness;
        rc = tiers_create(&node->services.tiers, &tiers);
        return rc == OK ? OK : err_set(msg, rc, "no memory for the tiers");
}

static enum err open_commands(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        enum err rc = command_table_create(&node->commands);

        (void)config;
        node->services.commands = node->commands;
        return rc == OK ? OK : err_set(msg, rc, "no memory for the command table");
}

static enum err open_asides(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        enum err rc = aside_create(&node->services.intake, "vc-intake");

        (void)config;
        if (rc == OK)
                rc = aside_create(&node->services.exports, "vc-exports");
        return rc == OK ? OK : err_set(msg, rc, "cannot start the threads for imports and exports");
}

static enum err open_server(struct node *node, const struct node_config *config, struct err_msg *msg)
{
        return server_create(&node->server, &config->server, &node->services, msg);
}

static enum err (*const parts[])(struct node *node, const struct node_config *config, struct err_msg *msg) = {
        name_run,
        name_data,
        open_freshness,
        open_source,
        open_cache,
        open_commands,
        open_asides,
        open_server,
};

enum err node_open(struct node **out, const struct node_config *config, struct err_msg *msg)
{
        struct node *node = vc_calloc(1, sizeof(*node));
        enum err rc = OK;

        *out = NULL;
        if (node == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        for (size_t i = 0; rc == OK && i < sizeof(parts) / sizeof(parts[0]); i++)
                rc = parts[i](node, config, msg);
        if (rc != OK)
                node_close(&node);
        *out = node;
        return rc;
}

enum err node_start(struct node *node, struct err_msg *msg)
{
        return server_start(node->server, msg);
}

static void stop_writes(struct node *n)
{
        postgres_stop(n->postgres);
        if (n->postgres == NULL && n->services.source != NULL)
                source_stop(n->services.source);
}

static void close_source(struct node *n)
{
        if (n->postgres != NULL)
                postgres_close(&n->postgres);
        else if (n->services.source != NULL)
                n->services.source->ops->close(&n->services.source);
}

void node_close(struct node **node)
{
        struct node *n = *node;

        *node = NULL;
        if (n == NULL)
                return;
        server_stop(n->server);
        aside_destroy(&n->services.intake);
        aside_destroy(&n->services.exports);
        stop_writes(n); /* first: what is done with writes posts to the workers' mailboxes */
        server_destroy(&n->server);
        close_source(n); /* after the workers' ports */
        command_table_destroy(&n->commands);
        tiers_destroy(&n->services.tiers);
        l1_destroy(&n->services.l1);
        freshness_destroy(&n->services.freshness);
        vc_free(n);
}

struct services *node_services(struct node *node)
{
        return &node->services;
}
