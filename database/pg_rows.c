#include "database/pg_rows.h"

#include "base/mem.h"
#include "database/pg_decode.h"
#include "database/pg_exchange.h"
#include "database/pg_ids.h"
#include "database/pg_time.h"
#include "database/pg_type.h"
#include "database/value.h"

#define VALID_UNTIL "valid_until"

/* What the result's columns are. */
struct columns {
        const PGresult *result;
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

static enum err read_columns(struct columns *c, const struct pg_rows_in *in, const PGresult *result)
{
        const int count = PQnfields(result);

        *c = (struct columns){.result = result, .count = count, .until = -1, .fields = in->subject != NULL};
        if (count == 0)
                return ERR_CORRUPT;
        if (!c->fields)
                return OK;
        c->subject = pg_find_column(result, in->subject);
        c->until = pg_find_column(result, VALID_UNTIL);
        return c->subject < 0 || has_twins(result, count) ? ERR_CORRUPT : OK;
}

static struct pg_cell cell_of(const struct columns *c, int row, int column)
{
        return (struct pg_cell){
                .type = PQftype(c->result, column),
                .binary = PQfformat(c->result, column) == 1,
                .bytes = pg_cell_bytes(c->result, row, column),
        };
}

static bool is_field(const struct columns *c, int row, int column)
{
        return c->fields && column != c->subject && column != c->until && PQgetisnull(c->result, row, column) == 0;
}

static uint32_t count_fields(const struct columns *c, int row)
{
        uint32_t count = 0;

        for (int i = 0; i < c->count; i++)
                count += is_field(c, row, i) ? 1 : 0;
        return count;
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

static enum err put_record(struct pg_rows *rows, const struct columns *c, int row, uint32_t field_count)
{
        enum err rc = value_put_map(&rows->records, field_count);

        for (int i = 0; rc == OK && i < c->count; i++) {
                const struct pg_cell cell = cell_of(c, row, i);

                if (!is_field(c, row, i))
                        continue;
                rc = value_put_str(&rows->records, PQfname(c->result, i));
                if (rc == OK)
                        rc = pg_decode(&cell, &rows->records);
        }
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
        const uint32_t field_count = count_fields(c, row);
        enum err rc;

        if (!c->fields || (field_count == 0 && says_until(c, row)))
                return OK;
        rc = make_room(rows);
        if (rc == OK)
                rc = put_record(rows, c, row, field_count);
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
                return count_fields(c, row) == 0 ? OK : ERR_CORRUPT; /* somebody's record, and nobody knows whose */
        rc = subject_of(c, row, &rows->made, &id);
        if (rc != OK)
                return rc;
        place = pg_ids_find(in->ids, in->id_count, id);
        if (place == in->id_count)
                return remember_other(rows, id);
        of = &rows->of[place];
        of->seen = true;
        if (c->until >= 0 && until_of(c, row) < of->until)
                of->until = until_of(c, row);
        return add_record(rows, c, row, of);
}

enum err pg_rows_take(struct pg_rows *rows, const struct pg_rows_in *in, const PGresult *result)
{
        struct columns c;
        enum err rc = read_columns(&c, in, result);

        if (rc != OK)
                return rc;
        rows->of = vc_calloc(in->id_count == 0 ? 1 : in->id_count, sizeof(*rows->of));
        if (rows->of == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < in->id_count; i++)
                rows->of[i] = (struct pg_rows_of){.first = PG_ROW_NONE, .last = PG_ROW_NONE, .until = INT64_MAX};
        rows->limited = c.until >= 0;
        for (int row = 0; rc == OK && row < PQntuples(result); row++)
                rc = take_row(rows, in, &c, row);
        return rc;
}
