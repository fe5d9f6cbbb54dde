/* The command table (commands.def) and the path of a command through its checks to its handler (run_steps). */
#ifndef NET_COMMAND_H
#define NET_COMMAND_H

#include "base/err.h"
#include "net/call.h"

enum command_flag {
        COMMAND_READ = 1 << 0,
        COMMAND_WRITE = 1 << 1,   /* waits for the commands before it, and those after it wait for it */
        COMMAND_SESSION = 1 << 2, /* changes the session, so it waits for the commands before it */
        COMMAND_FAST = 1 << 3,
        COMMAND_ADMIN = 1 << 4,
        COMMAND_SUBSCRIBED = 1 << 5,   /* allowed to a subscriber in protocol 2 */
        COMMAND_CONTAINER = 1 << 6,    /* has subcommands */
        COMMAND_REFUSED_FLAG = 1 << 7, /* not a command here */
        COMMAND_OVERLAPS = 1 << 8,     /* a write that owns its value: others of its kind may start before it ends */
        COMMAND_RECORDS = 1 << 9       /* of records that this server keeps itself: not with a database of others */
};

struct command {
        const char *name;
        enum err (*handler)(struct call *call);
        int32_t arity;
        uint32_t flags;
        int32_t first_key;
        int32_t last_key;
        const char *group;
        const char *since;
        const char *summary;
        const char *arguments;
        const char *reply;
};

enum command_outcome { COMMAND_ENDED, COMMAND_MUST_WAIT };

struct command_table;

/* The index over the rows of commands.def. ERR_NOMEM; *out is NULL then. */
enum err command_table_create(struct command_table **out) MUST_CHECK;
void command_table_destroy(struct command_table **table);

/* The row for these words: a subcommand's when there is one, else the command's, in any case of letters. NULL: none.
 * Any thread. */
const struct command *command_table_find(const struct command_table *table, const struct slice *argv, size_t argc);

/* All rows, subcommands included, in the order of commands.def. NULL past the end. Any thread. */
const struct command *command_at(size_t index);

/* For "CLIENT ID" the length of "CLIENT"; 0 for a command that is no subcommand. */
size_t command_container_len(const struct command *row);

/* The words among argv that are keys: from *first, *count of them. Any thread; pure. */
void command_keys(const struct command *row, const struct slice *argv, size_t argc, size_t *first, size_t *count);

/* Runs one command: the steps in order, then its handler. The reply, an error reply included, is in call->out or
 * deferred. COMMAND_MUST_WAIT: nothing was done; to be run again when the replies before it are complete. */
enum command_outcome command_run(struct call *call) MUST_CHECK;

#endif
