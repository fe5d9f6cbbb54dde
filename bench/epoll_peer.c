/* The least that a server of these requests can be: one thread, one epoll, one read and one write for each wake-up, and
 * a fixed table of values. It answers GET and MGET of the keys of bench/requests.h, and knows nothing of freshness,
 * expiry, writing, limits or counting. What vitalcached costs beyond it is what all that costs.
 *
 * usage: epoll_peer PORT KEYS VALUE_BYTES */
#include "base/hash.h"
#include "bench/requests.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM_IN = 1 << 16, ROOM_OUT = 1 << 22, WORDS_MAX = 1 + REQUESTS_KEYS_MAX, EVENTS = 256, KEY_MAX = 64 };

struct place {
        char key[KEY_MAX];
        size_t key_len;
        char *reply; /* "$100\r\n…\r\n" */
        size_t reply_len;
};

struct client {
        int fd;
        size_t len;
        uint8_t in[ROOM_IN];
};

static struct place *table;
static uint64_t mask;
static char out[ROOM_OUT];
static size_t out_len;

static _Noreturn void die(const char *what)
{
        perror(what);
        exit(EXIT_FAILURE);
}

static struct place *place_of(struct slice key)
{
        uint64_t at = hash64(key, 1) & mask;

        while (table[at].key_len > 0 && !slice_equal(slice_of(table[at].key, table[at].key_len), key))
                at = (at + 1) & mask;
        return &table[at];
}

static void fill_table(unsigned keys, int value)
{
        char key[KEY_MAX];
        struct place *place;

        for (mask = 1; mask < 2 * (uint64_t)keys; mask *= 2)
                ;
        table = calloc(mask--, sizeof(*table));
        for (unsigned k = 0; table != NULL && k < keys; k++) {
                const int len = snprintf(key, sizeof(key), REQUESTS_PREFIX "%012u", k);

                place = place_of(slice_of(key, (size_t)len));
                memcpy(place->key, key, (size_t)len);
                place->key_len = (size_t)len;
                place->reply_len = (size_t)asprintf(
                        &place->reply, "$%d\r\n\"%012u%*s\"\r\n", value, k, value - REQUESTS_VALUE_MIN, "");
                for (char *space = place->reply; (space = strchr(space, ' ')) != NULL;)
                        *space = 'x';
        }
        if (table == NULL)
                die("calloc");
}

static void put(const char *bytes, size_t len)
{
        if (len > ROOM_OUT - out_len)
                die("reply too long");
        memcpy(out + out_len, bytes, len);
        out_len += len;
}

/* Reads "<mark><number>\r\n" at *at. False: it is not all there. */
static bool read_head(const uint8_t **at, const uint8_t *end, char mark, size_t *number)
{
        const uint8_t *p = *at;

        if (p == end)
                return false;
        if (*p++ != mark)
                die("not a request");
        for (*number = 0; p < end && *p >= '0' && *p <= '9'; p++)
                *number = *number * 10 + (size_t)(*p - '0');
        if (end - p < 2)
                return false;
        *at = p + 2;
        return true;
}

/* The words of the request at *at, and behind it. 0: it is not all there. */
static size_t read_request(const uint8_t **at, const uint8_t *end, struct slice *words)
{
        const uint8_t *p = *at;
        size_t count;
        size_t len;

        if (!read_head(&p, end, '*', &count))
                return 0;
        if (count == 0 || count > WORDS_MAX)
                die("words");
        for (size_t w = 0; w < count; w++) {
                if (!read_head(&p, end, '$', &len) || (size_t)(end - p) < len + 2)
                        return 0;
                words[w] = slice_of(p, len);
                p += len + 2;
        }
        *at = p;
        return count;
}

static void answer(const struct slice *words, size_t count)
{
        char head[32];

        if (slice_equal(words[0], slice_str("MGET")))
                put(head, (size_t)snprintf(head, sizeof(head), "*%zu\r\n", count - 1));
        else if (!slice_equal(words[0], slice_str("GET")))
                put("-ERR unknown\r\n", 14);
        for (size_t w = 1; w < count; w++) {
                const struct place *place = place_of(words[w]);

                if (place->key_len > 0)
                        put(place->reply, place->reply_len);
                else
                        put("$-1\r\n", 5);
        }
}

static void send_all(int fd)
{
        for (size_t sent = 0; sent < out_len;) {
                ssize_t n = send(fd, out + sent, out_len - sent, MSG_NOSIGNAL);

                if (n <= 0)
                        break; /* it has gone; the next read says so */
                sent += (size_t)n;
        }
        out_len = 0;
}

static void serve(struct client *c)
{
        static struct slice words[WORDS_MAX];
        const ssize_t n = recv(c->fd, c->in + c->len, ROOM_IN - c->len, 0);
        const uint8_t *at = c->in;
        size_t count;

        if (n <= 0) {
                close(c->fd);
                free(c);
                return;
        }
        c->len += (size_t)n;
        while ((count = read_request(&at, c->in + c->len, words)) > 0)
                answer(words, count);
        c->len -= (size_t)(at - c->in);
        memmove(c->in, at, c->len);
        send_all(c->fd);
}

static void welcome(int listener, int loop)
{
        struct client *c = malloc(sizeof(*c));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        const int on = 1;

        if (c == NULL)
                die("malloc");
        c->len = 0;
        c->fd = accept(listener, NULL, NULL);
        if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
                epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event) != 0)
                die("accept");
}

static int listen_at(unsigned port)
{
        struct sockaddr_in here = {
                .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        const int on = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
                bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(fd, SOMAXCONN) != 0)
                die("listen");
        return fd;
}

int main(int argc, char **argv)
{
        struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.ptr = NULL}};
        int listener;
        int loop;

        if (argc != 4 || strtol(argv[3], NULL, 10) < REQUESTS_VALUE_MIN)
                return EXIT_FAILURE;
        fill_table((unsigned)strtoul(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
        listener = listen_at((unsigned)strtoul(argv[1], NULL, 10));
        loop = epoll_create1(0);
        if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &events[0]) != 0)
                die("epoll");
        (void)fprintf(stderr, "ready\n");
        for (;;) {
                const int ready = epoll_wait(loop, events, EVENTS, -1);

                for (int i = 0; i < ready; i++) {
                        if (events[i].data.ptr == NULL)
                                welcome(listener, loop);
                        else
                                serve(events[i].data.ptr);
                }
        }
}
