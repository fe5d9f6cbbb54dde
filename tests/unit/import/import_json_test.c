#include "import/import_json.h"
#include "tests/lib/import_case.h"
#include "tests/lib/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PATIENT(id) "{'resourceType':'Patient','id':'" id "'}"
#define ALLERGY(id, p)                                                                                                 \
        "{'resourceType':'AllergyIntolerance','id':'" id "','patient':{'reference':'Patient/" p                        \
        "'},'code':{'text':'Nuts'}}"

/* ---- resources ---- */

static void resources_become_rows_line_by_line(void **state)
{
        (void)state;
        assert_import(PATIENT("p") "\n\n" ALLERGY("a", "p") "\r\n{'resourceType':'Observation'}\n",
                "1 students p p\n3 allergies p a\n- Observation\n");
}

static void documents_of_any_form_are_read(void **state)
{
        (void)state;
        assert_import("{\n  'resourceType': 'Patient',\n  'id': 'p'\n}\n{\n  'resourceType': 'Patient', 'id': 'q'\n}",
                "1 students p p\n5 students q q\n");
        assert_import("\xef\xbb\xbf[\n  " PATIENT("p") ",\n  " PATIENT("q") "\n]", "2 students p p\n3 students q q\n");
        assert_import("[" PATIENT("p") "," PATIENT("q") "]", "1 students p p\n1 students q q\n");
        assert_import("", "");
}

/* White space goes, and nothing else: numbers and escapes stay as they are spelled. */
static void the_original_is_kept_as_it_was_written(void **state)
{
        struct import_case c;
        struct slice original;

        (void)state;
        import_case_init(&c);
        assert_ok(import_case_read(&c,
                slice_str("{ \"resourceType\" : \"Patient\",\n\t\"id\": \"p\", \"extension\": [ {\"url\": "
                          "\"http://a.org/\\u00e9\", "
                          "\"valueDecimal\": 1.10 }, "
                          "{\"url\":\"http:\\/\\/a.org\",\"valueDecimal\":0.12345678901234567890} ] }"),
                1000));
        assert_true(value_member_text(buf_slice(&c.last), "resource", &original));
        assert_slice_is(original, "{\"resourceType\":\"Patient\",\"id\":\"p\",\"extension\":[{\"url\":\"http://a.org/"
                                  "\\u00e9\",\"valueDecimal\":1.10}"
                                  ",{\"url\":\"http:\\/\\/a.org\",\"valueDecimal\":0.12345678901234567890}]}");
        import_case_deinit(&c);
}

/* ---- what cannot be read ---- */

static void a_broken_line_costs_no_other(void **state)
{
        (void)state;
        assert_import(PATIENT("p") "\n{'resourceType':'Patient','id':'cut\n" PATIENT("q") "\n",
                "1 students p p\n"
                "2! - - json {'text':'{\\'resourceType\\':\\'Patient\\',\\'id\\':\\'cut'}\n"
                "3 students q q\n");
        assert_import("{'id':1,}\noops\n" PATIENT("q"),
                "1! - - json {'text':'{\\'id\\':1,}'}\n2! - - json {'text':'oops'}\n3 students q q\n");
        assert_import("{'a':1,'a':2}\n", "1! - - json {'text':'{\\'a\\':1,\\'a\\':2}'}\n");
}

static void the_line_of_a_fault_is_its_own(void **state)
{
        (void)state;
        assert_import("\n{\n  'resourceType': 'Patient',\n  'id': 01\n}\n",
                "4! - - json {'text':'{\\n  \\'resourceType\\': \\'Patient\\',\\n  \\'id\\': 01\\n}'}\n");
}

static void bytes_that_are_no_text_are_named(void **state)
{
        static const char nul[] = "{\"a\":\"\0\"}\n";
        struct import_case c;

        (void)state;
        assert_import("{'resourceType':'Patient','id':'\xe9'}\n",
                "1! - - encoding {'text':'{\\'resourceType\\':\\'Patient\\',\\'id\\':\\'\xef\xbf\xbd\\'}'}\n");
        import_case_init(&c);
        assert_ok(import_case_read(&c, slice_of(nul, sizeof(nul) - 1), 3));
        assert_slice_is(buf_slice(&c.text), "1! - - json {\"text\":\"{\\\"a\\\":\\\"\\u0000\\\"}\"}\n");
        import_case_deinit(&c);
}

static void what_is_too_long_is_passed_over(void **state)
{
        const struct import_case given = {.value_max = 40};

        (void)state;
        assert_import_given(&given, ALLERGY("a", "p") "\n" PATIENT("q") "\n", "1! - - too-long \n2 students q q\n");
        assert_import_given(&given, "[" ALLERGY("a", "p") ",\n" PATIENT("q") "]", "1! - - too-long \n2 students q q\n");
}

