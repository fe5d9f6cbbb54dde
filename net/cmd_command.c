/* The command table told to clients: COMMAND and its subcommands, HELP, and what refused commands answer. */
#include "net/command.h"
#include "net/handlers.h"
#include "net/services.h"

#include <ctype.h>
#include <stdio.h>

enum { NAME_SIZE = 40, ENTRY_PARTS = 10 };

static const struct {
        enum command_flag flag;
        const char *word; /* Redis' */
} flag_words[] = {
        {COMMAND_READ, "readonly"},
        {COMMAND_WRITE, "write"},
        {COMMAND_FAST, "fast"},
        {COMMAND_ADMIN, "admin"},
        {COMMAND_SUBSCRIBED, "pubsub"},
};

static bool is_refused(const struct command *row)
{
        return (row->flags & COMMAND_REFUSED_FLAG) != 0;
}

/* A command, no subcommand and none of the refused. */
static bool is_listed(const struct command *row)
{
        return !is_refused(row) && command_container_len(row) == 0;
}

static bool is_subcommand_of(const struct command *row, const struct command *container)
{
        size_t len = command_container_len(row);

        return len > 0 && len == strlen(container->name) && strncmp(row->name, container->name, len) == 0;
}

static size_t count_listed(void)
{
        size_t count = 0;

        for (size_t i = 0; command_at(i) != NULL; i++)
                count += is_listed(command_at(i)) ? 1 : 0;
        return count;
}

static size_t count_subcommands(const struct command *container)
{
        size_t count = 0;

        for (size_t i = 0; command_at(i) != NULL; i++)
                count += is_subcommand_of(command_at(i), container) ? 1 : 0;
        return count;
}

/* As Redis writes names: lower case, "client|id". */
static void write_name(struct resp_writer *out, const struct command *row)
{
        char name[NAME_SIZE];
        size_t len = strlen(row->name);

        VC_ASSERT(len < sizeof(name));
        for (size_t i = 0; i < len; i++)
                name[i] = row->name[i] == ' ' ? '|' : (char)tolower((unsigned char)row->name[i]);
        resp_bulk(out, slice_of(name, len));
}

/* ---- COMMAND, COMMAND INFO, LIST, COUNT ---- */

static void write_flags(struct resp_writer *out, const struct command *row)
{
        size_t count = 0;

        for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
                count += (row->flags & flag_words[i].flag) != 0 ? 1 : 0;
        resp_set(out, count);
        for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
                if ((row->flags & flag_words[i].flag) != 0)
                        resp_simple(out, flag_words[i].word);
}

/* The ten parts that Redis 7 has; the last holds a container's subcommands, which have none of their own. */
static void write_entry_head(struct resp_writer *out, const struct command *row)
{
        resp_array(out, ENTRY_PARTS);
        write_name(out, row);
        resp_int(out, row->arity);
        write_flags(out, row);
        resp_int(out, row->first_key);
        resp_int(out, row->last_key);
        resp_int(out, row->first_key == 0 ? 0 : 1);
        resp_set(out, 0);   /* access categories */
        resp_array(out, 0); /* tips */
        resp_array(out, 0); /* key specifications */
}

static void write_entry(struct resp_writer *out, const struct command *row)
{
        write_entry_head(out, row);
        resp_array(out, count_subcommands(row));
        for (size_t i = 0; command_at(i) != NULL; i++) {
                if (!is_subcommand_of(command_at(i), row))
                        continue;
                write_entry_head(out, command_at(i));
                resp_array(out, 0);
        }
}

static void write_all(struct resp_writer *out, void (*write)(struct resp_writer *out, const struct command *row))
{
        for (size_t i = 0; command_at(i) != NULL; i++)
                if (is_listed(command_at(i)))
                        write(out, command_at(i));
}

/* A name as written in COMMAND DOCS and INFO: "get", "client|id". */
static const struct command *named(const struct call *call, struct slice name)
{
        struct slice words[2] = {name, SLICE_EMPTY};
        const uint8_t *bar = name.len == 0 ? NULL : memchr(name.data, '|', name.len);
        const struct command *row;

        if (bar != NULL) {
                words[0].len = (size_t)(bar - name.data);
                words[1] = slice_of(bar + 1, name.len - words[0].len - 1);
        }
        row = command_table_find(call->services->commands, words, bar == NULL ? 1 : 2);
        if (row != NULL && bar != NULL && command_container_len(row) == 0)
                return NULL;
        return row;
}

enum err cmd_command(struct call *call)
{
        if (call->argc > 1)
                return cmd_container(call);
        resp_array(&call->out, count_listed());
        write_all(&call->out, write_entry);
        return OK;
}

enum err cmd_command_info(struct call *call)
{
        if (call->argc == 2) {
                resp_array(&call->out, count_listed());
                write_all(&call->out, write_entry);
                return OK;
        }
        resp_array(&call->out, call->argc - 2);
        for (size_t i = 2; i < call->argc; i++) {
                const struct command *row = named(call, call->argv[i]);

                if (row == NULL)
                        resp_nil(&call->out);
                else
                        write_entry(&call->out, row);
        }
        return OK;
}

