/* What record types say for PostgreSQL: database/type_sql.c and database/record_sql.c. */
#include "tests/lib/types.h"

#define TABLES                                                                                                         \
        "subjects:\n"                                                                                                  \
        "  school: {exists: \"SELECT id FROM public.schools WHERE id = ANY($1)\", table: schools}\n"                   \
        "  ward:\n"                                                                                                    \
        "tables:\n"                                                                                                    \
        "  students: {postgres: {relations: [{name: public.students, student: \"Id\"}]}}\n"                            \
        "  schools: {postgres: {relations: [{name: public.schools, school: id}]}}\n"                                   \
        "  visits:\n"                                                                                                  \
        "    fields: {kind: text}\n"                                                                                   \
        "    schema: 3\n"                                                                                              \
        "    postgres: {relations: [{name: public.visits, student: s}, {name: public.visits, school: x}, {name: "      \
        "a.b}]}\n"
#define STUDENT "  student: {shape: one, table: students, postgres: {fetch: \"SELECT $1\"}}\n"
#define TYPES                                                                                                          \
        "types:\n" STUDENT                                                                                             \
        "  visits: {shape: list, table: visits, postgres: {fetch: \"SELECT s AS student, $1 ;\\n\"}}\n"                \
        "  board: {shape: list, table: visits, id: int, key: \"board:{school}\", postgres: {fetch: \"SELECT $1\"},\n"  \
        "          tags: [\"school:{school}/students\"]}\n"                                                            \
        "  rounds: {shape: list, table: visits, key: \"rounds:{ward}\", postgres: {fetch: \"SELECT $1\"}}\n"
#define BASE TABLES TYPES /* 16 lines */

static const struct record_type *type_named(const struct record_types *types, const char *name)
{
        const struct record_type *type = record_types_find(types, slice_str(name));

        assert_non_null(type);
        return type;
}

static void relations_say_whose_rows_are(void **state)
{
        struct record_types *types = types_from(BASE);
        const struct record_table *visits = record_types_table(types, slice_str("visits"));
        const struct record_table *students = record_types_students(types);

        (void)state;
        assert_int_equal(visits->relation_count, 3);
        assert_string_equal(visits->relations[0].name, "public.visits");
        assert_string_equal(visits->relations[0].subject, "student");
        assert_string_equal(visits->relations[0].column, "s");
        assert_non_null(strstr(visits->relations[0].place, "types.yaml:10:28"));
        assert_string_equal(visits->relations[1].subject, "school");
        assert_string_equal(visits->relations[2].name, "a.b");
        assert_null(visits->relations[2].subject);
        assert_null(visits->relations[2].column);
        assert_int_equal(visits->schema, 3);
        assert_int_equal(students->schema, 1);
        assert_int_equal(students->field_count, 1);
        assert_string_equal(students->fields[0].name, "id");
        record_types_destroy(&types);
}

static void sql_is_kept_without_its_end(void **state)
{
        struct record_types *types = types_from(BASE);
        const struct record_type *visits = type_named(types, "visits");

        (void)state;
        assert_string_equal(visits->fetch.text, "SELECT s AS student, $1");
        assert_non_null(strstr(visits->fetch.place, "types.yaml:13:"));
        assert_non_null(strstr(visits->place, "types.yaml:13:11"));
        record_types_destroy(&types);
}

static void a_subject_says_what_exists(void **state)
{
        struct record_types *types = types_from(BASE);
        const struct record_subject *school = record_types_subject(types, slice_str("school"));
        const struct record_subject *students = record_types_subject_at(types, 0);

        (void)state;
        assert_int_equal(record_types_subject_count(types), 3);
        assert_string_equal(students->name, "student");
        assert_string_equal(
                students->exists.text, "SELECT \"Id\"::text AS student FROM public.students WHERE \"Id\" = ANY($1)");
        assert_ptr_equal(students->table, record_types_students(types));
        assert_string_equal(school->exists.text, "SELECT id FROM public.schools WHERE id = ANY($1)");
        assert_string_equal(school->table->name, "schools");
        assert_null(record_types_subject_at(types, 2)->exists.text);
        assert_null(record_types_subject(types, slice_str("wards")));
        record_types_destroy(&types);
        types = types_from("tables: {students: {postgres: {relations: [{name: a.b}], exists: SELECT $1}}}\n"
                           "types:\n" STUDENT);
        assert_string_equal(record_types_subject_at(types, 0)->exists.text, "SELECT $1");
        record_types_destroy(&types);
}

