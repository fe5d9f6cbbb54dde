/* The story (README.md) as hiredis tells it. */
#include <hiredis/hiredis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STUDENT "{\"first_name\":\"Ágústína\",\"last_name\":\"Byron\",\"birth_date\":\"2012-03-04\",\"gender\":\"F\"}"
#define ALLERGY                                                                                                        \
        "[{\"id\":\"a1\",\"code\":\"91935009\",\"system\":\"SNOMED-CT\",\"display\":\"Allergy to peanuts\","           \
        "\"type\":\"allergy\",\"category\":\"food\",\"severity\":\"SEVERE\",\"status\":\"active\","                    \
        "\"onset\":\"2015-09-01\"}]"

static redisContext *server;
static const char *student;

/* One command of words; the reply is the caller's to free. Ends the program when the connection is lost. */
static redisReply *ask(int count, const char **words)
{
        redisReply *reply = redisCommandArgv(server, count, words, NULL);

        if (reply == NULL) {
                (void)fprintf(stderr, "%s\n", server->errstr);
                exit(1);
        }
        return reply;
}

#define ASK(...) ask((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

static const char *key(const char *type)
{
        static char text[2][128];
        static int turn;

        turn = !turn;
        (void)snprintf(text[turn], sizeof(text[turn]), "%s:%s", type, student);
        return text[turn];
}

static void tell(const char *what, redisReply *reply)
{
        if (reply->type == REDIS_REPLY_NIL)
                printf("%s nil\n", what);
        else if (reply->type == REDIS_REPLY_ERROR)
                printf("%s %.*s\n", what, (int)strcspn(reply->str, " "), reply->str);
        else
                printf("%s %s\n", what, reply->str);
        freeReplyObject(reply);
}

/* Prints the text members `names` of a JSON reply. */
static void tell_members(const char *what, redisReply *reply, const char *const *names)
{
        printf("%s", what);
        for (; *names != NULL; names++) {
                char mark[64];
                const char *at;

                (void)snprintf(mark, sizeof(mark), "\"%s\":\"", *names);
                at = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, mark) : NULL;
                at = at == NULL ? "" : at + strlen(mark);
                printf(" %.*s", (int)strcspn(at, "\""), at);
        }
        printf("\n");
        freeReplyObject(reply);
}

static void tell_kinds(const char *what, redisReply *reply)
{
        printf("%s", what);
        for (size_t i = 0; i < reply->elements; i++)
                printf(" %s", reply->element[i]->type == REDIS_REPLY_NIL ? "nil" : "value");
        printf("\n");
        freeReplyObject(reply);
}

static int pipelined_reads(int count)
{
        int good = 0;

        for (int i = 0; i < count; i++)
                (void)redisAppendCommand(server, "GET %s", key("allergies"));
        for (int i = 0; i < count; i++) {
                redisReply *reply = NULL;

                if (redisGetReply(server, (void **)&reply) != REDIS_OK)
                        return good;
                good += reply->type == REDIS_REPLY_STRING && strstr(reply->str, "peanuts") != NULL;
                freeReplyObject(reply);
        }
        return good;
}

static void write_and_read_back(void)
{
        redisReply *token;

        freeReplyObject(ASK("PUT", key("student"), STUDENT, "IF", "NEW"));
        token = ASK("PUT", key("allergies"), ALLERGY, "IF", "NEW");
        tell_members("allergies", ASK("GET", key("allergies"), "AFTER", token->str),
                (const char *const[]){"display", "severity", NULL});
        freeReplyObject(token);
}

int main(int argc, char **argv)
{
        if (argc < 3)
                return 2;
        server = redisConnect("127.0.0.1", (int)strtol(argv[1], NULL, 10));
        student = argv[2];
        if (server == NULL || server->err != 0)
                return 1;
        tell("ping", ASK("PING"));
        write_and_read_back();
        tell("nothing", ASK("GET", key("conditions")));
        tell("unknown", ASK("GET", "allergies:nobody"));
        tell("error", ASK("GET", "nonsense:1"));
        tell_kinds("mget", ASK("MGET", key("student"), key("allergies"), "student:nobody"));
        tell("del", ASK("DEL", key("allergies")));
        tell("conflict", ASK("PUT", key("allergies"), "[]", "IF", "NEW"));
        printf("pipeline %d\n", pipelined_reads(100));
        tell_members("name", ASK("GET", key("student")), (const char *const[]){"first_name", NULL});
        freeReplyObject(ASK("ERASE", "STUDENT", student));
        tell("erased", ASK("GET", key("allergies")));
        redisFree(server);
        return 0;
}
