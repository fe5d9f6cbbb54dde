#include "database/lmdb_rows.h"

#include "base/mem.h"
#include "database/lmdb_key.h"
#include "database/record.h"

#include <stdlib.h>

static int compare_rows(const void *left, const void *right)
{
        const struct lmdb_row *a = left;
        const struct lmdb_row *b = right;
        int order = slice_compare(a->student, b->student);

        if (order == 0)
                order = slice_compare(a->id, b->id);
        if (order == 0)
                order = a->at < b->at ? -1 : a->at > b->at;
        return order;
}

static enum err not_normal(struct err_msg *msg)
{
        return err_set(msg, ERR_BADVALUE, "the value is not a record in normal form");
}

/* A PUT comes in normal form from record_normalise(). */
static enum err add_put_row(
        struct lmdb_rows *rows, const struct source_write *write, struct slice map, struct err_msg *msg)
{
        struct lmdb_row *row = &rows->row[rows->count];

        *row = (struct lmdb_row){.student = write->id, .map = map, .at = rows->count};
        if (!value_member_text(map, "id", &row->id))
                return not_normal(msg);
        if (write->type->shape == RECORD_ONE && !slice_equal(row->id, write->id))
                return not_normal(msg);
        rows->count++;
        return OK;
}

/* The maps of an IMPORT are made in rows->bytes, which moves as it grows: until the end only map.len is right. */
static enum err add_import_row(struct lmdb_rows *rows, struct record_row *row, struct err_msg *msg)
{
        size_t start = buf_len(&rows->bytes);
        enum err rc = record_from_row(row, &rows->bytes, msg);

        if (rc != OK)
                return rc;
        rows->row[rows->count] = (struct lmdb_row){
                .student = row->student,
                .id = row->id,
                .map = slice_of(NULL, buf_len(&rows->bytes) - start),
                .at = rows->count,
        };
        rows->count++;
        return OK;
}

static void place_import_maps(struct lmdb_rows *rows)
{
        const uint8_t *at = buf_slice(&rows->bytes).data;

        for (size_t i = 0; i < rows->count; i++) {
                rows->row[i].map.data = at;
                at += rows->row[i].map.len;
        }
}

static enum err make_import(struct lmdb_rows *rows, const struct source_write *write, const struct lmdb_schema *schema,
        struct value_iter *iter, struct err_msg *msg)
{
        struct record_row row = {
                .table = write->table,
                .student_kind = schema->student_ids,
                .is_student = write->table == schema->students,
        };

        while (value_next(iter, &row.row)) {
                enum err rc = add_import_row(rows, &row, msg);

                if (rc != OK)
                        return rc;
                row.index++;
        }
        place_import_maps(rows);
        return OK;
}

static enum err make_put(
        struct lmdb_rows *rows, const struct source_write *write, struct value_iter *iter, struct err_msg *msg)
{
        struct slice map;

        while (value_next(iter, &map)) {
                enum err rc = add_put_row(rows, write, map, msg);

                if (rc != OK)
                        return rc;
        }
        return OK;
}

static enum err make_rows(
        struct lmdb_rows *rows, const struct source_write *write, const struct lmdb_schema *schema, struct err_msg *msg)
{
        bool is_one = write->kind == WRITE_PUT && write->type->shape == RECORD_ONE;
        struct value_iter iter = {.left = 1};
        enum err rc;

        if (!is_one && !value_iter_init(&iter, write->value, VALUE_LIST))
                return err_set(msg, ERR_BADVALUE, "the value is not a list of records");
        if (iter.left > write->value.len) /* each item takes a byte at least */
                return not_normal(msg);
        rows->row = vc_calloc(iter.left == 0 ? 1 : iter.left, sizeof(rows->row[0]));
        if (rows->row == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        if (is_one)
                return add_put_row(rows, write, write->value, msg);
        rc = write->kind == WRITE_PUT ? make_put(rows, write, &iter, msg)
                                      : make_import(rows, write, schema, &iter, msg);
        if (rc == OK && iter.left > 0)
                return not_normal(msg);
        return rc;
}

enum err lmdb_rows_make(
        struct lmdb_rows *out, const struct source_write *write, const struct lmdb_schema *schema, struct err_msg *msg)
{
        enum err rc;

        *out = (struct lmdb_rows){.row = NULL};
        buf_init(&out->bytes, 0);
        if (write->kind != WRITE_PUT && write->kind != WRITE_IMPORT)
                return OK;
        rc = make_rows(out, write, schema, msg);
        if (rc != OK) {
                lmdb_rows_deinit(out);
                return rc;
        }
        if (out->count > 1)
                qsort(out->row, out->count, sizeof(out->row[0]), compare_rows);
        return OK;
}

void lmdb_rows_deinit(struct lmdb_rows *rows)
{
        vc_free(rows->row);
        rows->row = NULL;
        rows->count = 0;
        buf_deinit(&rows->bytes);
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
