#include "net/settings.h"

#include "database/record_type.h"
#include "tests/lib/settings_given.h"
#include "tests/lib/test.h"

#include <pthread.h>

#include <stdio.h>

static char folder[64];
static char config_path[96];

/* ---- helpers ---- */

static void write_config(const char *text)
{
        assert_true(settings_write(config_path, text));
}

static struct settings *must_load(char *const *args, char *const *env)
{
        struct settings_input input = settings_given(args, env);
        struct settings *settings;
        struct err_msg msg = {""};

        if (settings_load(&settings, &input, &msg) != OK)
                fail_msg("%s", msg.text);
        return settings;
}

/* With `text` as the configuration file. */
static struct settings *must_load_text(const char *text)
{
        /* a reload reads them again */
        static char *const args[] = {"vitalcached", "--config", config_path, NULL};
        static char *const env[] = {NULL};

        write_config(text);
        return must_load(args, env);
}

struct found {
        size_t count;
        char name[64];
        char value[256];
};

static void note_option(void *arg, const char *name, const char *value)
{
        struct found *found = arg;

        found->count++;
        (void)snprintf(found->name, sizeof(found->name), "%s", name);
        (void)snprintf(found->value, sizeof(found->value), "%s", value);
}

static void assert_option(struct settings *settings, const char *name, const char *value)
{
        struct found found = {0, "", ""};

        assert_int_equal(settings_get(settings, name, note_option, &found), 1);
        assert_string_equal(found.value, value);
}

static void assert_origin(struct settings *settings, const char *name, const char *origin)
{
        struct buf out;
        char *line;
        char *text;

        buf_init(&out, 0);
        assert_ok(settings_print(settings, &out));
        assert_ok(buf_append(&out, "", 1));
        text = (char *)out.data + out.start;
        line = strstr(text, name);
        assert_non_null(line);
        line[strcspn(line, "\n")] = '\0';
        assert_non_null(strstr(line, " # "));
        assert_string_equal(strstr(line, " # ") + 3, origin);
        buf_deinit(&out);
}

/* ---- defaults and the shipped file ---- */

static void defaults_are_those_of_the_table(void **state)
{
        struct settings *settings = must_load_text("");
        const struct settings_values *values = settings_values(settings);

        (void)state;
        assert_string_equal(values->server_bind, "127.0.0.1");
        assert_int_equal(values->server_port, 7379);
        assert_string_equal(values->server_socket, "");
        assert_int_equal(values->server_socket_mode, 0600);
        assert_string_equal(values->database_path, "./vitalcache-data");
        assert_true(values->cache_l1_enabled);
        assert_int_equal(values->cache_l1_max_bytes, 64000000);
        assert_int_equal(values->cache_l1_max_entries, 0);
        assert_int_equal(values->cache_l1_ttl.ns, 60 * NANOS_PER_S);
        assert_int_equal(values->cache_ttl_jitter, 10);
        assert_int_equal(values->freshness_slots, 1 << 20);
        assert_int_equal(values->limits_depth, 32);
        assert_int_equal(values->log_level, 1);
        assert_int_equal(values->types_files.count, 1);
        assert_string_equal(values->types_files.items[0], SHIPPED "/types/school-health.yaml");
        assert_int_equal(settings_action(settings), SETTINGS_RUN);
        assert_string_equal(settings_file(settings), config_path);
        settings_destroy(&settings);
        assert_null(settings);
        settings_destroy(&settings);
}

static void shipped_file_serves_without_any_flag(void **state)
{
        struct settings *settings = must_load(ARGS(), NO_ENV);
        struct record_types *types;
        struct err_msg msg = {""};

        (void)state;
        assert_string_equal(settings_file(settings), SHIPPED "/vitalcache.yaml");
        assert_option(settings, "cache.l1.max_bytes", "64MB");
        assert_option(settings, "types.files", SHIPPED "/types/school-health.yaml");
        if (settings_load_types(settings, &types, &msg) != OK)
                fail_msg("%s", msg.text);
        assert_int_equal(record_types_count(types), 8);
        record_types_destroy(&types);
        settings_destroy(&settings);
}

