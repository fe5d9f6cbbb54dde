#include "base/yaml.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- helpers ---- */

static struct yaml_doc *must_load(const char *text)
{
        struct yaml_doc *doc;
        struct err_msg msg = {""};

        if (yaml_load_text(&doc, "t.yaml", slice_str(text), &msg) != OK)
                fail_msg("%s", msg.text);
        return doc;
}

static void assert_refused_bytes(struct slice text, const char *expected)
{
        struct yaml_doc *doc;
        struct err_msg msg = {""};

        assert_err(ERR_CONFIG, yaml_load_text(&doc, "t.yaml", text, &msg));
        assert_null(doc);
        assert_string_equal(msg.text, expected);
}

static void assert_refused(const char *text, const char *expected)
{
        assert_refused_bytes(slice_str(text), expected);
}

/* `head`, then `unit` so many times. The caller frees it. */
static char *repeat(const char *head, const char *unit, size_t count)
{
        size_t size = strlen(head) + count * strlen(unit) + 1;
        char *text = malloc(size);
        size_t used;

        assert_non_null(text);
        used = (size_t)snprintf(text, size, "%s", head);
        for (size_t i = 0; i < count; i++)
                used += (size_t)snprintf(text + used, size - used, "%s", unit);
        return text;
}

/* ---- what is read ---- */

static void every_node_knows_its_place(void **state)
{
        struct yaml_doc *doc = must_load("a: 1\nb:\n  - x\n  - {c: 'y z'}\n");
        const struct yaml_node *root = yaml_root(doc);
        const struct yaml_node *b = yaml_find(root, "b");
        const struct yaml_node *c;

        (void)state;
        assert_int_equal(root->kind, YAML_MAP);
        assert_int_equal(root->count, 2);
        assert_string_equal(yaml_find(root, "a")->text, "1");
        assert_true(yaml_find(root, "a")->plain);
        assert_int_equal(b->kind, YAML_LIST);
        assert_int_equal(b->count, 2);
        assert_int_equal(b->key->line, 2);
        assert_int_equal(b->first->line, 3);
        assert_int_equal(b->first->column, 5);
        assert_null(b->first->key);
        c = yaml_find(b->first->next, "c");
        assert_string_equal(c->text, "y z");
        assert_false(c->plain);
        assert_int_equal(c->line, 4);
        assert_int_equal(c->column, 9);
        assert_string_equal(c->file, "t.yaml");
        assert_null(yaml_find(root, "c"));
        assert_null(yaml_find(b, "a"));
        yaml_destroy(&doc);
        assert_null(doc);
        yaml_destroy(&doc);
}

static void nothing_is_an_empty_document(void **state)
{
        static const char *const texts[] = {"", "\n", "# only words\n", "---\n", "null\n", "~\n"};

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct yaml_doc *doc = must_load(texts[i]);

                assert_null(yaml_root(doc));
                yaml_destroy(&doc);
        }
}

static void a_value_that_says_nothing_is_empty(void **state)
{
        struct yaml_doc *doc = must_load("a:\nb: null\nc: ~\nd: ''\ne: 'null'\nf: []\n");
        const struct yaml_node *root = yaml_root(doc);

        (void)state;
        assert_true(yaml_is_empty(yaml_find(root, "a")));
        assert_true(yaml_is_empty(yaml_find(root, "b")));
        assert_true(yaml_is_empty(yaml_find(root, "c")));
        assert_false(yaml_is_empty(yaml_find(root, "d")));
        assert_false(yaml_is_empty(yaml_find(root, "e")));
        assert_false(yaml_is_empty(yaml_find(root, "f")));
        yaml_destroy(&doc);
}

static void files_are_read(void **state)
{
        char folder[64];
        char path[96];
        struct yaml_doc *doc;
        struct err_msg msg = {""};
        FILE *file;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        (void)snprintf(path, sizeof(path), "%s/a.yaml", folder);
        file = fopen(path, "w");
        assert_non_null(file);
        for (int i = 0; i < 900; i++)
                assert_true(fprintf(file, "key%d: %060d\n", i, i) > 0);
        assert_int_equal(fclose(file), 0);
        assert_ok(yaml_load_file(&doc, path, &msg));
        assert_int_equal(yaml_root(doc)->count, 900);
        assert_string_equal(yaml_root(doc)->file, path);
        assert_int_equal(yaml_find(yaml_root(doc), "key899")->line, 900);
        yaml_destroy(&doc);
        assert_err(ERR_IO, yaml_load_file(&doc, "/nowhere/a.yaml", &msg));
        assert_null(doc);
        assert_string_equal(msg.text, "cannot read /nowhere/a.yaml: No such file or directory");
        assert_err(ERR_IO, yaml_load_file(&doc, folder, &msg));
        assert_non_null(strstr(msg.text, "Is a directory"));
        temp_dir_remove(folder);
}

