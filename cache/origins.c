#include "cache/origins.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

struct row {
        struct origin origin;
        _Atomic uint32_t uses; /* rises under the lock only: what is 0 there stays 0 */
};

struct origins {
        pthread_mutex_t lock; /* lock class "origins": a leaf */
        uint32_t known;       /* rows that were ever used */
        struct row rows[ORIGINS_MAX];
};

enum err origins_create(struct origins **out)
{
        struct origins *o = vc_calloc(1, sizeof(*o));

        *out = o;
        if (o == NULL)
                return ERR_NOMEM;
        (void)pthread_mutex_init(&o->lock, NULL);
        return OK;
}

void origins_destroy(struct origins **origins)
{
        if (*origins == NULL)
                return;
        pthread_mutex_destroy(&(*origins)->lock);
        vc_free(*origins);
        *origins = NULL;
}

/* The row of that pair, or one that nobody uses, set to it; ORIGINS_MAX: there is none. */
static uint32_t row_for(struct origins *o, struct origin origin)
{
        uint32_t unused = ORIGINS_MAX;

        for (uint32_t i = 0; i < o->known; i++) {
                const struct row *row = &o->rows[i];

                if (row->origin.epoch == origin.epoch && row->origin.def == origin.def)
                        return i;
                /* acquire: whoever used it has read it before */
                if (unused == ORIGINS_MAX && atomic_load_explicit(&row->uses, memory_order_acquire) == 0)
                        unused = i;
        }
        if (unused == ORIGINS_MAX && o->known < ORIGINS_MAX)
                unused = o->known++;
        if (unused < ORIGINS_MAX)
                o->rows[unused].origin = origin;
        return unused;
}

enum err origins_take(struct origins *o, struct origin origin, uint16_t *number)
{
        uint32_t row;

        pthread_mutex_lock(&o->lock);
        row = row_for(o, origin);
        if (row < ORIGINS_MAX)
                atomic_fetch_add_explicit(&o->rows[row].uses, 1, memory_order_relaxed);
        pthread_mutex_unlock(&o->lock);
        *number = (uint16_t)row;
        return row < ORIGINS_MAX ? OK : ERR_LIMIT;
}

void origins_drop(struct origins *o, uint16_t number)
{
        atomic_fetch_sub_explicit(&o->rows[number].uses, 1, memory_order_release);
}

struct origin origins_at(const struct origins *o, uint16_t number)
{
        return o->rows[number].origin;
}
