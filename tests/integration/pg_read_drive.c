/* pg_read_drive: the PostgreSQL source on an event loop, driven by lines, for tests/integration/pg_read_test.py.
 *
 *      pg_read_drive types=FILE dsn=DSN [replica=DSN]... [size=n] [batch=n] [timeout=ms] [prepared=0|1] [session=0|1]
 * stdin: one command a line, its fields parted by tabs
 *      fetch <flags> <key>...   one tick's reads. flags: p primary only, s strict (bound 0), k not if what the last
 *                               fetch of the key brought is still true, or -
 *      state <type> <uncacheable 0|1> <binary 0|1> <key type>
 *      heartbeat <0|1> | installed | write | touch | health
 * stdout: ready
 *      read <key> <status> <found|none|unmodified> <primary|proved|replica> <epoch> <snapshot> <lives, ns> <JSON>
 *           <message>
 *      end <round trips>        after the reads of a fetch; also after every other command
 * At the end of stdin it closes all. */
#include "base/mem.h"
#include "database/pg_snapshot.h"
#include "database/pg_source.h"
#include "database/value_json.h"
#include "monitoring/counters.h"
#include "tests/lib/test.h"

#include <event2/event.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INPUT_SIZE = 1 << 20, KEYS_MAX = 2000, REPLICAS = 2 };

struct drive {
        struct event_base *base;
        struct record_types *types;
        struct source *source;
        struct source_port *port;
        struct pg_server replicas[REPLICAS];
        struct pg_source_config config;
        struct pg_type_state states[RECORD_TYPES_MAX];
        const char *types_file;
        char *input;
        size_t used;
};

struct job {
        struct source_read read;
        struct fetch *fetch;
        char *key;
        struct source_known known;
};

struct fetch {
        uint32_t left;
        uint64_t exchanges;
};

/* What each key's last fetch brought, for the flag k. */
static struct {
        char *key;
        struct source_known known;
} memory[KEYS_MAX];
static size_t memory_count;

static struct nanos passed; /* more than by the clock */

static struct source_known *recall(const char *key)
{
        for (size_t i = 0; i < memory_count; i++)
                if (strcmp(memory[i].key, key) == 0)
                        return &memory[i].known;
        if (memory_count == KEYS_MAX)
                abort();
        memory[memory_count].key = vc_strdup(key);
        return &memory[memory_count++].known;
}

static void tell(const struct job *job)
{
        const struct source_read *read = &job->read;
        struct buf json;
        struct buf snapshot;

        buf_init(&json, 0);
        buf_init(&snapshot, 0);
        if (buf_len(&read->value) > 0 && value_to_json(buf_slice(&read->value), &json) != OK)
                abort();
        if (pg_snapshot_put(&snapshot, &read->snapshot) != OK)
                abort();
        printf("read\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%.*s\t%" PRId64 "\t%.*s\t%s\n", job->key, err_name(read->status),
                read->unmodified ? "unmodified"
                : read->found    ? "found"
                                 : "none",
                read->from_replica ? "replica"
                : read->beaten     ? "proved"
                                   : "primary",
                read->epoch, SLICE_ARG(buf_slice(&snapshot)), read->lives.ns, SLICE_ARG(buf_slice(&json)),
                read->status == OK ? "" : read->message.text);
        buf_deinit(&json);
        buf_deinit(&snapshot);
}

static void on_read(struct source_read *read)
{
        struct job *job = read->context;
        struct fetch *fetch = job->fetch;

        tell(job);
        if (read->status == OK)
                *recall(job->key) = (struct source_known){.epoch = read->epoch, .snapshot = read->snapshot};
        buf_deinit(&read->value);
        vc_free(job->key);
        vc_free(job);
        if (--fetch->left > 0)
                return;
        printf("end\t%" PRIu64 "\n", counter_read(COUNTER_pg_exchanges) - fetch->exchanges);
        vc_free(fetch);
}

static void add_read(struct drive *drive, const char *key, const char *flags, struct fetch *fetch, struct list *reads)
{
        struct job *job = vc_calloc(1, sizeof *job);
        struct err_msg msg = {""};

        if (job == NULL || (job->key = vc_strdup(key)) == NULL)
                abort();
        job->fetch = fetch;
        fetch->left++;
        buf_init(&job->read.value, 0);
        job->read.done = on_read;
        job->read.context = job;
        job->read.primary_only = strchr(flags, 'p') != NULL;
        job->read.bound = nanos_ms(strchr(flags, 's') == NULL ? 1000 : 0);
        job->known = *recall(key);
        job->read.known = strchr(flags, 'k') == NULL ? NULL : &job->known;
        job->read.status = record_key_parse(drive->types, slice_str(job->key), &job->read.type, &job->read.id, &msg);
        if (job->read.status == OK) {
                list_push_back(reads, &job->read.link);
                return;
        }
        job->read.message = msg;
        on_read(&job->read);
}

static void run_fetch(struct drive *drive, char *rest)
{
        struct fetch *fetch = vc_calloc(1, sizeof *fetch);
        const char *flags = strsep(&rest, "\t");
        struct list reads;
        char *key;

        if (fetch == NULL)
                abort();
        list_init(&reads);
        fetch->exchanges = counter_read(COUNTER_pg_exchanges);
        fetch->left = 1; /* ours, until all are added */
        while ((key = strsep(&rest, "\t")) != NULL)
                add_read(drive, key, flags, fetch, &reads);
        fetch->left--;
        if (list_empty(&reads)) {
                printf("end\t0\n");
                vc_free(fetch);
                return;
        }
        source_fetch_many(drive->port, &reads);
}

