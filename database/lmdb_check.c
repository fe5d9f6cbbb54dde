#include "database/lmdb_check.h"

#include "database/lmdb_head.h"
#include "database/lmdb_key.h"
#include "database/lmdb_merge.h"
#include "database/lmdb_record.h"
#include "database/value.h"

enum { FREE_PAGES_DBI = 0 }; /* LMDB's own list of free pages */

struct check {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
        uint64_t position;
        uint64_t students;
        uint64_t records;
        uint64_t activity_rows; /* that the records ask for */
        uint64_t severity_rows;
        uint64_t damaged;
        /* the run of records that the walk is in */
        struct lmdb_key run; /* of no bytes before the first */
        struct lmdb_head head;
        struct lmdb_ranks ranks; /* of the records seen so far */
        const struct record_table *table;
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
static enum err want_row(void *context, MDB_dbi dbi, const struct lmdb_key *row)
{
        struct check *check = context;
        MDB_val key = lmdb_val(lmdb_key_slice(row));
        MDB_val none;
        int rc = mdb_get(check->txn, dbi, &key, &none);

        if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                return lmdb_err(rc);
        check->damaged += rc == MDB_NOTFOUND;
        if (dbi == check->dbs->by_activity)
                check->activity_rows += rc == MDB_SUCCESS;
        else
                check->severity_rows += rc == MDB_SUCCESS;
        return OK;
}

/* All records of the run have been seen: the head has their ranks, and the indexes have rows of them. */
static enum err finish_run(struct check *check)
{
        struct lmdb_key_parts parts;
        struct lmdb_index_place place;

        if (check->run.len == 0 || check->table == NULL || !lmdb_key_split(lmdb_key_slice(&check->run), 0, &parts))
                return OK;
        check->damaged += memcmp(&check->ranks, &check->head.ranks, sizeof(check->ranks)) != 0;
        place = (struct lmdb_index_place){parts.tenant, check->table->name, parts.student};
        return lmdb_index_rows(check->dbs, &place, &check->ranks, want_row, check);
}

static enum err begin_run(
        struct check *check, struct slice key, const struct lmdb_key_parts *parts, struct slice stored)
{
        enum err rc = finish_run(check);

        lmdb_key_start_as(&check->run, key, key);
        check->ranks = LMDB_NO_RANKS;
        check->head = (struct lmdb_head){POSITION_NONE, LMDB_NO_RANKS};
        check->table = lmdb_schema_table(check->schema, parts->table);
        check->damaged += !lmdb_head_decode(stored, &check->head) || check->head.position.n > check->position;
        return rc;
}

static enum err is_merged(const struct check *check, const struct lmdb_key_parts *parts, bool *out)
{
        struct lmdb_merge_id root;
        enum err rc = lmdb_merge_root(check->txn, check->dbs, parts->tenant, parts->student, &root);

        *out = !slice_equal(lmdb_merge_slice(&root), parts->student);
        return rc;
}

/* The student of a record is recorded: there is a record of the students' table under the same key parts. */
static enum err check_student(struct check *check, const struct lmdb_key_parts *parts)
{
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        bool merged;
        enum err rc;
        int found;

        if (slice_equal(parts->table, slice_str(check->schema->students->name))) {
                check->damaged += !slice_equal(parts->student, parts->record);
                rc = is_merged(check, parts, &merged);
                check->students += rc == OK && !merged;
                return rc;
        }
        if (check->schema->merges != NULL && slice_equal(parts->table, slice_str(check->schema->merges->name))) {
                rc = is_merged(check, parts, &merged);
                check->damaged += rc == OK && !merged;
                return rc;
        }
        lmdb_key_student(&key, parts->tenant, check->schema->students->name, parts->student);
        lmdb_key_add_record(&key, parts->student);
        at = lmdb_val(lmdb_key_slice(&key));
        found = mdb_get(check->txn, check->dbs->records, &at, &stored);
        check->damaged += found == MDB_NOTFOUND;
        return found == MDB_NOTFOUND ? OK : lmdb_err(found);
}

static enum err check_record(
        struct check *check, struct slice key, const struct lmdb_key_parts *parts, struct slice stored)
{
        struct lmdb_record record;
        struct lmdb_ranks ranks;
        enum err rc;

        check->records++;
        if (!lmdb_record_decode(stored, &record) || !whole_map(record.map) || !ids_fit(parts, &record) ||
                record.version.n > check->position || !lmdb_key_has_prefix(key, &check->run)) {
                check->damaged++;
                return OK;
        }
        rc = lmdb_ranks_stored(check->table, &record, &ranks);
        check->ranks = lmdb_ranks_with(&check->ranks, &ranks);
        return rc == OK ? check_student(check, parts) : rc;
}

static enum err check_entry(struct check *check, const MDB_val *at, const MDB_val *value)
{
        struct slice key = lmdb_slice(*at);
        struct lmdb_key_parts parts;

        if (key.len > LMDB_KEY_MAX || !lmdb_key_split(key, 0, &parts)) {
                check->damaged++;
                return OK;
        }
        if (parts.record.len == 0)
                return begin_run(check, key, &parts, lmdb_slice(*value));
        return check_record(check, key, &parts, lmdb_slice(*value));
}

/* ---- the rest ---- */

static enum err touch_entry(struct check *check, const MDB_val *key, const MDB_val *value)
{
        (void)check;
        (void)key;
        (void)value;
        return OK;
}

static enum err check_merge(struct check *check, const MDB_val *key, const MDB_val *value)
{
        bool fits;
        enum err rc = lmdb_merge_fits(check->txn, check->dbs, lmdb_slice(*key), lmdb_slice(*value), &fits);

        check->damaged += rc == OK && !fits;
        return rc;
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

static enum err check_all(struct check *check, const struct lmdb_counts *counts)
{
        enum err rc = walk(check, FREE_PAGES_DBI, touch_entry);

        if (rc == OK)
                rc = walk(check, check->dbs->records, check_entry);
        if (rc == OK)
                rc = finish_run(check);
        if (rc == OK)
                rc = walk(check, check->dbs->merged, check_merge);
        if (rc == OK)
                rc = check_index(check, check->dbs->by_activity, check->activity_rows);
        if (rc == OK)
                rc = check_index(check, check->dbs->by_severity, check->severity_rows);
        check->damaged += check->students != counts->students;
        check->damaged += check->records != counts->records;
        return rc;
}

enum err lmdb_check(struct lmdb_env *env, const struct lmdb_schema *schema, bool deep, struct lmdb_counts *out)
{
        struct check check = {.dbs = lmdb_env_dbs(env), .schema = schema};
        enum err rc;

        *out = (struct lmdb_counts){.students = 0};
        rc = lmdb_env_read_begin(env, &check.txn);
        if (rc != OK)
                return rc;
        check.position = lmdb_position(check.dbs, mdb_txn_id(check.txn)).n;
        rc = lmdb_meta_get(check.txn, check.dbs, LMDB_META_STUDENTS, &out->students);
        if (rc == OK)
                rc = lmdb_meta_get(check.txn, check.dbs, LMDB_META_RECORDS, &out->records);
        if (rc == OK && deep)
                rc = check_all(&check, out);
        out->damaged = check.damaged;
        lmdb_env_read_end(env, &check.txn);
        return rc;
}
