#include "net/aside.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/priority.h"

#include <pthread.h>

struct aside {
        pthread_t thread;
        pthread_mutex_t lock; /* guards the two below; held for a few instructions */
        pthread_cond_t come;
        struct list waiting;
        bool ending;
};

/* The next job; NULL when it is to end and all is done. */
static struct aside_job *next_job(struct aside *aside)
{
        struct list *link;

        (void)pthread_mutex_lock(&aside->lock);
        while (list_empty(&aside->waiting) && !aside->ending)
                (void)pthread_cond_wait(&aside->come, &aside->lock);
        link = list_pop_front(&aside->waiting);
        (void)pthread_mutex_unlock(&aside->lock);
        return link == NULL ? NULL : LIST_ENTRY(link, struct aside_job, link);
}

static void *work(void *context)
{
        struct aside_job *job;

        priority_lower(PRIORITY_BULK);
        while ((job = next_job(context)) != NULL)
                job->run(job);
        return NULL;
}

static void free_parts(struct aside *aside)
{
        (void)pthread_cond_destroy(&aside->come);
        (void)pthread_mutex_destroy(&aside->lock);
        vc_free(aside);
}

enum err aside_create(struct aside **out, const char *name)
{
        struct aside *aside = vc_calloc(1, sizeof(*aside));

        *out = NULL;
        if (aside == NULL)
                return ERR_NOMEM;
        list_init(&aside->waiting);
        VC_ASSERT(pthread_mutex_init(&aside->lock, NULL) == 0);
        VC_ASSERT(pthread_cond_init(&aside->come, NULL) == 0);
        if (pthread_create(&aside->thread, NULL, work, aside) != 0) {
                free_parts(aside);
                return ERR_NOMEM;
        }
        (void)pthread_setname_np(aside->thread, name);
        *out = aside;
        return OK;
}

void aside_add(struct aside *aside, struct aside_job *job)
{
        if (aside == NULL) {
                job->run(job);
                return;
        }
        (void)pthread_mutex_lock(&aside->lock);
        VC_ASSERT(!aside->ending);
        list_push_back(&aside->waiting, &job->link);
        (void)pthread_cond_signal(&aside->come);
        (void)pthread_mutex_unlock(&aside->lock);
}

void aside_destroy(struct aside **out)
{
        struct aside *aside = *out;

        *out = NULL;
        if (aside == NULL)
                return;
        (void)pthread_mutex_lock(&aside->lock);
        aside->ending = true;
        (void)pthread_cond_signal(&aside->come);
        (void)pthread_mutex_unlock(&aside->lock);
        (void)pthread_join(aside->thread, NULL);
        free_parts(aside);
}
