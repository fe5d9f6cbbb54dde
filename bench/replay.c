/* Replays traces of keys through L1 itself, as a server without writers would: a read, and a fill where it missed. It
 * tells how often each policy has the right entry, by count and by bytes; nothing of it depends on the machine.
 *
 * usage: replay [--policy P,...] [--shards N,...] [--entries N,... | --percent N,... | --megabytes N,...]
 *               [--values BYTES|mixed] [--samples N] TRACE...
 *
 * A trace is a text of one decimal key per line, plain or gzip. --percent is of the trace's keys, or with --values
 * mixed of their bytes. One line for each policy, size and number of shards; the columns are named in the first.
 *
 * With --samples, which "auto" needs, more lines follow each: "late", the hits but for the first tenth of the trace;
 * and "whatif" for each size and each policy, what the sample of so many keys says: hits, byte hits, error. */
#include "base/hash.h"
#include "cache/l1.h"
#include "cache/whatif_report.h"

#include <zlib.h>

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        LIST_MAX = 16,
        VALUE_MIN = 50,
        VALUE_MAX = 1000000,
        LARGE = 100000, /* values of so many bytes have a column of their own */
        KEY_SIZE = 32
};

struct trace {
        const char *path;
        uint64_t *keys;
        size_t count;
        size_t unique;
        uint64_t unique_bytes; /* of the values of all keys together */
};

struct list_of_numbers {
        uint64_t items[LIST_MAX];
        size_t count;
};

enum size_kind { BY_ENTRIES, BY_PERCENT, BY_MEGABYTES };

struct plan {
        const char *policies[LIST_MAX];
        size_t policy_count;
        struct list_of_numbers shards;
        struct list_of_numbers sizes;
        enum size_kind size_kind;
        uint64_t value_size; /* 0: mixed */
        uint64_t samples;    /* 0: none */
};

/* What one run has counted. */
struct tally {
        uint64_t hits;
        uint64_t late_hits; /* but for the first tenth of the trace */
        uint64_t bytes;
        uint64_t hit_bytes;
        uint64_t large;
        uint64_t large_hits;
        uint64_t peak; /* bytes of memory by L1's own account */
};

static void die(const char *problem, const char *what)
{
        (void)fprintf(stderr, "replay: %s: %s\n", what, problem);
        exit(2);
}

static void *must(void *block)
{
        if (block == NULL)
                die("no memory", "allocation");
        return block;
}

/* ---- values ---- */

/* The same key always has the same size: many are small, few are large, all magnitudes occur (the cube of an even
 * number, between 50 B and 1 MB on a scale of magnitudes). */
static uint64_t mixed_size(uint64_t key)
{
        uint64_t state = key;
        double even = (double)(random_next(&state) >> 11) / (double)(UINT64_C(1) << 53);

        return (uint64_t)(VALUE_MIN * pow((double)VALUE_MAX / VALUE_MIN, even * even * even));
}

static uint64_t size_of_value(const struct plan *plan, uint64_t key)
{
        return plan->value_size > 0 ? plan->value_size : mixed_size(key);
}

/* ---- traces ---- */

static void trace_append(struct trace *t, uint64_t key, size_t *room)
{
        if (t->count == *room) {
                *room = *room == 0 ? 1 << 16 : *room * 2;
                t->keys = must(realloc(t->keys, *room * sizeof(*t->keys)));
        }
        t->keys[t->count++] = key;
}

