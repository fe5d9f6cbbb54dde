#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
        const char *name;
        const char *word;
        const char *text;
} rows[] = {
        {"OK", "OK", "success"},
#define ERROR(name, word, text) {#name, word, text},
#include "base/errors.def"
#undef ERROR
};

static unsigned row_of(enum err code)
{
        VC_ASSERT((unsigned)code < ERR_COUNT_);
        return (unsigned)code;
}

const char *err_name(enum err code)
{
        return rows[row_of(code)].name;
}

const char *err_word(enum err code)
{
        return rows[row_of(code)].word;
}

const char *err_text(enum err code)
{
        return rows[row_of(code)].text;
}

enum err err_set(struct err_msg *msg, enum err code, const char *format, ...)
{
        va_list args;

        if (msg == NULL)
                return code;
        va_start(args, format);
        (void)vsnprintf(msg->text, sizeof(msg->text), format, args);
        va_end(args);
        return code;
}

/* Appends ": <text>" after what *msg says already, cut at the size. */
static void append(struct err_msg *msg, const char *text)
{
        size_t used = strlen(msg->text);
        size_t room = sizeof(msg->text) - used;

        if (room <= 3)
                return;
        memcpy(msg->text + used, ": ", 3);
        (void)strncat(msg->text + used, text, room - 3);
}

enum err err_wrap(struct err_msg *msg, enum err code, const char *format, ...)
{
        struct err_msg inner;
        va_list args;

        if (msg == NULL)
                return code;
        inner = *msg;
        va_start(args, format);
        (void)vsnprintf(msg->text, sizeof(msg->text), format, args);
        va_end(args);
        append(msg, inner.text);
        return code;
}

enum err err_errno(struct err_msg *msg, enum err code, int number, const char *format, ...)
{
        va_list args;

        if (msg == NULL)
                return code;
        va_start(args, format);
        (void)vsnprintf(msg->text, sizeof(msg->text), format, args);
        va_end(args);
        append(msg, strerrordesc_np(number));
        return code;
}
