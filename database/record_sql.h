/* Record types, what only PostgreSQL needs of them: the SQL that reads them, the relations whose changes make them
 * stale, and what else than a student a key can be of. Immutable once loaded: any thread reads without a lock. */
#ifndef DATABASE_RECORD_SQL_H
#define DATABASE_RECORD_SQL_H

#include "base/err.h"
#include "base/slice.h"
#include "database/tag.h"

/* A query as the files have it: $1 is an array of ids. */
struct record_sql {
        const char *text;  /* NULL: there is none */
        const char *place; /* "file:line:column" of it, or of what it was made from; for messages */
        bool made;         /* nobody wrote it: it follows from the relations */
};

/* One relation whose changes touch tags of a table. A relation that says whose its rows are in several ways (a student,
 * a school) is there once for each. */
struct record_relation {
        const char *name;    /* with its schema, as in SQL: public.allergies */
        const char *subject; /* what the column names one of: "student", "school"; NULL: every change touches the whole
                                table (the tag of all of it) */
        const char *column;  /* its bare name; NULL with `subject` */
        const char *place;   /* "file:line:column" */
};

struct record_table;
struct record_types;

/* What the id of a key is one of. */
struct record_subject {
        const char *name;         /* "student", or as declared: "school" */
        struct record_sql exists; /* the ids of $1 that there are, one column; none: whatever is asked for exists */
        const struct record_table *table; /* whose changes decide that; NULL: none */
};

/* The students' subject first; then those declared. */
uint32_t record_types_subject_count(const struct record_types *types);
const struct record_subject *record_types_subject_at(const struct record_types *types, uint32_t index);

/* The subject of that name, or NULL. */
const struct record_subject *record_types_subject(const struct record_types *types, struct slice name);

/* Whether ids of the subject can be `id`; an empty name is the students'. ERR_BADARG names the nearest subject;
 * ERR_BADKEY as record_id_check. */
enum err record_subject_check(
        const struct record_types *types, struct slice name, struct slice id, struct err_msg *msg) MUST_CHECK;

/* How tags of one table and id of a type's subject are made (record_type.subject; NULL: a student). */
static inline enum tag_kind record_subject_tag(const struct record_subject *subject)
{
        return subject == NULL ? TAG_STUDENT_TABLE : TAG_CONTAINER;
}

/* What such a tag has as its subject: empty for a student's. */
static inline struct slice record_subject_name(const struct record_subject *subject)
{
        return subject == NULL ? SLICE_EMPTY : slice_str(subject->name);
}

/* Whether each of the types can be served by the embedded database: they are of students, and of tables with fields.
 * ERR_CONFIG names the first that cannot, and its place. */
enum err record_types_check_embedded(const struct record_types *types, struct err_msg *msg) MUST_CHECK;

/* Whether each can be served by PostgreSQL: it has its SQL, each of its parts too, and how to tell whether a student
 * exists is known. ERR_CONFIG names the first that cannot, and its place. */
enum err record_types_check_postgres(const struct record_types *types, struct err_msg *msg) MUST_CHECK;

#endif
