/* config_tables NAME: prints a part of docs/CONFIGURATION.md from the table that it describes. tests/docs/tables puts
 * it there, or says that it is not what is there. */
#include "net/settings.h"

#include <stdio.h>
#include <string.h>

/* ---- options ---- */

static void print_words(const char *words)
{
        for (const char *at = words; *at != '\0'; at += strcspn(at, "|") + (at[strcspn(at, "|")] == '|'))
                (void)printf("%s`%.*s`", at == words ? "" : ", ", (int)strcspn(at, "|"), at);
}

static void print_allowed(const struct option_row *row)
{
        static const char *const forms[] = {
                [OPTION_BOOL] = "`true`, `false`",
                [OPTION_POWER] = ", a power of two",
                [OPTION_MODE] = "octal permissions",
                [OPTION_TEXT] = "text",
                [OPTION_PATH] = "a path",
                [OPTION_PATHS] = "a list of paths",
                [OPTION_DSN] = "a DSN",
                [OPTION_DSNS] = "a list of DSNs",
        };

        if (row->type == OPTION_WORD)
                print_words(row->unit);
        if (row->min != NULL)
                (void)printf("%s to %s", row->min, row->max);
        if (row->min != NULL && row->unit != NULL && row->type != OPTION_DURATION && row->type != OPTION_SIZE)
                (void)printf(" %s", row->unit);
        if (row->type < sizeof(forms) / sizeof(forms[0]) && forms[row->type] != NULL)
                (void)printf("%s", forms[row->type]);
}

/* The flag of its own and the environment variable, with the unit of a bare number in it. */
static void print_other_names(const struct option_row *row)
{
        if (row->flag != NULL)
                (void)printf("`%s`", row->flag);
        if (row->env != NULL)
                (void)printf("%s`%s`", row->flag == NULL ? "" : ", ", row->env);
        if (row->env != NULL && row->type == OPTION_DURATION)
                (void)printf(" (in %s)", row->unit);
}

static void print_option(const struct option_row *row)
{
        (void)printf("| `%s` | `%s` | ", row->name, row->fallback[0] == '\0' ? "\"\"" : row->fallback);
        print_allowed(row);
        (void)printf(" | ");
        print_other_names(row);
        (void)printf(" | %s | %s |\n", row->reloadable ? "live" : "restart", row->sentence);
}

static void print_options(void)
{
        size_t count;
        const struct option_row *rows = settings_rows(&count);
        const char *section = "";

        for (size_t i = 0; i < count; i++) {
                size_t len = strcspn(rows[i].name, ".");

                if (strncmp(section, rows[i].name, len + 1) != 0)
                        (void)printf("\n### %.*s\n\n| Option | Default | Allowed | Also | Change | What it is |\n"
                                     "|---|---|---|---|---|---|\n",
                                (int)len, rows[i].name);
                section = rows[i].name;
                print_option(&rows[i]);
        }
        (void)printf("\n");
}

/* ---- what options have to do with one another ---- */

/* The name of the option whose field is `field`: the same but for its dots. */
static const char *name_of(const char *field)
{
        static const struct {
                const char *field;
                const char *name;
        } fields[] = {
#define OPTION(field, name, ...) {#field, name},
#define PRESET(...)
#define AT_MOST(...)
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
        };

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                if (strcmp(fields[i].field, field) == 0)
                        return fields[i].name;
        return field;
}

static void print_rules(void)
{
#define OPTION(...)
#define PRESET(word, field, value)                                                                                     \
        (void)printf("- With `cache.l1.preset: " #word "` the default of `%s` is `" value "`.\n", name_of(#field));
#define AT_MOST(field, other) (void)printf("- `%s` is at most `%s`.\n", name_of(#field), name_of(#other));
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
}

/* ---- keys of record types ---- */

static void print_keys(const char *wanted)
{
        static const struct {
                const char *level;
                const char *name;
                const char *form;
                const char *sentence;
        } keys[] = {
#define TYPE_KEY(level, name, form, sentence) {#level, #name, form, sentence},
#include "database/type_keys.def"
#undef TYPE_KEY
        };

        (void)printf("| Key | Value | What it is |\n|---|---|---|\n");
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                if (strcasecmp(keys[i].level, wanted) == 0)
                        (void)printf("| `%s` | %s | %s |\n", keys[i].name, keys[i].form, keys[i].sentence);
}

int main(int argc, char **argv)
{
        const char *part = argc == 2 ? argv[1] : "";

        if (strcmp(part, "options") == 0)
                print_options();
        else if (strcmp(part, "rules") == 0)
                print_rules();
        else if (strncmp(part, "keys-", 5) == 0)
                print_keys(part + 5);
        else
                return 2;
        return 0;
}
