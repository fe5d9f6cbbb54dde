#include "database/pg_server.h"

#include "base/mem.h"
#include "base/slice.h"

#include <stdio.h>
#include <string.h>

static PQconninfoOption *parse(const struct pg_server *server, struct err_msg *msg)
{
        char *problem = NULL;
        PQconninfoOption *options = PQconninfoParse(server->dsn, &problem);

        if (options == NULL) /* libpq's text quotes the DSN, hence perhaps the password: dropped */
                err_set(msg, ERR_CONFIG, "the DSN of %s is neither a conninfo string nor a postgresql:// URL",
                        server->name);
        PQfreemem(problem);
        return options;
}

enum err pg_server_check(const struct pg_server *server, struct err_msg *msg)
{
        PQconninfoOption *options = parse(server, msg);

        if (options == NULL)
                return ERR_CONFIG;
        PQconninfoFree(options);
        return OK;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
        for (; options->keyword != NULL; options++)
                if (strcmp(options->keyword, keyword) == 0 && options->val != NULL && options->val[0] != '\0')
                        return options->val;
        return NULL;
}

/* ---- lists with commas: host, hostaddr, port ---- */

static uint32_t list_count(const char *list)
{
        uint32_t count = 1;

        for (; *list != '\0'; list++)
                count += *list == ',';
        return count;
}

static struct slice list_item(const char *list, uint32_t number)
{
        while (number > 0)
                number -= *list++ == ',';
        return slice_of(list, strcspn(list, ","));
}

/* The list beginning with another item, the others behind it in turn; NULL when there is no memory. */
static char *list_turned(const char *list, uint32_t first)
{
        uint32_t count = list_count(list);
        size_t size = strlen(list) + 1, end = 0;
        char *out = vc_malloc(size);

        for (uint32_t i = 0; i < count && out != NULL; i++) {
                struct slice item = list_item(list, (first + i) % count);

                if (i > 0)
                        out[end++] = ',';
                memcpy(out + end, item.data, item.len);
                end += item.len;
        }
        if (out != NULL)
                out[end] = '\0';
        return out;
}

/* ---- where it is ---- */

void pg_server_place(const struct pg_server *server, char *out)
{
        PQconninfoOption *options = parse(server, NULL);
        const char *hosts, *ports, *database;
        size_t used = 0;

        snprintf(out, PG_SERVER_PLACE_SIZE, "?");
        if (options == NULL)
                return;
        hosts = value_of(options, "host") != NULL ? value_of(options, "host") : value_of(options, "hostaddr");
        ports = value_of(options, "port") != NULL ? value_of(options, "port") : "5432";
        database = value_of(options, "dbname");
        hosts = hosts != NULL ? hosts : "local";
        for (uint32_t i = 0; i < list_count(hosts) && used < PG_SERVER_PLACE_SIZE; i++) {
                struct slice host = list_item(hosts, i), port = list_item(ports, i % list_count(ports));

                used += (size_t)snprintf(out + used, PG_SERVER_PLACE_SIZE - used, "%s%.*s:%.*s", i > 0 ? "," : "",
                        (int)host.len, (const char *)host.data, (int)port.len, (const char *)port.data);
        }
        if (database != NULL && used < PG_SERVER_PLACE_SIZE)
                snprintf(out + used, PG_SERVER_PLACE_SIZE - used, "/%s", database);
        PQconninfoFree(options);
}

/* ---- the session's settings ---- */

struct setting {
        const char *name;
        const char *value;
};

/* What the words of a reply depend on, and what bounds a statement that nobody waits for any more. */
enum { SETTINGS_MAX = 8 };

static size_t settings_of(const struct pg_server *server, struct setting *settings, char *timeout, size_t timeout_size)
{
        size_t count = 0;

        snprintf(timeout, timeout_size, "%lld", (long long)nanos_to_ms(server->statement_timeout));
        settings[count++] = (struct setting){"TimeZone", "UTC"};
        settings[count++] = (struct setting){"DateStyle", "ISO"};
        settings[count++] = (struct setting){"IntervalStyle", "iso_8601"};
        settings[count++] = (struct setting){"bytea_output", "hex"};
        settings[count++] = (struct setting){"extra_float_digits", "1"};
        settings[count++] = (struct setting){"statement_timeout", timeout};
        if (server->search_path != NULL)
                settings[count++] = (struct setting){"search_path", server->search_path};
        return count;
}

