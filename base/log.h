/* The log: one line per event, in logfmt or JSON, to stderr (or the file that main opens in its place).
 *
 *      LOG_INFO("listening", LOG_WORD("protocol", "resp"), LOG_INT("port", 7379));
 *      2026-11-21T10:00:00.123Z info listening protocol=resp port=7379
 *
 * No patient data by construction: there is no "%s" here. A field is a number, a word from our own source text
 * (LOG_WORD: string literals and table rows), or a path or address of the configuration (LOG_PATH). Keys, ids, values
 * and anything a client sent have no field kind to go through.
 *
 * Each call site may write LOG_BURST lines per second; what is dropped is counted and told with the next line that
 * passes, so that a broken client cannot fill the disk. An audit line (LOG_AUDIT) is a record that somebody will ask
 * for: no level silences it and no limit drops it. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL_AUDIT };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum log_field_kind { LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_TEXT };

struct log_field {
        const char *name;
        enum log_field_kind kind;
        union {
                int64_t i;
                uint64_t u;
                const char *text;
        } as;
};

/* One per call site: the rate limit's state. Zero-initialised. */
struct log_site {
        _Atomic int64_t second;
        _Atomic uint32_t written;
        _Atomic uint32_t dropped;
};

enum { LOG_BURST = 10 };

/* The least level that is written, and the form. From main and on reload. Any thread. */
void log_configure(enum log_level least, enum log_format format);

/* Where lines go: a file descriptor that main owns (default 2). Tests point it at a pipe or file. */
void log_set_fd(int fd);

/* True when `level` is written at present: guards work that only a log line needs. */
bool log_enabled(enum log_level level);

/* Use the macros below. `event` and field names are literals. `site` NULL: no limit of lines. Never fails; a line that
 * cannot be written is lost. */
void log_write(
        struct log_site *site, enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG_INT(name, value)  ((struct log_field){(name), LOG_FIELD_INT, {.i = (int64_t)(value)}})
#define LOG_UINT(name, value) ((struct log_field){(name), LOG_FIELD_UINT, {.u = (uint64_t)(value)}})
#define LOG_WORD(name, value) ((struct log_field){(name), LOG_FIELD_TEXT, {.text = (value)}})
#define LOG_PATH(name, value) ((struct log_field){(name), LOG_FIELD_TEXT, {.text = (value)}})
#define LOG_ERR(code)         LOG_WORD("error", err_name(code))

#define LOG_AT(level, event, ...)                                                                                      \
        do {                                                                                                           \
                static struct log_site log_site_here;                                                                  \
                const struct log_field log_fields_here[] = {__VA_ARGS__};                                              \
                if (log_enabled(level))                                                                                \
                        log_write(&log_site_here, level, event, log_fields_here,                                       \
                                sizeof(log_fields_here) / sizeof(struct log_field));                                   \
        } while (0)

#define LOG_DEBUG(event, ...)   LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define LOG_INFO(event, ...)    LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_WARNING(event, ...) LOG_AT(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define LOG_ERROR(event, ...)   LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)

#define LOG_AUDIT(event, ...)                                                                                          \
        do {                                                                                                           \
                const struct log_field log_fields_here[] = {__VA_ARGS__};                                              \
                log_write(NULL, LOG_LEVEL_AUDIT, event, log_fields_here,                                               \
                        sizeof(log_fields_here) / sizeof(struct log_field));                                           \
        } while (0)

#endif
