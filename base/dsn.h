/* How a database is named: libpq's conninfo ("host=db user=vc password=…") or URL ("postgresql://vc:…@db/school"). */
#ifndef BASE_DSN_H
#define BASE_DSN_H

#include "base/buf.h"

/* Appends `dsn` as it may be shown: each password in it is "***", and so is the whole where it is not clear which part
 * of it is one. Errors as buf_append. Pure; any thread. */
enum err dsn_append_shown(struct buf *out, const char *dsn) MUST_CHECK;

#endif
