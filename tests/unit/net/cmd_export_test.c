#include "net/call.h"

#include "tests/lib/net_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void gives_some_at_a_time_and_says_where_to_go_on(void **state)
{
        struct net_case *s = *state;

        s->rig.stored = 5;
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits COUNT 2\r\n",
                "*2\r\n$8\r\n00000001\r\n$51\r\n"
                "[{\"student\":\"1\",\"id\":\"0\"},{\"student\":\"1\",\"id\":\"1\"}]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits FROM 00000001 COUNT 2\r\n",
                "*2\r\n$8\r\n00000003\r\n$51\r\n"
                "[{\"student\":\"1\",\"id\":\"2\"},{\"student\":\"1\",\"id\":\"3\"}]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits COUNT 2 FROM 00000003\r\n",
                "*2\r\n$-1\r\n$26\r\n[{\"student\":\"1\",\"id\":\"4\"}]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits FROM 00000004\r\n", "*2\r\n$-1\r\n$2\r\n[]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits COUNT 5 FROM 00000003\r\n",
                "*2\r\n$-1\r\n$26\r\n[{\"student\":\"1\",\"id\":\"4\"}]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT STUDENT 1 FROM 00000003\r\n",
                "*2\r\n$-1\r\n$51\r\n[{\"table\":\"visits\",\"row\":{\"student\":\"1\",\"id\":\"4\"}}]\r\n");
}

static void names_the_tables_students_first(void **state)
{
        struct net_case *s = *state;

        net_rig_dialogue(&s->rig, s->client, "EXPORT TABLES\r\n",
                "*6\r\n$8\r\nstudents\r\n$6\r\nmerges\r\n$9\r\nallergies\r\n$10\r\nconditions\r\n"
                "$12\r\nvaccinations\r\n$6\r\nvisits\r\n");
}

static void refuses_words_that_do_not_fit(void **state)
{
        static const char *const refused[] = {
                "EXPORT visits COUNT 0",
                "EXPORT visits COUNT 10001",
                "EXPORT visits COUNT many",
                "EXPORT visits FROM 0",
                "EXPORT visits FROM 0g",
                "EXPORT visits FROM 0G",
        };
        struct net_case *s = *state;

        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                char request[64];

                (void)snprintf(request, sizeof(request), "%s\r\n", refused[i]);
                net_rig_dialogue(&s->rig, s->client, request,
                        i < 3 ? "-BADARG COUNT is a number from 1 to 10000\r\n"
                              : "-BADARG a cursor is what the EXPORT before this one gave\r\n");
        }
        net_rig_dialogue(&s->rig, s->client, "EXPORT visits FROM\r\n",
                "-ERR word 3 does not fit: EXPORT table [FROM cursor] [COUNT n]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT STUDENT 1 TO 7\r\n",
                "-ERR word 4 does not fit: EXPORT STUDENT id [FROM cursor] [COUNT n]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT UNCONFIGURED visits\r\n",
                "-ERR word 3 does not fit: EXPORT UNCONFIGURED [FROM cursor] [COUNT n]\r\n");
        net_rig_dialogue(&s->rig, s->client, "EXPORT visit\r\n",
                "-NOTYPE there is no table \"visit\" (did you mean \"visits\"?)\r\n");
}

static void a_reply_is_bounded_by_its_bytes(void **state)
{
        enum { SIZE = 100000, FIT = 11 /* 1 MB of them, and the one that passes it */ };
        struct net_case *s = *state;
        char head[64];
        char *got;
        ssize_t n;

        s->rig.stored = 50;
        s->rig.row_size = SIZE;
        s->rig.services.limits.output = 4 << 20;
        close(s->client);
        s->client = net_rig_connect(&s->rig);
        net_rig_send(&s->rig, s->client, "EXPORT visits\r\n");
        got = calloc(1, 2 * SIZE);
        assert_non_null(got);
        n = read(s->client, got, SIZE);
        assert_true(n > 0);
        (void)snprintf(head, sizeof(head), "*2\r\n$8\r\n%08x\r\n", FIT - 1);
        assert_memory_equal(got, head, strlen(head));
        while (n > 0) {
                net_rig_settle(&s->rig);
                n = read(s->client, got, SIZE);
        }
        free(got);
}

static void a_connection_exports_once_at_a_time(void **state)
{
        struct net_case *s = *state;

        net_rig_dialogue(&s->rig, s->client, "EXPORT visits\r\nEXPORT allergies\r\nPING\r\n",
                "*2\r\n$-1\r\n$2\r\n[]\r\n*2\r\n$-1\r\n$2\r\n[]\r\n+PONG\r\n");
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, net_case_setup, net_case_teardown)
        const struct CMUnitTest tests[] = {
                WITH_RIG(gives_some_at_a_time_and_says_where_to_go_on),
                WITH_RIG(names_the_tables_students_first),
                WITH_RIG(refuses_words_that_do_not_fit),
                WITH_RIG(a_reply_is_bounded_by_its_bytes),
                WITH_RIG(a_connection_exports_once_at_a_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
