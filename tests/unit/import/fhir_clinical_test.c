#include "tests/lib/fhir_case.h"

/* A resource with the least that it needs, and what is added to it. */
#define ALLERGY(more)                                                                                                  \
        "{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'Patient/"                               \
        "p'},'code':{'text':'Nuts'}" more "}"
#define ALLERGY_ROW(more) "allergies {'id':'a','student':'p','display':'Nuts'" more "}"
#define CONDITION(more)                                                                                                \
        "{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'},'code':{'text':'Asthma'}" more "}"
#define CONDITION_ROW(more)   "conditions {'id':'c','student':'p','display':'Asthma'" more "}"
#define STATUS(element, code) ",'" element "':{'coding':[{'code':'" code "'}]}"

static void severity_is_the_criticality_or_the_worst_reaction(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(""), ALLERGY_ROW(",'status':'active'"));
        assert_fhir(ALLERGY(",'criticality':'low'"), ALLERGY_ROW(",'status':'active','criticality':'low'"));
        assert_fhir(ALLERGY(",'criticality':'unable-to-assess'"),
                ALLERGY_ROW(",'status':'active','criticality':'unable-to-assess'"));
        assert_fhir(ALLERGY(",'criticality':'high','reaction':[{'severity':'mild'}]"),
                ALLERGY_ROW(",'status':'active','reactions':[{'severity':'MILD'}],'criticality':'high','severity':"
                            "'LIFE_THREATENING'"));
        assert_fhir(ALLERGY(",'criticality':'low','reaction':[{'severity':'mild'},{'severity':'severe'},"
                            "{'severity':'moderate'}]"),
                ALLERGY_ROW(",'status':'active','reactions':[{'severity':'MILD'},{'severity':'SEVERE'},{'severity':"
                            "'MODERATE'}],'criticality':'low','severity':'SEVERE'"));
        assert_fhir(ALLERGY(",'criticality':'urgent'"), "bad: criticality word");
        /* a word that nobody knows is no reason to lose the allergy, and may mean worse than mild */
        assert_fhir(ALLERGY(",'reaction':[{'severity':'fatal'},{'severity':'mild'}]"),
                ALLERGY_ROW(",'status':'active','reactions':[{'severity':'UNKNOWN'},{'severity':'MILD'}],'severity':"
                            "'UNKNOWN'"));
        assert_fhir(ALLERGY(",'reaction':[{'severity':'fatal'},{'severity':'moderate'}]"),
                ALLERGY_ROW(",'status':'active','reactions':[{'severity':'UNKNOWN'},{'severity':'MODERATE'}],"
                            "'severity':'MODERATE'"));
}

