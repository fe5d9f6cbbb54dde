#include "net/control.h"

#include "base/mem.h"

#include <event2/event.h>

#include <signal.h>

enum { SIGNALS = 3 };

struct control {
        struct event_base *base;
        struct event *events[SIGNALS];
        void (*reload)(void *context);
        void *context;
        int stopped_by;
};

static void on_stop(evutil_socket_t number, short what, void *arg)
{
        struct control *control = arg;

        (void)what;
        control->stopped_by = (int)number;
        (void)event_base_loopexit(control->base, NULL);
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
        struct control *control = arg;

        (void)number;
        (void)what;
        control->reload(control->context);
}

/* Ignored from before the event was added, and so again after it was freed: a second signal (a terminal's, then a
 * script's) must not kill a server on the last steps of its way down, and make of a clean stop another exit code. */
static enum err catch_signal(struct control *control, struct event **event, int number, event_callback_fn call)
{
        if (signal(number, SIG_IGN) == SIG_ERR)
                return ERR_IO;
        *event = evsignal_new(control->base, number, call, control);
        if (*event == NULL)
                return ERR_NOMEM;
        return event_add(*event, NULL) == 0 ? OK : ERR_IO;
}

enum err control_create(struct control **out, void (*reload)(void *context), void *context)
{
        struct control *control = vc_calloc(1, sizeof(*control));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (control == NULL)
                return ERR_NOMEM;
        control->reload = reload;
        control->context = context;
        control->base = event_base_new();
        if (control->base != NULL)
                rc = catch_signal(control, &control->events[0], SIGTERM, on_stop);
        if (rc == OK)
                rc = catch_signal(control, &control->events[1], SIGINT, on_stop);
        if (rc == OK)
                rc = catch_signal(control, &control->events[2], SIGHUP, on_reload);
        if (rc == OK && signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                rc = ERR_IO;
        if (rc != OK)
                control_destroy(&control);
        *out = control;
        return rc;
}

int control_run(struct control *control)
{
        (void)event_base_dispatch(control->base);
        return control->stopped_by;
}

void control_destroy(struct control **control)
{
        struct control *c = *control;

        *control = NULL;
        if (c == NULL)
                return;
        for (int i = 0; i < SIGNALS; i++)
                if (c->events[i] != NULL)
                        event_free(c->events[i]);
        if (c->base != NULL)
                event_base_free(c->base);
        vc_free(c);
}
