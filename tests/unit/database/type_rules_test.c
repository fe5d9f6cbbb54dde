#include "database/type_load.h"

#include "tests/lib/types.h"

#define FIELDS                                                                                                         \
        "tables:\n"                                                                                                    \
        "  a:\n"                                                                                                       \
        "    schema: 2\n"                                                                                              \
        "    fields:\n"                                                                                                \
        "      w: {kind: word, words: [x, y]}\n"                                                                       \
        "      t: text\n" /* 6 lines */

static void wrong_presets_are_refused(void **state)
{
#define PRESET(rules) FIELDS "      b: {kind: bool, preset: " rules "}\n      c: {kind: bool, preset: true}\n"
        (void)state;
        types_refused(PRESET("[]"), "7:31", "preset has 0 rules; it must have 1 to 64");
        types_refused(PRESET("[true]"), "7:32", "this is a single value; it must be a map with when and is");
        types_refused(PRESET("[{is: maybe}]"), "7:37", "is is \"maybe\"; it must be true or false");
        types_refused(PRESET("[{when: {t: x}}]"), "7:32", "the rule does not say what b is");
        types_refused(PRESET("[{wehn: {t: x}, is: true}]"), "7:33", "unknown key \"wehn\" (did you mean \"when\"?)");
        types_refused(PRESET("[{is: true}, {when: {t: x}, is: false}]"), "7:32",
                "a rule without when always holds; it must be the last");
        types_refused(PRESET("[{when: t, is: true}]"), "7:39",
                "when is a single value; it must be a map of fields and what they hold");
        types_refused(
                PRESET("[{when: {v: x}, is: true}]"), "7:40", "the table a has no field \"v\" (did you mean \"w\"?)");
        types_refused(PRESET("[{when: {w: z}, is: true}]"), "7:43",
                "w is \"z\"; it must be one of x, y (did you mean \"x\"?)");
        types_refused(PRESET("[{when: {w: [x, z]}, is: true}]"), "7:47",
                "this is \"z\"; it must be one of x, y (did you mean \"x\"?)");
        types_refused(PRESET("[{when: {t: []}, is: true}]"), "7:43", "t has 0 values; a condition has 1 to 256");
        types_refused(PRESET("[{when: {t: {}}, is: true}]"), "7:43", "t is a map; it must be a single value");
        types_refused(PRESET("[{when: {b: missing}, is: true}]"), "7:40", "b is what is preset; it is missing");
        types_refused(PRESET("[{when: {c: true}, is: true}]"), "7:40", "c has a preset itself; declare it above b");
}

static void wrong_refusals_and_changes_are_refused(void **state)
{
        (void)state;
        types_refused(
                FIELDS "    refuse: {}\n", "7:13", "refuse is a map; it must be a list of rules with when and because");
        types_refused(FIELDS "    refuse: [{when: {t: x}}]\n", "7:14", "the rule has no because");
        types_refused(FIELDS "    refuse: [{because: x}]\n", "7:14", "the rule has no when");
        types_refused(FIELDS "    refuse: [{when: {}, because: x}]\n", "7:21",
                "a rule that asks for nothing would refuse every record");
        types_refused(FIELDS "    refuse: [{when: {t: x}, because: []}]\n", "7:38",
                "because is a list; it must be a single value");
        types_refused(FIELDS "    changes: []\n", "7:14", "changes is a list; it must be a map of schema numbers");
        types_refused(FIELDS "    changes: {3: {}}\n", "7:15", "changes is by schema number, 2 to the table's own, 2");
        types_refused(
                FIELDS "    changes: {two: {}}\n", "7:15", "changes is by schema number, 2 to the table's own, 2");
        types_refused(
                FIELDS "    changes: {2: {renam: {}}}\n", "7:19", "unknown key \"renam\" (did you mean \"rename\"?)");
        types_refused(FIELDS "    changes: {2: {rename: {s: u}}}\n", "7:31",
                "the table a has no field \"u\" (did you mean \"w\"?)");
        types_refused(FIELDS "    changes: {2: {rename: {w: t}}}\n", "7:28", "the table a has a field w still");
}

static void a_table_has_one_original_and_no_condition_asks_for_it(void **state)
{
        (void)state;
        types_refused(FIELDS "      r: original\n      s: original\n", "8:10",
                "r holds the original already; a table has one such field");
        types_refused(FIELDS "      r: {kind: original, required: true}\n", "7:10",
                "the original cannot be required: a PUT brings none");
        types_refused(FIELDS "      r: original\n    refuse: [{when: {r: present}, because: x}]\n", "8:22",
                "r is kept beside the record; no condition can ask for it");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(wrong_presets_are_refused),
                cmocka_unit_test(wrong_refusals_and_changes_are_refused),
                cmocka_unit_test(a_table_has_one_original_and_no_condition_asks_for_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
