#include "tests/lib/fhir_case.h"

#define PATIENT(links)    "{'resourceType':'Patient','id':'A','link':[" links "]}"
#define LINK(type, other) "{'type':'" type "','other':{'reference':'" other "'}}"

static void a_replaced_patient_leads_to_the_one_that_stays(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaced-by", "Patient/B")),
                "students {'student':'A','id':'A'}\nmerges {'student':'A','id':'into','into':'B'}");
}

static void the_one_that_stays_tells_the_same_merge(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaces", "Patient/X") "," LINK("replaces", "urn:uuid:Y")),
                "students {'student':'A','id':'A'}\nmerges {'student':'X','id':'into','into':'A'}\n"
                "merges {'student':'Y','id':'into','into':'A'}");
}

static void a_prefix_is_put_before_both(void **state)
{
        const struct fhir_resource given = {.prefix = slice_str("north-")};

        (void)state;
        assert_fhir_given(PATIENT(LINK("replaces", "Patient/X")), &given,
                "students {'student':'north-A','id':'north-A'}\n"
                "merges {'student':'north-X','id':'into','into':'north-A'}");
}

static void chains_are_told_link_by_link(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("replaces", "Patient/X") "," LINK("replaced-by", "Patient/B")),
                "students {'student':'A','id':'A'}\nmerges {'student':'X','id':'into','into':'A'}\n"
                "merges {'student':'A','id':'into','into':'B'}");
}

static void other_links_are_kept_as_such(void **state)
{
        (void)state;
        assert_fhir(PATIENT(LINK("seealso", "RelatedPerson/R") ",null," LINK("refer", "Patient/B")),
                "students {'student':'A','id':'A','links':[{'type':'seealso','other':'R'},{'type':'refer','other':'B'}]"
                "}");
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
                "students {'student':'A','id':'A'}\nmerges {'student':'A','id':'into','into':'B'}");
        assert_fhir(PATIENT(LINK("same-as", "Patient/B")), "bad: link.type word");
        assert_fhir(PATIENT("{'other':{'reference':'Patient/B'}}"), "bad: link.type missing");
        assert_fhir(PATIENT("{'type':'refer'}"), "bad: link.other missing");
        assert_fhir(PATIENT("'Patient/B'"), "bad: link kind");
        assert_fhir("{'resourceType':'Patient','id':'A','link':{}}", "bad: link kind");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_replaced_patient_leads_to_the_one_that_stays),
                cmocka_unit_test(the_one_that_stays_tells_the_same_merge),
                cmocka_unit_test(a_prefix_is_put_before_both),
                cmocka_unit_test(chains_are_told_link_by_link),
                cmocka_unit_test(other_links_are_kept_as_such),
                cmocka_unit_test(links_that_cannot_be_followed_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
