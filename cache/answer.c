#include "cache/answer.h"

#include "monitoring/counters.h"

static const enum counter counter_of_refusal[VERDICT_COUNT_] = {
        [VERDICT_EXPIRED] = COUNTER_l1_refused_expired,
        [VERDICT_OTHER_DEFINITION] = COUNTER_l1_refused_definition,
        [VERDICT_OTHER_EPOCH] = COUNTER_l1_refused_epoch,
        [VERDICT_TOUCHED] = COUNTER_l1_refused_touched,
        [VERDICT_POISONED] = COUNTER_l1_refused_poisoned,
        [VERDICT_UNCERTIFIED] = COUNTER_l1_refused_uncertified,
};

const char *lookup_tier_name(enum tier tier)
{
        static const char *const names[TIER_COUNT_] = {
                [TIER_NONE] = "none",
                [TIER_L1] = "l1",
                [TIER_JOINED] = "joined",
                [TIER_DATABASE] = "database",
        };

        return names[tier];
}

static struct nanos age_at(struct nanos now, struct nanos since)
{
        return nanos_before(now, since) ? NANOS_ZERO : nanos_sub(now, since);
}

/* What the test of a stamp says for one lookup. */
static bool is_proved(
        const struct tiers *tiers, const struct lookup *lookup, const struct stamp *stamp, enum verdict *verdict)
{
        const struct freshness *f = tiers->config.freshness;
        /* asked before the test: what is known now, an entry found fresh later has seen, however old it is itself */
        bool reaches_after = !lookup->has_after || freshness_reached(f, lookup->after.epoch, lookup->after.n);

        *verdict = freshness_check(f, stamp, lookup->type->def, lookup->type->bound, lookup->now);
        return *verdict == VERDICT_FRESH && reaches_after;
}

static void answer_with(struct lookup *lookup, struct slice value, bool found, struct position as_of)
{
        lookup->status = OK;
        lookup->value = value;
        lookup->found = found;
        lookup->as_of = as_of;
        if (!found)
                type_counter_add(lookup->type->index, TYPE_COUNTER_negatives, 1);
}

static void answer_with_entry(struct lookup *lookup)
{
        struct l1_view view = l1_view_of(lookup->entry);

        lookup->tier = TIER_L1;
        lookup->age = age_at(lookup->now, view.filled);
        answer_with(lookup, view.value, view.found, view.stamp.as_of);
}

bool answer_from_entry(struct tiers *tiers, struct lookup *lookup)
{
        struct l1_view view = l1_view_of(lookup->entry);
        enum verdict verdict;

        if (is_proved(tiers, lookup, &view.stamp, &verdict)) {
                answer_with_entry(lookup);
                counter_add(COUNTER_l1_hits, 1);
                counter_add(COUNTER_l1_negative_hits, view.found ? 0 : 1);
                type_counter_add(lookup->type->index, TYPE_COUNTER_hits, 1);
                return true;
        }
        if (verdict != VERDICT_FRESH)
                counter_add(counter_of_refusal[verdict], 1);
        if (!lookup->allow_stale || view.stamp.def != lookup->type->def ||
                view.stamp.epoch != freshness_epoch(tiers->config.freshness))
                l1_release(&lookup->entry);
        return false;
}

static bool read_contains_after(const struct source_read *read, const struct lookup *lookup)
{
        return !lookup->has_after ||
               (read->epoch == lookup->after.epoch && snapshot_has(&read->snapshot, lookup->after.n));
}

/* What a fill that is done is worth to one lookup. */
enum worth { ANSWERS, TOO_OLD, SOURCE_TOO_OLD };

static enum worth worth_of(const struct tiers *tiers, const struct lookup *lookup)
{
        const struct fill *fill = lookup->fill;
        enum verdict verdict;

        if (fill_fit(fill, lookup->now) == FILL_ANSWERS)
                return read_contains_after(&fill->read, lookup) ? ANSWERS : SOURCE_TOO_OLD;
        return is_proved(tiers, lookup, &fill->stamp, &verdict) ? ANSWERS : TOO_OLD;
}

static void answer_with_body(struct lookup *lookup, const struct fill *fill, const struct fill_body *body)
{
        lookup->age = age_at(lookup->now, fill->sent);
        answer_with(lookup, body->value, fill->read.found, fill->stamp.as_of);
        if (lookup->tier == TIER_JOINED)
                type_counter_add(lookup->type->index, TYPE_COUNTER_joined, 1);
}

bool answer_from_fill(struct tiers *tiers, struct lookup *lookup)
{
        const struct fill_body *body = &lookup->fill->bodies[lookup->format];
        enum worth worth;

        if (body->status != OK) {
                answer_failure(lookup, ERR_UNAVAILABLE, err_text(body->status));
                return true;
        }
        worth = worth_of(tiers, lookup);
        if (worth == ANSWERS)
                answer_with_body(lookup, lookup->fill, body);
        else if (worth == SOURCE_TOO_OLD)
                answer_failure(lookup, ERR_UNAVAILABLE, "it has not reached the state that AFTER asks for");
        return worth != TOO_OLD;
}

void answer_failure(struct lookup *lookup, enum err rc, const char *why)
{
        /* BUSY passes by itself in a moment; only a source that cannot answer justifies what may be outdated */
        if (lookup->entry != NULL && rc != ERR_BUSY) {
                answer_with_entry(lookup);
                lookup->stale = true;
                counter_add(COUNTER_stale_served, 1);
                return;
        }
        lookup->tier = TIER_NONE;
        lookup->status = err_set(&lookup->message, rc, "the database cannot answer now: %s", why);
        type_counter_add(lookup->type->index, TYPE_COUNTER_errors, 1);
}
