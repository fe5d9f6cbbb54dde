#include "cli/conn.h"

#include "base/mem.h"

#include <stdio.h>
#include <sys/time.h>

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

enum err conn_receive(struct conn *conn, redisReply **reply, struct err_msg *msg)
{
        void *received = NULL;

        *reply = NULL;
        if (redisGetReply(conn->redis, &received) != REDIS_OK || received == NULL)
                return err_set(msg, ERR_UNAVAILABLE, "the connection to %s broke: %s", conn->name, conn->redis->errstr);
        *reply = received;
        return OK;
}

enum err conn_call(struct conn *conn, const struct conn_command *command, redisReply **reply, struct err_msg *msg)
{
        enum err rc = conn_send(conn, command);

        *reply = NULL;
        return rc == OK ? conn_receive(conn, reply, msg) : err_set(msg, rc, "out of memory");
}
