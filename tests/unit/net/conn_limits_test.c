/* What a connection may use up: of a turn, of memory, of the others' patience. By counts, and clocks that are told. */
#include "base/buf.h"
#include "monitoring/counters.h"
#include "net/client_memory.h"
#include "net/conn.h"
#include "net/pubsub.h"
#include "net/reply_queue.h"
#include "tests/lib/net_case.h"

#include <event2/event.h>

#include <stdio.h>
#include <sys/socket.h>

static struct client_limits *limits_of(struct net_case *s)
{
        return &s->rig.services.limits;
}

/* The loop asks the kernel once what is ready, and serves that. */
static void one_round(struct net_case *s)
{
        assert_int_not_equal(event_base_loop(s->rig.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
}

/* Writes without letting the lane work. */
static void put(int client, const char *request)
{
        assert_int_equal(write(client, request, strlen(request)), (ssize_t)strlen(request));
}

static void put_many(int client, const char *request, int times)
{
        struct buf all;

        buf_init(&all, 0);
        for (int i = 0; i < times; i++)
                assert_ok(buf_append_str(&all, request));
        assert_int_equal(write(client, buf_slice(&all).data, buf_len(&all)), (ssize_t)buf_len(&all));
        buf_deinit(&all);
}

/* How many bytes came, thrown away. */
static size_t take(int client, size_t most)
{
        char waste[16 * 1024];
        size_t all = 0;
        ssize_t got = 1;

        while (got > 0 && all < most) {
                size_t left = most - all;

                got = read(client, waste, left < sizeof(waste) ? left : sizeof(waste));
                all += got > 0 ? (size_t)got : 0;
        }
        return all;
}

static struct conn *first_conn(struct net_case *s)
{
        return conn_of_link(s->rig.lane.conns.next);
}

/* ---- turns ---- */

static void a_turn_has_so_many_words_and_then_the_others_are_served(void **state)
{
        enum { TURN = 20, COMMANDS = 100 };
        struct net_case *s = *state;
        int other = net_rig_connect(&s->rig);
        uint64_t given_up = counter_read(COUNTER_turns_given_up);

        limits_of(s)->turn_words = TURN;
        put_many(s->client, "PING\r\n", COMMANDS);
        for (int turn = 1; turn <= COMMANDS / TURN; turn++) {
                uint64_t before = counter_read(COUNTER_commands);

                put(other, "PING\r\n");
                one_round(s);
                assert_int_equal(counter_read(COUNTER_commands) - before, TURN + 1);
                assert_int_equal(take(s->client, SIZE_MAX), TURN * strlen("+PONG\r\n"));
                assert_int_equal(take(other, SIZE_MAX), strlen("+PONG\r\n"));
        }
        assert_int_equal(counter_read(COUNTER_turns_given_up) - given_up, COMMANDS / TURN - 1);
        net_rig_dialogue(&s->rig, s->client, "PING\r\n", "+PONG\r\n");
        close(other);
}

static void words_count_not_commands(void **state)
{
        struct net_case *s = *state;
        uint64_t before = counter_read(COUNTER_commands);

        limits_of(s)->turn_words = 20;
        put_many(s->client, "EXISTS student:1 student:2 student:3 student:4 student:5 student:6 student:7\r\n", 9);
        fake_source_hold(s->rig.fake);
        one_round(s);
        assert_int_equal(counter_read(COUNTER_commands) - before, 3); /* eight words each */
        one_round(s);
        assert_int_equal(counter_read(COUNTER_commands) - before, 6);
        fake_source_release(s->rig.fake);
        net_rig_expect(&s->rig, s->client, ":0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n");
}

static void greedy_clients_have_equal_turns(void **state)
{
        enum { TURN = 10, COMMANDS = 500, ROUNDS = 20 };
        struct net_case *s = *state;
        int other = net_rig_connect(&s->rig);

        limits_of(s)->turn_words = TURN;
        put_many(s->client, "PING\r\n", COMMANDS);
        put_many(other, "PING\r\n", COMMANDS);
        for (int i = 0; i < ROUNDS; i++)
                one_round(s);
        assert_int_equal(take(s->client, SIZE_MAX), ROUNDS * TURN * strlen("+PONG\r\n"));
        assert_int_equal(take(other, SIZE_MAX), ROUNDS * TURN * strlen("+PONG\r\n"));
        close(other);
}

static void what_waits_for_a_turn_is_not_added_to(void **state)
{
        enum { ROUNDS = 200, BYTES = 4096 };
        struct net_case *s = *state;

        limits_of(s)->turn_words = 1;
        limits_of(s)->turn_bytes = BYTES;
        for (int i = 0; i < ROUNDS; i++) {
                while (write(s->client, "PING\r\nPING\r\n", 12) == 12)
                        ;
                one_round(s);
                assert_in_range(conn_held_memory(first_conn(s)), 1, 48 * 1024);
        }
        assert_int_equal(take(s->client, SIZE_MAX), ROUNDS * strlen("+PONG\r\n"));
}

static void a_turn_ends_when_the_output_is_full_although_it_is_taken(void **state)
{
        enum { WORD = 1000, TURN = 5 };
        struct net_case *s = *state;
        char request[WORD + 64] = "ECHO ";
        uint64_t before = counter_read(COUNTER_commands);

        memset(request + 5, 'x', WORD);
        memcpy(request + 5 + WORD, "\r\n", 3);
        limits_of(s)->output_pause = TURN * WORD;
        put_many(s->client, request, 3 * TURN);
        one_round(s);
        assert_int_equal(counter_read(COUNTER_commands) - before, TURN);
        one_round(s);
        assert_int_equal(counter_read(COUNTER_commands) - before, 2 * TURN);
        net_rig_settle(&s->rig);
        assert_int_equal(counter_read(COUNTER_commands) - before, 3 * TURN);
}

static void only_so_many_commands_are_under_way(void **state)
{
        struct net_case *s = *state;

        limits_of(s)->commands = 3;
        fake_source_hold(s->rig.fake);
        net_rig_send(&s->rig, s->client, "GET student:1\r\nGET student:2\r\nGET student:3\r\nGET student:4\r\n");
        assert_int_equal(fake_source_reads(s->rig.fake), 3);
        fake_source_release(s->rig.fake);
        net_rig_expect(&s->rig, s->client, "$-1\r\n$-1\r\n$-1\r\n$-1\r\n");
}

/* ---- clients that do not read ---- */

/* Asks for much more than the socket holds, until the connection is paused. */
static void fill_output(struct net_case *s)
{
        enum { WORD = 3000 };
        uint64_t paused = counter_read(COUNTER_output_pauses);
        char request[WORD + 64] = "ECHO ";

        memset(request + 5, 'x', WORD);
        memcpy(request + 5 + WORD, "\r\n", 3);
        while (counter_read(COUNTER_output_pauses) == paused) {
                assert_true(write(s->client, request, strlen(request)) > 0);
                net_rig_settle(&s->rig);
        }
}

static void check_after(struct net_case *s, int64_t ms)
{
        lane_check_output(&s->rig.lane, nanos_add(clock_boot(), nanos_ms(ms)));
}

static void a_client_that_takes_nothing_is_paused_then_closed(void **state)
{
        struct net_case *s = *state;
        uint64_t stalled = counter_read(COUNTER_connections_stalled);
        uint64_t received;

        fill_output(s);
        while (send(s->client, "PING\r\n", 6, MSG_NOSIGNAL) == 6) /* what the kernel holds; no more is read */
                ;
        net_rig_settle(&s->rig);
        received = counter_read(COUNTER_bytes_received);
        net_rig_settle(&s->rig);
        assert_int_equal(counter_read(COUNTER_bytes_received), received);
        assert_in_range(conn_held_memory(first_conn(s)), 256 * 1024, 1024 * 1024);
        check_after(s, 50000);
        assert_int_equal(counter_read(COUNTER_connections_stalled), stalled);
        check_after(s, 61000);
        assert_int_equal(counter_read(COUNTER_connections_stalled), stalled + 1);
        assert_true(list_empty(&s->rig.lane.conns));
        assert_int_equal(client_memory_bytes(s->rig.services.client_memory), 0);
}

static void a_slow_client_is_served_to_the_end(void **state)
{
        struct net_case *s = *state;

        fill_output(s);
        check_after(s, 50000); /* nothing is said of the clock: what it takes now counts from now */
        (void)take(s->client, 100 * 1024);
        net_rig_settle(&s->rig);
        assert_false(list_empty(&s->rig.lane.unsent));
        check_after(s, 50000);
        while (take(s->client, SIZE_MAX) > 0)
                net_rig_settle(&s->rig);
        assert_true(list_empty(&s->rig.lane.unsent));
        check_after(s, 1000000);
        net_rig_dialogue(&s->rig, s->client, "PING\r\n", "+PONG\r\n");
}

static void patience_begins_anew_whenever_something_is_taken(void **state)
{
        struct net_case *s = *state;

        fill_output(s);
        (void)take(s->client, 50 * 1024);
        conn_service(first_conn(s), nanos_add(clock_boot(), nanos_ms(50000)));
        assert_false(list_empty(&s->rig.lane.unsent));
        check_after(s, 100000);
        assert_false(list_empty(&s->rig.lane.conns));
        check_after(s, 111000);
        assert_true(list_empty(&s->rig.lane.conns));
}

static void no_stall_is_too_long_where_none_is_configured(void **state)
{
        struct net_case *s = *state;

        limits_of(s)->output_stall = NANOS_ZERO;
        fill_output(s);
        check_after(s, 1000000000);
        assert_false(list_empty(&s->rig.lane.conns));
}

static void much_output_may_wait_for_so_long_only(void **state)
{
        struct net_case *s = *state;
        uint64_t overflowed = counter_read(COUNTER_connections_overflowed);

        limits_of(s)->output_stall = NANOS_ZERO;
        limits_of(s)->ordinary.soft = 200 * 1024;
        fill_output(s);
        check_after(s, 0);
        check_after(s, 9000);
        (void)take(s->client, SIZE_MAX);
        net_rig_settle(&s->rig); /* below the soft limit for a moment */
        check_after(s, 9500);
        fill_output(s);
        check_after(s, 11000);
        check_after(s, 20000);
        assert_int_equal(counter_read(COUNTER_connections_overflowed), overflowed);
        (void)take(s->client, 16); /* so little helps against the stall alone */
        check_after(s, 21000);
        assert_int_equal(counter_read(COUNTER_connections_overflowed), overflowed + 1);
        assert_true(list_empty(&s->rig.lane.conns));
}

/* ---- subscribers ---- */

enum { MESSAGE = 60000 };

static void publish(struct net_case *s, int times)
{
        static char payload[MESSAGE];

        memset(payload, 'x', sizeof(payload));
        for (int i = 0; i < times; i++)
                (void)pubsub_publish(s->rig.services.pubsub, slice_of(payload, sizeof(payload)));
        net_rig_settle(&s->rig);
}

static void a_subscriber_for_whom_too_much_waits_is_closed(void **state)
{
        struct net_case *s = *state;
        uint64_t overflowed = counter_read(COUNTER_connections_overflowed);
        int other = net_rig_connect(&s->rig);

        net_rig_send(&s->rig, s->client, "SUBSCRIBE invalidations\r\n");
        net_rig_send(&s->rig, other, "SUBSCRIBE invalidations\r\n");
        for (int i = 0; i < 20; i++) {
                publish(s, 1);
                (void)take(other, SIZE_MAX);
        }
        assert_int_equal(counter_read(COUNTER_connections_overflowed), overflowed + 1);
        assert_int_equal(pubsub_subscribers(s->rig.services.pubsub), 1);
        net_rig_dialogue(&s->rig, other, "PING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
        close(other);
}

static void much_may_wait_for_a_subscriber_for_so_long_only(void **state)
{
        struct net_case *s = *state;
        uint64_t overflowed = counter_read(COUNTER_connections_overflowed);

        net_rig_send(&s->rig, s->client, "SUBSCRIBE invalidations\r\n");
        while (list_empty(&s->rig.lane.unsent))
                publish(s, 1);
        publish(s, 3);
        check_after(s, 0);
        check_after(s, 9000);
        assert_int_equal(counter_read(COUNTER_connections_overflowed), overflowed);
        check_after(s, 10001);
        assert_int_equal(counter_read(COUNTER_connections_overflowed), overflowed + 1);
        assert_true(list_empty(&s->rig.lane.conns));
}

/* ---- memory ---- */

static uint64_t held(struct net_case *s)
{
        uint64_t sum = 0;

        LIST_FOREACH (it, &s->rig.lane.conns)
                sum += conn_held_memory(conn_of_link(it));
        return sum;
}

static void assert_account(struct net_case *s, uint64_t bytes)
{
        assert_int_equal(client_memory_bytes(s->rig.services.client_memory), held(s));
        assert_int_equal(held(s), bytes);
}

static void every_byte_is_accounted_and_given_back(void **state)
{
        struct net_case *s = *state;
        uint64_t idle;

        net_rig_dialogue(&s->rig, s->client, "PING\r\n", "+PONG\r\n");
        idle = held(s);
        assert_in_range(idle, 1, 4096); /* an idle client holds no buffers */
        assert_account(s, idle);
        net_rig_send(&s->rig, s->client, "*2\r\n$4\r\nECHO\r\n$1000\r\n");
        assert_true(held(s) >= idle + 16 * 1024); /* the room of one read */
        assert_account(s, held(s));
        put_many(s->client, "x", 1000);
        net_rig_send(&s->rig, s->client, "\r\n");
        assert_int_equal(take(s->client, SIZE_MAX), 7 + 1000 + 2);
        assert_account(s, idle);
        fake_source_hold(s->rig.fake);
        net_rig_send(&s->rig, s->client, "GET student:1\r\nPING\r\n");
        assert_true(held(s) >= idle + 2 * sizeof(struct reply_slot));
        assert_account(s, held(s));
        fake_source_release(s->rig.fake);
        net_rig_expect(&s->rig, s->client, "$-1\r\n+PONG\r\n");
        assert_account(s, idle);
        fill_output(s);
        assert_true(held(s) >= 256 * 1024);
        assert_account(s, held(s));
}

static void an_idle_client_holds_little_whatever_it_has_asked(void **state)
{
        enum { KEYS = 90, GOAL = 4096 };
        struct net_case *s = *state;
        struct buf typed;

        buf_init(&typed, 0);
        s->rig.services.limits.elements = 1000;
        close(s->client);
        s->client = net_rig_connect(&s->rig);
        assert_ok(buf_append_str(&typed, "EXISTS"));
        for (int i = 0; i < 3 * KEYS; i++)
                assert_ok(buf_append_str(&typed, " student:1"));
        assert_ok(buf_append(&typed, "\r\n", 3));
        net_rig_dialogue(&s->rig, s->client, (const char *)buf_slice(&typed).data, ":0\r\n");
        assert_in_range(held(s), 1, GOAL);
        buf_truncate(&typed, 0);
        assert_ok(buf_printf(&typed, "*%d\r\n$6\r\nEXISTS\r\n", 3 * KEYS + 1));
        for (int i = 0; i < 3 * KEYS; i++)
                assert_ok(buf_append_str(&typed, "$9\r\nstudent:1\r\n"));
        assert_ok(buf_append(&typed, "", 1));
        net_rig_dialogue(&s->rig, s->client, (const char *)buf_slice(&typed).data, ":0\r\n");
        fill_output(s);
        while (take(s->client, SIZE_MAX) > 0)
                net_rig_settle(&s->rig);
        assert_in_range(held(s), 1, GOAL);
        assert_account(s, held(s));
        buf_deinit(&typed);
}

static void one_that_left_is_accounted_until_its_commands_have_ended(void **state)
{
        struct net_case *s = *state;
        uint64_t idle = held(s);

        fake_source_hold(s->rig.fake);
        net_rig_send(&s->rig, s->client, "GET student:1\r\n*2\r\n$4\r\nECHO\r\n$60000\r\n");
        assert_true(held(s) >= idle + 16 * 1024);
        s->rig.services.limits.idle = nanos_ms(1000);
        lane_close_idle(&s->rig.lane, nanos_add(clock_boot(), nanos_ms(1001)));
        assert_int_equal(held(s), 0);
        assert_in_range(client_memory_bytes(s->rig.services.client_memory), idle, idle + 2048); /* no buffers */
        fake_source_release(s->rig.fake);
        net_rig_settle(&s->rig);
        assert_account(s, 0);
}

/* Sends the beginning of a request that takes `words` words of 60 000 bytes. */
static void begin_request(struct net_case *s, int client, int words)
{
        enum { WORD = 60000 };
        static char word[WORD + 32];
        int head = snprintf(word, sizeof(word), "$%d\r\n", WORD);

        memset(word + head, 'x', WORD);
        memcpy(word + head + WORD, "\r\n", 3);
        net_rig_send(&s->rig, client, "*99\r\n");
        for (int i = 0; i < words; i++)
                net_rig_send(&s->rig, client, word);
}

static void the_one_that_holds_most_is_closed_when_all_hold_too_much(void **state)
{
        enum { OTHERS = 6, MOST = 4 << 20 };
        struct net_case *s = *state;
        uint64_t evicted = counter_read(COUNTER_connections_evicted);
        int others[OTHERS];

        begin_request(s, s->client, 10); /* in a block of 1 MB */
        for (int i = 0; i < OTHERS; i++) {
                others[i] = net_rig_connect(&s->rig);
                assert_int_equal(counter_read(COUNTER_connections_evicted), evicted);
                begin_request(s, others[i], 5); /* in a block of 512 KB */
                assert_in_range(client_memory_bytes(s->rig.services.client_memory), 1, MOST);
        }
        assert_int_equal(counter_read(COUNTER_connections_evicted), evicted + 1);
        net_rig_expect_closed(&s->rig, s->client);
        assert_account(s, held(s));
        for (int i = 0; i < OTHERS; i++) {
                assert_int_equal(send(others[i], "x", 1, MSG_NOSIGNAL), 1);
                close(others[i]);
        }
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, net_case_setup, net_case_teardown)
        const struct CMUnitTest tests[] = {
                WITH_RIG(a_turn_has_so_many_words_and_then_the_others_are_served),
                WITH_RIG(words_count_not_commands),
                WITH_RIG(greedy_clients_have_equal_turns),
                WITH_RIG(what_waits_for_a_turn_is_not_added_to),
                WITH_RIG(a_turn_ends_when_the_output_is_full_although_it_is_taken),
                WITH_RIG(only_so_many_commands_are_under_way),
                WITH_RIG(a_client_that_takes_nothing_is_paused_then_closed),
                WITH_RIG(a_slow_client_is_served_to_the_end),
                WITH_RIG(patience_begins_anew_whenever_something_is_taken),
                WITH_RIG(no_stall_is_too_long_where_none_is_configured),
                WITH_RIG(much_output_may_wait_for_so_long_only),
                WITH_RIG(a_subscriber_for_whom_too_much_waits_is_closed),
                WITH_RIG(much_may_wait_for_a_subscriber_for_so_long_only),
                WITH_RIG(every_byte_is_accounted_and_given_back),
                WITH_RIG(an_idle_client_holds_little_whatever_it_has_asked),
                WITH_RIG(one_that_left_is_accounted_until_its_commands_have_ended),
                WITH_RIG(the_one_that_holds_most_is_closed_when_all_hold_too_much),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
