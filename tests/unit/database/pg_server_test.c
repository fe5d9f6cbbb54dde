#include "database/pg_server.h"

#include "tests/lib/test.h"

static struct pg_server server_of(const char *dsn)
{
        return (struct pg_server){.name = "primary",
                .dsn = dsn,
                .connect_timeout = nanos_ms(1000),
                .statement_timeout = nanos_ms(2500),
                .prepared_max = 4,
                .session_settings = true};
}

static const struct pg_hosts none = {NULL, 0};

/* The last value of a keyword is the one that libpq takes. */
static const char *word_of(const struct pg_server_words *words, const char *keyword)
{
        const char *value = "";

        for (size_t i = 0; words->keywords[i] != NULL; i++)
                if (strcmp(words->keywords[i], keyword) == 0)
                        value = words->values[i];
        return value;
}

static void a_dsn_that_cannot_be_read_is_not_quoted(void **state)
{
        static const char *const bad[] = {
                "host=h password=s3cret broken", "postgresql://u:s3cret@[h/db", "s3cret", "s3cret=1", "host='s3cret"};
        struct err_msg msg;

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct pg_server server = server_of(bad[i]);
                struct pg_server_words words;
                struct pg_hosts hosts;

                assert_err(ERR_CONFIG, pg_server_check(&server, &msg));
                assert_null(strstr(msg.text, "s3cret"));
                assert_non_null(strstr(msg.text, "primary"));
                assert_err(ERR_CONFIG, pg_server_hosts(&server, &hosts));
                assert_err(ERR_CONFIG, pg_server_words_init(&words, &server, &hosts, 0));
        }
}

static void a_dsn_of_either_form_can_be_read(void **state)
{
        struct pg_server words = server_of("host=a password='it\\'s'"),
                         url = server_of("postgresql://a/b?sslmode=require");

        (void)state;
        assert_ok(pg_server_check(&words, NULL));
        assert_ok(pg_server_check(&url, NULL));
}

