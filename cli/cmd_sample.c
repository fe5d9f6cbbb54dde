/* sample: a made-up school population, in files or as SQL; needs no server. */
#include "cli/cli.h"
#include "cli/sample.h"
#include "cli/sample_sql.h"

static void show_counts(struct cli *cli, const char *folder, const struct sample_counts *counts)
{
        if (!cli->human)
                fputc('{', cli->out);
        for (enum sample_table table = 0; table < SAMPLE_TABLE_COUNT; table++) {
                unsigned long long rows = counts->rows[table];

                if (cli->human)
                        fprintf(cli->out, "%s/%s: %llu rows\n", folder, sample_file_name(table), rows);
                else
                        fprintf(cli->out, "%s\"%s\":%llu", table == 0 ? "" : ",", sample_file_name(table), rows);
        }
        if (!cli->human)
                fputs("}\n", cli->out);
}

static enum err read_plan(const struct cli *cli, struct sample_plan *plan, struct err_msg *msg)
{
        const struct cli_number students = {FLAG_students, 1000, 1, 10000000};
        const struct cli_number seed = {FLAG_seed, 1, 0, UINT64_MAX};
        enum err rc = args_number(&cli->args, &students, &plan->students, msg);

        return rc == OK ? args_number(&cli->args, &seed, &plan->seed, msg) : rc;
}

static enum cli_exit print_sql(struct cli *cli, const struct sample_plan *plan)
{
        struct err_msg msg;
        enum err rc;

        if (cli->args.word_count > 0)
                rc = err_set(&msg, ERR_SYNTAX, "--postgres writes to standard output, and takes no folder");
        else
                rc = sample_sql_write(cli->out, plan, &msg);
        return rc == OK ? EXIT_OK : cli_fail(cli, rc, &msg);
}

enum cli_exit cmd_sample(struct cli *cli)
{
        const char *folder = cli->args.word_count > 0 ? cli->args.words[0] : "vitalcache-sample";
        struct sample_plan plan;
        struct sample_counts counts;
        struct err_msg msg;
        enum err rc = read_plan(cli, &plan, &msg);

        if (rc == OK && cli->args.flags[FLAG_postgres] != NULL)
                return print_sql(cli, &plan);
        if (rc == OK)
                rc = sample_write(folder, &plan, &counts, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        show_counts(cli, folder, &counts);
        return EXIT_OK;
}
