/* A server of canned replies on a Unix socket, for tests of clients: it takes one connection, waits for each request in
 * turn and sends the next reply of the script. Requests are kept as their words with spaces between them, control
 * bytes as '.', so that the test can look at what was asked. */
#ifndef TESTS_LIB_SCRIPTED_SERVER_H
#define TESTS_LIB_SCRIPTED_SERVER_H

#include "tests/lib/test.h"

struct scripted_server;

/* Starts it in the folder; `replies` (borrowed, ends with NULL) are RESP bytes. After the last one the connection is
 * closed. Fails the test when it cannot start. */
struct scripted_server *scripted_server_start(const char *folder, const char *const *replies);

/* The socket's path. */
const char *scripted_server_path(const struct scripted_server *server);

/* Waits for the connection's end and stops. The requests seen, one a line; the caller frees them. */
char *scripted_server_stop(struct scripted_server **server);

/* How many of those requests begin with the words. */
int scripted_server_count(const char *asked, const char *words);

#endif
