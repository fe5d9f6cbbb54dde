/* Where a row of a CSV file that was left out came from, as a rejects file keeps it (import/import_own.h reads it
 * back, once it has been mended):
 *
 *      {"table": "allergies", "columns": ["START", …], "cells": ["2020-13-01", …]}      a row
 *      {"table": "allergies", "columns": ["START", …], "text": "2020-01-01,\"Pea…"}     a line with broken quotes
 *
 * JSON is UTF-8: bytes that are not are taken for Latin-1, which most of them are. */
#ifndef IMPORT_IMPORT_ORIGIN_H
#define IMPORT_IMPORT_ORIGIN_H

#include "base/buf.h"
#include "import/import_layout.h"

/* The origin of a row, and of a line that is none, in place of what *out holds: JSON. Errors as buf_append. Any thread.
 */
enum err import_origin_of_row(
        const struct import_layout *layout, const struct csv_row *row, struct buf *out) MUST_CHECK;
enum err import_origin_of_text(const struct import_layout *layout, struct slice text, struct buf *out) MUST_CHECK;

#endif
