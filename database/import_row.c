#include "database/import_row.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "database/datetime.h"
#include "database/record_type.h"
#include "database/value.h"

#include <stdio.h>

static const char *const REASONS[] = {
#define REASON(name, text) text,
#include "database/import_reasons.def"
#undef REASON
};

const char *import_row_reason(enum import_reason reason)
{
        return REASONS[reason];
}

/* A row on its way to a record. */
struct draft {
        const struct import_layout *layout;
        const struct csv_row *row;
        struct buf *out;
        uint32_t members; /* appended so far */
        struct import_reject *reject;
};

static enum err refuse(const struct draft *d, enum import_reason reason, const char *column)
{
        *d->reject = (struct import_reject){.reason = reason, .column = column};
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
                return refuse(d, IMPORT_REASON_DATE, column->column);
        return put_member(d, column->field, text);
}

static enum err put_instant(struct draft *d, const struct import_column *column, struct slice text)
{
        struct datetime when;

        if (datetime_parse(text, &when, NULL) != OK)
                return refuse(d, IMPORT_REASON_INSTANT, column->column);
        return put_member(d, column->field, text);
}

static enum err put_id(struct draft *d, const struct import_column *column, struct slice text)
{
        enum err rc;

        if (record_id_check(ID_KIND_TEXT, text, NULL) != OK)
                return refuse(d, IMPORT_REASON_ID, column->column);
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

static enum err put_cell(struct draft *d, const struct import_column *column)
{
        struct slice text = cell(d, column->column);
        char digits[6];

        if (text.len == 0)
                return column->required ? refuse(d, IMPORT_REASON_MISSING, column->column) : OK;
        if (!slice_is_utf8(text))
                return refuse(d, IMPORT_REASON_ENCODING, column->column);
        switch (column->form) {
        case FORM_ID: return put_id(d, column, text);
        case FORM_TEXT: return put_member(d, column->field, text);
        case FORM_DATE: return put_date(d, column, text);
        case FORM_INSTANT: return put_instant(d, column, text);
        case FORM_GENDER: return put_member(d, column->field, gender_word(text));
        case FORM_ZIP: return put_member(d, column->field, zip_digits(text, digits));
        }
        return ERR_INTERNAL;
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

static enum err severity_rank(const struct draft *d, const char *column, size_t *rank)
{
        struct slice text = cell(d, column);

        *rank = 0;
        if (text.len == 0)
                return OK;
        for (; *rank < sizeof(SEVERITIES) / sizeof(SEVERITIES[0]); (*rank)++)
                if (slice_is_word(text, SEVERITIES[*rank]))
                        return OK;
        return refuse(d, IMPORT_REASON_SEVERITY, column);
}

struct reaction {
        const char *code_column;
        const char *display_column;
        const char *severity_column;
        size_t rank;
};

static bool has_reaction(const struct draft *d, const struct reaction *r)
{
        return cell(d, r->code_column).len > 0 || cell(d, r->display_column).len > 0;
}

static enum err put_reaction(struct draft *d, const struct reaction *r)
{
        struct slice code = cell(d, r->code_column);
        struct slice display = cell(d, r->display_column);
        enum err rc;

        if (!slice_is_utf8(code))
                return refuse(d, IMPORT_REASON_ENCODING, r->code_column);
        if (!slice_is_utf8(display))
                return refuse(d, IMPORT_REASON_ENCODING, r->display_column);
        rc = value_put_map(d->out, 3);
        if (rc == OK)
                rc = value_put_member(d->out, "code", code);
        if (rc == OK)
                rc = value_put_member(d->out, "display", display);
        return rc == OK ? value_put_member(d->out, "severity", slice_str(SEVERITIES[r->rank])) : rc;
}

static enum err put_reactions(struct draft *d, const struct reaction *reactions, size_t count)
{
        uint32_t given = 0;
        enum err rc;

        for (size_t i = 0; i < count; i++)
                given += has_reaction(d, &reactions[i]) ? 1 : 0;
        d->members++;
        rc = value_put_str(d->out, "reactions");
        if (rc == OK)
                rc = value_put_list(d->out, given);
        for (size_t i = 0; rc == OK && i < count; i++)
                if (has_reaction(d, &reactions[i]))
                        rc = put_reaction(d, &reactions[i]);
        return rc;
}

static enum err derive_allergy(struct draft *d)
{
        struct reaction reactions[] = {
                {"REACTION1", "DESCRIPTION1", "SEVERITY1", 0},
                {"REACTION2", "DESCRIPTION2", "SEVERITY2", 0},
        };
        size_t worst = 0;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < 2; i++) {
                rc = severity_rank(d, reactions[i].severity_column, &reactions[i].rank);
                if (reactions[i].rank > worst)
                        worst = reactions[i].rank;
        }
        if (rc == OK)
                rc = put_record_id(d);
        if (rc == OK)
                rc = put_member(d, "severity", slice_str(SEVERITIES[worst]));
        if (rc == OK)
                rc = put_member(d, "status", slice_str(is_active(d) ? "active" : "inactive"));
        return rc == OK ? put_reactions(d, reactions, 2) : rc;
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

static enum err derive_condition(struct draft *d)
{
        struct slice tag = semantic_tag(cell(d, "DESCRIPTION"));
        bool illness = tag.len == 0 || slice_equal(tag, slice_str("disorder"));
        enum err rc = put_record_id(d);

        if (rc == OK)
                rc = put_member(d, "status", slice_str(is_active(d) ? "active" : "resolved"));
        if (rc == OK && tag.len > 0)
                rc = put_member(d, "kind", tag);
        if (rc == OK)
                rc = value_put_str(d->out, "chronic");
        d->members++;
        return rc == OK ? value_put_bool(d->out, illness && is_active(d)) : rc;
}

static enum err derive_vaccination(struct draft *d)
{
        enum err rc = put_record_id(d);

        return rc == OK ? put_member(d, "system", slice_str("CVX")) : rc;
}

static enum err derive(struct draft *d)
{
        switch (d->layout->kind) {
        case IMPORT_allergies: return derive_allergy(d);
        case IMPORT_conditions: return derive_condition(d);
        case IMPORT_vaccinations: return derive_vaccination(d);
        default: return OK;
        }
}

enum err import_row_to_record(
        const struct import_layout *layout, const struct csv_row *row, struct buf *out, struct import_reject *reject)
{
        struct draft d = {.layout = layout, .row = row, .out = out, .reject = reject};
        size_t before = buf_len(out);
        size_t mark;
        size_t count;
        const struct import_column *columns = import_table_columns(layout->kind, &count);
        enum err rc;

        if (row->count != layout->count)
                return refuse(&d, IMPORT_REASON_COLUMNS, NULL);
        rc = value_open_map(out, &mark);
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = put_cell(&d, &columns[i]);
        if (rc == OK)
                rc = derive(&d);
        if (rc == OK)
                value_close(out, mark, d.members);
        else
                buf_truncate(out, before);
        return rc;
}
