/* backup: the database into one file, while the server runs. */
#include "cli/config.h"
#include "cli/report.h"
#include "database/backup.h"

#include <unistd.h>

static enum cli_exit show(struct cli *cli, const struct backup_facts *facts, const char *file, struct nanos took)
{
        bool streamed = strcmp(file, "-") == 0;
        struct report report;
        enum cli_exit result;

        report_init(&report);
        if (!streamed)
                report_text(&report, "file", file);
        report_number(&report, "bytes", facts->bytes);
        report_text(&report, "checksum", facts->hash);
        report_number(&report, "students", facts->image.students);
        report_number(&report, "records", facts->image.records);
        report_number(&report, "position", facts->image.position);
        report_number(&report, "format", facts->image.format);
        report_text(&report, "time", facts->time);
        report_seconds(&report, "seconds", took);
        result = report_show(&report, cli, streamed ? cli->err : cli->out);
        report_deinit(&report);
        return result;
}

static enum err stream(struct cli *cli, const char *folder, struct backup_facts *facts, struct err_msg *msg)
{
        int fd = fileno(cli->out);

        if (isatty(fd))
                return err_set(msg, ERR_SYNTAX, "a backup is bytes, not text for a terminal; name a file, or a pipe");
        return backup_write(folder, fd, clock_wall(), facts, msg);
}

static enum cli_exit back_up(struct cli *cli, const struct lmdb_config *config)
{
        const char *file = cli->args.words[0];
        struct nanos begun = clock_boot();
        struct backup_facts facts;
        struct err_msg msg;
        enum cli_exit result;
        enum err rc;

        backup_facts_init(&facts);
        rc = strcmp(file, "-") == 0 ? stream(cli, config->path, &facts, &msg)
                                    : backup_save(config->path, file, clock_wall(), &facts, &msg);
        result = rc == OK ? show(cli, &facts, file, nanos_sub(clock_boot(), begun)) : cli_fail(cli, rc, &msg);
        backup_facts_deinit(&facts);
        return result;
}

/* With the folder given, no configuration is needed: a backup can be taken whatever state that is in. */
enum cli_exit cmd_backup(struct cli *cli)
{
        const struct lmdb_config given = {.path = cli->args.flags[FLAG_data]};

        return given.path != NULL ? back_up(cli, &given) : cli_config_run(cli, back_up);
}
