#include "cache/answer.h"

#include "database/mutant.h"
#include "invalidation/tag_slots.h"
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
                [TIER_CHECKED] = "checked",
                [TIER_DATABASE] = "database",
        };

        return names[tier];
}

static struct nanos age_at(struct nanos now, struct nanos since)
{
        return nanos_before(now, since) ? NANOS_ZERO : nanos_sub(now, since);
}

/* Whether a write that AFTER names is in what was read, by the snapshot of that itself. */
static bool contains_after(const struct lookup *lookup, uint64_t epoch, const struct snapshot *snapshot)
{
        return lookup->has_after && epoch == lookup->after.epoch && snapshot_has(snapshot, lookup->after.n);
}

/* What the test of a stamp says for one lookup. `contains`: the data itself has what AFTER asks for. */
static bool is_proved(const struct tiers *tiers, const struct lookup *lookup, const struct stamp *stamp, bool contains,
        enum verdict *verdict)
{
        const struct freshness *f = tiers->config.freshness;
        /* asked before the test: what is known now, an entry found fresh later has seen, however old it is itself */
        bool reaches_after =
                !lookup->has_after || contains || freshness_reached(f, lookup->after.epoch, lookup->after.n);

        *verdict = freshness_check(f, stamp, lookup->type->def, lookup->bound, lookup->now);
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

static void answer_with_entry(struct lookup *lookup, const struct l1_view *view)
{
        lookup->tier = TIER_L1;
        lookup->age = age_at(lookup->now, view->filled);
        answer_with(lookup, view->value, view->found, view->stamp.as_of);
}

static bool entry_contains_after(const struct lookup *lookup, const struct l1_view *view)
{
        struct snapshot snapshot;

        return lookup->has_after && l1_snapshot_of(lookup->entry, &snapshot) &&
               contains_after(lookup, view->stamp.epoch, &snapshot);
}

/* It is of the present history and definition: what it says was true, and may still be. */
static bool was_true(const struct tiers *tiers, const struct lookup *lookup, const struct stamp *stamp)
{
        return stamp->def == lookup->type->def && stamp->epoch == freshness_epoch(tiers->config.freshness);
}

/* Nothing speaks against the entry: only a proof is wanting, which the source can give without reading the data. */
static bool can_be_checked(const struct tiers *tiers, enum verdict verdict)
{
        return (verdict == VERDICT_UNCERTIFIED || verdict == VERDICT_FRESH) &&
               !freshness_always_certain(tiers->config.freshness);
}

/* For a while after a crash a replica gives the old history's name to the new one, in which the token's transaction id
 * may stand for another write: for AFTER its word is not taken. */
static bool may_be_of_other_history(const struct lookup *lookup, const struct l1_view *view)
{
        return lookup->has_after && view->from_replica && !MUTANT(TOKEN_OF_REPLICA);
}

bool answer_from_entry(struct tiers *tiers, struct lookup *lookup)
{
        const struct tag_owner owner = {lookup->type, lookup->tenant, lookup->id};
        struct l1_view view = l1_view_of(tiers->config.l1, lookup->entry);
        uint32_t tags[STAMP_TAGS_MAX];
        enum verdict verdict;

        tag_slots(tiers->config.freshness, &owner, &view.stamp, tags);
        if (is_proved(tiers, lookup, &view.stamp, entry_contains_after(lookup, &view), &verdict) &&
                !may_be_of_other_history(lookup, &view)) {
                answer_with_entry(lookup, &view);
                counter_add(COUNTER_l1_hits, 1);
                if (!view.found)
                        counter_add(COUNTER_l1_negative_hits, 1);
                type_counter_add(lookup->type->index, TYPE_COUNTER_hits, 1);
                return true;
        }
        if (verdict != VERDICT_FRESH)
                counter_add(counter_of_refusal[verdict], 1);
        l1_stale(tiers->config.l1, lookup->entry);
        lookup->checkable = can_be_checked(tiers, verdict);
        if (!lookup->checkable && !(lookup->allow_stale && was_true(tiers, lookup, &view.stamp)))
                l1_release(tiers->config.l1, &lookup->entry);
        return false;
}

/* What a fill that is done is worth to one lookup. */
enum worth { ANSWERS, TOO_OLD, SOURCE_TOO_OLD, NO_PRIMARY };

/* It was sent to the primary for this lookup: its answer is the truth, unless who answered may have been deposed. */
static enum worth worth_of_own(const struct tiers *tiers, const struct lookup *lookup)
{
        const struct source_read *read = &lookup->fill->read;
        const bool beaten = read->beaten || (MUTANT(BEAT_OF_JOINED) && lookup->bound.ns == 0);

