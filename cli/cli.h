/* One run of the command: what every cmd_*.c works with. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"
#include "cli/conn.h"

struct cli {
        struct cli_args args;
        FILE *in;
        FILE *out;
        FILE *err;
        bool human;        /* tables and words on `out`; else JSON */
        bool progress;     /* `err` is a terminal: progress may be written over itself */
        struct conn *conn; /* NULL until a command needs the server */
};

/* Reads argv and runs the command; the files are borrowed. Returns the exit code. Leaves SIGPIPE ignored. */
enum cli_exit cli_run(int argc, char *const *argv, FILE *in, FILE *out, FILE *err);

/* Connects, if that has not been done. EXIT_OK, or the exit code, with the problem written to cli->err. */
enum cli_exit cli_connect(struct cli *cli) MUST_CHECK;

/* Writes "vitalcache: <msg>" to cli->err and returns the exit code that belongs to the error. */
enum cli_exit cli_fail(struct cli *cli, enum err rc, const struct err_msg *msg);

/* The same for an error reply of the server ("-WORD text"). */
enum cli_exit cli_refused(struct cli *cli, const char *error);

#define COMMAND(name, arguments, least, most, summary, details) enum cli_exit cmd_##name(struct cli *cli);
#include "cli/commands.def"
#undef COMMAND

#endif
