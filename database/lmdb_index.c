#include "database/lmdb_index.h"

#include "base/hash.h"
#include "database/lmdb_head.h"
#include "database/lmdb_present.h"
#include "database/record.h"

enum { NO_WORD = 0xfe }; /* sorts behind every word, and before what is not in the index */

const struct record_table *lmdb_schema_table(const struct lmdb_schema *schema, struct slice name)
{
        for (uint32_t i = 0; i < schema->table_count; i++)
                if (slice_equal(name, slice_str(schema->tables[i]->name)))
                        return schema->tables[i];
        return NULL;
}

/* ---- ranks ---- */

/* One byte that sorts the highest rank first. */
static uint8_t rank_byte(const struct record_table *table, const char *field, struct slice map)
{
        int rank = field == NULL ? -1 : record_word_rank(record_table_field(table, field), map);

        return rank < 0 || rank >= NO_WORD ? NO_WORD : (uint8_t)(NO_WORD - 1 - rank);
}

struct lmdb_ranks lmdb_ranks_of(const struct record_table *table, struct slice map)
{
        struct lmdb_ranks ranks = LMDB_NO_RANKS;
        struct datetime when;

        if (table->activity_field != NULL && record_time(map, table->activity_field, &when)) {
                datetime_sortable(&when, ranks.activity);
                for (size_t i = 0; i < LMDB_ACTIVITY_RANK; i++)
                        ranks.activity[i] = (uint8_t)~ranks.activity[i]; /* newest first */
        }
        if (table->severity_field != NULL) {
                ranks.severity[0] = rank_byte(table, table->status_field, map);
                ranks.severity[1] = rank_byte(table, table->severity_field, map);
        }
        return ranks;
}

enum err lmdb_ranks_stored(const struct record_table *table, const struct lmdb_record *record, struct lmdb_ranks *out)
{
        struct slice map;
        struct buf made;
        enum err rc;

        *out = LMDB_NO_RANKS;
        if (table == NULL)
                return OK;
        buf_init(&made, 0);
        rc = lmdb_present_map(table, record, &made, &map);
        if (rc == OK)
                *out = lmdb_ranks_of(table, map);
        buf_deinit(&made);
        return rc;
}

struct lmdb_ranks lmdb_ranks_with(const struct lmdb_ranks *ranks, const struct lmdb_ranks *more)
{
        struct lmdb_ranks all = *ranks;

        if (memcmp(more->activity, all.activity, sizeof(all.activity)) < 0)
                memcpy(all.activity, more->activity, sizeof(all.activity));
        if (memcmp(more->severity, all.severity, sizeof(all.severity)) < 0)
                memcpy(all.severity, more->severity, sizeof(all.severity));
        return all;
}

static bool is_ranked(const uint8_t *rank, size_t len)
{
        static const uint8_t none[LMDB_ACTIVITY_RANK] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

        return memcmp(rank, none, len) != 0;
}

static bool same_rank(const uint8_t *a, const uint8_t *b, size_t len)
{
        return is_ranked(a, len) && memcmp(a, b, len) == 0;
}

bool lmdb_ranks_rest_on(const struct lmdb_ranks *ranks, const struct lmdb_ranks *less)
{
        return same_rank(ranks->activity, less->activity, LMDB_ACTIVITY_RANK) ||
               same_rank(ranks->severity, less->severity, LMDB_SEVERITY_RANK);
}

/* ---- rows ---- */

static struct lmdb_key row_of(const struct lmdb_index_place *place, const uint8_t *rank, size_t len)
{
        struct lmdb_key row;

        lmdb_key_start(&row, place->tenant, place->table);
        lmdb_key_add_rank(&row, rank, len);
        lmdb_key_add_student(&row, place->student);
        return row;
}

enum err lmdb_index_rows(const struct lmdb_dbs *dbs, const struct lmdb_index_place *place,
        const struct lmdb_ranks *ranks, lmdb_index_row_fn visit, void *context)
{
        struct lmdb_key row;
        enum err rc = OK;

        if (is_ranked(ranks->activity, LMDB_ACTIVITY_RANK)) {
                row = row_of(place, ranks->activity, LMDB_ACTIVITY_RANK);
                rc = visit(context, dbs->by_activity, &row);
        }
        if (rc == OK && is_ranked(ranks->severity, LMDB_SEVERITY_RANK)) {
                row = row_of(place, ranks->severity, LMDB_SEVERITY_RANK);
                rc = visit(context, dbs->by_severity, &row);
        }
        return rc;
}

static enum err remove_row(void *context, MDB_dbi dbi, const struct lmdb_key *row)
{
        MDB_val key = lmdb_val(lmdb_key_slice(row));
        int rc = mdb_del(context, dbi, &key, NULL);

        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

static enum err add_row(void *context, MDB_dbi dbi, const struct lmdb_key *row)
{
        MDB_val key = lmdb_val(lmdb_key_slice(row));
        MDB_val none = lmdb_val(slice_str(""));

        return lmdb_err(mdb_put(context, dbi, &key, &none, 0));
}

/* Leaves out of `ranks` what `same` has as well. */
static struct lmdb_ranks without(const struct lmdb_ranks *ranks, const struct lmdb_ranks *same)
{
        struct lmdb_ranks rest = *ranks;

