/* fault_driver: writers through SQL, readers through vitalcached, and a judgement of every reply.
 *
 *      fault_driver --node 127.0.0.1:7379 --writer DSN --admin DSN --keys 200 ... (the options: option_names below)
 *
 * Writers change the students 1 to --keys in tables students (id), allergies (student_id, n, version) and conditions
 * (student_id, version); each transaction writes all rows of a student with one new version. Readers ask for
 * allergies, conditions, student, summary and strict (allergies with B = 0).
 *
 * It prints `ready` when it knows what the database holds, takes commands from stdin, one a line, and answers each with
 * `ok`, or `error` and why:
 *
 *      await <reads> <seconds> so many more values have been read and so many seconds have passed; `ok <values>`
 *      counts                  `ok <values> <unavailable> <others> <commits> <unknown>`
 *      stopped / continued     the nodes stand still from here / to here
 *      crash                   from now on the database may lose what it has acknowledged
 *      freeze / thaw           writers stop between two transactions / go on
 *      reread                  (frozen) what the database holds now is what was written
 *      mode <writer|*> <before>|<after>|<commit>       how transactions are made; `bulk ` before it: many keys, by COPY
 *      finish                  stops, judges, prints the report and ends
 */
#include "tests/faults/driver.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 2048, AWAIT_MAX_S = 600 };

struct driver {
        struct driver_options options;
        struct shared shared;
        struct writer writers[WRITERS_MAX];
        struct reader readers[READERS_MAX];
        struct checker *checker;
        int64_t stopped_at;
};

int64_t driver_now(void)
{
        return clock_boot().ns;
}

_Noreturn void driver_fail(const char *what, const char *detail)
{
        (void)fprintf(stderr, "fault_driver: %s: %s\n", what, detail);
        exit(1);
}

void driver_pause(long ms)
{
        if (ms > 0)
                (void)poll(NULL, 0, (int)ms);
}

/* ---- commands ---- */

static void await_values(struct driver *d, const char *words)
{
        struct shared *s = &d->shared;
        uint64_t from = atomic_load(&s->values), wanted = 0;
        int64_t began = driver_now();
        double seconds = 0;

        if (sscanf(words, "%" SCNu64 " %lf", &wanted, &seconds) != 2) {
                puts("error await <reads> <seconds>");
                return;
        }
        while (driver_now() - began < (int64_t)(seconds * 1e9) || atomic_load(&s->values) - from < wanted) {
                if (driver_now() - began > (AWAIT_MAX_S + (int64_t)seconds) * NANOS_PER_S) {
                        printf("error only %" PRIu64 " values\n", atomic_load(&s->values) - from);
                        return;
                }
                driver_pause(2);
        }
        printf("ok %" PRIu64 "\n", atomic_load(&s->values) - from);
}

static void freeze(struct driver *d)
{
        atomic_store(&d->shared.frozen, true);
        while (atomic_load(&d->shared.idle) < d->options.writers)
                driver_pause(1);
        atomic_store(&d->shared.crash_at, driver_now());
        puts("ok");
}

static void reread_all(struct driver *d)
{
        struct shared *s = &d->shared;
        unsigned done = atomic_load(&s->reread_done) + d->options.writers;

        if (!atomic_load(&s->frozen)) {
                puts("error not frozen");
                return;
        }
        atomic_fetch_add(&s->reread, 1);
        while (atomic_load(&s->reread_done) < done)
                driver_pause(1);
        puts("ok");
}

static bool cut_word(char **text, char end, char *out)
{
        char *stop = strchr(*text, end);
        size_t len = stop == NULL ? strlen(*text) : (size_t)(stop - *text);

        if (len >= SQL_MAX)
                return false;
        memcpy(out, *text, len);
        out[len] = 0;
        *text += len + (stop != NULL);
        return true;
}

static void set_mode(struct driver *d, char *words)
{
        struct write_mode mode = {.bulk = false};
        char whose[SQL_MAX];

        if (strncmp(words, "bulk ", 5) == 0) {
                mode.bulk = true;
                words += 5;
        }
        if (!cut_word(&words, ' ', whose) || !cut_word(&words, '|', mode.before) ||
                !cut_word(&words, '|', mode.after) || !cut_word(&words, '|', mode.commit) || mode.commit[0] == 0) {
                puts("error mode <writer|*> <before>|<after>|<commit>");
                return;
        }
        (void)pthread_mutex_lock(&d->shared.lock);
        for (unsigned i = 0; i < d->options.writers; i++) {
                if (whose[0] == '*' || strtoul(whose, NULL, 10) == i)
                        d->shared.modes[i] = mode;
        }
        (void)pthread_mutex_unlock(&d->shared.lock);
        puts("ok");
}

