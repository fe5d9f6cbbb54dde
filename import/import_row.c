#include "import/import_row.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "import/code_system.h"
#include "database/datetime.h"
#include "database/record_type.h"
#include "database/value.h"

/* A row on its way to a record. */
struct draft {
        const struct import_layout *layout;
        const struct csv_row *row;
        struct buf *out;
        uint32_t members; /* appended so far */
        struct reject *reject;
};

/* What a cell may hold: UTF-8, and no NUL, which no program that shows it expects. */
static bool is_text(struct slice cell)
{
        return slice_is_utf8(cell) && (cell.len == 0 || memchr(cell.data, '\0', cell.len) == NULL);
}

static enum err refuse(const struct draft *d, enum reject_reason reason, const char *column)
{
        *d->reject = reject_of(reason, column);
        return ERR_BADVALUE;
}

/* The cell at a place of the row; empty when the file has no such column. */
static struct slice cell_at(const struct draft *d, int place)
{
        return place == LAYOUT_NONE ? SLICE_EMPTY : d->row->fields[place];
}

static struct slice cell(const struct draft *d, enum import_cell which)
{
        return cell_at(d, d->layout->cells[which]);
}

static enum err put_member(struct draft *d, const char *field, struct slice text)
{
        d->members++;
        return value_put_member(d->out, field, text);
}

/* ---- forms of cells ---- */

static enum err put_date(struct draft *d, const struct import_column *column, struct slice text)
{
        struct datetime when;

        if (datetime_parse_date(text, &when, NULL) != OK)
                return refuse(d, REJECT_DATE, column->column);
        return put_member(d, column->field, text);
}

static enum err put_instant(struct draft *d, const struct import_column *column, struct slice text)
{
        struct datetime when;

        if (datetime_parse(text, &when, NULL) != OK)
                return refuse(d, REJECT_INSTANT, column->column);
        return put_member(d, column->field, text);
}

static enum err put_id(struct draft *d, const struct import_column *column, struct slice text)
{
        if (record_id_check(ID_KIND_TEXT, text, NULL) != OK)
                return refuse(d, REJECT_ID, column->column);
        return put_member(d, column->field, text);
}

/* The student's id, with the prefix that tells this publisher's students from others'. Of students it is the record's
 * id as well. */
static enum err put_student(struct draft *d, const struct import_column *column, struct slice text)
{
        struct slice prefix = d->layout->prefix;
        uint8_t id[RECORD_ID_MAX];
        struct slice whole = text;
        enum err rc;

        if (prefix.len + text.len > sizeof(id))
                return refuse(d, REJECT_ID, column->column);
        if (prefix.len > 0) {
                memcpy(id, prefix.data, prefix.len);
                memcpy(id + prefix.len, text.data, text.len);
                whole = slice_of(id, prefix.len + text.len);
        }
        if (record_id_check(ID_KIND_TEXT, whole, NULL) != OK)
                return refuse(d, REJECT_ID, column->column);
        rc = put_member(d, "student", whole);
        return rc == OK && d->layout->kind == IMPORT_students ? put_member(d, "id", whole) : rc;
}

/* FHIR's words for Synthea's letters; others as they are. */
static struct slice gender_word(struct slice text)
{
        if (slice_is_word(text, "F"))
                return slice_str("female");
        if (slice_is_word(text, "M"))
                return slice_str("male");
        return text;
}

/* A ZIP code that went through a table of numbers ("2155.0") gets back its five digits. Others stay as they are. */
static struct slice zip_digits(struct slice text, char digits[6])
{
        size_t whole = 0;

        while (whole < text.len && text.data[whole] >= '0' && text.data[whole] <= '9')
                whole++;
        if (whole == 0 || whole > 5 || !slice_equal(slice_of(text.data + whole, text.len - whole), slice_str(".0")))
                return text;
        memset(digits, '0', 5);
        memcpy(digits + 5 - whole, text.data, whole);
        return slice_of(digits, 5);
}

/* ---- what follows from several cells ---- */

/* An unkeyed hash on purpose: the id must be the same on every machine and at every import. The cells are told apart by
 * their lengths. */
