#include "import/fhir_forms.h"

#include "tests/lib/fhir_case.h"

#include <dirent.h>
#include <stdlib.h>

/* All forms over real resources: what the folder of test data tells of its files is what the rows say. */

/* What the rows of several resources say, counted. */
struct tally {
        unsigned rows[FHIR_TYPE_COUNT];
        unsigned deceased;
        unsigned active_allergies;
        unsigned active_conditions;
        unsigned severities[4]; /* none given, MILD, MODERATE, SEVERE: the worst reaction's */
        unsigned low;
        unsigned high;
        unsigned since_2015;
        unsigned since_2020;
        unsigned ignored;
        unsigned bad;
        struct slice original; /* what each row's original must be */
        struct record_types *types;
        struct buf record; /* the row, as the shipped types take it */
};

static bool says(struct slice row, const char *member, const char *expected)
{
        struct slice text;

        return value_member_text(row, member, &text) && slice_equal(text, slice_str(expected));
}

/* The worst severity among the reactions, as the tables of the data's README count it. */
static unsigned worst_reaction(struct slice row)
{
        static const char *const words[] = {"", "MILD", "MODERATE", "SEVERE"};
        struct value_iter iter;
        struct slice reactions;
        struct slice reaction;
        unsigned worst = 0;

        if (!value_member(row, "reactions", &reactions) || !value_iter_init(&iter, reactions, VALUE_LIST))
                return 0;
        while (value_next(&iter, &reaction))
                for (unsigned i = worst + 1; i < 4; i++)
                        if (says(reaction, "severity", words[i]))
                                worst = i;
        return worst;
}

static void count_allergy(struct tally *tally, struct slice row)
{
        tally->active_allergies += says(row, "status", "active") ? 1 : 0;
        tally->low += says(row, "criticality", "low") ? 1 : 0;
        tally->severities[worst_reaction(row)]++;
        if (!says(row, "criticality", "high"))
                return;
        tally->high++;
        assert_true(says(row, "severity", "LIFE_THREATENING"));
}

static enum err tally_item(void *context, const struct import_item *item)
{
        struct tally *tally = context;
        struct slice text;

        assert_row_fits(tally->types, item, &tally->record);
        assert_true(value_member_text(item->row, "resource", &text));
        assert_true(slice_equal(text, tally->original));
        for (enum fhir_type type = FHIR_TYPE_Patient; type < FHIR_TYPE_COUNT; type++)
                tally->rows[type] += strcmp(item->table, fhir_types_table(type)) == 0 ? 1 : 0;
        if (strcmp(item->table, "students") == 0)
                tally->deceased += value_member_text(item->row, "deceased", &text) ? 1 : 0;
        if (strcmp(item->table, "allergies") == 0)
                count_allergy(tally, item->row);
        if (strcmp(item->table, "conditions") == 0)
                tally->active_conditions += says(item->row, "status", "active") ? 1 : 0;
        if (strcmp(item->table, "vaccinations") == 0) {
                assert_true(value_member_text(item->row, "date", &text));
                assert_true(says(item->row, "system", "CVX") && says(item->row, "status", "completed"));
                tally->since_2015 += slice_compare(text, slice_str("2015-01-01")) >= 0 ? 1 : 0;
                tally->since_2020 += slice_compare(text, slice_str("2020-01-01")) >= 0 ? 1 : 0;
        }
        return OK;
}

static enum err tally_bad(void *context, const struct import_bad *bad)
{
        struct tally *tally = context;

        tally->bad++;
        print_message("%s: %s\n", bad->reject.field, reject_word(bad->reject.reason));
        return OK;
}

static enum err tally_ignored(void *context, const char *kind)
{
        struct tally *tally = context;

        (void)kind;
        tally->ignored++;
        return OK;
}

