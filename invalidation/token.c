#include "invalidation/token.h"

#include "base/cursor.h"

#include <inttypes.h>
#include <stdio.h>

enum { EPOCH_DIGITS = 16, N_DIGITS_MAX = 16 };

size_t token_format(const struct token *token, char *out)
{
        return (size_t)snprintf(out, TOKEN_TEXT_SIZE, "v1-%016" PRIx64 "-%" PRIx64, token->epoch, token->n);
}

/* All of `digits`, at most 16 of them, as a lower-case hexadecimal number. */
static bool parse_hex(struct slice digits, uint64_t *out)
{
        *out = 0;
        for (size_t i = 0; i < digits.len; i++) {
                const uint8_t c = digits.data[i];

                if (c >= '0' && c <= '9')
                        *out = *out << 4 | (uint64_t)(c - '0');
                else if (c >= 'a' && c <= 'f')
                        *out = *out << 4 | (uint64_t)(c - 'a' + 10);
                else
                        return false;
        }
        return true;
}

static bool parse_n(struct slice digits, uint64_t *out)
{
        if (digits.len == 0 || digits.len > N_DIGITS_MAX)
                return false;
        if (digits.data[0] == '0' && digits.len > 1)
                return false;
        return parse_hex(digits, out);
}

enum err token_parse(struct slice text, struct token *out, struct err_msg *msg)
{
        struct cursor at = cursor_of(text);
        struct slice version;
        struct slice epoch;
        struct token token;

        if (!cursor_until(&at, '-', &version) || !slice_equal(version, slice_str("v1")))
                return err_set(msg, ERR_BADTOKEN, "a token begins with 'v1-'");
        if (!cursor_until(&at, '-', &epoch) || epoch.len != EPOCH_DIGITS || !parse_hex(epoch, &token.epoch))
                return err_set(msg, ERR_BADTOKEN, "a token's second part is %d hexadecimal digits", EPOCH_DIGITS);
        if (!parse_n(slice_of(at.at, cursor_left(&at)), &token.n))
                return err_set(msg, ERR_BADTOKEN, "a token's third part is a hexadecimal number without leading zeros");
        *out = token;
        return OK;
}
