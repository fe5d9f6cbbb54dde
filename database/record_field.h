/* One field of a record: its declaration, and whether a value fits it. What database/record.c is made of; others use
 * database/record.h. Pure; any thread. */
#ifndef DATABASE_RECORD_FIELD_H
#define DATABASE_RECORD_FIELD_H

#include "base/hash.h"
#include "database/record_type.h"
#include "database/reject.h"
#include "database/value.h"

/* A table's fields by name: open addressing (Knuth, The Art of Computer Programming, vol. 3, 6.4), linear probing. */
struct record_slot {
        struct slice name;
        const struct record_field *field; /* NULL: the slot is free */
};

struct record_lookup {
        size_t mask; /* the number of slots, a power of two, less one */
        struct record_slot slots[];
};

/* Where the search for a name begins. */
static inline size_t record_lookup_start(const struct record_lookup *lookup, struct slice name)
{
        return (size_t)hash64(name, 0) & lookup->mask;
}

/* The declared field `name` of a table; NULL when there is none. */
const struct record_field *record_field_find(const struct record_table *table, struct slice name);

/* The rank of a word of a FIELD_WORD, 0 for the first declared; -1 when it is none of them. */
int record_field_rank(const struct record_field *field, struct slice word);

/* Whether a value with that head fits the field; `student_ids`: the canonical form of a FIELD_STUDENT. ERR_BADVALUE
 * sets *reason and says what would be right, without the value, which may be a patient's; the field is for the caller
 * to name. */
enum err record_field_check(const struct record_field *field, const struct value *head, enum id_kind student_ids,
        enum reject_reason *reason, struct err_msg *msg) MUST_CHECK;

/* "must be <wanted>, not <found>"; returns ERR_BADVALUE. */
enum err record_field_wrong_kind(struct err_msg *msg, const char *wanted, enum value_kind found);

#endif
