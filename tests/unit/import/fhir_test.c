#include "import/fhir.h"

#include "tests/lib/fhir_case.h"

#define ALLERGY(more)                                                                                                  \
        "{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'Patient/"                               \
        "p'},'code':{'text':'Nuts'}" more "}"
#define ALLERGY_ROW "allergies {'id':'a','student':'p','display':'Nuts','status':'active'}"

/* ---- what kind of resource ---- */

static void other_types_are_passed_over_by_name(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'Observation'}", "ignored: Observation");
        assert_fhir("{'resourceType':'OperationOutcome','id':7}", "ignored: OperationOutcome");
        assert_fhir("{'resourceType':'Bundle'}", "ignored: Bundle");
}

static void what_is_no_resource_is_left_out(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'AllergyIntolerence'}", "bad: resourceType resource-type");
        assert_fhir("{'resourceType':'patient'}", "bad: resourceType resource-type");
        assert_fhir("{'resourceType':''}", "bad: resourceType resource-type");
        assert_fhir("{'resourceType':['Patient']}", "bad: resourceType kind");
        assert_fhir("{'resourceType':null}", "bad: resourceType missing");
        assert_fhir("{'id':'p'}", "bad: resourceType missing");
        assert_fhir("[]", "bad:  value");
        assert_fhir("'Patient'", "bad:  value");
}

/* ---- ids ---- */

static void assert_id(const char *id, const char *full_url, const char *expected)
{
        const struct fhir_resource given = {.full_url = slice_str(full_url)};
        char json[512];
        char row[512];

        (void)snprintf(json, sizeof(json), "{'resourceType':'Patient'%s}", id);
        (void)snprintf(row, sizeof(row), "students {'student':'%s','id':'%s'}", expected, expected);
        assert_fhir_given(json, &given, row);
}

static void a_resource_without_an_id_has_that_of_its_entry_or_its_text(void **state)
{
        (void)state;
        assert_id(",'id':'x'", "urn:uuid:y", "x");
        assert_id("", "urn:uuid:y", "y");
        assert_id("", "http://a.org/fhir/Patient/42", "42");
        assert_id(",'id':null", "http://a.org/fhir/Patient/42/_history/2", "42");
        assert_id("", "", "7f63e15ca96dbaa0"); /* of the text, so the same at each import */
}

static void an_id_must_be_usable(void **state)
{
        (void)state;
        assert_fhir("{'resourceType':'Patient','id':7}", "bad: id kind");
        assert_fhir("{'resourceType':'Patient','id':'a\\u0001'}", "bad: id id");
        assert_fhir(
                "{'resourceType':'Condition','id':'c','subject':{'reference':'Patient/a\\u0001'},'code':{'text':'A'}}",
                "bad: subject id");
}

static void a_prefix_is_of_students_alone(void **state)
{
        const struct fhir_resource given = {.prefix = slice_str("north-")};

        (void)state;
        assert_fhir_given(
                "{'resourceType':'Patient','id':'p'}", &given, "students {'student':'north-p','id':'north-p'}");
        assert_fhir_given(
                ALLERGY(""), &given, "allergies {'id':'a','student':'north-p','display':'Nuts','status':'active'}");
}

static void identity_is_what_the_row_gets(void **state)
{
        struct fhir_resource resource = {.text = slice_str("{}"), .full_url = slice_str("urn:uuid:y")};
        struct fhir_identity identity;
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"resourceType\":\"Patient\"}");
        resource.value = buf_slice(&value);
        assert_true(fhir_identify(&resource, &identity));
        assert_slice_is(identity.type, "Patient");
        assert_slice_is(identity.id, "y");
        resource.full_url = SLICE_EMPTY;
        assert_true(fhir_identify(&resource, &identity));
        assert_int_equal(identity.id.len, 16);
        buf_truncate(&value, 0);
        append_json(&value, "{\"resourceType\":\"Patient\",\"id\":\"x\"}");
        resource.value = buf_slice(&value);
        assert_true(fhir_identify(&resource, &identity));
        assert_slice_is(identity.id, "x");
        buf_truncate(&value, 0);
        append_json(&value, "{\"resourceType\":\"Patient\",\"id\":[]}");
        resource.value = buf_slice(&value);
        assert_false(fhir_identify(&resource, &identity));
        buf_truncate(&value, 0);
        append_json(&value, "{\"id\":\"x\"}");
        resource.value = buf_slice(&value);
        assert_false(fhir_identify(&resource, &identity));
        buf_deinit(&value);
}

/* ---- not at face value ---- */

