/* The bytes of requests, for servers that speak RESP and for memcached: one text, made once, into which each request
 * writes the numbers of its keys. So a request costs the client a copy and a few digits.
 *
 * Key number 7 is "allergies:000000000007", a key of vitalcache that the other servers take as well; its value, as
 * bench_server has it and SET stores it, is the JSON text "000000000007xxx…x" of the size wanted, quotes included. */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "base/err.h"
#include "base/slice.h"

enum { REQUESTS_KEYS_MAX = 1000, REQUESTS_DIGITS = 12, REQUESTS_VALUE_MIN = REQUESTS_DIGITS + 2 };

#define REQUESTS_PREFIX "allergies:"

enum protocol { PROTOCOL_RESP, PROTOCOL_MEMCACHED };
enum request_kind { REQUEST_GET, REQUEST_SET };

struct requests_config {
        enum protocol protocol;
        enum request_kind kind;
        uint32_t keys;  /* of one request; 1 for SET. More than 1: MGET */
        uint32_t value; /* SET: bytes of the value, at least REQUESTS_VALUE_MIN */
        bool expires;   /* SET: the value gets an expiry, of a day */
};

struct requests;

/* ERR_NOMEM; *out is NULL then. */
enum err requests_create(struct requests **out, const struct requests_config *config) MUST_CHECK;
/* NULL-safe; nulls. */
void requests_destroy(struct requests **requests);

/* Bytes of a request; all are of one length. Constant. */
size_t requests_size(const struct requests *requests);
/* Of the configuration; constant. */
enum protocol requests_protocol(const struct requests *requests);

/* Writes the request for these keys (as many as configured, each below 10^12) to `out`, of requests_size() bytes. */
void requests_write(const struct requests *requests, const uint32_t *keys, uint8_t *out);

#endif
