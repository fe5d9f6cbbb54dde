/* How large is the sample? It has at most `samples` keys. The largest of the caches has four times the present size, so
 * a quarter of the samples is what a cache of the present size has. Where all keys of the largest cache are fewer than
 * the samples, all keys are sampled and the figures are exact; else the rate is lowered, a fifth at a time, until they
 * fit: by the present number of keys, and, once it is known what an entry weighs, by what four times the memory would
 * hold (a cache that is far from full costs no more than a full one).
 *
 * The rate is not raised again: keys that come into the sample later have no past. When it turns out to be much too low
 * (memory was taken away, entries became larger), all is begun anew. */
#include "cache/imagined.h"

enum {
        WEIGHED_LEAST = 64, /* keys that tell what an entry weighs */
        TOO_SMALL_BY = 4,   /* times: then the sample is begun anew */
};

#define BELOW_ALL   (UINT64_C(1) << 32)
#define BELOW_LEAST UINT64_C(1024)

static const struct {
        uint64_t num;
        uint64_t den;
} scales[IMAGINED_SIZES] = {{1, 4}, {1, 2}, {1, 1}, {2, 1}, {4, 1}};

/* Of policy number p; the shadow of number p is number p - 1, but LRU's, the first, is the present one of the sizes. */
static const char *const policy_names_by_number[WHATIF_POLICIES] = {"lru", "sieve", "s3fifo", "wtinylfu"};

double imagined_scale(unsigned number)
{
        return (double)scales[number].num / (double)scales[number].den;
}

const struct policy_ops *imagined_policy(unsigned number)
{
        return policy_find(policy_names_by_number[number]);
}

struct whatif_figure imagined_size_figure(const struct imagined *im, unsigned number)
{
        return tally_figure(&im->tally, number, imagined_rate(im));
}

struct whatif_figure imagined_policy_figure(const struct imagined *im, unsigned number)
{
        return imagined_size_figure(im, number == 0 ? IMAGINED_PRESENT : IMAGINED_SIZES + number - 1);
}

double imagined_rate(const struct imagined *im)
{
        return (double)im->below / (double)BELOW_ALL;
}

/* ---- life ---- */

static enum err make_shadows(struct imagined *im)
{
        enum err rc = OK;

        for (unsigned s = 0; rc == OK && s < IMAGINED_SHADOWS; s++) {
                rc = shadow_init(&im->shadows[s], imagined_policy(s + 1), &im->keys, s);
                im->shadow_count += rc == OK ? 1 : 0;
        }
        return rc;
}

enum err imagined_init(struct imagined *im, const struct imagined_config *config)
{
        enum err rc;

        *im = (struct imagined){.config = *config, .below = BELOW_ALL};
        /* and some that only shadows have */
        rc = sampled_keys_init(&im->keys, config->samples + config->samples / 2);
        if (rc != OK)
                return rc;
        reuse_init(&im->reuse, &im->keys);
        rc = make_shadows(im);
        if (rc != OK)
                imagined_deinit(im);
        return rc;
}

void imagined_deinit(struct imagined *im)
{
        for (unsigned s = 0; s < im->shadow_count; s++)
                shadow_deinit(&im->shadows[s]);
        im->shadow_count = 0;
        sampled_keys_deinit(&im->keys);
}

/* ---- sizes and the rate ---- */

/* So much of `amount` as the sampled keys' share of a cache of that size is. 0: no bound. */
static uint64_t share(const struct imagined *im, uint64_t amount, unsigned size)
{
        double scaled = (double)amount * imagined_scale(size) * imagined_rate(im);

        return amount == 0 || scaled >= (double)UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}

static void set_limits(struct imagined *im)
{
        struct reuse_limit limits[IMAGINED_SIZES];

        for (unsigned z = 0; z < IMAGINED_SIZES; z++)
                limits[z] = (struct reuse_limit){share(im, im->max_entries, z), share(im, im->max_bytes, z)};
        reuse_limit(&im->reuse, limits);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                shadow_limit(&im->shadows[s], share(im, im->max_entries, IMAGINED_PRESENT),
                        share(im, im->max_bytes, IMAGINED_PRESENT));
}

static void forget(struct imagined *im, place_ref ref)
{
        const struct sampled_key *key = sampled_key_at(&im->keys, ref);

        if (key->zone != IMAGINED_SIZES)
                reuse_take(&im->reuse, ref);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                if (shadow_has(&im->shadows[s], ref))
                        shadow_take(&im->shadows[s], ref);
        sampled_keys_loosen(&im->keys, ref);
}

