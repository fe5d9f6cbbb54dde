#include "import/import_csv.h"
#include "tests/lib/test.h"
#include "tests/lib/values.h"

#include <stdio.h>
#include <stdlib.h>

/* What an import gave: the last record, counts, and rejects as "line:column reason;". */
struct outcome {
        uint64_t records;
        uint64_t active;
        uint64_t severity[4];
        struct buf record; /* the first one, as JSON */
        struct buf rejects;
        struct buf origins;
        const char *prefix;
        enum import_kind kind;
        struct err_msg msg;
};

static enum err take_item(void *context, const struct import_item *item)
{
        static const char *const severities[] = {"none given", "MILD", "MODERATE", "SEVERE"};
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct outcome *o = context;
        struct slice text;
        enum err rc = value_check(item->row, &limits, NULL);

        if (rc == OK && o->records++ == 0)
                rc = value_to_json(item->row, &o->record);
        if (value_member_text(item->row, "status", &text) && slice_equal(text, slice_str("active")))
                o->active++;
        if (!value_member_text(item->row, "severity", &text))
                text = slice_str(strcmp(item->table, "allergies") == 0 ? severities[0] : "");
        for (size_t i = 0; i < 4; i++)
                o->severity[i] += slice_equal(text, slice_str(severities[i]));
        return rc;
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct outcome *o = context;

        enum err rc = buf_append_slice(&o->origins, bad->origin);

        if (rc == OK)
                rc = buf_append_str(&o->origins, "\n");
        if (rc != OK)
                return rc;
        return buf_printf(&o->rejects, "%llu:%s %s;", (unsigned long long)bad->line,
                bad->reject.field[0] == '\0' ? "row" : bad->reject.field, reject_word(bad->reject.reason));
}

static enum err import_text(const char *path, const char *text, struct outcome *o)
{
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = o};
        const struct import_csv_file file = {.path = path,
                .first = slice_str(text),
                .prefix = slice_str(o->prefix),
                .today = slice_str("2026-11-21")};
        struct import_csv *import;
        enum err rc = import_csv_look(&file, &o->kind, &o->msg);

        if (rc == OK)
                rc = import_csv_create(&import, &file, &sink, &o->msg);
        if (rc != OK)
                return rc;
        rc = import_csv_feed(import, slice_str(text), &o->msg);
        if (rc == OK)
                rc = import_csv_finish(import, &o->msg);
        import_csv_destroy(&import);
        return rc;
}

static void outcome_init(struct outcome *o)
{
        *o = (struct outcome){.kind = IMPORT_KIND_COUNT, .prefix = ""};
        buf_init(&o->origins, 0);
        buf_init(&o->record, 0);
        buf_init(&o->rejects, 0);
}

static void outcome_deinit(struct outcome *o)
{
        buf_deinit(&o->record);
        buf_deinit(&o->rejects);
        buf_deinit(&o->origins);
}

static void assert_record(const char *path, const char *text, enum import_kind kind, const char *expected)
{
        struct outcome o;

        outcome_init(&o);
        assert_ok(import_text(path, text, &o));
        assert_int_equal(o.kind, kind);
        assert_slice_is(buf_slice(&o.rejects), "");
        assert_slice_is(buf_slice(&o.record), expected);
        outcome_deinit(&o);
}

static void patients_of_any_vintage_become_students(void **state)
{
        (void)state;
        assert_record("patients.csv",
                "Id,BIRTHDATE,DEATHDATE,SSN,FIRST,MIDDLE,LAST,RACE,ETHNICITY,GENDER,ADDRESS,CITY,STATE,ZIP\n"
                "a1,2012-06-16,2024-01-02,999-61-6309,Ana,Luz,Soto,white,hispanic,F,1 Elm "
                "St,Lynn,Massachusetts,01810\n",
                IMPORT_students,
                "{\"student\":\"a1\",\"id\":\"a1\",\"first_name\":\"Ana\",\"middle_name\":\"Luz\",\"last_name\":"
                "\"Soto\","
                "\"birth_date\":\"2012-06-16\",\"deceased\":\"2024-01-02\",\"gender\":\"female\",\"race\":\"white\","
                "\"ethnicity\":\"hispanic\",\"address\":\"1 Elm St\",\"city\":\"Lynn\",\"state\":\"Massachusetts\","
                "\"zip\":\"01810\",\"other\":{\"SSN\":\"999-61-6309\"}}");
        assert_record("x.csv",
                "\xef\xbb\xbfID,birthdate,DEATHDATE,Last,First,gender,Zip\r\na1,2012-06,,Soto,Ana,M,2155.0\r\n",
                IMPORT_students,
                "{\"student\":\"a1\",\"id\":\"a1\",\"first_name\":\"Ana\",\"last_name\":\"Soto\","
                "\"birth_date\":\"2012-06\",\"gender\":\"male\",\"zip\":\"02155\"}");
}

