#include "database/lmdb_upgrade_rows.h"

#include "database/lmdb_format1.h"
#include "database/lmdb_index.h"
#include "database/lmdb_present.h"

void lmdb_upgrade_rows_init(struct lmdb_upgrade_rows *rows, const struct lmdb_schema *schema)
{
        *rows = (struct lmdb_upgrade_rows){.schema = schema};
        buf_init(&rows->map, 0);
        buf_init(&rows->stored, 0);
}

void lmdb_upgrade_rows_deinit(struct lmdb_upgrade_rows *rows)
{
        buf_deinit(&rows->map);
        buf_deinit(&rows->stored);
}

/* Leaves `record`, in its table's present form, in rows->stored. */
static enum err encode(
        struct lmdb_upgrade_rows *rows, const struct record_table *table, const struct lmdb_record *record)
{
        struct lmdb_record present = *record;
        enum err rc = OK;

        if (table != NULL) {
                rc = lmdb_present_map(table, record, &rows->map, &present.map);
                present.schema = table->schema;
        }
        buf_truncate(&rows->stored, 0);
        if (rc == OK)
                rc = buf_reserve(&rows->stored, lmdb_record_size(&present));
        if (rc != OK)
                return rc;
        lmdb_record_encode(&present, rows->stored.data + rows->stored.end);
        buf_added(&rows->stored, lmdb_record_size(&present));
        return OK;
}

/* ---- of this format ---- */

/* The record that an entry is, if it is of an older schema than its table's. */
static bool take_older(const struct lmdb_schema *schema, struct slice key, struct slice value,
        struct lmdb_record *record, const struct record_table **table)
{
        struct lmdb_key_parts parts;

        if (!lmdb_key_split(key, 0, &parts) || parts.record.len == 0 || !lmdb_record_decode(value, record))
                return false;
        *table = lmdb_schema_table(schema, parts.table);
        return *table != NULL && record->schema < (*table)->schema;
}

static bool is_record(const struct lmdb_rebuild_entry *entry)
{
        struct lmdb_key_parts parts;

        return strcmp(entry->part, "records") == 0 && lmdb_key_split(lmdb_slice(entry->key), 0, &parts) &&
               parts.record.len > 0;
}

bool lmdb_upgrade_rows_older(const struct lmdb_schema *schema, struct slice key, struct slice value)
{
        const struct record_table *table;
        struct lmdb_record record;

        return take_older(schema, key, value, &record, &table);
}

enum err lmdb_upgrade_rows_present(void *context, MDB_txn *out, const struct lmdb_rebuild_entry *entry)
{
        struct lmdb_upgrade_rows *rows = context;
        struct lmdb_rebuild_entry present = *entry;
        const struct record_table *table;
        struct lmdb_record record;
        enum err rc;

        rows->records += is_record(entry);
        if (strcmp(entry->part, "records") != 0 ||
                !take_older(rows->schema, lmdb_slice(entry->key), lmdb_slice(entry->value), &record, &table))
                return lmdb_rebuild_keep(out, entry);
        rc = encode(rows, table, &record);
        present.value = lmdb_val(buf_slice(&rows->stored));
        return rc == OK ? lmdb_rebuild_keep(out, &present) : rc;
}

/* ---- of format 1 ---- */

static enum err add_index_row(void *context, MDB_dbi dbi, const struct lmdb_key *row)
{
        MDB_val key = lmdb_val(lmdb_key_slice(row));
        MDB_val none = lmdb_val(slice_str(""));

        return lmdb_err(mdb_put(context, dbi, &key, &none, 0));
}

enum err lmdb_upgrade_rows_finish(struct lmdb_upgrade_rows *rows, MDB_txn *out)
{
        uint8_t bytes[LMDB_HEAD_SIZE];
        struct lmdb_key_parts parts;
        struct lmdb_index_place place;
        MDB_val key = lmdb_val(lmdb_key_slice(&rows->run));
        MDB_val value = lmdb_val(slice_of(bytes, sizeof(bytes)));
        enum err rc;

        if (rows->run.len == 0 || !lmdb_key_split(lmdb_key_slice(&rows->run), 0, &parts))
                return OK;
        lmdb_head_encode(&rows->head, bytes);
        rc = lmdb_err(mdb_put(out, rows->dbs.records, &key, &value, 0));
        if (rc != OK || rows->table == NULL)
                return rc;
        place = (struct lmdb_index_place){parts.tenant, rows->table->name, parts.student};
        return lmdb_index_rows(&rows->dbs, &place, &rows->head.ranks, add_index_row, out);
}

/* The run that the record belongs to: the one under way, or the next. */
static enum err enter_run(struct lmdb_upgrade_rows *rows, MDB_txn *out, const struct lmdb_format1_record *old)
{
        struct lmdb_key key;
        enum err rc;