static void a_reaction_is_kept_with_each_of_its_manifestations(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'reaction':[{'substance':{'text':'Cashew'},'manifestation':[{'coding':[{'system':"
                            "'http://snomed.info/sct','code':'247472004','display':'Hives'}]},{'text':'Cough'}],"
                            "'description':'at lunch','onset':'2017-06','severity':'moderate','exposureRoute':{'text':"
                            "'oral'}}]"),
                ALLERGY_ROW(
                        ",'status':'active','reactions':[{'code':'247472004','system':'SNOMED-CT','display':'Hives',"
                        "'severity':'MODERATE','substance':'Cashew','description':'at lunch','onset':'2017-06',"
                        "'route':'oral'},{'display':'Cough','severity':'MODERATE','substance':'Cashew','description'"
                        ":'at lunch','onset':'2017-06','route':'oral'}],'severity':'MODERATE'"));
}

static void an_allergy_has_a_status(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(STATUS("clinicalStatus", "inactive")), ALLERGY_ROW(",'status':'inactive'"));
        assert_fhir(ALLERGY(STATUS("clinicalStatus", "Resolved")), ALLERGY_ROW(",'status':'resolved'"));
        assert_fhir(ALLERGY(STATUS("verificationStatus", "unconfirmed")),
                ALLERGY_ROW(",'verification':'unconfirmed','status':'active'"));
        assert_fhir(ALLERGY(STATUS("verificationStatus", "refuted") STATUS("clinicalStatus", "active")),
                ALLERGY_ROW(",'verification':'refuted','status':'refuted','clinical':'active'"));
        assert_fhir(ALLERGY(STATUS("verificationStatus", "entered-in-error")),
                ALLERGY_ROW(",'verification':'entered-in-error','status':'entered-in-error'"));
        assert_fhir(ALLERGY(",'clinicalStatus':{'text':'Inactive'}"), ALLERGY_ROW(",'status':'inactive'"));
        assert_fhir(ALLERGY(",'clinicalStatus':{'coding':[{'system':'http://snomed.info/sct','code':'55561003'},"
                            "{'code':'inactive'}]}"),
                ALLERGY_ROW(",'status':'inactive'"));
        assert_fhir(ALLERGY(",'clinicalStatus':{'coding':[{'system':'http://a.org','code':'active'},{'system':"
                            "'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical','code':'resolved'}]}"),
                ALLERGY_ROW(",'status':'resolved'"));
        assert_fhir(ALLERGY(",'clinicalStatus':{'extension':[]}"), ALLERGY_ROW(",'status':'active'"));
        assert_fhir(ALLERGY(STATUS("clinicalStatus", "gone")), "bad: clinicalStatus word");
        assert_fhir(ALLERGY(STATUS("clinicalStatus", "remission")), "bad: clinicalStatus word");
        assert_fhir(ALLERGY(STATUS("verificationStatus", "sure")), "bad: verificationStatus word");
        assert_fhir(ALLERGY(",'clinicalStatus':'active'"), "bad: clinicalStatus kind");
}

static void a_condition_has_a_status(void **state)
{
        (void)state;
        assert_fhir(CONDITION(STATUS("clinicalStatus", "recurrence")),
                CONDITION_ROW(",'status':'active','clinical':'recurrence'"));
        assert_fhir(CONDITION(STATUS("clinicalStatus", "relapse")),
                CONDITION_ROW(",'status':'active','clinical':'relapse'"));
        assert_fhir(CONDITION(STATUS("clinicalStatus", "remission")), CONDITION_ROW(",'status':'remission'"));
        assert_fhir(CONDITION(STATUS("verificationStatus", "differential")),
                CONDITION_ROW(",'verification':'differential','status':'active'"));
        assert_fhir(CONDITION(STATUS("verificationStatus", "refuted")),
                CONDITION_ROW(",'verification':'refuted','status':'refuted'"));
        assert_fhir(CONDITION(""), CONDITION_ROW(",'status':'active'"));
        assert_fhir(CONDITION(",'abatementString':'last year'"),
                CONDITION_ROW(",'status':'resolved','end_text':'last year'"));
        assert_fhir(CONDITION(STATUS("clinicalStatus", "active") ",'abatementDateTime':'2013'"),
                CONDITION_ROW(",'status':'active','end':'2013'"));
        assert_fhir(CONDITION(STATUS("verificationStatus", "presumed")), "bad: verificationStatus word");
}

static void onset_and_abatement_come_in_every_form(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'onsetDateTime':'2013-04','lastOccurrence':'2020','recordedDate':"
                            "'2014-08-19T01:16:46.5-04:00'"),
                ALLERGY_ROW(",'status':'active','onset':'2013-04','last_occurrence':'2020','recorded':"
                            "'2014-08-19T01:16:46.5-04:00'"));
        assert_fhir(ALLERGY(",'onsetAge':{'value':4,'unit':'a'}"),
                ALLERGY_ROW(",'status':'active','onset_age':{'value':4,'unit':'a'}"));
        assert_fhir(ALLERGY(",'onsetPeriod':{'start':'2012'}"),
                ALLERGY_ROW(",'status':'active','onset_period':{'start':'2012'}"));
        assert_fhir(ALLERGY(",'onsetRange':{'low':{'value':1.50}}"),
                ALLERGY_ROW(",'status':'active','onset_range':{'low':{'value':1.5}}"));
        assert_fhir(ALLERGY(",'onsetString':'as a baby'"), ALLERGY_ROW(",'status':'active','onset_text':'as a baby'"));
        assert_fhir(CONDITION(",'onsetAge':{'value':52},'abatementAge':{'value':54}"),
                CONDITION_ROW(",'status':'resolved','onset_age':{'value':52},'end_age':{'value':54}"));
        assert_fhir(CONDITION(",'abatementPeriod':{'end':'2013'}"),
                CONDITION_ROW(",'status':'resolved','end_period':{'end':'2013'}"));
        assert_fhir(CONDITION(",'abatementRange':{'low':{'value':1}}"),
                CONDITION_ROW(",'status':'resolved','end_range':{'low':{'value':1}}"));
        assert_fhir(CONDITION(",'onsetDateTime':'2012-05-24','abatementDateTime':'2012-06'"),
                CONDITION_ROW(",'status':'resolved','onset':'2012-05-24','end':'2012-06'"));
        assert_fhir(ALLERGY(",'onsetDateTime':'2013-02-30'"), "bad: onsetDateTime instant");
        assert_fhir(ALLERGY(",'onsetDateTime':'2013-02-03T10:00:00'"), "bad: onsetDateTime instant");
        assert_fhir(ALLERGY(",'onsetDateTime':2013"), "bad: onsetDateTime kind");
        assert_fhir(ALLERGY(",'onsetAge':4"), "bad: onsetAge kind");
        assert_fhir(ALLERGY(",'onsetPeriod':{'start':'2012-13'}"), "bad: onsetPeriod.start instant");
        assert_fhir(CONDITION(",'abatementPeriod':'2012'"), "bad: abatementPeriod kind");
        assert_fhir(CONDITION(",'abatementDateTime':'04/30/2012'"), "bad: abatementDateTime instant");
}

static void what_else_a_condition_says_is_kept_in_words(void **state)
{
        (void)state;
        assert_fhir(
                CONDITION(
                        ",'category':[{'coding':[{'system':'http://snomed.info/sct','code':'55607006','display':"
                        "'Problem'},{'system':'http://terminology.hl7.org/CodeSystem/condition-category','code':"
                        "'problem-list-item'}]},{'text':'school'}],'severity':{'coding':[{'system':"
                        "'http://snomed.info/sct','code':'24484000','display':'Severe'}]},'stage':[{'summary':{'text':"
                        "'II'}},{'type':{'text':'x'}}],'bodySite':[{'text':'left lung'}],'encounter':{'reference':"
                        "'Encounter/9'},'note':[{'text':'anuric'},{'time':'2012'}]"),
                CONDITION_ROW(",'status':'active','category':'problem-list-item, school','severity_text':'Severe',"
                              "'stage':['II'],'body_site':['left lung'],'encounter':'9','notes':['anuric']"));
        assert_fhir(ALLERGY(",'type':'allergy','category':['food',null,'medication']"),
                ALLERGY_ROW(",'status':'active','type':'allergy','category':'food, medication'"));
}

static void the_substance_may_stand_in_a_reaction(void **state)
{
        (void)state;
        assert_fhir(
                "{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'Patient/p'},'reaction':["
                "{'severity':'severe'},{'substance':{'coding':[{'system':'http://snomed.info/sct','code':'762952008',"
                "'display':'Peanut'}]}}]}",
                "allergies {'id':'a','student':'p','code':'762952008','system':'SNOMED-CT','display':'Peanut','status':"
                "'active','reactions':[{'severity':'SEVERE'},{'substance':'Peanut'}],'severity':'SEVERE'}");
}

static void a_record_of_nothing_is_left_out(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'Patient/p'}}",
                "bad: code missing");
        assert_fhir("{'resourceType':'Condition','id':'a','subject':{'reference':'Patient/p'},'code':{'coding':[{"
                    "'system':'http://snomed.info/sct'}]}}",
                "bad: code missing");
        assert_fhir("{'resourceType':'Immunization','id':'a','patient':{'reference':'Patient/p'},'vaccineCode':{}}",
                "bad: vaccineCode missing");
        assert_fhir("{'resourceType':'Immunization','id':'a','patient':{'reference':'Patient/p'}}",
                "bad: vaccineCode missing");
}

