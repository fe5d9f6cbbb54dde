#include "database/record_rule.h"

#include "tests/lib/record_case.h"
#include "tests/lib/types.h"

#include <stdio.h>

/* Rules are read from a configuration, as they are in a server. */
static const char CONFIGURATION[] =
        "tables:\n"
        "  students: {schema: 1, fields: {name: text}}\n"
        "  merges: {schema: 1, fields: {into: {kind: student, required: true}}}\n"
        "  conditions:\n"
        "    schema: 3\n"
        "    changes: {2: {rename: {state: status}}, 3: {rename: {label: display}}}\n"
        "    fields:\n"
        "      verification: text\n"
        "      code: text\n"
        "      display: {kind: text, preset: unnamed}\n"
        "      end: date\n"
        "      resource: original\n"
        "      status:\n"
        "        kind: word\n"
        "        words: [wrong, resolved, active]\n"
        "        preset: [{when: {verification: [entered-in-error, refuted]}, is: wrong},\n"
        "                 {when: {end: present}, is: resolved}, {is: active}]\n"
        "      chronic:\n"
        "        kind: bool\n"
        "        preset: [{when: {status: [wrong, resolved]}, is: false},\n"
        "                 {when: {code: ['R*', 'S72']}, is: false}, {when: {code: present}, is: true}]\n"
        "    refuse:\n"
        "      - {when: {verification: [entered-in-error, refuted], status: active}, because: it is not so}\n"
        "types:\n"
        "  student: {shape: one, table: students}\n"
        "  conditions: {shape: list, table: conditions}\n"
        "  open: {shape: list, table: conditions, where: {status: active, end: missing}}\n";

static struct record_types *types;

static int load_types(void **state)
{
        (void)state;
        types = types_from(CONFIGURATION);
        return 0;
}

static int destroy_types(void **state)
{
        (void)state;
        record_types_destroy(&types);
        return 0;
}

static const struct record_type *type_named(const char *name)
{
        const struct record_type *type = record_types_find(types, slice_str(name));

        assert_non_null(type);
        return type;
}

static void conditions_are_met_or_not(void **state)
{
        const struct record_test tests[] = {
                {TEST_TEXT, {(const uint8_t *)"active", 6}}, {TEST_TRUE, {NULL, 0}}, {TEST_FALSE, {NULL, 0}}};
        const struct record_filter filters[] = {{"status", 0, &tests[0], 1}, {"chronic", 1, &tests[1], 1}};
        const struct record_filter not_chronic[] = {{"chronic", 1, &tests[2], 1}};
        const struct record_condition both = {filters, 2};
        const struct record_condition one = {filters, 1};
        const struct record_condition negative = {not_chronic, 1};
        const struct record_condition all = {NULL, 0};
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"status\":\"active\",\"chronic\":false}");
        assert_true(record_matches(&all, buf_slice(&value)));
        assert_true(record_matches(&one, buf_slice(&value)));
        assert_true(record_matches(&negative, buf_slice(&value)));
        assert_false(record_matches(&both, buf_slice(&value)));
        buf_truncate(&value, 0);
        append_json(&value, "{\"chronic\":true}");
        assert_false(record_matches(&one, buf_slice(&value)));
        assert_false(record_matches(&negative, buf_slice(&value)));
        buf_truncate(&value, 0);
        append_json(&value, "{\"x\":1}");
        assert_true(record_matches(&negative, buf_slice(&value)));
        buf_deinit(&value);
}

static void what_a_record_does_not_say_is_preset(void **state)
{
        const struct record_type *conditions = type_named("conditions");

        (void)state;
        assert_put(conditions, "[{\"id\":\"a\"}]", "[{\"id\":\"a\",\"display\":\"unnamed\",\"status\":\"active\"}]");
        assert_put(conditions, "[{\"id\":\"a\",\"display\":null,\"chronic\":null,\"code\":\"X\"}]",
                "[{\"id\":\"a\",\"code\":\"X\",\"display\":\"unnamed\",\"status\":\"active\",\"chronic\":true}]");
        assert_put(conditions, "[{\"id\":\"a\",\"display\":\"\",\"chronic\":true,\"status\":\"resolved\"}]",
                "[{\"id\":\"a\",\"display\":\"\",\"chronic\":true,\"status\":\"resolved\"}]");
}

