/* A walk over all records in one read transaction would pin every page that is freed meanwhile, hold up the growth of
 * the map, and wait for ever when its visitor waits for a write. So rows are copied out in chunks, each from a short
 * read transaction of its own, and visited with none open; the next chunk goes on behind the last key.
 *
 * A student's records of all tables do not stand together: the keys are by table first. They are found by leaping: from
 * whatever key the cursor stands on to the student's place in that table, and from there to the next table. */
#include "database/lmdb_walk.h"

#include "base/mem.h"
#include "database/lmdb_index.h"
#include "database/lmdb_key.h"
#include "database/lmdb_merge.h"
#include "database/lmdb_present.h"
#include "database/source_write.h"
#include "database/value.h"

enum { CHUNK_ROWS = 256, CHUNK_BYTES = 1 << 16 };

/* Where a copied row's parts stand in the chunk's bytes, one behind the other. */
struct copied {
        size_t at;
        size_t key_len;
        size_t student_len; /* 0: it stands in the key */
        size_t id_len;      /* 0: likewise */
        size_t map_len;
        struct original original; /* its bytes stand behind the map */
};

struct walk {
        struct lmdb_env *env;
        struct original_work work;
        const struct lmdb_schema *schema;
        const struct source_walk *what;
        struct buf made;      /* the present form of an older record */
        struct slice student; /* whose records what->student stands for */
        struct lmdb_merge_id root;
        struct buf merged;    /* ids that were merged into that one, whose own records are met as well */
        struct lmdb_key run;  /* what the keys of all rows begin with */
        struct lmdb_key last; /* the chunk after this goes on behind it */
        bool past_last;       /* `last` itself is a row that was visited */
        bool at_end;
        struct buf bytes;
        struct buf text; /* the original of the row being visited */
        size_t count;
        struct copied rows[CHUNK_ROWS];
};

/* ---- which keys ---- */

static void begin(struct walk *w, struct slice after)
{
        const struct source_walk *what = w->what;

        lmdb_key_start_tenant(&w->run, what->tenant);
        if (what->table != NULL)
                lmdb_key_start(&w->run, what->tenant, what->table);
        if (what->table != NULL && w->student.len > 0)
                lmdb_key_add_student(&w->run, w->student);
        w->last = w->run;
        w->past_last = slice_compare(after, lmdb_key_slice(&w->run)) > 0;
        if (w->past_last)
                lmdb_key_start_as(&w->last, after, after);
}

static enum err read_merges(struct walk *w, MDB_txn *txn)
{
        const struct lmdb_dbs *dbs = lmdb_env_dbs(w->env);
        enum err rc = lmdb_merge_root(txn, dbs, w->what->tenant, w->student, &w->root);

        if (rc != OK || w->what->table != NULL)
                return rc;
        return lmdb_merge_list(txn, dbs, w->what->tenant, lmdb_merge_slice(&w->root), &w->merged);
}

static enum err resolve(struct walk *w, struct err_msg *msg)
{
        MDB_txn *txn;
        enum err rc;

        w->student = w->what->student;
        if (w->student.len == 0 || !lmdb_env_has_merges(w->env))
                return OK;
        rc = lmdb_env_read_begin(w->env, &txn);
        if (rc == OK) {
                rc = read_merges(w, txn);
                lmdb_env_read_end(w->env, &txn);
        }
        w->student = lmdb_merge_slice(&w->root);
        return rc == OK ? OK : err_set(msg, rc, "cannot read whom the student was merged into: %s", err_text(rc));
}

/* Moves the cursor to the first key at or behind *at. */
static int seek(MDB_cursor *cursor, const struct lmdb_key *at, MDB_val *key, MDB_val *value)
{
        *key = lmdb_val(lmdb_key_slice(at));
        return mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
}

static int seek_first(const struct walk *w, MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
        int rc = seek(cursor, &w->last, key, value);

        if (rc == MDB_SUCCESS && w->past_last && slice_equal(lmdb_slice(*key), lmdb_key_slice(&w->last)))
                rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
        return rc;
}

/* Behind all keys of the table that the key is of. */
static void leap_table(struct slice key, const struct lmdb_key_parts *parts, struct lmdb_key *to)
{
        static const uint8_t behind_all[] = {0xff, 0xff}; /* no part is as long */

        lmdb_key_start_as(to, key, parts->table);
        lmdb_key_add_rank(to, behind_all, sizeof(behind_all));
}

