#include "database/lmdb_meta.h"

#include "database/lmdb_record.h"

#include <stdio.h>

#define SCHEMA_PREFIX "schema/"

enum { NAME_MAX_ = sizeof(SCHEMA_PREFIX) + RECORD_NAME_MAX };

static const struct {
        const char *name;
        size_t offset;
} DBS[LMDB_DB_COUNT] = {
        {"meta", offsetof(struct lmdb_dbs, meta)},
        {"records", offsetof(struct lmdb_dbs, records)},
        {"by_activity", offsetof(struct lmdb_dbs, by_activity)},
        {"by_severity", offsetof(struct lmdb_dbs, by_severity)},
        {"merged", offsetof(struct lmdb_dbs, merged)},
};

enum err lmdb_meta_get(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *name, uint64_t *out)
{
        MDB_val key = lmdb_val(slice_str(name));
        MDB_val value;
        int rc = mdb_get(txn, dbs->meta, &key, &value);

        *out = 0;
        if (rc == MDB_NOTFOUND)
                return OK;
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        return lmdb_get_u64(lmdb_slice(value), out) ? OK : ERR_CORRUPT;
}

enum err lmdb_meta_put(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *name, uint64_t number)
{
        uint8_t bytes[8];
        MDB_val key = lmdb_val(slice_str(name));
        MDB_val value = lmdb_val(slice_of(bytes, sizeof(bytes)));

        lmdb_put_u64(bytes, number);
        return lmdb_err(mdb_put(txn, dbs->meta, &key, &value, 0));
}

/* An environment without our `meta` is new when it is empty, and somebody else's when it is not. */
static enum err check_empty(MDB_txn *txn, struct err_msg *msg)
{
        MDB_dbi main_db;
        MDB_stat stat;
        int rc = mdb_dbi_open(txn, NULL, 0, &main_db);

        if (rc == MDB_SUCCESS)
                rc = mdb_stat(txn, main_db, &stat);
        if (rc != MDB_SUCCESS)
                return err_set(msg, lmdb_err(rc), "cannot read it: %s", mdb_strerror(rc));
        if (stat.ms_entries > 0)
                return err_set(
                        msg, ERR_VERSION, "it is an LMDB database that vitalcache did not make; choose another folder");
        return OK;
}

static enum err open_dbs(MDB_txn *txn, struct lmdb_dbs *out, struct err_msg *msg)
{
        for (size_t i = 0; i < LMDB_DB_COUNT; i++) {
                MDB_dbi *dbi = (MDB_dbi *)(void *)((char *)out + DBS[i].offset);
                int rc = mdb_dbi_open(txn, DBS[i].name, MDB_CREATE, dbi);

                if (rc != MDB_SUCCESS)
                        return err_set(msg, lmdb_err(rc), "cannot open its part %s: %s", DBS[i].name, mdb_strerror(rc));
        }
        return OK;
}

enum err lmdb_meta_judge_format(uint64_t format, const char *folder, struct err_msg *msg)
{
        if (format < LMDB_FORMAT)
                return err_set(msg, ERR_VERSION,
                        "it is of format %llu and this release reads format %d; stop the server that uses it and run: "
                        "vitalcache upgrade --data %s",
                        (unsigned long long)format, LMDB_FORMAT, folder);
        if (format > LMDB_FORMAT)
                return err_set(msg, ERR_VERSION,
                        "it is of format %llu and this release reads format %d; use the release that wrote it",
                        (unsigned long long)format, LMDB_FORMAT);
        return OK;
}

static enum err check_format(MDB_txn *txn, const struct lmdb_dbs *dbs, bool is_new, struct err_msg *msg)
{
        const char *folder = "";
        uint64_t format;
        enum err rc;

