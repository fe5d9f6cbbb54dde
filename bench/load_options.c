#include "bench/load_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>

static const char help[] =
        "usage: load --port N [option ...]\n"
        "Sends requests to a server on this machine and prints what came of it as one line of JSON.\n"
        "\n"
        "  --protocol resp|memcached   resp\n"
        "  --command get|set           get; set stores the values that the keys are to have\n"
        "  --per-request N             keys of one request, 1; more: MGET, and get of several keys\n"
        "  --keys N                    how many keys there are, 10000\n"
        "  --zipf S                    key k in proportion to 1/(k+1)^S, instead of each alike\n"
        "  --in-order                  one key after the other\n"
        "  --seed N                    of the choice of keys, 1\n"
        "  --value N                   bytes that values have, 512; with get, others are errors; 0: any\n"
        "  --expires                   set: values expire (after a day)\n"
        "  --connections N             50\n"
        "  --pipeline N                requests sent together on a connection, 1; the next when all are answered\n"
        "  --rate N                    open loop: so many requests a second, latency from when each was to be sent\n"
        "  --seconds S --warmup S      how long is measured, 2, after how long, 0.5\n"
        "  --requests N                instead: exactly so many, without a warm-up\n"
        "  --server-pid N              tells the processor time that this process took meanwhile\n"
        "  --hold                      one request on each connection; they stay open until standard input ends\n";

enum flag {
        PORT = 1,
        PROTOCOL,
        COMMAND,
        PER_REQUEST,
        KEYS,
        ZIPF,
        IN_ORDER,
        SEED,
        VALUE,
        EXPIRES,
        CONNECTIONS,
        PIPELINE,
        RATE,
        SECONDS,
        WARMUP,
        REQUESTS,
        SERVER_PID,
        HOLD
};

static const struct option flags[] = {
        {"port", required_argument, NULL, PORT},
        {"protocol", required_argument, NULL, PROTOCOL},
        {"command", required_argument, NULL, COMMAND},
        {"per-request", required_argument, NULL, PER_REQUEST},
        {"keys", required_argument, NULL, KEYS},
        {"zipf", required_argument, NULL, ZIPF},
        {"in-order", no_argument, NULL, IN_ORDER},
        {"seed", required_argument, NULL, SEED},
        {"value", required_argument, NULL, VALUE},
        {"expires", no_argument, NULL, EXPIRES},
        {"connections", required_argument, NULL, CONNECTIONS},
        {"pipeline", required_argument, NULL, PIPELINE},
        {"rate", required_argument, NULL, RATE},
        {"seconds", required_argument, NULL, SECONDS},
        {"warmup", required_argument, NULL, WARMUP},
        {"requests", required_argument, NULL, REQUESTS},
        {"server-pid", required_argument, NULL, SERVER_PID},
        {"hold", no_argument, NULL, HOLD},
        {NULL, 0, NULL, 0},
};

/* ---- what an option is given ---- */

struct given {
        const char *text;
        struct err_msg *msg;
        bool wrong;
};

static uint64_t number(struct given *given, uint64_t least, uint64_t most)
{
        char *end;
        uint64_t n;

        errno = 0;
        n = strtoull(given->text, &end, 10);
        if (errno == 0 && *end == '\0' && end != given->text && given->text[0] != '-' && n >= least && n <= most)
                return n;
        given->wrong = err_set(given->msg, ERR_BADARG, "%s is no number from %llu to %llu", given->text,
                               (unsigned long long)least, (unsigned long long)most) != OK;
        return least;
}

static double real(struct given *given, double most)
{
        char *end;
        const double n = strtod(given->text, &end);

        if (end != given->text && *end == '\0' && isfinite(n) && n >= 0 && n <= most)
                return n;
        given->wrong = err_set(given->msg, ERR_BADARG, "%s is no number from 0 to %g", given->text, most) != OK;
        return 0;
}

