/* Listening sockets: TCP, one per worker on the same port (SO_REUSEPORT: the kernel spreads connections), and one Unix
 * socket that all workers accept from. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/err.h"

#include <stdint.h>

struct event_base;
struct listener;

/* Fails when any process, one of the same user included, listens there already: SO_REUSEPORT alone would let two
 * servers share a port unseen. *port 0: any free port, which it sets. ERR_IN_USE, ERR_PERMISSION, ERR_CONFIG (no such
 * address), ERR_IO, with *msg. */
enum err listener_probe(const char *address, uint16_t *port, struct err_msg *msg) MUST_CHECK;

/* A listening, non-blocking TCP socket that shares its port with others of this process. Errors as listener_probe. */
enum err listener_open_tcp(int *fd, const char *address, uint16_t port, struct err_msg *msg) MUST_CHECK;

/* A listening, non-blocking Unix socket with permissions `mode`. A socket file that no process listens on is left from
 * a crash and replaced; anything else at `path` is ERR_IN_USE. Errors as listener_probe. */
enum err listener_open_unix(int *fd, const char *path, uint32_t mode, struct err_msg *msg) MUST_CHECK;

/* Accepts on `base`'s loop: `accepted` gets each new, non-blocking socket and owns it. `fd` stays the caller's.
 * ERR_NOMEM, ERR_IO; *out is NULL then. */
enum err listener_create(struct listener **out, struct event_base *base, int fd,
        void (*accepted)(void *context, int client), void *context) MUST_CHECK;

/* Accepts no more. On the loop's thread. NULL-safe; nulls. */
void listener_destroy(struct listener **listener);

#endif
