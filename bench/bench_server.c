/* vitalcached without a database: its own sockets, commands, tiers, L1 and freshness, all of it as it is shipped, and a
 * synthetic source behind (bench/synthetic.h). What is measured on it is what vitalcached itself costs.
 *
 * usage: bench_server [--value BYTES] [--touches PER_SECOND] [any option of vitalcached] */
#include "bench/requests.h"
#include "bench/synthetic.h"

#include "base/log.h"
#include "base/quantity.h"
#include "net/control.h"
#include "net/node_config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the options that vitalcached does not have ---- */

static enum err take_number(const char *name, const char *text, uint32_t least, uint32_t *out, struct err_msg *msg)
{
        uint64_t number;
        enum err rc = quantity_parse(QUANTITY_NUMBER, slice_str(text), &number, msg);

        if (rc == OK)
                rc = quantity_check(QUANTITY_NUMBER, number, least, 100000000, msg);
        if (rc != OK)
                return err_wrap(msg, rc, "%s", name);
        *out = (uint32_t)number;
        return OK;
}

/* Takes our own options out of argv; the rest is vitalcached's. */
static enum err take_own(int *argc, char **argv, struct synthetic_config *own, struct err_msg *msg)
{
        enum err rc = OK;
        int kept = 1;

        for (int i = 1; rc == OK && i < *argc; i++) {
                if (i + 1 < *argc && strcmp(argv[i], "--value") == 0)
                        rc = take_number(argv[i], argv[i + 1], REQUESTS_VALUE_MIN, &own->value_size, msg);
                else if (i + 1 < *argc && strcmp(argv[i], "--touches") == 0)
                        rc = take_number(argv[i], argv[i + 1], 0, &own->touches, msg);
                else {
                        argv[kept++] = argv[i];
                        continue;
                }
                i++;
        }
        argv[kept] = NULL;
        *argc = kept;
        return rc;
}

/* ---- the node ---- */

static enum err open_source(void *context, struct freshness *freshness, struct source **out, struct err_msg *msg)
{
        return synthetic_open(out, context, freshness, msg);
}

static void reload(void *context)
{
        (void)context; /* what runs is what was asked for */
}

static enum err serve(struct node *node, struct control *control, struct err_msg *msg)
{
        enum err rc = node_start(node, msg);

        if (rc != OK)
                return rc;
        LOG_INFO("ready", LOG_UINT("port", node_services(node)->port));
        (void)control_run(control);
        return OK;
}

static enum err run(
        struct settings *settings, const struct record_types *types, struct synthetic_config *own, struct err_msg *msg)
{
        struct node_config config = node_config_of(settings, types);
        struct control *control = NULL;
        struct node *node = NULL;
        enum err rc = control_create(&control, reload, NULL);

        own->interval = config.postgres.poll_interval;
        config.kind = NODE_OTHER;
        config.other = (struct node_other){open_source, own};
        if (rc == OK)
                rc = node_open(&node, &config, msg);
        if (rc == OK)
                rc = serve(node, control, msg);
        node_close(&node);
        control_destroy(&control);
        return rc;
}

static enum err load_and_run(const struct settings_input *input, struct synthetic_config *own, struct err_msg *msg)
{
        struct settings *settings = NULL;
        struct record_types *types = NULL;
        enum err rc = settings_load(&settings, input, msg);

        if (rc == OK)
                rc = settings_load_types(settings, &types, msg);
        if (rc == OK)
                rc = run(settings, types, own, msg);
        record_types_destroy(&types);
        settings_destroy(&settings);
        return rc;
}

int main(int argc, char **argv)
{
        struct synthetic_config own = {.value_size = 512, .touches = 10000};
        struct err_msg msg = {""};
        enum err rc = take_own(&argc, argv, &own, &msg);

        (void)mallopt(M_PERTURB, 1); /* as vitalcached does */
        if (rc == OK)
                rc = load_and_run(
                        &(struct settings_input){.argc = argc, .argv = argv, .environment = environ}, &own, &msg);
        if (rc == OK)
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "bench_server: %s\n", msg.text[0] == '\0' ? err_text(rc) : msg.text);
        return EXIT_FAILURE;
}
