/* The settings of a vitalcached: conf/options.def made into one struct, filled from the configuration file, the
 * environment and the command line. main gives each module what it needs of them, never the whole. */
#ifndef NET_SETTINGS_H
#define NET_SETTINGS_H

#include "base/clock.h"
#include "base/option.h"

/* The type of each option's field. WORD: its place among the words of its row, in the order of the enum that it means;
 * MODE: permission bits; SIZE: bytes. */
typedef bool settings_BOOL;
typedef uint64_t settings_INT;
typedef uint64_t settings_POWER;
typedef uint64_t settings_SIZE;
typedef struct nanos settings_DURATION;
typedef uint32_t settings_MODE;
typedef uint32_t settings_WORD;
typedef const char *settings_TEXT;
typedef const char *settings_PATH; /* "": none */
typedef struct option_list settings_PATHS;
typedef const char *settings_DSN; /* "": as libpq's own environment variables say */
typedef struct option_list settings_DSNS;

struct settings_values {
#define OPTION(field, name, type, ...) settings_##type field;
#define PRESET(...)
#define AT_MOST(...)
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
};

struct settings;
struct record_types;

/* What the command line asks for. */
enum settings_action {
        SETTINGS_RUN,
        SETTINGS_CHECK, /* --check-config: the settings are loaded, the record types are the caller's to load */
        SETTINGS_PRINT, /* --print-config */
        SETTINGS_HELP,  /* --help: nothing else of the command line counts, nothing is read */
        SETTINGS_VERSION,
};

/* Where settings come from. All of it outlives the settings: a reload reads it again. */
struct settings_input {
        int argc;
        char *const *argv;        /* argv[0] is the program */
        char *const *environment; /* NULL-terminated */
        /* The folder of vitalcache.yaml, when neither --config nor $VITALCACHE_CONFIG names a file. NULL: as built or,
         * when that is not there, ../../../conf beside the program. */
        const char *shipped;
};

/* Reads and checks everything. ERR_CONFIG and ERR_IO say where and what would be right, for the person at the terminal;
 * ERR_NOMEM; *out is NULL then. */
enum err settings_load(struct settings **out, const struct settings_input *input, struct err_msg *msg) MUST_CHECK;

/* NULL-safe; nulls. No other call is under way. */
void settings_destroy(struct settings **settings);

/* Constant. */
enum settings_action settings_action(const struct settings *settings);

/* The path of the file that was read. Constant. */
const char *settings_file(const struct settings *settings);

/* What was loaded; for set-up, before anything can change it. Texts and lists live as long as the settings. */
const struct settings_values *settings_values(const struct settings *settings);

/* Loads the record types that types.files names. Errors as record_types_load. */
enum err settings_load_types(
        const struct settings *settings, struct record_types **out, struct err_msg *msg) MUST_CHECK;

/* Appends `name = value   # origin`, one line per option. Errors as buf_append. Any thread. */
enum err settings_print(struct settings *settings, struct buf *out) MUST_CHECK;

/* Appends what --help says. Errors as buf_append. Pure; any thread. */
enum err settings_help(struct buf *out) MUST_CHECK;

/* The rows of conf/options.def. Constant; any thread. */
const struct option_row *settings_rows(size_t *count);

/* ---- while the server runs ---- */

/* `apply` puts the values that can change into effect; it is called after each change, one at a time, on the thread
 * that made it. Set once, before the other calls below. */
void settings_watch(
        struct settings *settings, void (*apply)(void *context, const struct settings_values *values), void *context);

/* Calls `visit` for each option whose name matches the glob `pattern`; returns how many did. The texts are valid during
 * the call. For want of memory an option is left out. Any thread. */
size_t settings_get(struct settings *settings, const char *pattern,
        void (*visit)(void *arg, const char *name, const char *value), void *arg);

/* Changes options now, all at once. ERR_BADARG: no such option (with the nearest), one that is read at start only or
 * that is there twice, or a wrong value; ERR_NOMEM. Nothing has changed then. Any thread. */
enum err settings_set(
        struct settings *settings, const struct option_change *changes, size_t count, struct err_msg *msg) MUST_CHECK;

/* Reads file, environment and command line again; what settings_set changed is as they say. Options that can change do,
 * and `visit` gets every option whose value differs from the one in effect: `applied` is false for those that need a
 * restart. ERR_CONFIG, ERR_IO, ERR_NOMEM as settings_load: nothing has changed then. Any thread. */
enum err settings_reload(struct settings *settings, void (*visit)(void *arg, const char *name, bool applied), void *arg,
        struct err_msg *msg) MUST_CHECK;

#endif
