#include "database/record_type.h"

#include "tests/lib/types.h"

#define SHIPPED VC_SOURCE_DIR "/conf/types/school-health.yaml"

static char folder[64];

/* ---- helpers ---- */

static enum err load_text(const char *text, struct record_types **out, struct err_msg *msg)
{
        char path[128];
        const char *files[1] = {path};

        types_write(folder, "types.yaml", text, path);
        return record_types_load(out, files, 1, msg);
}

static struct record_types *load_shipped(void)
{
        const char *files[1] = {SHIPPED};
        struct record_types *types;
        struct err_msg msg = {""};

        if (record_types_load(&types, files, 1, &msg) != OK)
                fail_msg("%s", msg.text);
        return types;
}

static const struct record_type *type_named(const struct record_types *types, const char *name)
{
        const struct record_type *type = record_types_find(types, slice_str(name));

        assert_non_null(type);
        return type;
}

#define TABLES                                                                                                         \
        "tables:\n"                                                                                                    \
        "  students: {schema: 1, fields: {name: text}}\n"                                                              \
        "  allergies: {schema: 2, fields: {severity: {kind: word, words: [LOW, HIGH]}, live: bool, onset: date}}\n"    \
        "  visits: {schema: 1, activity: date, fields: {date: instant}}\n"
#define TYPES                                                                                                          \
        "types:\n"                                                                                                     \
        "  student: {shape: one, table: students}\n"                                                                   \
        "  allergies: {shape: list, table: allergies}\n"
#define BASE TABLES TYPES /* 7 lines */

/* ---- the shipped family ---- */

static void shipped_family_has_the_types_of_the_domain(void **state)
{
        static const char *const names[] = {"student", "allergies", "conditions", "vaccinations",
                "vaccinations_not_given", "visits", "visits_not_held", "summary"};
        struct record_types *types = load_shipped();

        (void)state;
        assert_int_equal(record_types_count(types), 8);
        assert_int_equal(record_types_table_count(types), 6);
        for (uint32_t i = 0; i < 8; i++) {
                const struct record_type *type = type_named(types, names[i]);

                assert_int_equal(type->index, i);
                assert_ptr_equal(record_types_at(types, i), type);
                assert_int_equal(type->id_kind, ID_KIND_TEXT);
                assert_true(type->allow_stale);
                assert_int_equal(type->ttl_l1.ns, 0);
                assert_false(type->has_bound);
        }
        assert_string_equal(record_types_students(types)->name, "students");
        assert_int_equal(record_types_id_kind(types), ID_KIND_TEXT);
        record_types_destroy(&types);
        assert_null(types);
        record_types_destroy(&types);
}

static void shipped_types_have_their_times_to_live(void **state)
{
        static const struct {
                const char *name;
                int64_t minutes;
        } rows[] = {{"student", 5}, {"allergies", 10}, {"conditions", 10}, {"vaccinations", 10}, {"visits", 5},
                {"summary", 5}};
        struct record_types *types = load_shipped();

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_int_equal(type_named(types, rows[i].name)->ttl_l2.ns, rows[i].minutes * 60 * NANOS_PER_S);
        record_types_destroy(&types);
}

static void shipped_lists_know_their_order_and_indexes(void **state)
{
        struct record_types *types = load_shipped();
        const struct record_type *allergies = type_named(types, "allergies");
        const struct record_field *severity = NULL;

        (void)state;
        assert_true(allergies->critical);
        assert_int_equal(allergies->shape, RECORD_LIST);
        assert_int_equal(allergies->order_count, 3);
        assert_string_equal(allergies->order[0]->name, "status");
        assert_string_equal(allergies->order[1]->name, "severity");
        assert_string_equal(allergies->table->severity_field, "severity");
        assert_string_equal(allergies->table->status_field, "status");
        for (uint32_t i = 0; i < allergies->table->field_count; i++)
                if (strcmp(allergies->table->fields[i].name, "severity") == 0)
                        severity = &allergies->table->fields[i];
        assert_non_null(severity);
        assert_int_equal(severity->kind, FIELD_WORD);
        assert_true(severity->preset_count > 0);
        assert_slice_is(severity->presets[severity->preset_count - 1].value, "\xa7"
                                                                             "UNKNOWN");
        assert_string_equal(severity->words[0], "NONE");
        assert_string_equal(severity->words[5], "LIFE_THREATENING");
        assert_null(severity->words[6]);
        assert_int_equal(type_named(types, "visits")->order_count, 1);
        assert_string_equal(type_named(types, "visits")->order[0]->name, "date");
        assert_string_equal(type_named(types, "visits")->table->activity_field, "date");
        assert_string_equal(type_named(types, "conditions")->table->activity_field, "onset");
        record_types_destroy(&types);
}

