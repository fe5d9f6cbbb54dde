/* JSON in, what import_json gave its sink, as text that a test can compare. */
#ifndef TESTS_LIB_IMPORT_CASE_H
#define TESTS_LIB_IMPORT_CASE_H

#include "base/buf.h"
#include "import/import_json.h"
#include "tests/lib/test.h"

/* One in a line: rows as `line table student id`, what is left out as `line! table field reason origin`, what is not
 * kept as `- kind`. */
struct import_case {
        struct buf text;
        struct buf last; /* the last row */
        unsigned items;
        unsigned bads;
        unsigned ignored;
        bool silent; /* count only */
        struct slice prefix;
        size_t value_max;
};

void import_case_init(struct import_case *c);
void import_case_deinit(struct import_case *c);

/* An import for the case, fed by `feed`. */
enum err import_case_run(
        struct import_case *c, enum err (*feed)(struct import_json *import, void *context), void *context) MUST_CHECK;

/* Reads `json` in pieces of `piece` bytes. */
enum err import_case_read(struct import_case *c, struct slice json, size_t piece) MUST_CHECK;

/* Fails unless the input becomes exactly that, in one piece and byte by byte; ' stands for " in both, as JSON in C
 * strings is hard to read with its quotes escaped. `given` is for its prefix and limit. */
void assert_import_given(const struct import_case *given, const char *json, const char *expected);
void assert_import(const char *json, const char *expected);

#endif
