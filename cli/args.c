#include "cli/args.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "cli/cli.h"

static const struct flag_row {
        const char *text;
        const char *argument;
        const char *commands;
        const char *help;
} FLAGS[FLAG_COUNT] = {
#define FLAG(name, text, argument, commands, help) {text, argument, commands, help},
#include "cli/flags.def"
#undef FLAG
};

static const struct cli_command COMMANDS[] = {
#define COMMAND(name, arguments, least, most, summary, details)                                                        \
        {#name, arguments, least, most, summary, details, cmd_##name},
#include "cli/commands.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

/* ---- reading ---- */

static const struct cli_command *find_command(const char *word)
{
        for (size_t i = 0; i < COMMAND_COUNT; i++)
                if (strcmp(COMMANDS[i].name, word) == 0)
                        return &COMMANDS[i];
        return NULL;
}

/* Flags are given as "--port 7379" or "--port=7379"; *value is the part behind '=', or NULL. */
static bool find_flag(const char *word, enum cli_flag *flag, const char **value)
{
        const char *equals = strchr(word, '=');
        size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);

        *value = equals == NULL ? NULL : equals + 1;
        for (*flag = 0; *flag < FLAG_COUNT; (*flag)++)
                if (strlen(FLAGS[*flag].text) == len && memcmp(FLAGS[*flag].text, word, len) == 0)
                        return true;
        return false;
}

static enum err unknown_flag(const char *word, struct err_msg *msg)
{
        struct suggest suggest;

        suggest_init(&suggest, slice_str(word));
        for (enum cli_flag flag = 0; flag < FLAG_COUNT; flag++)
                suggest_offer(&suggest, slice_str(FLAGS[flag].text));
        err_set(msg, ERR_SYNTAX, "there is no flag %s; `vitalcache --help` lists them", word);
        return suggest_append(&suggest, ERR_SYNTAX, msg);
}

static enum err unknown_command(const char *word, struct err_msg *msg)
{
        struct suggest suggest;

        suggest_init(&suggest, slice_str(word));
        for (size_t i = 0; i < COMMAND_COUNT; i++)
                suggest_offer(&suggest, slice_str(COMMANDS[i].name));
        err_set(msg, ERR_SYNTAX, "there is no command %s; `vitalcache --help` lists them", word);
        return suggest_append(&suggest, ERR_SYNTAX, msg);
}

/* Takes the flag at argv[*at], with its argument; *at then stands on the last word of it. */
static enum err take_flag(struct cli_args *args, int argc, char *const *argv, int *at, struct err_msg *msg)
{
        enum cli_flag flag;
        const char *value;

        if (!find_flag(argv[*at], &flag, &value))
                return unknown_flag(argv[*at], msg);
        if (args->flags[flag] != NULL)
                return err_set(msg, ERR_SYNTAX, "%s is given twice", FLAGS[flag].text);
        if (FLAGS[flag].argument == NULL && value != NULL)
                return err_set(msg, ERR_SYNTAX, "%s takes no argument", FLAGS[flag].text);
        if (FLAGS[flag].argument != NULL && value == NULL) {
                if (*at + 1 >= argc)
                        return err_set(msg, ERR_SYNTAX, "%s wants %s", FLAGS[flag].text, FLAGS[flag].argument);
                value = argv[++*at];
        }
        args->flags[flag] = value == NULL ? "" : value;
        return OK;
}

static enum err take_word(struct cli_args *args, const char *word, struct err_msg *msg)
{
        if (args->command != NULL) {
                args->words[args->word_count++] = word;
                return OK;
        }
        args->command = find_command(word);
        return args->command == NULL ? unknown_command(word, msg) : OK;
}

/* Whether `commands`, names with spaces between them, has the name in it. */
static bool lists_command(const char *commands, const char *name)
{
        size_t len = strlen(name);

        for (const char *at = strstr(commands, name); at != NULL; at = strstr(at + 1, name))
                if ((at == commands || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
                        return true;
        return false;
}

static enum err check_fit(const struct cli_args *args, struct err_msg *msg)
{
        const struct cli_command *command = args->command;

        if (command == NULL || args->flags[FLAG_help] != NULL)
                return OK;
        for (enum cli_flag flag = 0; flag < FLAG_COUNT; flag++)
                if (args->flags[flag] != NULL && FLAGS[flag].commands[0] != '\0' &&
                        !lists_command(FLAGS[flag].commands, command->name))
                        return err_set(msg, ERR_SYNTAX, "%s takes no %s; it is for: %s", command->name,
                                FLAGS[flag].text, FLAGS[flag].commands);
        if (args->word_count < command->least || (command->most >= 0 && args->word_count > command->most))
                return err_set(
                        msg, ERR_SYNTAX, "that is not its form: vitalcache %s %s", command->name, command->arguments);
        return OK;
}

enum err args_init(struct cli_args *args, int argc, char *const *argv, struct err_msg *msg)
{
        bool flags_end = false;
        enum err rc = OK;

        *args = (struct cli_args){.command = NULL};
        args->words = vc_calloc((size_t)argc + 1, sizeof(*args->words));
        if (args->words == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        for (int at = 1; rc == OK && at < argc; at++) {
                if (!flags_end && strcmp(argv[at], "--") == 0)
                        flags_end = true;
                else if (!flags_end && strncmp(argv[at], "--", 2) == 0)
                        rc = take_flag(args, argc, argv, &at, msg);
                else
                        rc = take_word(args, argv[at], msg);
        }
        return rc == OK ? check_fit(args, msg) : rc;
}

void args_deinit(struct cli_args *args)
{
        vc_free(args->words);
        args->words = NULL;
        args->word_count = 0;
}

enum err args_number(const struct cli_args *args, const struct cli_number *number, uint64_t *out, struct err_msg *msg)
{
        const char *text = args->flags[number->flag];

        *out = number->otherwise;
        if (text == NULL)
                return OK;
        if (!slice_to_u64(slice_str(text), out) || *out < number->least || *out > number->most)
                return err_set(msg, ERR_SYNTAX, "%s wants a whole number from %llu to %llu, not %s",
                        FLAGS[number->flag].text, (unsigned long long)number->least, (unsigned long long)number->most,
                        text);
        return OK;
}

/* ---- help ---- */

static void help_flags(FILE *out, const struct cli_command *command)
{
        bool own = command != NULL;

        for (enum cli_flag flag = 0; flag < FLAG_COUNT; flag++) {
                const struct flag_row *row = &FLAGS[flag];
                char left[32];

                if (own ? !lists_command(row->commands, command->name) : row->commands[0] != '\0')
                        continue;
                (void)snprintf(left, sizeof(left), "%s%s%s", row->text, row->argument == NULL ? "" : " ",
                        row->argument == NULL ? "" : row->argument);
                fprintf(out, "  %-22s %s\n", left, row->help);
        }
}

static void help_exits(FILE *out)
{
        static const struct {
                int code;
                const char *meaning;
        } exits[] = {
#define EXIT(name, code, meaning) {code, meaning},
#include "cli/exits.def"
#undef EXIT
        };

        for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
                fprintf(out, "  %d  %s\n", exits[i].code, exits[i].meaning);
}

void args_help(FILE *out, const struct cli_command *command)
{
        if (command != NULL) {
                fprintf(out, "vitalcache %s %s\n  %s\n", command->name, command->arguments, command->summary);
                help_flags(out, command);
                fprintf(out, "%s", command->details == NULL ? "" : command->details);
                return;
        }
        fprintf(out, "vitalcache [flags] COMMAND [words]: reads and writes the records of a running vitalcached\n\n"
                     "commands (`vitalcache COMMAND --help` for more)\n");
        for (size_t i = 0; i < COMMAND_COUNT; i++)
                fprintf(out, "  %-12s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
        fprintf(out, "\nflags\n");
        help_flags(out, NULL);
        fprintf(out, "\nexit codes\n");
        help_exits(out);
}
