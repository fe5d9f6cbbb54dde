#include "net/settings_read.h"

#include "base/config_file.h"
#include "base/suggest.h"
#include "conf/option_rows.h"

#include <stdio.h>
#include <string.h>

static const struct {
        const char *preset;
        int index;
        const char *value;
} PRESETS[] = {
#define OPTION(...)
#define PRESET(preset, field, value) {#preset, AT_##field, value},
#define AT_MOST(...)
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
};

static const struct {
        int index;
        int other;
} AT_MOST_RULES[] = {
#define OPTION(...)
#define PRESET(...)
#define AT_MOST(field, other) {AT_##field, AT_##other},
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
};

static const struct settings_flag FLAGS[] = {
        {"--config", "FILE", SETTINGS_RUN, "configuration file; else $" CONFIG_FILE_VARIABLE ", else the shipped one"},
        {"--check-config", NULL, SETTINGS_CHECK, "check the configuration and the record types; start nothing"},
        {"--print-config", NULL, SETTINGS_PRINT, "print every option's value and where it comes from; start nothing"},
        {"--help", NULL, SETTINGS_HELP, "print this"},
        {"--version", NULL, SETTINGS_VERSION, "print the version"},
};

enum { FLAG_COUNT = sizeof(FLAGS) / sizeof(FLAGS[0]) };

const struct option_row *settings_rows(size_t *count)
{
        *count = OPTION_COUNT;
        return OPTION_ROWS;
}

const struct settings_flag *settings_flags(size_t *count)
{
        *count = FLAG_COUNT;
        return FLAGS;
}

/* ---- names that are not known ---- */

static enum err unknown(
        const struct option_set *options, bool is_flag, struct slice name, enum err code, struct err_msg *msg)
{
        enum { SHOWN_MAX = 60, FLAG_SIZE = 64 };
        struct slice shown = slice_of(name.data, name.len < SHOWN_MAX ? name.len : SHOWN_MAX);
        char flags[OPTION_COUNT][FLAG_SIZE];
        struct suggest suggest;

        suggest_init(&suggest, name);
        for (size_t i = 0; is_flag && i < FLAG_COUNT; i++)
                suggest_offer(&suggest, slice_str(FLAGS[i].name));
        for (int i = 0; i < OPTION_COUNT; i++) {
                const struct option_row *row = option_row(options, i);

                if (is_flag && row->flag != NULL)
                        suggest_offer(&suggest, slice_str(row->flag));
                (void)snprintf(flags[i], FLAG_SIZE, "%s%s", is_flag ? "--" : "", row->name);
                suggest_offer(&suggest, slice_str(flags[i]));
        }
        return suggest_append(&suggest,
                err_set(msg, code,
                        is_flag ? "there is no flag \"%.*s\"; --help says what there is"
                                : "there is no option \"%.*s\"",
                        SLICE_ARG(shown)),
                msg);
}

enum err settings_unknown(const struct option_set *options, struct slice name, enum err code, struct err_msg *msg)
{
        return unknown(options, false, name, code, msg);
}

/* ---- the command line ---- */

/* `--name value` or `--name=value`, one at a time. */
struct arguments {
        const struct settings_input *input;
        const struct option_set *options;
        int at;
        struct slice name;
        const struct settings_flag *flag; /* NULL: it is an option's */
        int option;
        const char *value; /* NULL: the flag has none */
};

static const struct settings_flag *find_flag(struct slice name)
{
        for (size_t i = 0; i < FLAG_COUNT; i++)
                if (slice_equal(name, slice_str(FLAGS[i].name)))
                        return &FLAGS[i];
        return NULL;
}

static enum err take_value(struct arguments *a, const char *argument, struct err_msg *msg)
{
        bool wants = a->flag == NULL || a->flag->value != NULL;
        const char *next = a->at + 1 < a->input->argc ? a->input->argv[a->at + 1] : NULL;

