/* Private to the settings: reading them from where they come. */
#ifndef NET_SETTINGS_READ_H
#define NET_SETTINGS_READ_H

#include "net/settings.h"

#include <limits.h>

struct settings_command {
        enum settings_action action;
        char file[PATH_MAX]; /* the configuration file */
};

/* All options from all their sources, checked, those for --help and --version excepted. Errors as settings_load; *out
 * is NULL then. */
enum err settings_read(struct option_set **out, struct settings_command *command, const struct settings_input *input,
        struct err_msg *msg) MUST_CHECK;

/* Says that there is no option or flag of that name, and which is the nearest; returns `code`. */
enum err settings_unknown(
        const struct option_set *options, struct slice name, enum err code, struct err_msg *msg) MUST_CHECK;

/* With a polled database: whether copies can keep freshness.bound. ERR_CONFIG, with the option's place, says what would
 * do. */
enum err settings_check_bound(const struct option_set *options, struct err_msg *msg) MUST_CHECK;
/* Whether the types can be served by the kind of database that there is, with their bounds. ERR_CONFIG. */
enum err settings_check_types(
        const struct option_set *options, const struct record_types *types, struct err_msg *msg) MUST_CHECK;

/* The flags that are no options. */
struct settings_flag {
        const char *name;
        const char *value; /* what --help calls its value; NULL: it has none */
        enum settings_action action;
        const char *sentence;
};

/* All of them. Constant. */
const struct settings_flag *settings_flags(size_t *count);

#endif
