#include "database/record.h"
#include "tests/lib/record_case.h"

static const char *const SEVERITIES[] = {"UNKNOWN", "MILD", "MODERATE", "SEVERE", "LIFE_THREATENING", NULL};
static const char *const STATUSES[] = {"inactive", "active", NULL};

static const struct record_field ALLERGY_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"code", FIELD_TEXT, true, NULL, NULL, 0},
        {"severity", FIELD_WORD, true, SEVERITIES, NULL, 0},
        {"status", FIELD_WORD, false, STATUSES, NULL, 0},
        {"onset", FIELD_DATE, false, NULL, NULL, 0},
        {"seen", FIELD_INSTANT, false, NULL, NULL, 0},
        {"chronic", FIELD_BOOL, false, NULL, NULL, 0},
        {"count", FIELD_INT, false, NULL, NULL, 0},
        {"reactions", FIELD_ANY, false, NULL, NULL, 0},
};

static const struct record_table ALLERGIES = {.name = "allergies",
        .fields = ALLERGY_FIELDS,
        .field_count = sizeof(ALLERGY_FIELDS) / sizeof(ALLERGY_FIELDS[0])};

static const struct record_field STUDENT_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"last_name", FIELD_TEXT, true, NULL, NULL, 0},
        {"birth_date", FIELD_DATE, false, NULL, NULL, 0},
};

static const struct record_table STUDENTS = {.name = "students",
        .fields = STUDENT_FIELDS,
        .field_count = sizeof(STUDENT_FIELDS) / sizeof(STUDENT_FIELDS[0])};

static const struct record_type ALLERGIES_TYPE = {.name = "allergies", .shape = RECORD_LIST, .table = &ALLERGIES};
static const struct record_type STUDENT_TYPE = {.name = "student", .shape = RECORD_ONE, .table = &STUDENTS};
static const struct record_part PARTS[] = {
        {.name = "student", .type = &STUDENT_TYPE},
        {.name = "allergies", .type = &ALLERGIES_TYPE},
};
static const struct record_type SUMMARY_TYPE = {
        .name = "summary", .shape = RECORD_COMPOSITE, .parts = PARTS, .part_count = 2};

static enum err no_random(void *out, size_t len)
{
        (void)out;
        (void)len;
        return ERR_IO;
}

static void put_brings_records_into_normal_form(void **state)
{
        (void)state;
        assert_put(&ALLERGIES_TYPE, "[]", "[]");
        assert_put(&ALLERGIES_TYPE,
                "[{\"code\":\"1\",\"severity\":\"MILD\",\"onset\":null,\"note\":null,\"student\":\"42\",\"id\":\"a\"}]",
                "[{\"code\":\"1\",\"severity\":\"MILD\",\"note\":null,\"id\":\"a\"}]");
        assert_put(&ALLERGIES_TYPE, "[{\"code\":\"1\",\"severity\":\"SEVERE\"}]",
                "[{\"id\":\"a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5\",\"code\":\"1\",\"severity\":\"SEVERE\"}]");
        assert_put(&ALLERGIES_TYPE, "[{\"id\":null,\"code\":\"1\",\"severity\":\"SEVERE\"}]",
                "[{\"id\":\"a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5\",\"code\":\"1\",\"severity\":\"SEVERE\"}]");
        assert_put(&STUDENT_TYPE, "{\"last_name\":\"Soto\"}", "{\"id\":\"42\",\"last_name\":\"Soto\"}");
        assert_put(&STUDENT_TYPE, "{\"last_name\":\"Soto\",\"id\":\"42\",\"more\":{\"a\":[1]}}",
                "{\"last_name\":\"Soto\",\"id\":\"42\",\"more\":{\"a\":[1]}}");
}

static void every_kind_of_field_is_accepted(void **state)
{
        (void)state;
        assert_put(&ALLERGIES_TYPE,
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"LIFE_THREATENING\",\"status\":\"active\",\"onset\":"
                "\"2019-04\","
                "\"seen\":\"2020-01-01T00:00:00Z\",\"chronic\":true,\"count\":3,\"reactions\":[{\"x\":1}]}]",
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"LIFE_THREATENING\",\"status\":\"active\",\"onset\":"
                "\"2019-04\","
                "\"seen\":\"2020-01-01T00:00:00Z\",\"chronic\":true,\"count\":3,\"reactions\":[{\"x\":1}]}]");
}

