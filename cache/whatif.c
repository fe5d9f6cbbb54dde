#include "cache/whatif.h"

#include "base/mem.h"
#include "cache/imagined.h"

#include <math.h>
#include <pthread.h>

enum {
        TICK_SHIFT = 28,      /* a tick is 2^28 ns, about a quarter of a second */
        FADES_PER_HALF = 16,  /* how often in a half-life what was counted is faded */
        LOOKUPS_LEAST = 1000, /* of sampled keys, before figures are shown */
};

struct whatif {
        struct whatif_config config;
        struct sample_ring ring;
        pthread_mutex_t lock; /* lock class "whatif": a leaf; guards all below */
        struct imagined imagined;
        bool on;
        struct nanos faded; /* when the tally was last faded */
        unsigned advised;   /* the policy last named to the one who follows */
};

enum err whatif_create(struct whatif **out, const struct whatif_config *config)
{
        const struct imagined_config imagined = {
                .samples = config->samples, .totals = config->totals, .context = config->context};
        struct whatif *w = vc_calloc(1, sizeof(*w));
        enum err rc;

        *out = NULL;
        if (w == NULL)
                return ERR_NOMEM;
        w->config = *config;
        rc = imagined_init(&w->imagined, &imagined);
        if (rc != OK) {
                vc_free(w);
                return rc;
        }
        (void)pthread_mutex_init(&w->lock, NULL);
        w->faded = config->clock();
        w->on = true;
        *out = w;
        return OK;
}

void whatif_destroy(struct whatif **whatif)
{
        struct whatif *w = *whatif;

        *whatif = NULL;
        if (w == NULL)
                return;
        imagined_deinit(&w->imagined);
        (void)pthread_mutex_destroy(&w->lock);
        vc_free(w);
}

uint32_t whatif_tick(struct nanos when)
{
        int64_t tick = when.ns >> TICK_SHIFT;

        return tick > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)tick;
}

/* ---- with the lock held ---- */

static void fade(struct whatif *w, struct nanos now)
{
        struct nanos since = nanos_sub(now, w->faded);

        if (since.ns < w->config.half_life.ns / FADES_PER_HALF)
                return;
        imagined_settle(&w->imagined);
        tally_fade(&w->imagined.tally, exp2(-(double)since.ns / (double)w->config.half_life.ns));
        w->faded = now;
}

/* What others want to know without the lock. */
static void publish(struct whatif *w)
{
        unsigned choice = w->imagined.choice.choice;

        atomic_store_explicit(w->config.below, w->on ? w->imagined.below : 0, memory_order_relaxed);
        if (choice == w->advised)
                return;
        w->advised = choice;
        w->config.advise(w->config.context, imagined_policy(choice));
}

/* What lies in the ring, and then `last`, if it is not NULL. */
static void take_in(struct whatif *w, const struct sample *last)
{
        struct nanos now = w->config.clock();
        uint32_t tick = whatif_tick(now);
        struct sample sample;

        fade(w, now);
        while (sample_ring_take(&w->ring, &sample))
                imagined_take(&w->imagined, &sample, tick);
        if (last != NULL)
                imagined_take(&w->imagined, last, tick);
        publish(w);
}

/* ---- the calls ---- */

void whatif_note(struct whatif *w, const struct sample *sample)
{
        if (pthread_mutex_trylock(&w->lock) == 0) {
                take_in(w, sample);
                pthread_mutex_unlock(&w->lock);
        } else {
                (void)sample_ring_push(&w->ring, sample); /* full: one sample less */
        }
        /* Whoever has the lock takes in what others push meanwhile, and looks again after it has let go: no sample is
         * left lying by a thread that found the lock taken. */
        while (sample_ring_is_waiting(&w->ring) && pthread_mutex_trylock(&w->lock) == 0) {
                take_in(w, NULL);
                pthread_mutex_unlock(&w->lock);
        }
}

void whatif_resize(struct whatif *w, uint64_t max_entries, uint64_t max_bytes)
{
        pthread_mutex_lock(&w->lock);
        if (w->imagined.max_entries != max_entries || w->imagined.max_bytes != max_bytes)
                imagined_resize(&w->imagined, max_entries, max_bytes);
        publish(w);
        pthread_mutex_unlock(&w->lock);
}

void whatif_switch(struct whatif *w, bool on)
{
        pthread_mutex_lock(&w->lock);
        if (w->on != on)
                imagined_forget(&w->imagined);
        w->on = on;
        publish(w);
        pthread_mutex_unlock(&w->lock);
}

const struct policy_ops *whatif_advice(struct whatif *w)
{
        const struct policy_ops *best;

        pthread_mutex_lock(&w->lock);
        best = imagined_policy(w->imagined.choice.choice);
        pthread_mutex_unlock(&w->lock);
        return best;
}

static void report(const struct imagined *im, struct whatif_report *out)
{
        const struct reuse_zone *present = &im->reuse.zones[IMAGINED_PRESENT];
        const struct reuse_zone *largest = &im->reuse.zones[IMAGINED_SIZES - 1];
        double by_count = (double)largest->count / (double)present->limit.count;
        double by_bytes = (double)largest->bytes / (double)present->limit.bytes;

        *out = (struct whatif_report){
                .enough = im->tally.seen >= LOOKUPS_LEAST,
                .rate = imagined_rate(im),
                .keys = im->keys.count,
                .lookups = im->tally.seen,
                .reach = by_count > by_bytes ? by_count : by_bytes,
        };
        for (unsigned z = 0; z < WHATIF_SIZES; z++) {
                out->sizes[z].scale = imagined_scale(z);
                out->sizes[z].figure = imagined_size_figure(im, z);
        }
        for (unsigned p = 0; p < WHATIF_POLICIES; p++) {
                out->policies[p].name = imagined_policy(p)->name;
                out->policies[p].figure = imagined_policy_figure(im, p);
        }
}

void whatif_read(struct whatif *w, struct whatif_report *out)
{
        pthread_mutex_lock(&w->lock);
        take_in(w, NULL);
        imagined_settle(&w->imagined);
        report(&w->imagined, out);
        pthread_mutex_unlock(&w->lock);
}