        if (is_new)
                return lmdb_meta_put(txn, dbs, LMDB_META_FORMAT, LMDB_FORMAT);
        rc = lmdb_meta_get(txn, dbs, LMDB_META_FORMAT, &format);
        if (rc != OK)
                return err_set(msg, rc, "cannot read its format number: %s", err_text(rc));
        (void)mdb_env_get_path(mdb_txn_env(txn), &folder);
        return lmdb_meta_judge_format(format, folder, msg);
}

static void name_schema(char name[NAME_MAX_], const char *table)
{
        (void)snprintf(name, NAME_MAX_, SCHEMA_PREFIX "%s", table);
}

enum err lmdb_meta_schema(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *table, uint64_t *out)
{
        char name[NAME_MAX_];

        name_schema(name, table);
        return lmdb_meta_get(txn, dbs, name, out);
}

static enum err check_schema(
        MDB_txn *txn, const struct lmdb_dbs *dbs, const struct record_table *table, struct err_msg *msg)
{
        char name[NAME_MAX_];
        uint64_t stored;
        enum err rc = lmdb_meta_schema(txn, dbs, table->name, &stored);

        if (rc != OK)
                return err_set(msg, rc, "cannot read the schema number of its table %s: %s", table->name, err_text(rc));
        if (stored == table->schema)
                return OK;
        if (stored > table->schema)
                return err_set(msg, ERR_VERSION,
                        "its table %s was written with schema %llu and the configuration has schema %u; use the "
                        "configuration of the release that wrote it, or a newer one",
                        table->name, (unsigned long long)stored, table->schema);
        if (stored != 0 && stored + 1 != table->schema)
                return err_set(msg, ERR_VERSION,
                        "its table %s was written with schema %llu; the configuration has schema %u, which reads %u "
                        "and %u; "
                        "start a release of schema %llu first",
                        table->name, (unsigned long long)stored, table->schema, table->schema - 1, table->schema,
                        (unsigned long long)stored + 1);
        name_schema(name, table->name);
        return lmdb_meta_put(txn, dbs, name, table->schema);
}

enum err lmdb_meta_open(MDB_txn *txn, const struct lmdb_schema *schema, struct lmdb_dbs *out, struct err_msg *msg)
{
        MDB_dbi meta;
        int found = mdb_dbi_open(txn, DBS[0].name, 0, &meta);
        enum err rc = OK;

        if (found != MDB_SUCCESS && found != MDB_NOTFOUND && found != MDB_INCOMPATIBLE)
                return err_set(msg, lmdb_err(found), "cannot read it: %s", mdb_strerror(found));
        if (found != MDB_SUCCESS)
                rc = check_empty(txn, msg);
        if (rc == OK)
                rc = open_dbs(txn, out, msg);
        if (rc == OK)
                rc = check_format(txn, out, found != MDB_SUCCESS, msg);
        for (uint32_t i = 0; rc == OK && i < schema->table_count; i++)
                rc = check_schema(txn, out, schema->tables[i], msg);
        if (rc == OK && lmdb_meta_get(txn, out, LMDB_META_PAST, &out->past) != OK)
                rc = err_set(msg, ERR_CORRUPT, "cannot read how many positions it has passed");
        return rc;
}

enum err lmdb_meta_tables(MDB_txn *txn, const struct lmdb_dbs *dbs, lmdb_table_fn visit, void *context)
{
        const struct slice prefix = slice_str(SCHEMA_PREFIX);
        MDB_val key = lmdb_val(prefix);
        MDB_val value;
        MDB_cursor *cursor;
        enum err err = OK;
        int rc = mdb_cursor_open(txn, dbs->meta, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        while (rc == MDB_SUCCESS && err == OK) {
                char name[NAME_MAX_] = "";
                struct slice stored = lmdb_slice(key);

                if (stored.len < prefix.len || memcmp(stored.data, prefix.data, prefix.len) != 0)
                        break;
                if (stored.len - prefix.len >= sizeof(name)) {
                        err = ERR_CORRUPT;
                        break;
                }
                memcpy(name, stored.data + prefix.len, stored.len - prefix.len);
                err = visit(context, name);
                rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}
