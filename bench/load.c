/* The load generator: one client for all servers that are compared (RESP, and memcached's text protocol), so that what
 * differs is the servers. Prints one line of JSON; bench/speed runs it. */
#include "bench/load_run.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static double micros(uint64_t nanos)
{
        return (double)nanos / 1000.0;
}

static double seconds(struct nanos span)
{
        return (double)span.ns / (double)NANOS_PER_S;
}

static void print_result(const struct load_result *r)
{
        const double time = seconds(r->time);
        const double requests = (double)r->requests;

        (void)printf("{\"requests\": %.0f, \"seconds\": %.6f, \"rate\": %.1f, \"server_seconds\": %.6f, "
                     "\"client_busy\": %.3f, \"missing\": %llu, \"errors\": %llu",
                requests, time, requests / time, seconds(r->server), seconds(r->client) / time,
                (unsigned long long)r->missing, (unsigned long long)r->errors);
        (void)printf(
                ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, \"lag_p99_us\": %.1f}\n",
                micros(histogram_quantile(&r->latencies, 0.5)), micros(histogram_quantile(&r->latencies, 0.99)),
                micros(histogram_quantile(&r->latencies, 0.999)), micros(r->latencies.max),
                micros(histogram_quantile(&r->lags, 0.99)));
        (void)fflush(stdout);
}

static void await_end_of_input(void)
{
        char bytes[256];

        while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
                ;
}

static enum err run(const struct load_options *options, struct err_msg *msg)
{
        struct load_result *result = vc_calloc(1, sizeof(*result));
        struct load *load = NULL;
        enum err rc = result == NULL ? ERR_NOMEM : load_create(&load, options, msg);

        if (rc == OK)
                rc = load_run(load, result, msg);
        if (rc == OK)
                print_result(result);
        if (rc == OK && options->hold)
                await_end_of_input();
        load_destroy(&load);
        vc_free(result);
        return rc;
}

int main(int argc, char **argv)
{
        struct load_options options;
        struct err_msg msg = {""};
        enum err rc;

        if (argc == 2 && strcmp(argv[1], "--help") == 0)
                return fputs(load_options_help(), stdout) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        rc = load_options_parse(&options, argc, argv, &msg);
        if (rc == OK)
                rc = run(&options, &msg);
        if (rc == OK)
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "load: %s\n", msg.text[0] == '\0' ? err_text(rc) : msg.text);
        return rc == ERR_BADARG ? 2 : EXIT_FAILURE;
}