static void print_counts(const struct shared *s)
{
        printf("ok %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", atomic_load(&s->values),
                atomic_load(&s->unavailable), atomic_load(&s->others), atomic_load(&s->commits),
                atomic_load(&s->unknowns));
}

static void note_time(struct driver *d, const char *what)
{
        if (strcmp(what, "crash") == 0)
                atomic_store(&d->shared.crash_at, driver_now());
        else if (strcmp(what, "stopped") == 0)
                d->stopped_at = driver_now();
        else if (!checker_pause(d->checker, d->stopped_at, driver_now()))
                driver_fail("no memory", what);
        puts("ok");
}

/* False: that was the last one. */
static bool run_line(struct driver *d, char *line)
{
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "finish") == 0)
                return false;
        if (strncmp(line, "await ", 6) == 0)
                await_values(d, line + 6);
        else if (strcmp(line, "counts") == 0)
                print_counts(&d->shared);
        else if (strcmp(line, "freeze") == 0)
                freeze(d);
        else if (strcmp(line, "reread") == 0)
                reread_all(d);
        else if (strncmp(line, "mode ", 5) == 0)
                set_mode(d, line + 5);
        else if (strcmp(line, "crash") == 0 || strcmp(line, "stopped") == 0 || strcmp(line, "continued") == 0)
                note_time(d, line);
        else if (strcmp(line, "thaw") == 0)
                puts(atomic_exchange(&d->shared.frozen, false) ? "ok" : "error not frozen");
        else
                puts("error unknown command");
        (void)fflush(stdout);
        return true;
}

/* ---- options ---- */

