/* Conditions on a record's fields, and what is declared by them: presets, refusals, what a list shows. They come from
 * the configuration (database/record_type.h), which checks that they make sense. Pure; any thread. */
#ifndef DATABASE_RECORD_RULE_H
#define DATABASE_RECORD_RULE_H

#include "base/assert.h"
#include "base/slice.h"

enum record_test_kind {
        TEST_TEXT,    /* this text or word */
        TEST_PREFIX,  /* a text that begins so */
        TEST_TRUE,    /* true */
        TEST_FALSE,   /* not true: false, or not said */
        TEST_PRESENT, /* said, whatever it is */
        TEST_MISSING  /* not said */
};

struct record_test {
        enum record_test_kind kind;
        struct slice text; /* TEST_TEXT, TEST_PREFIX */
};

/* What one field must hold: any of these. */
struct record_filter {
        const char *field;
        uint32_t index; /* the field's place in its table */
        const struct record_test *tests;
        uint32_t test_count;
};

/* All filters are met; with none it always holds. */
struct record_condition {
        const struct record_filter *filters;
        uint32_t filter_count;
};

/* A value for records that do not say: of a field's presets the first whose condition holds. */
struct record_preset {
        struct record_condition when;
        struct slice value; /* msgpack, in normal form */
};

/* Records that contradict themselves. */
struct record_refusal {
        struct record_condition when;
        const char *because; /* the sentence for who sent one */
};

struct record_rename {
        const char *from; /* its name in an older schema */
        const char *to;
};

/* What has changed from the schema number before to `schema`. */
struct record_change {
        uint32_t schema;
        const struct record_rename *renames;
        uint32_t rename_count;
};

/* `items` are a record's by the index of their fields; one without data is not said. NULL when the condition holds,
 * else its first filter that is not met. */
const struct record_filter *record_condition_unmet(
        const struct record_condition *condition, const struct slice *items) MUST_CHECK;

/* Whether the record (a msgpack map) meets the condition. */
bool record_matches(const struct record_condition *condition, struct slice record) MUST_CHECK;

#endif