static void a_type_of_another_subject_reads_its_tables(void **state)
{
        struct record_types *types = types_from(BASE);
        const struct record_type *board = type_named(types, "board");
        const struct record_type *rounds = type_named(types, "rounds");

        (void)state;
        assert_null(type_named(types, "visits")->subject);
        assert_ptr_equal(board->subject, record_types_subject(types, slice_str("school")));
        assert_int_equal(record_subject_tag(board->subject), TAG_CONTAINER);
        assert_slice_is(record_subject_name(board->subject), "school");
        assert_int_equal(record_subject_tag(NULL), TAG_STUDENT_TABLE);
        assert_int_equal(record_subject_name(NULL).len, 0);
        assert_int_equal(board->read_count, 3);
        assert_string_equal(board->reads[0]->name, "schools");
        assert_string_equal(board->reads[1]->name, "visits");
        assert_string_equal(board->reads[2]->name, "students");
        assert_int_equal(rounds->read_count, 1);
        assert_int_equal(board->id_kind, ID_KIND_INT);
        assert_int_equal(record_types_id_kind(types), ID_KIND_TEXT);
        record_types_destroy(&types);
}

static void ids_are_checked_by_subject(void **state)
{
        struct record_types *types = types_from(BASE);
        struct err_msg msg = {""};

        (void)state;
        assert_ok(record_subject_check(types, slice_str("school"), slice_str("9"), &msg));
        assert_err(ERR_BADKEY, record_subject_check(types, slice_str("school"), slice_str("nine"), &msg));
        assert_ok(record_subject_check(types, SLICE_EMPTY, slice_str("nine"), &msg));
        assert_err(ERR_BADARG, record_subject_check(types, slice_str("shcool"), slice_str("9"), &msg));
        assert_string_equal(msg.text, "nothing is kept by a shcool (did you mean \"school\"?)");
        record_types_destroy(&types);
}

/* ---- what a kind of database can serve ---- */

static void postgres_wants_sql_and_relations(void **state)
{
        static const struct {
                const char *text;
                const char *problem;
        } rows[] = {
                {"tables: {students: {schema: 1, fields: {}}}\ntypes:\n" STUDENT,
                        "types.yaml:1:20: the table students has no postgres.relations, whose changes make it stale"},
                {"tables: {students: {postgres: {relations: [{name: a.b}]}}}\ntypes:\n" STUDENT,
                        "types.yaml:1:20: the table students has neither postgres.exists nor a relation with the "
                        "column of the student: which students are there?"},
                {TABLES "types:\n  student: {shape: one, table: students}\n",
                        "types.yaml:12:12: the type student has no postgres.fetch, the SQL that reads it"},
                {TABLES "  merges: {schema: 1, fields: {into: {kind: student, required: true}}}\ntypes:\n" STUDENT,
                        "types.yaml:11:11: the table merges is for the embedded database; with PostgreSQL who is whom "
                        "is for the SQL to say"},
        };
        struct record_types *types = types_from(BASE "  all: {shape: composite, parts: {v: {type: visits}}}\n");

        (void)state;
        assert_ok(record_types_check_postgres(types, NULL));
        record_types_destroy(&types);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct err_msg msg = {""};
                const char *told;

                types = types_from(rows[i].text);
                assert_err(ERR_CONFIG, record_types_check_postgres(types, &msg));
                told = strstr(msg.text, "types.yaml");
                assert_non_null(told);
                assert_string_equal(told, rows[i].problem);
                record_types_destroy(&types);
        }
}