/* Each commented-out default of the shipped file, and each option of the table, is there in both. */
static void shipped_file_shows_every_option(void **state)
{
        char text[8192];
        FILE *file = fopen(SHIPPED "/vitalcache.yaml", "r");
        const struct option_row *rows;
        size_t count;
        size_t len;

        (void)state;
        assert_non_null(file);
        len = fread(text, 1, sizeof(text) - 1, file);
        text[len] = '\0';
        assert_int_equal(fclose(file), 0);
        rows = settings_rows(&count);
        for (size_t i = 0; i < count; i++) {
                char key[64];

                (void)snprintf(key, sizeof(key), " %s: ", strrchr(rows[i].name, '.') + 1);
                if (strstr(text, key) == NULL)
                        fail_msg("%s is not in the shipped file", rows[i].name);
        }
}

/* ---- the order of the sources ---- */

static void later_sources_win_and_are_told(void **state)
{
        struct settings *settings;
        char origin[128];

        (void)state;
        write_config("cache:\n  l1:\n    ttl: 90s\n    max_entries: 7\n");
        settings = must_load(ARGS("--config", config_path), ENV("CACHE_L1_TTL=30"));
        assert_option(settings, "cache.l1.ttl", "30s");
        assert_origin(settings, "cache.l1.ttl", "environment CACHE_L1_TTL");
        assert_option(settings, "cache.l1.max_entries", "7");
        (void)snprintf(origin, sizeof(origin), "%s:4", config_path);
        assert_origin(settings, "cache.l1.max_entries", origin);
        assert_origin(settings, "server.port", "default");
        settings_destroy(&settings);
        settings =
                must_load(ARGS("--config", config_path, "--cache.l1.ttl=2h", "--port", "1234"), ENV("CACHE_L1_TTL=30"));
        assert_option(settings, "cache.l1.ttl", "2h");
        assert_origin(settings, "cache.l1.ttl", "command line --cache.l1.ttl");
        assert_origin(settings, "server.port", "command line --port");
        settings_destroy(&settings);
}

static void older_environment_variables_are_understood(void **state)
{
        struct settings *settings =
                must_load(ARGS(), ENV("CACHE_ENABLE_L1=false", "CACHE_L1_MAX_SIZE=1000", "CACHE_L1_TTL=60"));
        const struct settings_values *values = settings_values(settings);

        (void)state;
        assert_false(values->cache_l1_enabled);
        assert_int_equal(values->cache_l1_max_entries, 1000);
        assert_int_equal(values->cache_l1_ttl.ns, 60 * NANOS_PER_S);
        settings_destroy(&settings);
        settings = must_load(ARGS(), ENV("CACHE_L1_MAX_SIZE=", "CACHE_L1_TTLX=1"));
        assert_origin(settings, "cache.l1.max_entries", "default");
        settings_destroy(&settings);
}

static void preset_moves_defaults_only(void **state)
{
        struct settings *settings = must_load_text("cache: {l1: {preset: report}}\n");

        (void)state;
        assert_option(settings, "cache.l1.max_entries", "1000");
        assert_origin(settings, "cache.l1.max_entries", "preset report");
        assert_option(settings, "cache.l1.ttl", "1m");
        settings_destroy(&settings);
        settings = must_load(ARGS("--config", config_path), ENV("CACHE_L1_MAX_SIZE=5"));
        assert_option(settings, "cache.l1.max_entries", "5");
        settings_destroy(&settings);
}

static void flags_override_the_file(void **state)
{
        struct settings *settings;
        const struct settings_values *values;

        (void)state;
        write_config("server: {port: 1, threads: 1}\ndatabase: {path: /file}\n");
        settings = must_load(ARGS("--config", config_path, "--port", "2", "--threads=3", "--data", "here"), NO_ENV);
        values = settings_values(settings);
        assert_int_equal(values->server_port, 2);
        assert_int_equal(values->server_threads, 3);
        assert_string_equal(values->database_path, "here");
        settings_destroy(&settings);
}

static void the_file_is_found_by_flag_or_variable(void **state)
{
        char variable[128];
        struct settings *settings;

        (void)state;
        write_config("server: {port: 4321}\n");
        (void)snprintf(variable, sizeof(variable), "VITALCACHE_CONFIG=%s", config_path);
        settings = must_load(ARGS(), ENV(variable));
        assert_option(settings, "server.port", "4321");
        settings_destroy(&settings);
        settings = must_load(ARGS("--config=" SHIPPED "/vitalcache.yaml"), ENV(variable));
        assert_option(settings, "server.port", "7379");
        settings_destroy(&settings);
}

