/* What waits, what goes out together and when: database/pg_gather.c. */
#include "database/pg_gather.h"

#include "tests/lib/test.h"

#include <stdio.h>

enum { READS = 64, READS_MAX = 8 };

struct state {
        struct pg_gather gather;
        struct source_read reads[READS];
        uint32_t used;
        char seen[512]; /* "2 1" for exchanges of so many reads; "BUSY" for a read that failed */
        uint32_t room;
        bool refuses; /* start() answers at once */
};

static void note(struct state *s, const char *what)
{
        const size_t used = strlen(s->seen);

        (void)snprintf(s->seen + used, sizeof(s->seen) - used, "%s%s", used == 0 ? "" : " ", what);
}

static bool start(void *context, struct list *reads)
{
        struct state *s = context;
        char text[32];
        int count = 0;

        for (; !list_empty(reads); count++)
                (void)list_pop_front(reads);
        (void)snprintf(text, sizeof(text), "%d", count);
        note(s, text);
        return !s->refuses;
}

static void on_fail(void *context, struct source_read *read, enum err status)
{
        (void)read;
        note(context, err_name(status));
}

static uint32_t room_of(void *context)
{
        const struct state *s = context;

        return s->room;
}

static int set_up(void **out)
{
        struct state *s = test_calloc(1, sizeof(*s));

        s->room = 2;
        pg_gather_init(&s->gather, &(struct pg_gather_config){.reads_max = READS_MAX,
                                           .room = room_of,
                                           .patience = nanos_ms(1),
                                           .most_wait = nanos_ms(100),
                                           .start = start,
                                           .fail = on_fail,
                                           .context = s});
        *out = s;
        return 0;
}

static int tear_down(void **in)
{
        test_free(*in);
        return 0;
}

/* A tick that asks for so many at `ms`. */
static void ask(struct state *s, int count, int ms)
{
        for (int i = 0; i < count; i++) {
                struct source_read *read = &s->reads[s->used++];

                assert_true(s->used <= READS);
                read->asked = nanos_ms(ms);
                pg_gather_add(&s->gather, read);
        }
        pg_gather_send(&s->gather, nanos_ms(ms));
}

static void expect(struct state *s, const char *seen, struct nanos due)
{
        assert_string_equal(s->seen, seen);
        assert_int_equal(pg_gather_due(&s->gather).ns, due.ns);
        s->seen[0] = '\0';
}

static void nothing_waits_while_nothing_is_out(void **in)
{
        struct state *s = *in;

        expect(s, "", NANOS_NEVER);
        ask(s, 3, 10);
        expect(s, "3", NANOS_NEVER);
        pg_gather_returned(&s->gather, nanos_ms(11));
        ask(s, 1, 12);
        expect(s, "1", NANOS_NEVER);
}

static void what_comes_meanwhile_goes_out_together_at_the_return(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 2, 10);
        ask(s, 3, 10);
        expect(s, "1", nanos_ms(11));
        pg_gather_returned(&s->gather, nanos_ms(10));
        expect(s, "5", NANOS_NEVER);
}

static void a_slow_exchange_holds_others_only_for_so_long(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 2, 10);
        pg_gather_tick(&s->gather, (struct nanos){nanos_ms(11).ns - 1});
        expect(s, "1", nanos_ms(11));
        pg_gather_tick(&s->gather, nanos_ms(11));
        expect(s, "2", NANOS_NEVER);
}

static void when_all_connections_are_busy_reads_wait_for_a_return(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 1, 10);
        pg_gather_tick(&s->gather, nanos_ms(11));
        ask(s, 2, 12);
        pg_gather_tick(&s->gather, nanos_ms(20));
        expect(s, "1 1", nanos_ms(112));
        pg_gather_returned(&s->gather, nanos_ms(20));
        expect(s, "2", NANOS_NEVER);
}

static void there_may_be_more_room_or_less_than_before(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 1, 10);
        pg_gather_tick(&s->gather, nanos_ms(11));
        ask(s, 1, 12);
        expect(s, "1 1", nanos_ms(112));
        s->room = 3;
        expect(s, "", nanos_ms(13));
        pg_gather_tick(&s->gather, nanos_ms(13));
        expect(s, "1", NANOS_NEVER);
        s->room = 2;
        ask(s, 1, 14);
        pg_gather_returned(&s->gather, nanos_ms(15)); /* two are out as yet */
        expect(s, "", nanos_ms(114));
        pg_gather_returned(&s->gather, nanos_ms(16));
        expect(s, "1", NANOS_NEVER);
}

static void nobody_waits_for_ever(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 1, 10);
        pg_gather_tick(&s->gather, nanos_ms(11));
        ask(s, 2, 12);
        ask(s, 1, 13);
        expect(s, "1 1", nanos_ms(112));
        pg_gather_tick(&s->gather, nanos_ms(112));
        expect(s, "BUSY BUSY", nanos_ms(113));
        pg_gather_returned(&s->gather, nanos_ms(112));
        expect(s, "1", NANOS_NEVER);
}

static void an_exchange_has_a_most(void **in)
{
        struct state *s = *in;

        ask(s, READS_MAX + 1, 10);
        expect(s, "8", nanos_ms(11));
        ask(s, READS_MAX, 10); /* a full one needs no more company */
        expect(s, "8", nanos_ms(110));
        pg_gather_returned(&s->gather, nanos_ms(10));
        expect(s, "1", NANOS_NEVER);
}

static void what_could_not_be_sent_is_not_out(void **in)
{
        struct state *s = *in;

        s->refuses = true;
        ask(s, READS_MAX + 1, 10);
        expect(s, "8 1", NANOS_NEVER);
        assert_int_equal(s->gather.out, 0);
}

static void at_the_end_all_that_waits_fails(void **in)
{
        struct state *s = *in;

        ask(s, 1, 10);
        ask(s, 2, 10);
        pg_gather_close(&s->gather);
        expect(s, "1 UNAVAILABLE UNAVAILABLE", NANOS_NEVER);
        ask(s, 1, 10);
        pg_gather_returned(&s->gather, nanos_ms(10));
        expect(s, "UNAVAILABLE", NANOS_NEVER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(nothing_waits_while_nothing_is_out, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        what_comes_meanwhile_goes_out_together_at_the_return, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_slow_exchange_holds_others_only_for_so_long, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        when_all_connections_are_busy_reads_wait_for_a_return, set_up, tear_down),
                cmocka_unit_test_setup_teardown(there_may_be_more_room_or_less_than_before, set_up, tear_down),
                cmocka_unit_test_setup_teardown(nobody_waits_for_ever, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_exchange_has_a_most, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_could_not_be_sent_is_not_out, set_up, tear_down),
                cmocka_unit_test_setup_teardown(at_the_end_all_that_waits_fails, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
