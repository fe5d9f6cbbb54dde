#include "database/type_tags.h"

void type_tags(const struct record_type *type, struct slice tenant, struct slice id, type_tag_fn visit, void *context)
{
        struct tag tag = {.kind = record_subject_tag(type->subject),
                .tenant = tenant,
                .id = id,
                .subject = record_subject_name(type->subject)};

        for (uint32_t i = 0; i < type->read_count; i++) {
                tag.table = slice_str(type->reads[i]->name);
                visit(context, &tag);
        }
        tag = (struct tag){.kind = TAG_STUDENT, .tenant = tenant, .id = id};
        if (type->subject == NULL)
                visit(context, &tag);
        tag = (struct tag){.kind = TAG_TABLE, .tenant = tenant};
        for (uint32_t i = 0; i < type->read_count; i++) {
                tag.table = slice_str(type->reads[i]->name);
                visit(context, &tag);
        }
        tag = (struct tag){.kind = TAG_ALL, .tenant = tenant};
        visit(context, &tag);
}

static void add_word(void *context, const struct tag *tag)
{
        uint64_t **next = context;

        *(*next)++ = tag_hash_what(tag->kind, tag_hash_name(tag->table), tag_hash_name(tag->subject));
}

void type_tag_words(const struct record_type *type, uint64_t *out)
{
        type_tags(type, SLICE_EMPTY, SLICE_EMPTY, add_word, &out);
}