/* The first rule that holds is taken, and later presets see what earlier ones said. */
static void presets_follow_from_what_the_record_says(void **state)
{
        static const struct {
                const char *said;
                const char *preset;
        } rows[] = {
                {"\"verification\":\"refuted\",\"end\":\"2020\"", "\"status\":\"wrong\",\"chronic\":false"},
                {"\"verification\":\"confirmed\",\"end\":\"2020\"", "\"status\":\"resolved\",\"chronic\":false"},
                {"\"code\":\"R51\"", "\"status\":\"active\",\"chronic\":false"},
                {"\"code\":\"R\"", "\"status\":\"active\",\"chronic\":false"},
                {"\"code\":\"S72\"", "\"status\":\"active\",\"chronic\":false"},
                {"\"code\":\"S721\"", "\"status\":\"active\",\"chronic\":true"},
                {"\"code\":\"r51\"", "\"status\":\"active\",\"chronic\":true"},
                {"\"code\":\"\"", "\"status\":\"active\",\"chronic\":true"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char sent[256];
                char kept[256];

                (void)snprintf(sent, sizeof(sent), "[{\"id\":\"a\",\"display\":\"d\",%s}]", rows[i].said);
                (void)snprintf(
                        kept, sizeof(kept), "[{\"id\":\"a\",\"display\":\"d\",%s,%s}]", rows[i].said, rows[i].preset);
                assert_put(type_named("conditions"), sent, kept);
        }
}

static void records_that_contradict_themselves_are_refused(void **state)
{
        (void)state;
        assert_refused(type_named("conditions"), "[{\"verification\":\"refuted\",\"status\":\"active\"}]", ERR_BADVALUE,
                "conditions[0].verification: it is not so");
}

/* What a PUT brings must be of the records that its type shows, presets counted. */
static void a_type_with_conditions_takes_only_what_it_shows(void **state)
{
        (void)state;
        assert_put(type_named("open"), "[{\"id\":\"a\",\"display\":\"d\"}]",
                "[{\"id\":\"a\",\"display\":\"d\",\"status\":\"active\"}]");
        assert_refused(type_named("open"), "[{\"id\":\"a\"},{\"status\":\"resolved\"}]", ERR_BADVALUE,
                "open[1].status: open shows no records with this value");
        assert_refused(type_named("open"), "[{\"status\":\"active\",\"end\":\"2020\"}]", ERR_BADVALUE,
                "open[0].end: open shows no records with this value");
}

static void the_original_comes_with_rows_and_not_with_a_put(void **state)
{
        struct record_row row = {.table = record_types_table(types, slice_str("conditions"))};
        struct err_msg msg = {.text = ""};
        struct buf value;
        struct buf out;

        (void)state;
        assert_refused(type_named("conditions"), "[{\"resource\":\"{}\"}]", ERR_BADVALUE,
                "conditions[0].resource: comes with an IMPORT; a PUT cannot bring it");
        assert_put(type_named("conditions"), "[{\"id\":\"a\",\"display\":\"d\",\"resource\":null,\"code\":\"X\"}]",
                "[{\"id\":\"a\",\"display\":\"d\",\"code\":\"X\",\"status\":\"active\",\"chronic\":true}]");
        buf_init(&value, 0);
        buf_init(&out, 0);
        assert_ok(row_from(&row, "{\"student\":\"1\",\"id\":\"a\",\"resource\":\"{\\\"x\\\":1.0}\",\"display\":\"d\"}",
                &value, &out, &msg));
        assert_slice_is(row.original, "{\"x\":1.0}");
        assert_value_is(buf_slice(&out), "{\"id\":\"a\",\"display\":\"d\",\"status\":\"active\"}");
        assert_ok(row_from(&row, "{\"student\":\"1\",\"id\":\"a\"}", &value, &out, &msg));
        assert_int_equal(row.original.len, 0);
        assert_err(ERR_BADVALUE,
                row_from(&row, "{\"student\":\"1\",\"id\":\"a\",\"resource\":\"[1]\"}", &value, &out, &msg));
        assert_string_equal(msg.text, "rows[0].resource: not the text of a JSON object without line ends");
        assert_err(ERR_BADVALUE,
                row_from(&row, "{\"student\":\"1\",\"id\":\"a\",\"resource\":\"{\\n}\"}", &value, &out, &msg));
        buf_deinit(&out);
        buf_deinit(&value);
}

/* Exports put the text into a line of their own as it is, so it must be what that line's reader takes. */
static void an_original_that_would_break_an_export_is_refused(void **state)
{
        static const struct {
                const char *text; /* within JSON text */
                enum reject_reason reason;
        } cases[] = {
                {"[1]", REJECT_JSON},
                {"{", REJECT_JSON},
                {"{}}", REJECT_JSON},
                {"{\\\"a\\\":1,}", REJECT_JSON},
                {"{\\\"a\\\":1} {}", REJECT_JSON},
                {"{\\\"a\\\":1,\\\"a\\\":2}", REJECT_JSON},
                {"{\\\"a\\\":\\\"\\\\ud800\\\"}", REJECT_JSON},
        };
        struct record_row row = {.table = record_types_table(types, slice_str("conditions"))};
        struct err_msg msg = {.text = ""};
        struct buf value;
        struct buf out;

        (void)state;
        buf_init(&value, 0);
        buf_init(&out, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char text[128];

                (void)snprintf(
                        text, sizeof(text), "{\"student\":\"1\",\"id\":\"a\",\"resource\":\"%s\"}", cases[i].text);
                assert_err(ERR_BADVALUE, row_from(&row, text, &value, &out, &msg));
                assert_string_equal(row.reject.field, "resource");
                assert_int_equal(row.reject.reason, cases[i].reason);
        }
        buf_deinit(&out);
        buf_deinit(&value);
}

static void an_original_is_not_deeper_than_an_export_line_has_room_for(void **state)
{
        struct record_row row = {.table = record_types_table(types, slice_str("conditions"))};
        struct err_msg msg = {.text = ""};
        struct buf value;
        struct buf out;

        (void)state;
        buf_init(&value, 0);
        buf_init(&out, 0);
        for (unsigned lists = VALUE_DEPTH_MAX - 3; lists <= VALUE_DEPTH_MAX - 2; lists++) {
                char open[VALUE_DEPTH_MAX] = "";
                char shut[VALUE_DEPTH_MAX] = "";
                char text[4 * VALUE_DEPTH_MAX];

                memset(open, '[', lists);
                memset(shut, ']', lists);
                (void)snprintf(text, sizeof(text), "{\"student\":\"1\",\"id\":\"a\",\"resource\":\"{\\\"a\\\":%s%s}\"}",
                        open, shut);
                if (lists == VALUE_DEPTH_MAX - 3) {
                        assert_ok(row_from(&row, text, &value, &out, &msg));
                } else {
                        assert_err(ERR_BADVALUE, row_from(&row, text, &value, &out, &msg));
                        assert_int_equal(row.reject.reason, REJECT_DEEP);
                }
        }
        buf_deinit(&out);
        buf_deinit(&value);
}

static void assert_upgraded(uint32_t from, const char *stored, const char *expected)
{
        struct buf value;
        struct buf out;

        buf_init(&value, 0);
        buf_init(&out, 0);
        append_json(&value, stored);
        assert_ok(record_upgrade(record_types_table(types, slice_str("conditions")), from, buf_slice(&value), &out));
        assert_value_is(buf_slice(&out), expected);
        buf_deinit(&out);
        buf_deinit(&value);
}

static void records_of_an_older_schema_get_their_present_form(void **state)
{
        const struct record_table *table = record_types_table(types, slice_str("conditions"));
        struct buf out;

        (void)state;
        assert_upgraded(2, "{\"id\":\"a\",\"label\":\"d\",\"more\":[1]}",
                "{\"id\":\"a\",\"display\":\"d\",\"more\":[1],\"status\":\"active\"}");
        assert_upgraded(1, "{\"id\":\"a\",\"state\":\"resolved\",\"label\":\"d\"}",
                "{\"id\":\"a\",\"status\":\"resolved\",\"display\":\"d\",\"chronic\":false}");
        /* of schema 2 on, `state` is a member like any other */
        assert_upgraded(2, "{\"id\":\"a\",\"state\":1,\"label\":\"d\",\"status\":\"wrong\"}",
                "{\"id\":\"a\",\"state\":1,\"display\":\"d\",\"status\":\"wrong\",\"chronic\":false}");
        /* nothing is lost where both names are taken, and nothing that was stored is refused */
        assert_upgraded(2, "{\"id\":\"a\",\"label\":\"old\",\"display\":7,\"status\":\"unheard of\"}",
                "{\"id\":\"a\",\"label\":\"old\",\"display\":7,\"status\":\"unheard of\"}");
        buf_init(&out, 0);
        assert_ok(buf_append_str(&out, "kept"));
        assert_err(ERR_CORRUPT, record_upgrade(table, 2, slice_of("\x90", 1), &out));
        assert_err(ERR_CORRUPT, record_upgrade(table, 2, slice_of("\x82\xa1x", 3), &out));
        assert_slice_is(buf_slice(&out), "kept");
        buf_deinit(&out);
}

static void merges_name_a_student(void **state)
{
        struct record_row row = {.table = record_types_merges(types), .student_kind = ID_KIND_INT};
        struct err_msg msg = {.text = ""};
        struct buf value;
        struct buf out;

        (void)state;
        assert_string_equal(record_types_merges(types)->name, "merges");
        buf_init(&value, 0);
        buf_init(&out, 0);
        assert_ok(row_from(&row, "{\"student\":\"1\",\"id\":\"into\",\"into\":\"2\"}", &value, &out, &msg));
        assert_value_is(buf_slice(&out), "{\"id\":\"into\",\"into\":\"2\"}");
        assert_err(ERR_BADVALUE,
                row_from(&row, "{\"student\":\"1\",\"id\":\"into\",\"into\":\"02\"}", &value, &out, &msg));
        assert_string_equal(msg.text, "rows[0].into: the id is not in canonical form; it would be 2");
        assert_int_equal(row.reject.reason, REJECT_ID);
        buf_deinit(&out);
        buf_deinit(&value);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(conditions_are_met_or_not),
                cmocka_unit_test(what_a_record_does_not_say_is_preset),
                cmocka_unit_test(presets_follow_from_what_the_record_says),
                cmocka_unit_test(records_that_contradict_themselves_are_refused),
                cmocka_unit_test(a_type_with_conditions_takes_only_what_it_shows),
                cmocka_unit_test(the_original_comes_with_rows_and_not_with_a_put),
                cmocka_unit_test(an_original_that_would_break_an_export_is_refused),
                cmocka_unit_test(an_original_is_not_deeper_than_an_export_line_has_room_for),
                cmocka_unit_test(records_of_an_older_schema_get_their_present_form),
                cmocka_unit_test(merges_name_a_student),
        };

        return cmocka_run_group_tests(tests, load_types, destroy_types);
}
