#include "base/suggest.h"

#include "tests/lib/test.h"

static const char *const NAMES[] = {"cache", "server", "database", "log", "l1"};

/* The nearest of NAMES, and none as "". */
static void assert_nearest(const char *given, const char *expected)
{
        struct suggest suggest;

        suggest_init(&suggest, slice_str(given));
        for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
                suggest_offer(&suggest, slice_str(NAMES[i]));
        assert_slice_is(suggest.nearest, expected);
}

static void near_names_are_found(void **state)
{
        (void)state;
        assert_nearest("cahce", "cache");  /* swapped */
        assert_nearest("cach", "cache");   /* left out */
        assert_nearest("cacche", "cache"); /* added */
        assert_nearest("cacle", "cache");  /* changed */
        assert_nearest("DATABASE", "database");
        assert_nearest("datbaes", "database");
        assert_nearest("logs", "log");
        assert_nearest("l2", "l1");
}

static void far_names_are_not(void **state)
{
        (void)state;
        assert_nearest("postgres", "");
        assert_nearest("", "");
        assert_nearest("xyz", "");
        assert_nearest("serverserverserverserverserverserverserverserverserverserverserver", "");
}

static void of_equally_near_names_the_first_stays(void **state)
{
        struct suggest suggest;

        (void)state;
        suggest_init(&suggest, slice_str("max"));
        suggest_offer(&suggest, slice_str("may"));
        suggest_offer(&suggest, slice_str("mac"));
        assert_slice_is(suggest.nearest, "may");
}

static void the_message_gets_the_question(void **state)
{
        struct suggest suggest;
        struct err_msg msg = {"unknown key \"cahce\""};

        (void)state;
        suggest_init(&suggest, slice_str("cahce"));
        assert_err(ERR_CONFIG, suggest_append(&suggest, ERR_CONFIG, &msg));
        assert_string_equal(msg.text, "unknown key \"cahce\"");
        suggest_offer(&suggest, slice_str("cache"));
        assert_err(ERR_CONFIG, suggest_append(&suggest, ERR_CONFIG, &msg));
        assert_string_equal(msg.text, "unknown key \"cahce\" (did you mean \"cache\"?)");
        assert_err(ERR_CONFIG, suggest_append(&suggest, ERR_CONFIG, NULL));
}

static void a_full_message_stays_whole(void **state)
{
        struct suggest suggest;
        struct err_msg msg;

        (void)state;
        memset(msg.text, 'x', sizeof(msg.text) - 1);
        msg.text[sizeof(msg.text) - 1] = '\0';
        suggest_init(&suggest, slice_str("a"));
        suggest_offer(&suggest, slice_str("a"));
        assert_err(ERR_CONFIG, suggest_append(&suggest, ERR_CONFIG, &msg));
        assert_int_equal(strlen(msg.text), sizeof(msg.text) - 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(near_names_are_found),
                cmocka_unit_test(far_names_are_not),
                cmocka_unit_test(of_equally_near_names_the_first_stays),
                cmocka_unit_test(the_message_gets_the_question),
                cmocka_unit_test(a_full_message_stays_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