        if (memcmp(ranks->activity, same->activity, LMDB_ACTIVITY_RANK) == 0)
                memset(rest.activity, 0xff, LMDB_ACTIVITY_RANK);
        if (memcmp(ranks->severity, same->severity, LMDB_SEVERITY_RANK) == 0)
                memset(rest.severity, 0xff, LMDB_SEVERITY_RANK);
        return rest;
}

enum err lmdb_index_replace(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_index_place *place,
        const struct lmdb_ranks *old, const struct lmdb_ranks *fresh)
{
        const struct lmdb_ranks gone = without(old, fresh);
        const struct lmdb_ranks come = without(fresh, old);
        enum err rc = lmdb_index_rows(dbs, place, &gone, remove_row, txn);

        return rc == OK ? lmdb_index_rows(dbs, place, &come, add_row, txn) : rc;
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

uint64_t lmdb_index_print(const struct lmdb_schema *schema)
{
        uint64_t print = 1;

        for (uint32_t i = 0; i < schema->table_count; i++) {
                const struct record_table *table = schema->tables[i];

                print = mix(print, table->name);
                print = hash64(slice_of(&table->schema, sizeof(table->schema)), print);
                print = mix(print, table->activity_field);
                print = mix_ranks(print, table, table->status_field);
                print = mix_ranks(print, table, table->severity_field);
        }
        return print;
}

/* The records of one student in one table, of which the walk has seen the head and some. */
struct rebuild {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
        MDB_cursor *heads;
        struct lmdb_key key; /* of the head; none at first */
        struct lmdb_head head;
        const struct record_table *table;
};

/* Writes the head with the ranks that its records were found to have, and their index rows. */
static enum err finish_head(struct rebuild *r)
{
        struct lmdb_key_parts parts;
        struct lmdb_index_place place;
        uint8_t bytes[LMDB_HEAD_SIZE];
        MDB_val key = lmdb_val(lmdb_key_slice(&r->key));
        MDB_val value = lmdb_val(slice_of(bytes, sizeof(bytes)));
        enum err rc;

        if (r->key.len == 0 || !lmdb_key_split(lmdb_key_slice(&r->key), 0, &parts))
                return OK;
        lmdb_head_encode(&r->head, bytes);
        rc = lmdb_err(mdb_cursor_put(r->heads, &key, &value, 0));
        if (rc != OK || r->table == NULL)
                return rc;
        place = (struct lmdb_index_place){parts.tenant, r->table->name, parts.student};
        return lmdb_index_rows(r->dbs, &place, &r->head.ranks, add_row, r->txn);
}

static enum err begin_head(struct rebuild *r, struct slice key, const struct lmdb_key_parts *parts, struct slice stored)
{
        enum err rc = finish_head(r);

        if (rc != OK)
                return rc;
        if (key.len > LMDB_KEY_MAX || !lmdb_head_decode(stored, &r->head))
                return ERR_CORRUPT;
        lmdb_key_start_as(&r->key, key, key);
        r->head.ranks = LMDB_NO_RANKS;
        r->table = lmdb_schema_table(r->schema, parts->table);
        return OK;
}

static enum err rank_entry(struct rebuild *r, struct slice key, struct slice stored)
{
        struct lmdb_key_parts parts;
        struct lmdb_record record;
        struct lmdb_ranks ranks;
        enum err rc;

        if (!lmdb_key_split(key, 0, &parts))
                return ERR_CORRUPT;
        if (parts.record.len == 0)
                return begin_head(r, key, &parts, stored);
        if (!lmdb_key_has_prefix(key, &r->key) || !lmdb_record_decode(stored, &record))
                return ERR_CORRUPT;
        rc = lmdb_ranks_stored(r->table, &record, &ranks);
        r->head.ranks = lmdb_ranks_with(&r->head.ranks, &ranks);
        return rc;
}

/* Heads are written over in place, behind the walk: they keep their size, so the walk is not moved. */
static enum err rank_all(struct rebuild *r)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        enum err err = OK;
        int rc = mdb_cursor_open(r->txn, r->dbs->records, &cursor);

        if (rc == MDB_SUCCESS)
                rc = mdb_cursor_open(r->txn, r->dbs->records, &r->heads);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc); /* the transaction's end closes the cursor */
        while (err == OK && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                err = rank_entry(r, lmdb_slice(key), lmdb_slice(value));
        if (err == OK)
                err = rc == MDB_NOTFOUND ? finish_head(r) : lmdb_err(rc);
        mdb_cursor_close(cursor);
        mdb_cursor_close(r->heads);
        return err;
}

struct build_from {
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
};

static enum err rebuild(MDB_txn *txn, void *context, struct err_msg *msg)
{
        const struct build_from *from = context;
        struct rebuild work = {.txn = txn, .dbs = from->dbs, .schema = from->schema};
        uint64_t print = lmdb_index_print(from->schema);
        uint64_t built;
        enum err rc = lmdb_meta_get(txn, work.dbs, LMDB_META_INDEXES, &built);

        if (rc == OK && built == print)
                return OK;
        if (rc == OK)
                rc = lmdb_err(mdb_drop(txn, work.dbs->by_activity, 0));
        if (rc == OK)
                rc = lmdb_err(mdb_drop(txn, work.dbs->by_severity, 0));
        if (rc == OK)
                rc = rank_all(&work);
        if (rc == OK)
                rc = lmdb_meta_put(txn, work.dbs, LMDB_META_INDEXES, print);
        return rc == OK ? OK : err_set(msg, rc, "cannot build the indexes: %s", err_text(rc));
}

enum err lmdb_index_note(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_schema *schema)
{
        return lmdb_meta_put(txn, dbs, LMDB_META_INDEXES, lmdb_index_print(schema));
}

enum err lmdb_index_ensure(struct lmdb_env *env, const struct lmdb_schema *schema, struct err_msg *msg)
{
        struct build_from from = {lmdb_env_dbs(env), schema};

        return lmdb_env_update(env, rebuild, &from, msg);
}
