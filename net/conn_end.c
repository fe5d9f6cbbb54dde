/* How a connection ends without taking from its client what it is owed. */
#include "base/hot.h"
#include "net/conn.h"
#include "net/conn_state.h"
#include "net/lane.h"
#include "net/services.h"

#include <event2/event.h>

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        LINGER_SECONDS = 5, /* how long a client may take to receive its last replies */
        LINGER_LOOK_MS = 50 /* how often that is looked after */
};

/* Bytes that were sent, but have not arrived at the client's machine. Those of a Unix socket have at once: it knows no
 * TCP_INFO. */
static bool has_bytes_on_their_way(const struct conn *conn)
{
        struct tcp_info info;
        socklen_t size = sizeof(info);

        memset(&info, 0, sizeof(info)); /* an older kernel tells less */
        return getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
               (info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0);
}

/* Whether a close now could take replies from the client. */
static bool must_linger(const struct conn *conn)
{
        if (conn->lingering || (conn->eof && !conn->stopping))
                return false;
        return conn->refused || has_bytes_on_their_way(conn);
}

/* All is answered and sent. A client that was refused amid its request, or that the server stops under, may still be
 * sending: closed now, the socket would answer its bytes with a reset, and the reset would take from it the replies
 * that it has not received yet. So it is told that nothing more comes, and what it sends is thrown away until it closes
 * too, has received all (a refused one is given the time to read it), or has had its time. */
COLD_PATH void conn_end(struct conn *conn, struct nanos now)
{
        const struct timeval look = {.tv_usec = LINGER_LOOK_MS * 1000};

        if (!must_linger(conn) || shutdown(conn->fd, SHUT_WR) != 0 || event_add(conn->readable, &look) != 0) {
                conn_close(conn);
                return;
        }
        conn_subscribe(conn, false);
        list_remove(&conn->dirty); /* there is nothing left to service */
        buf_deinit(&conn->in);
        buf_deinit(&conn->out);
        conn_account(conn);
        conn->lingering = true;
        conn->lingers_since = now;
}

static bool has_had_its_time(const struct conn *conn)
{
        struct nanos waited = nanos_sub(clock_boot(), conn->lingers_since);

        return conn->lingered > conn->lane->services->limits.input || nanos_to_ms(waited) > LINGER_SECONDS * 1000;
}

void conn_throw_away(struct conn *conn)
{
        uint8_t waste[CONN_READ_ROOM];
        ssize_t got = read(conn->fd, waste, sizeof(waste));
        bool broken = got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;

        conn->lingered += got > 0 ? (uint64_t)got : 0;
        if (got == 0 || broken || has_had_its_time(conn) || (!conn->refused && !has_bytes_on_their_way(conn)))
                conn_close(conn);
}