        if (!beaten && !freshness_primary_proved(tiers->config.freshness, read->epoch, lookup->bound, lookup->now))
                return NO_PRIMARY;
        return !lookup->has_after || contains_after(lookup, read->epoch, &read->snapshot) ? ANSWERS : SOURCE_TOO_OLD;
}

static enum worth worth_of(const struct tiers *tiers, const struct lookup *lookup)
{
        const struct fill *fill = lookup->fill;
        bool contains = contains_after(lookup, fill->read.epoch, &fill->read.snapshot);
        enum verdict verdict;

        if (fill_fit(fill, lookup->now) == FILL_ANSWERS)
                return worth_of_own(tiers, lookup);
        return is_proved(tiers, lookup, &fill->stamp, contains, &verdict) ? ANSWERS : TOO_OLD;
}

static void answer_with_body(struct lookup *lookup, const struct fill *fill, const struct fill_body *body)
{
        if (lookup->tier == TIER_DATABASE && fill->read.unmodified)
                lookup->tier = TIER_CHECKED;
        lookup->age = age_at(lookup->now, fill->sent);
        answer_with(lookup, body->value, fill->read.found, fill->stamp.as_of);
        if (lookup->tier == TIER_JOINED)
                type_counter_add(lookup->type->index, TYPE_COUNTER_joined, 1);
}

static void answer_refused(struct lookup *lookup, const struct fill *fill)
{
        lookup->tier = TIER_NONE;
        lookup->status = err_set(&lookup->message, ERR_BADKEY, "%s", fill->read.message.text);
        type_counter_add(lookup->type->index, TYPE_COUNTER_errors, 1);
}

static const char *const why_not[] = {
        [SOURCE_TOO_OLD] = "it has not reached the state that AFTER asks for",
        [NO_PRIMARY] = "who answered cannot prove to be the primary",
};

static const char *reason_of(const struct fill *fill, const struct fill_body *body)
{
        const bool told = fill->read.status != OK && fill->read.message.text[0] != '\0';

        return told ? fill->read.message.text : err_text(body->status);
}

bool answer_from_fill(struct tiers *tiers, struct lookup *lookup)
{
        const struct fill_body *body = &lookup->fill->bodies[lookup->format];
        enum worth worth;

        if (body->status == ERR_BADKEY) {
                answer_refused(lookup, lookup->fill);
                return true;
        }
        if (body->status != OK) {
                answer_failure(lookup, ERR_UNAVAILABLE, reason_of(lookup->fill, body));
                return true;
        }
        worth = worth_of(tiers, lookup);
        if (worth == ANSWERS)
                answer_with_body(lookup, lookup->fill, body);
        else if (worth != TOO_OLD)
                answer_failure(lookup, ERR_UNAVAILABLE, why_not[worth]);
        return worth != TOO_OLD;
}

/* An entry that was kept to be checked is not yet one that may serve stale. What it holds is in *view then. */
static bool may_serve_stale(const struct lookup *lookup, struct l1_view *view)
{
        const struct tiers *tiers = lookup->reader->tiers;

        if (!lookup->allow_stale || lookup->entry == NULL)
                return false;
        *view = l1_view_of(tiers->config.l1, lookup->entry);
        return was_true(tiers, lookup, &view->stamp);
}

void answer_failure(struct lookup *lookup, enum err rc, const char *why)
{
        struct l1_view view;

        /* BUSY passes by itself in a moment; only a source that cannot answer justifies what may be outdated */
        if (rc != ERR_BUSY && may_serve_stale(lookup, &view)) {
                answer_with_entry(lookup, &view);
                lookup->stale = true;
                counter_add(COUNTER_stale_served, 1);
                return;
        }
        lookup->tier = TIER_NONE;
        lookup->status = err_set(&lookup->message, rc, "the database cannot answer now: %s", why);
        type_counter_add(lookup->type->index, TYPE_COUNTER_errors, 1);
}
