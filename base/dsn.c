/* Problem: a DSN is shown by --print-config and CONFIG GET, its password never; and what is wrong in it must not let a
 * password through. Idea: copy what is understood, and of what is not, nothing. */
#include "base/dsn.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char hidden[] = "***";

/* password, sslpassword, and what else libpq may call so one day. */
static bool is_secret(struct slice keyword)
{
        static const char word[] = "password";
        const size_t len = sizeof(word) - 1;

        for (size_t i = 0; i + len <= keyword.len; i++)
                if (strncasecmp((const char *)keyword.data + i, word, len) == 0)
                        return true;
        return false;
}

static const char *skip_spaces(const char *at)
{
        while (isspace((unsigned char)*at))
                at++;
        return at;
}

/* The end of a conninfo value: quoted, or up to a space; '\' takes the next byte as it is. NULL: it has no end. */
static const char *end_of_value(const char *at)
{
        bool quoted = *at == '\'';

        for (at += quoted; *at != '\0'; at++) {
                if (*at == '\\' && at[1] != '\0')
                        at++;
                else if (quoted && *at == '\'')
                        return at + 1;
                else if (!quoted && isspace((unsigned char)*at))
                        return at;
        }
        return quoted ? NULL : at;
}

static enum err append_member(struct buf *out, struct slice keyword, struct slice value)
{
        enum err rc = buf_append_slice(out, keyword);

        if (rc == OK)
                rc = buf_append_str(out, "=");
        return rc != OK ? rc : buf_append_slice(out, is_secret(keyword) ? slice_str(hidden) : value);
}

/* ERR_CONFIG: it is not a list of `keyword = value`. */
static enum err append_conninfo(struct buf *out, const char *at)
{
        const char *first = at = skip_spaces(at);
        enum err rc = OK;

        while (rc == OK && *at != '\0') {
                struct slice keyword = slice_of(at, strcspn(at, "= \t\n\r\f\v"));
                const char *value = skip_spaces(at + keyword.len);
                const char *end = NULL;

                if (*value == '=')
                        end = end_of_value(value = skip_spaces(value + 1));
                if (keyword.len == 0 || end == NULL)
                        return ERR_CONFIG;
                if (at != first)
                        rc = buf_append_str(out, " ");
                if (rc == OK)
                        rc = append_member(out, keyword, slice_of(value, (size_t)(end - value)));
                at = skip_spaces(end);
        }
        return rc;
}

/* name=value&name=value */
static enum err append_query(struct buf *out, const char *at)
{
        enum err rc = OK;

        while (rc == OK && *at != '\0') {
                struct slice member = slice_of(at, strcspn(at, "&"));
                struct slice keyword = slice_of(at, strcspn(at, "=&"));
                size_t value_at = keyword.len + (keyword.len < member.len);

                if (keyword.len == member.len || memchr(keyword.data, '%', keyword.len) != NULL)
                        return ERR_CONFIG;
                rc = append_member(out, keyword, slice_of(at + value_at, member.len - value_at));
                at += member.len;
                if (rc == OK && *at == '&')
                        rc = buf_append_str(out, "&");
                at += *at == '&';
        }
        return rc;
}

/* scheme://user:password@hosts/database?query; the last '@' before the query ends the password, for one that is not
 * written as it should be may hold '@' and '/'. */
static enum err append_url(struct buf *out, const char *at)
{
        const char *authority = strstr(at, "://") + 3;
        size_t rest_len = strcspn(authority, "?");
        const char *hosts = authority;
        const char *colon;
        enum err rc;

        for (size_t i = 0; i < rest_len; i++)
                if (authority[i] == '@')
                        hosts = authority + i;
        colon = memchr(authority, ':', (size_t)(hosts - authority));
        rc = buf_append(out, at, (size_t)((colon == NULL ? hosts : colon) - at));
        if (rc == OK && colon != NULL)
                rc = buf_append_str(out, ":***");
        if (rc == OK)
                rc = buf_append(out, hosts, (size_t)(authority + rest_len - hosts));
        if (rc != OK || authority[rest_len] == '\0')
                return rc;
        if (strchr(authority + rest_len, '@') != NULL) /* perhaps a password with '?' in it */
                return ERR_CONFIG;
        rc = buf_append_str(out, "?");
        return rc != OK ? rc : append_query(out, authority + rest_len + 1);
}

enum err dsn_append_shown(struct buf *out, const char *dsn)
{
        const size_t before = buf_len(out);
        const char *scheme = strstr(dsn, "://");
        bool is_url = scheme != NULL && strcspn(dsn, "= \t") > (size_t)(scheme - dsn);
        enum err rc = is_url ? append_url(out, dsn) : append_conninfo(out, dsn);

        if (rc == OK || rc == ERR_NOMEM || rc == ERR_LIMIT)
                return rc;
        buf_truncate(out, before);
        return buf_append_str(out, hidden);
}