/* Where to leap from a key of another student. */
static void leap_from(const struct walk *w, struct slice key, const struct lmdb_key_parts *parts, struct lmdb_key *to)
{
        lmdb_key_start_as(to, key, parts->table);
        lmdb_key_add_student(to, w->student);
        if (slice_compare(lmdb_key_slice(to), key) <= 0)
                leap_table(key, parts, to);
}

/* Whether the walk leaps over the key, and where to. */
static bool leaps(const struct walk *w, struct slice key, const struct lmdb_key_parts *parts, struct lmdb_key *to)
{
        const struct source_walk *what = w->what;
        bool unwanted = what->wants != NULL && !what->wants(what->context, parts->table);

        if (unwanted)
                leap_table(key, parts, to);
        else if (w->student.len > 0 && !lmdb_part_is_of(parts->student, w->student))
                leap_from(w, key, parts, to);
        else
                return false;
        return true;
}

/* ---- one chunk ---- */

static enum err append_if(struct buf *bytes, bool wanted, struct slice s, size_t *len)
{
        *len = wanted ? s.len : 0;
        return wanted ? buf_append_slice(bytes, s) : OK;
}

/* Another student than the wanted one, whose long id has the same hash. */
static bool is_namesake(const struct walk *w, const struct lmdb_key_parts *parts, const struct lmdb_record *record)
{
        return w->student.len > 0 && lmdb_part_is_hash(parts->student) && !slice_equal(record->student, w->student);
}

/* In the form that its table has now; of a table that is configured no more as it is stored. */
static enum err take_map(struct walk *w, struct slice name, const struct lmdb_record *record, struct slice *map)
{
        const struct record_table *table = lmdb_schema_table(w->schema, name);

        *map = record->map;
        return table == NULL ? OK : lmdb_present_map(table, record, &w->made, map);
}

static enum err copy_row(struct walk *w, struct slice key, const struct lmdb_key_parts *parts, struct slice stored)
{
        struct copied *row = &w->rows[w->count];
        struct lmdb_record record;
        struct slice id;
        struct slice map;
        enum err rc;

        if (!lmdb_record_decode(stored, &record) || !value_member_text(record.map, "id", &id))
                return ERR_CORRUPT;
        if (is_namesake(w, parts, &record))
                return OK;
        rc = take_map(w, parts->table, &record, &map);
        if (rc != OK)
                return rc;
        *row = (struct copied){
                .at = buf_len(&w->bytes),
                .key_len = key.len,
                .map_len = map.len,
                .original = record.original,
        };
        rc = buf_append_slice(&w->bytes, key);
        if (rc == OK)
                rc = append_if(&w->bytes, lmdb_part_is_hash(parts->student), record.student, &row->student_len);
        if (rc == OK)
                rc = append_if(&w->bytes, lmdb_part_is_hash(parts->record), id, &row->id_len);
        if (rc == OK)
                rc = buf_append_slice(&w->bytes, map);
        if (rc == OK)
                rc = buf_append_slice(&w->bytes, record.original.bytes);
        if (rc != OK)
                return rc;
        lmdb_key_start_as(&w->last, key, key);
        w->past_last = true;
        w->count++;
        return OK;
}

/* Copies the row at the cursor if it is wanted, and moves on. */
static enum err take_row(struct walk *w, MDB_cursor *cursor, MDB_val *key, MDB_val *value, int *rc)
{
        struct lmdb_key_parts parts;
        struct lmdb_key to;
        enum err err;

        if (key->mv_size > LMDB_KEY_MAX || !lmdb_key_split(lmdb_slice(*key), 0, &parts))
                return ERR_CORRUPT;
        if (leaps(w, lmdb_slice(*key), &parts, &to)) {
                *rc = seek(cursor, &to, key, value);
                return OK;
        }
        err = parts.record.len == 0 ? OK : copy_row(w, lmdb_slice(*key), &parts, lmdb_slice(*value)); /* no heads */
        *rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
        return err;
}

static enum err fill(struct walk *w, MDB_txn *txn)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        enum err err = OK;
        int rc = mdb_cursor_open(txn, lmdb_env_dbs(w->env)->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        rc = seek_first(w, cursor, &key, &value);
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &w->run) &&
                w->count < CHUNK_ROWS && buf_len(&w->bytes) < CHUNK_BYTES)
                err = take_row(w, cursor, &key, &value, &rc);
        w->at_end = rc != MDB_SUCCESS || !lmdb_key_has_prefix(lmdb_slice(key), &w->run);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

static enum err read_chunk(struct walk *w)
{
        MDB_txn *txn;
        enum err rc = lmdb_env_read_begin(w->env, &txn);

