/* The upgrade of a database: its records written into a new one, in this release's format and in their tables' present
 * schema.
 *
 * A copy, and not a change in place: the old database stays as it is until the new one is complete and checked, so no
 * release ever meets a half. The copy is made in transactions of bounded size, each of them durable and with a mark of
 * how far it came: a run that was killed is gone on with behind the newest, if the old database, the record types and
 * the release are the same (database/lmdb_mark.h). */
#ifndef DATABASE_LMDB_UPGRADE_H
#define DATABASE_LMDB_UPGRADE_H

#include "database/lmdb_source.h"

/* What there is to do. */
struct lmdb_upgrade_survey {
        uint64_t format;
        uint64_t position;
        uint64_t students;
        uint64_t records;
        uint64_t schemas; /* fingerprint of the tables' schema numbers */
        uint64_t older;   /* records that would be written in another form */
        bool needed;
};

/* Looks at the database in `folder`, which nobody may be writing. ERR_VERSION: a newer release wrote it, or one that is
 * too old, and which one would be right; errors as lmdb_image_look. */
enum err lmdb_upgrade_look(const char *folder, const struct lmdb_schema *schema, struct lmdb_upgrade_survey *out,
        struct err_msg *msg) MUST_CHECK;

/* Is told how it goes, on the thread that copies. */
struct lmdb_upgrade_watch {
        void (*goes_on)(void *context, uint64_t records);    /* behind so many that a run that was killed has copied */
        void (*begins_anew)(void *context, const char *why); /* what that one has left was of no use, and is gone */
        void (*copied)(void *context, uint64_t records);     /* so many are durable */
        void *context;
};

struct lmdb_upgrade_plan {
        const char *from;
        const char *to;
        const struct lmdb_schema *schema;
        const struct lmdb_upgrade_survey *survey; /* of `from` */
        const struct lmdb_upgrade_watch *watch;   /* NULL: nobody */
        size_t step_bytes;                        /* of a transaction; 0: some megabytes */
};

/* Records that were copied. */
struct lmdb_upgrade_copied {
        uint64_t before; /* by runs that were killed */
        uint64_t now;
};

/* Writes the database of `from`, in its present form, into the folder `to`, or goes on with what is there; what cannot
 * be gone on with is removed. As lmdb_rebuild. */
enum err lmdb_upgrade_copy(
        const struct lmdb_upgrade_plan *plan, struct lmdb_upgrade_copied *result, struct err_msg *msg) MUST_CHECK;

#endif