/* A resource, or those of a Bundle. */
static void tally_value(struct tally *tally, struct fhir_mapper *mapper, struct slice value, struct slice text)
{
        const struct import_sink sink = {tally_item, tally_bad, tally_ignored, tally};
        const struct fhir_resource resource = {.value = value, .text = text, .line = 1};
        struct value_iter entries;
        struct slice list;
        struct slice entry;
        struct slice inner;

        if (!says(value, "resourceType", "Bundle")) {
                tally->original = text;
                assert_ok(fhir_to_rows(mapper, &resource, &sink));
                return;
        }
        assert_true(value_member(value, "entry", &list) && value_iter_init(&entries, list, VALUE_LIST));
        while (value_next(&entries, &entry)) {
                struct buf json;

                buf_init(&json, 0);
                assert_true(value_member(entry, "resource", &inner));
                assert_ok(value_to_json(inner, &json));
                tally_value(tally, mapper, inner, buf_slice(&json));
                buf_deinit(&json);
        }
}

static bool read_file(const char *path, struct buf *out)
{
        FILE *file = fopen(path, "rb");
        char bytes[65536];
        size_t got;

        if (file == NULL)
                return false;
        while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
                assert_ok(buf_append(out, bytes, got));
        assert_int_equal(fclose(file), 0);
        return true;
}

/* Adds what is in a file, which is one JSON value or, by its name, one a line. False: it is not there. */
static bool tally_file(struct tally *tally, const char *path)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        bool lines = strstr(path, ".ndjson") != NULL;
        struct fhir_mapper *mapper;
        struct cursor c;
        struct buf file;
        struct buf value;
        struct buf minified;
        struct slice text;

        buf_init(&file, 0);
        buf_init(&value, 0);
        buf_init(&minified, 0);
        if (!read_file(path, &file))
                return false;
        assert_ok(fhir_mapper_create(&mapper));
        c = cursor_of(buf_slice(&file));
        while (cursor_left(&c) > 0) {
                if (!lines || !cursor_until(&c, '\n', &text))
                        assert_true(cursor_take(&c, cursor_left(&c), &text));
                buf_truncate(&value, 0);
                assert_ok(value_from_json(text, &limits, &value, NULL));
                buf_truncate(&minified, 0);
                if (!lines)
                        assert_ok(value_to_json(buf_slice(&value), &minified));
                tally_value(tally, mapper, buf_slice(&value), lines ? text : buf_slice(&minified));
        }
        fhir_mapper_destroy(&mapper);
        buf_deinit(&file);
        buf_deinit(&value);
        buf_deinit(&minified);
        return true;
}