static void what_may_change_the_meaning_is_refused(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'implicitRules':'http://example.org/rules'"), "bad: implicitRules modifier");
        assert_fhir(ALLERGY(",'modifierExtension':[{'url':'http://example.org/not','valueBoolean':true}]"),
                "bad: modifierExtension modifier");
        assert_fhir(ALLERGY(",'modifierExtension':{}"), "bad: modifierExtension kind");
        assert_fhir(ALLERGY(",'reaction':[{'modifierExtension':[{'url':'http://example.org/not'}]}]"),
                "bad: reaction.modifierExtension modifier");
        assert_fhir("{'resourceType':'Patient','id':'p','contact':[{'modifierExtension':[{'url':'u'}]}]}",
                "bad: contact.modifierExtension modifier");
}

static void what_does_not_reach_the_row_is_no_reason_to_refuse(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'modifierExtension':[]"), ALLERGY_ROW);
        assert_fhir(ALLERGY(",'text':{'div':'modifierExtension'}"), ALLERGY_ROW);
        assert_fhir(
                ALLERGY(",'contained':[{'resourceType':'Practitioner','id':'d','modifierExtension':[{'url':'u'}]}]"),
                ALLERGY_ROW);
        assert_fhir(ALLERGY(",'extension':[{'url':'u','valueString':'x'}],'reactions':'misspelt','language':'en'"),
                ALLERGY_ROW);
}

static void a_part_of_a_resource_is_refused_and_other_labels_are_kept(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'meta':{'tag':[{'code':'SUBSETTED'}]}"), "bad: meta.tag partial");
        assert_fhir(ALLERGY(",'meta':{'security':[{'code':'SUBSETTED'}]}"), "bad: meta.security partial");
        assert_fhir(ALLERGY(",'meta':{'tag':[{'code':'synthea'}],'security':[{'code':'TBOO'},{'display':'x'},{'code':'"
                            "R'}]}"),
                "allergies {'id':'a','security':['TBOO','R'],'student':'p','display':'Nuts','status':'active'}");
        assert_fhir(ALLERGY(",'meta':[]"), "bad: meta kind");
        assert_fhir(ALLERGY(",'meta':{'security':{}}"), "bad: meta.security kind");
}

/* ---- patients inside ---- */

#define INSIDE(patient)                                                                                                \
        "{'resourceType':'AllergyIntolerance','id':'a','patient':{'reference':'#p'},'code':{'text':'Nuts'},'"          \
        "contained'"                                                                                                   \
        ":[{'resourceType':'Organization','id':'p'}," patient "]}"

static void a_patient_inside_a_record_becomes_a_student_of_its_own(void **state)
{
        const struct fhir_resource given = {.prefix = slice_str("n-")};

        (void)state;
        assert_fhir_given(INSIDE("{'resourceType':'Patient','id':'p','name':[{'family':'Soto'}]}"), &given,
                "students {'student':'n-a#p','id':'n-a#p','last_name':'Soto'}\n"
                "allergies {'id':'a','student':'n-a#p','display':'Nuts','status':'active'}");
}

static void a_patient_inside_is_checked_too(void **state)
{
        (void)state;
        assert_fhir(INSIDE("{'resourceType':'Patient','id':'p','birthDate':'soon'}"), "bad: contained.birthDate date");
        assert_fhir(INSIDE("{'resourceType':'Patient','id':'p','modifierExtension':[{'url':'u'}]}"),
                "bad: contained.modifierExtension modifier");
        assert_fhir(INSIDE("{'resourceType':'Patient','id':'q'}"), "bad: patient reference");
        assert_fhir(INSIDE("7"), "bad: patient reference");
}

/* ---- wherever something is of the wrong kind ---- */

static void null_is_as_if_it_were_not_there(void **state)
{
        (void)state;
        assert_fhir(
                ALLERGY(",'criticality':null,'reaction':[null],'onsetAge':null,'meta':null,'note':null"), ALLERGY_ROW);
}

static void lists_objects_and_texts_are_not_taken_for_one_another(void **state)
{
        (void)state;
        assert_fhir(ALLERGY(",'reaction':{'severity':'severe'}"), "bad: reaction kind");
        assert_fhir(ALLERGY(",'reaction':['severe']"), "bad: reaction kind");
        assert_fhir(ALLERGY(",'reaction':[{'manifestation':{}}]"), "bad: reaction.manifestation kind");
        assert_fhir(ALLERGY(",'reaction':[{'manifestation':[{'coding':[{'code':1}]}]}]"),
                "bad: reaction.manifestation.coding.code kind");
        assert_fhir(ALLERGY(",'reaction':[{'severity':['severe']}]"), "bad: reaction.severity kind");
        assert_fhir(ALLERGY(",'criticality':{}"), "bad: criticality kind");
        assert_fhir(ALLERGY(",'category':'food'"), "bad: category kind");
        assert_fhir(ALLERGY(",'note':['see file']"), "bad: note kind");
        assert_fhir(ALLERGY(",'note':{'text':'x'}"), "bad: note kind");
}

