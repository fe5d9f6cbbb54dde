/* Walking an index. A walk over all of it in one read transaction would pin every page that is freed meanwhile and hold
 * up the growth of the map, and a visitor that waits for a write would wait for ever. So rows are copied out in chunks,
 * each from a short read transaction of its own, and visited with none open; the next chunk goes on behind the last
 * key. What is written meanwhile may or may not be seen: an index row that moves can be seen twice or not at all. */
#include "base/mem.h"
#include "database/lmdb_index.h"
#include "database/lmdb_record.h"

struct found_row {
        size_t at; /* of the student's id in the chunk's ids */
        size_t len;
};

struct chunk {
        struct buf ids;
        size_t count;
        struct lmdb_key last; /* where the next chunk goes on */
        bool at_end;
        struct found_row rows[LMDB_SCAN_CHUNK];
};

struct walk {
        const struct source_scan *scan;
        const struct lmdb_dbs *dbs;
        const struct record_table *students;
        MDB_dbi dbi;
        size_t rank_len;
        struct lmdb_key run; /* what all rows of the tenant's table begin with */
};

/* The student of a row. An id whose hash alone is in the key stands in the student's own record. */
static enum err student_of(
        MDB_txn *txn, const struct walk *walk, const struct lmdb_key_parts *parts, struct slice *student)
{
        struct lmdb_key key;
        struct lmdb_record record;
        MDB_val at;
        MDB_val value;
        int rc;

        if (!lmdb_part_is_hash(parts->student))
                return OK;
        lmdb_key_student(&key, parts->tenant, walk->students->name, parts->student);
        lmdb_key_add_record(&key, parts->student);
        at = lmdb_val(lmdb_key_slice(&key));
        rc = mdb_get(txn, walk->dbs->records, &at, &value);
        if (rc != MDB_SUCCESS)
                return rc == MDB_NOTFOUND ? ERR_CORRUPT : lmdb_err(rc);
        if (!lmdb_record_decode(lmdb_slice(value), &record))
                return ERR_CORRUPT;
        *student = record.student;
        return OK;
}

static enum err add_row(MDB_txn *txn, const struct walk *walk, const MDB_val *key, struct chunk *chunk)
{
        struct found_row *row = &chunk->rows[chunk->count];
        struct lmdb_key_parts parts;
        char room[LMDB_UUID_TEXT];
        struct slice student;
        enum err rc;

        if (key->mv_size > sizeof(chunk->last.bytes) || !lmdb_key_split(lmdb_slice(*key), walk->rank_len, &parts))
                return ERR_CORRUPT;
        memcpy(chunk->last.bytes, key->mv_data, key->mv_size);
        chunk->last.len = key->mv_size;
        student = lmdb_part_id(parts.student, room);
        rc = student_of(txn, walk, &parts, &student);
        if (rc != OK)
                return rc;
        *row = (struct found_row){buf_len(&chunk->ids), student.len};
        rc = buf_append_slice(&chunk->ids, student);
        if (rc == OK)
                chunk->count++;
        return rc;
}

/* Stands on the first row behind chunk->last. */
static int seek(MDB_cursor *cursor, const struct chunk *chunk, MDB_val *key)
{
        MDB_val none;
        int rc;

        *key = lmdb_val(lmdb_key_slice(&chunk->last));
        rc = mdb_cursor_get(cursor, key, &none, MDB_SET_RANGE);
        if (rc == MDB_SUCCESS && slice_equal(lmdb_slice(*key), lmdb_key_slice(&chunk->last)))
                rc = mdb_cursor_get(cursor, key, &none, MDB_NEXT);
        return rc;
}

static enum err fill(MDB_txn *txn, const struct walk *walk, struct chunk *chunk)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val none;
        enum err err = OK;
        int rc = mdb_cursor_open(txn, walk->dbi, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        rc = seek(cursor, chunk, &key);
        while (rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &walk->run) &&
                chunk->count < LMDB_SCAN_CHUNK && err == OK) {
                err = add_row(txn, walk, &key, chunk);
                rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT);
        }
        chunk->at_end = rc != MDB_SUCCESS || !lmdb_key_has_prefix(lmdb_slice(key), &walk->run);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* False: the visitor has had enough. */
static bool visit(const struct walk *walk, const struct chunk *chunk)
{
        struct slice ids = buf_slice(&chunk->ids);

        for (size_t i = 0; i < chunk->count; i++) {
                const struct found_row *row = &chunk->rows[i];

                if (!walk->scan->visit(walk->scan->context, slice_of(ids.data + row->at, row->len)))
                        return false;
        }
        return true;
}

static enum err walk_chunks(struct lmdb_env *env, const struct walk *walk, struct chunk *chunk)
{
        chunk->last = walk->run;
        do {
                MDB_txn *txn;
                enum err rc = lmdb_env_read_begin(env, &txn);

                if (rc != OK)
                        return rc;
                chunk->count = 0;
                buf_truncate(&chunk->ids, 0);
                rc = fill(txn, walk, chunk);
                lmdb_env_read_end(env, &txn);
                if (rc != OK)
                        return rc;
        } while (visit(walk, chunk) && !chunk->at_end);
        return OK;
}

enum err lmdb_index_scan(
        struct lmdb_env *env, const struct lmdb_schema *schema, const struct source_scan *scan, struct err_msg *msg)
{
        bool by_activity = scan->index == INDEX_ACTIVITY;
        const char *field = by_activity ? scan->table->activity_field : scan->table->severity_field;
        struct walk walk = {.scan = scan, .dbs = lmdb_env_dbs(env), .students = schema->students};
        struct chunk *chunk;
        enum err rc;

        if (field == NULL)
                return err_set(msg, ERR_BADARG, "the table %s has no index by %s", scan->table->name,
                        by_activity ? "activity" : "severity");
        walk.dbi = by_activity ? walk.dbs->by_activity : walk.dbs->by_severity;
        walk.rank_len = by_activity ? LMDB_ACTIVITY_RANK : LMDB_SEVERITY_RANK;
        lmdb_key_start(&walk.run, scan->tenant, scan->table->name);
        chunk = vc_calloc(1, sizeof(*chunk));
        if (chunk == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        buf_init(&chunk->ids, 0);
        rc = walk_chunks(env, &walk, chunk);
        buf_deinit(&chunk->ids);
        vc_free(chunk);
        return rc == OK ? OK : err_set(msg, rc, "cannot walk the index: %s", err_text(rc));
}
