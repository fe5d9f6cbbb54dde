#include "database/lmdb_rows.h"

#include "base/mem.h"
#include "base/priority.h"
#include "database/lmdb_key.h"
#include "database/record.h"

#include <stdlib.h>

static int compare_keys(const struct lmdb_row *a, const struct lmdb_row *b)
{
        int order = slice_compare(a->student, b->student);

        return order != 0 ? order : slice_compare(a->id, b->id);
}

static int compare_rows(const void *left, const void *right)
{
        const struct lmdb_row *a = left;
        const struct lmdb_row *b = right;
        int order = compare_keys(a, b);

        return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static enum err not_normal(struct err_msg *msg)
{
        return err_set(msg, ERR_BADVALUE, "the value is not a record in normal form");
}

static enum err reject_row(struct lmdb_rows *rows, uint32_t at, struct reject reject)
{
        const struct source_reject row = {at, reject};

        return buf_append(&rows->rejects, &row, sizeof(row));
}

/* What all rows of one write are made from. */
struct making {
        struct lmdb_rows *rows;
        const struct source_write *write;
        const struct lmdb_row_maker *maker;
        struct original_work *work;
        struct err_msg *msg;
};

/* A PUT comes in normal form from record_normalise(). */
static enum err add_put_row(const struct making *m, struct slice map, uint32_t at)
{
        const struct source_write *write = m->write;
        struct lmdb_row *row = &m->rows->row[m->rows->count];

        *row = (struct lmdb_row){.student = write->id, .map = map, .at = at};
        if (!value_member_text(map, "id", &row->id))
                return not_normal(m->msg);
        if (write->type->shape == RECORD_ONE && !slice_equal(row->id, write->id))
                return not_normal(m->msg);
        row->schema = write->type->table->schema;
        row->ranks = lmdb_ranks_of(write->type->table, map);
        m->rows->count++;
        return OK;
}

/* Maps and originals are made in rows->bytes, which moves as it grows: until the end only their lengths are right. */
static enum err add_import_row(const struct making *m, struct slice item, uint32_t at)
{
        struct lmdb_rows *rows = m->rows;
        struct record_row row = {
                .table = m->write->table,
                .student_kind = m->maker->schema->student_ids,
                .is_student = m->write->table == m->maker->schema->students,
                .index = at,
                .row = item,
        };
        size_t start = buf_len(&rows->bytes);
        enum err rc = record_from_row(&row, &rows->bytes, m->msg);
        struct original original = {.coding = ORIGINAL_PLAIN};
        size_t map_len = buf_len(&rows->bytes) - start;

        if (rc == ERR_BADVALUE)
                return reject_row(rows, at, row.reject);
        if (rc == OK && row.original.len > 0)
                rc = original_pack(m->work, row.original, &rows->bytes, &original);
        if (rc != OK)
                return rc;
        rows->row[rows->count] = (struct lmdb_row){
                .student = row.student,
                .id = row.id,
                .map = slice_of(NULL, map_len),
                .original = original,
                .schema = row.table->schema,
                .ranks = lmdb_ranks_of(row.table, slice_of(rows->bytes.data + rows->bytes.start + start, map_len)),
                .at = at,
        };
        rows->count++;
        return OK;
}

static enum err add_erase_row(const struct making *m, struct slice item, uint32_t at)
{
        struct lmdb_row *row = &m->rows->row[m->rows->count];

        *row = (struct lmdb_row){.at = at};
        if (!value_member_text(item, "student", &row->student) || !value_member_text(item, "id", &row->id))
                return err_set(m->msg, ERR_BADVALUE, "rows[%u]: not a map with a student and an id", at);
        if (record_id_check(ID_KIND_TEXT, row->student, NULL) != OK ||
                record_id_check(ID_KIND_TEXT, row->id, NULL) != OK)
                return err_set(m->msg, ERR_BADVALUE, "rows[%u]: student or id cannot be an id", at);
        m->rows->count++;
        return OK;
}

static enum err add_row(const struct making *m, struct slice item, uint32_t at)
{
        priority_pause();
        switch (m->write->kind) {
        case WRITE_PUT: return add_put_row(m, item, at);
        case WRITE_IMPORT: return add_import_row(m, item, at);
        default: return add_erase_row(m, item, at);
        }
}

void lmdb_rows_place(struct lmdb_rows *rows)
{
        const uint8_t *at = buf_slice(&rows->bytes).data;

        for (size_t i = 0; i < rows->count; i++) {
                struct lmdb_row *row = &rows->row[i];

                row->map.data = at;
                row->original.bytes.data = at + row->map.len;
                at += row->map.len + row->original.bytes.len;
        }
}

static enum err add_rows(const struct making *m, struct value_iter *iter)
{
        struct slice item;
        enum err rc = OK;

        for (uint32_t at = 0; rc == OK && value_next(iter, &item); at++)
                rc = add_row(m, item, at);
        if (rc == OK && m->write->kind == WRITE_IMPORT)
                lmdb_rows_place(m->rows);
        return rc == OK && iter->left > 0 ? not_normal(m->msg) : rc;
}

static enum err make_rows(const struct making *m)
{
        bool is_one = m->write->kind == WRITE_PUT && m->write->type->shape == RECORD_ONE;
        struct value_iter iter = {.left = 1};

        if (!is_one && !value_iter_init(&iter, m->write->value, VALUE_LIST))
                return err_set(m->msg, ERR_BADVALUE, "the value is not a list of records");
        if (iter.left > m->write->value.len) /* each item takes a byte at least */
                return not_normal(m->msg);
        m->rows->row = vc_malloc((iter.left == 0 ? 1 : iter.left) * sizeof(m->rows->row[0]));
        if (m->rows->row == NULL ||
                (m->write->kind == WRITE_IMPORT && buf_reserve(&m->rows->bytes, m->write->value.len) != OK))
                return err_set(m->msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        return is_one ? add_put_row(m, m->write->value, 0) : add_rows(m, &iter);
}

static bool is_twin(const struct lmdb_row *a, const struct lmdb_row *b)
{
        return slice_equal(a->map, b->map) && original_equal(&a->original, &b->original);
}

/* Sorts, and keeps the first of the rows of each key. (A PUT has no two of one id: record_normalise() sees to that.) */
static enum err sort_rows(struct lmdb_rows *rows)
{
        size_t kept = 0;

        if (rows->count > 1)
                qsort(rows->row, rows->count, sizeof(rows->row[0]), compare_rows);
        for (size_t i = 0; i < rows->count; i++) {
                const struct lmdb_row *row = &rows->row[i];
                enum err rc = OK;

                if (kept == 0 || compare_keys(&rows->row[kept - 1], row) != 0)
                        rows->row[kept++] = *row;
                else if (is_twin(&rows->row[kept - 1], row))
                        rows->twins++;
                else
                        rc = reject_row(rows, row->at, reject_of(REJECT_DUPLICATE, "id"));
                if (rc != OK)
                        return rc;
        }
        rows->count = kept;
        return OK;
}

enum err lmdb_rows_make(struct lmdb_rows *out, const struct source_write *write, const struct lmdb_row_maker *maker,
        struct err_msg *msg)
{
        struct original_work work;
        const struct making m = {out, write, maker, &work, msg};
        enum err rc;

        lmdb_rows_init(out);
        if (write->kind != WRITE_PUT && write->kind != WRITE_IMPORT && write->kind != WRITE_ERASE_ROWS)
                return OK;
        original_work_init(&work, maker->codec);
        rc = make_rows(&m);
        original_work_deinit(&work);
        if (rc == OK)
                rc = sort_rows(out);
        if (rc != OK)
                lmdb_rows_deinit(out);
        return rc;
}

void lmdb_rows_init(struct lmdb_rows *rows)
{
        *rows = (struct lmdb_rows){.row = NULL};
        buf_init(&rows->bytes, 0);
        buf_init(&rows->rejects, 0);
}

void lmdb_rows_deinit(struct lmdb_rows *rows)
{
        vc_free(rows->row);
        rows->row = NULL;
        rows->count = 0;
        buf_deinit(&rows->bytes);
        buf_deinit(&rows->rejects);
}

void lmdb_rows_prepare(struct source_write *write, const struct lmdb_row_maker *maker)
{
        struct lmdb_rows *rows = vc_malloc(sizeof(*rows));

        write->prepared = NULL;
        write->message.text[0] = '\0';
        write->status = rows == NULL ? err_set(&write->message, ERR_NOMEM, "%s", err_text(ERR_NOMEM))
                                     : lmdb_rows_make(rows, write, maker, &write->message);
        if (write->status == OK)
                write->prepared = rows;
        else
                vc_free(rows);
}

void lmdb_rows_release(struct source_write *write)
{
        if (write->prepared == NULL)
                return;
        lmdb_rows_deinit(write->prepared);
        vc_free(write->prepared);
        write->prepared = NULL;
}

static int compare_id(const void *id, const void *row)
{
        return slice_compare(*(const struct slice *)id, ((const struct lmdb_row *)row)->id);
}

const struct lmdb_row *lmdb_rows_find(const struct lmdb_rows *rows, struct slice record)
{
        if (!lmdb_part_is_hash(record))
                return rows->count == 0 ? NULL
                                        : bsearch(&record, rows->row, rows->count, sizeof(rows->row[0]), compare_id);
        for (size_t i = 0; i < rows->count; i++)
                if (lmdb_part_is_of(record, rows->row[i].id))
                        return &rows->row[i];
        return NULL;
}
