#include "tests/lib/fhir_case.h"

#define SNOMED "{'system':'http://snomed.info/sct','code':'39065001','display':'Burn of ear (disorder)'}"
#define ICD    "{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'T20.21','display':'Burn of ear'}"
#define LOCAL  "{'system':'http://example.org','code':'7'}"
#define CVX    "{'system':'http://hl7.org/fhir/sid/cvx','code':'08','display':'Hep B'}"

static void expect(const char *code, const char *expected)
{
        char json[1024];
        char row[1024];

        (void)snprintf(json, sizeof(json),
                "{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/p'},'code':%s}", code);
        if (strncmp(expected, "bad", 3) == 0)
                (void)snprintf(row, sizeof(row), "%s", expected);
        else
                (void)snprintf(row, sizeof(row), "conditions {'id':'c','student':'p',%s}", expected);
        assert_fhir(json, row);
}

static void one_coding_is_the_code(void **state)
{
        (void)state;
        expect("{'coding':[" SNOMED "],'text':'Burn of ear (disorder)'}",
                "'code':'39065001','system':'SNOMED-CT','display':'Burn of ear (disorder)','kind':'disorder','status':"
                "'active'");
        expect("{'coding':[" LOCAL "]}", "'code':'7','system':'http://example.org','status':'active'");
        expect("{'coding':[{'code':'007'}]}", "'code':'007','status':'active'");
}

static void of_several_the_first_by_the_table_is_the_code_and_all_are_kept(void **state)
{
        (void)state;
        expect("{'coding':[" LOCAL "," ICD "," SNOMED "],'text':'Burnt Ear'}",
                "'code':'39065001','system':'SNOMED-CT','display':'Burn of ear (disorder)','text':'Burnt Ear','codes':["
                "{'system':'http://example.org','code':'7'},{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':"
                "'T20.21','display':'Burn of ear'},{'system':'http://snomed.info/sct','code':'39065001','display':"
                "'Burn of ear (disorder)'}],'kind':'disorder','status':'active'");
        expect("{'coding':[{'display':'Burn'},null,{'code':'1'},{'code':'2'}]}",
                "'code':'1','codes':[{'display':'Burn'},{'code':'1'},{'code':'2'}],'status':'active'");
}

static void a_vaccine_is_known_by_its_cvx_code(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'Immunization','id':'i','patient':{'reference':'Patient/p'},'status':'completed',"
                    "'occurrenceDateTime':'2014','vaccineCode':{'coding':[" SNOMED "," CVX "]}}",
                "vaccinations {'id':'i','student':'p','code':'08','system':'CVX','display':'Hep B','codes':[{'system':"
                "'http://snomed.info/sct','code':'39065001','display':'Burn of ear (disorder)'},{'system':"
                "'http://hl7.org/fhir/sid/cvx','code':'08','display':'Hep B'}],'status':'completed','date':'2014'}");
}

static void words_alone_will_do(void **state)
{
        (void)state;
        expect("{'text':'bad back'}", "'display':'bad back','status':'active'");
        expect("{'coding':[{'display':'Burn of ear'}],'text':'Burnt'}",
                "'display':'Burn of ear','text':'Burnt','status':'active'");
        expect("{'coding':[],'text':'bad back'}", "'display':'bad back','status':'active'");
        expect("{'coding':[{'system':'http://snomed.info/sct','code':'1'}],'text':'Burn (finding)'}",
                "'code':'1','system':'SNOMED-CT','display':'Burn (finding)','kind':'finding','status':'active'");
}

static void a_kind_is_only_what_snomed_says(void **state)
{
        (void)state;
        expect("{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10','code':'J45','display':'Asthma (disorder)'}]}",
                "'code':'J45','system':'ICD-10','display':'Asthma (disorder)','status':'active'");
        expect("{'coding':[{'system':'http://snomed.info/sct','code':'1','display':'Asthma (childhood)'}]}",
                "'code':'1','system':'SNOMED-CT','display':'Asthma (childhood)','status':'active'");
}

static void wrong_kinds_are_named(void **state)
{
        (void)state;
        expect("'Asthma'", "bad: code kind");
        expect("{'coding':'Asthma'}", "bad: code.coding kind");
        expect("{'coding':{'code':'1'}}", "bad: code.coding kind");
        expect("{'coding':['Asthma']}", "bad: code.coding kind");
        expect("{'coding':[{'code':195967001}]}", "bad: code.coding.code kind");
        expect("{'coding':[{'system':[]}]}", "bad: code.coding.system kind");
        expect("{'coding':[{'display':true}]}", "bad: code.coding.display kind");
        expect("{'text':['Asthma']}", "bad: code.text kind");
        expect("[]", "bad: code kind");
        expect("{}", "bad: code missing");
        expect("null", "bad: code missing");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_coding_is_the_code),
                cmocka_unit_test(of_several_the_first_by_the_table_is_the_code_and_all_are_kept),
                cmocka_unit_test(a_vaccine_is_known_by_its_cvx_code),
                cmocka_unit_test(words_alone_will_do),
                cmocka_unit_test(a_kind_is_only_what_snomed_says),
                cmocka_unit_test(wrong_kinds_are_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
