/* Numbers of JSON texts, without loss or not at all. */
#ifndef DATABASE_JSON_NUMBER_H
#define DATABASE_JSON_NUMBER_H

#include "base/assert.h"
#include "base/slice.h"

struct json_number {
        bool is_float; /* it has a fraction or an exponent */
        int64_t integer;
        double real;
};

/* The value of `text`, a number by JSON's grammar (the caller's promise). False: 64 bits cannot hold it without loss,
 * as it is past int64, or has more digits than a float keeps, or more than 400 characters. Pure; any thread. */
bool json_number_read(struct slice text, struct json_number *out) MUST_CHECK;

#endif