static int compare_keys(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a;
        uint64_t y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

static void count_unique(struct trace *t, const struct plan *plan)
{
        uint64_t *sorted = must(malloc(t->count * sizeof(*sorted)));

        memcpy(sorted, t->keys, t->count * sizeof(*sorted));
        qsort(sorted, t->count, sizeof(*sorted), compare_keys);
        for (size_t i = 0; i < t->count; i++)
                if (i == 0 || sorted[i] != sorted[i - 1]) {
                        t->unique++;
                        t->unique_bytes += size_of_value(plan, sorted[i]);
                }
        free(sorted);
}

static struct trace trace_read(const char *path, const struct plan *plan)
{
        struct trace t = {.path = path};
        gzFile file = gzopen(path, "rb");
        size_t room = 0;
        char line[64];

        if (file == NULL)
                die("cannot be opened", path);
        while (gzgets(file, line, sizeof(line)) != NULL) {
                char *end;
                uint64_t key = strtoull(line, &end, 10);

                if (end == line || *end != '\n')
                        die("is not one decimal key per line", path);
                trace_append(&t, key, &room);
        }
        if (gzclose(file) != Z_OK || t.count == 0)
                die("cannot be read", path);
        count_unique(&t, plan);
        return t;
}

/* ---- a run ---- */

static struct slice key_text(uint64_t key, char *text)
{
        /* all of one length, so that equal values make equal entries */
        return slice_of(text, (size_t)snprintf(text, KEY_SIZE, "allergies:%012" PRIu64, key));
}

static void fill(struct l1 *l1, struct slice key, uint64_t size)
{
        static const char value[VALUE_MAX];
        const struct l1_view view = {
                .key = key, .value = slice_of(value, size), .found = true, .stamp = {.expires = NANOS_NEVER}};
        enum err rc = l1_put(l1, &view);

        if (rc != OK && rc != ERR_LIMIT)
                die(err_text(rc), "L1");
}

static void read_key(struct l1 *l1, uint64_t key, uint64_t size, struct tally *tally)
{
        char text[KEY_SIZE];
        struct slice name = key_text(key, text);
        struct l1_entry *entry;
        struct l1_usage usage;
        bool hit = l1_get(l1, name, &entry);

        if (hit)
                l1_release(l1, &entry);
        else
                fill(l1, name, size);
        tally->hits += hit;
        tally->bytes += size;
        tally->hit_bytes += hit ? size : 0;
        tally->large += size >= LARGE;
        tally->large_hits += hit && size >= LARGE;
        if (!hit) {
                l1_usage(l1, &usage);
                tally->peak = usage.bytes > tally->peak ? usage.bytes : tally->peak;
        }
}

static double percent(uint64_t part, uint64_t whole)
{
        return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static struct l1_config config_for(const struct trace *t, const struct plan *plan, uint64_t size)
{
        struct l1_config config = {.max_bytes = UINT64_C(1) << 32, .seed = 42};

        if (plan->size_kind == BY_MEGABYTES)
                config.max_bytes = size * 1000000;
        else if (plan->size_kind == BY_ENTRIES)
                config.max_entries = size;
        else if (plan->value_size > 0)
                config.max_entries = t->unique * size / 100;
        else
                config.max_bytes = t->unique_bytes * size / 100;
        return config;
}

/* No time passes in a replay: nothing that was looked up counts for less. */
static struct nanos stopped_clock(void)
{
        return NANOS_ZERO;
}

static struct l1 *make_l1(const struct plan *plan, const struct l1_config *config)
{
        const struct l1_sampling sampling = {
                .samples = (uint32_t)plan->samples, .half_life = NANOS_NEVER, .clock = stopped_clock};
        struct l1_config fixed = *config;
        struct err_msg msg;
        struct l1 *l1;

        if (plan->samples > 0)
                fixed.policy = "lru";
        if (l1_create(&l1, &fixed, &msg) != OK)
                die(msg.text, config->policy);
        if (plan->samples > 0 && (l1_sample(l1, &sampling) != OK || l1_set_policy(l1, config->policy) != OK))
                die("cannot be followed", config->policy);
        return l1;
}

static void print_figure(const char *what, const struct whatif_figure *figure)
{
        printf("whatif\t%s\t%.2f\t%.2f\t%.2f\n", what, 100 * figure->hit_rate, 100 * figure->byte_hit_rate,
                100 * figure->error);
}

static void print_whatif(struct l1 *l1)
{
        struct whatif_report report;
        char scale[32];

        if (!l1_whatif(l1, &report))
                return;
        for (int i = 0; i < WHATIF_SIZES; i++) {
                (void)snprintf(scale, sizeof(scale), "%g", report.sizes[i].scale);
                print_figure(scale, &report.sizes[i].figure);
        }
        for (int i = 0; i < WHATIF_POLICIES; i++)
                print_figure(report.policies[i].name, &report.policies[i].figure);
}

static void run(const struct trace *t, const struct plan *plan, const struct l1_config *config)
{
        struct tally tally = {.hits = 0};
        struct l1_usage usage;
        struct l1 *l1 = make_l1(plan, config);
        const char *name = strrchr(t->path, '/');
        const size_t early = t->count / 10;

        for (size_t i = 0; i < t->count; i++) {
                const uint64_t before = tally.hits;

                read_key(l1, t->keys[i], size_of_value(plan, t->keys[i]), &tally);
                tally.late_hits += i < early ? 0 : tally.hits - before;
        }
        l1_usage(l1, &usage);
        printf("%s\t%s\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%.2f\t%.2f\t%.2f\t%" PRIu64 "\t%" PRIu64 "\n",
                name == NULL ? t->path : name + 1, config->policy, config->shards, config->max_entries,
                config->max_bytes, percent(tally.hits, t->count), percent(tally.hit_bytes, tally.bytes),
                percent(tally.large_hits, tally.large), usage.entries, tally.peak);
        if (plan->samples > 0)
                printf("late\t%.2f\n", percent(tally.late_hits, t->count - early));
        print_whatif(l1);
        (void)fflush(stdout);
        l1_destroy(&l1);
}

static void run_all(const struct trace *t, const struct plan *plan)
{
        for (size_t size = 0; size < plan->sizes.count; size++)
                for (size_t shards = 0; shards < plan->shards.count; shards++)
                        for (size_t policy = 0; policy < plan->policy_count; policy++) {
                                struct l1_config config = config_for(t, plan, plan->sizes.items[size]);

                                config.shards = (uint32_t)plan->shards.items[shards];
                                config.policy = plan->policies[policy];
                                run(t, plan, &config);
                        }
}

/* ---- the command line ---- */

static void split(char *text, const char **parts, size_t *count)
{
        *count = 0;
        for (char *rest = text, *part; (part = strsep(&rest, ",")) != NULL;) {
                if (*count == LIST_MAX)
                        die("too many", text);
                parts[(*count)++] = part;
        }
}

static struct list_of_numbers numbers(char *text)
{
        struct list_of_numbers list = {.count = 0};
        const char *parts[LIST_MAX];

        split(text, parts, &list.count);
        for (size_t i = 0; i < list.count; i++) {
                char *end;

                list.items[i] = strtoull(parts[i], &end, 10);
                if (*parts[i] == '\0' || *end != '\0' || list.items[i] == 0)
                        die("not a positive number", parts[i]);
        }
        return list;
}

static void set_sizes(struct plan *plan, enum size_kind kind, char *text)
{
        plan->size_kind = kind;
        plan->sizes = numbers(text);
}

static void set_values(struct plan *plan, char *text)
{
        plan->value_size = strcmp(text, "mixed") == 0 ? 0 : numbers(text).items[0];
        if (plan->value_size > VALUE_MAX)
                die("larger than 1 MB", text);
}

static void take_option(struct plan *plan, int option, char *text)
{
        if (option == 'p')
                split(text, plan->policies, &plan->policy_count);
        else if (option == 's')
                plan->shards = numbers(text);
        else if (option == 'v')
                set_values(plan, text);
        else if (option == 'e')
                set_sizes(plan, BY_ENTRIES, text);
        else if (option == 'c')
                set_sizes(plan, BY_PERCENT, text);
        else if (option == 'n')
                plan->samples = numbers(text).items[0];
        else if (option == 'm')
                set_sizes(plan, BY_MEGABYTES, text);
        else
                die("see the head of bench/replay.c", "usage");
}

int main(int argc, char **argv)
{
        static const struct option options[] = {{"policy", required_argument, NULL, 'p'},
                {"shards", required_argument, NULL, 's'}, {"values", required_argument, NULL, 'v'},
                {"entries", required_argument, NULL, 'e'}, {"percent", required_argument, NULL, 'c'},
                {"megabytes", required_argument, NULL, 'm'}, {"samples", required_argument, NULL, 'n'},
                {NULL, 0, NULL, 0}};
        struct plan plan = {.policies = {"lru"},
                .policy_count = 1,
                .shards = {{1}, 1},
                .sizes = {{10}, 1},
                .size_kind = BY_PERCENT,
                .value_size = 100};

        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
                take_option(&plan, option, optarg);
        printf("trace\tpolicy\tshards\tentries\tbytes\thits%%\tbyte_hits%%\tlarge_hits%%\theld\tpeak\n");
        for (int i = optind; i < argc; i++) {
                struct trace t = trace_read(argv[i], &plan);

                run_all(&t, &plan);
                free(t.keys);
        }
        return 0;
}
