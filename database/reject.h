/* Why one row, record or resource is left out while the others are taken: a reason of reject_reasons.def and the field
 * that it is about. Holds no patient data, so it may be shown, counted and logged. */
#ifndef DATABASE_REJECT_H
#define DATABASE_REJECT_H

#include "base/assert.h"
#include "base/slice.h"

enum reject_reason {
#define REJECT(name, word, text) REJECT_##name,
#include "database/reject_reasons.def"
#undef REJECT
        REJECT_REASON_COUNT
};

enum { REJECT_FIELD_SIZE = 64 };

struct reject {
        enum reject_reason reason;
        char field[REJECT_FIELD_SIZE]; /* terminated, cut at the size; "": it is about the whole */
};

/* A reject of the field `field` (NULL: of the whole). Pure; any thread. */
struct reject reject_of(enum reject_reason reason, const char *field);

/* Its word, and its sentence; literals. Any thread. */
const char *reject_word(enum reject_reason reason);
const char *reject_text(enum reject_reason reason);

/* The reason of a word; false when there is none such. Any thread. */
bool reject_reason_of(struct slice word, enum reject_reason *out) MUST_CHECK;

/* True when both are about the same field for the same reason. Pure; any thread. */
bool reject_equal(const struct reject *a, const struct reject *b);

#endif
