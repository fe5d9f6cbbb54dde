/* Replies of the server as values (database/value.h), for printing.
 *
 * RESP2 has no maps: they come as flat arrays of names and values. The server's names are words of a-z, 0-9, '_', '-'
 * and '.', and no list of its replies looks so (tags have ':' or '/', or are '*'), hence an array of even length whose
 * every second element is such a word is a map. */
#ifndef CLI_REPLY_H
#define CLI_REPLY_H

#include "cli/conn.h"

/* Appends the reply as a value: numbers with a fraction and flags, which RESP2 sends as text and 0 or 1, are themselves
 * again; an error becomes {"error": "WORD text"}. ERR_BADVALUE when the server sent no UTF-8, errors of buf_append. */
enum err reply_to_value(const redisReply *reply, struct buf *out, struct err_msg *msg) MUST_CHECK;

/* Appends the value of a record reply: nil, JSON text, or [value, meta], which becomes {"value": …, "meta": …}. Errors
 * as above; ERR_BADVALUE, too, when the text is not JSON. */
enum err reply_record_to_value(const redisReply *reply, struct buf *out, struct err_msg *msg) MUST_CHECK;

#endif
