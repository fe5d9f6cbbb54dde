#include "database/record.h"
#include "database/record_field.h"

const struct record_field *record_table_field(const struct record_table *table, const char *name)
{
        return record_field_find(table, slice_str(name));
}

int record_word_rank(const struct record_field *field, struct slice record)
{
        struct slice word;

        if (field->kind != FIELD_WORD || !value_member_text(record, field->name, &word))
                return -1;
        return record_field_rank(field, word);
}

bool record_time(struct slice record, const char *name, struct datetime *out)
{
        struct slice text;

        return value_member_text(record, name, &text) && datetime_parse(text, out, NULL) == OK;
}

int64_t record_order(const struct record_field *field, struct slice record)
{
        struct datetime when;
        int rank;

        if (field->kind != FIELD_WORD)
                return record_time(record, field->name, &when) ? when.micros : INT64_MIN;
        rank = record_word_rank(field, record);
        return rank < 0 ? INT64_MIN : rank;
}
