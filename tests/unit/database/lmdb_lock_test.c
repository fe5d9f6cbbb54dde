#include "database/lmdb_lock.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
        static char path[64];

        temp_dir_make(path, sizeof(path));
        *state = path;
        return 0;
}

static int teardown(void **state)
{
        temp_dir_remove(*state);
        return 0;
}

static void the_second_is_told_who_holds_it(void **state)
{
        const char *folder = *state;
        struct err_msg msg = {.text = ""};
        char pid[32];
        int first;
        int second;

        assert_ok(lmdb_lock_take(folder, &first, &msg));
        assert_err(ERR_LOCKED, lmdb_lock_take(folder, &second, &msg));
        assert_int_equal(second, -1);
        (void)snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
        assert_non_null(strstr(msg.text, pid));
        assert_non_null(strstr(msg.text, folder));
        lmdb_lock_release(&first);
        assert_int_equal(first, -1);
        assert_ok(lmdb_lock_take(folder, &second, &msg));
        lmdb_lock_release(&second);
        lmdb_lock_release(&second); /* a no-op */
}

static void it_goes_with_the_process_that_held_it(void **state)
{
        const char *folder = *state;
        int status;
        int fd;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                int held;

                _exit(lmdb_lock_take(folder, &held, NULL) == OK ? 0 : 1); /* without giving it back */
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_ok(lmdb_lock_take(folder, &fd, NULL));
        lmdb_lock_release(&fd);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
        struct err_msg msg = {.text = ""};
        char folder[5000];
        int fd;

        (void)state;
        assert_err(ERR_IO, lmdb_lock_take("/nonexistent/folder", &fd, &msg));
        assert_non_null(strstr(msg.text, "/nonexistent/folder/" LMDB_LOCK_NAME));
        memset(folder, 'x', sizeof(folder) - 1);
        folder[sizeof(folder) - 1] = '\0';
        assert_err(ERR_IO, lmdb_lock_take(folder, &fd, &msg));
        assert_non_null(strstr(msg.text, "too long"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_second_is_told_who_holds_it, setup, teardown),
                cmocka_unit_test_setup_teardown(it_goes_with_the_process_that_held_it, setup, teardown),
                cmocka_unit_test(a_folder_that_is_not_there_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
