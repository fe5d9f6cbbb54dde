/* Rows of importers held against the types that vitalcache ships. */
#ifndef TESTS_LIB_SHIPPED_H
#define TESTS_LIB_SHIPPED_H

#include "import/import_sink.h"
#include "database/record.h"
#include "tests/lib/test.h"

/* The types that vitalcache ships. */
static inline struct record_types *shipped_types(void)
{
        static const char *const files[] = {VC_SOURCE_DIR "/conf/types/school-health.yaml"};
        struct record_types *types;
        struct err_msg msg = {""};

        if (record_types_load(&types, files, 1, &msg) != OK)
                fail_msg("%s", msg.text);
        return types;
}

/* Fails unless the shipped types take the row as it is; *record is then what they make of it. */
static inline void assert_row_fits(const struct record_types *types, const struct import_item *item, struct buf *record)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        const struct record_table *table = record_types_table(types, slice_str(item->table));
        struct record_row row = {.table = table, .student_kind = record_types_id_kind(types), .row = item->row};
        struct err_msg msg = {""};

        assert_non_null(table);
        row.is_student = table == record_types_students(types);
        assert_ok(value_check(item->row, &limits, NULL)); /* no member twice, too */
        buf_truncate(record, 0);
        if (record_from_row(&row, record, &msg) != OK)
                fail_msg("%s", msg.text);
}

#endif