        a->value = argument[a->name.len] == '=' ? argument + a->name.len + 1 : NULL;
        if (!wants && a->value != NULL)
                return err_set(msg, ERR_CONFIG, "%s has no value", a->flag->name);
        if (!wants || a->value != NULL)
                return OK;
        if (next == NULL || strncmp(next, "--", 2) == 0)
                return err_set(msg, ERR_CONFIG, "%.*s needs a value", SLICE_ARG(a->name));
        a->value = next;
        a->at++;
        return OK;
}

/* The next flag; *more is false behind the last one. */
static enum err next_argument(struct arguments *a, bool *more, struct err_msg *msg)
{
        const char *argument;

        a->at++;
        *more = a->at < a->input->argc;
        if (!*more)
                return OK;
        argument = a->input->argv[a->at];
        a->name = slice_of(argument, strcspn(argument, "="));
        if (slice_equal(a->name, slice_str("-h")))
                a->name = slice_str("--help");
        a->flag = find_flag(a->name);
        a->option = a->flag != NULL ? OPTION_NONE : option_find_flag(a->options, a->name);
        if (a->flag == NULL && a->option == OPTION_NONE && argument[0] != '-')
                return err_set(msg, ERR_CONFIG, "unexpected argument \"%.60s\"; --help says what there is", argument);
        if (a->flag == NULL && a->option == OPTION_NONE)
                return unknown(a->options, true, a->name, ERR_CONFIG, msg);
        return take_value(a, argument, msg);
}

static enum err set_path(char path[PATH_MAX], const char *text, struct err_msg *msg)
{
        if (text[0] == '\0')
                return err_set(msg, ERR_CONFIG, "--config needs the path of a file, not \"\"");
        if (strlen(text) >= PATH_MAX)
                return err_set(msg, ERR_CONFIG, "the path of the configuration file is too long");
        memcpy(path, text, strlen(text) + 1);
        return OK;
}

/* What the command line asks for, and the file it names. --help answers even where the rest is wrong. */
static enum err read_command(const struct option_set *options, const struct settings_input *input,
        struct settings_command *command, struct err_msg *msg)
{
        struct arguments a = {.input = input, .options = options};
        bool more = true;
        enum err rc = OK;

        for (int i = 1; i < input->argc; i++)
                if (strcmp(input->argv[i], "--help") == 0 || strcmp(input->argv[i], "-h") == 0) {
                        command->action = SETTINGS_HELP;
                        return OK;
                }
        while (rc == OK && more) {
                rc = next_argument(&a, &more, msg);
                if (rc != OK || !more || a.flag == NULL)
                        continue;
                if (a.flag->action != SETTINGS_RUN)
                        command->action = a.flag->action;
                else
                        rc = set_path(command->file, a.value, msg);
        }
        return rc;
}

/* An origin outlives the command line's slices: it has the name of the table's row. */
static enum err assign_flag(struct option_set *options, const struct arguments *a, struct err_msg *msg)
{
        const struct option_row *row = option_row(options, a->option);
        bool short_form = row->flag != NULL && slice_equal(a->name, slice_str(row->flag));
        struct option_origin origin = {OPTION_FROM_FLAG, short_form ? row->flag : row->name, 0, 0};

        return option_assign(options, a->option, a->value, &origin, msg);
}

static enum err assign_arguments(struct option_set *options, const struct settings_input *input, struct err_msg *msg)
{
        struct arguments a = {.input = input, .options = options};
        bool more = true;
        enum err rc = OK;

        while (rc == OK && more) {
                rc = next_argument(&a, &more, msg);
                if (rc != OK || !more || a.flag != NULL)
                        continue;
                rc = assign_flag(options, &a, msg);
        }
        return rc;
}

/* ---- what no single source says ---- */

static bool is_default(const struct option_set *options, int index)
{
        return option_origin(options, index)->source == OPTION_FROM_DEFAULT;
}