static void shipped_summary_has_five_parts(void **state)
{
        struct record_types *types = load_shipped();
        const struct record_type *summary = type_named(types, "summary");
        const struct record_part *conditions = &summary->parts[2];

        (void)state;
        assert_int_equal(summary->shape, RECORD_COMPOSITE);
        assert_null(summary->table);
        assert_int_equal(summary->part_count, 5);
        assert_string_equal(summary->parts[0].name, "student");
        assert_ptr_equal(conditions->type, type_named(types, "conditions"));
        assert_int_equal(conditions->where.filter_count, 2);
        assert_string_equal(conditions->where.filters[0].field, "status");
        assert_slice_is(conditions->where.filters[0].tests[0].text, "active");
        assert_string_equal(conditions->where.filters[1].field, "chronic");
        assert_int_equal(conditions->where.filters[1].tests[0].kind, TEST_TRUE);
        assert_int_equal(conditions->limit, 0);
        assert_int_equal(summary->parts[4].limit, 10);
        assert_int_equal(summary->read_count, 5);
        record_types_destroy(&types);
}

/* ---- what types depend on ---- */

static void reads_are_the_students_and_the_types_own_tables(void **state)
{
        struct record_types *types =
                types_from(BASE "  log: {shape: list, table: allergies, tags: [\"student:{student}/visits\"]}\n");
        const struct record_type *log = type_named(types, "log");

        (void)state;
        assert_int_equal(type_named(types, "student")->read_count, 1);
        assert_int_equal(type_named(types, "allergies")->read_count, 2);
        assert_ptr_equal(type_named(types, "allergies")->reads[0], record_types_students(types));
        assert_int_equal(log->read_count, 3);
        assert_string_equal(log->reads[2]->name, "visits");
        record_types_destroy(&types);
}

static uint64_t def_with(const char *allergies, const char *name)
{
        char text[2048];
        struct record_types *types;
        uint64_t def;

        (void)snprintf(text, sizeof(text),
                TABLES "types:\n  student: {shape: one, table: students}\n  allergies: {%s}\n"
                       "  all: {shape: composite, parts: {a: {type: allergies}}}\n",
                allergies);
        types = types_from(text);
        def = type_named(types, name)->def;
        record_types_destroy(&types);
        return def;
}

static void a_type_may_have_a_bound_of_its_own(void **state)
{
        struct record_types *types = types_from(BASE "  x: {shape: one, table: students, bound: 0s}\n"
                                                     "  y: {shape: one, table: students, bound: 2500ms}\n");

        (void)state;
        assert_true(type_named(types, "x")->has_bound);
        assert_int_equal(type_named(types, "x")->bound.ns, 0);
        assert_true(type_named(types, "y")->has_bound);
        assert_int_equal(type_named(types, "y")->bound.ns, nanos_ms(2500).ns);
        record_types_destroy(&types);
}

static void definition_changes_with_what_an_entry_contains(void **state)
{
        uint64_t plain = def_with("shape: list, table: allergies", "allergies");

        (void)state;
        assert_true(plain != 0);
        assert_true(def_with("shape: list, table: allergies", "allergies") == plain);
        assert_true(def_with("shape: list, table: allergies, ttl: {l1: 1s}, bound: 2s, critical: true", "allergies") ==
                    plain);
        assert_true(def_with("shape: list, table: allergies, order: onset", "allergies") != plain);
        assert_true(def_with("shape: list, table: allergies, where: {live: true}", "allergies") != plain);
        assert_true(def_with("shape: list, table: allergies, where: {live: false}", "allergies") !=
                    def_with("shape: list, table: allergies, where: {live: true}", "allergies"));
        assert_true(def_with("shape: list, table: visits", "allergies") != plain);
        assert_true(
                def_with("shape: list, table: allergies, tags: [\"student:{student}/visits\"]", "allergies") != plain);
        assert_true(def_with("shape: list, table: allergies", "all") !=
                    def_with("shape: list, table: allergies, order: onset", "all"));
}

