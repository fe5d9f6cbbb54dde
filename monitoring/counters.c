#include "monitoring/counters.h"

#include "base/hot.h"
#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

/* Counters in one row: those of the server, then those of each type. */
enum { CELLS = COUNTER_COUNT_ + COUNTERS_TYPES_MAX * TYPE_COUNTER_COUNT_ };

/* One thread's counts. Only the owner writes (a relaxed load and store, no locked instruction); anyone sums. */
struct block {
        struct list link;
        _Atomic uint64_t cells[CELLS];
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
static _Thread_local struct block *mine;      /* NULL: none yet, or none to be had */
static _Thread_local bool goes_without_block; /* there was no memory, or the thread is ending */
static pthread_key_t at_exit_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void on_thread_exit(void *arg)
{
        struct block *b = arg;

        mine = NULL; /* for destructors that run after this one */
        goes_without_block = true;
        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < CELLS; i++)
                atomic_fetch_add_explicit(&shared.cells[i], atomic_load_explicit(&b->cells[i], memory_order_relaxed),
                        memory_order_relaxed);
        list_remove(&b->link);
        pthread_mutex_unlock(&lock);
        vc_free(b);
}

static void make_key(void)
{
        (void)pthread_key_create(&at_exit_key, on_thread_exit);
}

static void register_thread(void)
{
        struct block *b = vc_calloc(1, sizeof(*b));

        (void)pthread_once(&key_once, make_key);
        if (b == NULL || pthread_setspecific(at_exit_key, b) != 0) {
                vc_free(b);
                goes_without_block = true;
                return;
        }
        pthread_mutex_lock(&lock);
        list_push_back(&threads, &b->link);
        pthread_mutex_unlock(&lock);
        mine = b;
}

COLD_PATH static void add_without_block(size_t cell, uint64_t n)
{
        if (!goes_without_block)
                register_thread();
        atomic_fetch_add_explicit(mine == NULL ? &shared.cells[cell] : &mine->cells[cell], n, memory_order_relaxed);
}

static inline void add(size_t cell, uint64_t n)
{
        struct block *b = mine;

        if (b == NULL)
                add_without_block(cell, n);
        else
                atomic_store_explicit(&b->cells[cell], atomic_load_explicit(&b->cells[cell], memory_order_relaxed) + n,
                        memory_order_relaxed);
}

static inline size_t cell_of_type(uint32_t type, enum type_counter counter)
{
        return COUNTER_COUNT_ + type * TYPE_COUNTER_COUNT_ + (size_t)counter;
}

void counter_add(enum counter counter, uint64_t n)
{
        add(counter, n);
}

void type_counter_add(uint32_t type, enum type_counter counter, uint64_t n)
{
        add(cell_of_type(type, counter), n);
}

static uint64_t sum_of(size_t cell)
{
        uint64_t sum;

        pthread_mutex_lock(&lock);
        sum = atomic_load_explicit(&shared.cells[cell], memory_order_relaxed);
        LIST_FOREACH (it, &threads)
                sum += atomic_load_explicit(&LIST_ENTRY(it, struct block, link)->cells[cell], memory_order_relaxed);
        pthread_mutex_unlock(&lock);
        return sum;
}

uint64_t counter_read(enum counter counter)
{
        return sum_of(counter);
}

uint64_t type_counter_read(uint32_t type, enum type_counter counter)
{
        return sum_of(cell_of_type(type, counter));
}

const struct counter_row *counter_row(enum counter counter)
{
        return &rows[counter];
}

const struct counter_row *type_counter_row(enum type_counter counter)
{
        return &type_rows[counter];
}
