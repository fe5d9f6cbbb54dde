#include "database/pg_lookup.h"

#include "base/mem.h"
#include "tests/lib/test.h"

#include <event2/event.h>

struct found {
        struct event_base *base;
        enum err err;
        uint32_t count;
        int calls;
};

static void on_found(void *context, enum err err, struct pg_hosts *hosts)
{
        struct found *found = context;

        found->err = err;
        found->count = hosts->count;
        found->calls++;
        pg_hosts_deinit(hosts);
}

static struct pg_hosts host(const char *name)
{
        struct pg_hosts hosts = {vc_calloc(1, sizeof(struct pg_host)), 1};

        assert_non_null(hosts.list);
        hosts.list[0] = (struct pg_host){vc_strdup(name), vc_strdup(""), vc_strdup("1")};
        return hosts;
}

static void the_loop_is_told_what_was_found(void **state)
{
        struct found found = {.base = event_base_new()};
        struct pg_hosts known = host("localhost"), unknown = host("no-such-host.invalid");
        struct pg_lookup *lookup;

        (void)state;
        assert_ok(pg_lookup_start(&lookup, found.base, &known, on_found, &found));
        assert_int_equal(known.count, 0);
        event_base_dispatch(found.base);
        assert_ok(found.err);
        assert_true(found.count >= 1);

        assert_ok(pg_lookup_start(&lookup, found.base, &unknown, on_found, &found));
        event_base_dispatch(found.base);
        assert_err(ERR_NOTFOUND, found.err);
        assert_int_equal(found.count, 0);
        assert_int_equal(found.calls, 2);
        event_base_free(found.base);
}

static void nobody_is_told_after_a_cancel(void **state)
{
        struct found found = {.base = event_base_new()};
        struct pg_lookup *lookup;

        (void)state;
        for (int i = 0; i < 20; i++) {
                struct pg_hosts hosts = host("localhost");

                assert_ok(pg_lookup_start(&lookup, found.base, &hosts, on_found, &found));
                pg_lookup_cancel(&lookup);
                assert_null(lookup);
                pg_lookup_cancel(&lookup); /* NULL-safe */
        }
        event_base_dispatch(found.base);
        assert_int_equal(found.calls, 0);
        event_base_free(found.base);
}

static _Bool refuse(void *context)
{
        (void)context;
        return 0;
}

static void what_was_given_is_freed_when_it_cannot_start(void **state)
{
        struct found found = {.base = event_base_new()};
        struct pg_hosts hosts = host("localhost");
        struct pg_lookup *lookup;

        (void)state;
        mem_set_gate(refuse, NULL);
        assert_err(ERR_NOMEM, pg_lookup_start(&lookup, found.base, &hosts, on_found, &found));
        mem_set_gate(NULL, NULL);
        assert_null(lookup);
        assert_int_equal(hosts.count, 0);
        event_base_free(found.base);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_loop_is_told_what_was_found),
                cmocka_unit_test(nobody_is_told_after_a_cancel),
                cmocka_unit_test(what_was_given_is_freed_when_it_cannot_start),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
