#include "base/yaml_get.h"

#include "tests/lib/test.h"

static struct yaml_doc *doc;

/* The value of the one key of `text`; tear_down frees the document. */
static const struct yaml_node *value_in(const char *text)
{
        struct err_msg msg = {""};

        yaml_destroy(&doc);
        if (yaml_load_text(&doc, "t", slice_str(text), &msg) != OK)
                fail_msg("%s", msg.text);
        return yaml_root(doc)->first;
}

static int make_nothing(void **state)
{
        (void)state;
        doc = NULL;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        yaml_destroy(&doc);
        return 0;
}

static void kinds_are_expected(void **state)
{
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_expect(value_in("a: []\n"), YAML_LIST, "a list", &msg));
        assert_err(ERR_CONFIG, yaml_expect(value_in("a: []\n"), YAML_MAP, "a map of things", &msg));
        assert_string_equal(msg.text, "t:1:4: a is a list; it must be a map of things");
        assert_err(ERR_CONFIG, yaml_expect(value_in("a:\n"), YAML_MAP, "a map of things", &msg));
        assert_string_equal(msg.text, "t:1:3: a has no value; it must be a map of things");
        assert_err(ERR_CONFIG, yaml_expect(value_in("a: {}\n"), YAML_SCALAR, "a word", NULL));
}

static void keys_must_be_known(void **state)
{
        static const char *const names[] = {"first", "second"};
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_known_keys(value_in("a: {second: 1, first: 2}\n"), names, 2, &msg));
        assert_err(ERR_CONFIG, yaml_known_keys(value_in("a: {frist: 1}\n"), names, 2, &msg));
        assert_string_equal(msg.text, "t:1:5: unknown key \"frist\" (did you mean \"first\"?)");
        assert_err(ERR_CONFIG, yaml_known_keys(value_in("a: {other: 1}\n"), names, 2, &msg));
        assert_string_equal(msg.text, "t:1:5: unknown key \"other\"");
}

static void texts_say_something(void **state)
{
        const char *text = "before";
        struct err_msg msg = {""};

        (void)state;
        assert_err(ERR_CONFIG, yaml_text(value_in("a: null\n"), &text, &msg));
        assert_string_equal(msg.text, "t:1:4: a has no value");
        assert_err(ERR_CONFIG, yaml_text(value_in("a: [x]\n"), &text, &msg));
        assert_string_equal(text, "before");
        assert_ok(yaml_text(value_in("a: 'null'\n"), &text, &msg));
        assert_string_equal(text, "null");
}

static void booleans_are_two_words(void **state)
{
        bool flag = false;
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_bool(value_in("a: true\n"), &flag, &msg));
        assert_true(flag);
        assert_ok(yaml_bool(value_in("a: false\n"), &flag, &msg));
        assert_false(flag);
        assert_err(ERR_CONFIG, yaml_bool(value_in("a: on\n"), &flag, &msg));
        assert_string_equal(msg.text, "t:1:4: a is \"on\"; it must be true or false");
}

static void quantities_are_checked(void **state)
{
        static const struct yaml_range range = {QUANTITY_DURATION, 1000000000, 3600000000000};
        uint64_t value = 5;
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_quantity(value_in("a: 1m\n"), range, &value, &msg));
        assert_true(value == 60000000000);
        assert_err(ERR_CONFIG, yaml_quantity(value_in("a: 2h\n"), range, &value, &msg));
        assert_string_equal(msg.text, "t:1:4: a is 2h; it must be 1s to 1h");
        assert_err(ERR_CONFIG, yaml_quantity(value_in("a: 2\n"), range, &value, NULL));
        assert_true(value == 60000000000);
}

static void words_are_of_a_list(void **state)
{
        static const char *const words[] = {"one", "list", "composite", NULL};
        uint32_t index = 9;
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_word(value_in("a: list\n"), words, &index, &msg));
        assert_int_equal(index, 1);
        assert_err(ERR_CONFIG, yaml_word(value_in("a: lsit\n"), words, &index, &msg));
        assert_string_equal(
                msg.text, "t:1:4: a is \"lsit\"; it must be one of one, list, composite (did you mean \"list\"?)");
        assert_int_equal(index, 1);
}

static void names_are_of_letters_digits_and_underscores(void **state)
{
        static const char *const wrong[] = {"a: 1a\n", "a: _a\n", "a: a-b\n", "a: a b\n", "a: ''\n", "a: é\n"};
        struct err_msg msg = {""};

        (void)state;
        assert_ok(yaml_name(value_in("a: birth_date2\n"), 64, &msg));
        assert_ok(yaml_name(value_in("a: birthDate\n"), 10, &msg));
        assert_err(ERR_CONFIG, yaml_name(value_in("a: birthDate\n"), 9, &msg));
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_err(ERR_CONFIG, yaml_name(value_in(wrong[i]), 64, &msg));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds_are_expected),
                cmocka_unit_test(keys_must_be_known),
                cmocka_unit_test(texts_say_something),
                cmocka_unit_test(booleans_are_two_words),
                cmocka_unit_test(quantities_are_checked),
                cmocka_unit_test(words_are_of_a_list),
                cmocka_unit_test(names_are_of_letters_digits_and_underscores),
        };

        return cmocka_run_group_tests(tests, make_nothing, tear_down);
}
