#include "cli/conn.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/uio.h>

struct conn {
        redisContext *redis;
        char name[128]; /* the address, for messages */
};

static enum err check_context(struct conn *conn, struct err_msg *msg)
{
        if (conn->redis == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        if (conn->redis->err != 0)
                return err_set(msg, ERR_UNAVAILABLE, "cannot reach a server at %s: %s; is vitalcached running there?",
                        conn->name, conn->redis->errstr);
        return OK;
}

enum err conn_open(struct conn **out, const struct conn_address *address, struct err_msg *msg)
{
        const struct timeval patience = {.tv_sec = 5, .tv_usec = 0};
        struct conn *conn = vc_calloc(1, sizeof(*conn));
        enum err rc;

        *out = NULL;
        if (conn == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        if (address->socket != NULL) {
                (void)snprintf(conn->name, sizeof(conn->name), "%s", address->socket);
                conn->redis = redisConnectUnixWithTimeout(address->socket, patience);
        } else {
                (void)snprintf(conn->name, sizeof(conn->name), "%s:%u", address->host, address->port);
                conn->redis = redisConnectWithTimeout(address->host, address->port, patience);
        }
        rc = check_context(conn, msg);
        if (rc == OK)
                *out = conn;
        else
                conn_close(&conn);
        return rc;
}

void conn_close(struct conn **conn)
{
        if (*conn == NULL)
                return;
        if ((*conn)->redis != NULL)
                redisFree((*conn)->redis);
        vc_free(*conn);
        *conn = NULL;
}

enum err conn_add(struct conn_command *command, struct slice word)
{
        if (command->count == CONN_WORDS_MAX)
                return ERR_LIMIT;
        command->words[command->count] = word.data == NULL ? "" : (const char *)word.data;
        command->lengths[command->count] = word.len;
        command->count++;
        return OK;
}

enum err conn_send(struct conn *conn, const struct conn_command *command)
{
        const char **words =
                (const char **)(uintptr_t)command->words; /* hiredis takes no const array, and changes none */

        return redisAppendCommandArgv(conn->redis, command->count, words, command->lengths) == REDIS_OK ? OK
                                                                                                        : ERR_NOMEM;
}

static enum err broke(const struct conn *conn, struct err_msg *msg)
{
        return err_set(msg, ERR_UNAVAILABLE, "the connection to %s broke: %s", conn->name,
                conn->redis->err != 0 ? conn->redis->errstr : strerror(errno));
}

static enum err flush(struct conn *conn, struct err_msg *msg)
{
        int done = 0;

        while (done == 0)
                if (redisBufferWrite(conn->redis, &done) != REDIS_OK)
                        return broke(conn, msg);
        return OK;
}

/* Takes `len` bytes off the front of the pieces; returns how many pieces are left. */
static size_t advance(struct iovec *pieces, size_t count, size_t len)
{
        size_t gone = 0;

        while (gone < count && len >= pieces[gone].iov_len)
                len -= pieces[gone++].iov_len;
        memmove(pieces, pieces + gone, (count - gone) * sizeof(*pieces));
        if (count > gone) {
                pieces[0].iov_base = (char *)pieces[0].iov_base + len;
                pieces[0].iov_len -= len;
        }
        return count - gone;
}

enum err conn_write(struct conn *conn, const struct slice *pieces, size_t count, struct err_msg *msg)
{
        struct iovec left[CONN_PIECES_MAX];
        enum err rc = flush(conn, msg);

        VC_ASSERT(count <= CONN_PIECES_MAX);
        for (size_t i = 0; i < count; i++)
                left[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].data, .iov_len = pieces[i].len};
        while (rc == OK && count > 0) {
                ssize_t wrote = writev(conn->redis->fd, left, (int)count);

                if (wrote < 0 && errno != EINTR)
                        return broke(conn, msg);
                if (wrote > 0)
                        count = advance(left, count, (size_t)wrote);
        }
        return rc;
}

enum err conn_receive(struct conn *conn, redisReply **reply, struct err_msg *msg)
{
        void *received = NULL;

        *reply = NULL;
        if (redisGetReply(conn->redis, &received) != REDIS_OK || received == NULL)
                return broke(conn, msg);
        *reply = received;
        return OK;
}

enum err conn_call(struct conn *conn, const struct conn_command *command, redisReply **reply, struct err_msg *msg)
{
        enum err rc = conn_send(conn, command);

        *reply = NULL;
        return rc == OK ? conn_receive(conn, reply, msg) : err_set(msg, rc, "out of memory");
}
