/* What --help says, from conf/options.def. */
#include "net/settings_read.h"

static const char *const VALUE_NAMES[] = {
        [OPTION_BOOL] = "true|false",
        [OPTION_INT] = "N",
        [OPTION_POWER] = "N",
        [OPTION_DURATION] = "TIME",
        [OPTION_SIZE] = "SIZE",
        [OPTION_MODE] = "MODE",
        [OPTION_TEXT] = "TEXT",
        [OPTION_WORD] = NULL, /* its words */
        [OPTION_PATH] = "PATH",
        [OPTION_PATHS] = "PATH,...",
        [OPTION_DSN] = "DSN",
        [OPTION_DSNS] = "DSN;...",
};

static const char *value_name(const struct option_row *row)
{
        return row->type == OPTION_WORD ? row->unit : VALUE_NAMES[row->type];
}

static enum err help_flag(const struct settings_flag *flag, struct buf *out)
{
        return buf_printf(out, "  %s%s%s\n        %s\n", flag->name, flag->value == NULL ? "" : " ",
                flag->value == NULL ? "" : flag->value, flag->sentence);
}

/* "(0s to 7d; default 0s; environment X)" */
static enum err help_facts(const struct option_row *row, struct buf *out)
{
        enum err rc = buf_append_str(out, " (");

        if (rc == OK && row->min != NULL)
                rc = buf_printf(out, "%s to %s; ", row->min, row->max);
        if (rc == OK)
                rc = buf_printf(out, "default %s", row->fallback[0] == '\0' ? "\"\"" : row->fallback);
        if (rc == OK && row->env != NULL)
                rc = buf_printf(out, "; environment %s", row->env);
        return rc == OK ? buf_append_str(out, ")\n") : rc;
}

static enum err help_option(const struct option_row *row, struct buf *out)
{
        enum err rc = buf_append_str(out, "  ");

        if (rc == OK && row->flag != NULL)
                rc = buf_printf(out, "%s, ", row->flag);
        if (rc == OK)
                rc = buf_printf(out, "--%s %s\n        %s", row->name, value_name(row), row->sentence);
        return rc == OK ? help_facts(row, out) : rc;
}

enum err settings_help(struct buf *out)
{
        size_t flag_count;
        size_t row_count;
        const struct settings_flag *flags = settings_flags(&flag_count);
        const struct option_row *rows = settings_rows(&row_count);
        enum err rc = buf_append_str(out,
                "Usage: vitalcached [--config FILE] [--port N] [--data DIR] [--threads N] [--OPTION VALUE]...\n"
                "vitalcached: serves health records from memory, provably fresh, over the Redis protocol.\n\n");

        for (size_t i = 0; rc == OK && i < flag_count; i++)
                rc = help_flag(&flags[i], out);
        if (rc == OK)
                rc = buf_append_str(out, "\nOptions; each can be set in the configuration file, too, and the command "
                                         "line overrides it:\n");
        for (size_t i = 0; rc == OK && i < row_count; i++)
                rc = help_option(&rows[i], out);
        return rc;
}