static void types_and_tables_may_come_from_several_files(void **state)
{
        char first[128];
        char second[128];
        const char *files[2] = {first, second};
        struct record_types *types;
        struct err_msg msg = {""};

        (void)state;
        types_write(folder, "types.yaml", "types: {notes: {shape: list, table: visits}}\n", first);
        types_write(folder, "tables.yaml", BASE, second);
        assert_ok(record_types_load(&types, files, 2, &msg));
        assert_int_equal(record_types_count(types), 3);
        record_types_destroy(&types);
        types_write(folder, "types.yaml", "types: {student: {shape: one, table: students}}\n", first);
        assert_err(ERR_CONFIG, record_types_load(&types, files, 2, &msg));
        assert_non_null(strstr(msg.text, "tables.yaml:6:3: another file has the type \"student\", too"));
        types_write(folder, "types.yaml", "tables: {visits: {schema: 1, fields: {a: text}}}\n", first);
        assert_err(ERR_CONFIG, record_types_load(&types, files, 2, &msg));
        assert_non_null(strstr(msg.text, "tables.yaml:4:3: another file has the table \"visits\", too"));
}

/* ---- what is refused ---- */

static void wrong_keys_name_the_nearest(void **state)
{
        (void)state;
        types_refused("tabels: {}\n", "1:1", "unknown key \"tabels\" (did you mean \"tables\"?)");
        types_refused(BASE "  x: {shpae: one}\n", "8:7", "unknown key \"shpae\" (did you mean \"shape\"?)");
        types_refused(BASE "  x: {shape: one, table: students, postgers: {}}\n", "8:36",
                "unknown key \"postgers\" (did you mean \"postgres\"?)");
        types_refused(BASE "  x: {shape: one, table: student}\n", "8:26",
                "there is no table \"student\" (did you mean \"students\"?)");
        types_refused(BASE "  x: {shape: one, table: students, ttl: {l3: 1s}}\n", "8:42",
                "unknown key \"l3\" (did you mean \"l1\"?)");
        types_refused(BASE "  x: {shape: composite, parts: {a: {type: alergies}}}\n", "8:43",
                "there is no type \"alergies\" (did you mean \"allergies\"?)");
}

static void wrong_tables_are_refused(void **state)
{
        (void)state;
        types_refused("tables: []\n", "1:9", "tables is a list; it must be a map of tables");
        types_refused("tables:\n  a: {fields: {b: text}}\n", "2:6", "the table a has no schema");
        types_refused("tables:\n  a: {schema: 1}\n", "2:6", "the table a has no fields");
        types_refused("tables:\n  a: {schema: 0, fields: {}}\n", "2:15", "schema is 0; it must be 1 to 65535");
        types_refused(
                "tables:\n  a b: {}\n", "2:3", "\"a b\" is no name: a letter first, then letters a to z, digits and _");
        types_refused("tables:\n  a: {schema: 1, fields: {b: txt}}\n", "2:30",
                "b is \"txt\"; it must be one of text, word, date, instant, bool, int, any, student, original (did you "
                "mean \"text\"?)");
        types_refused(
                "tables:\n  a: {schema: 1, fields: {b: word}}\n", "2:30", "the field b is a word, but has no words");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: word, words: []}}}\n", "2:50",
                "words has 0 words; it must have 1 to 64");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: word, words: [x, x]}}}\n", "2:54",
                "the word \"x\" is here twice");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: text, words: [x]}}}\n", "2:50",
                "only a field of kind word has words");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: date, preset: x}}}\n", "2:51",
                "only a field of kind text, word or bool has a preset");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: bool, preset: x}}}\n", "2:51",
                "preset is \"x\"; it must be true or false");
        types_refused("tables:\n  a: {schema: 1, fields: {b: {kind: word, words: [x, y], preset: z}}}\n", "2:66",
                "preset is \"z\"; it must be one of x, y (did you mean \"x\"?)");
        types_refused("tables:\n  a: {schema: 1, fields: {id: int}}\n", "2:31", "the field id must be text, or a word");
        types_refused("tables:\n  a: {schema: 1, fields: {student: text}}\n", "2:27",
                "a field cannot be called student: whose record it is, the key says");
        types_refused("tables:\n  a: {schema: 1, activity: b, fields: {b: text}}\n", "2:28",
                "b is of kind text; it must be a date or instant field");
        types_refused("tables:\n  a: {schema: 1, activity: c, fields: {b: date}}\n", "2:28",
                "the table a has no field \"c\" (did you mean \"b\"?)");
        types_refused("tables:\n  a: {schema: 1, status: b, fields: {b: {kind: word, words: [x]}}}\n", "2:26",
                "severity and status are one index: both or neither");
}

