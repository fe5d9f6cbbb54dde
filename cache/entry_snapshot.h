/* A snapshot as an entry keeps it: few transactions are running as a rule, and their ids are close to each other. So it
 * is one byte or two of length, then the end, and differences downwards and up again, each a number in as many bytes as
 * it needs (7 bits in each). With nothing running that is 5 to 8 bytes. Not aligned. Private to cache/. */
#ifndef CACHE_ENTRY_SNAPSHOT_H
#define CACHE_ENTRY_SNAPSHOT_H

#include "database/snapshot.h"

/* How many bytes it takes; 0 for NULL. Pure. */
size_t entry_snapshot_size(const struct snapshot *snapshot);
/* Writes it to `out` of that many bytes; nothing for NULL. */
void entry_snapshot_write(const struct snapshot *snapshot, uint8_t *out);

/* How many bytes the one that is written at `at` takes. Pure. */
size_t entry_snapshot_len(const uint8_t *at);
/* Reads it into *out, which ends where it is cut: where it had ended before matters for polls only. */
void entry_snapshot_read(const uint8_t *at, struct snapshot *out);

#endif
