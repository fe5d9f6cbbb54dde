/* The upgrade of a database: its records written into a new one, in this release's format and in their tables' present
 * schema.
 *
 * A copy, and not a change in place: the old database stays as it is until the new one is complete and checked, so no
 * release ever meets a half, and a run that was killed is simply begun again. The copy is made in transactions of
 * bounded size. */
#ifndef DATABASE_LMDB_UPGRADE_H
#define DATABASE_LMDB_UPGRADE_H

#include "database/lmdb_source.h"

/* What there is to do. */
struct lmdb_upgrade_survey {
        uint64_t format;
        uint64_t position;
        uint64_t students;
        uint64_t records;
        uint64_t older; /* records that would be written in another form */
        bool needed;
};

/* Looks at the database in `folder`, which nobody may be writing. ERR_VERSION: a newer release wrote it, or one that is
 * too old, and which one would be right; errors as lmdb_image_look. */
enum err lmdb_upgrade_look(const char *folder, const struct lmdb_schema *schema, struct lmdb_upgrade_survey *out,
        struct err_msg *msg) MUST_CHECK;

struct lmdb_upgrade_plan {
        const char *from;
        const char *to;
        const struct lmdb_schema *schema;
        const struct lmdb_upgrade_survey *survey; /* of `from` */
};

/* Writes the database of `from`, in its present form, into the folder `to`; as lmdb_rebuild. */
enum err lmdb_upgrade_copy(const struct lmdb_upgrade_plan *plan, struct err_msg *msg) MUST_CHECK;

#endif
