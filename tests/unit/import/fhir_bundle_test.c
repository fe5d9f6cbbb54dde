/* Bundles, read the way they come: as JSON through import_json. */
#include "import/fhir_bundle.h"
#include "tests/lib/import_case.h"
#include "tests/lib/values.h"

#include <stdio.h>

#define PATIENT(id) "{'resourceType':'Patient','id':'" id "'}"
#define ALLERGY(id, of)                                                                                                \
        "{'resourceType':'AllergyIntolerance','id':'" id "','patient':{'reference':'" of "'},'code':{'text':'Nuts'}}"
#define BUNDLE(type, entries) "{'resourceType':'Bundle','type':'" type "','entry':[" entries "]}"

static void bundles_of_every_type_are_taken_apart(void **state)
{
        static const char *const types[] = {"transaction", "batch", "collection", "searchset", "document", "message",
                "transaction-response", "history", "not-a-type"};

        (void)state;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                char bundle[512];

                (void)snprintf(bundle, sizeof(bundle),
                        "{'resourceType':'Bundle','entry':[{'resource':" PATIENT("p") "},{'resource':" ALLERGY(
                                "a", "Patient/p") "},{'resource':{'resourceType':'OperationOutcome'},'search':"
                                                  "{'mode':'outcome'}}],'type':'%s'}",
                        types[i]);
                assert_import(bundle, "1 students p p\n1 allergies p a\n- OperationOutcome\n");
        }
}

static void empty_bundles_have_nothing(void **state)
{
        (void)state;
        assert_import("{'resourceType':'Bundle'}", "");
        assert_import("{'resourceType':'Bundle','entry':[]}", "");
        assert_import(BUNDLE("batch", "{},{'response':{'status':'404'}}"), "- empty entry\n- empty entry\n");
        assert_import(BUNDLE("batch", "7,{'resource':7}"), "1! - Bundle.entry kind \n1! - - value 7\n");
}

static void each_resource_has_its_own_line(void **state)
{
        (void)state;
        assert_import("\n{ 'resourceType': 'Bundle',\n  'entry': [\n    {\n      'fullUrl': 'urn:uuid:p',\n      "
                      "'resource': {\n"
                      "        'resourceType': 'Patient'\n      }\n    },\n    { 'resource':\n" ALLERGY(
                              "a", "urn:uuid:p") "}\n"
                                                 "  ]\n}\n",
                "6 students p p\n11 allergies p a\n");
}

/* ---- who is meant ---- */

static void a_full_url_means_its_entry(void **state)
{
        (void)state;
        assert_import(
                BUNDLE("transaction", "{'fullUrl':'urn:uuid:1','resource':" ALLERGY("a",
                                              "urn:uuid:2") "},"
                                                            "{'fullUrl':'urn:uuid:2','resource':" PATIENT("p") "}"),
                "1 allergies p a\n1 students p p\n"); /* though urn:uuid:2 alone would be the student "2" */
        assert_import(BUNDLE("collection", "{'fullUrl':'http://a.org/Patient/9','resource':{'resourceType':'Patient'}},"
                                           "{'resource':" ALLERGY("a", "http://a.org/Patient/9") "}"),
                "1 students 9 9\n1 allergies 9 a\n");
        assert_import(BUNDLE("collection", "{'resource':" ALLERGY("a", "urn:uuid:2") "}"), "1 allergies 2 a\n");
}

#define PATIENT_KNOWN_AS(id, system, value)                                                                            \
        "{'resource':{'resourceType':'Patient','id':'" id "','identifier':[{'system':'urn:u'},{'system':'" system      \
        "','value':'" value "'}]}},"
#define SEARCHING(search)                                                                                              \
        BUNDLE("transaction", PATIENT_KNOWN_AS("p", "urn:s", "1|2") PATIENT_KNOWN_AS("q", "urn:s", "3")                \
                                      PATIENT_KNOWN_AS("r", "urn:t", "3") "{'resource':" ALLERGY("a", search) "}")

#define ENTRY(url, resource) "{'fullUrl':'" url "','resource':" resource "}"
#define A_ORG(path)          "http://a.org/fhir/" path
#define A2_ORG(path)         "http://a.org/fhir-2/" path
#define B_ORG(path)          "http://b.org/fhir/" path

static void one_server_is_told_in_many_ways(void **state)
{
        static const char *const patients[] = {
                "Patient/23", "http://a.org/fhir/Patient/23", "https://a.org/fhir/Patient/23", "Patient/23/_history/4"};

        (void)state;
        for (size_t i = 0; i < sizeof(patients) / sizeof(patients[0]); i++) {
                char bundle[1024];

                (void)snprintf(bundle, sizeof(bundle),
                        BUNDLE("collection", ENTRY(A_ORG("Patient/23"), PATIENT("23")) "," ENTRY(
                                                     A_ORG("AllergyIntolerance/1"), ALLERGY("1", "%s"))),
                        patients[i]);
                assert_import(bundle, "1 students 23 23\n1 allergies 23 1\n");
        }
}