/* A preset moves defaults only: what anyone has said stands. */
static enum err apply_preset(struct option_set *options, struct err_msg *msg)
{
        struct buf chosen;
        enum err rc;

        buf_init(&chosen, 0);
        rc = option_format(options, AT_cache_l1_preset, &chosen);
        for (size_t i = 0; rc == OK && i < sizeof(PRESETS) / sizeof(PRESETS[0]); i++) {
                const struct option_origin origin = {OPTION_FROM_PRESET, PRESETS[i].preset, 0, 0};

                if (slice_equal(buf_slice(&chosen), slice_str(PRESETS[i].preset)) &&
                        is_default(options, PRESETS[i].index))
                        rc = option_assign(options, PRESETS[i].index, PRESETS[i].value, &origin, msg);
        }
        buf_deinit(&chosen);
        return rc == ERR_NOMEM ? err_set(msg, rc, "no memory for the settings") : rc;
}

/* Of two options that do not go together, the one that somebody set is to blame. */
static enum err check_rule(const struct option_set *options, int index, int other, struct err_msg *msg)
{
        bool first = !is_default(options, index);
        int blamed = first ? index : other;
        int kept = first ? other : index;
        struct buf text;
        enum err rc;

        if (option_value(options, index)->number <= option_value(options, other)->number)
                return OK;
        buf_init(&text, 0);
        rc = buf_printf(&text, "%s is ", option_row(options, blamed)->name);
        if (rc == OK)
                rc = option_format(options, blamed, &text);
        if (rc == OK)
                rc = buf_printf(&text, "; it must be at %s %s, which is ", first ? "most" : "least",
                        option_row(options, kept)->name);
        if (rc == OK)
                rc = option_format(options, kept, &text);
        if (rc == OK)
                rc = err_set(msg, ERR_CONFIG, "%.*s", SLICE_ARG(buf_slice(&text)));
        buf_deinit(&text);
        if (rc == ERR_NOMEM)
                return err_set(msg, rc, "no memory for the settings");
        return option_blame(option_origin(options, blamed), rc, msg);
}

static enum err check_rules(const struct option_set *options, struct err_msg *msg)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < sizeof(AT_MOST_RULES) / sizeof(AT_MOST_RULES[0]); i++)
                rc = check_rule(options, AT_MOST_RULES[i].index, AT_MOST_RULES[i].other, msg);
        return rc;
}

/* ---- all of it ---- */

static enum err read_all(struct option_set *options, struct settings_command *command,
        const struct settings_input *input, struct err_msg *msg)
{
        char shipped[PATH_MAX];
        enum err rc = read_command(options, input, command, msg);

        if (rc != OK || command->action == SETTINGS_HELP || command->action == SETTINGS_VERSION)
                return rc;
        config_folder_find(input->shipped, shipped);
        rc = option_place_default(options, AT_types_files, shipped, msg); /* they stand beside it */
        if (rc == OK && command->file[0] == '\0')
                rc = config_file_find(shipped, input->environment, command->file, msg);
        if (rc == OK)
                rc = option_load_file(options, command->file, msg);
        if (rc == OK)
                rc = option_read_environment(options, input->environment, msg);
        if (rc == OK)
                rc = assign_arguments(options, input, msg);
        if (rc == OK)
                rc = apply_preset(options, msg);
        if (rc == OK)
                rc = check_rules(options, msg);
        return rc == OK ? settings_check_bound(options, msg) : rc;
}

enum err settings_read(struct option_set **out, struct settings_command *command, const struct settings_input *input,
        struct err_msg *msg)
{
        enum err rc = option_set_create(out, OPTION_ROWS, OPTION_COUNT);

        command->action = SETTINGS_RUN;
        command->file[0] = '\0';
        if (rc != OK)
                return err_set(msg, rc, "no memory for the settings");
        rc = read_all(*out, command, input, msg);
        if (rc != OK)
                option_set_destroy(out);
        return rc;
}