static void allergies_take_their_worst_severity(void **state)
{
        (void)state;
        assert_record("allergies.csv",
                "START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,REACTION1,DESCRIPTION1,SEVERITY1,"
                "REACTION2,DESCRIPTION2,SEVERITY2\n"
                "2009-09-27,,42,e1,256349002,SNOMED-CT,Peanut (substance),allergy,food,418290006,Itching,MILD,39579001,"
                "Anaphylaxis (disorder),SEVERE\n",
                IMPORT_allergies,
                "{\"student\":\"42\",\"id\":\"8479fbeaa27c3bb7\",\"display\":\"Peanut (substance)\","
                "\"severity\":\"SEVERE\",\"status\":\"active\",\"onset\":\"2009-09-27\",\"category\":\"food\","
                "\"type\":\"allergy\",\"code\":\"256349002\",\"system\":\"SNOMED-CT\",\"reactions\":["
                "{\"code\":\"418290006\",\"display\":\"Itching\",\"severity\":\"MILD\"},"
                "{\"code\":\"39579001\",\"display\":\"Anaphylaxis (disorder)\",\"severity\":\"SEVERE\"}],"
                "\"encounter\":\"e1\"}");
}

#define OLD "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"

static void old_tables_of_one_form_are_told_apart_by_the_file_name(void **state)
{
        const char *old = OLD "1973-11-02,1990-01-01,p,e,300913006,Shellfish\n";
        struct outcome o;

        (void)state;
        assert_record("data/conditions/old_Allergies.csv", old, IMPORT_allergies,
                "{\"student\":\"p\",\"id\":\"cd1c6ccc6686aa92\",\"display\":\"Shellfish\","
                "\"status\":\"inactive\",\"onset\":\"1973-11-02\",\"end\":\"1990-01-01\",\"code\":\"300913006\","
                "\"reactions\":[],\"encounter\":\"e\"}");
        outcome_init(&o);
        assert_ok(import_text("conditions.csv", old, &o));
        assert_int_equal(o.kind, IMPORT_conditions);
        outcome_deinit(&o);
}

static void what_ends_in_future_has_not_ended(void **state)
{
        static const struct {
                const char *stop;
                const char *status;
        } cases[] = {{"9999-12-31", "active"}, {"2026-11-22", "active"}, {"2026-11-22T00:00:00Z", "active"},
                {"2026-12", "active"}, {"2027", "active"}, {"2026-11-21", "inactive"}, {"2026-11", "inactive"},
                {"2026", "inactive"}, {"2026-11-21T23:00:00Z", "inactive"}, {"1990-01-01", "inactive"}};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char text[160];
                struct outcome o;

                outcome_init(&o);
                (void)snprintf(text, sizeof(text), OLD "1973-11-02,%s,p,e,300913006,Shellfish\n", cases[i].stop);
                assert_ok(import_text("allergies.csv", text, &o));
                (void)snprintf(text, sizeof(text), "\"status\":\"%s\"", cases[i].status);
                assert_ok(buf_append(&o.record, "", 1));
                if (strstr((const char *)buf_slice(&o.record).data, text) == NULL)
                        fail_msg("STOP %s is not %s", cases[i].stop, cases[i].status);
                outcome_deinit(&o);
        }
}

