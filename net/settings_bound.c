/* Whether bounds can be kept. A copy is certified by a poll sent less than its bound ago: between two polls, the second
 * of them slow, a shorter bound than both would be kept now and then only. A bound of 0 is kept by no copy at all: each
 * read asks the database. */
#include "base/quantity.h"
#include "conf/option_rows.h"
#include "database/record_sql.h"
#include "database/record_type.h"
#include "net/settings_read.h"

enum { KIND_POSTGRES = 1 }; /* its place among the words of database.kind */

static enum err check(uint64_t bound, uint64_t least, const char *what, const char *name, struct err_msg *msg)
{
        char text[QUANTITY_TEXT_SIZE];
        char least_text[QUANTITY_TEXT_SIZE];

        if (bound == 0 || bound >= least)
                return OK;
        return err_set(msg, ERR_CONFIG,
                "%s%s is %s; it must be 0s, or at least freshness.poll_interval and freshness.poll_timeout together, "
                "%s",
                what, name, quantity_format(QUANTITY_DURATION, bound, text),
                quantity_format(QUANTITY_DURATION, least, least_text));
}

static uint64_t least_of(const struct option_set *options)
{
        return option_value(options, AT_freshness_poll_interval)->number +
               option_value(options, AT_freshness_poll_timeout)->number;
}

static bool is_polled(const struct option_set *options)
{
        return option_value(options, AT_database_kind)->number == KIND_POSTGRES;
}

enum err settings_check_bound(const struct option_set *options, struct err_msg *msg)
{
        enum err rc = OK;

        if (is_polled(options))
                rc = check(option_value(options, AT_freshness_bound)->number, least_of(options), "",
                        option_row(options, AT_freshness_bound)->name, msg);
        return rc == OK ? OK : option_blame(option_origin(options, AT_freshness_bound), rc, msg);
}

enum err settings_check_types(const struct option_set *options, const struct record_types *types, struct err_msg *msg)
{
        enum err rc;

        if (!is_polled(options))
                return record_types_check_embedded(types, msg);
        rc = record_types_check_postgres(types, msg);
        for (uint32_t i = 0; rc == OK && i < record_types_count(types); i++) {
                const struct record_type *type = record_types_at(types, i);

                if (type->has_bound)
                        rc = check(
                                (uint64_t)type->bound.ns, least_of(options), "the bound of the type ", type->name, msg);
        }
        return rc;
}
