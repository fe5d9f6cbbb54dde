#include "cli/cli.h"

#include <signal.h>
#include <unistd.h>

enum cli_exit cli_fail(struct cli *cli, enum err rc, const struct err_msg *msg)
{
        fprintf(cli->err, "vitalcache: %s\n", msg->text);
        switch (rc) {
        case ERR_UNAVAILABLE: return EXIT_CONNECT;
        case ERR_SYNTAX:
        case ERR_CONFIG:
        case ERR_IO: return EXIT_USAGE;
        default: return EXIT_REFUSED;
        }
}

enum cli_exit cli_refused(struct cli *cli, const char *error)
{
        fprintf(cli->err, "vitalcache: %s\n", error);
        return strncmp(error, "CONFLICT ", 9) == 0 ? EXIT_CONFLICT : EXIT_REFUSED;
}

enum cli_exit cli_connect(struct cli *cli)
{
        const struct cli_number port_flag = {FLAG_port, 7379, 1, UINT16_MAX};
        struct conn_address address = {.host = "127.0.0.1", .socket = cli->args.flags[FLAG_socket]};
        struct err_msg msg;
        uint64_t port;
        enum err rc;

        if (cli->conn != NULL)
                return EXIT_OK;
        rc = args_number(&cli->args, &port_flag, &port, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        address.port = (uint16_t)port;
        if (cli->args.flags[FLAG_host] != NULL)
                address.host = cli->args.flags[FLAG_host];
        rc = conn_open(&cli->conn, &address, &msg);
        return rc == OK ? EXIT_OK : cli_fail(cli, rc, &msg);
}

static enum cli_exit run_command(struct cli *cli)
{
        const struct cli_args *args = &cli->args;

        if (args->flags[FLAG_version] != NULL) {
                fprintf(cli->out, "vitalcache %s\n", VC_VERSION);
                return EXIT_OK;
        }
        if (args->flags[FLAG_help] != NULL) {
                args_help(cli->out, args->command);
                return EXIT_OK;
        }
        if (args->command == NULL) {
                args_help(cli->err, NULL);
                return EXIT_USAGE;
        }
        return args->command->run(cli);
}

enum cli_exit cli_run(int argc, char *const *argv, FILE *in, FILE *out, FILE *err)
{
        struct cli cli = {.in = in, .out = out, .err = err};
        struct err_msg msg;
        enum err rc = args_init(&cli.args, argc, argv, &msg);
        enum cli_exit result;

        (void)signal(SIGPIPE, SIG_IGN); /* a server that goes away is an error with a message, not our end */
        cli.human = cli.args.flags[FLAG_human] != NULL || (cli.args.flags[FLAG_json] == NULL && isatty(fileno(out)));
        cli.progress = isatty(fileno(err));
        result = rc == OK ? run_command(&cli) : cli_fail(&cli, rc, &msg);
        conn_close(&cli.conn);
        args_deinit(&cli.args);
        if (fflush(out) != 0 && result == EXIT_OK) {
                fprintf(err, "vitalcache: the output cannot be written\n");
                result = EXIT_REFUSED;
        }
        return result;
}
