/* Options: one row of a table each, with a value from whoever said it last, in this order:
 *
 *      default < preset < configuration file < environment variable < command line < a command to the running server
 *
 * Every value knows its origin. Messages begin with the place that is wrong and say what would be right:
 * `conf/vitalcache.yaml:3:9: server.port is 70000; it must be 1 to 65535`. Not thread-safe: one owner. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/buf.h"
#include "base/yaml.h"

enum option_type {
        OPTION_BOOL,
        OPTION_INT,
        OPTION_POWER, /* a whole number that is a power of two */
        OPTION_DURATION,
        OPTION_SIZE,
        OPTION_MODE, /* octal permissions of a file */
        OPTION_TEXT,
        OPTION_WORD,
        OPTION_PATH,  /* written in a file, a relative one is relative to that file's folder */
        OPTION_PATHS, /* in a file a list, elsewhere separated by commas */
        OPTION_DSN,   /* how to reach a database; shown without its password */
        OPTION_DSNS,  /* in a file a list, elsewhere separated by semicolons */
};

struct option_row {
        const char *name; /* "cache.l1.max_bytes": the way through the file's maps */
        enum option_type type;
        const char *fallback; /* the default, as it would be written */
        const char *min;      /* of numbers, durations and sizes, as they would be written; else NULL */
        const char *max;
        const char *unit; /* INT, POWER: what is counted. DURATION, SIZE: the unit of a bare number in the environment.
                             WORD: the words, separated by '|'. Else NULL. */
        bool reloadable;  /* can change while the server runs */
        const char *env;  /* NULL: none */
        const char *flag; /* beside --<name>, which every option has; NULL: none */
        const char *sentence;
};

enum option_source {
        OPTION_FROM_DEFAULT,
        OPTION_FROM_PRESET,
        OPTION_FROM_FILE,
        OPTION_FROM_ENVIRONMENT,
        OPTION_FROM_FLAG,
        OPTION_FROM_COMMAND,
};

struct option_origin {
        enum option_source source;
        const char *name; /* of the preset, file, variable, flag (an option's own name stands for --<name>) or command;
                             outlives the set, but for a file's */
        uint32_t line;    /* files */
        uint32_t column;
};

struct option_list {
        const char *const *items;
        size_t count;
};

/* Which member holds, the type says. Texts belong to the set, until the option is assigned again. */
struct option_value {
        uint64_t number;         /* DURATION: nanoseconds; SIZE: bytes; WORD: its place among the words; BOOL: 0 or 1 */
        const char *text;        /* TEXT, PATH, DSN: never NULL */
        struct option_list list; /* PATHS, DSNS */
};

/* An option by name, and the value that it is to have. */
struct option_change {
        const char *name;
        const char *value;
};

struct option_set;

enum { OPTION_NONE = -1 };

/* All options at their defaults. `rows` is constant and outlives the set; a default that its own row would refuse is a
 * broken promise. ERR_NOMEM; *out is NULL then. */
enum err option_set_create(struct option_set **out, const struct option_row *rows, size_t count) MUST_CHECK;
void option_set_destroy(struct option_set **set);

/* The option's place in the table by name ("server.port"), or by flag ("--port", "--server.port"); OPTION_NONE. */
int option_find(const struct option_set *set, struct slice name);
int option_find_flag(const struct option_set *set, struct slice flag);

/* How many there are. */
int option_count(const struct option_set *set);

/* Of option number `index`; borrowed from the set. */
const struct option_row *option_row(const struct option_set *set, int index);
const struct option_value *option_value(const struct option_set *set, int index);
const struct option_origin *option_origin(const struct option_set *set, int index);

/* Checks and takes a value; PATHS are separated by commas, DSNS by semicolons. ERR_CONFIG, ERR_NOMEM; the option is as
 * before then. */
enum err option_assign(struct option_set *set, int index, const char *text, const struct option_origin *origin,
        struct err_msg *msg) MUST_CHECK;
/* The same for the items of a list (PATHS, DSNS). */
enum err option_assign_list(struct option_set *set, int index, const struct option_list *list,
        const struct option_origin *origin, struct err_msg *msg) MUST_CHECK;

/* Takes every value of a configuration file. ERR_CONFIG: also for a key that is no option, with the nearest one. */
enum err option_read_file(struct option_set *set, const struct yaml_node *root, struct err_msg *msg) MUST_CHECK;

/* The same, from the file at `path`. ERR_IO, too, when it cannot be read. */
enum err option_load_file(struct option_set *set, const char *path, struct err_msg *msg) MUST_CHECK;

/* Makes the default of a PATHS option, one path, relative to `folder`. ERR_CONFIG, ERR_NOMEM. */
enum err option_place_default(struct option_set *set, int index, const char *folder, struct err_msg *msg) MUST_CHECK;

/* Takes the variables of the table from `environment` ("NAME=value", NULL-terminated). Empty ones count as unset. */
enum err option_read_environment(struct option_set *set, char *const *environment, struct err_msg *msg) MUST_CHECK;

/* Appends the value as one would write it, but for passwords. Errors as buf_append. */
enum err option_format(const struct option_set *set, int index, struct buf *out) MUST_CHECK;

/* Appends where the value comes from: "default", "conf/vitalcache.yaml:12", "environment CACHE_L1_TTL",
 * "command line --port". */
enum err option_format_origin(const struct option_origin *origin, struct buf *out) MUST_CHECK;

/* Whether two sets of the same table have the same value for an option. */
bool option_equal(const struct option_set *a, const struct option_set *b, int index);

/* Exchanges an option's value and origin between two sets of the same table. */
void option_swap(struct option_set *a, struct option_set *b, int index);

/* What stands before a flag's name to make it one: "--" or nothing. */
const char *option_dashes(const struct option_origin *origin);

/* Puts the origin's place before what *msg says already, and returns `code`. */
enum err option_blame(const struct option_origin *origin, enum err code, struct err_msg *msg);

#endif
