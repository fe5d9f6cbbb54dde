#include "database/pg_hosts.h"

#include "base/mem.h"
#include "tests/lib/test.h"

static struct pg_hosts hosts_of(const char *dsn)
{
        PQconninfoOption *options = PQconninfoParse(dsn, NULL);
        struct pg_hosts hosts;

        assert_non_null(options);
        assert_ok(pg_hosts_read(&hosts, options));
        PQconninfoFree(options);
        return hosts;
}

static void free_lists(struct pg_host *lists)
{
        vc_free(lists->name);
        vc_free(lists->address);
        vc_free(lists->port);
}

static void lists_are_taken_apart_and_joined_in_turn(void **state)
{
        static const char *const names[] = {"a,/run,c", "/run,c,a", "c,a,/run", "a,/run,c"};
        static const char *const addresses[] = {"::1,,", ",,::1", ",::1,", "::1,,"};
        struct pg_hosts hosts = hosts_of("host=a,/run,c hostaddr=::1,, port=7");
        struct pg_host lists;

        (void)state;
        assert_int_equal(hosts.count, 3);
        for (uint32_t first = 0; first < 4; first++) {
                assert_ok(pg_hosts_join(&hosts, first, &lists));
                assert_string_equal(lists.name, names[first]);
                assert_string_equal(lists.address, addresses[first]);
                assert_string_equal(lists.port, "7,7,7");
                free_lists(&lists);
        }
        pg_hosts_deinit(&hosts);
}

static void lists_that_do_not_fit_are_left_to_libpq(void **state)
{
        static const char *const dsns[] = {
                "dbname=d", "port=1", "host=a,b hostaddr=::1", "host=a,b,c port=1,2", "host=a port=1,2"};

        (void)state;
        for (size_t i = 0; i < sizeof dsns / sizeof *dsns; i++)
                assert_int_equal(hosts_of(dsns[i]).count, 0);
}

static void only_names_without_an_address_are_looked_up(void **state)
{
        static const struct {
                const char *dsn;
                bool lookup;
        } cases[] = {
                {"host=db1", true},
                {"host=127.0.0.1,::1,/run,@abstract", false},
                {"host=db1 hostaddr=10.0.0.1", false},
                {"host=/run,db1", true},
                {"host=db1,db2 hostaddr=10.0.0.1,", true},
                {"hostaddr=10.0.0.1", false},
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct pg_hosts hosts = hosts_of(cases[i].dsn);

                assert_int_equal(pg_hosts_need_lookup(&hosts), cases[i].lookup);
                pg_hosts_deinit(&hosts);
        }
}

static void names_become_addresses_and_unknown_ones_are_dropped(void **state)
{
        struct pg_hosts hosts = hosts_of("host=/run,localhost,no-such-host.invalid port=1,2,3");

        (void)state;
        assert_ok(pg_hosts_look_up(&hosts));
        assert_true(hosts.count >= 2);
        assert_string_equal(hosts.list[0].name, "/run");
        for (uint32_t i = 1; i < hosts.count; i++) {
                assert_string_equal(hosts.list[i].name, "localhost");
                assert_string_equal(hosts.list[i].port, "2");
                assert_true(
                        strcmp(hosts.list[i].address, "127.0.0.1") == 0 || strcmp(hosts.list[i].address, "::1") == 0);
        }
        assert_false(pg_hosts_need_lookup(&hosts));
        pg_hosts_deinit(&hosts);

        hosts = hosts_of("host=no-such-host.invalid");
        assert_err(ERR_NOTFOUND, pg_hosts_look_up(&hosts));
        assert_int_equal(hosts.count, 1); /* as it was */
        pg_hosts_deinit(&hosts);
}

static enum err read_look_up_join(void *context)
{
        PQconninfoOption *options = PQconninfoParse("host=localhost,/run port=1,2", NULL);
        struct pg_hosts hosts;
        struct pg_host lists = {NULL, NULL, NULL};
        enum err err = pg_hosts_read(&hosts, options);

        (void)context;
        PQconninfoFree(options);
        if (err == OK)
                err = pg_hosts_look_up(&hosts);
        if (err == OK)
                err = pg_hosts_join(&hosts, 0, &lists);
        free_lists(&lists);
        pg_hosts_deinit(&hosts);
        return err;
}

static void survives_want_of_memory(void **state)
{
        (void)state;
        each_allocation_fails(read_look_up_join, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_taken_apart_and_joined_in_turn),
                cmocka_unit_test(lists_that_do_not_fit_are_left_to_libpq),
                cmocka_unit_test(only_names_without_an_address_are_looked_up),
                cmocka_unit_test(names_become_addresses_and_unknown_ones_are_dropped),
                cmocka_unit_test(survives_want_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
