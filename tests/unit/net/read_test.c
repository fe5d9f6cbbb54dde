#include "net/read.h"

#include "base/log.h"
#include "database/tag.h"
#include "tests/lib/net_rig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TYPES_FILE VC_SOURCE_DIR "/conf/types/school-health.yaml"
#define ID         "Grete-Planted"
#define REASON     "ward round of Dr Planted"

struct state {
        struct net_rig rig;
        int client;
        int log[2]; /* a pipe: the end that is read, the end that is written */
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        assert_int_equal(pipe2(s->log, O_NONBLOCK), 0);
        log_set_fd(s->log[1]);
        net_rig_init(&s->rig, TYPES_FILE);
        s->client = net_rig_connect(&s->rig);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        close(s->client);
        net_rig_deinit(&s->rig);
        log_set_fd(STDERR_FILENO);
        close(s->log[0]);
        close(s->log[1]);
        free(s);
        return 0;
}

/* A value in L1 that is outdated, and a database that cannot say by what. */
static void outdate(struct state *s)
{
        const struct tag tag = {.kind = TAG_STUDENT_TABLE, .id = slice_str(ID), .table = slice_str("students")};
        uint64_t hash = tag_hash(&tag, freshness_tag_seed(s->rig.services.freshness));
        struct position next;

        (void)fake_source_write(s->rig.fake, ID, "old");
        net_rig_dialogue(&s->rig, s->client, "GET student:" ID "\r\n", "$5\r\n\"old\"\r\n");
        freshness_poison(s->rig.services.freshness, &hash, 1);
        next.n = fake_source_write(s->rig.fake, ID, "new");
        freshness_touch(s->rig.services.freshness, &hash, 1, next);
        fake_source_fail(s->rig.fake, ERR_IO);
}

static ssize_t read_log(const struct state *s, char *text, size_t size)
{
        ssize_t got = read(s->log[0], text, size - 1);

        text[got < 0 ? 0 : got] = '\0';
        return got;
}

static void what_is_served_stale_leaves_an_audit_line_without_names(void **state)
{
        struct state *s = *state;
        char text[4096];
        char client[32];
        const char *line;

        outdate(s);
        net_rig_send(&s->rig, s->client,
                "ACTOR nurse-Planted\r\nGET student:" ID " ALLOWSTALE \"" REASON "\"\r\n"
                "MGET student:" ID " ALLOWSTALE \"" REASON "\"\r\n");
        net_rig_settle(&s->rig);
        assert_true(read_log(s, text, sizeof(text)) > 0);
        (void)snprintf(client, sizeof(client), " client=%" PRIu64 "\n", (uint64_t)s->rig.services.next_client_id);
        line = strstr(text, " audit served stale type=student age_ms=");
        assert_non_null(line);
        assert_non_null(strstr(line, client));
        assert_non_null(strstr(line + 1, " audit served stale type=student age_ms=")); /* MGET's */
        assert_null(strstr(text, "Planted"));
}

static void what_is_served_fresh_leaves_none(void **state)
{
        struct state *s = *state;
        char text[4096];

        outdate(s);
        fake_source_fail(s->rig.fake, OK);
        net_rig_send(&s->rig, s->client, "GET student:" ID " ALLOWSTALE why\r\nGET student:" ID "\r\n");
        fake_source_fail(s->rig.fake, ERR_IO);
        net_rig_send(&s->rig, s->client, "GET student:nobody ALLOWSTALE why\r\n");
        assert_true(read_log(s, text, sizeof(text)) > 0);
        assert_null(strstr(text, "audit"));
        assert_non_null(strstr(text, " error database read failed error=IO\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        what_is_served_stale_leaves_an_audit_line_without_names, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_served_fresh_leaves_none, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
