/* What the shipped family (conf/types/school-health.yaml) makes of what it is told. Each row is a fact of a record and
 * what the rules conclude; all of them lean to the safe side. */
#include "tests/lib/types.h"
#include "tests/lib/values.h"

#include "database/record.h"

#define SHIPPED VC_SOURCE_DIR "/conf/types/school-health.yaml"

static struct record_types *types;

static const struct record_table *table_named(const char *name)
{
        const struct record_table *table = record_types_table(types, slice_str(name));

        assert_non_null(table);
        return table;
}

/* The record of a row with the members `said`. */
static enum err make(const char *table, const char *said, struct record_row *row, struct buf *out, struct err_msg *msg)
{
        char json[1024];
        struct buf value;
        enum err rc;

        (void)snprintf(json, sizeof(json), "{\"student\":\"42\",\"id\":\"a\"%s%s}", said[0] == '\0' ? "" : ",", said);
        buf_init(&value, 0);
        append_json(&value, json);
        *row = (struct record_row){.table = table_named(table), .row = buf_slice(&value)};
        rc = record_from_row(row, out, msg);
        buf_deinit(&value);
        return rc;
}

/* The member `field` is, in JSON, `expected`; NULL: it is not there. */
static void assert_concludes(const char *table, const char *said, const char *field, const char *expected)
{
        struct err_msg msg = {.text = ""};
        struct record_row row;
        struct slice item;
        struct buf out;
        enum err rc;

        buf_init(&out, 0);
        rc = make(table, said, &row, &out, &msg);
        assert_string_equal(msg.text, "");
        assert_ok(rc);
        if (value_member(buf_slice(&out), field, &item) != (expected != NULL))
                fail_msg("%s of {%s} is there, or not, against what was expected", field, said);
        if (expected != NULL)
                assert_value_is(item, expected);
        buf_deinit(&out);
}

static void assert_refused(const char *table, const char *said, enum reject_reason reason, const char *field)
{
        const struct reject expected = reject_of(reason, field);
        struct record_row row;
        struct buf out;

        buf_init(&out, 0);
        assert_err(ERR_BADVALUE, make(table, said, &row, &out, NULL));
        assert_true(reject_equal(&row.reject, &expected));
        buf_deinit(&out);
}

static void the_status_of_an_allergy_follows_from_its_verification(void **state)
{
        (void)state;
        assert_concludes("allergies", "", "status", "\"active\"");
        assert_concludes("allergies", "\"verification\":\"confirmed\"", "status", "\"active\"");
        assert_concludes("allergies", "\"verification\":\"unconfirmed\"", "status", "\"active\"");
        assert_concludes("allergies", "\"verification\":\"refuted\"", "status", "\"refuted\"");
        assert_concludes("allergies", "\"verification\":\"entered-in-error\",\"clinical\":\"active\"", "status",
                "\"entered-in-error\"");
        assert_concludes("allergies", "\"clinical\":\"resolved\"", "status", "\"resolved\"");
        assert_concludes("allergies", "\"clinical\":\"inactive\"", "status", "\"inactive\"");
        assert_concludes("allergies", "\"status\":\"inactive\"", "status", "\"inactive\"");
}

static void severity_that_nobody_knows_is_unknown(void **state)
{
        (void)state;
        assert_concludes("allergies", "", "severity", "\"UNKNOWN\"");
        assert_concludes("allergies", "\"criticality\":\"low\"", "severity", "\"UNKNOWN\"");
        assert_concludes("allergies", "\"criticality\":\"high\"", "severity", "\"LIFE_THREATENING\"");
        assert_concludes("allergies", "\"severity\":\"MILD\"", "severity", "\"MILD\"");
        assert_concludes("allergies", "\"code\":\"91935009\"", "no_known", NULL);
}

static void no_known_allergy_is_a_record_of_no_severity(void **state)
{
        static const char *const codes[] = {"716186003", "160244002", "409137002", "429625007", "428607008",
                "716220001", "1003774007", "428197003", "no-known-allergies"};

        (void)state;
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
                char said[64];

                (void)snprintf(said, sizeof(said), "\"code\":\"%s\"", codes[i]);
                assert_concludes("allergies", said, "no_known", "true");
                assert_concludes("allergies", said, "severity", "\"NONE\"");
                assert_concludes("allergies", said, "status", "\"active\"");
        }
}

static void words_for_no_known_allergy_count_alone_and_whole(void **state)
{
        (void)state;
        assert_concludes("allergies", "\"display\":\"No Known Allergies\"", "severity", "\"NONE\"");
        assert_concludes("allergies", "\"display\":\"NKDA\"", "no_known", "true");
        assert_concludes(
                "allergies", "\"display\":\"No known allergies except penicillin\"", "severity", "\"UNKNOWN\"");
        assert_concludes("allergies", "\"display\":\"NKA\",\"code\":\"91935009\"", "severity", "\"UNKNOWN\"");
}

