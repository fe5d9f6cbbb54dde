/* sample: a made-up school population, in files; needs no server. */
#include "cli/cli.h"
#include "cli/sample.h"

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

enum cli_exit cmd_sample(struct cli *cli)
{
        const struct cli_number students = {FLAG_students, 1000, 1, 10000000};
        const struct cli_number seed = {FLAG_seed, 1, 0, UINT64_MAX};
        const char *folder = cli->args.word_count > 0 ? cli->args.words[0] : "vitalcache-sample";
        struct sample_plan plan;
        struct sample_counts counts;
        struct err_msg msg;
        enum err rc = args_number(&cli->args, &students, &plan.students, &msg);

        if (rc == OK)
                rc = args_number(&cli->args, &seed, &plan.seed, &msg);
        if (rc == OK)
                rc = sample_write(folder, &plan, &counts, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        show_counts(cli, folder, &counts);
        return EXIT_OK;
}
