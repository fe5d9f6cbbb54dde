#include "tests/lib/fhir_case.h"

#define PATIENT(more) "{'resourceType':'Patient','id':'p'" more "}"
#define ROW(more)     "students {'student':'p','id':'p'" more "}"

static void a_patient_needs_no_more_than_an_id(void **state)
{
        (void)state;
        assert_fhir(PATIENT(""), ROW(""));
}

static void the_official_name_comes_first_then_the_usual_one(void **state)
{
        (void)state;
        assert_fhir(PATIENT(",'name':[{'use':'maiden','family':'Old'},{'use':'usual','given':['Jo']},{'use':'official',"
                            "'family':'Soto','given':['Ana','Luz',null,'Mar'],'text':'Dr Ana Soto'}]"),
                ROW(",'first_name':'Ana','middle_name':'Luz Mar','last_name':'Soto','name':'Dr Ana Soto'"));
        assert_fhir(
                PATIENT(",'name':[{'use':'nickname','given':['Nic']},{'given':['Bo']},{'use':'usual','given':['Jo']}]"),
                ROW(",'first_name':'Jo'"));
        assert_fhir(
                PATIENT(",'name':[{'use':'old','family':'A'},{'family':'B'},{'family':'C'}]"), ROW(",'last_name':'B'"));
        assert_fhir(
                PATIENT(",'name':[{'use':'secret','family':'A'},{'use':'old','family':'B'}]"), ROW(",'last_name':'B'"));
        assert_fhir(PATIENT(",'name':[{'use':'secret','family':'A'}]"), ROW(",'last_name':'A'"));
        assert_fhir(PATIENT(",'name':[{'text':'Agust\xc3\xadn'}]"), ROW(",'name':'Agust\xc3\xadn'"));
        assert_fhir(PATIENT(",'name':[]"), ROW(""));
}

static void dates_are_as_precise_as_written(void **state)
{
        (void)state;
        assert_fhir(PATIENT(",'birthDate':'2012'"), ROW(",'birth_date':'2012'"));
        assert_fhir(PATIENT(",'birthDate':'2012-04','_birthDate':{'extension':[{'url':'u','valueDateTime':"
                            "'2012-04-01T10:00:00Z'}]}"),
                ROW(",'birth_date':'2012-04'"));
        assert_fhir(PATIENT(",'_birthDate':{'extension':[]}"), ROW(""));
        assert_fhir(PATIENT(",'birthDate':'2012-04-31'"), "bad: birthDate date");
        assert_fhir(PATIENT(",'birthDate':'2012-04-01T10:00:00Z'"), "bad: birthDate date");
        assert_fhir(PATIENT(",'birthDate':20120401"), "bad: birthDate kind");
}

static void death_is_a_date_or_a_flag(void **state)
{
        (void)state;
        assert_fhir(PATIENT(",'deceasedDateTime':'1989-05-09T20:35:22-04:00'"),
                ROW(",'deceased':'1989-05-09T20:35:22-04:00'"));
        assert_fhir(PATIENT(",'deceasedDateTime':'1989'"), ROW(",'deceased':'1989'"));
        assert_fhir(PATIENT(",'deceasedBoolean':true"), ROW(",'deceased_flag':true"));
        assert_fhir(PATIENT(",'deceasedBoolean':false,'active':false"), ROW(",'deceased_flag':false,'active':false"));
        assert_fhir(PATIENT(",'deceasedBoolean':'yes'"), "bad: deceasedBoolean kind");
        assert_fhir(PATIENT(",'deceasedDateTime':'yes'"), "bad: deceasedDateTime instant");
}

static void the_home_address_comes_first(void **state)
{
        (void)state;
        assert_fhir(PATIENT(",'address':[{'use':'old','city':'Rome'},{'use':'home','line':['1 Elm St','Apt 2'],'city':"
                            "'Lynn','state':'MA','postalCode':'01810','country':'US'}]"),
                ROW(",'address':'1 Elm St, Apt 2','city':'Lynn','state':'MA','zip':'01810','country':'US'"));
        assert_fhir(PATIENT(",'address':[{'text':'at the school'}]"), ROW(",'address':'at the school'"));
        assert_fhir(PATIENT(",'address':[{'postalCode':1810}]"), "bad: address.postalCode kind");
        assert_fhir(PATIENT(",'address':[{'line':'1 Elm St'}]"), "bad: address.line kind");
        assert_fhir(PATIENT(",'address':{'city':'Lynn'}"), "bad: address kind");
}

