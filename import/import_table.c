#include "import/import_table.h"

#include <stdio.h>

static const struct import_column COLUMNS[] = {
#define COLUMN(table, column, field, form, need) {IMPORT_##table, column, field, FORM_##form, NEED_##need},
#include "import/import_columns.def"
#undef COLUMN
};

enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]), SIGNATURE_MAX = 9 };

/* What tells the tables from one another and from Synthea's other tables beside the columns that must be there: columns
 * that none of a table's versions has. */
static const struct signature {
        const char *name;
        const char *synthea_name;
        const char *file_word;            /* in the file's name */
        const char *never[SIGNATURE_MAX]; /* ends with NULL */
} SIGNATURES[IMPORT_KIND_COUNT] = {
        [IMPORT_students] = {"students", "patients", "patient", {"START", "PATIENT"}},
        [IMPORT_allergies] = {"allergies", "allergies", "allerg",
                {"ID", "UDI", "BASE_COST", "PAYER", "REASONCODE", "QUANTITY"}},
        [IMPORT_conditions] = {"conditions", "conditions", "condition",
                {"ID", "UDI", "BASE_COST", "PAYER", "REASONCODE", "QUANTITY", "CATEGORY", "SEVERITY1"}},
        [IMPORT_vaccinations] = {"vaccinations", "immunizations", "immunization",
                {"ID", "START", "UDI", "VALUE", "REASONCODE", "QUANTITY"}},
        [IMPORT_visits] = {"visits", "encounters", "encounter", {"ENCOUNTER", "UDI", "VALUE", "QUANTITY"}},
};

/* Synthea's tables that are not kept, as its files are called. */
static const char *const OTHERS[] = {"careplans", "claims", "claims_transactions", "devices", "imaging_studies",
        "medications", "observations", "organizations", "patient_expenses", "payer_transitions", "payers", "procedures",
        "providers", "supplies"};

const struct import_column *import_table_columns(enum import_kind kind, size_t *count)
{
        size_t first = 0;
        size_t end;

        while (COLUMNS[first].kind != kind)
                first++;
        for (end = first; end < COLUMN_COUNT && COLUMNS[end].kind == kind; end++)
                continue;
        *count = end - first;
        return &COLUMNS[first];
}

const char *import_table_name(enum import_kind kind)
{
        return SIGNATURES[kind].name;
}

bool import_table_named(struct slice name, enum import_kind *out)
{
        for (*out = 0; *out < IMPORT_KIND_COUNT; (*out)++)
                if (slice_equal(name, slice_str(SIGNATURES[*out].name)))
                        return true;
        return false;
}

/* ---- by rows ---- */

static bool has_word(struct slice text, const char *word)
{
        size_t len = strlen(word);

        for (size_t i = 0; i + len <= text.len; i++)
                if (strncasecmp((const char *)text.data + i, word, len) == 0)
                        return true;
        return false;
}

static bool has_one_of(struct slice text, const char *const *words)
{
        for (; *words != NULL; words++)
                if (has_word(text, *words))
                        return true;
        return false;
}

void import_table_sample(struct import_sample *sample, struct slice description)
{
        static const char *const allergies[] = {"allergy", "intolerance to", "(substance)", NULL};
        static const char *const conditions[] = {"(disorder)", "(finding)", "(situation)", "itis", "disease",
                "disorder", "syndrome", "injury", "infection", "fracture", "sprain", NULL};

        sample->rows++;
        if (has_one_of(description, allergies))
                sample->allergies++;
        else if (has_one_of(description, conditions))
                sample->conditions++;
}

/* An allergy that is taken for a condition is missing from the list where it is looked for; so a file is conditions
 * only when its rows say so, not because they do not speak of allergies. */
static bool decide_by_rows(const struct import_sample *sample, enum import_kind *out)
{
        bool allergies = sample->rows > 0 && sample->allergies >= sample->rows - sample->rows / 5;
        bool conditions = sample->allergies <= sample->rows / 20 && sample->conditions > sample->rows / 10;

        *out = allergies ? IMPORT_allergies : IMPORT_conditions;
        return allergies || conditions;
}

/* ---- by columns ---- */

static bool has_column(const struct import_header *names, const char *name)
{
        for (size_t i = 0; i < names->count; i++)
                if (strcmp(names->names[i], name) == 0)
                        return true;
        return false;
}

static bool has_foreign(const struct import_header *names, enum import_kind kind)
{
        for (const char *const *name = SIGNATURES[kind].never; *name != NULL; name++)
                if (has_column(names, *name))
                        return true;
        return false;
}

static bool is_needed(const struct import_column *column)
{
        return column->need == NEED_KEY || column->need == NEED_HEADER;
}

