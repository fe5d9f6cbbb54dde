#include "net/inline_words.h"

#include "base/cursor.h"

static bool is_blank(uint8_t byte)
{
        return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == '\0';
}

static int hex_digit(uint8_t byte)
{
        if (byte >= '0' && byte <= '9')
                return byte - '0';
        if (byte >= 'a' && byte <= 'f')
                return byte - 'a' + 10;
        if (byte >= 'A' && byte <= 'F')
                return byte - 'A' + 10;
        return -1;
}

/* What stands for "\<letter>" in double quotes; any other letter stands for itself. */
static uint8_t unescape(uint8_t letter)
{
        switch (letter) {
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'b': return '\b';
        case 'a': return '\a';
        default: return letter;
        }
}

/* The byte after a backslash in double quotes. False at the end of the line. */
static bool escaped(struct cursor *c, uint8_t *out)
{
        struct cursor ahead;
        struct slice digits;
        uint8_t letter;

        if (!cursor_u8(c, &letter))
                return false;
        *out = unescape(letter);
        if (letter != 'x')
                return true;
        ahead = *c;
        if (!cursor_take(&ahead, 2, &digits) || hex_digit(digits.data[0]) < 0 || hex_digit(digits.data[1]) < 0)
                return true;
        *out = (uint8_t)(hex_digit(digits.data[0]) << 4 | hex_digit(digits.data[1]));
        *c = ahead;
        return true;
}

/* A quote ends a word: only a blank or the end may follow. */
static bool at_word_end(const struct cursor *c)
{
        return cursor_left(c) == 0 || is_blank(*c->at);
}

static enum err quoted(struct cursor *c, uint8_t quote, struct buf *out)
{
        uint8_t byte;
        enum err rc = OK;

        while (rc == OK) {
                if (!cursor_u8(c, &byte))
                        return ERR_SYNTAX;
                if (byte == quote)
                        return at_word_end(c) ? OK : ERR_SYNTAX;
                if (byte == '\\' && quote == '"' && !escaped(c, &byte))
                        return ERR_SYNTAX;
                if (byte == '\\' && quote == '\'' && cursor_left(c) > 0 && *c->at == '\'' && !cursor_u8(c, &byte))
                        return ERR_SYNTAX;
                rc = buf_append(out, &byte, 1);
        }
        return rc;
}

static enum err one_word(struct cursor *c, struct buf *out)
{
        uint8_t byte;
        enum err rc = OK;

        while (rc == OK && !at_word_end(c) && cursor_u8(c, &byte)) {
                if (byte == '"' || byte == '\'')
                        return quoted(c, byte, out);
                rc = buf_append(out, &byte, 1);
        }
        return rc;
}

enum err inline_words_split(
        struct slice line, struct buf *out, bool (*add)(void *context, size_t offset, size_t len), void *context)
{
        struct cursor c = cursor_of(line);
        uint8_t skipped;
        enum err rc = buf_reserve(out, 1); /* even a line of "" has a word with an address */

        while (rc == OK) {
                size_t offset = buf_len(out);

                while (cursor_left(&c) > 0 && is_blank(*c.at) && cursor_u8(&c, &skipped))
                        ;
                if (cursor_left(&c) == 0)
                        return OK;
                rc = one_word(&c, out);
                if (rc == OK && !add(context, offset, buf_len(out) - offset))
                        rc = ERR_NOMEM;
        }
        return rc;
}
