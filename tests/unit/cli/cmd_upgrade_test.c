/* backup, restore, compact and upgrade from the command line: what they say, and their exit codes. */
#include "cli/cli.h"
#include "tests/lib/format1.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
        char folder[64];
        char data[80]; /* a database of the first format */
        char file[80];
        char *out;
        char *err;
};

static int setup(void **state)
{
        struct world *w = calloc(1, sizeof(*w));
        struct format1 *format1;

        assert_non_null(w);
        temp_dir_make(w->folder, sizeof(w->folder));
        (void)snprintf(w->data, sizeof(w->data), "%s/db", w->folder);
        (void)snprintf(w->file, sizeof(w->file), "%s/backup", w->folder);
        assert_int_equal(mkdir(w->data, 0700), 0);
        format1 = format1_create(w->data, 1);
        format1_put(format1, "students", slice_str("{\"student\":\"1\",\"id\":\"1\",\"first_name\":\"Ada\"}"));
        assert_int_equal(format1_finish(&format1), 1);
        *state = w;
        return 0;
}

static void forget(struct world *w)
{
        free(w->out);
        free(w->err);
        w->out = w->err = NULL;
}

static int teardown(void **state)
{
        struct world *w = *state;

        forget(w);
        temp_dir_remove(w->folder);
        free(w);
        return 0;
}

/* `words` ends with NULL. */
static enum cli_exit run(struct world *w, const char *const *words)
{
        char *argv[12] = {"vitalcache"};
        int argc = 1;
        size_t out_len;
        size_t err_len;
        FILE *out;
        FILE *err;
        enum cli_exit result;

        forget(w);
        out = open_memstream(&w->out, &out_len);
        err = open_memstream(&w->err, &err_len);
        for (; words[argc - 1] != NULL; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc - 1];
        result = cli_run(argc, argv, stdin, out, err);
        (void)fclose(out);
        (void)fclose(err);
        return result;
}

#define RUN(w, ...) run(w, (const char *const[]){__VA_ARGS__, NULL})

static void upgrades_backs_up_restores_and_compacts(void **state)
{
        struct world *w = *state;
        char other[80];

        (void)snprintf(other, sizeof(other), "%s/other", w->folder);
        assert_int_equal(RUN(w, "upgrade", "--data", w->data), EXIT_OK);
        assert_non_null(strstr(w->out, "\"upgraded\":true,\"format_before\":1,"));
        assert_non_null(strstr(w->out, ".before-upgrade-"));
        assert_int_equal(RUN(w, "upgrade", "--data", w->data), EXIT_OK);
        assert_non_null(strstr(w->out, "nothing to do"));
        assert_int_equal(RUN(w, "backup", "--data", w->data, w->file), EXIT_OK);
        assert_non_null(strstr(w->out, "\"students\":1,\"records\":1,"));
        assert_int_equal(RUN(w, "restore", "--data", other, w->file), EXIT_OK);
        assert_non_null(strstr(w->out, "\"checked\":true"));
        assert_int_equal(RUN(w, "restore", "--human", "--replace", "--data", other, w->file), EXIT_OK);
        assert_non_null(strstr(w->out, "put_aside"));
        assert_int_equal(RUN(w, "compact", "--data", other), EXIT_OK);
        assert_non_null(strstr(w->out, "\"bytes_after\":"));
}

static void a_backup_of_an_older_format_is_restored_unchecked(void **state)
{
        struct world *w = *state;
        char other[80];
        char command[128];

        (void)snprintf(other, sizeof(other), "%s/other", w->folder);
        (void)snprintf(command, sizeof(command), "run: vitalcache upgrade --data %s ", other);
        assert_int_equal(RUN(w, "backup", "--data", w->data, w->file), EXIT_OK);
        assert_int_equal(RUN(w, "restore", "--data", other, w->file), EXIT_OK);
        assert_non_null(strstr(w->out, "\"checked\":false"));
        assert_non_null(strstr(w->out, command));
        assert_int_equal(RUN(w, "upgrade", "--no-backup", "--data", other), EXIT_OK);
        assert_null(strstr(w->out, "\"backup\""));
}

static void says_what_is_wrong(void **state)
{
        struct world *w = *state;
        char command[128];

        (void)snprintf(command, sizeof(command), "run: vitalcache upgrade --data %s\n", w->data);
        assert_int_equal(RUN(w, "restore", "--data", w->data, "/nowhere/backup"), EXIT_USAGE);
        assert_non_null(strstr(w->err, "/nowhere/backup: No such file"));
        assert_int_equal(RUN(w, "restore", "--data", w->data, "/dev/null"), EXIT_REFUSED);
        assert_non_null(strstr(w->err, "there is a database"));
        assert_int_equal(RUN(w, "upgrade", "--data", w->data, "--no-backup", "--backup", w->file), EXIT_USAGE);
        assert_non_null(strstr(w->err, "do not go together"));
        assert_int_equal(RUN(w, "backup", "--data", "/nowhere", w->file), EXIT_REFUSED);
        assert_non_null(strstr(w->err, "no database in /nowhere"));
        assert_int_equal(RUN(w, "compact", "--data", w->data), EXIT_REFUSED);
        assert_non_null(strstr(w->err, command));
        assert_int_equal(RUN(w, "compact", "--replace"), EXIT_USAGE);
}

static void a_configuration_that_cannot_be_read_is_named(void **state)
{
        struct world *w = *state;
        char config[96];
        FILE *file;

        assert_int_equal(RUN(w, "backup", "--config", "/nowhere.yaml", w->file), EXIT_USAGE);
        assert_non_null(strstr(w->err, "/nowhere.yaml"));
        (void)snprintf(config, sizeof(config), "%s/bad.yaml", w->folder);
        file = fopen(config, "w");
        assert_non_null(file);
        assert_true(fputs("database:\n  paht: x\n", file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(RUN(w, "compact", "--config", config), EXIT_USAGE);
        assert_non_null(strstr(w->err, "bad.yaml:2"));
        assert_int_equal(RUN(w, "backup", "--config", config, "--data", w->data, w->file), EXIT_OK); /* needs none */
}

/* Without --data it is what the configuration says. */
static void finds_the_folder_as_the_server_does(void **state)
{
        struct world *w = *state;
        char config[96];
        FILE *file;

        (void)snprintf(config, sizeof(config), "%s/good.yaml", w->folder);
        file = fopen(config, "w");
        assert_non_null(file);
        assert_true(fputs("database:\n  path: db\n", file) >= 0); /* beside the file */
        assert_int_equal(fclose(file), 0);
        assert_int_equal(RUN(w, "backup", "--config", config, w->file), EXIT_OK);
        assert_int_equal(access(w->file, F_OK), 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(upgrades_backs_up_restores_and_compacts),
                WITH(a_backup_of_an_older_format_is_restored_unchecked),
                WITH(says_what_is_wrong),
                WITH(a_configuration_that_cannot_be_read_is_named),
                WITH(finds_the_folder_as_the_server_does),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