/* Columns that must be there and are not; their names, with commas between them, go to `text`. */
static unsigned list_missing(const struct import_header *names, enum import_kind kind, char *text, size_t size)
{
        unsigned missing = 0;
        size_t count;
        const struct import_column *columns = import_table_columns(kind, &count);
        size_t len = 0;

        text[0] = '\0';
        for (size_t i = 0; i < count; i++) {
                if (!is_needed(&columns[i]) || has_column(names, columns[i].column))
                        continue;
                len += (size_t)snprintf(text + len, size - len, "%s%s", missing == 0 ? "" : ", ", columns[i].column);
                missing++;
        }
        return missing;
}

enum { MISSING_SIZE = 160 };

static bool fits(const struct import_header *names, enum import_kind kind)
{
        char missing[MISSING_SIZE];

        return !has_foreign(names, kind) && list_missing(names, kind, missing, sizeof(missing)) == 0;
}

/* ---- by the file's name ---- */

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash == NULL ? path : slash + 1;
}

static bool is_named(const char *path, enum import_kind kind)
{
        return has_word(slice_str(base_name(path)), SIGNATURES[kind].file_word);
}

bool import_table_may_be(const char *path, struct slice first_line)
{
        static const char *const words[] = {"patient", "birthdate", NULL};

        for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++)
                if (is_named(path, kind))
                        return true;
        return has_one_of(first_line, words);
}

static const char *other_name(const char *path)
{
        const char *name = base_name(path);
        size_t len = strcspn(name, ".");

        for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
                if (slice_is_word(slice_of(name, len), OTHERS[i]))
                        return OTHERS[i];
        return NULL;
}

/* ---- which ---- */

struct fitting {
        unsigned count;
        unsigned named;
};

/* Spreadsheets write other separators where the comma is in numbers. */
static char other_separator(const struct import_header *names)
{
        static const char separators[] = {';', '\t', '|'};

        for (size_t i = 0; names->count == 1 && i < sizeof(separators); i++)
                if (strchr(names->names[0], separators[i]) != NULL)
                        return separators[i];
        return '\0';
}

/* Whether it is one of the table's files, whose columns are not as they should be: by its whole name, or by a part of
 * it and a column. */
static bool is_meant_for(const struct import_header *names, const char *path, enum import_kind kind)
{
        const char *name = base_name(path);
        size_t count;
        const struct import_column *columns = import_table_columns(kind, &count);

        if (slice_is_word(slice_of(name, strcspn(name, ".")), SIGNATURES[kind].synthea_name))
                return true;
        for (size_t i = 0; is_named(path, kind) && i < count; i++)
                if (is_needed(&columns[i]) && has_column(names, columns[i].column))
                        return true;
        return false;
}

static enum err fits_none(const struct import_header *names, const char *path, struct err_msg *msg)
{
        const char *other = other_name(path);
        char separator = other_separator(names);
        char missing[MISSING_SIZE];

        if (other != NULL)
                return err_set(msg, ERR_NOTFOUND, "Synthea's %s are not kept", other);
        if (separator != '\0')
                return err_set(msg, ERR_BADVALUE, "its columns are separated by '%s'; save it with commas",
                        separator == '\t' ? "tab" : (const char[]){separator, '\0'});
        for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++)
                if (is_meant_for(names, path, kind) && list_missing(names, kind, missing, sizeof(missing)) > 0)
                        return err_set(msg, ERR_BADVALUE, "it is named as %s are, and lacks the columns: %s",
                                SIGNATURES[kind].synthea_name, missing);
        return err_set(msg, ERR_NOTYPE,
                "its columns are not those of patients, allergies, conditions, immunizations or encounters");
}

/* The tables that these columns fit, and among them those that the file is named after; *out is one of the latter, else
 * of the former. */
static void find_fitting(
        const struct import_header *names, const char *path, enum import_kind *out, struct fitting *found)
{
        *found = (struct fitting){.count = 0};
        for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++) {
                bool named = is_named(path, kind);

                if (!fits(names, kind))
                        continue;
                if (found->count == 0 || named)
                        *out = kind;
                found->count++;
                found->named += named ? 1 : 0;
        }
}

enum err import_table_find(const struct import_header *names, const char *path, const struct import_sample *sample,
        enum import_kind *out, struct err_msg *msg)
{
        struct fitting found;
        enum import_kind by_rows;

        find_fitting(names, path, out, &found);
        if (found.count == 0 || (found.count > 1 && other_name(path) != NULL))
                return fits_none(names, path, msg);
        if (found.count == 1 || (found.named == 1 && *out == IMPORT_allergies))
                return OK;
        if (decide_by_rows(sample, &by_rows)) {
                *out = by_rows;
                return OK;
        }
        if (found.named == 1)
                return OK;
        if (sample->rows == 0)
                return err_set(msg, ERR_NOTFOUND, "it has a header line and no rows");
        return err_set(msg, ERR_BADVALUE,
                "its columns and rows may be allergies or conditions; let the file's name say which (allergies.csv, "
                "conditions.csv)");
}