/* An allergy among the conditions is missed; a condition among the allergies is seen. */
static void allergies_are_found_under_the_name_of_conditions(void **state)
{
        static const struct {
                const char *path;
                const char *text;
                enum import_kind kind;
        } cases[] = {
                {"conditions.csv", OLD "1973-11-02,,p,e,1,Allergy to mould\n", IMPORT_allergies},
                {"conditions.csv", OLD "1973-11-02,,p,e,1,Allergy to mould\n1973-11-02,,p,e,2,Otitis media\n",
                        IMPORT_conditions},
                {"allergies.csv", OLD "1973-11-02,,p,e,1,Asthma (disorder)\n", IMPORT_allergies},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct outcome o;

                outcome_init(&o);
                assert_ok(import_text(cases[i].path, cases[i].text, &o));
                assert_int_equal(o.kind, cases[i].kind);
                outcome_deinit(&o);
        }
}

static void and_else_by_what_their_rows_say(void **state)
{
        static const struct {
                const char *text;
                enum err rc;
                enum import_kind kind;
        } cases[] = {
                {OLD "1973-11-02,,p,e,300913006,Shellfish allergy\n", OK, IMPORT_allergies},
                {OLD "1973-11-02,,p,e,1,Allergy to mould\n1973-11-02,,p,e,2,Latex (substance)", OK, IMPORT_allergies},
                {OLD "1973-11-02,,p,e,1,Otitis media\n1973-11-02,,p,e,2,Hypertension\n", OK, IMPORT_conditions},
                {OLD "1973-11-02,,p,e,1,Asthma (disorder)\n", OK, IMPORT_conditions},
                {OLD "1973-11-02,,p,e,1,Penicillin V\n1973-11-02,,p,e,1,Aspirin\n", ERR_BADVALUE, 0},
                {OLD "1973-11-02,,p,e,1,Allergy to mould\n1973-11-02,,p,e,1,Otitis media\n", ERR_BADVALUE, 0},
                {OLD, ERR_NOTFOUND, 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct outcome o;

                outcome_init(&o);
                assert_err(cases[i].rc, import_text("allergies/export.csv", cases[i].text, &o));
                if (cases[i].rc == OK)
                        assert_int_equal(o.kind, cases[i].kind);
                if (cases[i].rc == ERR_BADVALUE)
                        assert_string_equal(o.msg.text, "its columns and rows may be allergies or conditions; let the "
                                                        "file's name say which (allergies.csv, conditions.csv)");
                outcome_deinit(&o);
        }
}

static void assert_condition(const char *stop, const char *display, const char *expected)
{
        char text[300];
        struct outcome o;
        const char *found;

        (void)snprintf(text, sizeof(text),
                "START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION\n"
                "2019-01-23,%s,p,e,SNOMED-CT,1,%s\n",
                stop, display);
        outcome_init(&o);
        assert_ok(import_text("conditions.csv", text, &o));
        assert_ok(buf_append(&o.record, "", 1));
        found = strstr((const char *)buf_slice(&o.record).data, "\"status\"");
        assert_non_null(found);
        assert_int_equal(strncmp(found, expected, strlen(expected)), 0);
        outcome_deinit(&o);
}

static void status_and_kind_follow_from_stop_and_description(void **state)
{
        (void)state;
        assert_condition("", "Asthma (disorder)", "\"status\":\"active\",\"kind\":\"disorder\",\"onset\"");
        assert_condition("", "Otitis media", "\"status\":\"active\",\"onset\"");
        assert_condition("2019-02-01", "Asthma (disorder)", "\"status\":\"resolved\",\"kind\":\"disorder\",\"onset\"");
        assert_condition("", "Sprain (of) ankle (morphologic abnormality)",
                "\"status\":\"active\",\"kind\":\"morphologic abnormality\",\"onset\"");
}

static void immunizations_keep_leading_zeros_and_either_form_of_date(void **state)
{
        (void)state;
        assert_record("immunizations.csv",
                "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST\n"
                "2024-06-16T12:42:17Z,p,e,08,Hep B  adolescent or pediatric,136.00\n",
                IMPORT_vaccinations,
                "{\"student\":\"p\",\"id\":\"18184e7b08fc8ba5\",\"display\":\"Hep B  adolescent or pediatric\","
                "\"date\":\"2024-06-16T12:42:17Z\",\"code\":\"08\",\"system\":\"CVX\",\"encounter\":\"e\","
                "\"other\":{\"BASE_COST\":\"136.00\"}}");
        assert_record("i.csv", "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2011-05-01,p,e,140,\"Flu, seasonal\"\n",
                IMPORT_vaccinations,
                "{\"student\":\"p\",\"id\":\"34b312430114cd61\",\"display\":\"Flu, seasonal\","
                "\"date\":\"2011-05-01\",\"code\":\"140\",\"system\":\"CVX\",\"encounter\":\"e\"}");
}

static void encounters_of_any_vintage_become_visits(void **state)
{
        (void)state;
        assert_record("encounters.csv",
                "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,"
                "REASONCODE,REASONDESCRIPTION\n"
                "e1,2020-01-02T03:04:05Z,2020-01-02T03:19:05Z,p,o1,,y1,ambulatory,185345009,Encounter for "
                "symptom,85.55,"
                "10509002,Acute bronchitis (disorder)\n",
                IMPORT_visits,
                "{\"student\":\"p\",\"id\":\"e1\",\"date\":\"2020-01-02T03:04:05Z\",\"end\":\"2020-01-02T03:19:05Z\","
                "\"kind\":\"ambulatory\",\"code\":\"185345009\",\"display\":\"Encounter for symptom\","
                "\"reason\":\"Acute bronchitis (disorder)\",\"reason_code\":\"10509002\","
                "\"other\":{\"ORGANIZATION\":\"o1\",\"PAYER\":\"y1\",\"BASE_ENCOUNTER_COST\":\"85.55\"}}");
        assert_record("x.csv", /* of 2016 */
                "ID,DATE,PATIENT,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION\ne1,2010-01-02,p,1,Check up,,\n",
                IMPORT_visits,
                "{\"student\":\"p\",\"id\":\"e1\",\"date\":\"2010-01-02\",\"code\":\"1\",\"display\":\"Check up\"}");
}

static void what_has_no_field_is_kept_and_what_is_not_known_left_out(void **state)
{
        (void)state;
        assert_record("patients.csv", "Id,BIRTHDATE,FIRST,LAST,SSN,,DATE,START2\na1,,,,999,x,,y\n", IMPORT_students,
                "{\"student\":\"a1\",\"id\":\"a1\","
                "\"other\":{\"SSN\":\"999\",\"COLUMN 6\":\"x\",\"START2\":\"y\"}}");
        assert_record("allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,SYSTEM,STOP AGE\n,,p,,Peanut,http://snomed.info/sct,\n",
                IMPORT_allergies,
                "{\"student\":\"p\",\"id\":\"30b9eda7553df539\",\"display\":\"Peanut\",\"status\":\"active\","
                "\"system\":\"SNOMED-CT\",\"reactions\":[]}");
}

static void a_nul_is_no_text(void **state)
{
        static const char text[] = "Id,BIRTHDATE,FIRST,LAST,X\n1,,A\0na,,\n2,,,,\0\n3,,,,x\n";
        const struct import_csv_file file = {.path = "patients.csv", .first = slice_of(text, sizeof(text) - 1)};
        struct outcome o;
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = &o};
        struct import_csv *import;

        (void)state;
        outcome_init(&o);
        assert_ok(import_csv_create(&import, &file, &sink, NULL));
        assert_ok(import_csv_feed(import, file.first, NULL));
        assert_ok(import_csv_finish(import, NULL));
        assert_slice_is(buf_slice(&o.rejects), "2:FIRST encoding;3:X encoding;");
        assert_int_equal(o.records, 1);
        import_csv_destroy(&import);
        outcome_deinit(&o);
}

