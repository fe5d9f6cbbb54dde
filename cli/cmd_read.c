/* get, mget, explain, stats, health: ask and print. */
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/reply.h"

static enum cli_exit print_failed(struct cli *cli, enum err rc)
{
        struct err_msg msg;

        err_set(&msg, rc, "the reply cannot be shown: %s", err_text(rc));
        return cli_fail(cli, rc, &msg);
}

/* Sends the command and receives its reply; an error reply ends in an exit code. *reply is NULL unless EXIT_OK. */
static enum cli_exit ask(struct cli *cli, const struct conn_command *command, redisReply **reply)
{
        struct err_msg msg;
        enum cli_exit result = cli_connect(cli);
        enum err rc;

        *reply = NULL;
        if (result != EXIT_OK)
                return result;
        rc = conn_call(cli->conn, command, reply, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        if ((*reply)->type != REDIS_REPLY_ERROR)
                return EXIT_OK;
        result = cli_refused(cli, (*reply)->str);
        freeReplyObject(*reply);
        *reply = NULL;
        return result;
}

/* ---- get and mget ---- */

static enum err add_words(struct conn_command *command, const struct cli_args *args, const char *name)
{
        enum err rc = conn_add(command, slice_str(name));

        for (int i = 0; rc == OK && i < args->word_count; i++)
                rc = conn_add(command, slice_str(args->words[i]));
        return rc;
}

/* The option and its argument, if it was given. */
static enum err add_option(struct conn_command *command, const char *name, const char *argument)
{
        enum err rc;

        if (argument == NULL)
                return OK;
        rc = conn_add(command, slice_str(name));
        return rc == OK ? conn_add(command, slice_str(argument)) : rc;
}

static enum err add_read_options(struct conn_command *command, const struct cli *cli, bool meta)
{
        const char *const *flags = cli->args.flags;
        enum err rc = add_option(command, "AFTER", flags[FLAG_after]);

        if (rc == OK)
                rc = add_option(command, "ALLOWSTALE", flags[FLAG_allow_stale]);
        if (rc == OK && meta)
                rc = conn_add(command, slice_str("WITHMETA"));
        if (rc == OK && flags[FLAG_partial] != NULL)
                rc = conn_add(command, slice_str("PARTIAL"));
        return rc;
}

/* People see the token and where the value came from without asking; programs get what they ask for. */
static bool wants_meta(const struct cli *cli)
{
        return cli->human || cli->args.flags[FLAG_with_meta] != NULL || cli->args.flags[FLAG_allow_stale] != NULL;
}

/* A record for people: the value, then a line of where it came from. */
static enum err print_record(struct cli *cli, struct slice record)
{
        struct slice value = record;
        struct slice meta;
        struct slice token = SLICE_EMPTY;
        struct slice tier = SLICE_EMPTY;
        struct slice item;
        struct value age = {.kind = VALUE_NIL};
        enum err rc;

        if (!value_member(record, "meta", &meta) || !value_member(record, "value", &value))
                return print_human(cli->out, record, print_width(cli->out));
        rc = print_human(cli->out, value, print_width(cli->out));
        if (value_member_text(meta, "token", &token) && value_member_text(meta, "tier", &tier) &&
                value_member(meta, "age", &item) && value_of(item, &age) && age.kind == VALUE_INT)
                fprintf(cli->out, "\nfrom %.*s, read %lld ms ago, token %.*s\n", SLICE_ARG(tier),
                        (long long)age.as.integer, SLICE_ARG(token));
        if (value_member(meta, "stale", &item) && value_of(item, &age) && age.kind == VALUE_BOOL && age.as.flag)
                fprintf(cli->out, "STALE: the truth cannot be known now; this is an old copy\n");
        return rc;
}

/* Nil, or [nil, meta]. */
static bool is_absent(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_NIL ||
               (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_NIL);
}

static enum cli_exit show_record(struct cli *cli, const redisReply *reply)
{
        struct err_msg msg;
        struct buf value;
        enum err rc;

        if (is_absent(reply) && cli->human) {
                fprintf(cli->out, "no such student\n");
                return EXIT_NOT_FOUND;
        }
        if (reply->type == REDIS_REPLY_ERROR)
                return cli_refused(cli, reply->str);
        if (reply->type == REDIS_REPLY_STRING && !cli->human) { /* as it is, byte for byte */
                fprintf(cli->out, "%.*s\n", (int)reply->len, reply->str);
                return EXIT_OK;
        }
        buf_init(&value, 0);
        rc = reply_record_to_value(reply, &value, &msg);
        if (rc == OK)
                rc = cli->human ? print_record(cli, buf_slice(&value)) : print_json(cli->out, buf_slice(&value));
        buf_deinit(&value);
        if (rc != OK)
                return print_failed(cli, rc);
        return is_absent(reply) ? EXIT_NOT_FOUND : EXIT_OK;
}

/* Sends `verb` with the words and options of the command line, and shows the reply. */
static enum cli_exit read_and_show(
        struct cli *cli, const char *verb, enum cli_exit (*show)(struct cli *cli, const redisReply *reply))
{
        struct conn_command command = {.count = 0};
        redisReply *reply;
        enum cli_exit result;
        enum err rc = add_words(&command, &cli->args, verb);

