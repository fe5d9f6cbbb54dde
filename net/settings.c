#include "net/settings.h"

#include "base/mem.h"
#include "database/record_type.h"
#include "net/settings_read.h"

#include <fnmatch.h>
#include <pthread.h>

struct settings {
        struct settings_input input;
        struct settings_command command;
        struct option_set *options;
        struct settings_values values;
        pthread_mutex_t lock; /* holds options and values together, and one `apply` at a time */
        void (*apply)(void *context, const struct settings_values *values);
        void *context;
};

/* ---- options into fields, by type ---- */

static bool get_BOOL(const struct option_value *value)
{
        return value->number != 0;
}

static uint64_t get_INT(const struct option_value *value)
{
        return value->number;
}

static uint64_t get_POWER(const struct option_value *value)
{
        return value->number;
}

static uint64_t get_SIZE(const struct option_value *value)
{
        return value->number;
}

static struct nanos get_DURATION(const struct option_value *value)
{
        return (struct nanos){(int64_t)value->number};
}

static uint32_t get_MODE(const struct option_value *value)
{
        return (uint32_t)value->number;
}

static uint32_t get_WORD(const struct option_value *value)
{
        return (uint32_t)value->number;
}

static const char *get_TEXT(const struct option_value *value)
{
        return value->text;
}

static const char *get_PATH(const struct option_value *value)
{
        return value->text;
}

static struct option_list get_PATHS(const struct option_value *value)
{
        return value->list;
}

static const char *get_DSN(const struct option_value *value)
{
        return value->text;
}

static struct option_list get_DSNS(const struct option_value *value)
{
        return value->list;
}

static void fill_values(struct settings *s)
{
        int index = 0;

#define OPTION(field, name, type, ...) s->values.field = get_##type(option_value(s->options, index++));
#define PRESET(...)
#define AT_MOST(...)
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
}

/* ---- life ---- */

enum err settings_load(struct settings **out, const struct settings_input *input, struct err_msg *msg)
{
        struct settings *s = vc_calloc(1, sizeof(*s));
        enum err rc;

        *out = NULL;
        if (s == NULL)
                return err_set(msg, ERR_NOMEM, "no memory for the settings");
        (void)pthread_mutex_init(&s->lock, NULL);
        s->input = *input;
        rc = settings_read(&s->options, &s->command, input, msg);
        if (rc == OK)
                fill_values(s);
        else
                settings_destroy(&s);
        *out = s;
        return rc;
}

void settings_destroy(struct settings **settings)
{
        struct settings *s = *settings;

        *settings = NULL;
        if (s == NULL)
                return;
        option_set_destroy(&s->options);
        (void)pthread_mutex_destroy(&s->lock);
        vc_free(s);
}

enum settings_action settings_action(const struct settings *settings)
{
        return settings->command.action;
}

const char *settings_file(const struct settings *settings)
{
        return settings->command.file;
}

const struct settings_values *settings_values(const struct settings *settings)
{
        return &settings->values;
}

enum err settings_load_types(const struct settings *settings, struct record_types **out, struct err_msg *msg)
{
        const struct option_list *files = &settings->values.types_files;

        enum err rc = record_types_load(out, files->items, files->count, msg);

        /* what is wrong inside one of them has that file's own place */
        if (rc == ERR_IO || (rc == ERR_CONFIG && files->count == 0))
                rc = option_blame(
                        option_origin(settings->options, option_find(settings->options, slice_str("types.files"))), rc,
                        msg);
        if (rc == OK)
                rc = settings_check_types(settings->options, *out, msg);
        if (rc != OK)
                record_types_destroy(out);
        return rc;
}

/* ---- what people read ---- */

static enum err print_option(const struct settings *s, int index, struct buf *out)
{
        enum { VALUE_COLUMN = 44 };
        size_t begin = buf_len(out);
        enum err rc = buf_printf(out, "%s = ", option_row(s->options, index)->name);

        if (rc == OK)
                rc = option_format(s->options, index, out);
        while (rc == OK && buf_len(out) - begin < VALUE_COLUMN)
                rc = buf_append_str(out, " ");
        if (rc == OK)
                rc = buf_append_str(out, " # ");
        if (rc == OK)
                rc = option_format_origin(option_origin(s->options, index), out);
        return rc == OK ? buf_append_str(out, "\n") : rc;
}

enum err settings_print(struct settings *settings, struct buf *out)
{
        enum err rc = buf_printf(out, "# %s\n", settings->command.file);