static void what_contradicts_itself_is_refused(void **state)
{
        (void)state;
        assert_refused("allergies", "\"verification\":\"refuted\",\"status\":\"active\"", REJECT_CONTRADICTION,
                "verification");
        assert_refused("conditions", "\"verification\":\"entered-in-error\",\"status\":\"active\"",
                REJECT_CONTRADICTION, "verification");
        assert_refused("allergies", "\"code\":\"716186003\",\"severity\":\"MILD\"", REJECT_CONTRADICTION, "no_known");
        assert_refused(
                "allergies", "\"code\":\"716186003\",\"criticality\":\"high\"", REJECT_CONTRADICTION, "no_known");
        assert_refused("allergies", "\"severity\":\"NONE\"", REJECT_CONTRADICTION, "no_known");
        assert_refused("allergies", "\"verification\":\"refuetd\"", REJECT_WORD, "verification");
        assert_refused("merges", "\"into\":\"7\"", REJECT_WORD, "id");
}

static void the_status_of_a_condition_follows_from_what_is_told(void **state)
{
        static const char *const ends[] = {"\"end\":\"2019\"", "\"end_text\":\"as a child\"",
                "\"end_age\":{\"value\":9}", "\"end_period\":{}", "\"end_range\":{}"};

        (void)state;
        assert_concludes("conditions", "", "status", "\"active\"");
        assert_concludes("conditions", "\"clinical\":\"recurrence\",\"end\":\"2019\"", "status", "\"active\"");
        assert_concludes("conditions", "\"clinical\":\"relapse\"", "status", "\"active\"");
        assert_concludes("conditions", "\"clinical\":\"remission\"", "status", "\"remission\"");
        assert_concludes("conditions", "\"verification\":\"refuted\"", "status", "\"refuted\"");
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                assert_concludes("conditions", ends[i], "status", "\"resolved\"");
                assert_concludes("conditions", ends[i], "chronic", "false");
        }
}

#define ICD10 "\"system\":\"ICD-10-CM\",\"code\":"