        lmdb_key_student(&key, old->tenant, old->table, old->student);
        if (slice_equal(lmdb_key_slice(&key), lmdb_key_slice(&rows->run)))
                return OK;
        rc = lmdb_upgrade_rows_finish(rows, out);
        rows->run = key;
        rows->head = (struct lmdb_head){POSITION_NONE, LMDB_NO_RANKS};
        rows->table = lmdb_schema_table(rows->schema, slice_str(old->table));
        return rc;
}

static enum err put_record(struct lmdb_upgrade_rows *rows, MDB_txn *out, const struct lmdb_format1_record *old)
{
        const struct lmdb_record record = {
                .schema = old->schema,
                .version = old->version,
                .student = lmdb_id_is_hashed(old->student) ? old->student : SLICE_EMPTY,
                .map = old->map,
        };
        struct lmdb_key key = rows->run;
        struct lmdb_ranks ranks;
        MDB_val at;
        MDB_val value;
        enum err rc = encode(rows, rows->table, &record);

        if (rc != OK)
                return rc;
        lmdb_key_add_record(&key, old->id);
        at = lmdb_val(lmdb_key_slice(&key));
        value = lmdb_val(buf_slice(&rows->stored));
        rc = lmdb_err(mdb_put(out, rows->dbs.records, &at, &value, 0));
        if (rc == OK)
                rc = lmdb_ranks_stored(rows->table, &record, &ranks);
        if (rc != OK)
                return rc;
        rows->head.ranks = lmdb_ranks_with(&rows->head.ranks, &ranks);
        if (old->version.n > rows->head.position.n)
                rows->head.position = old->version;
        rows->records++;
        rows->students += rows->table == rows->schema->students;
        return OK;
}

/* What the new database does not say of itself: the schema numbers of tables that are no longer configured. */
static enum err keep_note(MDB_txn *out, const struct lmdb_rebuild_entry *entry)
{
        MDB_val key = entry->key;
        MDB_val value = entry->value;
        int rc = mdb_put(out, entry->to, &key, &value, MDB_NOOVERWRITE);

        return rc == MDB_KEYEXIST ? OK : lmdb_err(rc);
}

enum err lmdb_upgrade_rows_format1(void *context, MDB_txn *out, const struct lmdb_rebuild_entry *entry)
{
        struct lmdb_upgrade_rows *rows = context;
        struct lmdb_format1_record old;
        enum err rc;

        if (strcmp(entry->part, "meta") == 0)
                return keep_note(out, entry);
        if (!lmdb_format1_read(lmdb_slice(entry->key), lmdb_slice(entry->value), &old))
                return ERR_CORRUPT;
        rc = enter_run(rows, out, &old);
        return rc == OK ? put_record(rows, out, &old) : rc;
}

/* ---- from one run to the next ---- */

#define STUDENTS "students"
#define RECORDS  "records"
#define RUN      "run"
#define HEAD     "head"

enum err lmdb_upgrade_rows_save(const struct lmdb_upgrade_rows *rows, MDB_txn *out, MDB_dbi place)
{
        const struct lmdb_dbs numbers = {.meta = place};
        uint8_t head[LMDB_HEAD_SIZE];
        enum err rc = lmdb_meta_put(out, &numbers, STUDENTS, rows->students);

        if (rc == OK)
                rc = lmdb_meta_put(out, &numbers, RECORDS, rows->records);
        if (rc == OK)
                rc = lmdb_mark_put_bytes(out, place, RUN, lmdb_key_slice(&rows->run));
        lmdb_head_encode(&rows->head, head);
        return rc == OK ? lmdb_mark_put_bytes(out, place, HEAD, slice_of(head, sizeof(head))) : rc;
}

static enum err resume_run(struct lmdb_upgrade_rows *rows, struct slice run, struct slice head)
{
        struct lmdb_key_parts parts;

        if (run.len == 0)
                return OK;
        if (run.len > sizeof(rows->run.bytes) || !lmdb_key_split(run, 0, &parts) ||
                !lmdb_head_decode(head, &rows->head))
                return ERR_CORRUPT;
        memcpy(rows->run.bytes, run.data, run.len);
        rows->run.len = run.len;
        rows->table = lmdb_schema_table(rows->schema, parts.table);
        return OK;
}

enum err lmdb_upgrade_rows_resume(struct lmdb_upgrade_rows *rows, MDB_txn *out, MDB_dbi place)
{
        const struct lmdb_dbs numbers = {.meta = place};
        struct slice head = SLICE_EMPTY;
        struct slice run = SLICE_EMPTY;
        enum err rc = lmdb_meta_get(out, &numbers, STUDENTS, &rows->students);

        if (rc == OK)
                rc = lmdb_meta_get(out, &numbers, RECORDS, &rows->records);
        if (rc == OK)
                rc = lmdb_mark_get_bytes(out, place, RUN, &run);
        if (rc == OK)
                rc = lmdb_mark_get_bytes(out, place, HEAD, &head);
        return rc == OK ? resume_run(rows, run, head) : rc;
}
