#include "import/import_names.h"

void import_names_init(struct import_names *names)
{
        arena_init(&names->arena);
        names->count = 0;
}

void import_names_deinit(struct import_names *names)
{
        arena_deinit(&names->arena);
        names->count = 0;
}

static bool is_table_name(struct slice name)
{
        for (size_t i = 0; i < name.len; i++) {
                uint8_t c = name.data[i];

                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
                        return false;
        }
        return name.len > 0 && name.len <= IMPORT_NAMES_LENGTH;
}

enum err import_names_get(struct import_names *names, struct slice name, const char **out)
{
        *out = NULL;
        for (size_t i = 0; *out == NULL && i < names->count; i++)
                if (slice_equal(slice_str(names->names[i]), name))
                        *out = names->names[i];
        if (*out != NULL)
                return OK;
        if (!is_table_name(name) || names->count == IMPORT_NAMES_MAX)
                return ERR_BADVALUE;
        *out = arena_text(&names->arena, name);
        if (*out == NULL)
                return ERR_NOMEM;
        names->names[names->count++] = *out;
        return OK;
}
