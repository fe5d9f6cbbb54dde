#include "base/dsn.h"

#include "tests/lib/test.h"

/* Each row's first text contains "s3cret" wherever a password is or may be; none of the second ones does. */
static const struct {
        const char *dsn;
        const char *shown;
} ROWS[] = {
        {"", ""},
        {"host=db user=vc dbname=school", "host=db user=vc dbname=school"},
        {"  host = db\tuser=vc ", "host=db user=vc"},
        {"host=db password=s3cret user=vc", "host=db password=*** user=vc"},
        {"password = 's3cret two' host=db", "password=*** host=db"},
        {"password='it\\'s s3cret' host=db", "password=*** host=db"},
        {"password=s3\\ s3cret host=db", "password=*** host=db"},
        {"sslpassword=s3cret PASSWORD=s3cret", "sslpassword=*** PASSWORD=***"},
        {"application_name='a b' password=''", "application_name='a b' password=***"},
        {"password=s3cret://x host=db", "password=*** host=db"},
        {"postgresql://db/school", "postgresql://db/school"},
        {"postgresql://vc@db:5432,db2:5433/school?sslmode=require",
                "postgresql://vc@db:5432,db2:5433/school?sslmode=require"},
        {"postgres://vc:s3cret@db/school", "postgres://vc:***@db/school"},
        {"postgres://:s3cret@/school?host=/run", "postgres://:***@/school?host=/run"},
        {"postgresql://vc:s3@s3cret/s3cret@db/x", "postgresql://vc:***@db/x"},
        {"postgresql://db/x?user=vc&password=s3cret&sslmode=require",
                "postgresql://db/x?user=vc&password=***&sslmode=require"},
        /* not understood: nothing is shown */
        {"host=db password='s3cret", "***"},
        {"host=db s3cret", "***"},
        {"s3cret", "***"},
        {"=s3cret", "***"},
        {"postgresql://vc:s3?s3cret@db/x", "***"},
        {"postgresql://db/x?s3cret", "***"},
        {"postgresql://db/x?pass%77ord=s3cret", "***"},
};

static void no_password_is_shown(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
                struct buf out;

                buf_init(&out, 0);
                assert_ok(buf_append_str(&out, "<"));
                assert_ok(dsn_append_shown(&out, ROWS[i].dsn));
                assert_ok(buf_append(&out, "", 1));
                assert_string_equal((const char *)buf_slice(&out).data + 1, ROWS[i].shown);
                assert_null(strstr(ROWS[i].shown, "s3cret"));
                buf_deinit(&out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_password_is_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
