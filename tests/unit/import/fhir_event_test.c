#include "tests/lib/fhir_case.h"

/* A resource with the least that it needs, and what is added to it. */
#define VACCINE(more)                                                                                                  \
        "{'resourceType':'Immunization','id':'i','patient':{'reference':'Patient/"                                     \
        "p'},'vaccineCode':{'text':'MMR'}" more "}"
#define VACCINE_ROW(more) "vaccinations {'id':'i','student':'p','display':'MMR'" more "}"
#define VISIT(more)       "{'resourceType':'Encounter','id':'e','subject':{'reference':'Patient/p'}" more "}"
#define VISIT_ROW(more)   "visits {'id':'e','student':'p'" more "}"

static void a_vaccination_that_was_not_given_says_so(void **state)
{
        (void)state;
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'2014-08-19T01:16:46-04:00'"),
                VACCINE_ROW(",'status':'completed','date':'2014-08-19T01:16:46-04:00'"));
        assert_fhir(VACCINE(",'status':'not-done','statusReason':{'text':'refused'},'occurrenceDateTime':'2014'"),
                VACCINE_ROW(",'status':'not-done','status_reason':'refused','date':'2014'"));
        assert_fhir(VACCINE(",'status':'entered-in-error','occurrenceDateTime':'2014-08'"),
                VACCINE_ROW(",'status':'entered-in-error','date':'2014-08'"));
        assert_fhir(VACCINE(",'status':'done','occurrenceDateTime':'2014'"), "bad: status word");
        assert_fhir(VACCINE(",'occurrenceDateTime':'2014'"), "bad: status missing");
        assert_fhir(VACCINE(",'status':'','occurrenceDateTime':'2014'"), "bad: status missing");
}

static void a_vaccination_has_a_date_or_says_why_not(void **state)
{
        (void)state;
        assert_fhir(VACCINE(",'status':'completed','occurrenceString':'in first grade'"),
                VACCINE_ROW(",'status':'completed','date_text':'in first grade'"));
        assert_fhir(VACCINE(",'status':'completed','_occurrenceDateTime':{'extension':[{'url':"
                            "'http://hl7.org/fhir/StructureDefinition/data-absent-reason','valueCode':'unknown'}]}"),
                VACCINE_ROW(",'status':'completed'"));
        assert_fhir(VACCINE(",'status':'completed'"), "bad: occurrenceDateTime missing");
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'soon'"), "bad: occurrenceDateTime instant");
}

static void what_else_a_vaccination_says_is_kept(void **state)
{
        (void)state;
        assert_fhir(
                VACCINE(",'status':'completed','occurrenceDateTime':'2014','recorded':'2015','primarySource':true,"
                        "'isSubpotent':false,'lotNumber':'L1','expirationDate':'2016-01','doseQuantity':{'value':0.5}"
                        ",'site':{'text':'left arm'},'route':{'text':'im'},'manufacturer':{'display':'Acme'},"
                        "'location':{'reference':'Location/1'},'note':[{'text':'fine'}]"),
                VACCINE_ROW(",'status':'completed','date':'2014','recorded':'2015','primary_source':true,'subpotent':"
                            "false,'lot':'L1','expires':'2016-01','dose':{'value':0.5},'site':'left arm','route':'im',"
                            "'manufacturer':'Acme','notes':['fine']"));
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'2014','isSubpotent':'no'"),
                "bad: isSubpotent kind");
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'2014','expirationDate':'2016-13'"),
                "bad: expirationDate date");
}

static void the_dose_in_its_series_is_kept(void **state)
{
        (void)state;
        assert_fhir(
                VACCINE(",'status':'completed','occurrenceDateTime':'2014','protocolApplied':[{'series':'basic',"
                        "'targetDisease':[{'text':'Measles'}],'doseNumberPositiveInt':1,'seriesDosesString':'2 or 3'"
                        "},{'doseNumberString':'booster'},{}]"),
                VACCINE_ROW(",'status':'completed','date':'2014','doses':[{'dose':1,'of':'2 or 3','series':'basic',"
                            "'disease':'Measles'},{'dose':'booster'}]"));
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'2014','protocolApplied':[{"
                            "'doseNumberPositiveInt':'1'}]"),
                "bad: protocolApplied.doseNumberPositiveInt kind");
        assert_fhir(VACCINE(",'status':'completed','occurrenceDateTime':'2014','protocolApplied':{}"),
                "bad: protocolApplied kind");
}

static void an_encounter_is_a_visit(void **state)
{
        (void)state;
        assert_fhir(
                VISIT(",'status':'finished','class':{'code':'AMB'},'type':[{},{'coding':[{'system':"
                      "'http://snomed.info/sct','code':'185347001','display':'Encounter for problem'}]}],'period':{"
                      "'start':'1976-06-22T05:35:54+00:00','end':'1976-06-22'},'reasonCode':[{'coding':[{'code':'1',"
                      "'display':'Cough'}]},{'text':'Fever'}],'serviceProvider':{'display':'School'}"),
                VISIT_ROW(",'status':'finished','kind':'ambulatory','code':'185347001','system':'SNOMED-CT','display':"
                          "'Encounter for problem','date':'1976-06-22T05:35:54+00:00','end':'1976-06-22','reason':"
                          "'Cough','reason_code':'1','reasons':['Cough','Fever'],'provider':'School'"));
        assert_fhir(VISIT(",'status':'planned','class':{'code':'X','display':'other'}"),
                VISIT_ROW(",'status':'planned','kind':'X'"));
        assert_fhir(VISIT(",'status':'entered-in-error','class':{'display':'other'}"),
                VISIT_ROW(",'status':'entered-in-error','kind':'other'"));
        assert_fhir(VISIT(",'status':'over'"), "bad: status word");
        assert_fhir(VISIT(",'status':'finished','period':{'start':'x'}"), "bad: period.start instant");
        assert_fhir("{'resourceType':'Encounter','id':'e','status':'finished'}", "bad: subject missing");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_vaccination_that_was_not_given_says_so),
                cmocka_unit_test(a_vaccination_has_a_date_or_says_why_not),
                cmocka_unit_test(what_else_a_vaccination_says_is_kept),
                cmocka_unit_test(the_dose_in_its_series_is_kept),
                cmocka_unit_test(an_encounter_is_a_visit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
