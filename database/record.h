/* Records: values that fit the declared fields of their table (database/record_type.h). What clients and importers send
 * passes here once, on its way to the source; what is stored is the normal form, in which equal records have equal
 * bytes:
 *   - every msgpack head in its shortest form, members in the order given;
 *   - `id` is there; `student` is not (the key says whose record it is);
 *   - a declared field that is null is left out; members that are not declared survive as they are;
 *   - what the record does not say and the table presets stands behind the other members;
 *   - the field of kind original, if the table has one, is not in it: it goes beside the record.
 *
 * Values must have passed value_check. Messages quote what the sender sent; they go to the sender and nowhere else. All
 * calls are pure but for the buffer they append to and the randomness they are given; any thread. */
#ifndef DATABASE_RECORD_H
#define DATABASE_RECORD_H

#include "database/datetime.h"
#include "database/record_type.h"
#include "database/reject.h"
#include "database/value.h"

/* What a PUT brings. */
struct record_put {
        const struct record_type *type;
        struct slice id;    /* the key's: the student */
        struct slice value; /* a map (RECORD_ONE) or a list of maps (RECORD_LIST) */
        enum err (*random)(
                void *out, size_t len); /* makes ids for records that bring none: random_bytes, or a test's */
};

/* Checks and appends the normal form: a map, or a list of maps with distinct ids. ERR_BADVALUE names the place and
 * what would be right, never the value: `allergies[2].severity: not one of UNKNOWN, MILD, …`. ERR_READONLY for a
 * composite names its parts. ERR_NOMEM, ERR_IO (no randomness), errors of buf_append. *out is then as before. */
enum err record_normalise(const struct record_put *put, struct buf *out, struct err_msg *msg) MUST_CHECK;

/* ERR_READONLY for a composite, naming its parts; OK for types with a table of their own. */
enum err record_check_writable(const struct record_type *type, struct err_msg *msg) MUST_CHECK;

/* One row of an IMPORT. */
struct record_row {
        const struct record_table *table;
        enum id_kind student_kind; /* canonical form of the student's id */
        bool is_student;           /* the table is the students': `student` may be left out, and must equal `id` */
        uint32_t index;            /* in the list, for messages */
        struct slice row;          /* a map with "student" and "id" */
        /* set on success; borrow from `row` */
        struct slice student;
        struct slice id;
        struct slice original; /* the text of the table's field of kind original; empty: the row brought none */
        /* set after ERR_BADVALUE */
        struct reject reject;
};

/* Checks the row and appends its record in normal form. ERR_BADVALUE names the place (`rows[17].onset: …`), also for an
 * id that is not canonical; ERR_NOMEM and errors of buf_append. *out is then as before. */
enum err record_from_row(struct record_row *row, struct buf *out, struct err_msg *msg) MUST_CHECK;

/* The declared field `name` of a table; NULL when there is none. */
const struct record_field *record_table_field(const struct record_table *table, const char *name);

/* The rank of the record's word in the field, 0 for the first declared; -1 when the record has no such word. */
int record_word_rank(const struct record_field *field, struct slice record);

/* The moment in the record's date or instant field `name`. False when the record has none that can be read. */
bool record_time(struct slice record, const char *name, struct datetime *out) MUST_CHECK;

/* What a date, instant or word field puts the record in order by: its moment or its rank, the greater before the less;
 * INT64_MIN when the record does not say. */
int64_t record_order(const struct record_field *field, struct slice record);

/* Brings the map of a record that was written by the schema number `from`, an older one, to the form of the table's own
 * number: fields that had another name get their present one (unless the record has a member of that name already:
 * then both stay), then what it does not say is preset. Nothing else changes, and no rule refuses it: what was stored
 * stays readable. Appends to *out; ERR_CORRUPT when `map` is none, errors of buf_append. Pure; any thread. */
enum err record_upgrade(const struct record_table *table, uint32_t from, struct slice map, struct buf *out) MUST_CHECK;

/* Appends what the present form of the table's older records depends on: bytes that no other definition has. Errors as
 * buf_append. */
enum err record_table_def(const struct record_table *table, struct buf *out) MUST_CHECK;

#endif