static void wrong_types_are_refused(void **state)
{
        (void)state;
        types_refused(BASE "  x: {table: students}\n", "8:6", "the type x has no shape: one, list or composite");
        types_refused(BASE "  x: {shape: one}\n", "8:6", "the type x has no table; its shape needs it");
        types_refused(BASE "  x: {shape: composite}\n", "8:6", "the type x has no parts; its shape needs it");
        types_refused(BASE "  x: {shape: one, table: students, order: name}\n", "8:36",
                "order does not go with the shape one");
        types_refused(
                BASE "  x: {shape: list, table: visits, parts: {}}\n", "8:35", "parts does not go with the shape list");
        types_refused(BASE "  x: {shape: one, table: allergies, where: {live: true}}\n", "8:37",
                "where does not go with the shape one");
        types_refused(BASE "  x: {shape: list, table: allergies, where: {live: 1}}\n", "8:52",
                "live is \"1\"; it must be true or false");
        types_refused(BASE "  x: {shape: list, table: allergies, order: live}\n", "8:45",
                "live is of kind bool; it must be a date, instant or word field");
        types_refused(BASE "  x: {shape: list, table: allergies, order: [severity, live]}\n", "8:56",
                "live is of kind bool; it must be a date, instant or word field");
        types_refused(BASE "  x: {shape: list, table: allergies, order: [onset, onset, onset, onset, onset]}\n", "8:74",
                "order has more than 4 fields");
        types_refused(BASE "  x: {shape: one, table: students, key: \"y:{student}\"}\n", "8:41",
                "key is \"y:{student}\"; it must be x:{student}");
        types_refused(BASE "  x: {shape: one, table: students, ttl: {l1: 60}}\n", "8:46",
                "l1 is 60, without a unit; write 60s or 1m");
        types_refused(
                BASE "  x: {shape: one, table: students, ttl: {l2: 40d}}\n", "8:46", "l2 is 40d; it must be 1s to 30d");
        types_refused(
                BASE "  x: {shape: one, table: students, bound: 2}\n", "8:43", "bound is 2, without a unit; write 2s");
        types_refused(
                BASE "  x: {shape: one, table: students, bound: 2d}\n", "8:43", "bound is 2d; it must be 0s to 1d");
        types_refused(BASE "  x: {shape: one, table: students, critical: yes}\n", "8:46",
                "critical is \"yes\"; it must be true or false");
        types_refused(BASE "  x: {shape: one, table: students, id: uuid}\n", "8:40",
                "the ids of x are uuid, but those of student are text; all name the same students");
        types_refused(BASE "  x: {shape: one, table: students, tags: [visits]}\n", "8:43",
                "\"visits\" is no tag to declare; write student:{student}/TABLE (student:{student} and wider ones are "
                "implied)");
        types_refused(BASE "  x: {shape: one, table: students, tags: [\"student:{student}/visit\"]}\n", "8:43",
                "there is no table \"visit\" (did you mean \"visits\"?)");
        types_refused(BASE "  x:\n", "8:5", "x has no value; it must be a map with the type's shape and table");
}

