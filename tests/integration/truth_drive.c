/* A node without anything but its provider of truth, driven line by line by truth_postgres_test.py: it follows a real
 * PostgreSQL, and keeps stamps of entries as if it had read their data.
 *
 *      truth_drive DSN NODE auto|on|off LIFE_MS CHECK   (heartbeats; entries' longest life; 1: definitions are checked)
 *
 *      keep NAME TAG...        reads epoch and snapshot now, as a fill does: "epoch as_of"
 *      fresh NAME BOUND_MS     the verdict on it for a read invoked now
 *      touch TAG...            INVALIDATE: the token, or "!" and why not
 *      begin TAG...            the same, but "begun" at once; `end` waits for its outcome
 *      end
 *      state                   "condition epoch position heartbeats troubles sqlstate"
 *      trouble                 the first one: "table|relation|problem", or "-"
 *      counter NAME
 *      proved BOUND_MS         whether a fill of this moment would need no heartbeat of its own
 *      checked TABLE...        the definitions were checked, and these tables are not covered
 *      round                   the last check that was asked for */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "database/pg_snapshot.h"
#include "database/tag.h"
#include "invalidation/token.h"
#include "invalidation/truth_postgres.h"
#include "monitoring/counters.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 32, TAGS_MAX = 2000, LINE_MAX_BYTES = 1 << 16, DEF = 1 };

struct kept {
        char name[32];
        struct stamp stamp;
        uint32_t slots[STAMP_TAGS_MAX];
};

static struct freshness *freshness;
static struct truth_postgres *truth;
static struct kept entries[NAMES_MAX];
static unsigned entry_count;
static struct tag tags[TAGS_MAX];
static PGconn *reader;
static struct source_write invalidation;
static sem_t invalidated;
static _Atomic uint64_t round_asked;

static _Noreturn void fail(const char *what)
{
        (void)fprintf(stderr, "truth_drive: %s\n", what);
        exit(1);
}

/* The words of the rest of a line as tags. */
static size_t read_tags(char **rest)
{
        struct err_msg msg;
        size_t count = 0;

        for (char *word; (word = strtok_r(NULL, " ", rest)) != NULL && count < TAGS_MAX; count++) {
                if (tag_parse(slice_str(word), SLICE_EMPTY, &tags[count], &msg) != OK)
                        fail("not a tag");
        }
        return count;
}

static struct kept *find(const char *name)
{
        for (unsigned i = 0; i < entry_count; i++) {
                if (strcmp(entries[i].name, name) == 0)
                        return &entries[i];
        }
        if (entry_count == NAMES_MAX)
                fail("too many names");
        (void)snprintf(entries[entry_count].name, sizeof(entries[0].name), "%s", name);
        return &entries[entry_count++];
}

/* Over a connection that a restart of the server may have broken. */
static PGresult *ask_here(void)
{
        static const char sql[] = "SELECT snapshot, coalesce(epoch, 0) FROM vitalcache.vc_here()";
        PGresult *here = PQexec(reader, sql);

        if (PQresultStatus(here) == PGRES_TUPLES_OK)
                return here;
        PQclear(here);
        PQreset(reader);
        return PQexec(reader, sql);
}

static void keep(char **rest)
{
        struct kept *e = find(strtok_r(NULL, " ", rest));
        const size_t count = read_tags(rest);
        PGresult *here = ask_here();
        struct snapshot snapshot;

        if (PQresultStatus(here) != PGRES_TUPLES_OK || !pg_snapshot_read(slice_str(PQgetvalue(here, 0, 0)), &snapshot))
                fail("no snapshot");
        for (size_t i = 0; i < count; i++)
                e->slots[i] = freshness_slot_of(freshness, tag_hash(&tags[i], freshness_tag_seed(freshness)));
        e->stamp = (struct stamp){.epoch = strtoull(PQgetvalue(here, 0, 1), NULL, 10), .def = DEF};
        e->stamp.as_of = freshness_as_of(freshness, e->stamp.epoch, &snapshot);
        e->stamp.expires = NANOS_NEVER;
        e->stamp.tags = e->slots;
        e->stamp.tag_count = (uint32_t)count;
        printf("%" PRIu64 " %" PRIu64 "\n", e->stamp.epoch, e->stamp.as_of.n);
        PQclear(here);
}

static struct nanos bound_of(char **rest)
{
        return nanos_ms(strtoll(strtok_r(NULL, " ", rest), NULL, 10));
}

static void is_fresh(char **rest)
{
        const struct kept *e = find(strtok_r(NULL, " ", rest));
        const struct nanos bound = bound_of(rest);

        printf("%s\n", verdict_name(freshness_check(freshness, &e->stamp, DEF, bound, clock_boot())));
}

static void on_invalidated(struct source_write *write)
{
        (void)write;
        (void)sem_post(&invalidated);
}

static void begin_touch(char **rest)
{
        invalidation = (struct source_write){.kind = WRITE_TOUCH, .tags = tags, .done = on_invalidated};
        invalidation.tag_count = read_tags(rest);
        truth_postgres_touch(truth, &invalidation);
}

