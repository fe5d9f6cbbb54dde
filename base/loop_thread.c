#include "base/loop_thread.h"

#include "base/assert.h"
#include "base/mem.h"

#include <event2/event.h>

#include <pthread.h>
#include <semaphore.h>

struct loop_thread {
        struct event_base *base;
        struct mailbox *box;
        struct loop_job end;
        pthread_t thread;
};

/* The base is its thread's alone (mail comes through a descriptor), so it needs no locks. */
static struct event_base *make_base(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base = NULL;

        if (config == NULL)
                return NULL;
        if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
                base = event_base_new_with_config(config);
        event_config_free(config);
        return base;
}

static void on_mail(struct mail *mail, void *context)
{
        struct loop_job *job = LIST_ENTRY(mail, struct loop_job, mail);

        (void)context;
        job->run(job);
}

static void *run(void *arg)
{
        struct loop_thread *thread = arg;

        /* The mailbox keeps the loop alive, till the last job. */
        (void)event_base_dispatch(thread->base);
        mailbox_drain(thread->box); /* what the last jobs have posted */
        return NULL;
}

static void free_parts(struct loop_thread *thread)
{
        mailbox_destroy(&thread->box);
        if (thread->base != NULL)
                event_base_free(thread->base);
        vc_free(thread);
}

enum err loop_thread_create(struct loop_thread **out, const char *name)
{
        struct loop_thread *thread = vc_calloc(1, sizeof(*thread));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (thread == NULL)
                return ERR_NOMEM;
        thread->base = make_base();
        if (thread->base != NULL)
                rc = mailbox_create(&thread->box, thread->base, on_mail, thread);
        if (rc == OK && pthread_create(&thread->thread, NULL, run, thread) != 0)
                rc = ERR_NOMEM;
        if (rc != OK) {
                free_parts(thread);
                return rc;
        }
        (void)pthread_setname_np(thread->thread, name);
        *out = thread;
        return OK;
}

struct event_base *loop_thread_base(const struct loop_thread *thread)
{
        return thread->base;
}

void loop_thread_post(struct loop_thread *thread, struct loop_job *job)
{
        mailbox_post(thread->box, &job->mail);
}

bool loop_thread_is_here(const struct loop_thread *thread)
{
        return pthread_equal(pthread_self(), thread->thread) != 0;
}

struct call {
        struct loop_job job;
        void (*run)(void *context);
        void *context;
        sem_t done;
};

static void run_call(struct loop_job *job)
{
        struct call *call = LIST_ENTRY(job, struct call, job);

        call->run(call->context);
        (void)sem_post(&call->done);
}

void loop_thread_call(struct loop_thread *thread, void (*run_there)(void *context), void *context)
{
        struct call call = {.job = {.run = run_call}, .run = run_there, .context = context};

        VC_ASSERT(!loop_thread_is_here(thread));
        (void)sem_init(&call.done, 0, 0);
        loop_thread_post(thread, &call.job);
        while (sem_wait(&call.done) != 0)
                ; /* interrupted by a signal */
        (void)sem_destroy(&call.done);
}

static void run_end(struct loop_job *job)
{
        struct loop_thread *thread = LIST_ENTRY(job, struct loop_thread, end);

        (void)event_base_loopbreak(thread->base);
}

void loop_thread_destroy(struct loop_thread **out)
{
        struct loop_thread *thread = *out;

        *out = NULL;
        if (thread == NULL)
                return;
        VC_ASSERT(!loop_thread_is_here(thread));
        thread->end.run = run_end;
        loop_thread_post(thread, &thread->end);
        (void)pthread_join(thread->thread, NULL);
        free_parts(thread);
}
