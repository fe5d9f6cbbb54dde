#include "import/code_system.h"
#include "tests/lib/test.h"

static void a_system_has_one_short_name(void **state)
{
        (void)state;
        assert_slice_is(code_system_name(slice_str("http://snomed.info/sct")), "SNOMED-CT");
        assert_slice_is(code_system_name(slice_str("urn:oid:2.16.840.1.113883.6.96")), "SNOMED-CT");
        assert_slice_is(code_system_name(slice_str("snomed-ct")), "SNOMED-CT");
        assert_slice_is(code_system_name(slice_str("http://www.nlm.nih.gov/research/umls/rxnorm")), "RxNorm");
        assert_slice_is(code_system_name(slice_str("http://hl7.org/fhir/sid/cvx")), "CVX");
        assert_slice_is(code_system_name(slice_str("http://hl7.org/fhir/sid/icd-10-cm")), "ICD-10-CM");
}

static void other_systems_stand_as_written(void **state)
{
        (void)state;
        assert_slice_is(code_system_name(slice_str("http://example.org/codes")), "http://example.org/codes");
        assert_slice_is(code_system_name(slice_str("Unknown")), "Unknown");
        assert_int_equal(code_system_name(SLICE_EMPTY).len, 0);
        assert_null(code_system_find(slice_str("http://snomed.info")));
}

static void a_vaccine_goes_by_cvx_and_the_rest_by_snomed(void **state)
{
        const struct code_system *snomed = code_system_find(slice_str("SNOMED-CT"));
        const struct code_system *cvx = code_system_find(slice_str("CVX"));

        (void)state;
        assert_true(snomed->order < cvx->order);
        assert_true(cvx->vaccine_order < snomed->vaccine_order);
        assert_true(cvx->order < CODE_SYSTEM_ORDER_UNKNOWN);
}

static void only_snomeds_own_tags_are_kinds(void **state)
{
        (void)state;
        assert_slice_is(code_system_semantic_tag(slice_str("Sepsis (disorder)")), "disorder");
        assert_slice_is(code_system_semantic_tag(slice_str("Reading (x) therapy (regime/therapy)")), "regime/therapy");
        assert_int_equal(code_system_semantic_tag(slice_str("Asthma (childhood)")).len, 0);
        assert_int_equal(code_system_semantic_tag(slice_str("(disorder) of sleep")).len, 0);
        assert_int_equal(code_system_semantic_tag(slice_str("disorder)")).len, 0);
        assert_int_equal(code_system_semantic_tag(slice_str(")")).len, 0);
        assert_int_equal(code_system_semantic_tag(SLICE_EMPTY).len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_system_has_one_short_name),
                cmocka_unit_test(other_systems_stand_as_written),
                cmocka_unit_test(a_vaccine_goes_by_cvx_and_the_rest_by_snomed),
                cmocka_unit_test(only_snomeds_own_tags_are_kinds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
