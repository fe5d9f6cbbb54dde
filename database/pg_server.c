#include "database/pg_server.h"

#include "base/mem.h"

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

enum err pg_server_hosts(const struct pg_server *server, struct pg_hosts *hosts)
{
        PQconninfoOption *options = parse(server, NULL);
        enum err err;

        *hosts = (struct pg_hosts){NULL, 0};
        if (options == NULL)
                return ERR_CONFIG;
        err = pg_hosts_read(hosts, options);
        PQconninfoFree(options);
        return err;
}

static const char *or_else(const char *text, const char *other)
{
        return text[0] != '\0' ? text : other;
}

void pg_server_place(const struct pg_server *server, char *out)
{
        PQconninfoOption *options = parse(server, NULL);
        struct pg_hosts hosts = {NULL, 0};
        size_t used = 0;

        snprintf(out, PG_SERVER_PLACE_SIZE, "?");
        if (options == NULL)
                return;
        if (pg_hosts_read(&hosts, options) == OK && hosts.count == 0)
                used = (size_t)snprintf(out, PG_SERVER_PLACE_SIZE, "local");
        for (uint32_t i = 0; i < hosts.count && used < PG_SERVER_PLACE_SIZE; i++) {
                const struct pg_host *host = &hosts.list[i];

                used += (size_t)snprintf(out + used, PG_SERVER_PLACE_SIZE - used, "%s%s:%s", i > 0 ? "," : "",
                        or_else(host->name, host->address), or_else(host->port, "5432"));
        }
        if (used < PG_SERVER_PLACE_SIZE)
                snprintf(out + used, PG_SERVER_PLACE_SIZE - used, "/%s", pg_hosts_option(options, "dbname"));
        pg_hosts_deinit(&hosts);
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
        /* Should half of an exchange arrive and we be gone: its snapshot holds up every VACUUM. */
        settings[count++] = (struct setting){"idle_in_transaction_session_timeout", "60000"};
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

/* A plan for whatever $1 is, made once for each connection. By itself PostgreSQL would plan anew at each execution: it
 * takes an array that it does not know for one of ten, so that a plan for one or two ids seems to be worth its making,
 * which costs several times what it then takes. The plans are the same, an index by the ids; `db setup` warns where the
 * general one is none (pg_check_index.c). Before the DSN's own options: they can take it back. */
static const char PLAN_ONCE[] = "-c plan_cache_mode=force_generic_plan ";

/* "-c name=value ..." behind what the DSN says itself: the last one counts. */
static bool put_options(const struct pg_server *server, const char *own, char *out)
{
        struct setting settings[SETTINGS_MAX];
        char timeout[24];
        size_t count = settings_of(server, settings, timeout, sizeof timeout);
        bool fits;

        out[0] = '\0';
        fits = put_escaped(out, PG_SERVER_OPTIONS_SIZE, server->prepared ? PLAN_ONCE : "", "") &&
               put_escaped(out, PG_SERVER_OPTIONS_SIZE, own, "");
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

static bool is_host_word(const char *keyword)
{
        return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 || strcmp(keyword, "port") == 0;
}

static void put_words(struct pg_server_words *words, const struct pg_server *server, bool own_hosts)
{
        size_t count = 0;

        put_word(words, &count, "fallback_application_name", "vitalcache");
        put_word(words, &count, "gssencmode", "disable"); /* a look for tickets that blocks; the DSN may enable it */
        for (const PQconninfoOption *option = words->parsed; option->keyword != NULL; option++)
                if (option->val != NULL && option->val[0] != '\0' && !(own_hosts && is_host_word(option->keyword)))
                        put_word(words, &count, option->keyword, option->val);
        if (own_hosts) {
                put_word(words, &count, "host", words->hosts.name);
                put_word(words, &count, "hostaddr", words->hosts.address);
                put_word(words, &count, "port", words->hosts.port);
        }
        put_word(words, &count, "client_encoding", "UTF8");
        if (server->session_settings)
                put_word(words, &count, "options", words->options);
}

enum err pg_server_words_init(struct pg_server_words *words, const struct pg_server *server,
        const struct pg_hosts *hosts, uint32_t first_host)
{
        enum err err = OK;

        memset(words, 0, sizeof *words);
        words->parsed = parse(server, NULL);
        if (words->parsed == NULL)
                return ERR_CONFIG;
        if (server->session_settings && !put_options(server, pg_hosts_option(words->parsed, "options"), words->options))
                err = ERR_CONFIG;
        if (err == OK && hosts->count > 0)
                err = pg_hosts_join(hosts, first_host, &words->hosts);
        if (err == OK)
                put_words(words, server, hosts->count > 0);
        else
                pg_server_words_deinit(words);
        return err;
}

void pg_server_words_deinit(struct pg_server_words *words)
{
        vc_free(words->hosts.name);
        vc_free(words->hosts.address);
        vc_free(words->hosts.port);
        if (words->parsed != NULL)
                PQconninfoFree(words->parsed);
        memset(words, 0, sizeof *words);
}
