#include "database/lmdb_read.h"

#include "base/mem.h"
#include "database/lmdb_key.h"
#include "database/lmdb_merge.h"
#include "database/lmdb_present.h"
#include "database/record.h"

#include <stdlib.h>

struct lmdb_read_item {
        struct slice id;
        struct slice map;                /* in the map: valid while the transaction lasts */
        int64_t order[RECORD_ORDER_MAX]; /* by the fields of the type's order; 0 where it has none */
};

/* Whose records a view (a type, or a part of a composite) is of. */
struct view {
        const struct record_type *type;
        const struct record_part *part; /* NULL: the type itself, all of it */
        struct slice tenant;
        struct slice student;
};

void lmdb_read_init(struct lmdb_read *r, MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_schema *schema)
{
        *r = (struct lmdb_read){.txn = txn, .dbs = dbs, .schema = schema};
        buf_init(&r->made, 0);
        arena_init(&r->copies);
}

void lmdb_read_deinit(struct lmdb_read *r)
{
        vc_free(r->items);
        r->items = NULL;
        r->capacity = 0;
        buf_deinit(&r->made);
        arena_deinit(&r->copies);
}

/* The map of a stored record of `student`, checked to be one whole map. ERR_NOTFOUND: another student's, whose id has
 * the same hash. */
static enum err open_record(const MDB_val *stored, struct slice student, struct lmdb_record *record)
{
        struct slice whole;
        struct value head;
        struct cursor c;

        if (!lmdb_record_decode(lmdb_slice(*stored), record))
                return ERR_CORRUPT;
        if (lmdb_id_is_hashed(student) && !slice_equal(record->student, student))
                return ERR_NOTFOUND;
        c = cursor_of(record->map);
        if (!value_take(&c, &whole) || cursor_left(&c) > 0 || !value_of(whole, &head) || head.kind != VALUE_MAP)
                return ERR_CORRUPT;
        return OK;
}

/* The record's map in its table's present form; valid as long as the batch. */
static enum err take_map(
        struct lmdb_read *r, const struct record_table *table, const struct lmdb_record *record, struct slice *map)
{
        enum err rc = lmdb_present_map(table, record, &r->made, map);

        if (rc != OK || map->data == record->map.data)
                return rc;
        map->data = (const uint8_t *)arena_text(&r->copies, *map);
        return map->data == NULL ? ERR_NOMEM : OK;
}

/* The one record of a RECORD_ONE type: its id is the student's. */
static enum err get_one(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct view *view, struct lmdb_record *record)
{
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        int rc;

        lmdb_key_student(&key, view->tenant, view->type->table->name, view->student);
        lmdb_key_add_record(&key, view->student);
        at = lmdb_val(lmdb_key_slice(&key));
        rc = mdb_get(txn, dbs->records, &at, &stored);
        return rc == MDB_SUCCESS ? open_record(&stored, view->student, record) : lmdb_err(rc);
}

enum err lmdb_read_student(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct record_table *students,
        struct slice tenant, struct slice student)
{
        const struct record_type type = {.table = students};
        const struct view view = {.type = &type, .tenant = tenant, .student = student};
        struct lmdb_record record;

        return get_one(txn, dbs, &view, &record);
}

/* ---- lists ---- */

static enum err make_room(struct lmdb_read *r, size_t count)
{
        size_t wanted = r->capacity == 0 ? 32 : r->capacity * 2;
        struct lmdb_read_item *items;

        if (count < r->capacity)
                return OK;
        items = vc_realloc(r->items, wanted * sizeof(*items));
        if (items == NULL)
                return ERR_NOMEM;
        r->items = items;
        r->capacity = wanted;
        return OK;
}

/* Lists show what meets the conditions of their type, and of the part that they are shown in. */
static bool is_shown(const struct view *view, struct slice map)
{
        return record_matches(&view->type->where, map) &&
               (view->part == NULL || record_matches(&view->part->where, map));
}

static enum err add_item(struct lmdb_read *r, const struct view *view, const MDB_val *stored, size_t *count)
{
        struct lmdb_read_item item = {.order = {0}};
        struct lmdb_record record;
        enum err rc = open_record(stored, view->student, &record);

        if (rc == OK)
                rc = take_map(r, view->type->table, &record, &item.map);
        if (rc != OK)
                return rc == ERR_NOTFOUND ? OK : rc;
        if (!value_member_text(item.map, "id", &item.id))
                return ERR_CORRUPT;
        if (!is_shown(view, item.map))
                return OK;
        for (uint32_t i = 0; i < view->type->order_count; i++)
                item.order[i] = record_order(view->type->order[i], item.map);
        rc = make_room(r, *count);
        if (rc == OK)
                r->items[(*count)++] = item;
        return rc;
}