/* ---- what is refused ---- */

static void wrong_yaml_is_refused_in_its_place(void **state)
{
        (void)state;
        assert_refused("a: [1, 2\n",
                "t.yaml:2:1: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'");
        assert_refused("a: 1\n b: 2\n", "t.yaml:2:3: not valid YAML: mapping values are not allowed in this context");
        assert_refused("a: 'x\n",
                "t.yaml:2:1: not valid YAML: while scanning a quoted scalar, found unexpected end of stream");
        assert_refused("a: b\n\xff: c\n", "t.yaml:2:1: not valid YAML: invalid leading UTF-8 octet");
        assert_refused("a: \x01\n", "t.yaml:1:4: not valid YAML: control characters are not allowed");
        assert_refused("a:\n\t- b\n", "t.yaml:2:1: not valid YAML: while scanning for the next token, found character "
                                      "that cannot start any token");
}

static void what_configuration_has_no_use_for_is_refused(void **state)
{
        (void)state;
        assert_refused("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: \"a\" is here twice; the first is in line 1");
        assert_refused("a: &x 1\n", "t.yaml:1:4: anchors (&) and aliases (*) are not allowed; write the value out");
        assert_refused("a: *x\n", "t.yaml:1:4: anchors (&) and aliases (*) are not allowed; write the value out");
        assert_refused("a: &x [1]\n", "t.yaml:1:4: anchors (&) and aliases (*) are not allowed; write the value out");
        assert_refused("a: &x {}\n", "t.yaml:1:4: anchors (&) and aliases (*) are not allowed; write the value out");
        assert_refused("a: !!int 1\n", "t.yaml:1:4: tags (!) are not allowed; write the value alone");
        assert_refused("--- 1\n--- 2\n", "t.yaml:2:1: one file holds one document; a second one begins here");
        assert_refused("? [a]\n: 1\n", "t.yaml:1:3: a key must be plain text");
        assert_refused("a: \"x\\0y\"\n", "t.yaml:1:4: a text has a zero byte in it");
        assert_refused("{a: 1, \"a\\0b\": 2}\n", "t.yaml:1:8: a text has a zero byte in it");
}

static void limits_are_held(void **state)
{
        char *text;

        (void)state;
        text = repeat("a: ", "[", YAML_DEPTH_MAX);
        assert_refused(text, "t.yaml:1:35: the document nests too deep");
        free(text);
        text = repeat("", "- a\n", YAML_NODES_MAX);
        assert_refused(text, "t.yaml:50000:3: the document is too large: too many values");
        free(text);
        text = repeat("#", "12345678\n#", YAML_BYTES_MAX / 10 + 1);
        assert_refused(text, "t.yaml: larger than 1048576 bytes");
        free(text);
}

static void maps_have_a_limit(void **state)
{
        char text[16384];
        size_t used = 0;

        (void)state;
        for (int i = 0; i <= YAML_MEMBERS_MAX; i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "k%d: 1\n", i);
        assert_refused(text, "t.yaml:1001:1: a map has more than 1000 members");
}

/* ---- memory ---- */

static enum err load_and_destroy(void *context)
{
        struct yaml_doc *doc;
        struct err_msg msg = {""};
        enum err rc = yaml_load_text(&doc, "t.yaml", slice_str(context), &msg);

        if (rc != OK)
                assert_true(doc == NULL && strncmp(msg.text, "no memory to read ", 18) == 0);
        yaml_destroy(&doc);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        char *text = repeat("list:\n", "- a: b\n", 300);

        (void)state;
        each_allocation_fails(load_and_destroy, text);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_node_knows_its_place),
                cmocka_unit_test(nothing_is_an_empty_document),
                cmocka_unit_test(a_value_that_says_nothing_is_empty),
                cmocka_unit_test(files_are_read),
                cmocka_unit_test(wrong_yaml_is_refused_in_its_place),
                cmocka_unit_test(what_configuration_has_no_use_for_is_refused),
                cmocka_unit_test(limits_are_held),
                cmocka_unit_test(maps_have_a_limit),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
