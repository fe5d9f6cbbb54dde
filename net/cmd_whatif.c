/* STATS WHATIF: what L1 would hit at other sizes and with other policies. */
#include "cache/l1.h"
#include "cache/whatif_report.h"
#include "net/handlers.h"
#include "net/services.h"

#include <math.h>
#include <string.h>

/* Four digits: more than the sample knows. */
static void write_share(struct resp_writer *out, const char *name, double share, bool known)
{
        resp_bulk_str(out, name);
        if (known)
                resp_double(out, round(share * 10000) / 10000);
        else
                resp_nil(out);
}

enum { FIGURES = 3 };

static void write_figure(struct resp_writer *out, const struct whatif_figure *figure, bool known)
{
        write_share(out, "hit_rate", figure->hit_rate, known);
        write_share(out, "error", figure->error, known);
        write_share(out, "byte_hit_rate", figure->byte_hit_rate, known);
}

static void write_sizes(struct resp_writer *out, const struct whatif_report *report, const struct l1_usage *usage)
{
        resp_bulk_str(out, "sizes");
        resp_array(out, WHATIF_SIZES);
        for (int i = 0; i < WHATIF_SIZES; i++) {
                double scale = report->sizes[i].scale;

                resp_map(out, FIGURES + 3);
                resp_bulk_str(out, "memory");
                resp_bulk_printf(out, "%gx", scale);
                resp_member_count(out, "max_bytes", (uint64_t)((double)usage->max_bytes * scale));
                resp_member_count(out, "max_entries", (uint64_t)((double)usage->max_entries * scale));
                write_figure(out, &report->sizes[i].figure, report->enough);
        }
}

static void write_policies(struct resp_writer *out, const struct whatif_report *report, const char *followed)
{
        resp_bulk_str(out, "policies");
        resp_array(out, WHATIF_POLICIES);
        for (int i = 0; i < WHATIF_POLICIES; i++) {
                resp_map(out, FIGURES + 2);
                resp_member_str(out, "policy", report->policies[i].name);
                resp_member_bool(out, "followed", strcmp(report->policies[i].name, followed) == 0);
                write_figure(out, &report->policies[i].figure, report->enough);
        }
}

static void write_sample(struct resp_writer *out, const struct whatif_report *report)
{
        resp_bulk_str(out, "sample");
        resp_map(out, 4);
        resp_member_count(out, "keys", report->keys);
        resp_member_count(out, "lookups", (uint64_t)report->lookups);
        resp_bulk_str(out, "of_all_keys");
        resp_double(out, report->rate);
        write_share(out, "reach", report->reach, true);
}

enum err cmd_stats_whatif(struct call *call)
{
        struct resp_writer *out = &call->out;
        struct l1 *l1 = call->services->l1;
        struct whatif_report report;
        struct l1_usage usage;

        if (l1 == NULL || !l1_whatif(l1, &report)) {
                resp_map(out, 1);
                resp_member_str(out, "status", "off");
                return OK;
        }
        l1_usage(l1, &usage);
        resp_map(out, 5);
        resp_member_str(out, "status", report.enough ? "ready" : "not enough data yet");
        resp_member_str(out, "policy", l1_policy(l1));
        write_sample(out, &report);
        write_sizes(out, &report, &usage);
        write_policies(out, &report, l1_policy(l1));
        return OK;
}
