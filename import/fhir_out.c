#include "import/fhir_out.h"

enum err fhir_out_map_open(struct fhir_out_map *map, struct buf *out)
{
        *map = (struct fhir_out_map){.out = out};
        return value_open_map(out, &map->mark);
}

void fhir_out_map_close(struct fhir_out_map *map)
{
        value_close(map->out, map->mark, map->count);
}

enum err fhir_out_text(struct fhir_out_map *map, const char *name, struct slice text)
{
        if (text.len == 0)
                return OK;
        map->count++;
        return value_put_member(map->out, name, text);
}

enum err fhir_out_word(struct fhir_out_map *map, const char *name, const char *word)
{
        return fhir_out_text(map, name, slice_str(word));
}

enum err fhir_out_value(struct fhir_out_map *map, const char *name, struct slice value)
{
        enum err rc = value_put_str(map->out, name);

        map->count++;
        return rc == OK ? value_put_canonical(map->out, value) : rc;
}

enum err fhir_out_list_open(struct fhir_out_list *list, struct fhir_out_map *map, const char *name)
{
        enum err rc;

        *list = (struct fhir_out_list){.map = map, .before = buf_len(map->out)};
        rc = value_put_str(map->out, name);
        return rc == OK ? value_open_list(map->out, &list->mark) : rc;
}

void fhir_out_list_close(struct fhir_out_list *list)
{
        if (list->count == 0) {
                buf_truncate(list->map->out, list->before);
                return;
        }
        value_close(list->map->out, list->mark, list->count);
        list->map->count++;
}

enum err fhir_out_item_open(struct fhir_out_map *map, struct fhir_out_list *list)
{
        list->item = buf_len(list->map->out);
        return fhir_out_map_open(map, list->map->out);
}

void fhir_out_item_close(struct fhir_out_map *map, struct fhir_out_list *list)
{
        if (map->count == 0) {
                buf_truncate(map->out, list->item);
                return;
        }
        fhir_out_map_close(map);
        list->count++;
}

enum err fhir_out_list_text(struct fhir_out_list *list, struct slice text)
{
        if (text.len == 0)
                return OK;
        list->count++;
        return value_put_text(list->map->out, text);
}