static void what_is_too_deep_is_left_out(void **state)
{
        struct buf json;

        (void)state;
        buf_init(&json, 0);
        assert_ok(buf_append_str(&json, "{'a':"));
        for (int i = 0; i < 100000; i++)
                assert_ok(buf_append_str(&json, "["));
        assert_ok(buf_append(&json, "\n" PATIENT("q"), sizeof("\n" PATIENT("q"))));
        assert_import((const char *)buf_slice(&json).data, "1! - - too-deep \n2 students q q\n");
        buf_deinit(&json);
}

static void values_that_are_no_records_say_so(void **state)
{
        (void)state;
        assert_import("{'a': 1}\n7\n[[]]\n'x'\n",
                "1! - - unknown-line {'a':1}\n2! - - unknown-line {'text':'7'}\n"
                "3! - - unknown-line {'text':'[]'}\n4! - - unknown-line {'text':'\\'x\\''}\n");
        assert_import("{'resourceType':'Pateint','id': 'p'}",
                "1! - resourceType resource-type {'resourceType':'Pateint','id':'p'}\n");
}

static long peak_kib(void)
{
        struct rusage usage;

        assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
        return usage.ru_maxrss;
}

struct huge {
        const char *begin;
        const char *repeat; /* eight bytes */
        const char *outcome;
};

static enum err feed_huge(struct import_json *import, void *context)
{
        static const char end[] = "\n{\"resourceType\":\"Patient\",\"id\":\"q\"}\n";
        const struct huge *huge = context;
        uint8_t piece[1 << 16];
        enum err rc = import_json_feed(import, slice_str(huge->begin));

        for (size_t i = 0; i < sizeof(piece); i++)
                piece[i] = (uint8_t)huge->repeat[i % 8];
        for (size_t len = 0; rc == OK && len < 100u << 20; len += sizeof(piece))
                rc = import_json_feed(import, slice_of(piece, sizeof(piece)));
        return rc == OK ? import_json_feed(import, slice_of(end, sizeof(end) - 1)) : rc;
}

/* 100 MB without a line break, of what could be one string, one list, many objects, many brackets. */
static void a_huge_line_takes_bounded_memory(void **state)
{
        static const char *const too_long = "1! - - too-long \n2 students q q\n";
        struct huge lines[] = {
                {"{\"a\":\"", "patient ", too_long},
                {"{\"a\":[1", ",1      ", too_long},
                {"{", "\"a\":{} ,", too_long},
                {"{\"a\":", "[[[[[[[[", "1! - - too-deep \n2 students q q\n"},
                {"no JSON", "at all  ", too_long},
        };
        long before;

        (void)state;
        SKIP_WHEN_SANITIZED();
        before = peak_kib();
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                struct import_case c;

                import_case_init(&c);
                assert_ok(import_case_run(&c, feed_huge, &lines[i]));
                assert_slice_is(buf_slice(&c.text), lines[i].outcome);
                import_case_deinit(&c);
        }
        assert_true(peak_kib() - before < 200 << 10); /* two of a value's limit, and some */
}

/* ---- vitalcache's own lines ---- */

static void lines_of_an_export_are_rows(void **state)
{
        struct import_case c;

        (void)state;
        assert_import(
                "{'table':'allergies','row':{'student':'p','id':'a'}}\n{'row':{'id':'b','student':7},'table':'dental'}",
                "1 allergies p a\n2 dental - b\n");
        import_case_init(&c);
        assert_ok(import_case_read(&c,
                slice_str("{\"table\":\"allergies\",\"row\":{\"student\":\"p\",\"resource\":{\"a\": "
                          "1.50},\"other\":{\"a\":1.50},"
                          "\"n\":[null]}}"),
                7));
        assert_value_is(buf_slice(&c.last),
                "{\"student\":\"p\",\"resource\":\"{\\\"a\\\":1.50}\",\"other\":{\"a\":1.5},\"n\":[null]}");
        import_case_deinit(&c);
}

static void lines_like_an_export_are_left_out_with_a_reason(void **state)
{
        (void)state;
        assert_import("{'table':7,'row':{}}\n{'table':'Al "
                      "lergies','row':{}}\n{'table':'allergies','row':[]}\n{'table':'x'}\n",
                "1! - table kind {'table':7,'row':{}}\n2! - table word {'table':'Al lergies','row':{}}\n"
                "3! allergies row kind {'table':'allergies','row':[]}\n4! - - unknown-line {'table':'x'}\n");
}