static void paths_of_a_file_are_relative_to_its_folder(void **state)
{
        struct settings *settings = must_load_text("database: {path: data}\nserver: {socket: /run/s}\n"
                                                   "types: {files: [a.yaml, 'b, c.yaml']}\n");
        char expected[200];

        (void)state;
        (void)snprintf(expected, sizeof(expected), "%s/data", folder);
        assert_option(settings, "database.path", expected);
        assert_option(settings, "server.socket", "/run/s");
        assert_int_equal(settings_values(settings)->types_files.count, 2);
        (void)snprintf(expected, sizeof(expected), "%s/b, c.yaml", folder);
        assert_string_equal(settings_values(settings)->types_files.items[1], expected);
        settings_destroy(&settings);
        settings = must_load(ARGS("--types.files", "x.yaml,y.yaml"), NO_ENV);
        assert_int_equal(settings_values(settings)->types_files.count, 2);
        assert_string_equal(settings_values(settings)->types_files.items[1], "y.yaml");
        settings_destroy(&settings);
}

/* ---- while the server runs ---- */

static enum err set_one(struct settings *settings, const char *name, const char *value, struct err_msg *msg)
{
        const struct option_change change = {name, value};

        return settings_set(settings, &change, 1, msg);
}

struct watcher {
        unsigned calls;
        uint64_t max_bytes;
        uint32_t log_level;
};

static void note_values(void *context, const struct settings_values *values)
{
        struct watcher *watcher = context;

        watcher->calls++;
        watcher->max_bytes = values->cache_l1_max_bytes;
        watcher->log_level = values->log_level;
}

static void options_are_found_by_pattern(void **state)
{
        struct settings *settings = must_load_text("");
        struct found found = {0, "", ""};
        size_t count;

        (void)state;
        (void)settings_rows(&count);
        assert_int_equal(settings_get(settings, "*", note_option, &found), count);
        assert_int_equal(found.count, count);
        assert_int_equal(settings_get(settings, "log.*", note_option, &found), 2);
        assert_string_equal(found.name, "log.format");
        assert_int_equal(settings_get(settings, "save", note_option, &found), 0);
        settings_destroy(&settings);
}

