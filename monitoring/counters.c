#include "monitoring/counters.h"

#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

/* One thread's counts. Only the owner writes (a relaxed load and store, no locked instruction); anyone sums. */
struct block {
        struct list link;
        _Atomic uint64_t totals[COUNTER_COUNT_];
        _Atomic uint64_t of_type[COUNTERS_TYPES_MAX][TYPE_COUNTER_COUNT_];
};

static const struct counter_row rows[] = {
#define COUNTER(name, sentence) {#name, sentence},
#include "monitoring/counters.def"
#undef COUNTER
};

static const struct counter_row type_rows[] = {
#define TYPE_COUNTER(name, sentence) {#name, sentence},
#include "monitoring/type_counters.def"
#undef TYPE_COUNTER
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `threads` and the folding of ended threads */
static struct list threads = {&threads, &threads};
/* What ended threads counted, and threads for which there was no memory: many write here, so adds are atomic. */
static struct block shared;
static _Thread_local struct block *mine;
static pthread_key_t at_exit_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void fold(_Atomic uint64_t *into, _Atomic uint64_t *from)
{
        atomic_fetch_add_explicit(into, atomic_load_explicit(from, memory_order_relaxed), memory_order_relaxed);
}

static void on_thread_exit(void *arg)
{
        struct block *b = arg;

        mine = &shared; /* for destructors that run after this one */
        pthread_mutex_lock(&lock);
        for (int c = 0; c < COUNTER_COUNT_; c++)
                fold(&shared.totals[c], &b->totals[c]);
        for (int t = 0; t < COUNTERS_TYPES_MAX; t++)
                for (int c = 0; c < TYPE_COUNTER_COUNT_; c++)
                        fold(&shared.of_type[t][c], &b->of_type[t][c]);
        list_remove(&b->link);
        pthread_mutex_unlock(&lock);
        vc_free(b);
}

static void make_key(void)
{
        (void)pthread_key_create(&at_exit_key, on_thread_exit);
}

static struct block *register_thread(void)
{
        struct block *b = vc_calloc(1, sizeof(*b));

        (void)pthread_once(&key_once, make_key);
        if (b == NULL || pthread_setspecific(at_exit_key, b) != 0) {
                vc_free(b);
                mine = &shared;
                return mine;
        }
        pthread_mutex_lock(&lock);
        list_push_back(&threads, &b->link);
        pthread_mutex_unlock(&lock);
        mine = b;
        return b;
}

static inline void add(const struct block *b, _Atomic uint64_t *count, uint64_t n)
{
        if (b == &shared)
                atomic_fetch_add_explicit(count, n, memory_order_relaxed);
        else
                atomic_store_explicit(
                        count, atomic_load_explicit(count, memory_order_relaxed) + n, memory_order_relaxed);
}

void counter_add(enum counter counter, uint64_t n)
{
        struct block *b = mine != NULL ? mine : register_thread();

        add(b, &b->totals[counter], n);
}

void type_counter_add(uint32_t type, enum type_counter counter, uint64_t n)
{
        struct block *b = mine != NULL ? mine : register_thread();

        add(b, &b->of_type[type][counter], n);
}

uint64_t counter_read(enum counter counter)
{
        uint64_t sum;

        pthread_mutex_lock(&lock);
        sum = atomic_load_explicit(&shared.totals[counter], memory_order_relaxed);
        LIST_FOREACH (it, &threads) {
                struct block *b = LIST_ENTRY(it, struct block, link);

                sum += atomic_load_explicit(&b->totals[counter], memory_order_relaxed);
        }
        pthread_mutex_unlock(&lock);
        return sum;
}

uint64_t type_counter_read(uint32_t type, enum type_counter counter)
{
        uint64_t sum;

        pthread_mutex_lock(&lock);
        sum = atomic_load_explicit(&shared.of_type[type][counter], memory_order_relaxed);
        LIST_FOREACH (it, &threads) {
                struct block *b = LIST_ENTRY(it, struct block, link);

                sum += atomic_load_explicit(&b->of_type[type][counter], memory_order_relaxed);
        }
        pthread_mutex_unlock(&lock);
        return sum;
}

const struct counter_row *counter_row(enum counter counter)
{
        return &rows[counter];
}

const struct counter_row *type_counter_row(enum type_counter counter)
{
        return &type_rows[counter];
}