static void a_refusal_names_the_place_and_what_would_be_right(void **state)
{
        static const struct {
                const char *json;
                const char *text;
        } lists[] = {
                {"{}", "allergies: must be a list of records ([] for none), not a map"},
                {"[[]]", "allergies[0]: must be a map, not a list"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\"},{\"severity\":\"MILD\"}]", "allergies[1].code: is missing"},
                {"[{\"code\":null,\"severity\":\"MILD\"}]", "allergies[0].code: is missing"},
                {"[{\"code\":\"1\",\"severity\":\"SEVER\"}]", "allergies[0].severity: not one of UNKNOWN, "
                                                              "MILD, MODERATE, SEVERE, LIFE_THREATENING"},
                {"[{\"code\":7,\"severity\":\"MILD\"}]", "allergies[0].code: must be text, not a whole number"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\",\"onset\":\"2019-02-30\"}]",
                        "allergies[0].onset: not a date: that month has no such day"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\",\"onset\":20190204}]",
                        "allergies[0].onset: must be a date as text (YYYY, YYYY-MM or YYYY-MM-DD), not a whole number"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\",\"seen\":\"2020-01-01T00:00\"}]",
                        "allergies[0].seen: not an instant: its time must be hh:mm:ss, "
                        "00:00:00 to "
                        "23:59:60"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\",\"chronic\":\"yes\"}]",
                        "allergies[0].chronic: must be true or false, not text"},
                {"[{\"code\":\"1\",\"severity\":\"MILD\",\"count\":1.5}]",
                        "allergies[0].count: must be a whole number, not a number with a fraction"},
                {"[{\"id\":\"\",\"code\":\"1\",\"severity\":\"MILD\"}]", "allergies[0].id: the id is empty"},
                {"[{\"id\":3,\"code\":\"1\",\"severity\":\"MILD\"}]",
                        "allergies[0].id: must be text, not a whole number"},
                {"[{\"student\":\"43\",\"code\":\"1\",\"severity\":\"MILD\"}]",
                        "allergies[0].student: another student's id than the one whose record this is"},
                {"[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"},{\"code\":\"1\",\"severity\":\"MILD\"},"
                 "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]",
                        "allergies: two records have the same id"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
                assert_refused(&ALLERGIES_TYPE, lists[i].json, ERR_BADVALUE, lists[i].text);
        assert_refused(&STUDENT_TYPE, "[]", ERR_BADVALUE, "student: must be a map, not a list");
        assert_refused(&STUDENT_TYPE, "{\"last_name\":\"Soto\",\"id\":\"43\"}", ERR_BADVALUE,
                "student.id: another student's id than the one whose record this is");
        assert_refused(
                &SUMMARY_TYPE, "{}", ERR_READONLY, "summary is put together from student, allergies; write those");
}

static void no_randomness_is_an_error(void **state)
{
        struct buf value;
        struct buf out;
        struct record_put put = {.type = &ALLERGIES_TYPE, .id = slice_str("42"), .random = no_random};

        (void)state;
        buf_init(&value, 0);
        buf_init(&out, 0);
        append_json(&value, "[{\"code\":\"1\",\"severity\":\"MILD\"}]");
        put.value = buf_slice(&value);
        assert_err(ERR_IO, record_normalise(&put, &out, NULL));
        buf_deinit(&out);
        buf_deinit(&value);
}

static void a_row_gives_its_student_id_and_record(void **state)
{
        struct record_row row = {.table = &ALLERGIES, .index = 3};
        struct record_row student = {.table = &STUDENTS, .is_student = true, .student_kind = ID_KIND_INT};
        struct buf value;
        struct buf out;

        (void)state;
        buf_init(&value, 0);
        buf_init(&out, 0);
        assert_ok(row_from(
                &row, "{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}", &value, &out, NULL));
        assert_slice_is(row.student, "42");
        assert_slice_is(row.id, "a");
        assert_value_is(buf_slice(&out), "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}");
        buf_truncate(&out, 0);
        assert_ok(row_from(&student, "{\"id\":\"7\",\"last_name\":\"Soto\"}", &value, &out, NULL));
        assert_slice_is(student.student, "7");
        assert_value_is(buf_slice(&out), "{\"id\":\"7\",\"last_name\":\"Soto\"}");
        buf_deinit(&out);
        buf_deinit(&value);
}

static void a_bad_row_is_named_by_its_number(void **state)
{
        static const struct {
                bool is_student;
                const char *json;
                const char *text;
                struct reject reject;
        } cases[] = {
                {false, "[]", "rows[3]: must be a map, not a list", {REJECT_KIND, ""}},
                {false, "{\"student\":\"42\"}", "rows[3].id: is missing", {REJECT_MISSING, "id"}},
                {false, "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}", "rows[3].student: is missing",
                        {REJECT_MISSING, "student"}},
                {false, "{\"id\":\"a\",\"student\":\"042\"}",
                        "rows[3].student: the id is not in canonical form; it would be 42", {REJECT_ID, "student"}},
                {false, "{\"id\":\"a\",\"student\":\"42\",\"code\":\"1\",\"severity\":\"mild\"}",
                        "rows[3].severity: not one of UNKNOWN, MILD, MODERATE, SEVERE, LIFE_THREATENING",
                        {REJECT_WORD, "severity"}},
                {true, "{\"id\":\"4\",\"student\":\"42\",\"last_name\":\"Soto\"}",
                        "rows[3].id: another student's id than the one whose record this is", {REJECT_ID, "id"}},
                {true, "{\"id\":\"4\"}", "rows[3].last_name: is missing", {REJECT_MISSING, "last_name"}},
                {false, "{\"id\":\"a\",\"student\":\"4\",\"code\":1}", "rows[3].code: must be text, not a whole number",
                        {REJECT_KIND, "code"}},
                {false, "{\"id\":\"a\",\"student\":\"4\",\"onset\":\"2020-13\"}",
                        "rows[3].onset: not a date: the month must be 01 to 12", {REJECT_DATE, "onset"}},
                {false, "{\"id\":\"a\",\"student\":\"4\",\"seen\":\"soon\"}",
                        "rows[3].seen: not a date (YYYY, YYYY-MM or YYYY-MM-DD)", {REJECT_INSTANT, "seen"}},
                {false, "{\"id\":\"a\\u0000\",\"student\":\"4\"}", "rows[3].id: the id has a control character in it",
                        {REJECT_ID, "id"}},
        };
        struct buf value;
        struct buf out;

        (void)state;
        buf_init(&value, 0);
        buf_init(&out, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct record_row row = {.table = cases[i].is_student ? &STUDENTS : &ALLERGIES,
                        .student_kind = ID_KIND_INT,
                        .is_student = cases[i].is_student,
                        .index = 3};
                struct err_msg msg = {.text = ""};

                assert_err(ERR_BADVALUE, row_from(&row, cases[i].json, &value, &out, &msg));
                assert_string_equal(msg.text, cases[i].text);
                assert_true(reject_equal(&row.reject, &cases[i].reject));
                assert_int_equal(buf_len(&out), 0);
        }
        buf_deinit(&out);
        buf_deinit(&value);
}

static void ranks_and_times_come_from_the_record(void **state)
{
        const struct record_field *severity = record_table_field(&ALLERGIES, "severity");
        struct datetime when;
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"severity\":\"SEVERE\",\"onset\":\"1970-01-02\",\"bad\":\"x\"}");
        assert_int_equal(record_word_rank(severity, buf_slice(&value)), 3);
        assert_int_equal(record_word_rank(record_table_field(&ALLERGIES, "status"), buf_slice(&value)), -1);
        assert_null(record_table_field(&ALLERGIES, "severit"));
        assert_true(record_time(buf_slice(&value), "onset", &when));
        assert_int_equal(when.micros, INT64_C(86400000000));
        assert_false(record_time(buf_slice(&value), "bad", &when));
        assert_false(record_time(buf_slice(&value), "none", &when));
        buf_deinit(&value);
}

static void ids_are_held_to_their_kind(void **state)
{
        static const struct {
                enum id_kind kind;
                const char *id;
                const char *problem; /* NULL: good */
        } cases[] = {
                {ID_KIND_TEXT, "A-42/x:y", NULL},
                {ID_KIND_TEXT, "Zo\xc3\xab", NULL},
                {ID_KIND_TEXT, "", "the id is empty"},
                {ID_KIND_TEXT, "\xff", "the id is not valid UTF-8"},
                {ID_KIND_TEXT, "4\n2", "the id has a control character in it"},
                {ID_KIND_INT, "42", NULL},
                {ID_KIND_INT, "-42", NULL},
                {ID_KIND_INT, "0", NULL},
                {ID_KIND_INT, "042", "the id is not in canonical form; it would be 42"},
                {ID_KIND_INT, "+42", "the id is not in canonical form; it would be 42"},
                {ID_KIND_INT, "-042", "the id is not in canonical form; it would be -42"},
                {ID_KIND_INT, "-0", "the id is not in canonical form; it would be 0"},
                {ID_KIND_INT, "-", "the id must be a whole number such as 42"},
                {ID_KIND_INT, "4x", "the id must be a whole number such as 42"},
                {ID_KIND_INT, "99999999999999999999", "the id must be a whole number such as 42"},
                {ID_KIND_UUID, "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44", NULL},
                {ID_KIND_UUID, "0B5C1A52-6d0e-4d52-9f5e-3a1f0c2b7d44",
                        "the id is not in canonical form; it would be 0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44"},
                {ID_KIND_UUID, "0b5c1a5236d0e-4d52-9f5e-3a1f0c2b7d44",
                        "the id is not a UUID: character 9 must be a '-'"},
                {ID_KIND_UUID, "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d4g",
                        "the id is not a UUID: character 36 must be a hexadecimal digit"},
                {ID_KIND_UUID, "42",
                        "the id must be a UUID: 36 characters, as in 0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44"},
        };
        uint8_t long_id[RECORD_ID_MAX + 1];
        struct err_msg msg;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                if (cases[i].problem == NULL) {
                        assert_ok(record_id_check(cases[i].kind, slice_str(cases[i].id), NULL));
                        continue;
                }
                assert_err(ERR_BADKEY, record_id_check(cases[i].kind, slice_str(cases[i].id), &msg));
                assert_string_equal(msg.text, cases[i].problem);
        }
        memset(long_id, 'x', sizeof(long_id));
        assert_ok(record_id_check(ID_KIND_TEXT, slice_of(long_id, RECORD_ID_MAX), NULL));
        assert_err(ERR_BADKEY, record_id_check(ID_KIND_TEXT, slice_of(long_id, RECORD_ID_MAX + 1), &msg));
        assert_string_equal(msg.text, "the id has 513 bytes; at most 512 are allowed");
}

/* The value is built outside of the gate's reach. */
static enum err normalise(void *context)
{
        struct record_put put = {.type = &ALLERGIES_TYPE,
                .id = slice_str("42"),
                .value = *(struct slice *)context,
                .random = record_case_random};
        struct buf out;
        enum err rc;

        buf_init(&out, 0);
        rc = record_normalise(&put, &out, NULL);
        buf_deinit(&out);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct buf value;
        struct slice bytes;

        (void)state;
        buf_init(&value, 0);
        append_json(
                &value, "[{\"code\":\"1\",\"severity\":\"MILD\"},{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"}]");
        bytes = buf_slice(&value);
        each_allocation_fails(normalise, &bytes);
        buf_deinit(&value);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(put_brings_records_into_normal_form),
                cmocka_unit_test(every_kind_of_field_is_accepted),
                cmocka_unit_test(a_refusal_names_the_place_and_what_would_be_right),
                cmocka_unit_test(no_randomness_is_an_error),
                cmocka_unit_test(a_row_gives_its_student_id_and_record),
                cmocka_unit_test(a_bad_row_is_named_by_its_number),
                cmocka_unit_test(ranks_and_times_come_from_the_record),
                cmocka_unit_test(ids_are_held_to_their_kind),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
