#include "bench/load_run.h"

#include "tests/lib/test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16 };

/* A server on a thread: it knows how long a request is, and answers each with the same bytes; `hold` of them have to be
 * there before it answers the first. */
struct server {
        int listener;
        uint16_t port;
        size_t request_size;
        const char *reply;
        uint64_t hold;
        uint64_t seen; /* requests, for the test to read when the thread has ended */
        pthread_t thread;
        struct pollfd sockets[CLIENTS_MAX + 1];
        size_t bytes[CLIENTS_MAX + 1];  /* of a request that is not complete */
        uint64_t owed[CLIENTS_MAX + 1]; /* replies */
        unsigned count;                 /* of sockets */
        unsigned gone;
};

static void pay(struct server *s)
{
        for (unsigned i = 1; s->seen >= s->hold && i < s->count; i++) {
                for (; s->owed[i] > 0; s->owed[i]--)
                        (void)send(s->sockets[i].fd, s->reply, strlen(s->reply), MSG_NOSIGNAL);
        }
}

static void take(struct server *s, unsigned i)
{
        static uint8_t bytes[1 << 16];
        const ssize_t n = recv(s->sockets[i].fd, bytes, sizeof(bytes), 0);

        if (n <= 0) {
                close(s->sockets[i].fd);
                s->sockets[i].fd = -1; /* poll passes over it */
                s->gone++;
                return;
        }
        s->bytes[i] += (size_t)n;
        s->owed[i] += s->bytes[i] / s->request_size;
        s->seen += s->bytes[i] / s->request_size;
        s->bytes[i] %= s->request_size;
}

