#include "database/pg_trouble.h"

#include <stddef.h>
#include <string.h>

struct row {
        const char *begins; /* of an SQLSTATE, or a part of libpq's own message */
        const char *text;
};

/* The longer beginning first. */
static const struct row states[] = {
        {"28", "the role or its password was refused, or pg_hba.conf has no line that lets it in"},
        {"3D", "there is no such database"},
        {"42501", "the role may not connect to this database"},
        {"53", "the server has no room for another connection"},
        {"57P03", "the server is starting up, shutting down, or a standby that lets nobody in"},
        {"57P05", "the server closed an idle session"},
        {"57", "the server is being shut down, or somebody ended the session"},
        {"08P01", "the server or the pooler refused a start-up parameter (session_settings: off is for poolers)"},
        {"25006", "it is a standby: name the primary, or several hosts and target_session_attrs=read-write"},
};

/* libpq has no codes for what it finds itself; these words of its messages are those of its source (15). */
static const struct row findings[] = {
        {"session is ", "no host plays the wanted part (target_session_attrs)"},
        {"hot standby", "no host plays the wanted part (target_session_attrs)"},
        {"certificate", "the server's TLS certificate was not accepted"},
        {"SSL", "TLS could not be agreed on"},
        {"invalid ", "the DSN has a value that libpq does not take"},
        {"no password supplied", "the server wants a password and none was configured"},
        {"could not translate host name", "the name service does not know the host"},
        {"Connection refused", "nobody listens at that address"},
        {"No such file", "nobody listens at that socket"},
};

static bool is_state(const char *text)
{
        return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && (text[5] == '\n' || text[5] == '\0');
}

/* The last SQLSTATE of the message ("FATAL:  28P01"; one line for each host that was tried). */
static void find_state(const char *message, char *out)
{
        for (const char *at = message; (at = strstr(at, ":  ")) != NULL; at++) {
                if (!is_state(at + 3))
                        continue;
                memcpy(out, at + 3, 5);
                out[5] = '\0';
        }
}

static const char *text_of_state(const char *sqlstate)
{
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
                if (strncmp(sqlstate, states[i].begins, strlen(states[i].begins)) == 0)
                        return states[i].text;
        return NULL;
}

struct pg_trouble pg_trouble_of_connect(const char *message)
{
        struct pg_trouble trouble = {.opening = true, .text = "the server could not be reached"};
        const char *text;

        find_state(message, trouble.sqlstate);
        text = text_of_state(trouble.sqlstate);
        for (size_t i = 0; i < sizeof findings / sizeof *findings && trouble.sqlstate[0] == '\0' && text == NULL; i++)
                if (strstr(message, findings[i].begins) != NULL)
                        text = findings[i].text;
        if (text != NULL)
                trouble.text = text;
        return trouble;
}

struct pg_trouble pg_trouble_of_loss(const char *sqlstate)
{
        struct pg_trouble trouble = {.text = text_of_state(sqlstate)};

        memcpy(trouble.sqlstate, sqlstate, strlen(sqlstate) == 5 ? 6 : 1);
        if (trouble.text == NULL)
                trouble.text = "the connection broke";
        return trouble;
}

struct pg_trouble pg_trouble_of_silence(bool opening)
{
        return (struct pg_trouble){.opening = opening, .no_answer = true, .text = "the server did not answer in time"};
}