static struct nanos span(struct given *given)
{
        return (struct nanos){(int64_t)(real(given, 86400) * (double)NANOS_PER_S)};
}

/* The place of the word among two. */
static int word(struct given *given, const char *first, const char *second)
{
        if (strcmp(given->text, first) == 0)
                return 0;
        if (strcmp(given->text, second) != 0)
                given->wrong =
                        err_set(given->msg, ERR_BADARG, "%s is neither %s nor %s", given->text, first, second) != OK;
        return 1;
}

static void take_number(struct load_options *o, int flag, struct given *given)
{
        switch (flag) {
        case PORT: o->port = (uint16_t)number(given, 1, UINT16_MAX); break;
        case PER_REQUEST: o->request.keys = (uint32_t)number(given, 1, REQUESTS_KEYS_MAX); break;
        case KEYS: o->keys.count = (uint32_t)number(given, 1, 1000000000); break;
        case SEED: o->keys.seed = number(given, 0, UINT64_MAX); break;
        case VALUE: o->request.value = (uint32_t)number(given, 0, 1u << 28); break;
        case CONNECTIONS: o->connections = (uint32_t)number(given, 1, 1000000); break;
        case PIPELINE: o->pipeline = (uint32_t)number(given, 1, 10000); break;
        case RATE: o->rate = number(given, 1, 100000000); break;
        case REQUESTS: o->requests = number(given, 1, UINT64_MAX); break;
        default: o->server = (pid_t)number(given, 1, INT32_MAX); break;
        }
}

static void take(struct load_options *o, int flag, struct given *given)
{
        switch (flag) {
        case PROTOCOL: o->request.protocol = (enum protocol)word(given, "resp", "memcached"); break;
        case COMMAND: o->request.kind = (enum request_kind)word(given, "get", "set"); break;
        case ZIPF:
                o->keys.order = KEYS_ZIPF;
                o->keys.exponent = real(given, 10);
                break;
        case IN_ORDER: o->keys.order = KEYS_IN_ORDER; break;
        case EXPIRES: o->request.expires = true; break;
        case SECONDS: o->measured = span(given); break;
        case WARMUP: o->warmup = span(given); break;
        case HOLD: o->hold = true; break;
        default: take_number(o, flag, given); break;
        }
}

static enum err check(const struct load_options *o, struct err_msg *msg)
{
        if (o->port == 0)
                return err_set(msg, ERR_BADARG, "--port says where the server listens");
        if (o->request.kind == REQUEST_SET && (o->request.keys > 1 || o->request.value < REQUESTS_VALUE_MIN))
                return err_set(
                        msg, ERR_BADARG, "set is of one key, and of a value of %d bytes at least", REQUESTS_VALUE_MIN);
        if (o->rate > 0 && (o->requests > 0 || o->pipeline > 1))
                return err_set(msg, ERR_BADARG, "--rate goes with neither --requests nor --pipeline");
        return OK;
}

enum err load_options_parse(struct load_options *out, int argc, char **argv, struct err_msg *msg)
{
        struct given given = {.msg = msg};
        int flag;

        *out = (struct load_options){
                .request = {.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 1, .value = 512},
                .keys = {.order = KEYS_UNIFORM, .count = 10000, .seed = 1},
                .connections = 50,
                .pipeline = 1,
                .warmup = nanos_ms(500),
                .measured = nanos_ms(2000),
        };
        opterr = 0;
        optind = 1;
        while (!given.wrong && (flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
                given.text = optarg;
                if (flag == '?')
                        return err_set(msg, ERR_BADARG, "%s: no such option, or no value for it", argv[optind - 1]);
                take(out, flag, &given);
        }
        if (given.wrong)
                return ERR_BADARG;
        if (optind < argc)
                return err_set(msg, ERR_BADARG, "%s is no option", argv[optind]);
        if (out->hold)
                out->requests = out->connections;
        return check(out, msg);
}

const char *load_options_help(void)
{
        return help;
}