static enum err put_record_id(struct draft *d)
{
        static const char digits[] = "0123456789abcdef";
        enum import_cell start = d->layout->kind == IMPORT_vaccinations ? CELL_DATE : CELL_START;
        struct slice parts[] = {cell(d, CELL_CODE), cell(d, start), cell(d, CELL_DESCRIPTION)};
        uint64_t hash = 0;
        char id[16];

        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                hash = hash64(parts[i], hash + parts[i].len);
        for (size_t i = sizeof(id); i-- > 0; hash >>= 4)
                id[i] = digits[hash & 15];
        return put_member(d, "id", slice_of(id, sizeof(id)));
}

/* Rising; "UNKNOWN" stands for an empty cell. */
static const char *const SEVERITIES[] = {"UNKNOWN", "MILD", "MODERATE", "SEVERE"};

enum { REACTION_COUNT = 2 };

static const struct {
        enum import_cell code;
        enum import_cell display;
        enum import_cell severity;
} REACTIONS[REACTION_COUNT] = {
        {CELL_REACTION1, CELL_DESCRIPTION1, CELL_SEVERITY1},
        {CELL_REACTION2, CELL_DESCRIPTION2, CELL_SEVERITY2},
};

static enum err severity_rank(const struct draft *d, enum import_cell which, size_t *rank)
{
        struct slice text = cell(d, which);

        *rank = 0;
        if (text.len == 0)
                return OK;
        for (; *rank < sizeof(SEVERITIES) / sizeof(SEVERITIES[0]); (*rank)++)
                if (slice_is_word(text, SEVERITIES[*rank]))
                        return OK;
        return refuse(d, REJECT_SEVERITY, import_layout_cell_name(which));
}

static enum err put_severity(struct draft *d)
{
        size_t worst = 0;

        for (size_t i = 0; i < REACTION_COUNT; i++) {
                size_t rank;
                enum err rc = severity_rank(d, REACTIONS[i].severity, &rank);

                if (rc != OK)
                        return rc;
                if (rank > worst)
                        worst = rank;
        }
        return worst == 0 ? OK : put_member(d, "severity", slice_str(SEVERITIES[worst]));
}

static bool has_reaction(const struct draft *d, size_t i)
{
        return cell(d, REACTIONS[i].code).len > 0 || cell(d, REACTIONS[i].display).len > 0;
}

static enum err put_reaction(struct draft *d, size_t i)
{
        struct slice code = cell(d, REACTIONS[i].code);
        struct slice display = cell(d, REACTIONS[i].display);
        size_t rank;
        enum err rc = severity_rank(d, REACTIONS[i].severity, &rank);

        if (!is_text(code))
                return refuse(d, REJECT_ENCODING, import_layout_cell_name(REACTIONS[i].code));
        if (!is_text(display))
                return refuse(d, REJECT_ENCODING, import_layout_cell_name(REACTIONS[i].display));
        if (rc == OK)
                rc = value_put_map(d->out, 3);
        if (rc == OK)
                rc = value_put_member(d->out, "code", code);
        if (rc == OK)
                rc = value_put_member(d->out, "display", display);
        return rc == OK ? value_put_member(d->out, "severity", slice_str(SEVERITIES[rank])) : rc;
}

static enum err put_reactions(struct draft *d)
{
        uint32_t given = 0;
        enum err rc;

        for (size_t i = 0; i < REACTION_COUNT; i++)
                given += has_reaction(d, i) ? 1 : 0;
        d->members++;
        rc = value_put_str(d->out, "reactions");
        if (rc == OK)
                rc = value_put_list(d->out, given);
        for (size_t i = 0; rc == OK && i < REACTION_COUNT; i++)
                if (has_reaction(d, i))
                        rc = put_reaction(d, i);
        return rc;
}

/* Databases that have no empty dates write 9999-12-31 for what has not ended: an allergy that ends some day is one
 * today. Dates of ISO 8601 are in the order of their text; a partial one is past as soon as it has begun. */
static bool is_past(struct slice stop, struct slice today)
{
        size_t len = stop.len < today.len ? stop.len : today.len;

        return stop.len > 0 && (len == 0 || memcmp(stop.data, today.data, len) <= 0);
}

static enum err put_status(struct draft *d)
{
        const char *ended = d->layout->kind == IMPORT_conditions ? "resolved" : "inactive";
        bool past = is_past(cell(d, CELL_STOP), d->layout->today);

