/* put, erase, invalidate: send, and print the token. */
#include "cli/cli.h"

/* Sends the command; its reply is a token, or nil where there was nothing to erase. */
static enum cli_exit send_write(struct cli *cli, const struct conn_command *command)
{
        struct err_msg msg;
        redisReply *reply;
        enum cli_exit result = cli_connect(cli);
        enum err rc;

        if (result != EXIT_OK)
                return result;
        rc = conn_call(cli->conn, command, &reply, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        if (reply->type == REDIS_REPLY_ERROR) {
                result = cli_refused(cli, reply->str);
        } else if (reply->type == REDIS_REPLY_NIL) {
                fputs(cli->human ? "no such student\n" : "null\n", cli->out);
                result = EXIT_NOT_FOUND;
        } else {
                fprintf(cli->out, cli->human ? "done; token %s\n" : "{\"token\":\"%s\"}\n",
                        reply->str == NULL ? "" : reply->str);
        }
        freeReplyObject(reply);
        return result;
}

static enum cli_exit refuse(struct cli *cli, enum err rc, const char *why)
{
        struct err_msg msg;

        err_set(&msg, rc, "%s", why);
        return cli_fail(cli, rc, &msg);
}

static enum err add_condition(struct conn_command *command, const struct cli *cli)
{
        enum err rc = conn_add(command, slice_str("IF"));

        return rc == OK ? conn_add(command, slice_str(cli->args.flags[FLAG_if])) : rc;
}

static enum err read_all(FILE *in, struct buf *out)
{
        enum { PIECE = 65536 };
        enum err rc;

        do {
                size_t len;

                rc = buf_reserve(out, PIECE);
                if (rc != OK)
                        return rc;
                len = fread(out->data + out->end, 1, PIECE, in);
                buf_added(out, len);
        } while (!feof(in) && !ferror(in));
        return ferror(in) ? ERR_IO : OK;
}

static enum cli_exit put_value(struct cli *cli, struct slice value)
{
        struct conn_command command = {.count = 0};
        enum err rc = conn_add(&command, slice_str("PUT"));

        if (rc == OK)
                rc = conn_add(&command, slice_str(cli->args.words[0]));
        if (rc == OK)
                rc = conn_add(&command, value);
        if (rc == OK)
                rc = add_condition(&command, cli);
        return rc == OK ? send_write(cli, &command) : refuse(cli, rc, err_text(rc));
}

static const char *const NO_CONDITION = "a write says what it builds on: --if TOKEN (of the read before it), --if NEW "
                                        "(nothing is recorded yet) or --if FORCE";

enum cli_exit cmd_put(struct cli *cli)
{
        const struct cli_args *args = &cli->args;
        struct buf value;
        enum cli_exit result;
        enum err rc;

        if (args->flags[FLAG_if] == NULL)
                return refuse(cli, ERR_SYNTAX, NO_CONDITION);
        if (args->word_count == 2 && strcmp(args->words[1], "-") != 0)
                return put_value(cli, slice_str(args->words[1]));
        buf_init(&value, 0);
        rc = read_all(cli->in, &value);
        result = rc == OK ? put_value(cli, buf_slice(&value)) : refuse(cli, rc, "standard input cannot be read");
        buf_deinit(&value);
        return result;
}

/* The server's records and memory are clean; whoever must erase a person has to know what else there may be. Scripts
 * are told, too: their logs are what is read afterwards. */
static const char *const NOT_REACHED =
        "erased from the records and from the server's memory. Not reached, each with what to do in "
        "docs/OPERATIONS.md:\n"
        "- free pages of the database's file, until `vitalcache compact`\n"
        "- backups, those of `vitalcache upgrade` too; what `restore --replace` put aside; *.part and *.tmp of killed "
        "runs\n"
        "- exports, files that were imported (they bring the student back), rejects files, files of --missing\n"
        "- other students' records that name this one; clients and the shell's history\n"
        "- swap, core dumps, snapshots and freed blocks of disks\n";

enum cli_exit cmd_erase(struct cli *cli)
{
        const struct cli_args *args = &cli->args;
        bool student = args->word_count == 2;
        struct conn_command command = {.count = 0};
        enum err rc = conn_add(&command, slice_str("ERASE"));
        enum cli_exit result;

        if (student && !slice_is_word(slice_str(args->words[0]), "student"))
                return refuse(cli, ERR_SYNTAX, "erase takes one KEY, or `student ID`");
        if (student && args->flags[FLAG_if] != NULL)
                return refuse(cli, ERR_SYNTAX, "erase student takes no --if: all records of the student go");
        if (!student && args->flags[FLAG_if] == NULL)
                return refuse(cli, ERR_SYNTAX, NO_CONDITION);
        for (int i = 0; rc == OK && i < args->word_count; i++)
                rc = conn_add(&command, slice_str(args->words[i]));
        if (rc == OK && !student)
                rc = add_condition(&command, cli);
        result = rc == OK ? send_write(cli, &command) : refuse(cli, rc, err_text(rc));
        if (result == EXIT_OK && student)
                fputs(NOT_REACHED, cli->err);
        return result;
}

enum cli_exit cmd_invalidate(struct cli *cli)
{
        struct conn_command command = {.count = 0};
        enum err rc = conn_add(&command, slice_str("INVALIDATE"));

        for (int i = 0; rc == OK && i < cli->args.word_count; i++)
                rc = conn_add(&command, slice_str(cli->args.words[i]));
        return rc == OK ? send_write(cli, &command) : refuse(cli, rc, err_text(rc));
}