/* The member of the record that the shipped types make of a resource's last row is, in JSON, `expected`. */
static void assert_concluded(const char *json, const char *member, const char *expected)
{
        char resource[1024];
        struct fhir_case c;
        struct slice item;

        fhir_case_init(&c);
        fhir_case_map(&c, quoted(json, resource, sizeof(resource)), NULL);
        assert_true(value_member(buf_slice(&c.record), member, &item));
        assert_value_is(item, expected);
        fhir_case_deinit(&c);
}

#define CODED(element, code_, display_)                                                                                \
        ",'" element "':{'coding':[{'system':'http://snomed.info/sct','code':'" code_ "','display':'" display_ "'}]}}"
#define CODED_ALLERGY(code_, display_)                                                                                 \
        "{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'Patient/p'}" CODED(                     \
                "code", code_, display_)
#define CODED_CONDITION(code_, display_)                                                                               \
        "{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'}" CODED("code", code_, display_)

static void facts_are_enough_for_the_rules(void **state)
{
        (void)state;
        assert_concluded(CODED_ALLERGY("716186003", "No known allergy"), "no_known", "true");
        assert_concluded(CODED_ALLERGY("716186003", "No known allergy"), "severity", "\"NONE\"");
        assert_concluded(ALLERGY(""), "severity", "\"UNKNOWN\"");
        assert_concluded(ALLERGY(",'criticality':'low'"), "severity", "\"UNKNOWN\"");
        assert_concluded(CODED_CONDITION("195967001", "Asthma (disorder)"), "chronic", "true");
        assert_concluded(CODED_CONDITION("160903007", "Full-time employment (finding)"), "chronic", "false");
        assert_concluded(CODED_CONDITION("195967001", "Asthma (childhood)"), "chronic", "true");
        assert_concluded(CONDITION(",'abatementAge':{'value':9}"), "chronic", "false");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(severity_is_the_criticality_or_the_worst_reaction),
                cmocka_unit_test(a_reaction_is_kept_with_each_of_its_manifestations),
                cmocka_unit_test(an_allergy_has_a_status),
                cmocka_unit_test(a_condition_has_a_status),
                cmocka_unit_test(onset_and_abatement_come_in_every_form),
                cmocka_unit_test(what_else_a_condition_says_is_kept_in_words),
                cmocka_unit_test(the_substance_may_stand_in_a_reaction),
                cmocka_unit_test(a_record_of_nothing_is_left_out),
                cmocka_unit_test(facts_are_enough_for_the_rules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
