/* The reads behind GET, MGET, EXISTS and EXPLAIN: the options they share, one read of one key with its own copy of the
 * id, and how its outcome is written as a reply. */
#ifndef NET_READ_H
#define NET_READ_H

#include "cache/lookup.h"
#include "net/call.h"

struct read_options {
        bool has_after;
        struct token after;
        bool allow_stale; /* implies with_meta: a stale value is never unlabelled */
        bool with_meta;
        bool partial;
};

/* Which options a command knows. */
enum read_option_set { READ_AFTER = 1 << 0, READ_ALLOWSTALE = 1 << 1, READ_WITHMETA = 1 << 2, READ_PARTIAL = 1 << 3 };

/* One read under way. */
struct read {
        struct lookup lookup; /* lookup.context is this read */
        struct lane *lane;
        struct call *call;      /* whose slot it takes if it has to wait; NULL: nobody's */
        uint64_t client;        /* the connection's number, for the audit */
        struct deferred later;  /* of a GET */
        struct read_list *list; /* of an MGET or EXISTS */
        bool with_meta;
        size_t kept; /* bytes of `id`, copied for a read that waits: it outlives the request's bytes */
        uint8_t id[RECORD_ID_MAX];
};

enum { READ_WINDOW = 128 }; /* keys of one MGET that are read at once: bounds its memory, and is a batch of fair size */

/* For whom a read is made. */
struct read_context {
        struct lane *lane;
        const struct session *session;
        struct nanos now;
};

/* An MGET or EXISTS under way: keys are read window by window, replies written in their order. */
struct read_list {
        struct read_context context;
        struct resp_writer *out; /* the call's; after deferring, later.out */
        struct deferred later;
        const struct slice *keys; /* beyond the first window only with call->hold */
        size_t count;
        size_t started; /* keys whose read has been started */
        size_t written; /* keys whose outcome has been written or counted */
        uint32_t waiting;
        bool counts; /* EXISTS */
        int64_t found;
        struct read_options options;
        enum err failed; /* of the first key that failed, without PARTIAL */
        struct err_msg message;
        struct read *window[READ_WINDOW];
};

/* Reads the option words argv[from..] of `call`, of those in `known` (enum read_option_set). ERR_SYNTAX, ERR_BADARG,
 * ERR_BADTOKEN, ERR_EPOCH, ERR_UNAVAILABLE (the token is newer than what this node knows), with call->message. */
enum err read_options_parse(struct call *call, size_t from, uint32_t known, struct read_options *out) MUST_CHECK;

/* How many words of argv[1..] are keys: those before the first option word of `known`. */
size_t read_count_keys(const struct call *call, uint32_t known);

/* A read of `key` from the lane's pool, ready for lookup_start but for lookup.done. It borrows `key` until that
 * returns; a read that waits by then has a copy of the id, which was checked. NULL when there is no memory. A key that
 * is wrong makes a read that is done, now or when it has been started: lookup.status (ERR_NOTYPE, ERR_BADKEY) and
 * lookup.message say why. */
struct read *read_create(
        const struct read_context *context, struct slice key, const struct read_options *options) MUST_CHECK;

/* Checks the key of a read that is not started, all of it, and returns its status. */
enum err read_check(struct read *read) MUST_CHECK;

/* Gives a done read back, with what its lookup borrows. */
void read_destroy(struct read **read);

/* Writes the token of a state: what PUT … IF and AFTER may build on. Nil with a polled source, where only a write has
 * one: its positions are this node's own polls. */
void read_write_token(const struct freshness *f, struct position as_of, struct resp_writer *out);

/* Writes the outcome of a done read: its value or nil, with its meta map if that was asked for; or its error. A stale
 * value leaves an audit line in the log. */
void read_write(const struct read *read, struct resp_writer *out);

#endif
