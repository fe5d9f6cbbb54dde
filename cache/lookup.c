/* The tiered read. If you read one file of the cache, read this one.
 *
 *      step                 what it does                                          where
 *      l1                   this process's memory, if its entry can prove itself  l1.c, invalidation/
 *      miss                 what was asked is looked at more closely, and kept    lookup->keep
 *      join_or_start_fill   wait for the read of the same key that is under way   fills.c
 *      source               one tick's misses in one round trip                   batch.c -> database/source.h
 *      store                stamp, wire formats, L1                               store.c
 *      answer               each waiter re-checks what it gets, and is done       here
 *
 * The first three run in lookup_start, per lookup; `source` and `store` run once per fill, whoever waits for it;
 * `answer` runs per lookup again, on its own reader's thread. Each test of freshness is made with the lookup's own
 * `now`, the time of its invocation: what the promise counts from (docs/FRESHNESS.md, 1). */
#include "cache/lookup.h"

#include "base/hot.h"
#include "base/log.h"
#include "cache/answer.h"
#include "cache/store.h"
#include "cache/tiers_parts.h"
#include "monitoring/counters.h"

enum progress { GOES_ON, IS_DONE, WAITS };

static void on_read_done(struct source_read *read);

static enum progress step_l1(struct reader *reader, struct lookup *lookup, const struct cache_key *key)
{
        struct l1 *l1 = reader->tiers->config.l1;

        if (l1 != NULL && l1_get(l1, cache_key_of_entry(key), &lookup->entry) &&
                answer_from_entry(reader->tiers, lookup))
                return IS_DONE;
        return GOES_ON;
}

/* From here on the read may outlive the bytes that asked for it. */
COLD_PATH static enum progress step_miss(struct lookup *lookup)
{
        lookup->status = lookup->keep == NULL ? OK : lookup->keep(lookup);
        if (lookup->status != OK)
                return IS_DONE;
        counter_add(COUNTER_l1_misses, 1);
        type_counter_add(lookup->type->index, TYPE_COUNTER_misses, 1);
        return GOES_ON;
}

/* The source step of a fill just begun: it goes out with all other misses of this tick. */
static void send_with_this_tick(struct reader *reader, struct fill *fill)
{
        fill->read.done = on_read_done;
        fill->read.context = reader;
        batch_add(reader->batch, &fill->read);
}

COLD_PATH static enum progress step_join_or_start_fill(
        struct reader *reader, struct lookup *lookup, const struct cache_key *key)
{
        const struct fill_request request = {.key = key,
                .type = lookup->type,
                .tenant_len = lookup->tenant.len,
                .format = lookup->format,
                .now = lookup->now,
                .bound = lookup->bound,
                .primary_only = lookup->primary_only,
                .l1 = reader->tiers->config.l1,
                .known = lookup->checkable ? lookup->entry : NULL,
                .waiter = &lookup->mail.link};
        bool started;
        enum err rc = fills_join_or_start(reader->tiers->fills, &request, &lookup->fill, &started);

        if (rc != OK) {
                counter_add(COUNTER_fills_busy, rc == ERR_BUSY ? 1 : 0);
                answer_failure(lookup, rc == ERR_BUSY ? ERR_BUSY : ERR_UNAVAILABLE, err_text(rc));
                return IS_DONE;
        }
        lookup->tier = started ? TIER_DATABASE : TIER_JOINED;
        counter_add(started ? COUNTER_fills_started : COUNTER_fills_joined, 1);
        if (started)
                send_with_this_tick(reader, lookup->fill);
        return WAITS;
}

bool lookup_start(struct reader *reader, struct lookup *lookup)
{
        enum progress progress;
        struct cache_key key;

        lookup->reader = reader;
        lookup->bound = tiers_bound(reader->tiers, lookup->type);
        /* what AFTER asks for is there only: no replica says when it will have it */
        lookup->primary_only = lookup->has_after && !freshness_always_certain(reader->tiers->config.freshness);
        cache_key_make(&key, lookup->format, lookup->type, lookup->tenant, lookup->id);
        progress = step_l1(reader, lookup, &key);
        if (progress == GOES_ON)
                progress = step_miss(lookup);
        if (progress == GOES_ON)
                progress = step_join_or_start_fill(reader, lookup, &key);
        return progress == IS_DONE;
}

