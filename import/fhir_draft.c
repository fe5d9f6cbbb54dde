#include "import/fhir_draft.h"

#include "database/datetime.h"

#include <string.h>

enum { PLACES_MAX = 8 };

/* "reaction.severity". A path that is too long is cut at its end, as all fields of rejects are. */
static void write_path(char *out, size_t size, const struct fhir_place *at)
{
        const char *names[PLACES_MAX];
        size_t count = 0;
        size_t used = 0;

        for (; at != NULL && count < PLACES_MAX; at = at->in)
                names[count++] = at->name;
        out[0] = '\0';
        while (count-- > 0 && used + 1 < size) {
                size_t len = strnlen(names[count], size - used - 2);

                if (used > 0)
                        out[used++] = '.';
                memcpy(out + used, names[count], len);
                used += len;
                out[used] = '\0';
        }
}

enum err fhir_draft_refuse(
        struct fhir_draft *d, enum reject_reason reason, const struct fhir_place *at, const char *name)
{
        const struct fhir_place inner = {.in = at, .name = name};
        char path[REJECT_FIELD_SIZE];

        write_path(path, sizeof(path), name == NULL ? at : &inner);
        d->reject = reject_of(reason, path);
        return ERR_BADVALUE;
}

bool fhir_draft_absent(struct slice item)
{
        return item.len == 0 || value_is_nil(item);
}

struct element_list {
        const struct fhir_element *elements;
        size_t count;
};

static const struct fhir_element *find_element(const struct element_list *list, struct slice name)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->elements[i].name_len == name.len && memcmp(list->elements[i].name, name.data, name.len) == 0)
                        return &list->elements[i];
        return NULL;
}

enum err fhir_draft_index(struct fhir_draft *d)
{
        static const char word[] = "modifierExtension";
        struct slice value = d->resource->value;
        struct element_list own;
        struct element_list common;
        struct value_iter iter;
        struct slice key;
        struct slice item;

        own.elements = fhir_types_elements(d->type, &own.count);
        common.elements = fhir_types_elements(FHIR_TYPE_Resource, &common.count);
        if (!value_iter_init(&iter, value, VALUE_MAP))
                return fhir_draft_refuse(d, REJECT_VALUE, d->root, NULL);
        while (value_next_member(&iter, &key, &item)) {
                const struct fhir_element *element = find_element(&own, key);

                if (element == NULL)
                        element = find_element(&common, key);
                if (element != NULL && !fhir_draft_absent(item))
                        d->items[element->id] = item;
        }
        if (iter.left > 0)
                return fhir_draft_refuse(d, REJECT_VALUE, d->root, NULL);
        d->has_modifiers = memmem(value.data, value.len, word, sizeof(word) - 1) != NULL;
        return OK;
}

enum err fhir_draft_open_row(struct fhir_draft *d)
{
        d->row_start = buf_len(d->rows);
        return fhir_out_map_open(&d->row, d->rows);
}

enum err fhir_draft_close_row(struct fhir_draft *d, const char *table)
{
        const struct fhir_span span = {.table = table, .start = d->row_start, .len = buf_len(d->rows) - d->row_start};

        fhir_out_map_close(&d->row);
        return buf_append(d->spans, &span, sizeof(span));
}

enum err fhir_draft_text(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text)
{
        *text = SLICE_EMPTY;
        if (fhir_draft_absent(item) || value_text(item, text))
                return OK;
        return fhir_draft_refuse(d, REJECT_KIND, at, NULL);
}

enum err fhir_draft_list(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct value_iter *iter)
{
        *iter = (struct value_iter){.left = 0};
        if (fhir_draft_absent(item) || value_iter_init(iter, item, VALUE_LIST))
                return OK;
        return fhir_draft_refuse(d, REJECT_KIND, at, NULL);
}

enum err fhir_draft_pick(
        struct fhir_draft *d, const struct fhir_place *at, struct slice object, struct fhir_pick *picks, size_t count)
{
        struct value_iter iter;
        struct slice key;
        struct slice item;

        for (size_t i = 0; i < count; i++)
                picks[i].item = SLICE_EMPTY;
        if (fhir_draft_absent(object))
                return OK;
        if (!value_iter_init(&iter, object, VALUE_MAP))
                return fhir_draft_refuse(d, REJECT_KIND, at, NULL);
        while (value_next_member(&iter, &key, &item))
                for (size_t i = 0; i < count; i++)
                        if (slice_equal(key, slice_str(picks[i].name)) && !fhir_draft_absent(item))
                                picks[i].item = item;
        return OK;
}

enum err fhir_draft_pick_text(
        struct fhir_draft *d, const struct fhir_place *at, const struct fhir_pick *pick, struct slice *text)
{
        const struct fhir_place inner = {.in = at, .name = pick->name};

        return fhir_draft_text(d, &inner, pick->item, text);
}

enum err fhir_draft_date(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text)
{
        struct datetime when;
        enum err rc = fhir_draft_text(d, at, item, text);

        if (rc == OK && text->len > 0 && datetime_parse_date(*text, &when, NULL) != OK)
                rc = fhir_draft_refuse(d, REJECT_DATE, at, NULL);
        return rc;
}

enum err fhir_draft_moment(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text)
{
        struct datetime when;
        enum err rc = fhir_draft_text(d, at, item, text);

        if (rc == OK && text->len > 0 && datetime_parse(*text, &when, NULL) != OK)
                rc = fhir_draft_refuse(d, REJECT_INSTANT, at, NULL);
        return rc;
}

enum err fhir_draft_period(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *start, struct slice *end)
{
        const struct fhir_place start_place = {.in = at, .name = "start"};
        const struct fhir_place end_place = {.in = at, .name = "end"};
        struct fhir_pick picks[] = {{.name = "start"}, {.name = "end"}};
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        if (rc == OK)
                rc = fhir_draft_moment(d, &start_place, picks[0].item, start);
        return rc == OK ? fhir_draft_moment(d, &end_place, picks[1].item, end) : rc;
}
