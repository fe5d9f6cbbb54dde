#include "database/pg_lookup.h"

#include "base/mem.h"

#include <event2/event.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the loop and the thread; the last one frees it. The thread writes `hosts` and `err`, then the descriptor;
 * the loop reads them after it has read that. */
struct pg_lookup {
        atomic_int holders;
        int fd;
        struct event *event; /* the loop's */
        pg_lookup_done_fn done;
        void *context;
        struct pg_hosts hosts;
        enum err err;
};

static void let_go(struct pg_lookup *lookup)
{
        if (atomic_fetch_sub(&lookup->holders, 1) > 1)
                return;
        if (lookup->fd >= 0)
                close(lookup->fd);
        pg_hosts_deinit(&lookup->hosts);
        vc_free(lookup);
}

void pg_lookup_cancel(struct pg_lookup **lookup)
{
        struct pg_lookup *gone = *lookup;

        if (gone == NULL)
                return;
        if (gone->event != NULL)
                event_free(gone->event);
        *lookup = NULL;
        let_go(gone);
}

static void *work(void *argument)
{
        struct pg_lookup *lookup = argument;
        const uint64_t one = 1;

        lookup->err = pg_hosts_look_up(&lookup->hosts);
        while (write(lookup->fd, &one, sizeof one) < 0 && errno == EINTR)
                continue;
        let_go(lookup);
        return NULL;
}

static void on_found(evutil_socket_t fd, short what, void *argument)
{
        struct pg_lookup *lookup = argument;
        struct pg_hosts hosts = {NULL, 0};
        pg_lookup_done_fn done = lookup->done;
        void *context = lookup->context;
        enum err err;
        uint64_t one;

        (void)what;
        if (read(fd, &one, sizeof one) != sizeof one)
                return;
        err = lookup->err;
        if (err == OK) {
                hosts = lookup->hosts;
                lookup->hosts = (struct pg_hosts){NULL, 0};
        }
        pg_lookup_cancel(&lookup);
        done(context, err, &hosts);
}

static enum err start_thread(struct pg_lookup *lookup)
{
        pthread_attr_t attributes;
        pthread_t thread;
        int failed;

        if (pthread_attr_init(&attributes) != 0)
                return ERR_NOMEM;
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        atomic_fetch_add(&lookup->holders, 1);
        failed = pthread_create(&thread, &attributes, work, lookup);
        pthread_attr_destroy(&attributes);
        if (failed != 0)
                atomic_fetch_sub(&lookup->holders, 1);
        return failed == 0 ? OK : ERR_IO;
}

enum err pg_lookup_start(
        struct pg_lookup **out, struct event_base *base, struct pg_hosts *hosts, pg_lookup_done_fn done, void *context)
{
        struct pg_lookup *lookup = vc_calloc(1, sizeof *lookup);
        enum err err;

        *out = NULL;
        if (lookup == NULL) {
                pg_hosts_deinit(hosts);
                return ERR_NOMEM;
        }
        lookup->hosts = *hosts;
        *hosts = (struct pg_hosts){NULL, 0};
        lookup->done = done;
        lookup->context = context;
        atomic_init(&lookup->holders, 1);
        lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        lookup->event = event_new(base, lookup->fd, EV_READ, on_found, lookup);
        if (lookup->fd < 0)
                err = ERR_IO;
        else if (lookup->event == NULL || event_add(lookup->event, NULL) != 0)
                err = ERR_NOMEM;
        else
                err = start_thread(lookup);
        if (err != OK)
                pg_lookup_cancel(&lookup);
        *out = lookup;
        return err;
}