        (void)pthread_mutex_lock(&settings->lock);
        for (int i = 0; rc == OK && i < option_count(settings->options); i++)
                rc = print_option(settings, i, out);
        (void)pthread_mutex_unlock(&settings->lock);
        return rc;
}

/* ---- while the server runs ---- */

void settings_watch(
        struct settings *settings, void (*apply)(void *context, const struct settings_values *values), void *context)
{
        settings->apply = apply;
        settings->context = context;
}

/* Under the lock. */
static void put_into_effect(struct settings *s)
{
        fill_values(s);
        if (s->apply != NULL)
                s->apply(s->context, &s->values);
}

size_t settings_get(struct settings *settings, const char *pattern,
        void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
        struct buf text;
        size_t count = 0;

        buf_init(&text, 0);
        (void)pthread_mutex_lock(&settings->lock);
        for (int i = 0; i < option_count(settings->options); i++) {
                const char *name = option_row(settings->options, i)->name;

                buf_truncate(&text, 0);
                if (fnmatch(pattern, name, 0) != 0 || option_format(settings->options, i, &text) != OK ||
                        buf_append(&text, "", 1) != OK)
                        continue;
                count++;
                visit(arg, name, (const char *)buf_slice(&text).data);
        }
        (void)pthread_mutex_unlock(&settings->lock);
        buf_deinit(&text);
        return count;
}

/* Tries a change on `fresh`, a set that has no part in what is in effect. */
static enum err try_change(const struct settings *settings, const struct option_change *change,
        struct option_set *fresh, struct err_msg *msg)
{
        static const struct option_origin origin = {OPTION_FROM_COMMAND, "CONFIG SET", 0, 0};
        int index = option_find(fresh, slice_str(change->name));
        enum err rc;

        if (index == OPTION_NONE)
                return settings_unknown(fresh, slice_str(change->name), ERR_BADARG, msg);
        if (!option_row(fresh, index)->reloadable)
                return err_set(msg, ERR_BADARG, "%s is read at start only; change it in %s and restart", change->name,
                        settings->command.file);
        if (option_origin(fresh, index)->source == OPTION_FROM_COMMAND)
                return err_set(msg, ERR_BADARG, "%s is there twice; it can have one value", change->name);
        rc = option_assign(fresh, index, change->value, &origin, msg);
        return rc == ERR_CONFIG ? ERR_BADARG : rc;
}

/* Of changes that have all been tried. */
static void take_changes(
        struct settings *settings, const struct option_change *changes, size_t count, struct option_set *fresh)
{
        (void)pthread_mutex_lock(&settings->lock);
        for (size_t i = 0; i < count; i++)
                option_swap(settings->options, fresh, option_find(fresh, slice_str(changes[i].name)));
        put_into_effect(settings);
        (void)pthread_mutex_unlock(&settings->lock);
}

enum err settings_set(struct settings *settings, const struct option_change *changes, size_t count, struct err_msg *msg)
{
        size_t row_count;
        const struct option_row *rows = settings_rows(&row_count);
        struct option_set *fresh;
        enum err rc = option_set_create(&fresh, rows, row_count);

        for (size_t i = 0; rc == OK && i < count; i++)
                rc = try_change(settings, &changes[i], fresh, msg);
        if (rc == OK)
                take_changes(settings, changes, count, fresh);
        option_set_destroy(&fresh);
        return rc;
}

/* Under the lock. Options that can change take the fresh value and its origin; no step of this can fail. */
static void take_fresh(struct settings *s, struct option_set *fresh,
        void (*visit)(void *arg, const char *name, bool applied), void *arg)
{
        for (int i = 0; i < option_count(s->options); i++) {
                const struct option_row *row = option_row(s->options, i);
                bool same = option_equal(s->options, fresh, i);

                if (row->reloadable)
                        option_swap(s->options, fresh, i);
                if (!same)
                        visit(arg, row->name, row->reloadable);
        }
        put_into_effect(s);
}

enum err settings_reload(struct settings *settings, void (*visit)(void *arg, const char *name, bool applied), void *arg,
        struct err_msg *msg)
{
        struct settings_command command;
        struct option_set *fresh;
        enum err rc = settings_read(&fresh, &command, &settings->input, msg);

        if (rc != OK)
                return rc;
        (void)pthread_mutex_lock(&settings->lock);
        take_fresh(settings, fresh, visit, arg);
        (void)pthread_mutex_unlock(&settings->lock);
        option_set_destroy(&fresh);
        return OK;
}
