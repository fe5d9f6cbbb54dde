/* Where the readers of import formats (CSV, FHIR, vitalcache's own lines) put what they find. */
#ifndef IMPORT_IMPORT_SINK_H
#define IMPORT_IMPORT_SINK_H

#include "base/err.h"
#include "database/reject.h"

/* A row, as the server's IMPORT takes it. */
struct import_item {
        const char *table; /* "allergies"; lives as long as the import */
        uint64_t line;     /* of the input, from 1; where it begins */
        struct slice row;  /* a msgpack map with `student`, `id` and the record's fields */
};

/* What is left out, and why. `origin` is the JSON object that a rejects file keeps, so that it can be mended and
 * imported again; empty: none is kept. One of
 *      {"resourceType": …}                                 a FHIR resource, as it came
 *      {"table": …, "columns": […], "cells": […]}          a row of a CSV file
 *      {"table": …, "row": {…}}                            a row as IMPORT takes it
 *      {"text": "…"}                                       what could not be read as any of them */
struct import_bad {
        uint64_t line;
        struct reject reject;
        const char *table; /* as above; NULL: not known */
        struct slice origin;
};

/* All that the calls are given is borrowed for their time. Any result but OK ends the reading with that result. */
struct import_sink {
        enum err (*item)(void *context, const struct import_item *item);
        enum err (*bad)(void *context, const struct import_bad *bad);
        enum err (*ignored)(void *context, const char *kind); /* a kind of resource that is not kept; no literal */
        void *context;
};

#endif