/* ---- the source has answered ---- */

/* Each time that the source is asked has its own time limit, and so do all of them together: the last one begins no
 * later than this. */
static bool has_time(const struct tiers *tiers, const struct lookup *lookup)
{
        struct nanos most = tiers->config.retry_within;

        return most.ns == 0 || !nanos_before(nanos_add(lookup->now, most), tiers->config.clock());
}

/* A fill sent too early for the lookup, or answered by a replica that lags, was not proved fresh: it waits for another,
 * of the primary, sent after its invocation, which answers it whatever is touched meanwhile. */
static enum progress step_once_more(struct reader *reader, struct lookup *lookup)
{
        struct cache_key key;

        counter_add(COUNTER_fills_rejoined, 1);
        fill_release(&lookup->fill);
        if (!has_time(reader->tiers, lookup)) {
                answer_failure(lookup, ERR_UNAVAILABLE, "the time for this read is up");
                return IS_DONE;
        }
        lookup->primary_only = !freshness_always_certain(reader->tiers->config.freshness);
        cache_key_make(&key, lookup->format, lookup->type, lookup->tenant, lookup->id);
        return step_join_or_start_fill(reader, lookup, &key);
}

/* Step `answer`, for one of those who waited. */
static void answer(struct lookup *lookup)
{
        if (answer_from_fill(lookup->reader->tiers, lookup) || step_once_more(lookup->reader, lookup) == IS_DONE)
                lookup->done(lookup);
}

void lookup_on_answer(struct mail *mail, void *context)
{
        (void)context;
        answer(LIST_ENTRY(mail, struct lookup, mail));
}

/* Each waiter is answered on its own reader's thread: at once where that is this one, by mail elsewhere. */
static void hand_out(struct list *waiters, const struct reader *here)
{
        struct list *link;

        while ((link = list_pop_front(waiters)) != NULL) {
                struct lookup *lookup = LIST_ENTRY(link, struct lookup, mail.link);

                if (lookup->reader == here)
                        answer(lookup);
                else
                        mailbox_post(lookup->reader->answers, &lookup->mail);
        }
}

static void note_failure(enum err status)
{
        counter_add(COUNTER_fills_failed, 1);
        LOG_ERROR("database read failed", LOG_ERR(status));
}

/* Steps `store` and `answer` of a fill. Called on the thread that the source answers on. */
static void on_read_done(struct source_read *read)
{
        struct reader *reader = read->context;
        struct tiers *tiers = reader->tiers;
        struct fill *fill = LIST_ENTRY(read, struct fill, read);
        const struct reader *here = pthread_equal(pthread_self(), reader->thread) ? reader : NULL;
        struct nanos now = tiers->config.clock();
        uint32_t made = 0;
        struct list waiters;

        if (read->status != OK && read->status != ERR_BADKEY) /* that one is the client's own */
                note_failure(read->status);
        counter_add(COUNTER_fills_unmodified, read->status == OK && read->unmodified ? 1 : 0);
        store_stamp(tiers, fill, now);
        do { /* once more if someone joins meanwhile who wants another format */
                uint32_t wanted = fills_wanted(tiers->fills, fill) & ~made;

                store_bodies(tiers, fill, wanted, now);
                made |= wanted;
        } while (!fills_close(tiers->fills, fill, made, &waiters));
        hand_out(&waiters, here);
}

void lookup_deinit(struct lookup *lookup)
{
        if (lookup->fill != NULL)
                fill_release(&lookup->fill);
        if (lookup->entry != NULL)
                l1_release(lookup->reader->tiers->config.l1, &lookup->entry);
}