#define REJECT_LINE(origin) "{'file':'f','line':7,'reason':'date','text':'not a date','origin':" origin "}"
#define OLD_COLUMNS         "['START','STOP','PATIENT','ENCOUNTER','CODE','DESCRIPTION']"

static void assert_origin(const char *origin, const char *expected)
{
        char line[1024];

        (void)snprintf(line, sizeof(line),
                "{'file':'f','line':7,'field':'x','reason':'date','text':'not a date','origin':%s}\n", origin);
        assert_import(line, expected);
}

static void lines_of_a_rejects_file_are_what_they_hold(void **state)
{
        (void)state;
        assert_origin(PATIENT("p"), "1 students p p\n");
        assert_origin("{'table':'allergies','row':{'student':'p','id':'a'}}", "1 allergies p a\n");
        assert_origin("{'table':'allergies','columns':" OLD_COLUMNS ",'cells':['2020-01-01','','p','e','1','Nuts']}",
                "1 allergies p 6c88e730ebaf6a33\n");
        assert_origin("{'table':'conditions','columns':" OLD_COLUMNS ",'cells':['2020-01-01','','p','e','1','Flu']}",
                "1 conditions p e422d56e695d4e50\n");
        assert_origin("{'table':'conditions','columns':" OLD_COLUMNS ",'text':'2020-01-01,,p,e,1,\\'Flu\\''}",
                "1 conditions p e422d56e695d4e50\n");
        assert_origin("{'text':'{\\'resourceType\\':\\'Patient\\',\\'id\\':\\'q\\'}'}", "1 students q q\n");
}