        if (rc != OK)
                return rc;
        w->count = 0;
        buf_truncate(&w->bytes, 0);
        rc = fill(w, txn);
        lmdb_env_read_end(w->env, &txn);
        return rc;
}

/* ---- visiting ---- */

static enum err cannot_read(enum err rc, struct err_msg *msg)
{
        return err_set(msg, rc, "cannot read the records: %s", err_text(rc));
}

static enum err unpack(struct walk *w, const struct copied *copied, const uint8_t *at)
{
        struct original original = copied->original;

        buf_truncate(&w->text, 0);
        original.bytes.data = at;
        return original.bytes.len == 0 ? OK : original_unpack(&w->work, &original, &w->text);
}

static struct slice next_part(const uint8_t **at, size_t len)
{
        struct slice part = slice_of(*at, len);

        *at += len;
        return part;
}

static enum err visit(struct walk *w, const struct copied *copied, struct err_msg *msg)
{
        char student[LMDB_UUID_TEXT];
        char id[LMDB_UUID_TEXT];
        const uint8_t *at = buf_slice(&w->bytes).data + copied->at;
        struct lmdb_key_parts parts;
        struct source_row row = {.cursor = next_part(&at, copied->key_len)};
        enum err rc;

        VC_ASSERT(lmdb_key_split(row.cursor, 0, &parts)); /* as it could when it was copied */
        row.table = parts.table;
        row.student =
                copied->student_len > 0 ? next_part(&at, copied->student_len) : lmdb_part_id(parts.student, student);
        row.id = copied->id_len > 0 ? next_part(&at, copied->id_len) : lmdb_part_id(parts.record, id);
        row.map = next_part(&at, copied->map_len);
        rc = unpack(w, copied, at);
        if (rc != OK)
                return cannot_read(rc, msg);
        row.original = buf_slice(&w->text);
        return w->what->visit(w->what->context, &row);
}

static enum err walk_chunks(struct walk *w, struct err_msg *msg)
{
        do {
                enum err rc = read_chunk(w);

                if (rc != OK)
                        return cannot_read(rc, msg);
                for (size_t i = 0; rc == OK && i < w->count; i++)
                        rc = visit(w, &w->rows[i], msg);
                if (rc != OK)
                        return rc;
        } while (!w->at_end);
        return OK;
}

static bool is_of(struct slice cursor, struct slice student)
{
        struct lmdb_key_parts parts;

        return lmdb_key_split(cursor, 0, &parts) && lmdb_part_is_of(parts.student, student);
}

/* Those who were merged into the student come behind it, one after the other: what is left to meet of them, the one
 * that the walk goes on with first. False: it goes on with the student. */
static bool begins_behind_student(const struct walk *w, struct slice *left)
{
        struct slice rest = buf_slice(&w->merged);
        struct slice id;

        for (*left = rest; source_touched_next(&rest, &id); *left = rest)
                if (is_of(w->what->after, id))
                        return true;
        *left = buf_slice(&w->merged);
        return false;
}

static enum err walk_all(struct walk *w, struct err_msg *msg)
{
        struct slice after = w->what->after;
        struct slice left;
        enum err rc = OK;

        if (!begins_behind_student(w, &left)) {
                begin(w, after);
                rc = walk_chunks(w, msg);
                after = SLICE_EMPTY;
        }
        while (rc == OK && source_touched_next(&left, &w->student)) {
                begin(w, after);
                rc = walk_chunks(w, msg);
                after = SLICE_EMPTY;
        }
        return rc;
}

enum err lmdb_walk(const struct lmdb_walk_in *in, const struct source_walk *what, struct err_msg *msg)
{
        struct walk *w;
        enum err rc;

        if (what->after.len > LMDB_KEY_MAX)
                return err_set(msg, ERR_BADARG, "that is not a place among the records");
        w = vc_calloc(1, sizeof(*w));
        if (w == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        w->env = in->env;
        original_work_init(&w->work, in->codec);
        w->schema = in->schema;
        w->what = what;
        buf_init(&w->merged, 0);
        buf_init(&w->made, 0);
        buf_init(&w->bytes, 0);
        buf_init(&w->text, 0);
        rc = resolve(w, msg);
        if (rc == OK)
                rc = walk_all(w, msg);
        buf_deinit(&w->merged);
        buf_deinit(&w->made);
        original_work_deinit(&w->work);
        buf_deinit(&w->bytes);
        buf_deinit(&w->text);
        vc_free(w);
        return rc;
}
