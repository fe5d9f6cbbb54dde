#include "database/record_field.h"

#include "database/datetime.h"

#include <stdio.h>

const struct record_field *record_field_find(const struct record_table *table, struct slice name)
{
        for (uint32_t i = 0; i < table->field_count; i++)
                if (slice_equal(name, slice_str(table->fields[i].name)))
                        return &table->fields[i];
        return NULL;
}

static const char *kind_text(enum value_kind kind)
{
        switch (kind) {
        case VALUE_NIL: return "null";
        case VALUE_BOOL: return "true or false";
        case VALUE_INT: return "a whole number";
        case VALUE_FLOAT: return "a number with a fraction";
        case VALUE_TEXT: return "text";
        case VALUE_LIST: return "a list";
        case VALUE_MAP: return "a map";
        }
        return "unknown";
}

enum err record_field_wrong_kind(struct err_msg *msg, const char *wanted, enum value_kind found)
{
        return err_set(msg, ERR_BADVALUE, "must be %s, not %s", wanted, kind_text(found));
}

int record_field_rank(const struct record_field *field, struct slice word)
{
        for (int rank = 0; field->words[rank] != NULL; rank++)
                if (slice_equal(word, slice_str(field->words[rank])))
                        return rank;
        return -1;
}

static enum err check_word(const struct record_field *field, struct slice word, struct err_msg *msg)
{
        char words[256] = "";
        size_t used = 0;

        if (record_field_rank(field, word) >= 0)
                return OK;
        for (size_t i = 0; field->words[i] != NULL && used < sizeof(words); i++)
                used += (size_t)snprintf(
                        words + used, sizeof(words) - used, "%s%s", i == 0 ? "" : ", ", field->words[i]);
        return err_set(msg, ERR_BADVALUE, "not one of %s", words);
}

static enum err check_text_field(const struct record_field *field, struct slice text, struct err_msg *msg)
{
        struct datetime when;

        switch (field->kind) {
        case FIELD_WORD: return check_word(field, text, msg);
        case FIELD_DATE: return datetime_parse_date(text, &when, msg);
        case FIELD_INSTANT: return datetime_parse(text, &when, msg);
        default: return OK;
        }
}

static const struct {
        enum value_kind kind;
        const char *wanted;
} FIELD_VALUES[] = {
        [FIELD_TEXT] = {VALUE_TEXT, "text"},
        [FIELD_WORD] = {VALUE_TEXT, "text"},
        [FIELD_DATE] = {VALUE_TEXT, "a date as text (YYYY, YYYY-MM or YYYY-MM-DD)"},
        [FIELD_INSTANT] = {VALUE_TEXT, "a date or an instant as text (2012-04-30T09:15:00Z)"},
        [FIELD_BOOL] = {VALUE_BOOL, "true or false"},
        [FIELD_INT] = {VALUE_INT, "a whole number"},
};

enum err record_field_check(const struct record_field *field, struct slice item, struct err_msg *msg)
{
        struct value v;

        if (!value_of(item, &v))
                return ERR_INTERNAL;
        if (field->kind == FIELD_ANY)
                return OK;
        if (v.kind != FIELD_VALUES[field->kind].kind)
                return record_field_wrong_kind(msg, FIELD_VALUES[field->kind].wanted, v.kind);
        return v.kind == VALUE_TEXT ? check_text_field(field, v.as.text, msg) : OK;
}
