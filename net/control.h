/* The control thread's loop: signals, while the workers serve. */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#include "base/err.h"

struct control;

/* Catches SIGTERM and SIGINT (both end control_run), SIGHUP (calls `reload`), and ignores SIGPIPE. From here on, so
 * that a signal during start-up is not lost. ERR_NOMEM, ERR_IO; *out is NULL then. Main thread only, once. */
enum err control_create(struct control **out, void (*reload)(void *context), void *context) MUST_CHECK;

/* Waits for signals until one says to stop; returns its number. */
int control_run(struct control *control);

/* Restores the signals' default actions. NULL-safe; nulls. */
void control_destroy(struct control **control);

#endif