        if (rc == OK)
                rc = add_read_options(&command, cli, wants_meta(cli));
        if (rc != OK)
                return print_failed(cli, rc);
        result = ask(cli, &command, &reply);
        if (result != EXIT_OK)
                return result;
        result = show(cli, reply);
        freeReplyObject(reply);
        return result;
}

enum cli_exit cmd_get(struct cli *cli)
{
        return read_and_show(cli, "GET", show_record);
}

/* The worst of the keys' results: an error, then an absent one, then success. */
static enum cli_exit worse(enum cli_exit a, enum cli_exit b)
{
        if (a == EXIT_REFUSED || b == EXIT_REFUSED)
                return EXIT_REFUSED;
        return a == EXIT_NOT_FOUND ? a : b;
}

static enum cli_exit show_each(struct cli *cli, const redisReply *reply)
{
        enum cli_exit result = EXIT_OK;

        for (size_t i = 0; i < reply->elements && i < (size_t)cli->args.word_count; i++) {
                fprintf(cli->out, "%s%s\n", i == 0 ? "" : "\n", cli->args.words[i]);
                result = worse(show_record(cli, reply->element[i]), result);
        }
        return result;
}

static enum cli_exit show_as_list(struct cli *cli, const redisReply *reply)
{
        enum cli_exit result = EXIT_OK;
        struct buf values;
        struct err_msg msg;
        enum err rc;

        buf_init(&values, 0);
        rc = value_put_list(&values, (uint32_t)reply->elements);
        for (size_t i = 0; rc == OK && i < reply->elements; i++) {
                const redisReply *element = reply->element[i];

                rc = reply_record_to_value(element, &values, &msg);
                if (element->type == REDIS_REPLY_ERROR)
                        result = EXIT_REFUSED;
                else if (is_absent(element))
                        result = worse(EXIT_NOT_FOUND, result);
        }
        if (rc == OK)
                rc = print_json(cli->out, buf_slice(&values));
        buf_deinit(&values);
        return rc == OK ? result : print_failed(cli, rc);
}

enum cli_exit cmd_mget(struct cli *cli)
{
        return read_and_show(cli, "MGET", cli->human ? show_each : show_as_list);
}

/* ---- explain, stats, health ---- */

static enum err show_value(struct cli *cli, struct slice value)
{
        return cli->human ? print_human(cli->out, value, print_width(cli->out)) : print_json(cli->out, value);
}

/* Asks and shows the reply as it is; `value` (initialised by the caller) keeps it. */
static enum cli_exit ask_and_show(struct cli *cli, const struct conn_command *command, struct buf *value)
{
        struct err_msg msg;
        redisReply *reply;
        enum cli_exit result = ask(cli, command, &reply);
        enum err rc;

        if (result != EXIT_OK)
                return result;
        rc = reply_to_value(reply, value, &msg);
        freeReplyObject(reply);
        if (rc == OK)
                rc = show_value(cli, buf_slice(value));
        return rc == OK ? EXIT_OK : print_failed(cli, rc);
}

static enum cli_exit run_and_show(struct cli *cli, const char *name)
{
        struct conn_command command = {.count = 0};
        struct buf value;
        enum cli_exit result;
        enum err rc = add_words(&command, &cli->args, name);

        if (rc != OK)
                return print_failed(cli, rc);
        buf_init(&value, 0);
        result = ask_and_show(cli, &command, &value);
        buf_deinit(&value);
        return result;
}

enum cli_exit cmd_explain(struct cli *cli)
{
        return run_and_show(cli, "EXPLAIN");
}

enum cli_exit cmd_stats(struct cli *cli)
{
        return run_and_show(cli, "STATS");
}

enum cli_exit cmd_health(struct cli *cli)
{
        struct conn_command command = {.count = 0};
        struct buf value;
        struct slice status;
        enum cli_exit result;
        enum err rc = conn_add(&command, slice_str("HEALTH"));

        if (rc == OK && cli->args.flags[FLAG_deep] != NULL)
                rc = conn_add(&command, slice_str("DEEP"));
        if (rc != OK)
                return print_failed(cli, rc);
        buf_init(&value, 0);
        result = ask_and_show(cli, &command, &value);
        if (result == EXIT_OK &&
                (!value_member_text(buf_slice(&value), "status", &status) || !slice_equal(status, slice_str("ok"))))
                result = EXIT_REFUSED;
        buf_deinit(&value);
        return result;
}
