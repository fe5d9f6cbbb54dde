#include <hiredis/hiredis.h>

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
        const char *port = getenv("PORT");
        redisContext *server = redisConnect("127.0.0.1", port != NULL ? (int)strtol(port, NULL, 10) : 7379);
        redisReply *reply;

        if (server == NULL || server->err != 0)
                return 1;
        reply = redisCommand(server, "GET %s", "allergies:42");
        if (reply == NULL) {
                fprintf(stderr, "%s\n", server->errstr);
                return 1;
        }
        if (reply->type == REDIS_REPLY_NIL)
                puts("no such student");
        else if (reply->type == REDIS_REPLY_ERROR)
                fprintf(stderr, "cannot be known now: %s\n", reply->str);
        else
                puts(reply->str); /* [] means: a known student with nothing recorded */
        freeReplyObject(reply);
        redisFree(server);
        return 0;
}
