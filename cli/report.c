#include "cli/report.h"

#include "base/cursor.h"
#include "cli/print.h"

#include <string.h>

void report_init(struct report *report)
{
        *report = (struct report){.members = 0};
        buf_init(&report->value, 0);
        buf_init(&report->listed, 0);
        report->status = value_open_map(&report->value, &report->mark);
}

void report_deinit(struct report *report)
{
        buf_deinit(&report->value);
        buf_deinit(&report->listed);
}

static void name_member(struct report *report, const char *name)
{
        report->members++;
        if (report->status == OK)
                report->status = value_put_str(&report->value, name);
}

void report_text(struct report *report, const char *name, const char *text)
{
        name_member(report, name);
        if (report->status == OK)
                report->status = value_put_str(&report->value, slice_is_utf8(slice_str(text)) ? text : "?");
}

static uint32_t times_listed(const struct report *report, const char *name)
{
        const struct slice all = buf_slice(&report->listed);
        uint32_t times = 0;

        for (size_t at = 0; at < all.len; at += strlen((const char *)all.data + at) + 1)
                times += strcmp((const char *)all.data + at, name) == 0;
        return times;
}

void report_listed(struct report *report, const char *name, const char *text)
{
        const uint32_t before = times_listed(report, name);
        char numbered[512];

        if (report->status == OK)
                report->status = buf_append(&report->listed, name, strlen(name) + 1);
        (void)snprintf(numbered, sizeof(numbered), "%s (%u)", name, before + 1);
        report_text(report, before == 0 ? name : numbered, text);
}

void report_number(struct report *report, const char *name, uint64_t number)
{
        name_member(report, name);
        if (report->status == OK)
                report->status = value_put_int(&report->value, (int64_t)number);
}

void report_flag(struct report *report, const char *name, bool flag)
{
        name_member(report, name);
        if (report->status == OK)
                report->status = value_put_bool(&report->value, flag);
}

/* In hundredths. */
void report_seconds(struct report *report, const char *name, struct nanos span)
{
        name_member(report, name);
        if (report->status == OK)
                report->status = value_put_float(&report->value, (double)(nanos_to_ms(span) / 10) / 100);
}

enum cli_exit report_show(struct report *report, struct cli *cli, FILE *out)
{
        struct err_msg msg;
        enum err rc = report->status;

        if (rc == OK) {
                value_close(&report->value, report->mark, report->members);
                rc = cli->human || out == cli->err ? print_human(out, buf_slice(&report->value), print_width(out))
                                                   : print_json(out, buf_slice(&report->value));
        }
        if (rc == OK)
                return EXIT_OK;
        err_set(&msg, rc, "it is done, but cannot be reported: %s", err_text(rc));
        return cli_fail(cli, rc, &msg);
}