static void welcome(struct server *s)
{
        const int on = 1;
        const int fd = accept(s->listener, NULL, NULL);

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        s->sockets[s->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Ends when all who came have gone. */
static void *serve(void *arg)
{
        struct server *s = arg;

        s->sockets[0] = (struct pollfd){.fd = s->listener, .events = POLLIN};
        s->count = 1;
        while (s->count == 1 || s->gone < s->count - 1) {
                (void)poll(s->sockets, s->count, -1);
                for (unsigned i = s->count; --i > 0;) {
                        if (s->sockets[i].fd >= 0 && s->sockets[i].revents != 0)
                                take(s, i);
                }
                pay(s);
                if (s->sockets[0].revents != 0 && s->count <= CLIENTS_MAX)
                        welcome(s);
        }
        return NULL;
}

static void start(struct server *s, const char *reply, uint64_t hold)
{
        struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(here);

        memset(s, 0, sizeof(*s));
        s->reply = reply;
        s->hold = hold;
        s->request_size = strlen("*2\r\n$3\r\nGET\r\n$22\r\nallergies:000000000000\r\n");
        s->listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(s->listener, (struct sockaddr *)&here, sizeof(here)), 0);
        assert_int_equal(getsockname(s->listener, (struct sockaddr *)&here, &len), 0);
        assert_int_equal(listen(s->listener, CLIENTS_MAX), 0);
        s->port = ntohs(here.sin_port);
        assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
        assert_int_equal(pthread_join(s->thread, NULL), 0);
        close(s->listener);
}

static struct load_options options_for(const struct server *s)
{
        return (struct load_options){.port = s->port,
                .request = {.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 1, .value = 5},
                .keys = {.order = KEYS_UNIFORM, .count = 100, .seed = 1},
                .connections = 3,
                .pipeline = 4};
}

static void run(const struct load_options *options, struct load_result *result, enum err expected)
{
        struct err_msg msg = {""};
        struct load *load;

        assert_ok(load_create(&load, options, &msg));
        assert_err(expected, load_run(load, result, &msg));
        load_destroy(&load);
}

static void so_many_requests_are_exactly_so_many(void **state)
{
        struct load_result *result = test_calloc(1, sizeof(*result));
        struct load_options options;
        struct server server;

        (void)state;
        start(&server, "$5\r\nhello\r\n", 0);
        options = options_for(&server);
        options.requests = 1001; /* no multiple of a batch */
        run(&options, result, OK);
        stop(&server);
        assert_int_equal(server.seen, 1001);
        assert_int_equal(result->requests, 1001);
        assert_int_equal(result->latencies.total, 1001);
        assert_int_equal(result->missing, 0);
        assert_int_equal(result->errors, 0);
        assert_true(result->time.ns > 0);
        test_free(result);
}

static void what_is_no_value_is_told(void **state)
{
        struct load_result *result = test_calloc(1, sizeof(*result));
        struct load_options options;
        struct server server;

        (void)state;
        start(&server, "$-1\r\n", 0);
        options = options_for(&server);
        options.requests = 100;
        run(&options, result, OK);
        stop(&server);
        assert_int_equal(result->missing, 100);
        assert_int_equal(result->errors, 0);
        start(&server, "$4\r\nhell\r\n", 0);
        options.port = server.port;
        run(&options, result, OK);
        stop(&server);
        assert_int_equal(result->missing, 100);
        assert_int_equal(result->errors, 100);
        test_free(result);
}

static void another_protocol_ends_the_run(void **state)
{
        struct load_result *result = test_calloc(1, sizeof(*result));
        struct load_options options;
        struct server server;

        (void)state;
        start(&server, "HTTP/1.1 400 Bad Request\r\n\r\n", 0);
        options = options_for(&server);
        options.requests = 100;
        run(&options, result, ERR_IO);
        stop(&server);
        test_free(result);
}

/* A closed loop has one batch on each connection, and no more: a server that waits for one more than that gets none. */
static void a_closed_loop_waits(void **state)
{
        struct load_result *result = test_calloc(1, sizeof(*result));
        struct load_options options;
        struct server server;

        (void)state;
        start(&server, "$5\r\nhello\r\n", 3 * 4);
        options = options_for(&server);
        options.requests = 3 * 4 * 5;
        run(&options, result, OK);
        stop(&server);
        assert_int_equal(server.seen, 3 * 4 * 5);
        test_free(result);
}

/* The server answers nothing until it has 40 requests, of 1 000 a second: an open loop goes on sending them, and the
 * first has waited for the 39 that followed it, though each was answered as soon as the server came to answer. */
static void an_open_loop_does_not_wait_and_counts_from_the_intended_time(void **state)
{
        struct load_result *result = test_calloc(1, sizeof(*result));
        struct load_options options;
        struct server server;

        (void)state;
        start(&server, "$5\r\nhello\r\n", 40);
        options = options_for(&server);
        options.rate = 1000;
        options.pipeline = 1;
        options.measured = nanos_ms(100);
        run(&options, result, OK);
        stop(&server);
        assert_int_equal(server.seen, 101); /* one at either end, however late this machine let us send them */
        assert_int_equal(result->requests, 101);
        assert_true(result->latencies.max >= 39 * (uint64_t)NANOS_PER_MS);
        test_free(result);
}

static void a_server_that_is_not_there_is_told(void **state)
{
        struct load_options options = {.port = 1,
                .request = {.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 1},
                .keys = {.count = 1},
                .connections = 1,
                .pipeline = 1};
        struct err_msg msg = {""};
        struct load *load;

        (void)state;
        assert_err(ERR_IO, load_create(&load, &options, &msg));
        assert_null(load);
        assert_string_equal(msg.text, "connection 1: cannot connect: Connection refused");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(so_many_requests_are_exactly_so_many),
                cmocka_unit_test(what_is_no_value_is_told),
                cmocka_unit_test(another_protocol_ends_the_run),
                cmocka_unit_test(a_closed_loop_waits),
                cmocka_unit_test(an_open_loop_does_not_wait_and_counts_from_the_intended_time),
                cmocka_unit_test(a_server_that_is_not_there_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