/* The keys behind the head that begin as it does; each record that the view wants becomes an item. */
static enum err collect(struct lmdb_read *r, const struct view *view, size_t *count)
{
        struct lmdb_key run;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = mdb_cursor_open(r->txn, r->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        *count = 0;
        lmdb_key_student(&run, view->tenant, view->type->table->name, view->student);
        key = lmdb_val(lmdb_key_slice(&run));
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
        if (rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &run) && key.mv_size != run.len)
                err = ERR_CORRUPT; /* records whose head is lost */
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &run)) {
                if (key.mv_size > run.len)
                        err = add_item(r, view, &stored, count);
                rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* The newest, or of the highest rank, first; those that do not say last; equal ones by id. */
static int compare_items(const void *left, const void *right)
{
        const struct lmdb_read_item *a = left;
        const struct lmdb_read_item *b = right;

        for (size_t i = 0; i < RECORD_ORDER_MAX; i++)
                if (a->order[i] != b->order[i])
                        return a->order[i] > b->order[i] ? -1 : 1;
        return slice_compare(a->id, b->id);
}

static enum err put_list(struct lmdb_read *r, const struct view *view, struct buf *out)
{
        size_t count;
        enum err rc = collect(r, view, &count);

        if (rc != OK)
                return rc;
        if (count > 1)
                qsort(r->items, count, sizeof(r->items[0]), compare_items);
        if (view->part != NULL && view->part->limit != 0 && count > view->part->limit)
                count = view->part->limit;
        if (count > UINT32_MAX)
                return ERR_LIMIT;
        rc = value_put_list(out, (uint32_t)count);
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = buf_append_slice(out, r->items[i].map);
        return rc;
}

/* ---- replies ---- */

static enum err put_one(struct lmdb_read *r, const struct view *view, struct buf *out)
{
        struct lmdb_record record;
        struct slice map;
        enum err rc = get_one(r->txn, r->dbs, view, &record);

        if (rc == ERR_NOTFOUND)
                return value_put_nil(out); /* a known student with nothing recorded */
        if (rc == OK)
                rc = take_map(r, view->type->table, &record, &map);
        return rc == OK ? buf_append_slice(out, map) : rc;
}

static enum err put_view(struct lmdb_read *r, const struct view *view, struct buf *out)
{
        switch (view->type->shape) {
        case RECORD_ONE: return put_one(r, view, out);
        case RECORD_LIST: return put_list(r, view, out);
        case RECORD_COMPOSITE: break;
        }
        return ERR_INTERNAL; /* composites have no composites as parts */
}

static enum err put_composite(struct lmdb_read *r, struct source_read *read, struct slice student)
{
        struct buf *out = &read->value;
        enum err rc = value_put_map(out, read->type->part_count);

        for (uint32_t i = 0; rc == OK && i < read->type->part_count; i++) {
                const struct record_part *part = &read->type->parts[i];
                const struct view view = {part->type, part, read->tenant, student};

                rc = value_put_str(out, part->name);
                if (rc == OK)
                        rc = put_view(r, &view, out);
        }
        return rc;
}

static enum err put_reply(struct lmdb_read *r, struct source_read *read)
{
        struct view whole = {read->type, NULL, read->tenant, read->id};
        struct lmdb_merge_id root;
        enum err rc = OK;

        if (r->has_merges) {
                rc = lmdb_merge_root(r->txn, r->dbs, read->tenant, read->id, &root);
                whole.student = lmdb_merge_slice(&root);
        }
        if (rc == OK)
                rc = lmdb_read_student(r->txn, r->dbs, r->schema->students, read->tenant, whole.student);
        if (rc != OK)
                return rc;
        if (read->type->shape == RECORD_COMPOSITE)
                return put_composite(r, read, whole.student);
        return put_view(r, &whole, &read->value);
}

void lmdb_read_answer(struct lmdb_read *r, struct source_read *read)
{
        enum err rc = put_reply(r, read);

        read->found = rc == OK;
        read->status = rc == ERR_NOTFOUND ? OK : rc;
        read->snapshot = snapshot_of_txn(lmdb_position(r->dbs, mdb_txn_id(r->txn)).n);
        if (!read->found)
                buf_truncate(&read->value, 0);
}
