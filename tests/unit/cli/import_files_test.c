#include "cli/import_files.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENTS  "Id,BIRTHDATE,FIRST,LAST\n"
#define ALLERGIES "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\n"

static void write_file(const char *folder, const char *name, const char *text)
{
        char path[256];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void students_come_first_of_several_folders(void **state)
{
        char one[64];
        char two[64];
        char inner[128];
        const char *paths[2] = {one, two};
        struct import_files files;

        (void)state;
        temp_dir_make(one, sizeof(one));
        temp_dir_make(two, sizeof(two));
        write_file(one, "allergies.csv", ALLERGIES);
        write_file(one, "b.CSV", PATIENTS);
        write_file(one, "readme.txt", "x");
        write_file(two, "patients.csv", PATIENTS);
        write_file(two, "other.csv", "a,b\n");
        (void)snprintf(inner, sizeof(inner), "%s/folder.csv", two);
        assert_int_equal(mkdir(inner, 0700), 0);
        assert_ok(import_files_init(&files, paths, 2, NULL));
        assert_int_equal(files.count, 4);
        assert_int_equal(files.files[3].kind, IMPORT_allergies);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(files.files[i].kind, IMPORT_students);
        import_files_deinit(&files);
        temp_dir_remove(one);
        temp_dir_remove(two);
}

static void what_is_wrong_names_the_path(void **state)
{
        char folder[64];
        char path[128];
        const char *paths[1] = {folder};
        struct import_files files;
        struct err_msg msg;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        assert_err(ERR_IO, import_files_init(&files, paths, 1, &msg));
        assert_non_null(strstr(msg.text, "has no .csv files"));
        import_files_deinit(&files);
        write_file(folder, "x.csv", "a,b\n");
        (void)snprintf(path, sizeof(path), "%s/x.csv", folder);
        paths[0] = path;
        assert_err(ERR_NOTFOUND, import_files_init(&files, paths, 1, &msg));
        assert_int_equal(strncmp(msg.text, path, strlen(path)), 0);
        import_files_deinit(&files);
        write_file(folder, "x.csv", "\x1f\x8b\x08\x08");
        assert_err(ERR_BADVALUE, import_files_init(&files, paths, 1, &msg));
        assert_non_null(strstr(msg.text, "x.csv: it is compressed (gzip); unpack it first"));
        import_files_deinit(&files);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_err(
                ERR_IO, import_files_init(&files, paths, 1, &msg)); /* it would wait for a writer, and is read twice */
        assert_non_null(strstr(msg.text, "x.csv is neither a file nor a folder"));
        import_files_deinit(&files);
        paths[0] = "/nowhere";
        assert_err(ERR_IO, import_files_init(&files, paths, 1, &msg));
        assert_string_equal(msg.text, "cannot open /nowhere: No such file or directory");
        import_files_deinit(&files);
        temp_dir_remove(folder);
}

static enum err find_files(void *context)
{
        const char *paths[1] = {context};
        struct import_files files;
        enum err rc = import_files_init(&files, paths, 1, NULL);

        import_files_deinit(&files);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        char folder[64];

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        write_file(folder, "allergies.csv", ALLERGIES);
        write_file(folder, "patients.csv", PATIENTS);
        each_allocation_fails_for_good(find_files, folder);
        temp_dir_remove(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(students_come_first_of_several_folders),
                cmocka_unit_test(what_is_wrong_names_the_path),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
