#include "database/lmdb_check.h"

#include "database/lmdb_index.h"
#include "database/lmdb_key.h"
#include "database/lmdb_read.h"
#include "database/lmdb_record.h"
#include "database/value.h"

enum { FREE_PAGES_DBI = 0 }; /* LMDB's own list of free pages */

struct check {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
        uint64_t position;
        uint64_t students;
        uint64_t activity_rows; /* that the records ask for */
        uint64_t severity_rows;
        uint64_t damaged;
};

typedef enum err (*entry_fn)(struct check *check, const MDB_val *key, const MDB_val *value);

static enum err walk(struct check *check, MDB_dbi dbi, entry_fn entry)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        enum err err = OK;
        int rc = mdb_cursor_open(check->txn, dbi, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while (err == OK && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                err = entry(check, &key, &value);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* ---- records ---- */

static bool whole_map(struct slice map)
{
        static const struct value_limits none = {SIZE_MAX, VALUE_DEPTH_MAX, UINT32_MAX};
        struct value head;

        return value_check(map, &none, NULL) == OK && value_of(map, &head) && head.kind == VALUE_MAP;
}

static bool ids_fit(const struct lmdb_key_parts *parts, const struct lmdb_record *record)
{
        struct slice id;

        if (!value_member_text(record->map, "id", &id) || !lmdb_part_is_of(parts->record, id))
                return false;
        return !lmdb_part_is_hash(parts->student) || lmdb_part_is_of(parts->student, record->student);
}

/* Counts a row that is asked for, and the damage when it is not there. */
static enum err want_row(struct check *check, MDB_dbi dbi, const struct lmdb_key *row, uint64_t *wanted)
{
        MDB_val key = lmdb_val(lmdb_key_slice(row));
        MDB_val none;
        int rc = mdb_get(check->txn, dbi, &key, &none);

        if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                return lmdb_err(rc);
        *wanted += rc == MDB_SUCCESS;
        check->damaged += rc == MDB_NOTFOUND;
        return OK;
}

static enum err check_index_rows(struct check *check, const struct lmdb_key_parts *parts, struct slice map)
{
        const struct record_table *table = lmdb_schema_table(check->schema, parts->table);
        struct lmdb_index_rows rows;
        enum err rc = OK;

        if (table == NULL)
                return OK;
        lmdb_index_rows_of(table, parts, map, &rows);
        if (rows.has_activity)
                rc = want_row(check, check->dbs->by_activity, &rows.activity, &check->activity_rows);
        if (rc == OK && rows.has_severity)
                rc = want_row(check, check->dbs->by_severity, &rows.severity, &check->severity_rows);
        return rc;
}

/* The student of a record is recorded: there is a record of the students' table under the same key parts. */
static enum err check_student(struct check *check, const struct lmdb_key_parts *parts)
{
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        int rc;

        if (slice_equal(parts->table, slice_str(check->schema->students->name))) {
                check->students++;
                check->damaged += !slice_equal(parts->student, parts->record);
                return OK;
        }
        lmdb_key_student(&key, parts->tenant, check->schema->students->name, parts->student);
        lmdb_key_add_record(&key, parts->student);
        at = lmdb_val(lmdb_key_slice(&key));
        rc = mdb_get(check->txn, check->dbs->records, &at, &stored);
        check->damaged += rc == MDB_NOTFOUND;
        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

static enum err check_record(struct check *check, const MDB_val *key, const MDB_val *value)
{
        struct lmdb_key_parts parts;
        struct lmdb_record record;
        enum err rc;

        if (!lmdb_key_split(lmdb_slice(*key), 0, &parts) || !lmdb_record_decode(lmdb_slice(*value), &record) ||
                !whole_map(record.map) || !ids_fit(&parts, &record) || record.version.n > check->position) {
                check->damaged++;
                return OK;
        }
        rc = check_student(check, &parts);
        return rc == OK ? check_index_rows(check, &parts, record.map) : rc;
}

/* ---- the rest ---- */

static enum err check_version(struct check *check, const MDB_val *key, const MDB_val *value)
{
        struct lmdb_key_parts parts;
        uint64_t position;

        if (!lmdb_key_split(lmdb_slice(*key), 0, &parts) || parts.record.len > 0 ||
                !lmdb_get_u64(lmdb_slice(*value), &position) || position > check->position)
                check->damaged++;
        return OK;
}

static enum err touch_entry(struct check *check, const MDB_val *key, const MDB_val *value)
{
        (void)check;
        (void)key;
        (void)value;
        return OK;
}

/* Each row that a record asks for was found, so an index with more rows than that has rows without a record. Walking it
 * shows that its pages can be read. */
static enum err check_index(struct check *check, MDB_dbi dbi, uint64_t wanted)
{
        MDB_stat stat;
        enum err rc = lmdb_err(mdb_stat(check->txn, dbi, &stat));

        if (rc == OK && stat.ms_entries > wanted)
                check->damaged += stat.ms_entries - wanted;
        return rc == OK ? walk(check, dbi, touch_entry) : rc;
}

static enum err check_all(struct check *check, uint64_t students)
{
        enum err rc = walk(check, FREE_PAGES_DBI, touch_entry);

        if (rc == OK)
                rc = walk(check, check->dbs->records, check_record);
        if (rc == OK)
                rc = walk(check, check->dbs->versions, check_version);
        if (rc == OK)
                rc = check_index(check, check->dbs->by_activity, check->activity_rows);
        if (rc == OK)
                rc = check_index(check, check->dbs->by_severity, check->severity_rows);
        check->damaged += check->students != students;
        return rc;
}

enum err lmdb_check(struct lmdb_env *env, const struct lmdb_schema *schema, bool deep, struct lmdb_counts *out)
{
        struct check check = {.dbs = lmdb_env_dbs(env), .schema = schema};
        MDB_stat stat;
        enum err rc;

        *out = (struct lmdb_counts){.students = 0};
        rc = lmdb_env_read_begin(env, &check.txn);
        if (rc != OK)
                return rc;
        check.position = lmdb_position(check.dbs, mdb_txn_id(check.txn)).n;
        rc = lmdb_meta_get(check.txn, check.dbs, LMDB_META_STUDENTS, &out->students);
        if (rc == OK)
                rc = lmdb_err(mdb_stat(check.txn, check.dbs->records, &stat));
        if (rc == OK)
                out->records = stat.ms_entries;
        if (rc == OK && deep)
                rc = check_all(&check, out->students);
        out->damaged = check.damaged;
        lmdb_env_read_end(env, &check.txn);
        return rc;
}