/* Forgets the keys that are not in the sample any more. */
static void forget_from(struct imagined *im, uint64_t below)
{
        for (place_ref ref = 1; ref <= im->keys.capacity; ref++) {
                const struct sampled_key *key = sampled_key_at(&im->keys, ref);

                if (sampled_key_is_held(key) && key->hash >= below)
                        forget(im, ref);
        }
}

static void lower_rate(struct imagined *im)
{
        imagined_settle(im);
        im->below -= im->below / 5;
        forget_from(im, im->below);
        set_limits(im);
}

void imagined_forget(struct imagined *im)
{
        forget_from(im, 0);
        im->tally = (struct tally){.expected = 0};
        im->config.totals(im->config.context, &im->told);
        im->below = BELOW_ALL;
        set_limits(im);
}

/* How many sampled keys the largest cache has room for, as far as can be said; 0: it cannot. */
static double keys_of_largest(const struct imagined *im)
{
        double part = imagined_scale(IMAGINED_SIZES - 1) * imagined_rate(im);
        double by_count = (double)im->max_entries * part;
        double by_bytes;

        if (im->max_bytes == 0 || im->entry_weight <= 0)
                return by_count;
        by_bytes = (double)im->max_bytes * part / im->entry_weight;
        return by_count > 0 && by_count < by_bytes ? by_count : by_bytes;
}

static void weigh_entries(struct imagined *im)
{
        const struct reuse_zone *all = &im->reuse.zones[IMAGINED_SIZES - 1];

        if (all->count >= WEIGHED_LEAST)
                im->entry_weight = (double)all->bytes / (double)all->count;
}

static bool is_much_too_small(const struct imagined *im)
{
        double keys = keys_of_largest(im);

        return im->below < BELOW_ALL && keys > 0 && keys < (double)im->config.samples / TOO_SMALL_BY;
}

static void fit_rate(struct imagined *im)
{
        if (is_much_too_small(im))
                imagined_forget(im);
        while (keys_of_largest(im) > im->config.samples && im->below > BELOW_LEAST)
                lower_rate(im);
}

void imagined_resize(struct imagined *im, uint64_t max_entries, uint64_t max_bytes)
{
        im->max_entries = max_entries;
        im->max_bytes = max_bytes;
        im->tally = (struct tally){.expected = 0};
        im->config.totals(im->config.context, &im->told);
        set_limits(im);
        fit_rate(im);
}

void imagined_settle(struct imagined *im)
{
        const struct whatif_totals before = im->told;

        im->config.totals(im->config.context, &im->told);
        tally_expect(&im->tally, im->told.lookups - before.lookups, im->told.bytes - before.bytes, imagined_rate(im));
}

/* ---- what happens to keys ---- */

/* The caches that have not the key, or a copy of it whose time is up. */
static uint32_t missed_by(const struct sampled_key *key, uint32_t now)
{
        uint32_t sizes = IMAGINED_ALL >> IMAGINED_SHADOWS;
        uint32_t has = (uint32_t)key->holders << IMAGINED_SIZES | (sizes & ~0u << key->zone);

        if (key->first_expires <= now)
                for (unsigned i = 0; i < IMAGINED_CACHES; i++)
                        has &= key->expires[i] <= now ? ~(1u << i) : ~0u;
        return IMAGINED_ALL & ~has;
}

/* The same by policies: bit p for number p. */
static uint32_t policies_of(uint32_t caches)
{
        return (caches >> IMAGINED_PRESENT & 1) | caches >> IMAGINED_SIZES << 1;
}

static void use(struct imagined *im, place_ref ref)
{
        if (sampled_key_at(&im->keys, ref)->zone != IMAGINED_SIZES)
                reuse_touch(&im->reuse, ref);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                if (shadow_has(&im->shadows[s], ref))
                        shadow_use(&im->shadows[s], ref);
}

/* Returns the key's reference; 0: it is not known. */
static place_ref on_lookup(struct imagined *im, uint32_t hash, uint32_t bytes, uint32_t now)
{
        place_ref ref = sampled_keys_find(&im->keys, hash);
        struct sampled_key *key = sampled_key_at(&im->keys, ref);
        uint32_t missed = ref == 0 ? IMAGINED_ALL : missed_by(key, now);

        tally_lookup(&im->tally, tally_group(hash), missed, ref == 0 ? bytes : key->bytes);
        policy_auto_note(&im->choice, policies_of(missed), im->reuse.zones[IMAGINED_PRESENT].count);
        if (ref == 0)
                return 0;
        key->missed = (uint8_t)missed;
        use(im, ref);
        return ref;
}

/* L1 had it and it must not answer (its time was up, or it was touched): so it would be in all others, as far as we
 * know. */