static void chronic_is_what_is_an_illness_and_not_over(void **state)
{
        static const struct {
                const char *said;
                const char *chronic;
        } rows[] = {
                {"", "true"},
                {"\"display\":\"Asthma\"", "true"},
                {"\"kind\":\"disorder\"", "true"},
                {"\"kind\":\"disorder\",\"status\":\"resolved\"", "false"},
                {"\"kind\":\"disorder\",\"verification\":\"refuted\"", "false"},
                {"\"kind\":\"disorder\",\"verification\":\"entered-in-error\"", "false"},
                {"\"kind\":\"disorder\",\"clinical\":\"remission\"", "true"},
                {"\"kind\":\"disorder\",\"end\":\"2019\"", "false"},
                {"\"kind\":\"disorder\",\"clinical\":\"recurrence\",\"end\":\"2019\"", "true"},
                {"\"kind\":\"finding\"", "false"},
                {"\"kind\":\"situation\"", "false"},
                {"\"kind\":\"procedure\"", "false"},
                {"\"kind\":\"finding\",\"chronic\":true", "true"},
                {"\"kind\":\"disorder\",\"chronic\":false", "false"},
                {ICD10 "\"J45.20\"", "true"},
                {ICD10 "\"R51\"", "false"},
                {ICD10 "\"S72.001A\"", "false"},
                {ICD10 "\"T81.4\"", "false"},
                {ICD10 "\"T78.2XXA\"", "true"}, /* an anaphylactic shock */
                {ICD10 "\"T7801XA\"", "true"},  /* by peanuts */
                {ICD10 "\"Z91.010\"", "true"},  /* allergic to peanuts */
                {ICD10 "\"Z88.0\"", "true"},    /* to penicillin */
                {ICD10 "\"Z91.5\"", "false"},
                {ICD10 "\"Z79.4\"", "true"}, /* takes insulin */
                {ICD10 "\"Z79.82\"", "false"},
                {ICD10 "\"Z90.81\"", "true"}, /* has no spleen */
                {ICD10 "\"Z98.2\"", "true"},  /* has a shunt */
                {"\"kind\":\"finding\",\"display\":\"Allergy to peanut (finding)\"", "true"},
                {"\"kind\":\"finding\",\"display\":\"Allergy to peanut (finding)\",\"status\":\"refuted\"", "false"},
                {"\"kind\":\"finding\",\"display\":\"Full-time employment (finding)\"", "false"},
                {ICD10 "\"Z23\"", "false"},
                {ICD10 "\"Z94.0\"", "true"},
                {"\"system\":\"http://hl7.org/fhir/sid/icd-10\",\"code\":\"R51\"", "false"},
                {"\"code\":\"R51\"", "true"}, /* of what system nobody says */
                {"\"system\":\"Read\",\"code\":\"R51\"", "true"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_concludes("conditions", rows[i].said, "chronic", rows[i].chronic);
}

static bool shows(const char *type, const char *table, const char *said)
{
        const struct record_type *shown = record_types_find(types, slice_str(type));
        struct record_row row;
        struct buf out;
        bool result;

        assert_non_null(shown);
        assert_ptr_equal(shown->table, table_named(table));
        buf_init(&out, 0);
        assert_ok(make(table, said, &row, &out, NULL));
        result = record_matches(&shown->where, buf_slice(&out));
        buf_deinit(&out);
        return result;
}

/* Whatever the status, exactly one of the two types of its table shows the record. */
static void a_vaccination_that_was_not_given_is_none(void **state)
{
        static const struct {
                const char *said;
                bool given;
        } rows[] = {{"", true}, {"\"status\":\"completed\"", true}, {"\"status\":\"not-done\"", false},
                {"\"status\":\"entered-in-error\"", false}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_int_equal(shows("vaccinations", "vaccinations", rows[i].said), rows[i].given);
                assert_int_equal(shows("vaccinations_not_given", "vaccinations", rows[i].said), !rows[i].given);
        }
}

static void a_visit_that_did_not_take_place_is_none(void **state)
{
        const struct record_field *status = record_table_field(table_named("visits"), "status");

        (void)state;
        assert_true(shows("visits", "visits", ""));
        assert_false(shows("visits_not_held", "visits", ""));
        for (size_t i = 0; status->words[i] != NULL; i++) {
                bool held = i > 2; /* entered-in-error, cancelled, planned come first */
                char said[64];

                (void)snprintf(said, sizeof(said), "\"status\":\"%s\"", status->words[i]);
                assert_int_equal(shows("visits", "visits", said), held);
                assert_int_equal(shows("visits_not_held", "visits", said), !held);
        }
}

static void every_table_keeps_the_original(void **state)
{
        (void)state;
        for (uint32_t i = 0; i < record_types_table_count(types); i++)
                assert_string_equal(record_types_table_at(types, i)->original_field, "resource");
        assert_string_equal(record_types_merges(types)->name, "merges");
}

/* A database of the release before holds vaccinations without a status: they were given. */
static void records_of_schema_1_stay_what_they_were(void **state)
{
        const struct record_type *vaccinations = record_types_find(types, slice_str("vaccinations"));
        struct buf stored;
        struct buf present;

        (void)state;
        buf_init(&stored, 0);
        buf_init(&present, 0);
        append_json(&stored, "{\"id\":\"a\",\"code\":\"08\",\"date\":\"2019\"}");
        assert_false(record_matches(&vaccinations->where, buf_slice(&stored)));
        assert_ok(record_upgrade(vaccinations->table, 1, buf_slice(&stored), &present));
        assert_value_is(
                buf_slice(&present), "{\"id\":\"a\",\"code\":\"08\",\"date\":\"2019\",\"status\":\"completed\"}");
        assert_true(record_matches(&vaccinations->where, buf_slice(&present)));
        buf_deinit(&present);
        buf_deinit(&stored);
}

static int load(void **state)
{
        const char *files[1] = {SHIPPED};
        struct err_msg msg = {""};

        (void)state;
        if (record_types_load(&types, files, 1, &msg) != OK)
                fail_msg("%s", msg.text);
        return 0;
}

static int unload(void **state)
{
        (void)state;
        record_types_destroy(&types);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_status_of_an_allergy_follows_from_its_verification),
                cmocka_unit_test(severity_that_nobody_knows_is_unknown),
                cmocka_unit_test(no_known_allergy_is_a_record_of_no_severity),
                cmocka_unit_test(words_for_no_known_allergy_count_alone_and_whole),
                cmocka_unit_test(what_contradicts_itself_is_refused),
                cmocka_unit_test(the_status_of_a_condition_follows_from_what_is_told),
                cmocka_unit_test(chronic_is_what_is_an_illness_and_not_over),
                cmocka_unit_test(a_vaccination_that_was_not_given_is_none),
                cmocka_unit_test(a_visit_that_did_not_take_place_is_none),
                cmocka_unit_test(every_table_keeps_the_original),
                cmocka_unit_test(records_of_schema_1_stay_what_they_were),
        };

        return cmocka_run_group_tests(tests, load, unload);
}
