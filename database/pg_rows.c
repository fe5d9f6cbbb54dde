#include "database/pg_rows.h"

#include "base/mem.h"
#include "database/pg_decode.h"
#include "database/pg_exchange.h"
#include "database/pg_ids.h"
#include "database/pg_time.h"
#include "database/pg_type.h"
#include "database/value.h"

#define VALID_UNTIL "valid_until"

/* A column; a field's name as records have it. */
struct column {
        size_t name_at;
        size_t name_len;
        uint32_t type;
        bool binary;
        bool field;
};

/* What the result's columns are: asked of libpq once, not for every row. */
struct columns {
        const PGresult *result;
        struct column *each;
        struct buf names;
        int count;
        int subject;
        int until; /* -1: there is none */
        bool fields;
};

void pg_rows_init(struct pg_rows *rows)
{
        *rows = (struct pg_rows){.rows = NULL};
        buf_init(&rows->records, 0);
        buf_init(&rows->other, 0);
        buf_init(&rows->made, 0);
}

void pg_rows_deinit(struct pg_rows *rows)
{
        buf_deinit(&rows->records);
        buf_deinit(&rows->other);
        buf_deinit(&rows->made);
        vc_free(rows->rows);
        vc_free(rows->of);
        pg_rows_init(rows);
}

/* ---- columns ---- */

/* Two fields of one name would be a record that nobody can read. */
static bool has_twins(const PGresult *result, int count)
{
        for (int i = 1; i < count; i++)
                for (int j = 0; j < i; j++)
                        if (strcmp(PQfname(result, i), PQfname(result, j)) == 0)
                                return true;
        return false;
}

static enum err read_column(struct columns *c, int number)
{
        struct column *column = &c->each[number];
        enum err rc;

        column->type = PQftype(c->result, number);
        column->binary = PQfformat(c->result, number) == 1;
        column->field = c->fields && number != c->subject && number != c->until;
        column->name_at = buf_len(&c->names);
        rc = value_put_str(&c->names, PQfname(c->result, number));
        column->name_len = buf_len(&c->names) - column->name_at;
        return rc;
}

static void columns_deinit(struct columns *c)
{
        buf_deinit(&c->names);
        vc_free(c->each);
}

/* *c is to be deinited, whatever comes of it. */
static enum err columns_init(struct columns *c, const struct pg_rows_in *in, const PGresult *result)
{
        const int count = PQnfields(result);
        enum err rc = OK;

        *c = (struct columns){.result = result, .count = count, .until = -1, .fields = in->subject != NULL};
        buf_init(&c->names, 0);
        if (count == 0)
                return ERR_CORRUPT;
        if (c->fields) {
                c->subject = pg_find_column(result, in->subject);
                c->until = pg_find_column(result, VALID_UNTIL);
                if (c->subject < 0 || has_twins(result, count))
                        return ERR_CORRUPT;
        }
        c->each = vc_calloc((size_t)count, sizeof(*c->each));
        if (c->each == NULL)
                return ERR_NOMEM;
        for (int i = 0; rc == OK && i < count; i++)
                rc = read_column(c, i);
        return rc;
}

static struct pg_cell cell_of(const struct columns *c, int row, int column)
{
        return (struct pg_cell){
                .type = c->each[column].type,
                .binary = c->each[column].binary,
                .bytes = pg_cell_bytes(c->result, row, column),
        };
}

static bool is_there(const struct columns *c, int row, int column)
{
        return c->each[column].field && PQgetisnull(c->result, row, column) == 0;
}

static bool has_fields(const struct columns *c, int row)
{
        for (int i = 0; i < c->count; i++)
                if (is_there(c, row, i))
                        return true;
        return false;
}

/* ---- rows ---- */

static enum err make_room(struct pg_rows *rows)
{
        const uint32_t wanted = rows->row_room == 0 ? 32 : rows->row_room * 2;
        struct pg_row *more;

        if (rows->row_count < rows->row_room)
                return OK;
        if (wanted < rows->row_room)
                return ERR_LIMIT;
        more = vc_realloc(rows->rows, wanted * sizeof(*more));
        if (more == NULL)
                return ERR_NOMEM;
        rows->rows = more;
        rows->row_room = wanted;
        return OK;
}

static enum err put_field(struct pg_rows *rows, const struct columns *c, int row, int column)
{
        const struct column *field = &c->each[column];
        const struct pg_cell cell = cell_of(c, row, column);
        enum err rc = buf_append(&rows->records, buf_slice(&c->names).data + field->name_at, field->name_len);

        return rc == OK ? pg_decode(&cell, &rows->records) : rc;
}

static enum err put_record(struct pg_rows *rows, const struct columns *c, int row)
{
        uint32_t count = 0;
        size_t mark;
        enum err rc = value_open_map(&rows->records, &mark);

        for (int i = 0; rc == OK && i < c->count; i++) {
                if (!is_there(c, row, i))
                        continue;
                rc = put_field(rows, c, row, i);
                count++;
        }
        if (rc == OK)
                value_close_map(&rows->records, mark, count);
        return rc;
}

