#include "database/lmdb_index.h"

#include "base/hash.h"
#include "database/lmdb_record.h"
#include "database/record.h"

enum { NO_RANK = 0xff }; /* sorts behind every word */

const struct record_table *lmdb_schema_table(const struct lmdb_schema *schema, struct slice name)
{
        for (uint32_t i = 0; i < schema->table_count; i++)
                if (slice_equal(name, slice_str(schema->tables[i]->name)))
                        return schema->tables[i];
        return NULL;
}

/* ---- what a record is indexed as ---- */

/* One byte that sorts the highest rank first. */
static uint8_t rank_byte(const struct record_table *table, const char *field, struct slice map)
{
        int rank = field == NULL ? -1 : record_word_rank(record_table_field(table, field), map);

        return rank < 0 || rank >= NO_RANK ? NO_RANK : (uint8_t)(NO_RANK - 1 - rank);
}

static void start_row(
        struct lmdb_key *key, const struct record_table *table, const struct lmdb_key_parts *parts, struct slice rank)
{
        lmdb_key_start(key, parts->tenant, table->name);
        lmdb_key_add_rank(key, rank.data, rank.len);
        lmdb_key_add_student(key, parts->student);
        lmdb_key_add_record(key, parts->record);
}

void lmdb_index_rows_of(const struct record_table *table, const struct lmdb_key_parts *parts, struct slice map,
        struct lmdb_index_rows *out)
{
        struct datetime when;
        uint8_t rank[LMDB_ACTIVITY_RANK];

        out->has_activity = table->activity_field != NULL && record_time(map, table->activity_field, &when);
        if (out->has_activity) {
                datetime_sortable(&when, rank);
                for (size_t i = 0; i < sizeof(rank); i++)
                        rank[i] = (uint8_t)~rank[i]; /* newest first */
                start_row(&out->activity, table, parts, slice_of(rank, LMDB_ACTIVITY_RANK));
        }
        out->has_severity = table->severity_field != NULL;
        if (out->has_severity) {
                rank[0] = rank_byte(table, table->status_field, map);
                rank[1] = rank_byte(table, table->severity_field, map);
                start_row(&out->severity, table, parts, slice_of(rank, LMDB_SEVERITY_RANK));
        }
}

/* ---- writing ---- */

static bool same_key(const struct lmdb_key *a, const struct lmdb_key *b)
{
        return slice_equal(lmdb_key_slice(a), lmdb_key_slice(b));
}

/* Replaces the row `old` by `fresh` in one index; NULL: none. */
static enum err replace_row(MDB_txn *txn, MDB_dbi dbi, const struct lmdb_key *old, const struct lmdb_key *fresh)
{
        MDB_val none = lmdb_val(slice_str(""));
        MDB_val key;
        int rc = MDB_SUCCESS;

        if (old != NULL && fresh != NULL && same_key(old, fresh))
                return OK;
        if (old != NULL) {
                key = lmdb_val(lmdb_key_slice(old));
                rc = mdb_del(txn, dbi, &key, NULL);
        }
        if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                return lmdb_err(rc);
        if (fresh == NULL)
                return OK;
        key = lmdb_val(lmdb_key_slice(fresh));
        return lmdb_err(mdb_put(txn, dbi, &key, &none, 0));
}

enum err lmdb_index_replace(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_index_rows *old,
        const struct lmdb_index_rows *fresh)
{
        enum err rc = replace_row(txn, dbs->by_activity, old != NULL && old->has_activity ? &old->activity : NULL,
                fresh != NULL && fresh->has_activity ? &fresh->activity : NULL);

        if (rc != OK)
                return rc;
        return replace_row(txn, dbs->by_severity, old != NULL && old->has_severity ? &old->severity : NULL,
                fresh != NULL && fresh->has_severity ? &fresh->severity : NULL);
}

/* ---- building anew ---- */

static uint64_t mix(uint64_t print, const char *text)
{
        return hash64(text == NULL ? SLICE_EMPTY : slice_of(text, strlen(text) + 1), print);
}

static uint64_t mix_ranks(uint64_t print, const struct record_table *table, const char *field)
{
        const struct record_field *f = field == NULL ? NULL : record_table_field(table, field);

        print = mix(print, field);
        for (size_t i = 0; f != NULL && f->words != NULL && f->words[i] != NULL; i++)
                print = mix(print, f->words[i]);
        return print;
}

/* Changes whenever index rows of the same records would be others. */
static uint64_t fingerprint(const struct lmdb_schema *schema)
{
        uint64_t print = 1;

        for (uint32_t i = 0; i < schema->table_count; i++) {
                const struct record_table *table = schema->tables[i];

                print = mix(print, table->name);
                print = mix(print, table->activity_field);
                print = mix_ranks(print, table, table->status_field);
                print = mix_ranks(print, table, table->severity_field);
        }
        return print;
}

static enum err index_record(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_schema *schema,
        const MDB_val *key, const MDB_val *value)
{
        struct lmdb_key_parts parts;
        struct lmdb_record record;
        struct lmdb_index_rows rows;
        const struct record_table *table;

        if (!lmdb_key_split(lmdb_slice(*key), 0, &parts) || !lmdb_record_decode(lmdb_slice(*value), &record))
                return ERR_CORRUPT;
        table = lmdb_schema_table(schema, parts.table);
        if (table == NULL)
                return OK;
        lmdb_index_rows_of(table, &parts, record.map, &rows);
        return lmdb_index_replace(txn, dbs, NULL, &rows);
}

struct rebuild {
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
};

static enum err index_all(MDB_txn *txn, const struct rebuild *work)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        enum err err = OK;
        int rc = mdb_cursor_open(txn, work->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while (err == OK && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                err = index_record(txn, work->dbs, work->schema, &key, &value);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

static enum err rebuild(MDB_txn *txn, void *context, struct err_msg *msg)
{
        struct rebuild *work = context;
        uint64_t print = fingerprint(work->schema);
        uint64_t built;
        enum err rc = lmdb_meta_get(txn, work->dbs, LMDB_META_INDEXES, &built);

        if (rc == OK && built == print)
                return OK;
        if (rc == OK)
                rc = lmdb_err(mdb_drop(txn, work->dbs->by_activity, 0));
        if (rc == OK)
                rc = lmdb_err(mdb_drop(txn, work->dbs->by_severity, 0));
        if (rc == OK)
                rc = index_all(txn, work);
        if (rc == OK)
                rc = lmdb_meta_put(txn, work->dbs, LMDB_META_INDEXES, print);
        return rc == OK ? OK : err_set(msg, rc, "cannot build the indexes: %s", err_text(rc));
}

enum err lmdb_index_ensure(struct lmdb_env *env, const struct lmdb_schema *schema, struct err_msg *msg)
{
        struct rebuild work = {lmdb_env_dbs(env), schema};

        return lmdb_env_update(env, rebuild, &work, msg);
}
