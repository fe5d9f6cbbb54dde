/* The server's configuration, for commands that open its database themselves: found and read as vitalcached does, but
 * for what its own command line says. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "cli/cli.h"
#include "database/lmdb_source.h"

/* Runs `command` with how to open the database of --data DIR or, when that is not given, of the configuration:
 * --config FILE, else $VITALCACHE_CONFIG, else the shipped file; then the environment. Returns its exit code, or that
 * of a configuration that cannot be read, with the problem written to cli->err. */
typedef enum cli_exit (*cli_config_fn)(struct cli *cli, const struct lmdb_config *config);
enum cli_exit cli_config_run(struct cli *cli, cli_config_fn command);

/* The same for a command that works on PostgreSQL: the record types of --types FILE,... and the database of --dsn DSN;
 * what is not given is the configuration's (the DSN that is for no pooler, when there are two). */
struct cli_postgres {
        const struct record_types *types;
        const char *dsn; /* "": what libpq's own environment says */
};

typedef enum cli_exit (*cli_postgres_fn)(struct cli *cli, const struct cli_postgres *postgres);
enum cli_exit cli_postgres_run(struct cli *cli, cli_postgres_fn command);

#endif