static void systems_have_one_name_each(void **state)
{
        (void)state;
        assert_record("allergies.csv", "START,STOP,PATIENT,CODE,DESCRIPTION,SYSTEM\n,,p,7982,Penicillin V,RxNorm\n",
                IMPORT_allergies,
                "{\"student\":\"p\",\"id\":\"f64eca36116eb6c3\",\"display\":\"Penicillin V\",\"status\":\"active\","
                "\"code\":\"7982\",\"system\":\"RxNorm\",\"reactions\":[]}");
        assert_record("conditions.csv",
                "START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION\n,,p,,Unknown,1,Asthma (disorder)\n",
                IMPORT_conditions,
                "{\"student\":\"p\",\"id\":\"787645973e6cb484\",\"display\":\"Asthma "
                "(disorder)\",\"status\":\"active\","
                "\"kind\":\"disorder\",\"code\":\"1\",\"system\":\"Unknown\"}");
}

static void a_prefix_goes_before_the_ids_of_students(void **state)
{
        struct outcome o;

        (void)state;
        outcome_init(&o);
        o.prefix = "north-";
        assert_ok(import_text("patients.csv", "Id,BIRTHDATE,FIRST,LAST\n1,,,\n", &o));
        assert_slice_is(buf_slice(&o.record), "{\"student\":\"north-1\",\"id\":\"north-1\"}");
        outcome_deinit(&o);
        outcome_init(&o);
        o.prefix = "north-";
        assert_ok(import_text("encounters.csv", "Id,PATIENT,CODE,DESCRIPTION\ne1,1,,\n", &o));
        assert_slice_is(buf_slice(&o.record), "{\"student\":\"north-1\",\"id\":\"e1\"}");
        outcome_deinit(&o);
}

