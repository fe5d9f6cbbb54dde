#include "database/pg_trouble.h"

#include "tests/lib/test.h"

static void libpqs_words_become_ours(void **state)
{
        static const struct {
                const char *message;
                const char *sqlstate;
                const char *text; /* a part of ours */
        } cases[] = {
                {"connection to server at \"h\", port 1 failed: FATAL:  28P01\n", "28P01", "password was refused"},
                {"connection to server failed: FATAL:  28000", "28000", "pg_hba.conf"},
                {"x failed: FATAL:  3D000\n", "3D000", "no such database"},
                {"x failed: FATAL:  53300\n", "53300", "no room"},
                {"x failed: FATAL:  57P03\n", "57P03", "starting up"},
                {"x failed: FATAL:  08P01\n", "08P01", "session_settings"},
                {"a failed: FATAL:  28P01\nb failed: FATAL:  57P03\n", "57P03", "starting up"},
                {"x failed: FATAL:  XX000\n", "XX000", "could not be reached"},
                {"x failed: Connection refused\n\tIs the server running?\n", "", "nobody listens"},
                {"x failed: No such file or directory\n", "", "nobody listens at that socket"},
                {"x failed: SSL error: certificate verify failed\n", "", "certificate was not accepted"},
                {"x failed: server does not support SSL, but SSL was required\n", "", "TLS could not"},
                {"x failed: session is read-only\n", "", "target_session_attrs"},
                {"x failed: server is in hot standby mode\n", "", "target_session_attrs"},
                {"could not translate host name \"h\" to address: Unknown\n", "", "name service"},
                {"invalid sslmode value: \"maybe\"\n", "", "the DSN has a value"},
                {"x failed: FATAL:  25006\n", "25006", "it is a standby"},
                {"invalid port number: \"x\"\n", "", "the DSN has a value"},
                {"", "", "could not be reached"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct pg_trouble trouble = pg_trouble_of_connect(cases[i].message);

                assert_string_equal(trouble.sqlstate, cases[i].sqlstate);
                assert_non_null(strstr(trouble.text, cases[i].text));
                assert_true(trouble.opening && !trouble.no_answer);
        }
}

static void nothing_of_the_message_is_taken_for_a_state(void **state)
{
        static const char *const messages[] = {
                "password:  secret\n", "FATAL:  28P01X\n", "FATAL:  28p01\n", "FATAL:  28P0\n", ":  "};

        (void)state;
        for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
                assert_string_equal(pg_trouble_of_connect(messages[i]).sqlstate, "");
}

static void a_loss_says_why_when_postgresql_did(void **state)
{
        (void)state;
        assert_string_equal(pg_trouble_of_loss("").text, "the connection broke");
        assert_string_equal(pg_trouble_of_loss("57P01").sqlstate, "57P01");
        assert_non_null(strstr(pg_trouble_of_loss("57P01").text, "shut down"));
        assert_false(pg_trouble_of_loss("57P01").opening);
        assert_true(pg_trouble_of_silence(true).opening && pg_trouble_of_silence(true).no_answer);
        assert_false(pg_trouble_of_silence(false).opening);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(libpqs_words_become_ours),
                cmocka_unit_test(nothing_of_the_message_is_taken_for_a_state),
                cmocka_unit_test(a_loss_says_why_when_postgresql_did),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