static void the_embedded_database_wants_students_and_fields(void **state)
{
        static const char with_fields[] = "tables: {students: {schema: 1, fields: {a: text},\n"
                                          "  postgres: {relations: [{name: a.b, student: id}]}}}\n"
                                          "subjects: {school: }\n"
                                          "types:\n" STUDENT;
        char text[1024];
        struct record_types *types = types_from(with_fields);
        struct err_msg msg = {""};

        (void)state;
        assert_ok(record_types_check_embedded(types, &msg));
        record_types_destroy(&types);
        (void)snprintf(
                text, sizeof(text), "%s  board: {shape: one, table: students, key: \"board:{school}\"}\n", with_fields);
        types = types_from(text);
        assert_err(ERR_CONFIG, record_types_check_embedded(types, &msg));
        assert_non_null(strstr(msg.text, "types.yaml:6:10: the type board is kept by school; the embedded database "
                                         "keeps records by student only"));
        record_types_destroy(&types);
        types = types_from(BASE);
        assert_err(ERR_CONFIG, record_types_check_embedded(types, &msg));
        assert_non_null(strstr(msg.text, "types.yaml:12:12: the type student reads the table students, which has no "
                                         "fields; only database.kind: postgres can serve it"));
        record_types_destroy(&types);
}

/* ---- the definition ---- */

static uint64_t def_with(const char *relation, const char *fetch, const char *exists)
{
        char text[1024];
        struct record_types *types;
        uint64_t def;

        (void)snprintf(text, sizeof(text),
                "tables:\n  students: {postgres: {relations: [%s], exists: \"%s\"}}\n"
                "types: {student: {shape: one, table: students, postgres: {fetch: \"%s\"}}}\n",
                relation, exists, fetch);
        types = types_from(text);
        def = type_named(types, "student")->def;
        record_types_destroy(&types);
        return def;
}

static void definition_changes_with_the_sql(void **state)
{
        const uint64_t plain = def_with("{name: a.b, student: c}", "SELECT $1", "SELECT $1");

        (void)state;
        assert_true(def_with("{name: a.b, student: c}", "SELECT $1;", "SELECT $1") == plain);
        assert_true(def_with("{name: a.b, student: c}", "SELECT 1, $1", "SELECT $1") != plain);
        assert_true(def_with("{name: a.b, student: c}", "SELECT $1", "SELECT 1, $1") != plain);
        assert_true(def_with("{name: a.b, student: d}", "SELECT $1", "SELECT $1") != plain);
        assert_true(def_with("{name: a.b}", "SELECT $1", "SELECT $1") != plain);
        assert_true(def_with("{name: a.c, student: c}", "SELECT $1", "SELECT $1") != plain);
}

/* ---- what is refused ---- */

static void wrong_subjects_are_refused(void **state)
{
        (void)state;
        types_refused("subjects: []\n", "1:11", "subjects is a list; it must be a map of subjects");
        types_refused("subjects: {student: }\n", "1:12", "there is a subject \"student\" already");
        types_refused(
                "subjects: {9: }\n", "1:12", "\"9\" is no name: a letter first, then letters a to z, digits and _");
        types_refused("subjects: {a: {exist: x}}\n", "1:16", "unknown key \"exist\" (did you mean \"exists\"?)");
        types_refused("subjects: {a: {exists: SELECT $1}}\n", "1:16",
                "exists and table belong together: a change of the table decides anew whether a a exists");
        types_refused("subjects: {a: {exists: SELECT $1, table: b}}\n", "1:42", "there is no table \"b\"");
        types_refused("tables: {b: {schema: 1, fields: {}}}\nsubjects: {a: {exists: SELECT 1, table: b}}\n", "2:24",
                "exists has no $1, which stands for the array of ids: … = ANY($1)");
}