static void other_tables_are_not_taken_for_one_of_ours(void **state)
{
        static const char *const headers[] = {
                "Id,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION\n",
                "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,VALUE,UNITS,TYPE\n",
                "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION\n",
                "START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION\n",
                "START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,DISPENSES,TOTALCOST\n",
                "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,UDI\n",
                "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY\n",
                "Id,PATIENT,ENCOUNTER,START,STOP,CODE,DESCRIPTION\n",
                "name,colour\n",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
                struct outcome o;

                outcome_init(&o);
                assert_err(ERR_NOTYPE, import_text("export.csv", headers[i], &o));
                assert_string_equal(o.msg.text, "its columns are not those of patients, allergies, conditions, "
                                                "immunizations or encounters");
                assert_err(ERR_NOTFOUND, import_text("x/CarePlans.csv.gz", headers[i], &o));
                assert_string_equal(o.msg.text, "Synthea's careplans are not kept");
                outcome_deinit(&o);
        }
}

static void bad_rows_are_named_and_the_rest_goes_on(void **state)
{
        struct outcome o;

        (void)state;
        outcome_init(&o);
        assert_ok(import_text("allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY,SEVERITY1\n"
                "2009-09-27,,p,1,Peanut,food,MILD\n"
                "2009-02-30,,p,1,Peanut,food,MILD\n"
                "2009-09-27,yesterday,p,1,Peanut,food,MILD\n"
                "2009-09-27,,,1,Peanut,food,MILD\n"
                "2009-09-27,,p,,,food,MILD\n"
                "2009-09-27,,p,1,Peanut,food,AWFUL\n"
                "2009-09-27,,p,1,Pean\xffut,food,MILD\n"
                "2009-09-27,,p\x01,1,Peanut,food,MILD\n"
                "2009-09-27,,p,1,Peanut\n"
                "2009-09-27,,p,1,Pea\"nut,food,MILD\n"
                "\n"
                "2009-09-27,,p,2,\"Pea\nnut\",food,severe\n",
                &o));
        assert_slice_is(buf_slice(&o.rejects),
                "3:START instant;4:STOP instant;5:PATIENT missing;6:CODE missing;7:SEVERITY1 severity;"
                "8:DESCRIPTION encoding;9:PATIENT id;10:row columns;11:row quotes;");
        assert_int_equal(o.records, 2);
        assert_int_equal(o.severity[3], 1);
        outcome_deinit(&o);
}

