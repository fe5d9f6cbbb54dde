#include "database/import_table.h"

#include "base/cursor.h"
#include "base/mem.h"

static const struct import_column COLUMNS[] = {
#define COLUMN(table, column, field, form, need) {IMPORT_##table, column, field, FORM_##form, NEED_##need},
#include "database/import_columns.def"
#undef COLUMN
};

enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]), SIGNATURE_MAX = 8 };

/* What tells the tables from one another and from Synthea's other tables beside the required columns: columns that none
 * of a table's versions has. */
static const struct signature {
        const char *name;
        const char *synthea_name;
        const char *file_word; /* in the file's name, where columns do not decide */
        const char *never[SIGNATURE_MAX];
} SIGNATURES[IMPORT_KIND_COUNT] = {
        [IMPORT_students] = {"students", "patients", "patient", {"START", "PATIENT"}},
        [IMPORT_allergies] = {"allergies", "allergies", "allerg",
                {"ID", "UDI", "BASE_COST", "PAYER", "REASONCODE", "QUANTITY"}},
        [IMPORT_conditions] = {"conditions", "conditions", "condition",
                {"ID", "UDI", "BASE_COST", "PAYER", "REASONCODE", "QUANTITY", "CATEGORY", "SEVERITY1"}},
        [IMPORT_vaccinations] = {"vaccinations", "immunizations", "immunization",
                {"ID", "START", "UDI", "VALUE", "REASONCODE", "QUANTITY"}},
};

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

const char *import_table_synthea_name(enum import_kind kind)
{
        return SIGNATURES[kind].synthea_name;
}

bool import_layout_find(const struct import_layout *layout, const char *name, size_t *index)
{
        for (*index = 0; *index < layout->count; (*index)++)
                if (strcmp(layout->names[*index], name) == 0)
                        return true;
        return false;
}

static bool has_column(const struct import_layout *layout, const char *name)
{
        size_t index;

        return import_layout_find(layout, name, &index);
}

static bool fits(const struct import_layout *layout, enum import_kind kind)
{
        const struct signature *signature = &SIGNATURES[kind];
        size_t count;
        const struct import_column *columns = import_table_columns(kind, &count);

        for (size_t i = 0; i < count; i++)
                if (columns[i].need == NEED_REQUIRED && !has_column(layout, columns[i].column))
                        return false;
        for (size_t i = 0; i < SIGNATURE_MAX && signature->never[i] != NULL; i++)
                if (has_column(layout, signature->never[i]))
                        return false;
        return true;
}

/* The file's own name, without its folders, has the word in it. */
static bool named_so(const char *path, const char *word)
{
        const char *slash = strrchr(path, '/');

        return strcasestr(slash == NULL ? path : slash + 1, word) != NULL;
}

static enum err decide_kind(struct import_layout *layout, const char *path, struct err_msg *msg)
{
        unsigned fitting = 0;
        unsigned named = 0;

        for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++) {
                bool word = named_so(path, SIGNATURES[kind].file_word);

                if (!fits(layout, kind))
                        continue;
                if (fitting == 0 || word)
                        layout->kind = kind;
                fitting++;
                named += word ? 1 : 0;
        }
        if (fitting == 0)
                return err_set(msg, ERR_NOTFOUND,
                        "its columns are not those of patients, allergies, conditions or immunizations");
        if (fitting > 1 && named != 1)
                return err_set(msg, ERR_BADVALUE,
                        "its columns may be allergies or conditions; "
                        "let the file's name say which (allergies.csv, conditions.csv)");
        return OK;
}

static char *capitals_of(struct slice text)
{
        char *name = vc_malloc(text.len + 1);

        if (name == NULL)
                return NULL;
        for (size_t i = 0; i < text.len; i++) {
                uint8_t c = text.data[i];

                name[i] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
        }
        name[text.len] = '\0';
        return name;
}

static enum err read_names(struct import_layout *layout, const struct csv_row *header, struct err_msg *msg)
{
        for (size_t i = 0; i < header->count; i++) {
                struct slice field = header->fields[i];
                char *name;

                if (!slice_is_utf8(field) || (field.len > 0 && memchr(field.data, '\0', field.len) != NULL))
                        return err_set(msg, ERR_BADVALUE, "its header line is not UTF-8 text");
                name = capitals_of(field);
                if (name == NULL)
                        return err_set(msg, ERR_NOMEM, "out of memory reading the header line");
                if (name[0] != '\0' && has_column(layout, name)) {
                        err_set(msg, ERR_BADVALUE, "its header names the column %.64s twice", name);
                        vc_free(name);
                        return ERR_BADVALUE;
                }
                layout->names[layout->count++] = name;
        }
        return OK;
}

enum err import_layout_init(
        struct import_layout *out, const struct csv_row *header, const char *path, struct err_msg *msg)
{
        enum err rc;

        out->count = 0;
        out->kind = IMPORT_students;
        rc = read_names(out, header, msg);
        if (rc == OK)
                rc = decide_kind(out, path, msg);
        if (rc != OK)
                import_layout_deinit(out);
        return rc;
}

void import_layout_deinit(struct import_layout *layout)
{
        for (size_t i = 0; i < layout->count; i++)
                vc_free(layout->names[i]);
        layout->count = 0;
}