static void phones_identifiers_and_contacts_are_kept(void **state)
{
        (void)state;
        assert_fhir(
                PATIENT(",'telecom':[{'system':'email','value':'a@b.c'},{'system':'phone','value':'1','use':'work'},"
                        "{'system':'phone','value':'2','use':'home'},{'system':'fax','value':'3'}]"),
                ROW(",'phone':'2','email':'a@b.c'"));
        assert_fhir(PATIENT(",'identifier':[{'system':'http://a.org','value':'7','use':'usual','type':{'text':'MR'}},"
                            "{'system':'http://a.org'},null,{'value':'8'}]"),
                ROW(",'identifiers':[{'system':'http://a.org','value':'7','use':'usual','type':'MR'},{'value':'8'}]"));
        assert_fhir(
                PATIENT(",'contact':[{'relationship':[{'coding':[{'code':'N','display':'Mother'}]}],'name':{'family':"
                        "'Soto','given':['Eva','Maria']},'telecom':[{'system':'phone','value':'5'}]},{}]"),
                ROW(",'contacts':[{'first_name':'Eva','last_name':'Soto','relationship':'Mother','phone':'5'}]"));
        assert_fhir(PATIENT(",'contact':[{'name':'Eva'}]"), "bad: contact.name kind");
        assert_fhir(PATIENT(",'identifier':[{'value':7}]"), "bad: identifier.value kind");
}

static void race_ethnicity_and_species_come_from_extensions(void **state)
{
        (void)state;
        assert_fhir(
                PATIENT(",'extension':[{'url':'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',"
                        "'extension':[{'url':'ombCategory','valueCoding':{'display':'Asian'}},{'url':'text',"
                        "'valueString':'Thai'}]},{'url':'http://hl7.org/fhir/us/core/StructureDefinition/"
                        "us-core-ethnicity','extension':[{'url':'ombCategory','valueCoding':{'display':'Not Hispanic'"
                        "}}]},{'url':'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race','extension':["
                        "{'url':'text','valueString':'again'}]},{'url':'http://example.org','valueDecimal':3.8}]"),
                ROW(",'race':'Thai','ethnicity':'Not Hispanic'"));
        assert_fhir(
                PATIENT(",'extension':[{'url':'http://hl7.org/fhir/StructureDefinition/patient-animal','extension':["
                        "{'url':'species','valueCodeableConcept':{'coding':[{'code':'canislf','display':'Dog'}]}}]}]"),
                ROW(",'species':'Dog'"));
        assert_fhir(PATIENT(",'extension':{}"), "bad: extension kind");
}

static void the_preferred_language_comes_first(void **state)
{
        (void)state;
        assert_fhir(PATIENT(",'communication':[{'language':{'text':'English'}},{'language':{'coding':[{'system':"
                            "'urn:ietf:bcp:47','code':'es','display':'Spanish'}]},'preferred':true}]"),
                ROW(",'language':'Spanish'"));
        assert_fhir(PATIENT(",'communication':[{'preferred':true},{'language':{'text':'English'}},{'language':{'text':"
                            "'Dutch'},'preferred':false}]"),
                ROW(",'language':'English'"));
        assert_fhir(PATIENT(",'communication':['en']"), "bad: communication kind");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_patient_needs_no_more_than_an_id),
                cmocka_unit_test(the_official_name_comes_first_then_the_usual_one),
                cmocka_unit_test(dates_are_as_precise_as_written),
                cmocka_unit_test(death_is_a_date_or_a_flag),
                cmocka_unit_test(the_home_address_comes_first),
                cmocka_unit_test(phones_identifiers_and_contacts_are_kept),
                cmocka_unit_test(the_preferred_language_comes_first),
                cmocka_unit_test(race_ethnicity_and_species_come_from_extensions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
