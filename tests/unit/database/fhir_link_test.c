#include "tests/lib/fhir_case.h"

#define PATIENT(links)    "{'resourceType':'Patient','id':'A','link':[" links "]}"
#define LINK(type, other) "{'type':'" type "','other':{'reference':'" other "'}}"

static void a_replaced_patient_is_no_student_but_leads_to_one(void **state)
{
        struct fhir_case c;
        char json[512];

        (void)state;
        assert_fhir(PATIENT(LINK("replaced-by", "Patient/B")),
                "merges {'student':'A','id':'into','into':'B'}\nmerges {'student':'A','id':'replaced','into':'B'}");
        fhir_case_init(&c);
        fhir_case_map(&c, quoted(PATIENT(LINK("replaced-by", "Patient/B")), json, sizeof(json)), NULL);
        assert_slice_is(buf_slice(&c.original), json);
        fhir_case_deinit(&c);
}

static void the_one_that_stays_tells_the_same_merge(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaces", "Patient/X") "," LINK("replaces", "urn:uuid:Y")),
                "merges {'student':'X','id':'into','into':'A'}\nmerges {'student':'Y','id':'into','into':'A'}\n"
                "students {'student':'A','id':'A'}");
}

static void a_prefix_is_put_before_both(void **state)
{
        const struct fhir_resource given = {.prefix = slice_str("north-")};

        (void)state;
        assert_fhir_given(PATIENT(LINK("replaces", "Patient/X")), &given,
                "merges {'student':'north-X','id':'into','into':'north-A'}\nstudents "
                "{'student':'north-A','id':'north-A'}");
}

static void chains_are_told_link_by_link(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaces", "Patient/X") "," LINK("replaced-by", "Patient/B")),
                "merges {'student':'X','id':'into','into':'A'}\nmerges {'student':'A','id':'into','into':'B'}\n"
                "merges {'student':'A','id':'replaced','into':'B'}");
}

static void other_links_are_kept_as_such(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("seealso", "RelatedPerson/R") ",null," LINK("refer", "Patient/B")),
                "students "
                "{'student':'A','id':'A','links':[{'type':'seealso','other':'R'},{'type':'refer','other':'B'}]}");
        assert_fhir(PATIENT("{'type':'seealso','other':{'display':'her file'}}"),
                "students {'student':'A','id':'A','links':[{'type':'seealso'}]}");
}

static void links_that_cannot_be_followed_are_refused(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaced-by", "RelatedPerson/B")), "bad: link.other reference");
        assert_fhir(PATIENT(LINK("replaced-by", "Patient/A")), "bad: link.other reference");
        assert_fhir(PATIENT(LINK("replaces", "#x")), "bad: link.other reference");
        assert_fhir(PATIENT(LINK("replaced-by", "Patient/B") "," LINK("replaced-by", "Patient/C")),
                "bad: link.other reference");
        assert_fhir(PATIENT(LINK("replaced-by", "Patient/B") "," LINK("replaced-by", "urn:uuid:B")),
                "merges {'student':'A','id':'into','into':'B'}\nmerges {'student':'A','id':'replaced','into':'B'}");
        assert_fhir(PATIENT(LINK("same-as", "Patient/B")), "bad: link.type word");
        assert_fhir(PATIENT("{'other':{'reference':'Patient/B'}}"), "bad: link.type missing");
        assert_fhir(PATIENT("{'type':'refer'}"), "bad: link.other missing");
        assert_fhir(PATIENT("'Patient/B'"), "bad: link kind");
        assert_fhir("{'resourceType':'Patient','id':'A','link':{}}", "bad: link kind");
}

static void the_replaced_patient_is_checked_like_any_other(void **state)
{
        (void)state;
        assert_fhir(
                "{'resourceType':'Patient','id':'A','birthDate':'soon','link':[" LINK("replaced-by", "Patient/B") "]}",
                "bad: birthDate date");
        assert_fhir("{'resourceType':'Patient','id':'A','implicitRules':'urn:x','link':[" LINK(
                            "replaced-by", "Patient/B") "]}",
                "bad: implicitRules modifier");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_replaced_patient_is_no_student_but_leads_to_one),
                cmocka_unit_test(the_one_that_stays_tells_the_same_merge),
                cmocka_unit_test(a_prefix_is_put_before_both),
                cmocka_unit_test(chains_are_told_link_by_link),
                cmocka_unit_test(other_links_are_kept_as_such),
                cmocka_unit_test(links_that_cannot_be_followed_are_refused),
                cmocka_unit_test(the_replaced_patient_is_checked_like_any_other),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
