#include "database/record_field.h"

#include "database/datetime.h"
#include "database/value_json.h"

#include <stdio.h>

static const struct record_field *find_one_by_one(const struct record_table *table, struct slice name)
{
        for (uint32_t i = 0; i < table->field_count; i++)
                if (slice_equal(name, slice_str(table->fields[i].name)))
                        return &table->fields[i];
        return NULL;
}

const struct record_field *record_field_find(const struct record_table *table, struct slice name)
{
        const struct record_lookup *lookup = table->lookup;
        size_t at;

        if (lookup == NULL)
                return find_one_by_one(table, name);
        at = record_lookup_start(lookup, name);
        while (lookup->slots[at].field != NULL && !slice_equal(name, lookup->slots[at].name))
                at = (at + 1) & lookup->mask;
        return lookup->slots[at].field;
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

/* One line of JSON that is an object, for exports put it into a line of their own as it is: within the limits of
 * whoever reads that line, two levels further out. */
static enum err check_original(struct slice text, enum reject_reason *reason, struct err_msg *msg)
{
        const struct value_json_rules rules = {
                .limits = {.bytes = text.len, .elements = UINT32_MAX, .depth = VALUE_DEPTH_MAX - 2},
                .numbers = VALUE_NUMBERS_OR_TEXT};
        struct value_json_fault fault;
        struct buf value;
        enum err rc;

        if (text.len < 2 || text.data[0] != '{' || slice_has_control(text))
                return err_set(msg, ERR_BADVALUE, "not the text of a JSON object without line ends");
        buf_init(&value, 0);
        rc = value_from_json_text(text, &rules, &value, &fault);
        buf_deinit(&value);
        if (rc == OK || rc == ERR_NOMEM)
                return rc;
        *reason = fault.reason;
        return err_set(msg, ERR_BADVALUE, "%s", fault.msg.text);
}

static enum err check_student(struct slice id, enum id_kind kind, struct err_msg *msg)
{
        enum err rc = record_id_check(kind, id, msg);

        return rc == ERR_BADKEY ? ERR_BADVALUE : rc;
}

static enum err check_text_field(
        const struct record_field *field, struct slice text, enum id_kind student_ids, struct err_msg *msg)
{
        struct datetime when;

        switch (field->kind) {
        case FIELD_WORD: return check_word(field, text, msg);
        case FIELD_DATE: return datetime_parse_date(text, &when, msg);
        case FIELD_INSTANT: return datetime_parse(text, &when, msg);
        case FIELD_STUDENT: return check_student(text, student_ids, msg);
        default: return OK;
        }
}

/* What a field takes, and why a text in it is refused. */
static const struct {
        enum value_kind kind;
        enum reject_reason reason;
        const char *wanted;
} FIELD_VALUES[FIELD_KIND_COUNT] = {
        [FIELD_TEXT] = {VALUE_TEXT, REJECT_VALUE, "text"},
        [FIELD_WORD] = {VALUE_TEXT, REJECT_WORD, "text"},
        [FIELD_DATE] = {VALUE_TEXT, REJECT_DATE, "a date as text (YYYY, YYYY-MM or YYYY-MM-DD)"},
        [FIELD_INSTANT] = {VALUE_TEXT, REJECT_INSTANT, "a date or an instant as text (2012-04-30T09:15:00Z)"},
        [FIELD_BOOL] = {VALUE_BOOL, REJECT_VALUE, "true or false"},
        [FIELD_INT] = {VALUE_INT, REJECT_VALUE, "a whole number"},
        [FIELD_STUDENT] = {VALUE_TEXT, REJECT_ID, "a student's id as text"},
        [FIELD_ORIGINAL] = {VALUE_TEXT, REJECT_JSON, "the text of a JSON object"},
};

enum err record_field_check(const struct record_field *field, const struct value *head, enum id_kind student_ids,
        enum reject_reason *reason, struct err_msg *msg)
{
        if (field->kind == FIELD_ANY)
                return OK;
        *reason = REJECT_KIND;
        if (head->kind != FIELD_VALUES[field->kind].kind)
                return record_field_wrong_kind(msg, FIELD_VALUES[field->kind].wanted, head->kind);
        *reason = FIELD_VALUES[field->kind].reason;
        if (field->kind == FIELD_ORIGINAL)
                return check_original(head->as.text, reason, msg);
        return head->kind == VALUE_TEXT ? check_text_field(field, head->as.text, student_ids, msg) : OK;
}
