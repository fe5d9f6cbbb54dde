#include "net/command.h"

#include "base/hot.h"
#include "base/mem.h"
#include "database/record_type.h"
#include "monitoring/counters.h"
#include "net/handlers.h"
#include "net/services.h"
#include "net/session.h"

enum {
        NAME_MAX_LEN = 32,
        FOLDED_LEN = sizeof(uint64_t),
        INDEX_BITS = 8,
        INDEX_SIZE = 1 << INDEX_BITS, /* some three times the rows */
        OVERLAP_PART = 4 /* of limits.client_input: what a connection's writes under way may take; a next one waits */
};

#define READ         COMMAND_READ
#define WRITE        COMMAND_WRITE
#define SESSION      COMMAND_SESSION
#define FAST         COMMAND_FAST
#define ADMIN        COMMAND_ADMIN
#define SUBSCRIBED   COMMAND_SUBSCRIBED
#define CONTAINER    COMMAND_CONTAINER
#define REFUSED_FLAG COMMAND_REFUSED_FLAG
#define OVERLAPS     COMMAND_OVERLAPS
#define RECORDS      COMMAND_RECORDS

static const struct command rows[] = {
#define COMMAND(handler, name, arity, flags, first_key, last_key, group, since, summary, arguments, reply)             \
        {name, cmd_##handler, arity, flags, first_key, last_key, group, since, summary, arguments, reply},
#include "net/commands.def"
#undef COMMAND
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROW_COUNT < INDEX_SIZE / 2, "the index needs room to probe");

/* A command's name, folded into one word, stands for itself up to FOLDED_LEN letters: most lookups compare two numbers
 * and no text. */
struct command_name {
        uint64_t folded;
        size_t len;
        const struct command *row; /* NULL: a free place */
};

struct command_table {
        struct command_name index[INDEX_SIZE]; /* by hash of the name, the next free place on a collision */
};

/* ---- the table ---- */

/* Letters alike in either case: they differ in bit 5 alone, and no other byte becomes a letter by losing it. */
static uint64_t fold(struct slice name)
{
        uint64_t folded = 0;

        for (size_t i = 0; i < name.len; i++)
                folded = (folded << 8 | folded >> 56) ^ (name.data[i] & 0xdfu);
        return folded;
}

static size_t place_of(uint64_t folded)
{
        return folded * UINT64_C(0x9e3779b97f4a7c15) >> (64 - INDEX_BITS);
}

/* What `folded` alone tells apart must be letters and nothing else (fold). */
static bool folds_well(struct slice name)
{
        for (size_t i = 0; i < name.len && name.len <= FOLDED_LEN; i++)
                if (name.data[i] < 'A' || name.data[i] > 'Z')
                        return false;
        return true;
}

enum err command_table_create(struct command_table **out)
{
        struct command_table *table = vc_calloc(1, sizeof(*table));

        *out = table;
        if (table == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < ROW_COUNT; i++) {
                struct slice name = slice_str(rows[i].name);
                uint64_t folded = fold(name);
                size_t at = place_of(folded);

                VC_ASSERT(name.len <= NAME_MAX_LEN && folds_well(name));
                while (table->index[at].row != NULL)
                        at = (at + 1) & (INDEX_SIZE - 1);
                table->index[at] = (struct command_name){folded, name.len, &rows[i]};
        }
        return OK;
}

void command_table_destroy(struct command_table **table)
{
        vc_free(*table);
        *table = NULL;
}

static const struct command *find_name(const struct command_table *table, struct slice word)
{
        uint64_t folded = word.len > NAME_MAX_LEN ? 0 : fold(word);

        for (size_t at = place_of(folded); table->index[at].row != NULL; at = (at + 1) & (INDEX_SIZE - 1)) {
                const struct command_name *name = &table->index[at];

                if (name->folded == folded && name->len == word.len &&
                        (word.len <= FOLDED_LEN || slice_is_word(word, name->row->name)))
                        return name->row;
        }
        return NULL;
}

COLD_PATH static const struct command *find_subcommand(
        const struct command_table *table, struct slice first, struct slice second)
{
        char name[NAME_MAX_LEN + 1];

        if (second.len > NAME_MAX_LEN - first.len)
                return NULL;
        memcpy(name, first.data, first.len);
        name[first.len] = ' ';
        if (second.len > 0)
                memcpy(name + first.len + 1, second.data, second.len);
        return find_name(table, slice_of(name, first.len + 1 + second.len));
}

const struct command *command_table_find(const struct command_table *table, const struct slice *argv, size_t argc)
{
        const struct command *row = find_name(table, argv[0]);
        const struct command *sub;

        if (row == NULL || (row->flags & COMMAND_CONTAINER) == 0 || argc < 2)
                return row;
        sub = find_subcommand(table, argv[0], argv[1]);
        return sub != NULL ? sub : row;
}

const struct command *command_at(size_t index)
{
        return index < ROW_COUNT ? &rows[index] : NULL;
}

size_t command_container_len(const struct command *row)
{
        const char *blank = strchr(row->name, ' ');

        return blank == NULL ? 0 : (size_t)(blank - row->name);
}

void command_keys(const struct command *row, const struct slice *argv, size_t argc, size_t *first, size_t *count)
{
        size_t at = (size_t)row->first_key;
        size_t end = row->last_key < 0 ? argc : (size_t)row->last_key + 1;

        *first = at;
        *count = 0;
        if (row->first_key == 0)
                return;
        while (at < end && at < argc && memchr(argv[at].data, ':', argv[at].len) != NULL)
                at++;
        *count = at - *first;
}

/* ---- the steps ---- */

enum step_result { STEP_NEXT, STEP_ENDED, STEP_MUST_WAIT };

COLD_PATH static enum step_result refuse(struct call *call, enum err code)
{
        resp_rewind(&call->out, call->mark);
        call_write_error(&call->out, code, call->message.text);
        if (call->out.failed != OK) { /* without a reply the next one would be taken for it */
                resp_rewind(&call->out, call->mark);
                call->close = true;
        }
        return STEP_ENDED;
}

/* A browser that was tricked into posting to this port would send headers that read as inline commands. */
static bool is_http(struct slice word)
{
        return slice_is_word(word, "POST") || slice_is_word(word, "Host:");
}

static enum step_result step_find(struct call *call)
{
        call->row = command_table_find(call->services->commands, call->argv, call->argc);
        if (call->row != NULL)
                return STEP_NEXT;
        call->close = is_http(call->argv[0]);
        return refuse(call,
                err_set(&call->message, ERR_UNKNOWN_COMMAND, "unknown command '%.*s', HELP lists all",
                        (int)(call->argv[0].len < 64 ? call->argv[0].len : 64), (const char *)call->argv[0].data));
}

static enum step_result step_arity(struct call *call)
{
        const struct command *row = call->row;
        size_t wanted = (size_t)(row->arity < 0 ? -row->arity : row->arity);

        if (call->argc == wanted || (row->arity < 0 && call->argc > wanted))
                return STEP_NEXT;
        return refuse(call, err_set(&call->message, ERR_SYNTAX, "wrong number of arguments for '%s': %s%s%s", row->name,
                                    row->name, row->arguments[0] == '\0' ? "" : " ", row->arguments));
}

/* In protocol 2 a subscriber could not tell a reply from a message. */
static enum step_result step_subscriber(struct call *call)
{
        if (!call->session->subscribed || call->session->proto >= 3 || (call->row->flags & COMMAND_SUBSCRIBED) != 0)
                return STEP_NEXT;
        return refuse(call,
                err_set(&call->message, ERR_SYNTAX,
                        "'%s': in protocol 2 a subscriber may only SUBSCRIBE, UNSUBSCRIBE, PING, HELLO, RESET and QUIT",
                        call->row->name));
}

/* Keys of a type that the session may not use are refused here, before a handler sees them; and so are commands whose
 * reach is not told by their keys. */
COLD_PATH static enum step_result permits_types(struct call *call)
{
        size_t first;
        size_t count;

        command_keys(call->row, call->argv, call->argc, &first, &count);
        if (count == 0 && (call->row->flags & (COMMAND_WRITE | COMMAND_ADMIN)) != 0)
                return refuse(call, err_set(&call->message, ERR_NOPERM, "%s needs every type", call->row->name));
        for (size_t i = first; i < first + count; i++) {
                struct slice key = call->argv[i];
                size_t name_len = (size_t)((const uint8_t *)memchr(key.data, ':', key.len) - key.data);
                const struct record_type *type = record_types_find(call->services->types, slice_of(key.data, name_len));

                if (type != NULL && !session_permits(call->session, type))
                        return refuse(call, err_set(&call->message, ERR_NOPERM, "%s is not yours to use", type->name));
        }
        return STEP_NEXT;
}

/* Identity -> tenant -> permitted types. */
static enum step_result step_session_permits(struct call *call)
{
        return call->session->permitted == SESSION_ALL_TYPES ? STEP_NEXT : permits_types(call);
}

/* Where the records are another's, its own applications write them, and SQL lists them. */
static enum step_result step_records(struct call *call)
{
        bool writes = (call->row->flags & COMMAND_WRITE) != 0;

        if (call->services->truth == NULL || (call->row->flags & COMMAND_RECORDS) == 0)
                return STEP_NEXT;
        return refuse(
                call, err_set(&call->message, ERR_READONLY, "%s: the records are in PostgreSQL; %s", call->row->name,
                              writes ? "write them there with SQL: each commit voids the cached copies by itself"
                                     : "ask there with SQL"));
}

/* Commands of one connection take effect in order: a write sees, and is seen by, its neighbours. Self-contained writes
 * need not wait for one another: the source takes them in the order of the calls, and their replies queue up in it. So
 * one connection shares commits with itself. */
static enum step_result step_barrier(struct call *call)
{
        const struct reply_queue *queue = call->queue;
        bool has_room = queue->held < call->services->limits.input / OVERLAP_PART;

        if ((call->row->flags & COMMAND_OVERLAPS) != 0)
                return queue->waiting == queue->writes && has_room ? STEP_NEXT : STEP_MUST_WAIT;
        if (queue->writes > 0)
                return STEP_MUST_WAIT;
        if ((call->row->flags & (COMMAND_WRITE | COMMAND_SESSION)) == 0)
                return STEP_NEXT;
        call->hold = true;
        return call->earlier_waiting ? STEP_MUST_WAIT : STEP_NEXT;
}

/* Whether a reply that is there already could be written, and is not too long. */
static enum err check_reply(struct call *call)
{
        enum err rc = call->out.failed;

        if (rc == OK && buf_len(call->out.out) - call->mark > call->services->limits.output)
                rc = ERR_LIMIT;
        return rc == ERR_LIMIT ? err_set(&call->message, rc, "the reply is longer than limits.client_output") : rc;
}

static enum step_result step_handle(struct call *call)
{
        enum err rc = call->row->handler(call);

        if (rc == OK && !call->deferred)
                rc = check_reply(call);
        if (rc != OK)
                return refuse(call, rc);
        return STEP_ENDED;
}

/* What can happen to a command, in this order. Written out, so that the compiler makes one piece of what is nearly
 * always a handful of comparisons. */
static enum step_result run_steps(struct call *call)
{
        enum step_result result = step_find(call);

        if (result == STEP_NEXT)
                result = step_arity(call);
        if (result == STEP_NEXT)
                result = step_subscriber(call);
        if (result == STEP_NEXT)
                result = step_session_permits(call);
        if (result == STEP_NEXT)
                result = step_records(call);
        if (result == STEP_NEXT)
                result = step_barrier(call);
        return result == STEP_NEXT ? step_handle(call) : result;
}

enum command_outcome command_run(struct call *call)
{
        if (run_steps(call) == STEP_MUST_WAIT)
                return COMMAND_MUST_WAIT;
        counter_add(COUNTER_commands, 1);
        return COMMAND_ENDED;
}
