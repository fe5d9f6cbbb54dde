#include "net/worker.h"

#include "base/mem.h"
#include "net/lane.h"
#include "net/listener.h"

#include <event2/event.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

enum { LISTENERS_MAX = 2 }; /* TCP and Unix */

struct worker {
        struct event_base *base;
        struct lane lane;
        struct listener *listeners[LISTENERS_MAX];
        uint32_t listener_count;
        struct lane_mail stop_mail;
        struct lane_mail end_mail;
        sem_t empty;
        struct nanos patience;
        pthread_t thread;
        bool has_lane;
        bool started;
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

enum err worker_create(struct worker **out, struct services *services, uint32_t index)
{
        struct worker *worker = vc_calloc(1, sizeof(*worker));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (worker == NULL)
                return ERR_NOMEM;
        worker->base = make_base();
        if (worker->base != NULL)
                rc = lane_init(&worker->lane, services, worker->base, index);
        worker->has_lane = rc == OK;
        (void)sem_init(&worker->empty, 0, 0);
        if (rc != OK) {
                worker_destroy(&worker);
                return rc;
        }
        *out = worker;
        return OK;
}

static void on_accepted(void *context, int client)
{
        struct worker *worker = context;

        lane_accept(&worker->lane, client);
}

enum err worker_listen(struct worker *worker, int fd)
{
        VC_ASSERT(worker->listener_count < LISTENERS_MAX);
        return listener_create(&worker->listeners[worker->listener_count++], worker->base, fd, on_accepted, worker);
}

static void close_listeners(struct worker *worker)
{
        for (uint32_t i = 0; i < worker->listener_count; i++)
                listener_destroy(&worker->listeners[i]);
}

static void *run(void *arg)
{
        struct worker *worker = arg;

        /* Without any connection the mailbox keeps the loop alive, till worker_end. */
        (void)event_base_dispatch(worker->base);
        return NULL;
}

enum err worker_start(struct worker *worker, struct err_msg *msg)
{
        char name[16];
        int rc = pthread_create(&worker->thread, NULL, run, worker);

        if (rc != 0)
                return err_errno(msg, ERR_IO, rc, "cannot start a worker thread");
        worker->started = true;
        (void)snprintf(name, sizeof(name), "vc-worker-%u", worker->lane.index % 1000);
        (void)pthread_setname_np(worker->thread, name);
        return OK;
}

static void on_emptied(void *context)
{
        struct worker *worker = context;

        (void)sem_post(&worker->empty);
}

static void on_stop(struct lane *lane, struct lane_mail *mail)
{
        struct worker *worker = LIST_ENTRY(mail, struct worker, stop_mail);

        close_listeners(worker);
        lane->emptied = on_emptied;
        lane->emptied_context = worker;
        lane_stop(lane, worker->patience);
}

void worker_stop(struct worker *worker, struct nanos patience)
{
        worker->patience = patience;
        worker->stop_mail.handle = on_stop;
        lane_post(&worker->lane, &worker->stop_mail);
}

void worker_await_empty(struct worker *worker)
{
        while (sem_wait(&worker->empty) != 0)
                ; /* interrupted by a signal */
}

static void on_end(struct lane *lane, struct lane_mail *mail)
{
        (void)mail;
        (void)event_base_loopexit(lane->base, NULL);
}

void worker_end(struct worker *worker)
{
        worker->end_mail.handle = on_end;
        lane_post(&worker->lane, &worker->end_mail);
        (void)pthread_join(worker->thread, NULL);
        worker->started = false;
}

void worker_destroy(struct worker **worker)
{
        struct worker *w = *worker;

        *worker = NULL;
        if (w == NULL)
                return;
        VC_ASSERT(!w->started);
        close_listeners(w);
        if (w->has_lane)
                lane_deinit(&w->lane);
        if (w->base != NULL)
                event_base_free(w->base);
        (void)sem_destroy(&w->empty);
        vc_free(w);
}

struct lane *worker_lane(struct worker *worker)
{
        return &worker->lane;
}