/* Appends `text` with each of `special` preceded by `escape`; false when it does not fit. */
static bool put_escaped(char *out, size_t size, const char *text, const char *special)
{
        size_t used = strlen(out);

        for (; *text != '\0'; text++) {
                bool escape = strchr(special, *text) != NULL;

                if (used + 3 > size)
                        return false;
                if (escape)
                        out[used++] = *text == '\'' ? '\'' : '\\';
                out[used++] = *text;
        }
        out[used] = '\0';
        return true;
}

enum err pg_server_session_sql(const struct pg_server *server, char *out)
{
        struct setting settings[SETTINGS_MAX];
        char timeout[24];
        size_t count = settings_of(server, settings, timeout, sizeof timeout);
        bool fits = true;

        out[0] = '\0';
        for (size_t i = 0; i < count && fits; i++) {
                fits = put_escaped(out, PG_SERVER_SQL_SIZE, i == 0 ? "SELECT set_config('" : ", set_config('", "") &&
                       put_escaped(out, PG_SERVER_SQL_SIZE, settings[i].name, "") &&
                       put_escaped(out, PG_SERVER_SQL_SIZE, "', '", "") &&
                       put_escaped(out, PG_SERVER_SQL_SIZE, settings[i].value, "'") &&
                       put_escaped(out, PG_SERVER_SQL_SIZE, "', true)", "");
        }
        return fits ? OK : ERR_LIMIT;
}

/* "-c name=value ..." behind what the DSN says itself: the last one counts. */
static bool put_options(const struct pg_server *server, const char *own, char *out)
{
        struct setting settings[SETTINGS_MAX];
        char timeout[24];
        size_t count = settings_of(server, settings, timeout, sizeof timeout);
        bool fits;

        out[0] = '\0';
        fits = own == NULL || put_escaped(out, PG_SERVER_OPTIONS_SIZE, own, "");
        for (size_t i = 0; i < count && fits; i++) {
                fits = put_escaped(out, PG_SERVER_OPTIONS_SIZE, " -c ", "") &&
                       put_escaped(out, PG_SERVER_OPTIONS_SIZE, settings[i].name, "") &&
                       put_escaped(out, PG_SERVER_OPTIONS_SIZE, "=", "") &&
                       put_escaped(out, PG_SERVER_OPTIONS_SIZE, settings[i].value, " \\");
        }
        return fits;
}

/* ---- the words of an attempt ---- */

static void put_word(struct pg_server_words *words, size_t *count, const char *keyword, const char *value)
{
        VC_ASSERT(*count < sizeof words->keywords / sizeof *words->keywords - 1);
        words->keywords[*count] = keyword;
        words->values[*count] = value;
        ++*count;
}

/* Replaces the lists of hosts by turned ones. */
static enum err turn_hosts(struct pg_server_words *words, size_t count, uint32_t first_host)
{
        static const char *const lists[3] = {"host", "hostaddr", "port"};

        for (size_t i = 0; i < count; i++) {
                for (size_t list = 0; list < 3; list++) {
                        if (strcmp(words->keywords[i], lists[list]) != 0)
                                continue;
                        words->hosts[list] = list_turned(words->values[i], first_host);
                        if (words->hosts[list] == NULL)
                                return ERR_NOMEM;
                        words->values[i] = words->hosts[list];
                }
        }
        return OK;
}

enum err pg_server_words_init(
        struct pg_server_words *words, const struct pg_server *server, uint32_t first_host, struct err_msg *msg)
{
        size_t count = 0;
        enum err err;

        memset(words, 0, sizeof *words);
        words->parsed = parse(server, msg);
        if (words->parsed == NULL)
                return ERR_CONFIG;
        if (server->session_settings && !put_options(server, value_of(words->parsed, "options"), words->options)) {
                pg_server_words_deinit(words);
                return err_set(msg, ERR_CONFIG, "the options and the search path of %s are too long", server->name);
        }
        put_word(words, &count, "fallback_application_name", "vitalcache");
        put_word(words, &count, "gssencmode", "disable"); /* a look for tickets that blocks; the DSN may enable it */
        for (const PQconninfoOption *option = words->parsed; option->keyword != NULL; option++)
                if (option->val != NULL && option->val[0] != '\0')
                        put_word(words, &count, option->keyword, option->val);
        put_word(words, &count, "client_encoding", "UTF8");
        if (server->session_settings)
                put_word(words, &count, "options", words->options);
        err = turn_hosts(words, count, first_host);
        if (err != OK)
                pg_server_words_deinit(words);
        return err;
}

void pg_server_words_deinit(struct pg_server_words *words)
{
        for (size_t i = 0; i < 3; i++)
                vc_free(words->hosts[i]);
        if (words->parsed != NULL)
                PQconninfoFree(words->parsed);
        memset(words, 0, sizeof *words);
}