enum err cmd_command_list(struct call *call)
{
        resp_array(&call->out, count_listed());
        write_all(&call->out, write_name);
        return OK;
}

enum err cmd_command_count(struct call *call)
{
        resp_int(&call->out, (int64_t)count_listed());
        return OK;
}

enum err cmd_command_getkeys(struct call *call)
{
        const struct slice *words = call->argv + 2;
        const struct command *row = command_table_find(call->services->commands, words, call->argc - 2);
        size_t first;
        size_t count;

        if (row == NULL)
                return err_set(&call->message, ERR_UNKNOWN_COMMAND, "unknown command, HELP lists all");
        command_keys(row, words, call->argc - 2, &first, &count);
        if (count == 0)
                return err_set(&call->message, ERR_BADARG, "the command has no key arguments");
        resp_array(&call->out, count);
        for (size_t i = first; i < first + count; i++)
                resp_bulk(&call->out, words[i]);
        return OK;
}

/* ---- COMMAND DOCS ---- */

static void write_docs_body(struct resp_writer *out, const struct command *row)
{
        size_t subcommands = count_subcommands(row);
        bool has_arguments = row->arguments[0] != '\0';

        resp_map(out, 4u + (has_arguments ? 1 : 0) + (subcommands > 0 ? 1 : 0));
        resp_member_str(out, "summary", row->summary);
        resp_member_str(out, "since", row->since);
        resp_member_str(out, "group", row->group);
        resp_member_str(out, "reply_shape", row->reply);
        if (has_arguments) { /* one argument that shows the whole form: what redis-cli prints as its hint */
                resp_bulk_str(out, "arguments");
                resp_array(out, 1);
                resp_map(out, 3);
                resp_member_str(out, "name", row->arguments);
                resp_member_str(out, "type", "string");
                resp_member_str(out, "display_text", row->arguments);
        }
        if (subcommands == 0)
                return;
        resp_bulk_str(out, "subcommands");
        resp_map(out, subcommands);
}

/* A container's subcommands are nested one deep, as in Redis; they have none themselves. */
static void write_docs(struct resp_writer *out, const struct command *row)
{
        write_name(out, row);
        write_docs_body(out, row);
        for (size_t i = 0; command_at(i) != NULL; i++) {
                if (!is_subcommand_of(command_at(i), row))
                        continue;
                write_name(out, command_at(i));
                write_docs_body(out, command_at(i));
        }
}

enum err cmd_command_docs(struct call *call)
{
        size_t known = 0;

        if (call->argc == 2) {
                resp_map(&call->out, count_listed());
                write_all(&call->out, write_docs);
                return OK;
        }
        for (size_t i = 2; i < call->argc; i++)
                known += named(call, call->argv[i]) != NULL ? 1 : 0;
        resp_map(&call->out, known);
        for (size_t i = 2; i < call->argc; i++)
                if (named(call, call->argv[i]) != NULL)
                        write_docs(&call->out, named(call, call->argv[i]));
        return OK;
}

/* ---- HELP ---- */

static void write_help_line(struct resp_writer *out, const struct command *row)
{
        resp_bulk_printf(out, "%s%s%s", row->name, row->arguments[0] == '\0' ? "" : " ", row->arguments);
}

static enum err help_for(struct call *call)
{
        const struct command *row = command_table_find(call->services->commands, call->argv + 1, call->argc - 1);

        if (row == NULL)
                return err_set(&call->message, ERR_UNKNOWN_COMMAND, "unknown command, HELP lists all");
        resp_array(&call->out, 3);
        write_help_line(&call->out, row);
        resp_bulk_printf(&call->out, "%s%s", is_refused(row) ? "refused here; use " : "", row->summary);
        resp_bulk_printf(&call->out, "reply: %s", row->reply);
        return OK;
}

enum err cmd_help(struct call *call)
{
        if (call->argc > 1)
                return help_for(call);
        resp_array(&call->out, count_listed());
        write_all(&call->out, write_help_line);
        return OK;
}

/* A container without a subcommand that there is: HELP, or an error. */
enum err cmd_container(struct call *call)
{
        const struct command *container = call->row;

        if (call->argc != 2 || !slice_is_word(call->argv[1], "HELP"))
                return err_set(&call->message, ERR_SYNTAX, "unknown subcommand of %s, or too few words; try %s HELP",
                        container->name, container->name);
        resp_array(&call->out, count_subcommands(container));
        for (size_t i = 0; command_at(i) != NULL; i++)
                if (is_subcommand_of(command_at(i), container))
                        write_help_line(&call->out, command_at(i));
        return OK;
}

enum err cmd_refused(struct call *call)
{
        return err_set(&call->message, ERR_USE, "%s", call->row->summary);
}