static void on_stale(struct imagined *im, uint32_t hash)
{
        place_ref ref = sampled_keys_find(&im->keys, hash);
        struct sampled_key *key = sampled_key_at(&im->keys, ref);

        if (ref == 0)
                return;
        tally_missed_too(&im->tally, tally_group(hash), IMAGINED_ALL & ~(uint32_t)key->missed, key->bytes);
        key->missed = IMAGINED_ALL;
}

static place_ref make_key(struct imagined *im, const struct sample *sample)
{
        place_ref ref = sampled_keys_add(&im->keys, sample->hash);

        while (ref == 0 && im->below > BELOW_LEAST) {
                lower_rate(im);
                if (sample->hash >= im->below)
                        return 0;
                ref = sampled_keys_add(&im->keys, sample->hash);
        }
        if (ref != 0)
                sampled_key_at(&im->keys, ref)->weight = sample->weight;
        return ref;
}

/* Policies want a key to weigh the same as long as they have it, so one that does not becomes another. */
static place_ref reweigh(struct imagined *im, place_ref ref, uint32_t weight)
{
        place_ref fresh = sampled_keys_renew(&im->keys, ref);

        if (fresh == 0)
                return ref;
        sampled_key_at(&im->keys, fresh)->weight = weight;
        if (sampled_key_at(&im->keys, fresh)->zone != IMAGINED_SIZES)
                reuse_replace(&im->reuse, ref, fresh);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                if (shadow_has(&im->shadows[s], fresh))
                        shadow_replace(&im->shadows[s], ref, fresh);
        sampled_keys_discard(&im->keys, ref);
        return fresh;
}

/* What missed the key, or had a copy that must not answer, has this one now. */
static void store(struct imagined *im, place_ref ref, uint32_t expires)
{
        struct sampled_key *key = sampled_key_at(&im->keys, ref);

        key->first_expires = UINT32_MAX;
        for (unsigned i = 0; i < IMAGINED_CACHES; i++) {
                if ((key->missed >> i & 1) != 0)
                        key->expires[i] = expires;
                if (key->expires[i] < key->first_expires)
                        key->first_expires = key->expires[i];
        }
        if (key->zone == IMAGINED_SIZES)
                reuse_push(&im->reuse, ref);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                if ((key->missed >> (IMAGINED_SIZES + s) & 1) != 0 && !shadow_has(&im->shadows[s], ref))
                        shadow_put(&im->shadows[s], ref);
        key->missed = 0;
}

/* The entry that L1 has now is what those who missed it have as well. */
static void on_entry(struct imagined *im, const struct sample *sample)
{
        place_ref ref = sampled_keys_find(&im->keys, sample->hash);

        if (ref == 0)
                ref = make_key(im, sample);
        if (ref == 0)
                return;
        sampled_keys_pin(&im->keys, ref);
        if (sampled_key_at(&im->keys, ref)->weight != sample->weight)
                ref = reweigh(im, ref, sample->weight);
        sampled_key_at(&im->keys, ref)->bytes = sample->bytes;
        if (sampled_key_at(&im->keys, ref)->missed != 0)
                store(im, ref, sample->expires);
        sampled_keys_unpin(&im->keys);
        weigh_entries(im);
        fit_rate(im);
}

/* Most hits are of a key that all have as it is. */
static void on_hit(struct imagined *im, const struct sample *hit, uint32_t now)
{
        place_ref ref = on_lookup(im, hit->hash, hit->bytes, now);
        const struct sampled_key *key = sampled_key_at(&im->keys, ref);

        if (ref == 0 || key->missed != 0 || key->weight != hit->weight)
                on_entry(im, hit);
}

/* How long the value of an unknown key is was not known when it was missed. */
static void on_put(struct imagined *im, const struct sample *put)
{
        if (sampled_keys_find(&im->keys, put->hash) == 0)
                tally_missed_bytes(&im->tally, put->bytes);
        on_entry(im, put);
}

static void on_removed(struct imagined *im, uint32_t hash)
{
        place_ref ref = sampled_keys_find(&im->keys, hash);

        if (ref != 0)
                forget(im, ref);
}

void imagined_take(struct imagined *im, const struct sample *sample, uint32_t now)
{
        if (sample->hash >= im->below)
                return;
        switch (sample->kind) {
        case SAMPLE_HIT: on_hit(im, sample, now); break;
        case SAMPLE_MISS: (void)on_lookup(im, sample->hash, 0, now); break;
        case SAMPLE_STALE: on_stale(im, sample->hash); break;
        case SAMPLE_PUT: on_put(im, sample); break;
        case SAMPLE_REMOVED: on_removed(im, sample->hash); break;
        }
}