static void the_place_has_no_role_and_no_password(void **state)
{
        static const struct {
                const char *dsn;
                const char *place;
        } cases[] = {
                {"host=db1,db2 port=5433 user=u password=s3cret dbname=clinic", "db1:5433,db2:5433/clinic"},
                {"postgresql://u:s3cret@db1:1,db2:2/clinic?sslmode=verify-full", "db1:1,db2:2/clinic"},
                {"hostaddr=10.0.0.1 dbname=d", "10.0.0.1:5432/d"},
                {"dbname=d", "local/d"},
                {"host=a,b hostaddr=::1 dbname=d", "local/d"}, /* lists that do not fit together */
                {"s3cret", "?"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct pg_server server = server_of(cases[i].dsn);
                char place[PG_SERVER_PLACE_SIZE];

                pg_server_place(&server, place);
                assert_string_equal(place, cases[i].place);
        }
}

static void a_long_place_is_cut(void **state)
{
        char dsn[2000] = "", place[PG_SERVER_PLACE_SIZE];
        struct pg_server server = server_of(dsn);

        (void)state;
        memset(dsn, 'h', sizeof dsn);
        memcpy(dsn, "host=", 5);
        for (size_t i = 6; i < sizeof dsn; i += 60)
                dsn[i] = ',';
        dsn[sizeof dsn - 1] = '\0';
        pg_server_place(&server, place);
        assert_int_equal(strlen(place), PG_SERVER_PLACE_SIZE - 1);
}

static void hosts_are_the_given_ones(void **state)
{
        struct pg_server server = server_of("host=a,b port=1,2 dbname=d");
        struct pg_server_words words;
        struct pg_hosts hosts;

        (void)state;
        assert_ok(pg_server_hosts(&server, &hosts));
        assert_ok(pg_server_words_init(&words, &server, &hosts, 1));
        assert_string_equal(word_of(&words, "host"), "b,a");
        assert_string_equal(word_of(&words, "hostaddr"), ",");
        assert_string_equal(word_of(&words, "port"), "2,1");
        assert_string_equal(word_of(&words, "dbname"), "d");
        pg_server_words_deinit(&words);
        pg_hosts_deinit(&hosts);
        assert_ok(pg_server_words_init(&words, &server, &hosts, 1)); /* none are given: the DSN's own */
        assert_string_equal(word_of(&words, "host"), "a,b");
        pg_server_words_deinit(&words);
}

static void options_of_the_dsn_stand_before_ours(void **state)
{
        struct pg_server server = server_of("options='-c work_mem=1MB -c TimeZone=Asia/Tokyo'");
        struct pg_server_words words;
        const char *options;

        (void)state;
        server.search_path = "\"my schema\", a\\b";
        assert_ok(pg_server_words_init(&words, &server, &none, 0));
        options = word_of(&words, "options");
        assert_ptr_equal(strstr(options, "-c work_mem=1MB -c TimeZone=Asia/Tokyo"), options);
        assert_non_null(strstr(options, " -c TimeZone=UTC "));
        assert_non_null(strstr(options, " -c statement_timeout=2500"));
        assert_non_null(strstr(options, " -c search_path=\"my\\ schema\",\\ a\\\\b"));
        pg_server_words_deinit(&words);

        server.prepared = true;
        assert_ok(pg_server_words_init(&words, &server, &none, 0));
        options = word_of(&words, "options");
        assert_ptr_equal(strstr(options, "-c plan_cache_mode=force_generic_plan -c work_mem=1MB"), options);
        pg_server_words_deinit(&words);

        server.session_settings = false;
        assert_ok(pg_server_words_init(&words, &server, &none, 0));
        assert_string_equal(word_of(&words, "options"), "-c work_mem=1MB -c TimeZone=Asia/Tokyo");
        pg_server_words_deinit(&words);
}

static void what_does_not_fit_is_refused(void **state)
{
        char path[PG_SERVER_SQL_SIZE], sql[PG_SERVER_SQL_SIZE];
        struct pg_server server = server_of("");
        struct pg_server_words words;

        (void)state;
        memset(path, 'p', sizeof path);
        path[sizeof path - 1] = '\0';
        server.search_path = path;
        assert_err(ERR_CONFIG, pg_server_words_init(&words, &server, &none, 0));
        assert_err(ERR_LIMIT, pg_server_session_sql(&server, sql));
}

static void the_transactions_settings_are_sql(void **state)
{
        struct pg_server server = server_of("");
        char sql[PG_SERVER_SQL_SIZE];

        (void)state;
        server.search_path = "\"it's\"";
        assert_ok(pg_server_session_sql(&server, sql));
        assert_string_equal(sql, "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true), "
                                 "set_config('IntervalStyle', 'iso_8601', true), "
                                 "set_config('bytea_output', 'hex', true), "
                                 "set_config('extra_float_digits', '1', true), "
                                 "set_config('statement_timeout', '2500', true), "
                                 "set_config('idle_in_transaction_session_timeout', '60000', true), "
                                 "set_config('search_path', '\"it''s\"', true)");
}

static enum err make_words(void *context)
{
        struct pg_server server = server_of("host=a,b port=1,2");
        struct pg_server_words words;
        struct pg_hosts hosts;
        enum err err = pg_server_hosts(&server, &hosts);

        (void)context;
        if (err == OK)
                err = pg_server_words_init(&words, &server, &hosts, 1);
        if (err == OK)
                pg_server_words_deinit(&words);
        pg_hosts_deinit(&hosts);
        return err;
}

static void survives_want_of_memory(void **state)
{
        (void)state;
        each_allocation_fails(make_words, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_dsn_that_cannot_be_read_is_not_quoted),
                cmocka_unit_test(a_dsn_of_either_form_can_be_read),
                cmocka_unit_test(the_place_has_no_role_and_no_password),
                cmocka_unit_test(a_long_place_is_cut),
                cmocka_unit_test(hosts_are_the_given_ones),
                cmocka_unit_test(options_of_the_dsn_stand_before_ours),
                cmocka_unit_test(what_does_not_fit_is_refused),
                cmocka_unit_test(the_transactions_settings_are_sql),
                cmocka_unit_test(survives_want_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
