#include "base/quantity.h"

#include "base/clock.h"
#include "base/cursor.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX = 40 }; /* of a wrong text, in messages */

struct unit {
        const char *name;
        uint64_t factor;
};

/* The largest first. */
static const struct unit DURATIONS[] = {
        {"d", UINT64_C(86400) * NANOS_PER_S},
        {"h", UINT64_C(3600) * NANOS_PER_S},
        {"m", UINT64_C(60) * NANOS_PER_S},
        {"s", NANOS_PER_S},
        {"ms", NANOS_PER_MS},
        {"us", 1000},
        {"ns", 1},
};
static const struct unit SIZES[] = {
        {"TiB", UINT64_C(1) << 40},
        {"TB", UINT64_C(1000000000000)},
        {"GiB", UINT64_C(1) << 30},
        {"GB", UINT64_C(1000000000)},
        {"MiB", UINT64_C(1) << 20},
        {"MB", UINT64_C(1000000)},
        {"KiB", UINT64_C(1) << 10},
        {"KB", UINT64_C(1000)},
        {"B", 1},
};
static const struct unit NUMBERS[] = {{"", 1}};

static const struct {
        const struct unit *units;
        size_t count;
        const char *form;   /* "it must be …" */
        const char *common; /* the unit that a bare number is most likely meant in */
} KINDS[] = {
        [QUANTITY_NUMBER] = {NUMBERS, 1, "a whole number", ""},
        [QUANTITY_DURATION] = {DURATIONS, sizeof(DURATIONS) / sizeof(DURATIONS[0]),
                "a duration such as 250ms, 60s, 10m or 1h", "s"},
        [QUANTITY_SIZE] = {SIZES, sizeof(SIZES) / sizeof(SIZES[0]), "a size such as 64KB, 64MB or 1GiB", "MB"},
};

static enum err wrong_form(enum quantity_kind kind, struct slice text, struct err_msg *msg)
{
        struct slice shown = slice_of(text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX);

        return err_set(msg, ERR_CONFIG, "is \"%.*s\"; it must be %s", SLICE_ARG(shown), KINDS[kind].form);
}

static const struct unit *find_unit(enum quantity_kind kind, struct slice name)
{
        for (size_t i = 0; i < KINDS[kind].count; i++) {
                const struct unit *unit = &KINDS[kind].units[i];

                if (kind == QUANTITY_SIZE ? slice_is_word(name, unit->name) : slice_equal(name, slice_str(unit->name)))
                        return unit;
        }
        return NULL;
}

/* A bare number is shown in the unit that it is likely meant in, and in a larger one where that is shorter. */
static enum err no_unit(enum quantity_kind kind, uint64_t number, struct err_msg *msg)
{
        const struct unit *unit = find_unit(kind, slice_str(KINDS[kind].common));
        char larger[QUANTITY_TEXT_SIZE] = "";
        char first[QUANTITY_TEXT_SIZE];

        (void)snprintf(first, sizeof(first), "%" PRIu64 "%s", number, unit->name);
        if (number > 0 && number <= QUANTITY_MAX / unit->factor)
                (void)quantity_format(kind, number * unit->factor, larger);
        if (larger[0] == '\0' || strcmp(first, larger) == 0)
                return err_set(msg, ERR_CONFIG, "is %" PRIu64 ", without a unit; write %s", number, first);
        return err_set(msg, ERR_CONFIG, "is %" PRIu64 ", without a unit; write %s or %s", number, first, larger);
}

enum err quantity_parse(enum quantity_kind kind, struct slice text, uint64_t *out, struct err_msg *msg)
{
        const struct unit *unit;
        struct slice name;
        uint64_t number;
        size_t digits = 0;

        while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
                digits++;
        if (!slice_to_u64(slice_of(text.data, digits), &number))
                return wrong_form(kind, text, msg);
        name = slice_of(text.data + digits, text.len - digits);
        unit = find_unit(kind, name);
        if (unit == NULL && name.len == 0)
                return no_unit(kind, number, msg);
        if (unit == NULL)
                return wrong_form(kind, text, msg);
        if (number > QUANTITY_MAX / unit->factor)
                return err_set(msg, ERR_CONFIG, "is too large");
        *out = number * unit->factor;
        return OK;
}

enum err quantity_check(enum quantity_kind kind, uint64_t value, uint64_t min, uint64_t max, struct err_msg *msg)
{
        char texts[3][QUANTITY_TEXT_SIZE];

        if (value >= min && value <= max)
                return OK;
        return err_set(msg, ERR_CONFIG, "is %s; it must be %s to %s", quantity_format(kind, value, texts[0]),
                quantity_format(kind, min, texts[1]), quantity_format(kind, max, texts[2]));
}

const char *quantity_format(enum quantity_kind kind, uint64_t value, char *text)
{
        const struct unit *unit = KINDS[kind].units;

        if (value == 0)
                unit = find_unit(kind, slice_str(KINDS[kind].common));
        while (value % unit->factor != 0) /* ends: the last one's factor is 1 */
                unit++;
        (void)snprintf(text, QUANTITY_TEXT_SIZE, "%" PRIu64 "%s", value / unit->factor, unit->name);
        return text;
}
