#include "import/import_layout.h"

#include "base/cursor.h"
#include "base/mem.h"

#include <stdio.h>

static const char *const CELLS[CELL_COUNT] = {"CODE", "DESCRIPTION", "START", "STOP", "DATE", "REACTION1",
        "DESCRIPTION1", "SEVERITY1", "REACTION2", "DESCRIPTION2", "SEVERITY2"};

const char *import_layout_cell_name(enum import_cell cell)
{
        return CELLS[cell];
}

int import_layout_place(const struct import_layout *layout, const char *name)
{
        for (size_t i = 0; i < layout->count; i++)
                if (strcmp(layout->names[i], name) == 0)
                        return (int)i;
        return LAYOUT_NONE;
}

/* ---- the header line ---- */

/* The name in capitals; of a column without a name, its number. */
static char *make_name(struct slice text, size_t place)
{
        enum { NUMBERED_SIZE = 16 };
        char *name = vc_malloc(text.len + NUMBERED_SIZE);

        if (name == NULL)
                return NULL;
        for (size_t i = 0; i < text.len; i++) {
                uint8_t c = text.data[i];

                name[i] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
        }
        name[text.len] = '\0';
        if (text.len == 0)
                (void)snprintf(name, NUMBERED_SIZE, "COLUMN %zu", place + 1);
        return name;
}

static enum err read_name(struct import_layout *layout, struct slice field, struct err_msg *msg)
{
        char *name;

        if (!slice_is_utf8(field) || (field.len > 0 && memchr(field.data, '\0', field.len) != NULL))
                return err_set(msg, ERR_BADVALUE, "its header line is not UTF-8 text");
        name = make_name(field, layout->count);
        if (name == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory reading the header line");
        if (import_layout_place(layout, name) != LAYOUT_NONE) {
                err_set(msg, ERR_BADVALUE, "its header names the column %.64s twice", name);
                vc_free(name);
                return ERR_BADVALUE;
        }
        layout->names[layout->count++] = name;
        return OK;
}

enum err import_layout_init(struct import_layout *out, const struct csv_row *header, struct err_msg *msg)
{
        enum err rc = OK;

        *out = (struct import_layout){.count = 0};
        for (size_t i = 0; rc == OK && i < header->count; i++)
                rc = read_name(out, header->fields[i], msg);
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

/* ---- the table ---- */

/* Where the column of the table is; none when another column has its field already. */
static int find_place(const struct import_layout *layout, size_t column)
{
        const struct import_column *wanted = &layout->columns[column];

        if (wanted->need == NEED_COMPUTED)
                return LAYOUT_NONE;
        for (size_t i = 0; wanted->form != FORM_PART && i < column; i++)
                if (layout->places[i] != LAYOUT_NONE && strcmp(layout->columns[i].field, wanted->field) == 0)
                        return LAYOUT_NONE;
        return import_layout_place(layout, wanted->column);
}

static bool is_bound(const struct import_layout *layout, size_t place)
{
        for (size_t i = 0; i < layout->column_count; i++)
                if (layout->places[i] == (int)place)
                        return true;
        return false;
}

void import_layout_bind(struct import_layout *layout, enum import_kind kind)
{
        layout->kind = kind;
        layout->columns = import_table_columns(kind, &layout->column_count);
        VC_ASSERT(layout->column_count <= LAYOUT_COLUMNS_MAX);
        for (size_t i = 0; i < layout->column_count; i++)
                layout->places[i] = find_place(layout, i);
        for (size_t i = 0; i < CELL_COUNT; i++)
                layout->cells[i] = import_layout_place(layout, CELLS[i]);
        layout->other_count = 0;
        for (size_t i = 0; i < layout->count; i++)
                if (!is_bound(layout, i))
                        layout->others[layout->other_count++] = (uint16_t)i;
}
