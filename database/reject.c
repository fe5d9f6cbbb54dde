#include "database/reject.h"

#include <stdio.h>

static const struct {
        const char *word;
        const char *text;
} REASONS[REJECT_REASON_COUNT] = {
#define REJECT(name, word, text) {word, text},
#include "database/reject_reasons.def"
#undef REJECT
};

struct reject reject_of(enum reject_reason reason, const char *field)
{
        struct reject reject = {.reason = reason};

        (void)snprintf(reject.field, sizeof(reject.field), "%s", field == NULL ? "" : field);
        return reject;
}

const char *reject_word(enum reject_reason reason)
{
        return REASONS[reason].word;
}

const char *reject_text(enum reject_reason reason)
{
        return REASONS[reason].text;
}

bool reject_reason_of(struct slice word, enum reject_reason *out)
{
        for (int i = 0; i < REJECT_REASON_COUNT; i++) {
                if (!slice_equal(word, slice_str(REASONS[i].word)))
                        continue;
                *out = (enum reject_reason)i;
                return true;
        }
        return false;
}

bool reject_equal(const struct reject *a, const struct reject *b)
{
        return a->reason == b->reason && strcmp(a->field, b->field) == 0;
}
