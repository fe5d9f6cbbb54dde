/* Failures: one enum for the whole program (base/errors.def), and a message that is wrapped on the way up.
 *
 * A function that can fail returns enum err, OK (0) for success, and takes a struct err_msg * for the particulars.
 * The message is for the one who asked (a client, the person at the terminal). It may quote what that person sent, so
 * it never goes into a log: logs get err_name() and typed fields only. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/assert.h"

enum err {
        OK = 0,
#define ERROR(name, word, text) ERR_##name,
#include "base/errors.def"
#undef ERROR
        ERR_COUNT_
};

enum { ERR_MSG_SIZE = 512 };

struct err_msg {
        char text[ERR_MSG_SIZE]; /* always terminated; cut at the size */
};

/* The name of a code as in errors.def ("NOMEM"), for logs; "OK" for OK. Any thread; never NULL. */
const char *err_name(enum err code);

/* The stable first word of the wire error ("UNAVAILABLE"). Any thread; never NULL. */
const char *err_word(enum err code);

/* The general sentence of a code. Any thread; never NULL. */
const char *err_text(enum err code);

/* Writes the particulars into *msg (msg may be NULL: nobody asks) and returns `code`, so that a failing function can
 * `return err_set(msg, ERR_BADKEY, "...")`. Any thread, own *msg. */
enum err err_set(struct err_msg *msg, enum err code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before what *msg says already (msg may be NULL) and returns `code`. Any thread, own *msg. */
enum err err_wrap(struct err_msg *msg, enum err code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set with the text of errno `number` after the message: "cannot open x: Permission denied". */
enum err err_errno(struct err_msg *msg, enum err code, int number, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

#endif