static void what_is_still_wrong_keeps_its_origin(void **state)
{
        static const struct {
                const char *origin;
                const char *why;
        } wrong[] = {
                {"{'text':'{\\'a\\':'}", "- - json"},
                {"{'table':'allergies','columns':" OLD_COLUMNS ",'cells':['x','','p','e','1','Nuts']}",
                        "allergies START instant"},
                {"{'table':'allergies','columns':" OLD_COLUMNS ",'cells':['x']}", "allergies - columns"},
                {"{'table':'allergies','columns':['START'],'cells':['x']}", "allergies CODE missing"},
                {"{'table':'allergies','columns':['START',7],'cells':['x']}", "allergies columns kind"},
                {"{'table':'allergies','columns':['START'],'cells':'x'}", "allergies cells kind"},
                {"{'table':null,'columns':['START'],'cells':[]}", "- table kind"},
                {"{'table':'zebras','columns':['START'],'cells':[]}", "- table word"},
                {"{'table':'allergies','columns':" OLD_COLUMNS ",'text':'2020,,p,e,1,Nu\\'ts'}",
                        "allergies text quotes"},
                {"{'table':'allergies','columns':" OLD_COLUMNS ",'text':''}", "allergies text missing"},
                {"{'table':'allergies','columns':" OLD_COLUMNS ",'text':'2020,,p,e,1,A\\n2021,,p,e,1,A'}",
                        "allergies text quotes"},
                {"{'x':1}", "- - unknown-line"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char expected[1024];

                (void)snprintf(expected, sizeof(expected), "1! %s %s\n", wrong[i].why, wrong[i].origin);
                assert_origin(wrong[i].origin, expected);
        }
        assert_origin("7", "1! - - unknown-line {'text':'7'}\n");
}

/* What could be nested without end is not. */
static void reject_lines_hold_no_reject_lines(void **state)
{
        (void)state;
        assert_import(
                REJECT_LINE("{'reason':'date','origin':{}}"), "1! - - unknown-line {'reason':'date','origin':{}}\n");
        assert_import(REJECT_LINE("{'text':'{\\'text\\':\\'{}\\'}'}"), "1! - - unknown-line {'text':'{}'}\n");
        assert_import("{'text':'{}'}", "1! - - unknown-line {'text':'{}'}\n");
}

static void a_prefix_stands_before_every_student(void **state)
{
        const struct import_case given = {.prefix = {(const uint8_t *)"N-", 2}};

        (void)state;
        assert_import_given(&given,
                PATIENT("p") "\n" ALLERGY(
                        "a", "p") "\n"
                                  "{'table':'students','row':{'student':'p','id':'p'}}\n"
                                  "{'table':'allergies','row':{'student':'p','id':'a'}}\n" REJECT_LINE(
                                          PATIENT("p")) "\n" REJECT_LINE("{'table':'students','row':{'student':'N-p','"
                                                                         "id':'N-p'}}") "\n",
                "1 students N-p N-p\n2 allergies N-p a\n3 students N-p N-p\n4 allergies N-p a\n5 students N-p N-p\n"
                "6 students N-p N-p\n"); /* a row that was rejected has had its prefix */
}

/* ---- failures ---- */

static enum err read_all(void *context)
{
        static const char json[] =
                "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n{\"a\":\"\xff\"}\n{\"a\":1}\n"
                "{\"table\":\"allergies\",\"row\":{\"student\":\"p\",\"resource\":{}}}\n"
                "{\"reason\":\"\",\"origin\":{\"table\":\"allergies\",\"columns\":[\"A\"],\"cells\":[]}}\n"
                "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{\"fullUrl\":\"urn:uuid:1\","
                "\"resource\":{\"resourceType\":\"Patient\",\"identifier\":[{\"value\":\"7\"}]}},{}]}\n";
        struct import_case c;
        enum err rc;

        (void)context;
        import_case_init(&c);
        c.silent = true;
        c.prefix = slice_str("P");
        rc = import_case_read(&c, slice_of(json, sizeof(json) - 1), 100);
        import_case_deinit(&c);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(read_all, NULL);
}

/* ---- the public data ---- */

static bool read_file(const char *path, struct buf *out)
{
        FILE *file = fopen(path, "rb");
        char piece[1 << 16];
        size_t len;

        if (file == NULL)
                return false;
        while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
                assert_ok(buf_append(out, piece, len));
        (void)fclose(file);
        return true;
}

static void the_public_data_comes_in_whole(void **state)
{
        static const struct {
                const char *path;
                unsigned items;
                unsigned ignored;
        } files[] = {
                {"fhir-ndjson/bulk-13/Patient.ndjson", 13, 0},
                {"fhir-ndjson/bulk-13/AllergyIntolerance.ndjson", 11, 0},
                {"fhir-ndjson/bulk-13/Condition.ndjson", 555, 0},
                {"fhir-ndjson/bulk-13/Immunization.ndjson", 161, 0},
                {"fhir-ndjson/bulk-allergies/Patient.ndjson", 349, 0},
                {"fhir-ndjson/bulk-allergies/AllergyIntolerance.ndjson", 311, 0},
                {"fhir-ndjson/extracted-r4-2019/Patient.ndjson", 464, 0},
                {"fhir-ndjson/extracted-r4-2019/AllergyIntolerance.ndjson", 295, 0},
                {"fhir-ndjson/extracted-r4-2019/Condition.ndjson", 3403, 0},
                {"fhir-ndjson/extracted-r4-2019/Immunization.ndjson", 5528, 0},
                {"fhir-examples/us-core/allergyintolerance-provenance-example1.json", 1, 1}, /* searchset */
                {"fhir-examples/us-core/patient-example.json", 1, 0},
                {"fhir-examples/hl7-r4/Bundle-bundle-references.json", 4, 7}, /* collection */
                {"fhir-examples/hl7-r4/Patient-animal.json", 1, 0},
        };
        const char *folder = getenv("VITALCACHE_TEST_DATA");
        char path[512];

        (void)state;
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                struct import_case c;
                struct buf text;

                buf_init(&text, 0);
                (void)snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : VC_SOURCE_DIR "/../shared/data",
                        files[i].path);
                if (!read_file(path, &text)) {
                        print_message("%s is not there: set VITALCACHE_TEST_DATA\n", path);
                        skip();
                }
                import_case_init(&c);
                c.silent = true;
                assert_ok(import_case_read(&c, buf_slice(&text), 4099));
                assert_int_equal(c.bads, 0);
                assert_int_equal(c.items, files[i].items);
                assert_int_equal(c.ignored, files[i].ignored);
                import_case_deinit(&c);
                buf_deinit(&text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(resources_become_rows_line_by_line),
                cmocka_unit_test(documents_of_any_form_are_read),
                cmocka_unit_test(the_original_is_kept_as_it_was_written),
                cmocka_unit_test(a_broken_line_costs_no_other),
                cmocka_unit_test(the_line_of_a_fault_is_its_own),
                cmocka_unit_test(bytes_that_are_no_text_are_named),
                cmocka_unit_test(what_is_too_long_is_passed_over),
                cmocka_unit_test(what_is_too_deep_is_left_out),
                cmocka_unit_test(values_that_are_no_records_say_so),
                cmocka_unit_test(a_huge_line_takes_bounded_memory),
                cmocka_unit_test(lines_of_an_export_are_rows),
                cmocka_unit_test(lines_like_an_export_are_left_out_with_a_reason),
                cmocka_unit_test(lines_of_a_rejects_file_are_what_they_hold),
                cmocka_unit_test(what_is_still_wrong_keeps_its_origin),
                cmocka_unit_test(reject_lines_hold_no_reject_lines),
                cmocka_unit_test(a_prefix_stands_before_every_student),
                cmocka_unit_test(survives_each_failed_allocation),
                cmocka_unit_test(the_public_data_comes_in_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