static void wrong_relations_are_refused(void **state)
{
#define TABLE "tables:\n  a:\n    postgres: " /* begins line 3 */
        (void)state;
        types_refused(TABLE "{}\n", "3:15", "the table a has no relations; their changes make it stale");
        types_refused(TABLE "{relations: []}\n", "3:27", "relations has 0 entries; it must have 1 to 64");
        types_refused(TABLE "{relation: []}\n", "3:16", "unknown key \"relation\" (did you mean \"relations\"?)");
        types_refused(TABLE "{relations: [b]}\n", "3:28",
                "this is a single value; it must be a map with name, and the column that says whose a row is");
        types_refused(TABLE "{relations: [{student: c}]}\n", "3:28", "the relation has no name");
        types_refused(
                TABLE "{relations: [{name: b}]}\n", "3:35", "name is \"b\"; write it with its schema, as in public.b");
        types_refused(TABLE "{relations: [{name: a.b, studnet: c}]}\n", "3:40",
                "there is no subject \"studnet\" (did you mean \"student\"?)");
        types_refused("subjects: {school: }\n" TABLE "{relations: [{name: a.b, school: c, student: d}]}\n", "4:51",
                "an entry says one subject's column, here school's; write another entry of the same name");
        types_refused(
                TABLE "{relations: [{name: a.b, student: c}, {name: a.b, student: c}]}\n", "3:53", "a.b is here twice");
        types_refused(TABLE "{relations: [{name: a.b}], exists: SELECT $1}\n", "3:42",
                "only the table students decides whether a student exists");
}

static void wrong_types_are_refused(void **state)
{
        (void)state;
        types_refused(BASE "  x: {shape: list, table: visits, postgres: {}}\n", "17:45", "the type x has no fetch");
        types_refused(BASE "  x: {shape: list, table: visits, postgres: {fetch: SELECT 1}}\n", "17:53",
                "fetch has no $1, which stands for the array of ids: … = ANY($1)");
        types_refused(BASE "  x: {shape: list, table: visits, postgres: {fecth: SELECT 1}}\n", "17:46",
                "unknown key \"fecth\" (did you mean \"fetch\"?)");
        types_refused(BASE "  x: {shape: composite, parts: {v: {type: visits}}, postgres: {fetch: SELECT $1}}\n",
                "17:53", "a composite has no SQL of its own; it is made of its parts");
        types_refused(BASE "  x: {shape: list, table: visits, key: \"x:{scool}\"}\n", "17:40",
                "there is no subject \"scool\" (did you mean \"school\"?)");
        types_refused(BASE "  x: {shape: list, table: visits, key: \"x:{}\"}\n", "17:40",
                "key is \"x:{}\"; it must be x:{student}");
        types_refused(BASE "  x: {shape: list, table: visits, id: uuid, key: \"x:{school}\"}\n", "17:39",
                "the ids of x are uuid, but those of board are int; all name the same schools");
        types_refused(BASE "  x: {shape: composite, parts: {b: {type: board}}}\n", "17:43",
                "the keys of board are of another kind of thing than those of x");
        types_refused(BASE "  x: {shape: list, table: visits, key: \"x:{school}\", id: int, tags: "
                           "[\"student:{student}/visits\"]}\n",
                "17:70",
                "\"student:{student}/visits\" is no tag to declare; write school:{school}/TABLE (school:{school} and "
                "wider ones are implied)");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(relations_say_whose_rows_are),
                cmocka_unit_test(sql_is_kept_without_its_end),
                cmocka_unit_test(a_subject_says_what_exists),
                cmocka_unit_test(a_type_of_another_subject_reads_its_tables),
                cmocka_unit_test(ids_are_checked_by_subject),
                cmocka_unit_test(postgres_wants_sql_and_relations),
                cmocka_unit_test(the_embedded_database_wants_students_and_fields),
                cmocka_unit_test(definition_changes_with_the_sql),
                cmocka_unit_test(wrong_subjects_are_refused),
                cmocka_unit_test(wrong_relations_are_refused),
                cmocka_unit_test(wrong_types_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