static const struct option option_names[] = {
        {"node", required_argument, NULL, 'n'},        /* host:port; may be given again */
        {"writer", required_argument, NULL, 'w'},      /* DSN of writers; may be given again: dealt out to them */
        {"admin", required_argument, NULL, 'a'},       /* DSN that no fault is made on */
        {"keys", required_argument, NULL, 'k'},        /* students */
        {"missing", required_argument, NULL, 'm'},     /* and those that never are */
        {"writers", required_argument, NULL, 'W'},     /* threads */
        {"readers", required_argument, NULL, 'R'},     /* threads */
        {"pipeline", required_argument, NULL, 'p'},    /* reads sent at once */
        {"write-pause", required_argument, NULL, 's'}, /* ms */
        {"read-pause", required_argument, NULL, 'r'},  /* ms */
        {"bound", required_argument, NULL, 'b'},       /* ms, of all types but strict */
        {"deadline", required_argument, NULL, 'd'},    /* ms */
        {"strict", required_argument, NULL, 'S'},      /* percent of the reads */
        {"tokens", required_argument, NULL, 'T'},      /* percent of the reads */
        {"lossy", no_argument, NULL, 'l'},             /* commits may be lost */
        {"seed", required_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
};

static long number(const char *text, long min, long max)
{
        char *end;
        long value = strtol(text, &end, 10);

        if (end == text || *end != 0 || value < min || value > max)
                driver_fail("not a number that can be", text);
        return value;
}

static bool set_list(struct driver_options *o, int name)
{
        if (name == 'n' && o->node_count < NODES_MAX)
                o->nodes[o->node_count++] = optarg;
        else if (name == 'w' && o->writer_dsn_count < WRITERS_MAX)
                o->writer_dsns[o->writer_dsn_count++] = optarg;
        else if (name == 'a')
                o->admin_dsn = optarg;
        else if (name == 'l')
                o->lossy = true;
        else
                return false;
        return true;
}

static bool set_number(struct driver_options *o, int name, uint64_t *seed)
{
        switch (name) {
        case 'k': o->keys = (uint32_t)number(optarg, WRITERS_MAX, 1000000); break;
        case 'm': o->missing = (uint32_t)number(optarg, 0, 1000000); break;
        case 'W': o->writers = (unsigned)number(optarg, 1, WRITERS_MAX); break;
        case 'R': o->readers = (unsigned)number(optarg, 1, READERS_MAX); break;
        case 'p': o->pipeline = (unsigned)number(optarg, 1, 64); break;
        case 's': o->write_pause_ms = number(optarg, 0, 100000); break;
        case 'r': o->read_pause_ms = number(optarg, 0, 100000); break;
        case 'b': o->bound = number(optarg, 0, 1000000) * NANOS_PER_MS; break;
        case 'd': o->deadline = number(optarg, 1, 1000000) * NANOS_PER_MS; break;
        case 'S': o->strict_percent = (unsigned)number(optarg, 0, 100); break;
        case 'T': o->token_percent = (unsigned)number(optarg, 0, 100); break;
        case 'e': *seed = (uint64_t)number(optarg, 0, INT32_MAX); break;
        default: return false;
        }
        return true;
}

static void parse_options(struct driver_options *o, uint64_t *seed, int argc, char **argv)
{
        int name;

        while ((name = getopt_long(argc, argv, "", option_names, NULL)) != -1) {
                if (!set_list(o, name) && !set_number(o, name, seed))
                        driver_fail("usage", "the options stand in tests/faults/driver.c");
        }
        if (optind < argc || o->node_count == 0 || o->writer_dsn_count == 0 || o->admin_dsn == NULL)
                driver_fail("usage", "--node, --writer and --admin are needed");
}

/* ---- the run ---- */

static void start(struct driver *d, uint64_t seed)
{
        struct shared *s = &d->shared;
        const struct driver_options *o = &d->options;

        s->options = o;
        (void)pthread_mutex_init(&s->lock, NULL);
        if (!checker_create(&d->checker, o->keys + o->missing + 1, o->deadline))
                driver_fail("no memory", "checker");
        for (unsigned i = 0; i < o->writers; i++) {
                s->modes[i] = (struct write_mode){"BEGIN", "SELECT vitalcache.vc_token()", "COMMIT", false};
                d->writers[i] = (struct writer){.shared = s, .number = i, .seed = random_next(&seed)};
                d->writers[i].last = vc_calloc(o->keys + 1, sizeof *d->writers[i].last);
                if (d->writers[i].last == NULL ||
                        pthread_create(&d->writers[i].thread, NULL, writer_run, &d->writers[i]) != 0)
                        driver_fail("cannot start", "a writer");
        }
        while (atomic_load(&s->reread_done) < o->writers)
                driver_pause(1);
        for (unsigned i = 0; i < o->readers; i++) {
                d->readers[i] = (struct reader){.shared = s, .number = i, .seed = random_next(&seed)};
                if (pthread_create(&d->readers[i].thread, NULL, reader_run, &d->readers[i]) != 0)
                        driver_fail("cannot start", "a reader");
        }
        puts("ready");
        (void)fflush(stdout);
}

static void stop(struct driver *d)
{
        atomic_store(&d->shared.stopping, true);
        for (unsigned i = 0; i < d->options.writers; i++)
                (void)pthread_join(d->writers[i].thread, NULL);
        for (unsigned i = 0; i < d->options.readers; i++)
                (void)pthread_join(d->readers[i].thread, NULL);
}

static void free_all(struct driver *d)
{
        for (unsigned i = 0; i < d->options.writers; i++) {
                vc_free(d->writers[i].steps);
                vc_free(d->writers[i].last);
        }
        for (unsigned i = 0; i < d->options.readers; i++) {
                while (d->readers[i].first != NULL) {
                        struct read_chunk *chunk = d->readers[i].first;

                        d->readers[i].first = chunk->next;
                        vc_free(chunk);
                }
        }
        checker_destroy(&d->checker);
        (void)pthread_mutex_destroy(&d->shared.lock);
}

int main(int argc, char **argv)
{
        static struct driver d = {.options = {.keys = 200,
                                          .missing = 10,
                                          .writers = 4,
                                          .readers = 4,
                                          .pipeline = 16,
                                          .write_pause_ms = 5,
                                          .bound = NANOS_PER_S,
                                          .deadline = 5 * NANOS_PER_S,
                                          .strict_percent = 2,
                                          .token_percent = 3}};
        char line[LINE_SIZE];
        uint64_t seed = 1;
        bool good;

        (void)signal(SIGPIPE, SIG_IGN);
        parse_options(&d.options, &seed, argc, argv);
        start(&d, seed);
        while (fgets(line, sizeof line, stdin) != NULL && run_line(&d, line))
                continue;
        stop(&d);
        good = driver_report(&d.shared, d.writers, d.readers, d.checker);
        free_all(&d);
        if (!good)
                driver_fail("no judgement", "no memory, or steps out of order");
        return 0;
}
