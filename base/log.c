#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int least_level = LOG_LEVEL_INFO;
static _Atomic int line_format = LOG_FORMAT_LOGFMT;
static _Atomic int output_fd = STDERR_FILENO;

static const char *const level_names[] = {"debug", "info", "warning", "error", "audit"};

/* A line is built here and written with one write(), so that lines of several threads do not mix. */
struct line {
        char text[2048];
        size_t used;
};

void log_configure(enum log_level least, enum log_format format)
{
        least_level = (int)least;
        line_format = (int)format;
}

void log_set_fd(int fd)
{
        output_fd = fd;
}

bool log_enabled(enum log_level level)
{
        return (int)level >= least_level;
}

static void put_char(struct line *l, char c)
{
        if (l->used < sizeof(l->text) - 2) /* room for '}' and the newline is kept */
                l->text[l->used++] = c;
}

static void put_text(struct line *l, const char *text)
{
        while (*text != '\0')
                put_char(l, *text++);
}

/* Quoted as a JSON string; control bytes become spaces, so that a line stays a line. */
static void put_quoted(struct line *l, const char *text)
{
        put_char(l, '"');
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        put_char(l, '\\');
                put_char(l, c < 0x20 ? ' ' : (char)c);
        }
        put_char(l, '"');
}

static bool needs_quotes(const char *text)
{
        if (*text == '\0')
                return true;
        for (; *text != '\0'; text++)
                if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\')
                        return true;
        return false;
}

static void put_field(struct line *l, const struct log_field *f, bool json)
{
        char number[24];

        put_text(l, json ? "," : " ");
        if (json)
                put_quoted(l, f->name);
        else
                put_text(l, f->name);
        put_char(l, json ? ':' : '=');
        switch (f->kind) {
        case LOG_FIELD_INT:
                (void)snprintf(number, sizeof(number), "%lld", (long long)f->as.i);
                put_text(l, number);
                return;
        case LOG_FIELD_UINT:
                (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)f->as.u);
                put_text(l, number);
                return;
        case LOG_FIELD_TEXT:
                if (json || needs_quotes(f->as.text))
                        put_quoted(l, f->as.text);
                else
                        put_text(l, f->as.text);
                return;
        }
}

/* False when the site has had its lines of this second. *dropped: lines lost before one that passes again. */
static bool site_may_write(struct log_site *site, int64_t second, uint32_t *dropped)
{
        if (site->second != second) {
                site->second = second;
                site->written = 0;
        }
        if (site->written >= LOG_BURST) {
                site->dropped++;
                return false;
        }
        site->written++;
        *dropped = atomic_exchange(&site->dropped, 0);
        return true;
}

static void put_head(struct line *l, const char *when, enum log_level level, const char *event)
{
        if (line_format == LOG_FORMAT_JSON) {
                put_text(l, "{\"time\":");
                put_quoted(l, when);
                put_text(l, ",\"level\":");
                put_quoted(l, level_names[level]);
                put_text(l, ",\"event\":");
                put_quoted(l, event);
                return;
        }
        put_text(l, when);
        put_char(l, ' ');
        put_text(l, level_names[level]);
        put_char(l, ' ');
        put_text(l, event);
}

void log_write(
        struct log_site *site, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
        struct line l = {.used = 0};
        struct wall now = clock_wall();
        bool json = line_format == LOG_FORMAT_JSON;
        char when[CLOCK_TEXT_SIZE];
        uint32_t dropped = 0;

        if (site != NULL && !site_may_write(site, now.ms / 1000, &dropped))
                return;
        clock_format(now, when);
        put_head(&l, when, level, event);
        for (size_t i = 0; i < count; i++)
                put_field(&l, &fields[i], json);
        if (dropped > 0)
                put_field(&l, &LOG_UINT("dropped_before", dropped), json);
        if (json)
                l.text[l.used++] = '}';
        l.text[l.used++] = '\n';
        if (write(output_fd, l.text, l.used) < 0)
                return; /* there is nowhere left to say it */
}
