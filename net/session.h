/* Who is speaking on a connection, and how. Everything a command may know of its client. Identity -> tenant ->
 * permitted types is settled here once, at authentication; this release has one user, `default`, who may use all. */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include "base/err.h"
#include "base/slice.h"
#include "cache/lookup.h"

enum { SESSION_WORD_MAX = 64 };

struct session {
        uint64_t id;             /* of the connection, never used twice */
        const char *identity;    /* a literal, for INFO and CLIENT LIST */
        struct slice tenant;     /* the first part of every key, tag and entry name */
        uint64_t permitted;      /* bit i: record type number i may be used */
        uint8_t proto;           /* 2 or 3 */
        enum wire_format format; /* of values, both ways */
        bool subscribed;         /* to the invalidations channel */
        char name[SESSION_WORD_MAX];
        char actor[SESSION_WORD_MAX]; /* the person behind a pooled connection, for audit */
        char library[SESSION_WORD_MAX];
        char library_version[SESSION_WORD_MAX];
};

#define SESSION_ALL_TYPES UINT64_MAX

/* A new session of the default user: protocol 2, JSON. */
void session_init(struct session *session, uint64_t id);

/* As new, the id kept (RESET). The subscription is the connection's business and is not touched. */
void session_reset(struct session *session);

/* Whether this session may use a record type. */
static inline bool session_permits(const struct session *session, const struct record_type *type)
{
        return session->permitted == SESSION_ALL_TYPES || (session->permitted >> type->index & 1) != 0;
}

/* Checks a name of at most SESSION_WORD_MAX - 1 visible ASCII characters without blanks, and copies it into `field`
 * (one of the session's words). ERR_BADARG; the field is as before then. */
enum err session_set_word(char *field, struct slice word, struct err_msg *msg) MUST_CHECK;

/* Authenticates. ERR_NOAUTH: there is no such user with that password; the session is as before. */
enum err session_authenticate(
        struct session *session, struct slice user, struct slice password, struct err_msg *msg) MUST_CHECK;

#endif
