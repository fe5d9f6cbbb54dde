#include "database/record_rule.h"

#include "database/value.h"

static bool is_missing(struct slice item)
{
        return item.data == NULL || value_is_nil(item);
}

static bool is_true(struct slice item)
{
        struct value v;

        return value_of(item, &v) && v.kind == VALUE_BOOL && v.as.flag;
}

static bool has_text(const struct record_test *test, struct slice item)
{
        struct slice text;

        if (!value_text(item, &text))
                return false;
        if (test->kind == TEST_TEXT)
                return slice_equal(text, test->text);
        return text.len >= test->text.len && slice_equal(slice_of(text.data, test->text.len), test->text);
}

static bool test_holds(const struct record_test *test, struct slice item)
{
        switch (test->kind) {
        case TEST_TEXT:
        case TEST_PREFIX: return !is_missing(item) && has_text(test, item);
        case TEST_TRUE: return !is_missing(item) && is_true(item);
        case TEST_FALSE: return is_missing(item) || !is_true(item);
        case TEST_PRESENT: return !is_missing(item);
        case TEST_MISSING: return is_missing(item);
        }
        return false;
}

static bool filter_met(const struct record_filter *filter, struct slice item)
{
        for (uint32_t i = 0; i < filter->test_count; i++)
                if (test_holds(&filter->tests[i], item))
                        return true;
        return false;
}

const struct record_filter *record_condition_unmet(const struct record_condition *condition, const struct slice *items)
{
        for (uint32_t i = 0; i < condition->filter_count; i++)
                if (!filter_met(&condition->filters[i], items[condition->filters[i].index]))
                        return &condition->filters[i];
        return NULL;
}

bool record_matches(const struct record_condition *condition, struct slice record)
{
        for (uint32_t i = 0; i < condition->filter_count; i++) {
                struct slice item = SLICE_EMPTY;

                if (!value_member(record, condition->filters[i].field, &item))
                        item = SLICE_EMPTY;
                if (!filter_met(&condition->filters[i], item))
                        return false;
        }
        return true;
}