        return put_member(d, "status", slice_str(past ? ended : "active"));
}

static enum err put_kind(struct draft *d)
{
        struct slice tag = code_system_semantic_tag(cell(d, CELL_DESCRIPTION));

        return tag.len == 0 ? OK : put_member(d, "kind", tag);
}

/* The cells of columns that the table does not have. */
static enum err put_others(struct draft *d)
{
        const struct import_layout *layout = d->layout;
        uint32_t count = 0;
        size_t mark = 0;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < layout->other_count; i++) {
                struct slice text = d->row->fields[layout->others[i]];
                const char *name = layout->names[layout->others[i]];

                if (text.len == 0)
                        continue;
                if (!is_text(text))
                        return refuse(d, REJECT_ENCODING, name);
                if (count++ == 0)
                        rc = value_put_str(d->out, "other");
                if (rc == OK && count == 1)
                        rc = value_open_map(d->out, &mark);
                if (rc == OK)
                        rc = value_put_member(d->out, name, text);
        }
        if (rc == OK && count > 0) {
                d->members++;
                value_close(d->out, mark, count);
        }
        return rc;
}

static enum err put_computed(struct draft *d, const struct import_column *column)
{
        switch (column->form) {
        case FORM_RECORD_ID: return put_record_id(d);
        case FORM_SEVERITY: return put_severity(d);
        case FORM_REACTIONS: return put_reactions(d);
        case FORM_STATUS: return put_status(d);
        case FORM_KIND: return put_kind(d);
        case FORM_CVX: return put_member(d, column->field, slice_str("CVX"));
        default: return ERR_INTERNAL;
        }
}

/* ---- rows ---- */

static enum err put_text(struct draft *d, const struct import_column *column, struct slice text)
{
        char digits[6];

        switch (column->form) {
        case FORM_STUDENT: return put_student(d, column, text);
        case FORM_ID: return put_id(d, column, text);
        case FORM_TEXT: return put_member(d, column->field, text);
        case FORM_SYSTEM: return put_member(d, column->field, code_system_name(text));
        case FORM_DATE: return put_date(d, column, text);
        case FORM_INSTANT: return put_instant(d, column, text);
        case FORM_GENDER: return put_member(d, column->field, gender_word(text));
        case FORM_ZIP: return put_member(d, column->field, zip_digits(text, digits));
        default: return ERR_INTERNAL;
        }
}

static enum err put_column(struct draft *d, const struct import_column *column, int place)
{
        struct slice text = cell_at(d, place);

        if (column->need == NEED_COMPUTED)
                return put_computed(d, column);
        if (column->form == FORM_PART)
                return OK;
        if (text.len == 0)
                return column->need == NEED_KEY ? refuse(d, REJECT_MISSING, column->column) : OK;
        if (!is_text(text))
                return refuse(d, REJECT_ENCODING, column->column);
        return put_text(d, column, text);
}

/* An allergy to nothing, a vaccination against nothing. */
static bool says_nothing(const struct draft *d)
{
        bool clinical = d->layout->kind != IMPORT_students && d->layout->kind != IMPORT_visits;

        return clinical && cell(d, CELL_CODE).len == 0 && cell(d, CELL_DESCRIPTION).len == 0;
}

enum err import_row_to_record(
        const struct import_layout *layout, const struct csv_row *row, struct buf *out, struct reject *reject)
{
        struct draft d = {.layout = layout, .row = row, .out = out, .reject = reject};
        size_t before = buf_len(out);
        size_t mark;
        enum err rc;

        if (row->count != layout->count)
                return refuse(&d, REJECT_COLUMNS, NULL);
        if (says_nothing(&d))
                return refuse(&d, REJECT_MISSING, import_layout_cell_name(CELL_CODE));
        rc = value_open_map(out, &mark);
        for (size_t i = 0; rc == OK && i < layout->column_count; i++)
                rc = put_column(&d, &layout->columns[i], layout->places[i]);
        if (rc == OK)
                rc = put_others(&d);
        if (rc == OK)
                value_close(out, mark, d.members);
        else
                buf_truncate(out, before);
        return rc;
}
