#include "database/type_tags.h"

void type_tags(const struct record_type *type, struct slice tenant, struct slice id, type_tag_fn visit, void *context)
{
        struct tag tag = {.kind = TAG_STUDENT_TABLE, .tenant = tenant, .student = id};

        for (uint32_t i = 0; i < type->read_count; i++) {
                tag.table = slice_str(type->reads[i]->name);
                visit(context, &tag);
        }
        tag = (struct tag){.kind = TAG_STUDENT, .tenant = tenant, .student = id};
        visit(context, &tag);
        tag = (struct tag){.kind = TAG_TABLE, .tenant = tenant};
        for (uint32_t i = 0; i < type->read_count; i++) {
                tag.table = slice_str(type->reads[i]->name);
                visit(context, &tag);
        }
        tag = (struct tag){.kind = TAG_ALL, .tenant = tenant};
        visit(context, &tag);
}