/* hl7.org/fhir/R4/bundle-references.json has such a pair. */
static void ids_of_two_servers_are_two_people(void **state)
{
        const char *relative = ENTRY(A2_ORG("AllergyIntolerance/4"), ALLERGY("4", "Patient/23"));
        const char *absolute = ENTRY("urn:uuid:4", ALLERGY("4", B_ORG("Patient/23")));
        char bundle[1024];

        (void)state;
        (void)snprintf(bundle, sizeof(bundle), BUNDLE("collection", "%s,%s"), ENTRY(A_ORG("Patient/23"), PATIENT("23")),
                relative);
        assert_import(bundle, "1 students 23 23\n1! allergies patient reference " ALLERGY("4", "Patient/23") "\n");
        (void)snprintf(bundle, sizeof(bundle), BUNDLE("collection", "%s,%s,%s"),
                ENTRY(A_ORG("Patient/23"), PATIENT("23")), ENTRY(B_ORG("Patient/23"), PATIENT("23")), absolute);
        assert_import(bundle, "1 students 23 23\n1 students 23 23\n1! allergies patient reference " ALLERGY(
                                      "4", B_ORG("Patient/23")) "\n");
        (void)snprintf(bundle, sizeof(bundle), BUNDLE("collection", "%s,%s"), ENTRY(A_ORG("Patient/24"), PATIENT("24")),
                relative);
        assert_import(bundle, "1 students 24 24\n1 allergies 23 4\n"); /* nobody else has that id */
}

static void a_search_means_the_one_that_it_finds(void **state)
{
        static const char *const found = "1 students p p\n1 students q q\n1 students r r\n1 allergies r a\n";

        (void)state;
        assert_import(SEARCHING("Patient?identifier=urn:t|3"), found);
        assert_import(SEARCHING("Patient?identifier=urn%3At%7c3"), found);
        assert_import(SEARCHING("Patient?identifier=1%7C2"),
                "1 students p p\n1 students q q\n1 students r r\n1! allergies patient reference " ALLERGY(
                        "a", "Patient?identifier=1%7C2") "\n"); /* the bar parts system and value */
        assert_import(SEARCHING("Patient?identifier=urn:s|1|2"),
                "1 students p p\n1 students q q\n1 students r r\n1 allergies p a\n");
}

static void a_search_that_finds_none_or_several_means_nobody(void **state)
{
        static const char *const searches[] = {"Patient?identifier=3", "Patient?identifier=|3",
                "Patient?identifier=urn:x|3", "Patient?identifier=urn:t|",
                "Patient?identifier=", "Patient?identifier=urn:t|3&active=true", "Patient?identifier=urn:t%7",
                "Patient?identifier=urn:t%zz3", "Patient?name=x", "Group?identifier=urn:t|3"};

        (void)state;
        for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
                char bundle[1024];
                char expected[512];

                (void)snprintf(bundle, sizeof(bundle),
                        BUNDLE("batch", PATIENT_KNOWN_AS("q", "urn:s", "3") PATIENT_KNOWN_AS(
                                                "r", "urn:t", "3") "{'resource':" ALLERGY("a", "%s") "}"),
                        searches[i]);
                (void)snprintf(expected, sizeof(expected),
                        "1 students q q\n1 students r r\n1! allergies patient reference " ALLERGY("a", "%s") "\n",
                        searches[i]);
                assert_import(bundle, expected);
        }
}

static void two_names_of_one_patient_are_one(void **state)
{
        (void)state;
        assert_import(BUNDLE("collection", PATIENT_KNOWN_AS("p", "urn:s", "3") PATIENT_KNOWN_AS("p", "urn:t",
                                                   "3") "{'resource':" ALLERGY("a", "Patient?identifier=3") "}"),
                "1 students p p\n1 students p p\n1 allergies p a\n");
}

static void bundles_within_bundles_know_the_outer_names(void **state)
{
        (void)state;
        assert_import(
                BUNDLE("collection",
                        "{'fullUrl':'urn:uuid:1','resource':" PATIENT(
                                "p") "},{'fullUrl':'urn:uuid:2','resource':" PATIENT("q") "},{'resource':" BUNDLE("docu"
                                                                                                                  "men"
                                                                                                                  "t",
                                "{'fullUrl':'urn:uuid:2','resource':" PATIENT(
                                        "inner") "},"
                                                 "{'resource':" ALLERGY("a", "urn:uuid:1") "},{'resource':" ALLERGY(
                                                         "b", "urn:uuid:2") "}") "},{'resource':" ALLERGY("c",
                                "urn:uuid:2") "}"),
                "1 students p p\n1 students q q\n1 students inner inner\n1 allergies p a\n1 allergies inner b\n"
                "1 allergies q c\n");
}