static void set_state(struct drive *drive, char *rest)
{
        const struct record_type *type = record_types_find(drive->types, slice_str(strsep(&rest, "\t")));
        struct pg_type_state *state = &drive->states[type->index];

        state->uncacheable = *strsep(&rest, "\t") == '1';
        state->binary_results = *strsep(&rest, "\t") == '1';
        state->key_type = (uint32_t)strtoul(rest, NULL, 10);
        pg_source_set_states(drive->source, drive->states, record_types_count(drive->types));
}

static void on_written(struct source_write *write)
{
        printf("written\t%s\t%s\n", err_name(write->status), write->message.text);
}

static void write_something(struct drive *drive, enum source_write_kind kind)
{
        struct source_write write = {.kind = kind, .done = on_written};

        source_apply(drive->source, &write);
}

static void tell_health(struct drive *drive)
{
        struct source_health health;
        struct err_msg msg = {""};

        if (drive->source->ops->health(drive->source, false, &health, &msg) != OK)
                abort();
        printf("health\t%d\t%s\n", health.ok, health.problem == NULL ? "" : health.problem);
}

static void obey(struct drive *drive, char *line)
{
        char *rest = line;
        const char *command = strsep(&rest, "\t");

        if (strcmp(command, "fetch") == 0) {
                run_fetch(drive, rest);
                return;
        }
        if (strcmp(command, "state") == 0)
                set_state(drive, rest);
        else if (strcmp(command, "heartbeat") == 0)
                pg_source_set_heartbeat(drive->source, *rest == '1');
        else if (strcmp(command, "installed") == 0)
                pg_source_installed(drive->source);
        else if (strcmp(command, "health") == 0)
                tell_health(drive);
        else if (strcmp(command, "later") == 0)
                passed = nanos_add(passed, nanos_ms(strtol(rest, NULL, 10)));
        else
                write_something(drive, strcmp(command, "touch") == 0 ? WRITE_TOUCH : WRITE_PUT);
        printf("end\t0\n");
}

static void on_input(evutil_socket_t fd, short what, void *argument)
{
        struct drive *drive = argument;
        ssize_t got = read(fd, drive->input + drive->used, INPUT_SIZE - drive->used);
        char *end;

        (void)what;
        if (got <= 0) {
                event_base_loopbreak(drive->base);
                return;
        }
        drive->used += (size_t)got;
        while ((end = memchr(drive->input, '\n', drive->used)) != NULL) {
                size_t length = (size_t)(end - drive->input) + 1;

                *end = '\0';
                obey(drive, drive->input);
                drive->used -= length;
                memmove(drive->input, drive->input + length, drive->used);
        }
}

/* ---- start ---- */

static struct nanos now(void)
{
        return nanos_add(clock_boot(), passed);
}

static void touch(void *context, struct source_write *write)
{
        (void)context;
        write->status = OK;
        write->done(write);
}

static void set(struct drive *drive, const char *name, const char *value)
{
        struct pg_source_config *config = &drive->config;

        if (strcmp(name, "types") == 0)
                drive->types_file = value;
        else if (strcmp(name, "dsn") == 0)
                config->primary.dsn = value;
        else if (strcmp(name, "replica") == 0 && config->replica_count < REPLICAS)
                drive->replicas[config->replica_count++].dsn = value;
        else if (strcmp(name, "size") == 0)
                config->pool_size = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "batch") == 0)
                config->batch_max = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "timeout") == 0)
                config->read_timeout = nanos_ms(strtol(value, NULL, 10));
        else if (strcmp(name, "prepared") == 0)
                config->primary.prepared = *value == '1';
        else if (strcmp(name, "session") == 0)
                config->primary.session_settings = *value == '1';
        else
                abort();
}

static void open_all(struct drive *drive)
{
        struct err_msg msg = {""};

        for (int i = 0; i < REPLICAS; i++) {
                const char *dsn = drive->replicas[i].dsn;

                drive->replicas[i] = drive->config.primary;
                drive->replicas[i].dsn = dsn;
                drive->replicas[i].name = "replica";
        }
        drive->base = event_base_new();
        if (drive->base == NULL || record_types_load(&drive->types, &drive->types_file, 1, &msg) != OK ||
                record_types_check_postgres(drive->types, &msg) != OK) {
                fprintf(stderr, "%s\n", msg.text);
                abort();
        }
        drive->config.types = drive->types;
        if (pg_source_open(&drive->source, &drive->config, &msg) != OK ||
                drive->source->ops->open_port(drive->source, drive->base, &drive->port) != OK)
                abort();
}

int main(int argc, char **argv)
{
        static struct drive drive;
        struct event *input;

        drive.config = (struct pg_source_config){
                .primary = {"primary", "", nanos_ms(5000), nanos_ms(5000), NULL, true, 64, true},
                .replicas = drive.replicas,
                .pool_size = 2,
                .batch_max = PG_BATCH_READS_MAX,
                .acquire_timeout = nanos_ms(5000),
                .read_timeout = nanos_ms(20000),
                .node = "test:1",
                .clock = now,
                .touch = touch};
        for (int i = 1; i < argc; i++) {
                char *value = argv[i];
                const char *name = strsep(&value, "=");

                set(&drive, name, value);
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        drive.input = vc_malloc(INPUT_SIZE);
        open_all(&drive);
        input = event_new(drive.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &drive);
        event_add(input, NULL);
        printf("ready\n");
        event_base_dispatch(drive.base);
        drive.source->ops->close_port(&drive.port);
        drive.source->ops->close(&drive.source);
        record_types_destroy(&drive.types);
        for (size_t i = 0; i < memory_count; i++)
                vc_free(memory[i].key);
        vc_free(drive.input);
        event_free(input);
        event_base_free(drive.base);
        return 0;
}
