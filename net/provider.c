#include "net/provider.h"

#include "invalidation/freshness.h"
#include "invalidation/truth_postgres.h"
#include "monitoring/counters.h"

#include <inttypes.h>

static uint64_t open_connections(void)
{
        uint64_t ended = counter_read(COUNTER_pg_disconnects); /* read first: never more than were opened */
        uint64_t opened = counter_read(COUNTER_pg_connects);

        return opened > ended ? opened - ended : 0;
}

/* Whether who answers the polls is the primary, as far as it has said. */
static bool is_primary(enum truth_condition condition)
{
        return condition == TRUTH_POLLING || condition == TRUTH_UNCONFIRMED;
}

static uint32_t troubles_known(const struct truth_state *state)
{
        return state->trouble_count < TRUTH_TROUBLES_MAX ? state->trouble_count : TRUTH_TROUBLES_MAX;
}

static void write_text_or_nil(struct resp_writer *out, const char *name, const char *text)
{
        resp_bulk_str(out, name);
        if (text == NULL || text[0] == '\0')
                resp_nil(out);
        else
                resp_bulk_str(out, text);
}

static void write_withheld(struct resp_writer *out, const struct truth_state *state)
{
        resp_bulk_str(out, "withheld");
        resp_array(out, troubles_known(state));
        for (uint32_t i = 0; i < troubles_known(state); i++) {
                resp_map(out, 3);
                resp_member_str(out, "table", state->troubles[i].table);
                resp_member_str(out, "relation", state->troubles[i].relation);
                resp_member_str(out, "problem", state->troubles[i].problem);
        }
}

static void write_postgres(struct resp_writer *out, const struct services *services)
{
        struct truth_state state;

        truth_postgres_state(services->truth, &state);
        resp_map(out, 11);
        resp_member_str(out, "kind", "postgres");
        resp_member_str(out, "condition", truth_condition_name(state.condition));
        write_text_or_nil(out, "advice", state.advice);
        write_text_or_nil(out, "sqlstate", state.sqlstate);
        resp_member_bool(out, "primary", is_primary(state.condition));
        resp_member_bool(out, "heartbeats", state.heartbeats);
        resp_member_count(out, "polls", freshness_position(services->freshness).n);
        resp_member_count(out, "round_trip_micros", (uint64_t)state.round_trip.ns / 1000);
        resp_member_count(out, "connections", open_connections());
        resp_member_count(out, "withheld_count", state.trouble_count);
        write_withheld(out, &state);
}

void provider_write(struct resp_writer *out, const struct services *services)
{
        if (services->truth != NULL) {
                write_postgres(out, services);
                return;
        }
        resp_map(out, 2);
        resp_member_str(out, "kind", "lmdb");
        resp_member_str(out, "condition", "writing"); /* its own writer says what is touched */
}

static enum err postgres_lines(struct buf *out, const struct services *services)
{
        struct truth_state state;
        enum err rc;

        truth_postgres_state(services->truth, &state);
        rc = buf_printf(out,
                "provider_kind:postgres\r\nprovider_condition:%s\r\nprovider_sqlstate:%s\r\nprovider_primary:%d\r\n"
                "provider_heartbeats:%d\r\nprovider_round_trip_micros:%" PRIi64 "\r\nprovider_tables_withheld:%" PRIu32
                "\r\npostgres_connections:%" PRIu64 "\r\n",
                truth_condition_name(state.condition), state.sqlstate, is_primary(state.condition), state.heartbeats,
                state.round_trip.ns / 1000, state.trouble_count, open_connections());
        for (uint32_t i = 0; rc == OK && i < troubles_known(&state); i++)
                rc = buf_printf(out, "withheld%" PRIu32 ":table=%s,relation=%s,problem=%s\r\n", i,
                        state.troubles[i].table, state.troubles[i].relation, state.troubles[i].problem);
        return rc;
}

enum err provider_lines(struct buf *out, const struct services *services, struct nanos now)
{
        struct nanos age = freshness_certificate_age(services->freshness, now);
        enum err rc =
                services->truth != NULL ? postgres_lines(out, services) : buf_append_str(out, "provider_kind:lmdb\r\n");

        if (rc == OK)
                rc = buf_printf(out,
                        "freshness_epoch:%016" PRIx64 "\r\nfreshness_position:%" PRIu64
                        "\r\nfreshness_certificate_age_ms:%" PRIi64 "\r\n",
                        freshness_epoch(services->freshness), freshness_position(services->freshness).n,
                        age.ns == NANOS_NEVER.ns ? -1 : nanos_to_ms(age));
        return rc;
}
