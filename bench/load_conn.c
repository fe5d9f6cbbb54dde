#include "bench/load_conn.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1 << 18 };

struct load_conn {
        struct load_conn_config config;
        int fd;
        struct replies replies;
        struct nanos *since; /* a ring of `depth`, the oldest request under way at `first` */
        uint32_t first;
        uint32_t under_way; /* in the ring */
        uint8_t *out;       /* room for `depth` requests */
        size_t out_len;
        size_t sent;
};

static enum err connect_to(struct load_conn *conn, struct err_msg *msg)
{
        const struct sockaddr_in there = {
                .sin_family = AF_INET, .sin_port = htons(conn->config.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int on = 1;

        conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (conn->fd < 0)
                return err_errno(msg, ERR_IO, errno, "cannot make a socket");
        if (connect(conn->fd, (const struct sockaddr *)&there, sizeof(there)) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot connect");
        if (setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
                fcntl(conn->fd, F_SETFL, O_NONBLOCK) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot set the socket up");
        return OK;
}

enum err load_conn_open(struct load_conn **out, const struct load_conn_config *config, struct err_msg *msg)
{
        struct load_conn *conn = vc_calloc(1, sizeof(*conn));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (conn == NULL)
                return rc;
        conn->config = *config;
        conn->fd = -1;
        conn->since = vc_malloc(config->depth * sizeof(*conn->since));
        conn->out = vc_malloc(config->depth * requests_size(config->requests));
        replies_init(&conn->replies, requests_protocol(config->requests), config->value_size);
        if (conn->since != NULL && conn->out != NULL)
                rc = connect_to(conn, msg);
        if (rc != OK)
                load_conn_close(&conn);
        *out = conn;
        return rc;
}

void load_conn_close(struct load_conn **out)
{
        struct load_conn *conn = *out;

        *out = NULL;
        if (conn == NULL)
                return;
        if (conn->fd >= 0)
                close(conn->fd);
        vc_free(conn->since);
        vc_free(conn->out);
        vc_free(conn);
}

int load_conn_fd(const struct load_conn *conn)
{
        return conn->fd;
}

const struct replies *load_conn_replies(const struct load_conn *conn)
{
        return &conn->replies;
}

uint32_t load_conn_under_way(const struct load_conn *conn)
{
        return conn->under_way;
}

void load_conn_add(struct load_conn *conn, const uint32_t *keys, struct nanos since)
{
        const size_t size = requests_size(conn->config.requests);

        VC_ASSERT(conn->under_way < conn->config.depth);
        if (conn->out_len + size > conn->config.depth * size) { /* what has been sent makes room */
                memmove(conn->out, conn->out + conn->sent, conn->out_len - conn->sent);
                conn->out_len -= conn->sent;
                conn->sent = 0;
        }
        requests_write(conn->config.requests, keys, conn->out + conn->out_len);
        conn->out_len += size;
        conn->since[(conn->first + conn->under_way++) % conn->config.depth] = since;
}

enum err load_conn_send(struct load_conn *conn, bool *blocked)
{
        ssize_t n = 0;

        *blocked = false;
        while (conn->sent < conn->out_len && n >= 0) {
                n = send(conn->fd, conn->out + conn->sent, conn->out_len - conn->sent, MSG_NOSIGNAL);
                if (n > 0)
                        conn->sent += (size_t)n;
        }
        if (n < 0 && errno != EAGAIN)
                return ERR_IO;
        *blocked = n < 0;
        if (conn->sent == conn->out_len)
                conn->sent = conn->out_len = 0;
        return OK;
}

enum err load_conn_read(struct load_conn *conn, uint32_t *answered, struct err_msg *msg)
{
        static uint8_t bytes[READ_AT_ONCE];
        const ssize_t n = recv(conn->fd, bytes, sizeof(bytes), 0);

        *answered = 0;
        if (n < 0 && errno == EAGAIN)
                return OK;
        if (n < 0)
                return err_errno(msg, ERR_IO, errno, "reading failed");
        if (n == 0)
                return err_set(msg, ERR_IO, "the server has closed the connection");
        *answered = (uint32_t)replies_feed(&conn->replies, slice_of(bytes, (size_t)n));
        if (conn->replies.damaged || *answered > conn->under_way)
                return err_set(msg, ERR_IO, "what the server sends is no reply to what was asked");
        return OK;
}

struct nanos load_conn_take(struct load_conn *conn)
{
        const struct nanos since = conn->since[conn->first];

        VC_ASSERT(conn->under_way > 0);
        conn->first = (conn->first + 1) % conn->config.depth;
        conn->under_way--;
        return since;
}