static bool tally_folder(struct tally *tally, const char *name)
{
        const char *root = getenv("VITALCACHE_TEST_DATA");
        char folder[512];
        char path[1024];
        struct dirent *entry;
        DIR *dir;

        *tally = (struct tally){.types = shipped_types()};
        buf_init(&tally->record, 0);
        (void)snprintf(folder, sizeof(folder), "%s/%s", root != NULL ? root : VC_SOURCE_DIR "/../shared/data", name);
        dir = opendir(folder);
        while (dir != NULL && (entry = readdir(dir)) != NULL) {
                (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
                if (entry->d_name[0] != '.')
                        assert_true(tally_file(tally, path));
        }
        buf_deinit(&tally->record);
        record_types_destroy(&tally->types);
        if (dir == NULL)
                print_message("%s is not there: set VITALCACHE_TEST_DATA\n", folder);
        else
                assert_int_equal(closedir(dir), 0);
        return dir != NULL;
}

#define NEED_FOLDER(tally, name)                                                                                       \
        do {                                                                                                           \
                if (!tally_folder(tally, name))                                                                        \
                        skip();                                                                                        \
        } while (0)

static void assert_rows(const struct tally *tally, const unsigned expected[FHIR_TYPE_COUNT])
{
        assert_int_equal(tally->bad, 0);
        assert_memory_equal(tally->rows, expected, sizeof(tally->rows));
}

static void assert_severities(
        const struct tally *tally, unsigned none, unsigned mild, unsigned moderate, unsigned severe)
{
        const unsigned expected[] = {none, mild, moderate, severe};

        assert_memory_equal(tally->severities, expected, sizeof(expected));
}

static void bulk_exports_are_read_to_the_last_line(void **state)
{
        const unsigned thirteen[FHIR_TYPE_COUNT] = {0, 13, 11, 555, 161, 0};
        const unsigned allergies[FHIR_TYPE_COUNT] = {0, 349, 311, 0, 0, 0};
        struct tally tally;

        (void)state;
        NEED_FOLDER(&tally, "fhir-ndjson/bulk-13");
        assert_rows(&tally, thirteen);
        assert_int_equal(tally.deceased, 3);
        assert_int_equal(tally.active_allergies, 11);
        assert_int_equal(tally.active_conditions, 107);
        assert_severities(&tally, 11, 0, 0, 0);
        assert_int_equal(tally.low, 11);
        assert_int_equal(tally.since_2015, 112);
        assert_int_equal(tally.since_2020, 50);

        NEED_FOLDER(&tally, "fhir-ndjson/bulk-allergies");
        assert_rows(&tally, allergies);
        assert_int_equal(tally.deceased, 39);
        assert_int_equal(tally.active_allergies, 311);
        assert_severities(&tally, 166, 46, 85, 14);
        assert_int_equal(tally.low, 311);
}

static void resources_taken_out_of_bundles_keep_their_patients(void **state)
{
        const unsigned expected[FHIR_TYPE_COUNT] = {0, 464, 295, 3403, 5528, 0};
        struct tally tally;

        (void)state;
        NEED_FOLDER(&tally, "fhir-ndjson/extracted-r4-2019");
        assert_rows(&tally, expected);
        assert_int_equal(tally.deceased, 89);
        assert_int_equal(tally.active_allergies, 295 - 24);
        assert_int_equal(tally.active_conditions, 1603);
        assert_severities(&tally, 295, 0, 0, 0);
        assert_int_equal(tally.low, 295);
        assert_int_equal(tally.since_2015, 3043);
        assert_int_equal(tally.since_2020, 569);
}

static void whole_bundles_give_their_encounters_too(void **state)
{
        const unsigned expected[FHIR_TYPE_COUNT] = {0, 4, 17, 17, 53, 64};
        struct tally tally;

        (void)state;
        NEED_FOLDER(&tally, "fhir-bundles");
        assert_rows(&tally, expected);
        assert_int_equal(tally.deceased, 0);
        assert_int_equal(tally.active_conditions, 7);
        assert_int_equal(tally.ignored, 258 + 83 + 64 + 19 + 17 + 15 + 11 + 6 + 6);
}

static void hand_written_examples_are_taken_whole(void **state)
{
        const unsigned us_core[FHIR_TYPE_COUNT] = {0, 4, 4, 5, 0, 0};
        struct tally tally;

        (void)state;
        NEED_FOLDER(&tally, "fhir-examples/us-core");
        assert_rows(&tally, us_core);
        assert_int_equal(tally.high, 4); /* one of them twice, in two Bundles */
        assert_severities(&tally, 2, 2, 0, 0);
        NEED_FOLDER(&tally, "fhir-examples/hl7-r4");
        assert_int_equal(tally.bad, 0);
        assert_int_equal(tally.rows[FHIR_TYPE_Condition], 8);
        assert_int_equal(tally.rows[FHIR_TYPE_Patient], 10);
}

/* The row of one file of the examples, in JSON and without its original. */
static void assert_example(const char *file, const char *expected)
{
        const char *root = getenv("VITALCACHE_TEST_DATA");
        char path[512];
        char outcome[2048];
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct fhir_case c;
        struct buf json;
        struct buf value;

        buf_init(&json, 0);
        buf_init(&value, 0);
        (void)snprintf(
                path, sizeof(path), "%s/fhir-examples/%s", root != NULL ? root : VC_SOURCE_DIR "/../shared/data", file);
        if (!read_file(path, &json)) {
                print_message("%s is not there: set VITALCACHE_TEST_DATA\n", path);
                skip();
        }
        assert_ok(value_from_json(buf_slice(&json), &limits, &value, NULL));
        buf_truncate(&json, 0);
        assert_ok(value_to_json(buf_slice(&value), &json));
        assert_ok(buf_append(&json, "", 1));
        fhir_case_init(&c);
        fhir_case_map(&c, (const char *)buf_slice(&json).data, NULL);
        assert_ok(buf_append(&c.text, "", 1));
        assert_string_equal((const char *)buf_slice(&c.text).data, quoted(expected, outcome, sizeof(outcome)));
        fhir_case_deinit(&c);
        buf_deinit(&json);
        buf_deinit(&value);
}

static void what_only_examples_show_survives(void **state)
{
        (void)state;
        assert_example("hl7-r4/Condition-f201.json",
                "conditions {'id':'f201','student':'f201','code':'386661006','system':'SNOMED-CT','display':'Feve"
                "r','verification':'confirmed','status':'resolved','category':'problem-list-item','severity_text'"
                ":'Mild','body_site':['Entire body as a whole'],'onset':'2013-04-02','end_text':'around April 9, "
                "2013','recorded':'2013-04-04','encounter':'f201'}");
        assert_example("hl7-r4/Condition-f202.json",
                "conditions {'id':'f202','security':['TBOO'],'student':'f201','code':'363346000','system':'SNOMED"
                "-CT','display':'Malignant neoplastic disease','verification':'confirmed','status':'resolved','ca"
                "tegory':'encounter-diagnosis','severity_text':'Severe','body_site':['Entire head and neck'],'ons"
                "et_age':{'value':52,'unit':'years','system':'http://unitsofmeasure.org','code':'a'},'end_age':{'"
                "value':54,'unit':'years','system':'http://unitsofmeasure.org','code':'a'},'recorded':'2012-12-01"
                "'}");
        assert_example("hl7-r4/Condition-f204.json",
                "conditions {'id':'f204','student':'f201','code':'36225005','system':'SNOMED-CT','display':'Acute"
                " renal insufficiency specified as due to procedure','verification':'differential','status':'inac"
                "tive','category':'problem-list-item','severity_text':'Severe','stage':['Temporary'],'body_site':"
                "['Kidney'],'onset':'2013-03-11','end':'2013-03-20','recorded':'2013-03-11','encounter':'f203','n"
                "otes':['The patient is anuric.']}");
        assert_example("us-core/condition-encounter-diagnosis-example1.json",
                "conditions {'id':'encounter-diagnosis-example1','student':'example','code':'39065001','system':'"
                "SNOMED-CT','display':'Burn of ear','text':'Burnt Ear','codes':[{'system':'http://snomed.info/sct"
                "','code':'39065001','display':'Burn of ear'},{'system':'http://hl7.org/fhir/sid/icd-10-cm','code"
                "':'T20.21','display':'Burn of second degree of ear [any part, except ear drum]'}],'status':'acti"
                "ve','category':'encounter-diagnosis','recorded':'2015-11-01','encounter':'example-1'}");
        assert_example("hl7-r4/Patient-newborn.json",
                "students {'student':'newborn','id':'newborn','birth_date':'2017-09-05','gender':'male'}");
        assert_example("hl7-r4/Patient-animal.json",
                "students {'student':'animal','id':'animal','first_name':'Kenzi','birth_date':'2010-03-23','gende"
                "r':'female','active':true,'species':'Dog','identifiers':[{'system':'http://www.maroondah.vic.gov"
                ".au/AnimalRegFees.aspx','value':'1234123','type':'Dog Tag'}],'contacts':[{'first_name':'Peter','"
                "last_name':'Chalmers','relationship':'C','phone':'(03) 5555 6473'}]}");
        assert_example("us-core/allergyintolerance-example.json",
                "allergies {'id':'example','student':'example','code':'763875007','system':'SNOMED-CT','display':"
                "'Product containing sulfonamide (product)','text':'sulfonamide antibacterial','verification':'co"
                "nfirmed','status':'active','category':'medication','reactions':[{'code':'271807003','system':'SN"
                "OMED-CT','display':'skin rash','severity':'MILD'}],'criticality':'high','severity':'LIFE_THREATE"
                "NING'}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bulk_exports_are_read_to_the_last_line),
                cmocka_unit_test(resources_taken_out_of_bundles_keep_their_patients),
                cmocka_unit_test(whole_bundles_give_their_encounters_too),
                cmocka_unit_test(hand_written_examples_are_taken_whole),
                cmocka_unit_test(what_only_examples_show_survives),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
