#include "cli/import_progress.h"

#include "base/slice.h"
#include "cli/print.h"

enum { BAR_MIN = 10, BAR_MAX = 30, TEXT_SIZE = 256 };

static const struct nanos BAR_INTERVAL = {100 * NANOS_PER_MS};
static const struct nanos LINE_INTERVAL = {5 * NANOS_PER_S};

/* Rates forget what is older than this, more or less: long enough not to flicker, short enough to tell of a server that
 * has become slower. */
static const double MEMORY_SECONDS = 3.0;

void import_progress_start(struct import_progress *progress, struct nanos now)
{
        progress->shown = now;
        progress->last = (struct progress_at){.path = ""};
        progress->byte_rate = 0;
        progress->row_rate = 0;
}

static double mix(double old, double newest, double weight)
{
        return old == 0 ? newest : old + weight * (newest - old);
}

static void take_rates(struct import_progress *p, const struct progress_at *at, struct nanos now)
{
        double seconds = (double)nanos_sub(now, p->shown).ns / (double)NANOS_PER_S;
        double weight = seconds / (seconds + MEMORY_SECONDS);

        p->byte_rate = mix(p->byte_rate, (double)(at->bytes - p->last.bytes) / seconds, weight);
        p->row_rate = mix(p->row_rate, (double)(at->rows - p->last.rows) / seconds, weight);
        p->last = *at;
        p->shown = now;
}

/* ---- words ---- */

static unsigned percent_of(const struct import_progress *p)
{
        uint64_t bytes = p->last.bytes < p->total ? p->last.bytes : p->total; /* a file may grow while it is read */

        return (unsigned)(100.0 * (double)bytes / (double)p->total);
}

/* "1:12:05", "12:05", "0:07" */
static void put_time_left(const struct import_progress *p, char *text, size_t size)
{
        uint64_t left = p->last.bytes < p->total ? p->total - p->last.bytes : 0;
        uint64_t seconds = p->byte_rate > 0 ? (uint64_t)((double)left / p->byte_rate + 0.5) : 0;
        unsigned hours = (unsigned)(seconds / 3600);
        unsigned minutes = (unsigned)(seconds / 60 % 60);
        unsigned rest = (unsigned)(seconds % 60);

        if (p->byte_rate <= 0 || seconds > 99 * 3600)
                (void)snprintf(text, size, "?");
        else if (hours > 0)
                (void)snprintf(text, size, "%u:%02u:%02u", hours, minutes, rest);
        else
                (void)snprintf(text, size, "%u:%02u", minutes, rest);
}

/* The file's name without its folders, fit for a terminal. */
static void put_name(const struct import_progress *p, char *text, size_t size)
{
        const char *slash = strrchr(p->last.path, '/');

        print_plain(text, size, slash == NULL ? p->last.path : slash + 1);
}

static void put_words(const struct import_progress *p, char *text, size_t size)
{
        char name[96];
        char left[40];

        put_name(p, name, sizeof(name));
        put_time_left(p, left, sizeof(left));
        if (p->total == 0)
                (void)snprintf(text, size, "%.1f MB  %llu rows  %.0f rows/s  %s", (double)p->last.bytes / 1e6,
                        (unsigned long long)p->last.rows, p->row_rate, name);
        else
                (void)snprintf(text, size, "%.0f rows/s  %s left  %s", p->row_rate, left, name);
}

/* ---- the bar ---- */

/* Columns that UTF-8 text takes, a character each. */
static size_t columns_of(const char *text)
{
        size_t columns = 0;

        for (; *text != '\0'; text++)
                columns += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
        return columns;
}

static void cut_to(char *text, size_t columns)
{
        size_t seen = 0;

        for (; *text != '\0'; text++) {
                seen += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
                if (seen > columns)
                        *text = '\0';
                if (seen > columns)
                        return;
        }
}

/* " 45% [=====>     ] "; on a narrow terminal without the bar. Its width is the terminal's business alone, so that it
 * stands still. */
static void put_bar(const struct import_progress *p, char *text, size_t size, size_t columns)
{
        unsigned percent = percent_of(p);
        size_t width = columns / 4 < BAR_MAX ? columns / 4 : BAR_MAX;
        size_t full = width * percent / 100;
        char bar[BAR_MAX + 1];

        if (width < BAR_MIN) {
                (void)snprintf(text, size, "%3u%% ", percent);
                return;
        }
        memset(bar, '=', full);
        memset(bar + full, ' ', width - full);
        if (full < width)
                bar[full] = '>';
        bar[width] = '\0';
        (void)snprintf(text, size, "%3u%% [%s] ", percent, bar);
}

static size_t width_of(const struct import_progress *p)
{
        return p->width == 0 ? print_width(p->out) : p->width;
}

/* Writes the line, cut to the terminal's width, over what stands there. */
static void draw_line(struct import_progress *p, char *line, size_t width)
{
        size_t columns;

        cut_to(line, width - 1); /* the last column would wrap */
        columns = columns_of(line);
        fprintf(p->out, "\r%s%*s", line, columns < p->drawn ? (int)(p->drawn - columns) : 0, "");
        (void)fflush(p->out);
        p->drawn = columns;
}

static void draw_bar(struct import_progress *p)
{
        size_t width = width_of(p);
        char bar[BAR_MAX + 16] = "";
        char words[TEXT_SIZE];
        char line[sizeof(bar) + sizeof(words)];

        put_words(p, words, sizeof(words));
        if (p->total > 0)
                put_bar(p, bar, sizeof(bar), width);
        (void)snprintf(line, sizeof(line), "%s%s", bar, words);
        draw_line(p, line, width);
}

static void write_line(const struct import_progress *p)
{
        char words[TEXT_SIZE];

        put_words(p, words, sizeof(words));
        if (p->total > 0)
                fprintf(p->out, "%3u%%  %llu rows  %s\n", percent_of(p), (unsigned long long)p->last.rows, words);
        else
                fprintf(p->out, "%s\n", words);
        (void)fflush(p->out);
}

void import_progress_show(struct import_progress *progress, const struct progress_at *at, struct nanos now)
{
        struct nanos interval = progress->style == PROGRESS_BAR ? BAR_INTERVAL : LINE_INTERVAL;

        if (progress->style == PROGRESS_NONE || nanos_before(now, nanos_add(progress->shown, interval)))
                return;
        take_rates(progress, at, now);
        if (progress->style == PROGRESS_BAR)
                draw_bar(progress);
        else
                write_line(progress);
}

void import_progress_say(struct import_progress *progress, const char *what)
{
        char line[TEXT_SIZE];

        if (progress->drawn == 0)
                return;
        (void)snprintf(line, sizeof(line), "%s", what);
        draw_line(progress, line, width_of(progress));
}

void import_progress_end(struct import_progress *progress)
{
        if (progress->drawn == 0)
                return;
        fprintf(progress->out, "\r%*s\r", (int)progress->drawn, "");
        (void)fflush(progress->out);
        progress->drawn = 0;
}
