#include "database/json_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        NUMBER_MAX = 400, /* the exponent reaches 308 */
        DIGITS_MAX = 17   /* more than a 64-bit float ever needs */
};

/* The significant digits of a decimal number: those between the first and the last that are not 0. False when there are
 * more than DIGITS_MAX. */
static bool significant_digits(const char *number, char *digits)
{
        size_t count = 0;
        size_t zeros = 0; /* seen since the last digit kept: they count once another digit follows */

        for (size_t i = 0; number[i] != '\0' && number[i] != 'e' && number[i] != 'E'; i++) {
                if (number[i] < '0' || number[i] > '9' || (number[i] == '0' && count == 0))
                        continue;
                if (number[i] == '0') {
                        zeros++;
                        continue;
                }
                if (zeros > DIGITS_MAX || count + zeros + 1 > DIGITS_MAX)
                        return false;
                memset(digits + count, '0', zeros);
                count += zeros;
                zeros = 0;
                digits[count++] = number[i];
        }
        digits[count] = '\0';
        return true;
}

/* Whether a number with a fraction or exponent is the same after a trip through a float: the float, printed with as
 * many digits as were given, must show them again. (The exponent then fits as well: overflow shows as infinity,
 * underflow as 0.) */
static bool float_keeps(const char *number, double real)
{
        char given[DIGITS_MAX + 1];
        char kept[DIGITS_MAX + 1];
        char printed[40];

        if (!significant_digits(number, given) || !isfinite(real))
                return false;
        if (given[0] == '\0')
                return true;
        (void)snprintf(printed, sizeof(printed), "%.*e", (int)strlen(given) - 1, real);
        return significant_digits(printed, kept) && strcmp(given, kept) == 0;
}

static bool read_integer(struct slice text, int64_t *out)
{
        bool negative = text.data[0] == '-';
        uint64_t magnitude = 0;

        for (size_t i = negative ? 1 : 0; i < text.len; i++)
                if (__builtin_mul_overflow(magnitude, 10u, &magnitude) ||
                        __builtin_add_overflow(magnitude, (uint64_t)(text.data[i] - '0'), &magnitude))
                        return false;
        if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
                return false;
        *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return true;
}

bool json_number_read(struct slice text, struct json_number *out)
{
        char number[NUMBER_MAX + 1];

        VC_ASSERT(text.len > 0);
        if (text.len > NUMBER_MAX)
                return false;
        memcpy(number, text.data, text.len);
        number[text.len] = '\0';
        *out = (struct json_number){.is_float = strpbrk(number, ".eE") != NULL};
        if (!out->is_float)
                return read_integer(text, &out->integer);
        out->real = strtod(number, NULL);
        return float_keeps(number, out->real);
}
