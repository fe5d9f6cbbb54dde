/* Records in JSON: FHIR resources and Bundles, and the lines that vitalcache itself writes, in files of any of the
 * forms that import/json_split.h finds values in. Each value is one of
 *
 *      {"resourceType": "Bundle", …}                a Bundle: all that is in it (import/fhir_bundle.h)
 *      {"resourceType": …}                          another resource of FHIR R4 (import/fhir.h)
 *      {"table": …, "row": {…}}                     a line of an export
 *      {"table": …, "columns": […], "cells": […]}   a row of a CSV file
 *      {"reason": …, "origin": {…}}                 a line of a rejects file: its origin, mended or not, is one of the
 *                                                   above, or {"text": "…"} with JSON text that is one of them
 *
 * and anything else a `bad` that says so. One value may be broken or senseless without harm to the others. */
#ifndef IMPORT_IMPORT_JSON_H
#define IMPORT_IMPORT_JSON_H

#include "import/import_names.h"
#include "import/import_sink.h"

struct import_json;

enum { IMPORT_JSON_VALUE_MAX = 64 << 20 };

struct import_json_config {
        struct import_sink sink;
        struct import_names *names; /* of tables; borrowed: they must live as long as the sink uses an item's table */
        struct slice prefix;        /* put before the id of each student; borrowed */
        struct slice today;         /* for rows of CSV files, as in struct import_layout; borrowed */
        size_t value_max; /* bytes of one value's text; 0: IMPORT_JSON_VALUE_MAX. Longer ones are left out, and those of
                           * more items than a sixteenth of it */
};

/* Starts an input. The config is copied. ERR_NOMEM; *out is NULL then. One owner at a time. */
enum err import_json_create(struct import_json **out, const struct import_json_config *config) MUST_CHECK;
void import_json_destroy(struct import_json **import);

/* Reads on, in pieces of any size, and gives the sink what is complete. ERR_NOMEM, or what the sink returned; only
 * destroy may follow then. */
enum err import_json_feed(struct import_json *import, struct slice bytes) MUST_CHECK;

/* The end of the input. Errors as import_json_feed. */
enum err import_json_finish(struct import_json *import) MUST_CHECK;

#endif