/* ---- the original ---- */

static void the_original_comes_with_the_row(void **state)
{
        char json[512];
        struct fhir_case c;

        (void)state;
        fhir_case_init(&c);
        fhir_case_map(&c, quoted(ALLERGY(",'x':[1.50]"), json, sizeof(json)), NULL);
        assert_slice_is(buf_slice(&c.original), json);
        fhir_case_deinit(&c);
}

/* ---- failures ---- */

static enum err fail_item(void *context, const struct import_item *item)
{
        (void)context;
        (void)item;
        return ERR_IO;
}

static enum err count_item(void *context, const struct import_item *item)
{
        (void)item;
        ++*(unsigned *)context;
        return OK;
}

static void the_sinks_error_ends_it(void **state)
{
        const struct import_sink sink = {fail_item, fhir_case_bad, fhir_case_ignored, NULL};
        struct fhir_resource resource = {.line = 1};
        struct fhir_mapper *mapper;
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"resourceType\":\"Patient\",\"id\":\"p\"}");
        resource.value = buf_slice(&value);
        assert_ok(fhir_mapper_create(&mapper));
        assert_err(ERR_IO, fhir_to_rows(mapper, &resource, &sink));
        fhir_mapper_destroy(&mapper);
        assert_null(mapper);
        fhir_mapper_destroy(&mapper);
        buf_deinit(&value);
}

struct allocation_case {
        struct buf value;
        unsigned items;
};

static enum err map_once(void *context)
{
        struct allocation_case *c = context;
        const struct import_sink sink = {count_item, fhir_case_bad, fhir_case_ignored, &c->items};
        const struct fhir_resource resource = {.value = buf_slice(&c->value), .text = slice_str("{}")};
        struct fhir_mapper *mapper;
        enum err rc = fhir_mapper_create(&mapper);

        c->items = 0;
        if (rc == OK)
                rc = fhir_to_rows(mapper, &resource, &sink);
        assert_true(rc == OK || c->items == 0); /* all or none */
        fhir_mapper_destroy(&mapper);
        return rc;
}

static void no_memory_is_an_error_and_gives_no_rows(void **state)
{
        static const char *const resources[] = {
                INSIDE("{'resourceType':'Patient','id':'p','name':[{'given':['A','B','C']}],'address':[{'line':['1','2'"
                       "]"
                       "}],'contact':[{'name':{'given':['A','B']}}]}"),
                "{'resourceType':'Patient','id':'A','link':[{'type':'replaced-by','other':{'reference':'Patient/B'}}]}",
                ALLERGY(",'category':['food','medication'],'reaction':[{'severity':'severe'}]"),
        };
        struct allocation_case c;
        char json[1024];

        (void)state;
        for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
                buf_init(&c.value, 0);
                append_json(&c.value, quoted(resources[i], json, sizeof(json)));
                each_allocation_fails(map_once, &c);
                assert_true(c.items >= 1);
                buf_deinit(&c.value);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(other_types_are_passed_over_by_name),
                cmocka_unit_test(what_is_no_resource_is_left_out),
                cmocka_unit_test(a_resource_without_an_id_has_that_of_its_entry_or_its_text),
                cmocka_unit_test(an_id_must_be_usable),
                cmocka_unit_test(a_prefix_is_of_students_alone),
                cmocka_unit_test(identity_is_what_the_row_gets),
                cmocka_unit_test(what_may_change_the_meaning_is_refused),
                cmocka_unit_test(what_does_not_reach_the_row_is_no_reason_to_refuse),
                cmocka_unit_test(a_part_of_a_resource_is_refused_and_other_labels_are_kept),
                cmocka_unit_test(a_patient_inside_a_record_becomes_a_student_of_its_own),
                cmocka_unit_test(a_patient_inside_is_checked_too),
                cmocka_unit_test(null_is_as_if_it_were_not_there),
                cmocka_unit_test(lists_objects_and_texts_are_not_taken_for_one_another),
                cmocka_unit_test(the_original_comes_with_the_row),
                cmocka_unit_test(the_sinks_error_ends_it),
                cmocka_unit_test(no_memory_is_an_error_and_gives_no_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