static void wrong_parts_are_refused(void **state)
{
#define COMPOSITE BASE "  x:\n    shape: composite\n    parts:\n" /* 10 lines */
        (void)state;
        types_refused(COMPOSITE "      a: {}\n", "11:10", "the part a has no type");
        types_refused(COMPOSITE "      a: {type: x}\n", "11:17", "x is a composite; a part cannot be one");
        types_refused(COMPOSITE "      a: {type: student, limit: 1}\n", "11:33",
                "student is a single record; where and limit are for lists");
        types_refused(
                COMPOSITE "      a: {type: allergies, limit: 0}\n", "11:35", "limit is 0; it must be 1 to 1000000");
        types_refused(COMPOSITE "      a: {type: allergies, where: {live: maybe}}\n", "11:42",
                "live is \"maybe\"; it must be true or false");
        types_refused(COMPOSITE "      a: {type: allergies, where: {severity: HIHG}}\n", "11:46",
                "severity is \"HIHG\"; it must be one of LOW, HIGH (did you mean \"HIGH\"?)");
        types_refused(COMPOSITE "      a: {type: allergies, where: {onset: now}}\n", "11:43",
                "onset is of kind date; a condition can ask whether it is present or missing");
        types_refused(COMPOSITE "      {}\n", "11:7", "x has 0 parts; it must have 1 to 16");
}

static void merges_need_the_field_into(void **state)
{
        struct record_types *types;
        struct err_msg msg = {""};

        (void)state;
        assert_err(ERR_CONFIG,
                load_text(TABLES "  merges: {schema: 1, fields: {into: {kind: text, required: true}}}\n" TYPES, &types,
                        &msg));
        assert_non_null(
                strstr(msg.text, "types.yaml: the table merges needs the field into: {kind: student, required: true}"));
        types = types_from(TABLES "  merges: {schema: 1, fields: {into: {kind: student, required: true}}}\n" TYPES);
        assert_ptr_equal(record_types_merges(types), record_types_table(types, slice_str("merges")));
        record_types_destroy(&types);
        types = types_from(BASE);
        assert_null(record_types_merges(types));
        record_types_destroy(&types);
}

static void a_family_needs_students_and_types(void **state)
{
        struct record_types *types;
        struct err_msg msg = {""};
        const char *missing[1] = {"/nowhere/types.yaml"};

        (void)state;
        assert_err(ERR_CONFIG, load_text("", &types, &msg));
        assert_non_null(strstr(msg.text, "no table is called students"));
        assert_err(ERR_CONFIG, load_text(TABLES, &types, &msg));
        assert_non_null(strstr(msg.text, "no record type is declared"));
        assert_err(ERR_IO, record_types_load(&types, missing, 1, &msg));
        assert_string_equal(msg.text, "cannot read /nowhere/types.yaml: No such file or directory");
        assert_err(ERR_CONFIG, record_types_load(&types, missing, 0, &msg));
        assert_null(types);
}

static void too_many_types_are_refused(void **state)
{
        char text[8192] = BASE;
        struct record_types *types;
        struct err_msg msg = {""};

        (void)state;
        for (int i = 0; i < RECORD_TYPES_MAX - 1; i++) {
                size_t used = strlen(text);

                (void)snprintf(text + used, sizeof(text) - used, "  x%d: {shape: one, table: students}\n", i);
        }
        assert_err(ERR_CONFIG, load_text(text, &types, &msg));
        assert_non_null(strstr(msg.text, "types.yaml:70:3: there can be 64 types"));
}

/* ---- keys ---- */

static void keys_are_split_at_the_first_colon(void **state)
{
        struct record_types *types = load_shipped();
        const struct record_type *type;
        struct slice id;

        (void)state;
        assert_ok(record_key_parse(types, slice_str("allergies:42"), &type, &id, NULL));
        assert_ptr_equal(type, type_named(types, "allergies"));
        assert_slice_is(id, "42");
        assert_ok(record_key_parse(types, slice_str("student:a:b"), &type, &id, NULL));
        assert_slice_is(id, "a:b");
        record_types_destroy(&types);
}

