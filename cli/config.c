#include "cli/config.h"

#include "base/config_file.h"
#include "base/mem.h"
#include "conf/option_rows.h"
#include "database/record_type.h"

#include <stdio.h>
#include <unistd.h>

struct config {
        struct option_set *options;
        struct record_types *types;
};

static enum err read_options(struct option_set *options, const char *given, struct err_msg *msg)
{
        char shipped[PATH_MAX];
        char file[PATH_MAX];
        enum err rc;

        config_folder_find(NULL, shipped);
        rc = option_place_default(options, AT_types_files, shipped, msg);
        if (rc == OK && given == NULL)
                rc = config_file_find(shipped, environ, file, msg);
        if (rc == OK)
                rc = option_load_file(options, given == NULL ? file : given, msg);
        return rc == OK ? option_read_environment(options, environ, msg) : rc;
}

static void config_deinit(struct config *c)
{
        record_types_destroy(&c->types);
        option_set_destroy(&c->options);
}

/* Deinit in any case. */
static enum err load_options(struct config *c, const struct cli_args *args, struct err_msg *msg)
{
        enum err rc = option_set_create(&c->options, OPTION_ROWS, OPTION_COUNT);

        if (rc != OK)
                return err_set(msg, rc, "no memory for the configuration");
        return read_options(c->options, args->flags[FLAG_config], msg);
}

static enum err load_types(struct config *c, struct err_msg *msg)
{
        const struct option_list *files = &option_value(c->options, AT_types_files)->list;

        return record_types_load(&c->types, files->items, files->count, msg);
}

static struct lmdb_config database_of(const struct config *c, const struct cli_args *args)
{
        const char *data = args->flags[FLAG_data];

        return (struct lmdb_config){
                .path = data == NULL ? option_value(c->options, AT_database_path)->text : data,
                .map_size = option_value(c->options, AT_database_map_size)->number,
                .map_size_max = option_value(c->options, AT_database_map_size_max)->number,
                .max_readers = (uint32_t)option_value(c->options, AT_database_max_readers)->number,
                .batch_max = (uint32_t)option_value(c->options, AT_database_batch_max)->number,
                .schema = {.tables = record_types_tables(c->types),
                        .table_count = record_types_table_count(c->types),
                        .students = record_types_students(c->types),
                        .student_ids = record_types_id_kind(c->types),
                        .merges = record_types_merges(c->types)},
        };
}

enum cli_exit cli_config_run(struct cli *cli, cli_config_fn command)
{
        struct config c = {.options = NULL};
        struct lmdb_config database;
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = load_options(&c, &cli->args, &msg);

        if (rc == OK)
                rc = load_types(&c, &msg);
        if (rc == OK) {
                database = database_of(&c, &cli->args);
                result = command(cli, &database);
        } else {
                result = cli_fail(cli, rc, &msg);
        }
        config_deinit(&c);
        return result;
}

/* Loads the files of a list with ',' between them. */
static enum err load_given_types(struct record_types **out, const char *list, struct err_msg *msg)
{
        const char *files[RECORD_TYPES_MAX];
        size_t count = 0;
        char *copy = vc_strdup(list);
        char *rest = copy;
        enum err rc = copy == NULL ? ERR_NOMEM : OK;

        for (char *file = strsep(&rest, ","); rc == OK && file != NULL; file = strsep(&rest, ",")) {
                if (count == RECORD_TYPES_MAX)
                        rc = err_set(msg, ERR_SYNTAX, "--types names more than %d files", RECORD_TYPES_MAX);
                else
                        files[count++] = file;
        }
        if (rc == OK)
                rc = record_types_load(out, files, count, msg);
        vc_free(copy);
        return rc;
}

static const char *dsn_of(const struct config *c, const struct cli_args *args)
{
        const char *direct = option_value(c->options, AT_database_postgres_dsn_direct)->text;

        if (args->flags[FLAG_dsn] != NULL)
                return args->flags[FLAG_dsn];
        return direct[0] != '\0' ? direct : option_value(c->options, AT_database_postgres_dsn)->text;
}

enum cli_exit cli_postgres_run(struct cli *cli, cli_postgres_fn command)
{
        const char *list = cli->args.flags[FLAG_types];
        struct config c = {.options = NULL};
        struct cli_postgres postgres;
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = load_options(&c, &cli->args, &msg);

        if (rc == OK)
                rc = list == NULL ? load_types(&c, &msg) : load_given_types(&c.types, list, &msg);
        if (rc == OK) {
                postgres = (struct cli_postgres){.types = c.types, .dsn = dsn_of(&c, &cli->args)};
                result = command(cli, &postgres);
        } else {
                result = cli_fail(cli, rc, &msg);
        }
        config_deinit(&c);
        return result;
}
