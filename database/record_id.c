#include "database/record_type.h"

#include "base/cursor.h"
#include "base/hot.h"
#include "base/suggest.h"

#include <stdio.h>

static bool has_control_character(struct slice id)
{
        return slice_has_control(id) || memchr(id.data, 0x7f, id.len) != NULL;
}

static bool is_digit(uint8_t c)
{
        return c >= '0' && c <= '9';
}

/* The message names the whole key, when the id comes in one. */
static enum err not_canonical(const char *type, const char *canonical, struct err_msg *msg)
{
        return err_set(msg, ERR_BADKEY, "the id is not in canonical form; it would be %s%s%s", type == NULL ? "" : type,
                type == NULL ? "" : ":", canonical);
}

/* Ids of kind int are the decimal form of an int64. A number in another dress ("042", "+42") is named in its own. */
static enum err check_int(struct slice id, const char *type, struct err_msg *msg)
{
        char canonical[24];
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
        (void)snprintf(canonical, sizeof(canonical), "%s%lld", negative && number != 0 ? "-" : "", (long long)number);
        return not_canonical(type, canonical, msg);
}

static bool is_hex_digit(uint8_t c)
{
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Ids of kind uuid are 8-4-4-4-12 lower-case hexadecimal digits (RFC 4122, section 3). */
static enum err check_uuid(struct slice id, const char *type, struct err_msg *msg)
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
        return equal ? OK : not_canonical(type, canonical, msg);
}

static enum err check_length(struct slice id, struct err_msg *msg)
{
        if (id.len == 0)
                return err_set(msg, ERR_BADKEY, "the id is empty");
        if (id.len > RECORD_ID_MAX)
                return err_set(msg, ERR_BADKEY, "the id has %zu bytes; at most %d are allowed", id.len, RECORD_ID_MAX);
        return OK;
}

static enum err check_id(enum id_kind kind, struct slice id, const char *type, struct err_msg *msg)
{
        enum err rc = check_length(id, msg);

        if (rc != OK)
                return rc;
        if (!slice_is_utf8(id))
                return err_set(msg, ERR_BADKEY, "the id is not valid UTF-8");
        if (has_control_character(id))
                return err_set(msg, ERR_BADKEY, "the id has a control character in it");
        switch (kind) {
        case ID_KIND_TEXT: return OK;
        case ID_KIND_INT: return check_int(id, type, msg);
        case ID_KIND_UUID: return check_uuid(id, type, msg);
        }
        return ERR_INTERNAL;
}

enum err record_id_check(enum id_kind kind, struct slice id, struct err_msg *msg)
{
        return check_id(kind, id, NULL, msg);
}

/* What is missing, by name, and the nearest of the names that were offered. */
COLD_PATH static enum err no_such(const char *what, struct slice name, struct suggest *suggest, struct err_msg *msg)
{
        struct slice shown = slice_of(name.data, name.len < RECORD_NAME_MAX ? name.len : RECORD_NAME_MAX);

        return suggest_append(
                suggest, err_set(msg, ERR_NOTYPE, "there is no %s \"%.*s\"", what, SLICE_ARG(shown)), msg);
}

enum err record_type_named(
        const struct record_types *types, struct slice name, const struct record_type **out, struct err_msg *msg)
{
        struct suggest suggest;

        *out = record_types_find(types, name);
        if (*out != NULL)
                return OK;
        suggest_init(&suggest, name);
        for (uint32_t i = 0; i < record_types_count(types); i++)
                suggest_offer(&suggest, slice_str(record_types_at(types, i)->name));
        return no_such("record type", name, &suggest, msg);
}

enum err record_table_named(
        const struct record_types *types, struct slice name, const struct record_table **out, struct err_msg *msg)
{
        struct suggest suggest;

        *out = record_types_table(types, name);
        if (*out != NULL)
                return OK;
        suggest_init(&suggest, name);
        for (uint32_t i = 0; i < record_types_table_count(types); i++)
                suggest_offer(&suggest, slice_str(record_types_table_at(types, i)->name));
        return no_such("table", name, &suggest, msg);
}

enum err record_key_split(const struct record_types *types, struct slice key, const struct record_type **type,
        struct slice *id, struct err_msg *msg)
{
        struct cursor c = cursor_of(key);
        struct slice name;
        enum err rc;

        if (!cursor_until(&c, ':', &name))
                return err_set(msg, ERR_BADKEY, "a key is type:id, such as %s:42", record_types_at(types, 0)->name);
        rc = record_type_named(types, name, type, msg);
        if (rc != OK)
                return rc;
        *id = slice_of(c.at, cursor_left(&c));
        return check_length(*id, msg);
}

enum err record_key_check(const struct record_type *type, struct slice id, struct err_msg *msg)
{
        return check_id(type->id_kind, id, type->name, msg);
}

enum err record_key_parse(const struct record_types *types, struct slice key, const struct record_type **type,
        struct slice *id, struct err_msg *msg)
{
        enum err rc = record_key_split(types, key, type, id, msg);

        return rc == OK ? record_key_check(*type, *id, msg) : rc;
}