static void what_is_left_out_comes_with_its_origin(void **state)
{
        struct outcome o;

        (void)state;
        outcome_init(&o);
        assert_ok(import_text("immunizations.csv",
                "Date,PATIENT,CODE,DESCRIPTION\nsoon,p,\"08\",Hep\n2020,p,1,N\xfa\xf1"
                "ez\n2020,p\n2020,p,1,a\"b\n",
                &o));
        assert_slice_is(buf_slice(&o.origins),
                "{\"table\":\"vaccinations\",\"columns\":[\"DATE\",\"PATIENT\",\"CODE\",\"DESCRIPTION\"],"
                "\"cells\":[\"soon\",\"p\",\"08\",\"Hep\"]}\n"
                "{\"table\":\"vaccinations\",\"columns\":[\"DATE\",\"PATIENT\",\"CODE\",\"DESCRIPTION\"],"
                "\"cells\":[\"2020\",\"p\",\"1\",\"N\xc3\xba\xc3\xb1"
                "ez\"]}\n"
                "{\"table\":\"vaccinations\",\"columns\":[\"DATE\",\"PATIENT\",\"CODE\",\"DESCRIPTION\"],"
                "\"cells\":[\"2020\",\"p\"]}\n"
                "{\"table\":\"vaccinations\",\"columns\":[\"DATE\",\"PATIENT\",\"CODE\",\"DESCRIPTION\"],"
                "\"text\":\"2020,p,1,a\\\"b\"}\n");
        outcome_deinit(&o);
}

static void a_header_that_cannot_be_right_is_said(void **state)
{
        static const struct {
                const char *text;
                const char *problem;
        } cases[] = {
                {"ID,FIRST,LAST,BIRTHDATE,Id\n", "its header names the column ID twice"},
                {"\xff\xfeI\n", "its header line is not UTF-8 text"},
                {"ID,FI\"RST\nx\n", "its header line: a quote is not closed, or stands where none may"},
                {"Id,LAST\n", "it is named as patients are, and lacks the columns: FIRST, BIRTHDATE"},
                {"Id;FIRST;LAST;BIRTHDATE\n", "its columns are separated by ';'; save it with commas"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct outcome o;

                outcome_init(&o);
                assert_err(ERR_BADVALUE, import_text("Patients 2024.csv", cases[i].text, &o));
                assert_string_equal(o.msg.text, cases[i].problem);
                assert_err(ERR_NOTYPE, import_text("what patients think.txt", "They like it.\n", &o));
                assert_err(ERR_NOTYPE, import_text("LICENSE.txt", "The \"Software\",\n", &o));
                assert_err(ERR_BADVALUE, import_text("x.txt", "Id,\"PATIENT\"S\n", &o));
                assert_err(ERR_BADVALUE, import_text("patients.csv", "They like it.\n", &o));
                assert_err(ERR_NOTFOUND, import_text("x.csv", "\n\n", &o));
                assert_string_equal(o.msg.text, "it is empty: a header line is needed");
                outcome_deinit(&o);
        }
}

static void import_file(const char *path, struct outcome *o)
{
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = o};
        struct import_csv_file from = {.path = path};
        struct import_csv *import;
        static uint8_t piece[1 << 16];
        FILE *file = fopen(path, "rb");
        size_t len;

        assert_non_null(file);
        len = fread(piece, 1, sizeof(piece), file);
        from.first = slice_of(piece, len);
        from.path = "standard input"; /* content alone says the same as the name */
        assert_ok(import_csv_look(&from, &o->kind, NULL));
        from.path = path;
        assert_ok(import_csv_create(&import, &from, &sink, NULL));
        for (; len > 0; len = fread(piece, 1, sizeof(piece), file))
                assert_ok(import_csv_feed(import, slice_of(piece, len), NULL));
        assert_ok(import_csv_finish(import, NULL));
        import_csv_destroy(&import);
        assert_int_equal(fclose(file), 0);
}

