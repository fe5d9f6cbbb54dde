#include "import/fhir_reference.h"

#include "tests/lib/fhir_case.h"

static void assert_target(const char *reference, const char *type, const char *id)
{
        struct fhir_target target;

        assert_true(fhir_reference_parse(slice_str(reference), &target));
        assert_slice_is(target.type, type);
        assert_slice_is(target.id, id);
}

static void a_reference_is_read_by_its_form(void **state)
{
        (void)state;
        assert_target("Patient/42", "Patient", "42");
        assert_target("Patient/42/_history/3", "Patient", "42");
        assert_target("http://a.org/fhir/Patient/42", "Patient", "42");
        assert_target("https://a.org/Patient/42/_history/1", "Patient", "42");
        assert_target("urn:uuid:63731047-b5a9-4b05-a14b-8cf6507efc98", "", "63731047-b5a9-4b05-a14b-8cf6507efc98");
        assert_target("URN:UUID:a", "", "a");
        assert_target("urn:oid:1.2.3", "", "1.2.3");
        assert_target("Group/7", "Group", "7");
}

static void an_absolute_reference_names_its_server(void **state)
{
        struct fhir_target target;

        (void)state;
        assert_true(fhir_reference_parse(slice_str("http://a.org/fhir/Patient/42/_history/1"), &target));
        assert_slice_is(target.base, "http://a.org/fhir");
        assert_true(fhir_reference_parse(slice_str("Patient/42"), &target));
        assert_int_equal(target.base.len, 0);
        assert_true(fhir_reference_parse(slice_str("urn:uuid:a"), &target));
        assert_int_equal(target.base.len, 0);
}

static void what_names_no_resource_is_no_reference(void **state)
{
        const char *const wrong[] = {"", "42", "Patient", "Patient/", "/42", "Patient?identifier=x|1", "#p",
                "urn:uuid:", "Patient/4#2", "Patient/4|2", "/"};
        struct fhir_target target;

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_false(fhir_reference_parse(slice_str(wrong[i]), &target));
        assert_false(fhir_reference_parse(slice_of("Patient/4\0", 10), &target));
}

static void a_full_url_ends_with_an_id(void **state)
{
        (void)state;
        assert_slice_is(fhir_reference_of_full_url(slice_str("urn:uuid:x")), "x");
        assert_slice_is(fhir_reference_of_full_url(slice_str("http://a.org/Patient/42")), "42");
        assert_int_equal(fhir_reference_of_full_url(SLICE_EMPTY).len, 0);
}

static bool find_fixed(const void *context, struct slice reference, struct fhir_target *out)
{
        const struct fhir_target *target = context;

        *out = *target;
        return slice_equal(reference, slice_str("urn:uuid:entry"));
}

static void expect(const char *patient, const struct fhir_target *entry, const char *expected)
{
        const struct fhir_refs refs = {.find = find_fixed, .context = entry};
        const struct fhir_resource given = {.refs = entry == NULL ? NULL : &refs};
        char json[1024];
        char row[1024];

        (void)snprintf(json, sizeof(json),
                "{'resourceType':'Condition','id':'c','subject':%s,'code':{'text':'Asthma'}}", patient);
        if (strncmp(expected, "bad", 3) == 0)
                (void)snprintf(row, sizeof(row), "%s", expected);
        else
                (void)snprintf(row, sizeof(row),
                        "conditions {'id':'c','student':'%s','display':'Asthma','status':'active'}", expected);
        assert_fhir_given(json, &given, row);
}

static void a_record_is_of_the_patient_that_its_reference_names(void **state)
{
        (void)state;
        expect("{'reference':'Patient/42','display':'Ana'}", NULL, "42");
        expect("{'reference':'urn:uuid:x'}", NULL, "x");
        expect("{'reference':'urn:uuid:x','type':'Patient'}", NULL, "x");
        expect("{'reference':'Group/42'}", NULL, "bad: subject reference");
        expect("{'reference':'urn:uuid:x','type':'Group'}", NULL, "bad: subject reference");
        expect("{'reference':'patient/42'}", NULL, "bad: subject reference");
        expect("{'identifier':{'system':'http://a.org','value':'1'}}", NULL, "bad: subject reference");
        expect("{'display':'Ana'}", NULL, "bad: subject reference");
        expect("{'reference':'#p'}", NULL, "bad: subject reference");
        expect("{'reference':'#'}", NULL, "bad: subject reference");
        expect("{'reference':42}", NULL, "bad: subject.reference kind");
        expect("'Patient/42'", NULL, "bad: subject kind");
        expect("null", NULL, "bad: subject missing");
}

static void a_bundles_entries_come_before_the_form(void **state)
{
        const struct fhir_target patient = {.type = slice_str("Patient"), .id = slice_str("42")};
        const struct fhir_target group = {.type = slice_str("Group"), .id = slice_str("42")};

        (void)state;
        expect("{'reference':'urn:uuid:entry'}", &patient, "42");
        expect("{'reference':'urn:uuid:other'}", &patient, "other");
        expect("{'reference':'urn:uuid:entry'}", &group, "bad: subject reference");
}

static void an_encounter_that_cannot_be_found_is_no_reason_to_leave_out(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'},'code':{'text':'A'},"
                    "'encounter':{'reference':'#e'}}",
                "conditions {'id':'c','student':'p','display':'A','status':'active'}");
        assert_fhir("{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'},'code':{'text':'A'},"
                    "'encounter':{'reference':'urn:uuid:e1'}}",
                "conditions {'id':'c','student':'p','display':'A','status':'active','encounter':'e1'}");
        assert_fhir("{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'},'code':{'text':'A'},"
                    "'encounter':'e'}",
                "bad: encounter kind");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_reference_is_read_by_its_form),
                cmocka_unit_test(an_absolute_reference_names_its_server),
                cmocka_unit_test(what_names_no_resource_is_no_reference),
                cmocka_unit_test(a_full_url_ends_with_an_id),
                cmocka_unit_test(a_record_is_of_the_patient_that_its_reference_names),
                cmocka_unit_test(a_bundles_entries_come_before_the_form),
                cmocka_unit_test(an_encounter_that_cannot_be_found_is_no_reason_to_leave_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
