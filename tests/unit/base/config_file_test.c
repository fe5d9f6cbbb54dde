/* Where the configuration is found: told, by the environment, or as it was built. */
#include "base/config_file.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void the_folder_told_is_taken_as_it_is(void **state)
{
        char folder[PATH_MAX];

        (void)state;
        config_folder_find("/nowhere", folder);
        assert_string_equal(folder, "/nowhere");
}

static void the_shipped_folder_has_the_file(void **state)
{
        char folder[PATH_MAX];
        char file[PATH_MAX];
        char *const environment[] = {NULL};

        (void)state;
        config_folder_find(NULL, folder);
        assert_ok(config_file_find(folder, environment, file, NULL));
        assert_int_equal(access(file, R_OK), 0);
}

static void the_environment_comes_before_the_folder(void **state)
{
        char file[PATH_MAX];
        char *const environment[] = {
                (char *)"OTHER=1", (char *)"VITALCACHE_CONFIGS=no", (char *)"VITALCACHE_CONFIG=/etc/vc.yaml", NULL};
        char *const empty[] = {(char *)"VITALCACHE_CONFIG=", NULL};

        (void)state;
        assert_ok(config_file_find("/shipped", environment, file, NULL));
        assert_string_equal(file, "/etc/vc.yaml");
        assert_ok(config_file_find("/shipped", empty, file, NULL));
        assert_string_equal(file, "/shipped/vitalcache.yaml");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
        static char variable[PATH_MAX + 64] = "VITALCACHE_CONFIG=/";
        char file[PATH_MAX];
        char *const environment[] = {variable, NULL};
        struct err_msg msg;

        (void)state;
        memset(variable + strlen(variable), 'x', PATH_MAX);
        assert_err(ERR_CONFIG, config_file_find("/shipped", environment, file, &msg));
        assert_non_null(strstr(msg.text, "too long"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_folder_told_is_taken_as_it_is),
                cmocka_unit_test(the_shipped_folder_has_the_file),
                cmocka_unit_test(the_environment_comes_before_the_folder),
                cmocka_unit_test(a_path_that_is_too_long_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
