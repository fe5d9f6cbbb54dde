/* vitalcached: reads the settings, sets the node up, serves until a signal says to stop, takes it down. */
#include "base/log.h"
#include "net/control.h"
#include "net/node_config.h"
#include "net/settings.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- while it runs ---- */

static void put_l1_into_effect(struct l1 *l1, const struct settings_values *v)
{
        l1_resize(l1, v->cache_l1_max_bytes, v->cache_l1_max_entries);
        l1_keep_sampling(l1, v->cache_whatif_enabled);
        if (l1_set_policy(l1, node_policy_name(v->cache_l1_policy)) != OK)
                LOG_ERROR("no such policy", LOG_ERR(ERR_CONFIG)); /* the option's words are those that there are */
}

/* What can change, put into effect. `context` is the node. */
static void apply(void *context, const struct settings_values *v)
{
        const struct services *services = node_services(context);

        log_configure((enum log_level)v->log_level, (enum log_format)v->log_format);
        if (services->l1 != NULL)
                put_l1_into_effect(services->l1, v);
}

static void tell_option(void *arg, const char *name, bool applied)
{
        (void)arg;
        if (applied)
                LOG_INFO("option changed", LOG_WORD("option", name));
        else
                LOG_WARNING("option needs a restart", LOG_WORD("option", name));
}

static void reload(void *context)
{
        struct err_msg msg = {""};
        enum err rc = settings_reload(context, tell_option, NULL, &msg);

        if (rc == OK)
                LOG_INFO("reloaded", LOG_PATH("config", settings_file(context)));
        else
                LOG_ERROR("reload failed, nothing has changed", LOG_ERR(rc), LOG_PATH("problem", msg.text));
}

/* The names of all types, separated by commas; cut at the size. */
static void list_types(const struct record_types *types, char *text, size_t size)
{
        size_t used = 0;

        text[0] = '\0';
        for (uint32_t i = 0; i < record_types_count(types) && used < size; i++)
                used += (size_t)snprintf(
                        text + used, size - used, "%s%s", i == 0 ? "" : ",", record_types_at(types, i)->name);
}

/* The line that scripts await. */
static void say_ready(const struct services *s)
{
        const char *socket = s->facts.socket_path == NULL ? "" : s->facts.socket_path;
        char types[512];

        list_types(s->types, types, sizeof(types));
        LOG_INFO("ready", LOG_PATH("bind", s->facts.bind), LOG_UINT("port", s->port), LOG_PATH("socket", socket),
                LOG_PATH("data", s->facts.data_path), LOG_PATH("types", types),
                LOG_PATH("config", s->facts.config_path), LOG_UINT("threads", s->facts.threads));
}

static enum err run_node(struct node *node, struct settings *settings, struct control *control, struct err_msg *msg)
{
        enum err rc;

        settings_watch(settings, apply, node);
        rc = node_start(node, msg);
        if (rc != OK)
                return rc;
        say_ready(node_services(node));
        LOG_INFO("stopping", LOG_INT("signal", control_run(control)));
        return OK;
}

static enum err serve(struct settings *settings, const struct record_types *types, struct err_msg *msg)
{
        const struct node_config config = node_config_of(settings, types);
        struct control *control = NULL;
        struct node *node = NULL;
        enum err rc = control_create(&control, reload, settings);

        if (rc == OK)
                rc = node_open(&node, &config, msg);
        if (rc == OK)
                rc = run_node(node, settings, control, msg);
        node_close(&node);
        control_destroy(&control);
        if (rc == OK)
                LOG_INFO("stopped");
        return rc;
}

/* ---- what the command line asks for ---- */

static enum err with_types(struct settings *settings, struct err_msg *msg,
        enum err (*then)(struct settings *settings, const struct record_types *types, struct err_msg *msg))
{
        struct record_types *types = NULL;
        enum err rc = settings_load_types(settings, &types, msg);

        if (rc == OK)
                rc = then(settings, types, msg);
        record_types_destroy(&types);
        return rc;
}

static enum err say_checked(struct settings *settings, const struct record_types *types, struct err_msg *msg)
{
        (void)msg;
        (void)printf("%s: well-formed, %u record types\n", settings_file(settings), record_types_count(types));
        return OK;
}

static enum err run(struct settings *settings, struct err_msg *msg)
{
        const struct settings_values *v = settings_values(settings);

        log_configure((enum log_level)v->log_level, (enum log_format)v->log_format);
        return with_types(settings, msg, serve);
}

static enum err check(struct settings *settings, struct err_msg *msg)
{
        return with_types(settings, msg, say_checked);
}

static enum err write_out(struct buf *text, enum err rc, struct err_msg *msg)
{
        if (rc == OK && fwrite(text->data, 1, buf_len(text), stdout) != buf_len(text))
                rc = err_set(msg, ERR_IO, "cannot write to standard output");
        buf_deinit(text);
        return rc;
}

static enum err print_settings(struct settings *settings, struct err_msg *msg)
{
        struct buf text;

        buf_init(&text, 0);
        return write_out(&text, settings_print(settings, &text), msg);
}

static enum err print_help(struct settings *settings, struct err_msg *msg)
{
        struct buf text;

        (void)settings;
        buf_init(&text, 0);
        return write_out(&text, settings_help(&text), msg);
}

static enum err print_version(struct settings *settings, struct err_msg *msg)
{
        (void)settings;
        (void)msg;
        (void)printf("vitalcached %s\n", VC_VERSION);
        return OK;
}

static enum err (*const actions[])(struct settings *settings, struct err_msg *msg) = {
        [SETTINGS_RUN] = run,
        [SETTINGS_CHECK] = check,
        [SETTINGS_PRINT] = print_settings,
        [SETTINGS_HELP] = print_help,
        [SETTINGS_VERSION] = print_version,
};

/* Started with a standard stream closed, the next file opened would get its number: the log would be written into the
 * database. For reading only, so that a write there still fails. */
static void occupy_standard_streams(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                close(fd);
}

int main(int argc, char **argv)
{
        const struct settings_input input = {.argc = argc, .argv = argv, .environment = environ};
        struct settings *settings = NULL;
        struct err_msg msg = {""};
        enum err rc;

        occupy_standard_streams();
        /* Libraries' memory is overwritten when they free it, as ours is: records pass through LMDB's, too. */
        (void)mallopt(M_PERTURB, 1);
        rc = settings_load(&settings, &input, &msg);
        if (rc == OK)
                rc = actions[settings_action(settings)](settings, &msg);
        if (rc == OK && fflush(stdout) != 0)
                rc = err_set(&msg, ERR_IO, "cannot write to standard output");
        settings_destroy(&settings);
        if (rc == OK)
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "vitalcached: %s\n", msg.text[0] == '\0' ? err_text(rc) : msg.text);
        return EXIT_FAILURE;
}