/* ---- what is gone ---- */

static void a_history_gives_the_newest_versions(void **state)
{
        (void)state;
        assert_import(
                BUNDLE("history", "{'resource':" ALLERGY("a", "Patient/p") "},{'resource':" PATIENT(
                                          "p") "},"
                                               "{'resource':" ALLERGY("a",
                                                       "Patient/q") "},"
                                                                    "{'request':{'method':'DELETE','url':'"
                                                                    "AllergyIntolerance/b'}},"
                                                                    "{'resource':" ALLERGY("b",
                                                                            "Patient/p") "},{'resource':{'resourceType'"
                                                                                         ":'Patient'}},"
                                                                                         "{'request':{'method':'DELETE'"
                                                                                         ",'url':'?'}}"),
                "1 allergies p a\n1 students p p\n- older version\n- deleted entry\n- older version\n"
                "1 students 7f63e15ca96dbaa0 7f63e15ca96dbaa0\n- deleted entry\n");
}

static void a_deletion_takes_nothing_and_erases_nothing(void **state)
{
        (void)state;
        assert_import(
                BUNDLE("transaction",
                        "{'resource':" PATIENT("p") ",'request':{'method':'PUT','url':'Patient/p'}},"
                                                    "{'request':{'method':'DELETE','url':'Patient/p'}},"
                                                    "{'resource':" PATIENT(
                                                            "q") ",'request':{'method':'DELETE','url':'Patient/q'}},"
                                                                 "{'request':{'method':'GET','url':'Patient/q'}}"),
                "1 students p p\n- deleted entry\n- deleted entry\n- empty entry\n");
}

static void a_prefix_reaches_what_is_inside(void **state)
{
        const struct import_case given = {.prefix = {(const uint8_t *)"N-", 2}};

        (void)state;
        assert_import_given(&given,
                BUNDLE("batch", "{'resource':" BUNDLE(
                                        "batch", "{'fullUrl':'urn:uuid:1','resource':" PATIENT(
                                                         "p") "},{'resource':" ALLERGY("a", "urn:uuid:1") "}") "}"),
                "1 students N-p N-p\n1 allergies N-p a\n");
}

/* Each level costs three of the levels that a value may have. */
static void bundles_nest_as_deep_as_values_may(void **state)
{
        char json[4096] = PATIENT("p");

        (void)state;
        for (int i = 0; i < 20; i++) {
                char inner[4096];

                (void)snprintf(inner, sizeof(inner), "%s", json);
                (void)snprintf(json, sizeof(json), "{'resourceType':'Bundle','entry':[{'resource':%.3900s}]}", inner);
        }
        assert_import(json, "1 students p p\n");
}

static void more_entries_than_memory_is_given_to_are_refused(void **state)
{
        const size_t count = (1u << 20) + 1;
        struct import_case c;
        struct buf json;

        (void)state;
        buf_init(&json, 0);
        assert_ok(buf_append_str(&json, "{\"resourceType\":\"Bundle\",\"entry\":[0"));
        for (size_t i = 1; i < count; i++)
                assert_ok(buf_append_str(&json, ",0"));
        assert_ok(buf_append_str(&json, "]}"));
        import_case_init(&c);
        assert_ok(import_case_read(&c, buf_slice(&json), 1 << 20));
        assert_slice_is(buf_slice(&c.text), "1! - Bundle.entry too-long \n");
        import_case_deinit(&c);
        buf_deinit(&json);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bundles_of_every_type_are_taken_apart),
                cmocka_unit_test(empty_bundles_have_nothing),
                cmocka_unit_test(each_resource_has_its_own_line),
                cmocka_unit_test(a_full_url_means_its_entry),
                cmocka_unit_test(one_server_is_told_in_many_ways),
                cmocka_unit_test(ids_of_two_servers_are_two_people),
                cmocka_unit_test(a_search_means_the_one_that_it_finds),
                cmocka_unit_test(a_search_that_finds_none_or_several_means_nobody),
                cmocka_unit_test(two_names_of_one_patient_are_one),
                cmocka_unit_test(bundles_within_bundles_know_the_outer_names),
                cmocka_unit_test(a_history_gives_the_newest_versions),
                cmocka_unit_test(a_deletion_takes_nothing_and_erases_nothing),
                cmocka_unit_test(a_prefix_reaches_what_is_inside),
                cmocka_unit_test(bundles_nest_as_deep_as_values_may),
                cmocka_unit_test(more_entries_than_memory_is_given_to_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