static void wrong_keys_say_why(void **state)
{
        static const struct {
                const char *key;
                enum err code;
                const char *message;
        } rows[] = {
                {"allergies", ERR_BADKEY, "a key is type:id, such as student:42"},
                {"", ERR_BADKEY, "a key is type:id, such as student:42"},
                {"allergie:42", ERR_NOTYPE, "there is no record type \"allergie\" (did you mean \"allergies\"?)"},
                {":42", ERR_NOTYPE, "there is no record type \"\""},
                {"allergies:", ERR_BADKEY, "the id is empty"},
                {"allergies:a\nb", ERR_BADKEY, "the id has a control character in it"},
                {"allergies:\xff", ERR_BADKEY, "the id is not valid UTF-8"},
        };
        struct record_types *types = load_shipped();

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct record_type *type;
                struct err_msg msg = {""};
                struct slice id;

                assert_err(rows[i].code, record_key_parse(types, slice_str(rows[i].key), &type, &id, &msg));
                assert_string_equal(msg.text, rows[i].message);
        }
        record_types_destroy(&types);
}

static void ids_that_are_not_canonical_name_the_right_key(void **state)
{
        struct record_types *types = types_from(TABLES "types: {student: {shape: one, table: students, id: int}}\n");
        const struct record_type *type;
        struct err_msg msg = {""};
        struct slice id;

        (void)state;
        assert_int_equal(record_types_id_kind(types), ID_KIND_INT);
        assert_ok(record_key_parse(types, slice_str("student:42"), &type, &id, &msg));
        assert_err(ERR_BADKEY, record_key_parse(types, slice_str("student:042"), &type, &id, &msg));
        assert_string_equal(msg.text, "the id is not in canonical form; it would be student:42");
        record_types_destroy(&types);
        types = types_from(TABLES "types: {student: {shape: one, table: students, id: uuid}}\n");
        assert_err(ERR_BADKEY,
                record_key_parse(types, slice_str("student:0B5C1A52-6d0e-4d52-9f5e-3a1f0c2b7d44"), &type, &id, &msg));
        assert_string_equal(
                msg.text, "the id is not in canonical form; it would be student:0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44");
        record_types_destroy(&types);
}

/* ---- memory ---- */

static enum err load_and_destroy(void *context)
{
        const char *files[1] = {SHIPPED};
        struct record_types *types;
        struct err_msg msg = {""};
        enum err rc = record_types_load(&types, files, 1, &msg);

        (void)context;
        if (rc != OK)
                assert_true(types == NULL && msg.text[0] != '\0');
        record_types_destroy(&types);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(load_and_destroy, NULL);
        each_allocation_fails_for_good(load_and_destroy, NULL);
}

static int set_up(void **state)
{
        (void)state;
        temp_dir_make(folder, sizeof(folder));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        temp_dir_remove(folder);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(shipped_family_has_the_types_of_the_domain),
                cmocka_unit_test(shipped_types_have_their_times_to_live),
                cmocka_unit_test(shipped_lists_know_their_order_and_indexes),
                cmocka_unit_test(shipped_summary_has_five_parts),
                cmocka_unit_test(reads_are_the_students_and_the_types_own_tables),
                cmocka_unit_test(a_type_may_have_a_bound_of_its_own),
                cmocka_unit_test(definition_changes_with_what_an_entry_contains),
                cmocka_unit_test(types_and_tables_may_come_from_several_files),
                cmocka_unit_test(wrong_keys_name_the_nearest),
                cmocka_unit_test(wrong_tables_are_refused),
                cmocka_unit_test(merges_need_the_field_into),
                cmocka_unit_test(wrong_types_are_refused),
                cmocka_unit_test(wrong_parts_are_refused),
                cmocka_unit_test(a_family_needs_students_and_types),
                cmocka_unit_test(too_many_types_are_refused),
                cmocka_unit_test(keys_are_split_at_the_first_colon),
                cmocka_unit_test(wrong_keys_say_why),
                cmocka_unit_test(ids_that_are_not_canonical_name_the_right_key),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
