/* Cells of PostgreSQL's results as values (database/value.h), from their text or binary form; both make the same bytes:
 *
 *      bool                      true, false
 *      int2, int4, int8, oid     a whole number
 *      float4, float8            a float; NaN and the infinities as text
 *      numeric                   a number if it prints back the same, else text ("12.50")
 *      date, timestamp(tz)       database/pg_time.h
 *      json, jsonb               the value (numbers that 64 bits cannot hold: as text); what no value can be, its text
 *      bytea                     base64 (RFC 4648, section 4)
 *      arrays of all these       lists, as deep as they have dimensions; NULL is nil
 *      everything else           its text
 *
 * Pure but for the buffer appended to; any thread. */
#ifndef DATABASE_PG_DECODE_H
#define DATABASE_PG_DECODE_H

#include "base/buf.h"

struct pg_cell {
        uint32_t type;      /* its object id: enum pg_type, or any other */
        bool binary;        /* the bytes are the type's binary form, not its text */
        struct slice bytes; /* of a cell that is not NULL */
};

/* Appends the value. ERR_CORRUPT when the bytes are no value of the type; errors as buf_append. *out is then as before
 * or holds a part of it. */
enum err pg_decode(const struct pg_cell *cell, struct buf *out) MUST_CHECK;

/* Appends the text that PostgreSQL would show: for ids. Errors as pg_decode; ERR_CORRUPT also for types whose
 * binary form nobody here reads as text (all but integers, uuid and texts). */
enum err pg_decode_text(const struct pg_cell *cell, struct buf *out) MUST_CHECK;

/* Whether pg_decode reads the type's binary form. */
bool pg_decode_knows_binary(uint32_t type);

/* The type of an array's elements; 0 when `type` is no array that is known. */
uint32_t pg_array_element(uint32_t type);

/* Appends an array of elements of type `element`, as pg_decode does. What pg_decode is made of. */
enum err pg_array_decode(uint32_t element, const struct pg_cell *cell, struct buf *out) MUST_CHECK;

#endif
