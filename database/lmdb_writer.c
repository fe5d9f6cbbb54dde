#include "database/lmdb_writer.h"

#include "base/mem.h"
#include "base/priority.h"

#include <pthread.h>

struct lmdb_writer {
        struct lmdb_commit *commit;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t come;
        struct list waiting; /* under the lock */
        bool stopping;       /* under the lock */
};

/* Waits until there are writes, and moves them all to `taken`. False: it is to stop, and there are none left. */
static bool take_waiting(struct lmdb_writer *w, struct list *taken)
{
        (void)pthread_mutex_lock(&w->lock);
        while (list_empty(&w->waiting) && !w->stopping)
                (void)pthread_cond_wait(&w->come, &w->lock);
        list_splice_back(taken, &w->waiting);
        (void)pthread_mutex_unlock(&w->lock);
        return !list_empty(taken);
}

static void *run(void *context)
{
        struct lmdb_writer *w = context;
        struct list taken;

        priority_lower(PRIORITY_WRITES);
        list_init(&taken);
        while (take_waiting(w, &taken))
                while (!list_empty(&taken))
                        lmdb_commit_run(w->commit, &taken);
        return NULL;
}

enum err lmdb_writer_start(struct lmdb_writer **out, struct lmdb_commit *commit)
{
        struct lmdb_writer *w = vc_calloc(1, sizeof(*w));

        *out = NULL;
        if (w == NULL)
                return ERR_NOMEM;
        w->commit = commit;
        list_init(&w->waiting);
        VC_ASSERT(pthread_mutex_init(&w->lock, NULL) == 0);
        VC_ASSERT(pthread_cond_init(&w->come, NULL) == 0);
        if (pthread_create(&w->thread, NULL, run, w) != 0) {
                (void)pthread_cond_destroy(&w->come);
                (void)pthread_mutex_destroy(&w->lock);
                vc_free(w);
                return ERR_NOMEM;
        }
        *out = w;
        return OK;
}

void lmdb_writer_add(struct lmdb_writer *w, struct source_write *write)
{
        (void)pthread_mutex_lock(&w->lock);
        VC_ASSERT(!w->stopping);
        list_push_back(&w->waiting, &write->link);
        (void)pthread_cond_signal(&w->come);
        (void)pthread_mutex_unlock(&w->lock);
}

void lmdb_writer_stop(struct lmdb_writer **writer)
{
        struct lmdb_writer *w = *writer;

        if (w == NULL)
                return;
        (void)pthread_mutex_lock(&w->lock);
        w->stopping = true;
        (void)pthread_cond_signal(&w->come);
        (void)pthread_mutex_unlock(&w->lock);
        (void)pthread_join(w->thread, NULL);
        (void)pthread_cond_destroy(&w->come);
        (void)pthread_mutex_destroy(&w->lock);
        vc_free(w);
        *writer = NULL;
}
