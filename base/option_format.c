/* Options as people read them. */
#include "base/dsn.h"
#include "base/option.h"
#include "base/quantity.h"

#include <inttypes.h>

/* Word number `index` of words separated by '|'. */
static struct slice word_at(const char *words, uint64_t index)
{
        const char *at = words;

        for (; index > 0; index--)
                at += strcspn(at, "|") + 1;
        return slice_of(at, strcspn(at, "|"));
}

static enum err format_list(enum option_type type, const struct option_list *list, struct buf *out)
{
        bool paths = type == OPTION_PATHS;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < list->count; i++) {
                if (i > 0)
                        rc = buf_append_str(out, paths ? "," : ";");
                if (rc == OK)
                        rc = paths ? buf_append_str(out, list->items[i]) : dsn_append_shown(out, list->items[i]);
        }
        return rc;
}

enum err option_format(const struct option_set *set, int index, struct buf *out)
{
        const struct option_row *row = option_row(set, index);
        const struct option_value *value = option_value(set, index);
        char text[QUANTITY_TEXT_SIZE];

        switch (row->type) {
        case OPTION_BOOL: return buf_append_str(out, value->number != 0 ? "true" : "false");
        case OPTION_INT:
        case OPTION_POWER: return buf_printf(out, "%" PRIu64, value->number);
        case OPTION_DURATION: return buf_append_str(out, quantity_format(QUANTITY_DURATION, value->number, text));
        case OPTION_SIZE: return buf_append_str(out, quantity_format(QUANTITY_SIZE, value->number, text));
        case OPTION_MODE: return buf_printf(out, "%04" PRIo64, value->number);
        case OPTION_WORD: return buf_append_slice(out, word_at(row->unit, value->number));
        case OPTION_TEXT:
        case OPTION_PATH: return buf_append_str(out, value->text);
        case OPTION_DSN: return dsn_append_shown(out, value->text);
        case OPTION_PATHS:
        case OPTION_DSNS: return format_list(row->type, &value->list, out);
        }
        return ERR_INTERNAL;
}

enum err option_format_origin(const struct option_origin *origin, struct buf *out)
{
        switch (origin->source) {
        case OPTION_FROM_DEFAULT: return buf_append_str(out, "default");
        case OPTION_FROM_PRESET: return buf_printf(out, "preset %s", origin->name);
        case OPTION_FROM_FILE: return buf_printf(out, "%s:%u", origin->name, origin->line);
        case OPTION_FROM_ENVIRONMENT: return buf_printf(out, "environment %s", origin->name);
        case OPTION_FROM_FLAG: return buf_printf(out, "command line %s%s", option_dashes(origin), origin->name);
        case OPTION_FROM_COMMAND: return buf_append_str(out, origin->name);
        }
        return ERR_INTERNAL;
}
