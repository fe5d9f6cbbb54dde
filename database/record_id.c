#include "database/record_type.h"

#include "base/cursor.h"

static bool has_control_character(struct slice id)
{
        for (size_t i = 0; i < id.len; i++)
                if (id.data[i] < 0x20 || id.data[i] == 0x7f)
                        return true;
        return false;
}

static bool is_digit(uint8_t c)
{
        return c >= '0' && c <= '9';
}

/* Ids of kind int are the decimal form of an int64. A number in another dress ("042", "+42") is named in its own. */
static enum err check_int(struct slice id, struct err_msg *msg)
{
        int64_t number;
        struct slice bare = id;
        bool negative;

        if (slice_to_i64(id, &number))
                return OK;
        negative = bare.len > 1 && bare.data[0] == '-';
        if (bare.len > 1 && (bare.data[0] == '-' || bare.data[0] == '+'))
                bare = slice_of(bare.data + 1, bare.len - 1);
        while (bare.len > 1 && bare.data[0] == '0')
                bare = slice_of(bare.data + 1, bare.len - 1);
        if (!slice_to_i64(bare, &number))
                return err_set(msg, ERR_BADKEY, "the id must be a whole number such as 42");
        return err_set(msg, ERR_BADKEY, "the id is not in canonical form; it would be %s%lld",
                negative && number != 0 ? "-" : "", (long long)number);
}

static bool is_hex_digit(uint8_t c)
{
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Ids of kind uuid are 8-4-4-4-12 lower-case hexadecimal digits (RFC 4122, section 3). */
static enum err check_uuid(struct slice id, struct err_msg *msg)
{
        enum { UUID_LENGTH = 36 };
        char canonical[UUID_LENGTH + 1];
        bool equal = true;

        if (id.len != UUID_LENGTH)
                return err_set(msg, ERR_BADKEY,
                        "the id must be a UUID: 36 characters, as in "
                        "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44");
        for (size_t i = 0; i < UUID_LENGTH; i++) {
                uint8_t c = id.data[i];
                bool dash = i == 8 || i == 13 || i == 18 || i == 23;

                if (dash ? c != '-' : !is_hex_digit(c))
                        return err_set(msg, ERR_BADKEY, "the id is not a UUID: character %zu must be a %s", i + 1,
                                dash ? "'-'" : "hexadecimal digit");
                canonical[i] = (char)(c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
                equal = equal && canonical[i] == (char)c;
        }
        canonical[UUID_LENGTH] = '\0';
        if (!equal)
                return err_set(msg, ERR_BADKEY, "the id is not in canonical form; it would be %s", canonical);
        return OK;
}

enum err record_id_check(enum id_kind kind, struct slice id, struct err_msg *msg)
{
        if (id.len == 0)
                return err_set(msg, ERR_BADKEY, "the id is empty");
        if (id.len > RECORD_ID_MAX)
                return err_set(msg, ERR_BADKEY, "the id has %zu bytes; at most %d are allowed", id.len, RECORD_ID_MAX);
        if (!slice_is_utf8(id))
                return err_set(msg, ERR_BADKEY, "the id is not valid UTF-8");
        if (has_control_character(id))
                return err_set(msg, ERR_BADKEY, "the id has a control character in it");
        switch (kind) {
        case ID_KIND_TEXT: return OK;
        case ID_KIND_INT: return check_int(id, msg);
        case ID_KIND_UUID: return check_uuid(id, msg);
        }
        return ERR_INTERNAL;
}