/* Published data, if it is there: every row is taken, and the figures that were counted by other means come out. */
static void published_data_gives_its_known_counts(void **state)
{
        static const struct {
                const char *file;
                enum import_kind kind;
                uint64_t records;
                uint64_t active;
                uint64_t severity[4];
        } known[] = {
                {"nebraska-111/patients.csv", IMPORT_students, 111, 0, {0}},
                {"nebraska-111/allergies.csv", IMPORT_allergies, 90, 90, {56, 7, 20, 7}},
                {"nebraska-111/conditions.csv", IMPORT_conditions, 4428, 803, {0}},
                {"nebraska-111/immunizations.csv", IMPORT_vaccinations, 1774, 0, {0}},
                {"massachusetts-1159/patients.csv", IMPORT_students, 1159, 0, {0}},
                {"massachusetts-1159/allergies.csv", IMPORT_allergies, 959, 959, {529, 123, 249, 58}},
                {"massachusetts-1159/immunizations.csv", IMPORT_vaccinations, 16648, 0, {0}},
                {"california-1000/patients.csv", IMPORT_students, 1000, 0, {0}},
                {"california-1000/allergies.csv", IMPORT_allergies, 1339, 983, {1339, 0, 0, 0}},
                {"california-1000/conditions.csv", IMPORT_conditions, 20512, 3269, {0}},
                {"small-27/patients.csv", IMPORT_students, 27, 0, {0}},
                {"small-27/allergies.csv", IMPORT_allergies, 40, 40, {18, 5, 17, 0}},
                {"small-27/conditions.csv", IMPORT_conditions, 438, 140, {0}},
                {"small-27/immunizations.csv", IMPORT_vaccinations, 29, 0, {0}},
        };
        const char *folder = getenv("VITALCACHE_TEST_DATA");

        (void)state;
        folder = folder != NULL ? folder : VC_SOURCE_DIR "/../shared/data";
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                char path[512];
                struct outcome o;
                FILE *there;

                (void)snprintf(path, sizeof(path), "%s/synthea-csv/%s", folder, known[i].file);
                there = fopen(path, "rb");
                if (there == NULL) {
                        print_message("%s is not there: set VITALCACHE_TEST_DATA\n", path);
                        skip();
                }
                assert_int_equal(fclose(there), 0);
                outcome_init(&o);
                import_file(path, &o);
                assert_int_equal(o.kind, known[i].kind);
                assert_int_equal(o.records, known[i].records);
                assert_int_equal(o.active, known[i].active);
                assert_memory_equal(o.severity, known[i].severity, sizeof(o.severity));
                assert_slice_is(buf_slice(&o.rejects), "");
                outcome_deinit(&o);
        }
}

static enum err import_a_little(void *context)
{
        struct outcome o;
        enum err rc;

        (void)context;
        outcome_init(&o);
        rc = import_text("allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY,REACTION1,SEVERITY1\n"
                "2009-09-27,,p,1,Peanut,food,2,MILD\n2009-09-27,,p,1,Peanut,food,2,AWFUL\n",
                &o);
        outcome_deinit(&o);
        return rc;
}

/* libcsv asks for less memory when it does not get enough: that alone is no failure. */
static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails_for_good(import_a_little, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(patients_of_any_vintage_become_students),
                cmocka_unit_test(allergies_take_their_worst_severity),
                cmocka_unit_test(what_ends_in_future_has_not_ended),
                cmocka_unit_test(allergies_are_found_under_the_name_of_conditions),
                cmocka_unit_test(old_tables_of_one_form_are_told_apart_by_the_file_name),
                cmocka_unit_test(status_and_kind_follow_from_stop_and_description),
                cmocka_unit_test(immunizations_keep_leading_zeros_and_either_form_of_date),
                cmocka_unit_test(and_else_by_what_their_rows_say),
                cmocka_unit_test(encounters_of_any_vintage_become_visits),
                cmocka_unit_test(what_has_no_field_is_kept_and_what_is_not_known_left_out),
                cmocka_unit_test(a_nul_is_no_text),
                cmocka_unit_test(systems_have_one_name_each),
                cmocka_unit_test(a_prefix_goes_before_the_ids_of_students),
                cmocka_unit_test(what_is_left_out_comes_with_its_origin),
                cmocka_unit_test(other_tables_are_not_taken_for_one_of_ours),
                cmocka_unit_test(bad_rows_are_named_and_the_rest_goes_on),
                cmocka_unit_test(a_header_that_cannot_be_right_is_said),
                cmocka_unit_test(published_data_gives_its_known_counts),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
