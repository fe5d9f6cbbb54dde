/* One field of a record: its declaration, and whether a value fits it. What database/record.c is made of; others use
 * database/record.h. Pure; any thread. */
#ifndef DATABASE_RECORD_FIELD_H
#define DATABASE_RECORD_FIELD_H

#include "database/record_type.h"
#include "database/value.h"

/* The declared field `name` of a table; NULL when there is none. */
const struct record_field *record_field_find(const struct record_table *table, struct slice name);

/* The rank of a word of a FIELD_WORD, 0 for the first declared; -1 when it is none of them. */
int record_field_rank(const struct record_field *field, struct slice word);

/* Whether the item fits the field. ERR_BADVALUE says what would be right, without the value, which may be
 * a patient's; the field is for the caller to name. */
enum err record_field_check(const struct record_field *field, struct slice item, struct err_msg *msg) MUST_CHECK;

/* "must be <wanted>, not <found>"; returns ERR_BADVALUE. */
enum err record_field_wrong_kind(struct err_msg *msg, const char *wanted, enum value_kind found);

#endif
