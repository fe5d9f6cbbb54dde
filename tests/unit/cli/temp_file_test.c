#include "cli/temp_file.h"
#include "tests/lib/test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int count_entries(const char *folder)
{
        DIR *dir = opendir(folder);
        int count = 0;

        assert_non_null(dir);
        while (readdir(dir) != NULL)
                count++;
        (void)closedir(dir);
        return count - 2; /* . and .. */
}

static void a_file_has_no_name_and_is_for_its_owner_alone(void **state)
{
        char folder[64];
        struct stat info;
        int fd;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        assert_int_equal(setenv("TMPDIR", folder, 1), 0);
        assert_ok(temp_file_open(&fd, NULL));
        assert_int_equal(fstat(fd, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        assert_int_equal(info.st_nlink, 0);
        assert_int_equal(count_entries(folder), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(unsetenv("TMPDIR"), 0);
        temp_dir_remove(folder);
}

static void what_was_written_is_read_and_the_end_is_told(void **state)
{
        char text[16] = "";
        struct temp_file_room room = {.data = text, .len = sizeof(text)};
        int fd;

        (void)state;
        assert_ok(temp_file_open(&fd, NULL));
        assert_ok(temp_file_write(fd, 3, slice_str("needle"), NULL));
        assert_ok(temp_file_read(fd, 4, &room, NULL));
        assert_int_equal(room.got, 5);
        assert_memory_equal(text, "eedle", 5);
        assert_ok(temp_file_read(fd, 100, &room, NULL));
        assert_int_equal(room.got, 0);
        assert_int_equal(close(fd), 0);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
        struct err_msg msg;
        int fd;

        (void)state;
        assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
        assert_err(ERR_IO, temp_file_open(&fd, &msg));
        assert_int_equal(fd, -1);
        assert_non_null(strstr(msg.text, "/nowhere/at/all"));
        assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void a_file_that_cannot_be_used_is_an_error(void **state)
{
        char text[4];
        struct temp_file_room room = {.data = text, .len = sizeof(text)};
        struct err_msg msg;

        (void)state;
        assert_err(ERR_IO, temp_file_write(-1, 0, slice_str("x"), &msg));
        assert_non_null(strstr(msg.text, "cannot write a temporary file"));
        assert_err(ERR_IO, temp_file_read(-1, 0, &room, &msg));
        assert_non_null(strstr(msg.text, "cannot read a temporary file"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_has_no_name_and_is_for_its_owner_alone),
                cmocka_unit_test(what_was_written_is_read_and_the_end_is_told),
                cmocka_unit_test(a_folder_that_is_not_there_is_named),
                cmocka_unit_test(a_file_that_cannot_be_used_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
