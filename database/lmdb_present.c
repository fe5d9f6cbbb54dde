#include "database/lmdb_present.h"

#include "database/record.h"

enum err lmdb_present_map(
        const struct record_table *table, const struct lmdb_record *record, struct buf *made, struct slice *map)
{
        enum err rc = OK;

        *map = record->map;
        if (record->schema >= table->schema)
                return OK;
        buf_truncate(made, 0);
        rc = record_upgrade(table, record->schema, record->map, made);
        *map = buf_slice(made);
        return rc;
}

enum err lmdb_present_matches(const struct record_table *table, const struct lmdb_record *record,
        const struct record_condition *condition, bool *out)
{
        struct slice map;
        struct buf made;
        enum err rc;

        buf_init(&made, 0);
        rc = lmdb_present_map(table, record, &made, &map);
        *out = rc == OK && record_matches(condition, map);
        buf_deinit(&made);
        return rc;
}