static void link_row(struct pg_rows *rows, struct pg_rows_of *of)
{
        const uint32_t row = rows->row_count++;

        if (of->first == PG_ROW_NONE)
                of->first = row;
        else
                rows->rows[of->last].next = row;
        of->last = row;
}

/* Such a row may be there for that alone, where there is no record ("none today" is true until midnight). Any other
 * row is a record, though nothing is in it: to leave it out would be to say that nothing is recorded. */
static bool says_until(const struct columns *c, int row)
{
        return c->until >= 0 && PQgetisnull(c->result, row, c->until) == 0;
}

static enum err add_record(struct pg_rows *rows, const struct columns *c, int row, struct pg_rows_of *of)
{
        const size_t before = buf_len(&rows->records);
        enum err rc;

        if (!c->fields || (says_until(c, row) && !has_fields(c, row)))
                return OK;
        rc = make_room(rows);
        if (rc == OK)
                rc = put_record(rows, c, row);
        if (rc == ERR_CORRUPT) {
                buf_truncate(&rows->records, before);
                rows->damaged = of->damaged = true;
                return OK; /* one student's bad cell is not another's */
        }
        if (rc != OK)
                return rc;
        rows->rows[rows->row_count] =
                (struct pg_row){.at = before, .len = buf_len(&rows->records) - before, .next = PG_ROW_NONE};
        link_row(rows, of);
        return OK;
}

/* A moment that cannot be read is none that can be relied on. */
static int64_t until_of(const struct columns *c, int row)
{
        enum pg_time_kind kind = PG_TIME_ZONED;
        char text[PG_TIME_TEXT_SIZE];
        struct pg_cell cell;

        if (PQgetisnull(c->result, row, c->until) != 0)
                return INT64_MAX;
        cell = cell_of(c, row, c->until);
        if (cell.type == PG_TYPE_TIMESTAMP)
                kind = PG_TIME_LOCAL;
        else if (cell.type != PG_TYPE_TIMESTAMPTZ)
                return INT64_MIN;
        if (cell.binary ? !pg_time_from_binary(kind, cell.bytes, text) : !pg_time_from_text(kind, cell.bytes, text))
                return INT64_MIN;
        return pg_time_micros(text);
}

static enum err remember_other(struct pg_rows *rows, struct slice id)
{
        if (rows->strange)
                return OK;
        rows->strange = true;
        return buf_append_slice(&rows->other, id);
}

/* As text, which is what tags are made of, char(n) has no spaces at its end. */
static struct slice unpadded(struct slice id)
{
        while (id.len > 0 && id.data[id.len - 1] == ' ')
                id.len--;
        return id;
}

/* Whose the row is; borrows from the result, or from `made`. */
static enum err subject_of(const struct columns *c, int row, struct buf *made, struct slice *id)
{
        const struct pg_cell cell = cell_of(c, row, c->subject);
        enum err rc;

        buf_truncate(made, 0);
        rc = cell.binary ? pg_decode_text(&cell, made) : OK;
        *id = cell.binary ? buf_slice(made) : cell.bytes;
        if (cell.type == PG_TYPE_BPCHAR)
                *id = unpadded(*id);
        return rc;
}

static enum err take_row(struct pg_rows *rows, const struct pg_rows_in *in, const struct columns *c, int row)
{
        struct pg_rows_of *of;
        struct slice id;
        size_t place;
        enum err rc;

        if (PQgetisnull(c->result, row, c->subject) != 0)
                return has_fields(c, row) ? ERR_CORRUPT : OK; /* somebody's record, and nobody knows whose */
        rc = subject_of(c, row, &rows->made, &id);
        if (rc != OK)
                return rc;
        place = pg_ids_find_next(in->ids, in->id_count, id, rows->last_place);
        if (place == in->id_count)
                return remember_other(rows, id);
        rows->last_place = place;
        of = &rows->of[place];
        of->seen = true;
        if (c->until >= 0 && until_of(c, row) < of->until)
                of->until = until_of(c, row);
        return add_record(rows, c, row, of);
}

static enum err take_rows(struct pg_rows *rows, const struct pg_rows_in *in, const struct columns *c)
{
        enum err rc = OK;

        rows->of = vc_calloc(in->id_count == 0 ? 1 : in->id_count, sizeof(*rows->of));
        if (rows->of == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < in->id_count; i++)
                rows->of[i] = (struct pg_rows_of){.first = PG_ROW_NONE, .last = PG_ROW_NONE, .until = INT64_MAX};
        rows->limited = c->until >= 0;
        for (int row = 0; rc == OK && row < PQntuples(c->result); row++)
                rc = take_row(rows, in, c, row);
        return rc;
}

enum err pg_rows_take(struct pg_rows *rows, const struct pg_rows_in *in, const PGresult *result)
{
        struct columns c;
        enum err rc = columns_init(&c, in, result);

        if (rc == OK)
                rc = take_rows(rows, in, &c);
        columns_deinit(&c);
        return rc;
}