static void end_touch(void)
{
        struct token token;
        char text[TOKEN_TEXT_SIZE];

        while (sem_wait(&invalidated) != 0)
                ; /* interrupted by a signal */
        token = (struct token){invalidation.epoch, invalidation.position.n};
        if (invalidation.status == OK) {
                (void)token_format(&token, text);
                printf("%s %d\n", text, freshness_reached(freshness, token.epoch, token.n));
        } else {
                printf("! %s\n", invalidation.message.text);
        }
}

static void print_state(void)
{
        struct truth_state state;

        truth_postgres_state(truth, &state);
        printf("%s %" PRIu64 " %" PRIu64 " %d %u %s\n", truth_condition_name(state.condition), state.epoch,
                freshness_position(freshness).n, state.heartbeats, state.trouble_count, state.sqlstate);
}

static void print_trouble(void)
{
        struct truth_state state;

        truth_postgres_state(truth, &state);
        if (state.trouble_count == 0)
                printf("-\n");
        else
                printf("%s|%s|%s\n", state.troubles[0].table, state.troubles[0].relation, state.troubles[0].problem);
}

static void print_counter(char **rest)
{
        const char *name = strtok_r(NULL, " ", rest);

        for (unsigned i = 0; i < COUNTER_COUNT_; i++) {
                if (strcmp(counter_row((enum counter)i)->name, name) == 0)
                        printf("%" PRIu64 "\n", counter_read((enum counter)i));
        }
}

static void checked(char **rest)
{
        const char *tables[TAGS_MAX];
        size_t count = 0;

        for (char *word; (word = strtok_r(NULL, " ", rest)) != NULL && count < TAGS_MAX;)
                tables[count++] = word;
        truth_postgres_checked(truth, round_asked, tables, count);
        printf("ok\n");
}

static void obey(char *line)
{
        char *rest = NULL;
        const char *word = strtok_r(line, " ", &rest);

        if (strcmp(word, "keep") == 0) {
                keep(&rest);
        } else if (strcmp(word, "fresh") == 0) {
                is_fresh(&rest);
        } else if (strcmp(word, "touch") == 0) {
                begin_touch(&rest);
                end_touch();
        } else if (strcmp(word, "begin") == 0) {
                begin_touch(&rest);
                printf("begun\n");
        } else if (strcmp(word, "end") == 0) {
                end_touch();
        } else if (strcmp(word, "state") == 0) {
                print_state();
        } else if (strcmp(word, "trouble") == 0) {
                print_trouble();
        } else if (strcmp(word, "counter") == 0) {
                print_counter(&rest);
        } else if (strcmp(word, "proved") == 0) {
                printf("%d\n",
                        freshness_primary_proved(freshness, freshness_epoch(freshness), bound_of(&rest), clock_boot()));
        } else if (strcmp(word, "checked") == 0) {
                checked(&rest);
        } else if (strcmp(word, "round") == 0) {
                printf("%" PRIu64 "\n", (uint64_t)round_asked);
        } else {
                fail("unknown command");
        }
}

static void on_recheck(void *context, uint64_t round)
{
        (void)context;
        round_asked = round;
}

static enum truth_heartbeat heartbeat_of(const char *word)
{
        if (strcmp(word, "on") == 0)
                return TRUTH_HEARTBEAT_ON;
        return strcmp(word, "off") == 0 ? TRUTH_HEARTBEAT_OFF : TRUTH_HEARTBEAT_AUTO;
}

int main(int argc, char **argv)
{
        static char line[LINE_MAX_BYTES];
        struct pg_server server = {.name = "primary",
                .connect_timeout = nanos_ms(2000),
                .prepared = true,
                .prepared_max = 16,
                .statement_timeout = nanos_ms(2000),
                .session_settings = true};
        struct freshness_config polled = {.slots = 1 << 16, .polls_kept = 64, .tag_seed = 3};
        struct truth_postgres_config config = {.server = &server,
                .poll_interval = nanos_ms(20),
                .poll_timeout = nanos_ms(500),
                .write_timeout = nanos_ms(1500),
                .clean_interval = nanos_ms(50),
                .now = clock_boot,
                .recheck = on_recheck};
        struct loop_thread *thread;

        if (argc != 6)
                fail("usage: truth_drive DSN NODE HEARTBEAT LIFE_MS CHECK");
        server.dsn = argv[1];
        config.node = argv[2];
        config.heartbeat = heartbeat_of(argv[3]);
        config.longest_life = nanos_ms(strtoll(argv[4], NULL, 10));
        config.check_definitions = argv[5][0] == '1';
        config.seed = hash64(slice_str(argv[2]), 1) | 1;
        polled.heartbeats = config.heartbeat == TRUTH_HEARTBEAT_ON;
        (void)sem_init(&invalidated, 0, 0);
        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
        if (freshness_create(&freshness, &polled) != OK || loop_thread_create(&thread, "vc-postgres") != OK)
                fail("out of memory");
        config.freshness = freshness;
        config.thread = thread;
        if (truth_postgres_start(&truth, &config) != OK)
                fail("does not start");
        reader = PQconnectdb(argv[1]); /* its own, as a worker's */
        while (fgets(line, sizeof(line), stdin) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                obey(line);
                (void)fflush(stdout);
        }
        PQfinish(reader);
        truth_postgres_stop(&truth);
        loop_thread_destroy(&thread);
        freshness_destroy(&freshness);
        return 0;
}