static void types_that_cannot_be_read_are_blamed_on_the_option(void **state)
{
        static const struct {
                const char *text;
                const char *place;
                const char *message;
        } cases[] = {
                {"types: {files: [nowhere.yaml]}\n", ":1:16: ", "nowhere.yaml: No such file or directory"},
                {"types: {files: []}\n", ":1:16: ", "types.files names 0 files; there must be 1 to 16"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct settings *settings = must_load_text(cases[i].text);
                struct record_types *types;
                struct err_msg msg = {""};

                assert_int_not_equal(settings_load_types(settings, &types, &msg), OK);
                assert_int_equal(strncmp(msg.text, config_path, strlen(config_path)), 0);
                assert_int_equal(strncmp(msg.text + strlen(config_path), cases[i].place, strlen(cases[i].place)), 0);
                assert_non_null(strstr(msg.text, cases[i].message));
                settings_destroy(&settings);
        }
}

static void several_changes_are_made_together_or_not_at_all(void **state)
{
        static const struct option_change half[] = {{"cache.l1.max_bytes", "1GiB"}, {"log.level", "loud"}};
        static const struct option_change twice[] = {{"log.level", "error"}, {"log.level", "debug"}};
        static const struct option_change good[] = {{"cache.l1.max_bytes", "1GiB"}, {"log.level", "error"}};
        struct settings *settings = must_load_text("");
        struct watcher watcher = {0, 0, 0};
        struct err_msg msg = {""};

        (void)state;
        settings_watch(settings, note_values, &watcher);
        assert_err(ERR_BADARG, settings_set(settings, half, 2, &msg));
        assert_string_equal(msg.text, "log.level is \"loud\"; it must be debug, info, warning, error");
        assert_option(settings, "cache.l1.max_bytes", "64MB");
        assert_err(ERR_BADARG, settings_set(settings, twice, 2, &msg));
        assert_string_equal(msg.text, "log.level is there twice; it can have one value");
        assert_option(settings, "log.level", "info");
        assert_int_equal(watcher.calls, 0);
        assert_ok(settings_set(settings, good, 2, &msg));
        assert_int_equal(watcher.calls, 1);
        assert_int_equal(watcher.max_bytes, 1 << 30);
        assert_int_equal(watcher.log_level, 3);
        settings_destroy(&settings);
}

static void live_options_change_at_once(void **state)
{
        struct settings *settings = must_load_text("");
        struct watcher watcher = {0, 0, 0};
        struct err_msg msg = {""};

        (void)state;
        settings_watch(settings, note_values, &watcher);
        assert_ok(set_one(settings, "cache.l1.max_bytes", "1GiB", &msg));
        assert_int_equal(watcher.calls, 1);
        assert_int_equal(watcher.max_bytes, 1 << 30);
        assert_option(settings, "cache.l1.max_bytes", "1GiB");
        assert_origin(settings, "cache.l1.max_bytes", "CONFIG SET");
        assert_ok(set_one(settings, "log.level", "error", &msg));
        assert_int_equal(watcher.log_level, 3);
        settings_destroy(&settings);
}

static void other_changes_are_refused_with_the_reason(void **state)
{
        struct settings *settings = must_load_text("");
        struct watcher watcher = {0, 0, 0};
        struct err_msg msg = {""};
        char expected[200];

        (void)state;
        settings_watch(settings, note_values, &watcher);
        assert_err(ERR_BADARG, set_one(settings, "server.port", "1", &msg));
        (void)snprintf(expected, sizeof(expected), "server.port is read at start only; change it in %s and restart",
                config_path);
        assert_string_equal(msg.text, expected);
        assert_err(ERR_BADARG, set_one(settings, "cache.l1.max_byte", "1", &msg));
        assert_string_equal(
                msg.text, "there is no option \"cache.l1.max_byte\" (did you mean \"cache.l1.max_bytes\"?)");
        assert_err(ERR_BADARG, set_one(settings, "cache.l1.max_bytes", "1KB", &msg));
        assert_string_equal(msg.text, "cache.l1.max_bytes is 1KB; it must be 1MB to 1TB");
        assert_int_equal(watcher.calls, 0);
        assert_option(settings, "cache.l1.max_bytes", "64MB");
        settings_destroy(&settings);
}

struct reload_notes {
        char text[256];
};

static void note_reload(void *arg, const char *name, bool applied)
{
        struct reload_notes *notes = arg;
        size_t used = strlen(notes->text);

        (void)snprintf(notes->text + used, sizeof(notes->text) - used, "%s%s ", applied ? "" : "!", name);
}

static void reload_applies_what_can_change_and_names_the_rest(void **state)
{
        struct settings *settings = must_load_text("cache: {l1: {max_bytes: 2MB}}\n");
        struct reload_notes notes = {""};
        struct watcher watcher = {0, 0, 0};
        struct err_msg msg = {""};

        (void)state;
        settings_watch(settings, note_values, &watcher);
        assert_ok(set_one(settings, "log.level", "debug", &msg));
        write_config("cache: {l1: {max_bytes: 3MB}}\nserver: {port: 9}\ntypes: {files: [x.yaml]}\n");
        assert_ok(settings_reload(settings, note_reload, &notes, &msg));
        assert_string_equal(notes.text, "!server.port cache.l1.max_bytes !types.files log.level ");
        assert_int_equal(watcher.max_bytes, 3000000);
        assert_int_equal(watcher.log_level, 1);
        assert_int_equal(settings_values(settings)->server_port, 7379);
        assert_string_equal(settings_values(settings)->types_files.items[0], SHIPPED "/types/school-health.yaml");
        settings_destroy(&settings);
}

static void a_reload_of_a_wrong_file_changes_nothing(void **state)
{
        struct settings *settings = must_load_text("cache: {l1: {max_bytes: 2MB}}\n");
        struct reload_notes notes = {""};
        struct watcher watcher = {0, 0, 0};
        struct err_msg msg = {""};

        (void)state;
        settings_watch(settings, note_values, &watcher);
        write_config("cache: {l1: {max_bytes: 3MB}}\nlog: {level: loud}\n");
        assert_err(ERR_CONFIG, settings_reload(settings, note_reload, &notes, &msg));
        assert_non_null(strstr(msg.text, ":2:14: log.level is \"loud\""));
        assert_string_equal(notes.text, "");
        assert_int_equal(watcher.calls, 0);
        assert_option(settings, "cache.l1.max_bytes", "2MB");
        settings_destroy(&settings);
}

enum { ROUNDS = 200 };

static void *set_in_turn(void *arg)
{
        for (int i = 0; i < ROUNDS; i++)
                if (set_one(arg, "cache.l1.max_bytes", i % 2 == 0 ? "2MB" : "3MB", NULL) != OK)
                        return arg;
        return NULL;
}

/* Another connection's CONFIG SET beside a CONFIG GET and a reload. */
static void threads_may_change_and_read_at_once(void **state)
{
        struct settings *settings = must_load_text("cache: {l1: {max_bytes: 2MB}}\n");
        struct watcher watcher = {0, 0, 0};
        struct reload_notes notes = {""};
        void *failed = settings;
        pthread_t setter;

        (void)state;
        settings_watch(settings, note_values, &watcher);
        assert_int_equal(pthread_create(&setter, NULL, set_in_turn, settings), 0);
        for (int i = 0; i < ROUNDS; i++) {
                struct found found = {0, "", ""};

                assert_int_equal(settings_get(settings, "cache.l1.max_bytes", note_option, &found), 1);
                assert_true(strcmp(found.value, "2MB") == 0 || strcmp(found.value, "3MB") == 0);
        }
        assert_ok(settings_reload(settings, note_reload, &notes, NULL));
        assert_int_equal(pthread_join(setter, &failed), 0);
        assert_null(failed);
        assert_int_equal(watcher.calls, ROUNDS + 1);
        settings_destroy(&settings);
}

/* settings_set and settings_reload rely on these two. */
static void live_options_have_no_text_and_no_rule_with_others(void **state)
{
        static const char *const ruled[] = {
#define OPTION(...)
#define PRESET(...)
#define AT_MOST(field, other) #field, #other,
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
        };
        size_t count;
        const struct option_row *rows = settings_rows(&count);

        (void)state;
        for (size_t i = 0; i < count; i++) {
                char field[64];

                if (!rows[i].reloadable)
                        continue;
                assert_true(rows[i].type < OPTION_TEXT || rows[i].type == OPTION_WORD);
                (void)snprintf(field, sizeof(field), "%s", rows[i].name);
                for (char *dot = strchr(field, '.'); dot != NULL; dot = strchr(dot, '.'))
                        *dot = '_';
                for (size_t k = 0; k < sizeof(ruled) / sizeof(ruled[0]); k++)
                        assert_string_not_equal(field, ruled[k]);
        }
}

/* ---- memory ---- */

static enum err load_set_and_reload(void *context)
{
        struct settings_input input = settings_given(
                ARGS("--config", config_path, "--port", "1", "--types.files", "a,b"), ENV("CACHE_L1_TTL=5"));
        struct reload_notes notes = {""};
        struct settings *settings;
        struct err_msg msg = {""};
        struct buf out;
        enum err rc = settings_load(&settings, &input, &msg);

        (void)context;
        buf_init(&out, 0);
        if (rc == OK)
                rc = settings_print(settings, &out);
        if (rc == OK)
                rc = set_one(settings, "log.level", "error", &msg);
        if (rc == OK)
                rc = settings_reload(settings, note_reload, &notes, &msg);
        buf_deinit(&out);
        settings_destroy(&settings);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        write_config("database: {path: data, map_size: 1GiB}\ncache: {l1: {preset: report, max_bytes: 1GB}}\n");
        each_allocation_fails(load_set_and_reload, NULL);
        each_allocation_fails_for_good(load_set_and_reload, NULL);
}

static int set_up(void **state)
{
        (void)state;
        temp_dir_make(folder, sizeof(folder));
        (void)snprintf(config_path, sizeof(config_path), "%s/test.yaml", folder);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        temp_dir_remove(folder);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults_are_those_of_the_table),
                cmocka_unit_test(shipped_file_serves_without_any_flag),
                cmocka_unit_test(shipped_file_shows_every_option),
                cmocka_unit_test(later_sources_win_and_are_told),
                cmocka_unit_test(older_environment_variables_are_understood),
                cmocka_unit_test(preset_moves_defaults_only),
                cmocka_unit_test(flags_override_the_file),
                cmocka_unit_test(the_file_is_found_by_flag_or_variable),
                cmocka_unit_test(paths_of_a_file_are_relative_to_its_folder),
                cmocka_unit_test(options_are_found_by_pattern),
                cmocka_unit_test(types_that_cannot_be_read_are_blamed_on_the_option),
                cmocka_unit_test(several_changes_are_made_together_or_not_at_all),
                cmocka_unit_test(live_options_change_at_once),
                cmocka_unit_test(other_changes_are_refused_with_the_reason),
                cmocka_unit_test(reload_applies_what_can_change_and_names_the_rest),
                cmocka_unit_test(a_reload_of_a_wrong_file_changes_nothing),
                cmocka_unit_test(threads_may_change_and_read_at_once),
                cmocka_unit_test(live_options_have_no_text_and_no_rule_with_others),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
