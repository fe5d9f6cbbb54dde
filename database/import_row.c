#include "database/import_row.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "database/datetime.h"
#include "database/record_type.h"
#include "database/value.h"

#include <stdio.h>

/* A row on its way to a record. */
struct draft {
        const struct import_layout *layout;
        const struct csv_row *row;
        struct buf *out;
        uint32_t members; /* appended so far */
        struct reject *reject;
};

static enum err refuse(const struct draft *d, enum reject_reason reason, const char *column)
{
        *d->reject = reject_of(reason, column);
        return ERR_BADVALUE;
}

/* The cell of a column; empty when the file has no such column. */
static struct slice cell(const struct draft *d, const char *column)
{
        size_t index;

        return import_layout_find(d->layout, column, &index) ? d->row->fields[index] : SLICE_EMPTY;
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
        enum err rc;

        if (record_id_check(ID_KIND_TEXT, text, NULL) != OK)
                return refuse(d, REJECT_ID, column->column);
        rc = put_member(d, "student", text);
        if (rc == OK && d->layout->kind == IMPORT_students)
                rc = put_member(d, "id", text);
        return rc;
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
        const char *start = d->layout->kind == IMPORT_vaccinations ? "DATE" : "START";
        struct slice parts[] = {cell(d, "CODE"), cell(d, start), cell(d, "DESCRIPTION")};
        uint64_t hash = 0;
        char id[17];

        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                hash = hash64(parts[i], hash + parts[i].len);
        (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)hash);
        return put_member(d, "id", slice_str(id));
}

static bool is_active(const struct draft *d)
{
        return cell(d, "STOP").len == 0;
}

/* Rising; "UNKNOWN" stands for an empty cell. */
static const char *const SEVERITIES[] = {"UNKNOWN", "MILD", "MODERATE", "SEVERE"};

enum { REACTION_COUNT = 2 };

static const struct {
        const char *code;
        const char *display;
        const char *severity;
} REACTIONS[REACTION_COUNT] = {
        {"REACTION1", "DESCRIPTION1", "SEVERITY1"},
        {"REACTION2", "DESCRIPTION2", "SEVERITY2"},
};

static enum err severity_rank(const struct draft *d, const char *column, size_t *rank)
{
        struct slice text = cell(d, column);

        *rank = 0;
        if (text.len == 0)
                return OK;
        for (; *rank < sizeof(SEVERITIES) / sizeof(SEVERITIES[0]); (*rank)++)
                if (slice_is_word(text, SEVERITIES[*rank]))
                        return OK;
        return refuse(d, REJECT_SEVERITY, column);
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

        if (!slice_is_utf8(code))
                return refuse(d, REJECT_ENCODING, REACTIONS[i].code);
        if (!slice_is_utf8(display))
                return refuse(d, REJECT_ENCODING, REACTIONS[i].display);
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

static enum err put_status(struct draft *d)
{
        const char *ended = d->layout->kind == IMPORT_conditions ? "resolved" : "inactive";

        return put_member(d, "status", slice_str(is_active(d) ? "active" : ended));
}

/* The word in parentheses at the end of a SNOMED CT term; empty when there is none. */
static struct slice semantic_tag(struct slice term)
{
        const uint8_t *open;

        if (term.len == 0 || term.data[term.len - 1] != ')')
                return SLICE_EMPTY;
        open = memrchr(term.data, '(', term.len);
        return open == NULL ? SLICE_EMPTY : slice_of(open + 1, (size_t)(term.data + term.len - 1 - (open + 1)));
}

static enum err put_kind(struct draft *d)
{
        struct slice tag = semantic_tag(cell(d, "DESCRIPTION"));

        return tag.len == 0 ? OK : put_member(d, "kind", tag);
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

static enum err put_cell(struct draft *d, const struct import_column *column)
{
        struct slice text = cell(d, column->column);
        char digits[6];

        if (text.len == 0)
                return column->need == NEED_REQUIRED ? refuse(d, REJECT_MISSING, column->column) : OK;
        if (!slice_is_utf8(text))
                return refuse(d, REJECT_ENCODING, column->column);
        switch (column->form) {
        case FORM_ID: return put_id(d, column, text);
        case FORM_TEXT: return put_member(d, column->field, text);
        case FORM_DATE: return put_date(d, column, text);
        case FORM_INSTANT: return put_instant(d, column, text);
        case FORM_GENDER: return put_member(d, column->field, gender_word(text));
        case FORM_ZIP: return put_member(d, column->field, zip_digits(text, digits));
        default: return ERR_INTERNAL;
        }
}

enum err import_row_to_record(
        const struct import_layout *layout, const struct csv_row *row, struct buf *out, struct reject *reject)
{
        struct draft d = {.layout = layout, .row = row, .out = out, .reject = reject};
        size_t before = buf_len(out);
        size_t mark;
        size_t count;
        const struct import_column *columns = import_table_columns(layout->kind, &count);
        enum err rc;

        if (row->count != layout->count)
                return refuse(&d, REJECT_COLUMNS, NULL);
        rc = value_open_map(out, &mark);
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = columns[i].need == NEED_COMPUTED ? put_computed(&d, &columns[i]) : put_cell(&d, &columns[i]);
        if (rc == OK)
                value_close(out, mark, d.members);
        else
                buf_truncate(out, before);
        return rc;
}
