#include "base/mailbox.h"

#include "base/mem.h"

#include <event2/event.h>

#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
        pthread_mutex_t lock; /* guards `waiting` only; held for a few instructions */
        struct list waiting;
        struct event *readable;
        mailbox_fn handler;
        void *context;
        int fd;
};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
        uint64_t count;

        (void)what;
        if (read(fd, &count, sizeof(count)) < 0) /* spurious wake-up: draining an empty box is harmless */
                count = 0;
        mailbox_drain(arg);
}

enum err mailbox_create(struct mailbox **out, struct event_base *base, mailbox_fn handler, void *context)
{
        struct mailbox *box = vc_calloc(1, sizeof(*box));

        *out = NULL;
        if (box == NULL)
                return ERR_NOMEM;
        (void)pthread_mutex_init(&box->lock, NULL);
        list_init(&box->waiting);
        box->handler = handler;
        box->context = context;
        box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (box->fd < 0)
                goto fail;
        box->readable = event_new(base, box->fd, EV_READ | EV_PERSIST, on_readable, box);
        if (box->readable == NULL || event_add(box->readable, NULL) != 0)
                goto fail;
        *out = box;
        return OK;
fail:
        mailbox_destroy(&box);
        return ERR_IO;
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
        uint64_t one = 1;
        bool first;

        pthread_mutex_lock(&box->lock);
        first = list_empty(&box->waiting);
        list_push_back(&box->waiting, &mail->link);
        pthread_mutex_unlock(&box->lock);
        /* Only the first message wakes the loop. write() fails only when the counter is full: then it is awake. */
        if (first && write(box->fd, &one, sizeof(one)) < 0)
                return;
}

void mailbox_drain(struct mailbox *box)
{
        struct list batch;
        struct list *link;

        list_init(&batch);
        pthread_mutex_lock(&box->lock);
        list_splice_back(&batch, &box->waiting);
        pthread_mutex_unlock(&box->lock);
        while ((link = list_pop_front(&batch)) != NULL)
                box->handler(LIST_ENTRY(link, struct mail, link), box->context);
}

void mailbox_destroy(struct mailbox **out)
{
        struct mailbox *box = *out;

        *out = NULL;
        if (box == NULL)
                return;
        mailbox_drain(box);
        if (box->readable != NULL)
                event_free(box->readable);
        if (box->fd >= 0)
                close(box->fd);
        pthread_mutex_destroy(&box->lock);
        vc_free(box);
}
