#include "cli/import_files.h"
#include "tests/lib/test.h"

#include <fcntl.h>
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

static void make_folder(const char *folder, const char *name)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *folder, const char *name, const char *target)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(symlink(target, path), 0);
}

/* Fails unless the files, without the folder's name, are these, in this order; skipped ones with a '-' before. */
static void assert_files(const char *folder, const struct import_files *files, const char *expected)
{
        char names[512] = "";
        size_t len = 0;

        for (size_t i = 0; i < files->count; i++) {
                const char *path = files->files[i].path;

                if (strncmp(path, folder, strlen(folder)) == 0)
                        path += strlen(folder) + 1;
                len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s%s", len == 0 ? "" : " ",
                        files->files[i].skipped ? "-" : "", path);
        }
        assert_string_equal(names, expected);
}

static enum err find(struct import_files *files, const char *path, struct err_msg *msg)
{
        const char *paths[1] = {path};

        return import_files_init(files, paths, 1, -1, msg);
}

static void folders_are_read_to_their_depths_students_first(void **state)
{
        char folder[64];
        struct import_files files;
        struct err_msg msg;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        make_folder(folder, "b");
        make_folder(folder, "b/c");
        make_folder(folder, ".hidden");
        write_file(folder, "allergies.csv", ALLERGIES);
        write_file(folder, ".patients.csv", PATIENTS);
        write_file(folder, ".hidden/patients.csv", PATIENTS);
        write_file(folder, "b/c/people.txt", PATIENTS);
        write_file(folder, "b/merges.ndjson", "{\"table\":\"merges\",\"row\":{}}\n");
        write_file(folder, "b/a.json", "{\"resourceType\":\"Bundle\"}\n");
        write_file(folder, "b/readme.txt", "Read me\n");
        write_file(folder, "b/empty.csv", "");
        assert_ok(find(&files, folder, &msg));
        assert_files(
                folder, &files, "b/c/people.txt -b/empty.csv -b/readme.txt b/merges.ndjson b/a.json allergies.csv");
        assert_string_equal(files.files[1].why.text, "it is empty");
        import_files_deinit(&files);
        temp_dir_remove(folder);
}

static void links_in_a_circle_and_twins_are_read_once(void **state)
{
        char folder[64];
        const char *paths[3];
        struct import_files files;
        struct err_msg msg;
        char file[128];

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        make_folder(folder, "a");
        write_file(folder, "a/patients.csv", PATIENTS);
        make_link(folder, "a/around", "..");
        make_link(folder, "a/again", "../a");
        make_link(folder, "twin.csv", "a/patients.csv");
        (void)snprintf(file, sizeof(file), "%s/twin.csv", folder);
        paths[0] = folder;
        paths[1] = folder;
        paths[2] = file;
        assert_ok(import_files_init(&files, paths, 3, -1, &msg));
        assert_files(folder, &files, "a/patients.csv");
        assert_int_equal(import_files_bytes(&files), strlen(PATIENTS));
        import_files_deinit(&files);
        make_link(folder, "lost.csv", "nowhere");
        assert_err(ERR_IO, find(&files, folder, &msg));
        assert_non_null(strstr(msg.text, "/lost.csv is a link to nothing"));
        import_files_deinit(&files);
        temp_dir_remove(folder);
}

static void standard_input_may_be_no_folder(void **state)
{
        const char *paths[1] = {"-"};
        int folder = open("/", O_RDONLY | O_CLOEXEC);
        struct import_files files;
        struct err_msg msg;

        (void)state;
        assert_err(ERR_IO, import_files_init(&files, paths, 1, folder, &msg));
        assert_string_equal(msg.text, "cannot read standard input: Is a directory");
        import_files_deinit(&files);
        assert_int_equal(close(folder), 0);
}

static void the_order_given_stands_among_equals(void **state)
{
        char one[64];
        char two[64];
        const char *paths[2] = {two, one};
        struct import_files files;

        (void)state;
        temp_dir_make(one, sizeof(one));
        temp_dir_make(two, sizeof(two));
        write_file(one, "a.csv", PATIENTS);
        write_file(two, "b.csv", PATIENTS);
        assert_ok(import_files_init(&files, paths, 2, -1, NULL));
        assert_int_equal(files.count, 2);
        assert_int_equal(strncmp(files.files[0].path, two, strlen(two)), 0);
        import_files_deinit(&files);
        temp_dir_remove(one);
        temp_dir_remove(two);
}

static void standard_input_and_pipes_stay_open(void **state)
{
        char folder[64];
        char path[128];
        const char *paths[2] = {"-", path};
        struct import_files files;
        int ends[2];
        int fifo;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        (void)snprintf(path, sizeof(path), "%s/fifo", folder);
        assert_int_equal(mkfifo(path, 0600), 0);
        fifo = open(path, O_RDWR | O_CLOEXEC); /* opening one end alone would wait */
        assert_true(fifo >= 0);
        assert_int_equal(write(fifo, ALLERGIES, strlen(ALLERGIES)), (ssize_t)strlen(ALLERGIES));
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], PATIENTS, strlen(PATIENTS)), (ssize_t)strlen(PATIENTS));
        assert_int_equal(close(ends[1]), 0);
        assert_ok(import_files_init(&files, paths, 1, ends[0], NULL));
        assert_int_equal(files.count, 1);
        assert_string_equal(files.files[0].path, "standard input");
        assert_int_equal(files.files[0].look.order, IMPORT_ORDER_STUDENTS);
        assert_true(files.files[0].once);
        assert_non_null(files.files[0].input);
        assert_int_equal(import_files_bytes(&files), 0);
        import_files_deinit(&files);
        assert_int_equal(close(ends[0]), 0);
        paths[0] = folder;
        assert_ok(import_files_init(&files, paths, 1, -1, NULL)); /* in a folder it is not waited for */
        assert_files(folder, &files, "-fifo");
        import_files_deinit(&files);
        assert_int_equal(close(fifo), 0);
        temp_dir_remove(folder);
}

static void what_is_wrong_names_the_path(void **state)
{
        char folder[64];
        char path[128];
        struct import_files files;
        struct err_msg msg;

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        assert_err(ERR_IO, find(&files, folder, &msg));
        assert_non_null(strstr(msg.text, "has no files"));
        import_files_deinit(&files);
        write_file(folder, "x.csv", "a,b\n");
        (void)snprintf(path, sizeof(path), "%s/x.csv", folder);
        assert_err(ERR_NOTYPE, find(&files, path, &msg));
        assert_int_equal(strncmp(msg.text, path, strlen(path)), 0);
        import_files_deinit(&files);
        write_file(folder, "x.csv", ""); /* of *.csv some may be empty */
        assert_ok(find(&files, path, &msg));
        assert_files(folder, &files, "-x.csv");
        import_files_deinit(&files);
        write_file(folder, "x.csv", "PK\x03\x04"); /* there may be records within: an error in a folder, too */
        assert_err(ERR_BADVALUE, find(&files, folder, &msg));
        assert_non_null(strstr(msg.text, "x.csv: it is a zip archive or a spreadsheet; unpack it, or"));
        import_files_deinit(&files);
        assert_err(ERR_IO, find(&files, "/nowhere", &msg));
        assert_string_equal(msg.text, "cannot open /nowhere: No such file or directory");
        import_files_deinit(&files);
        temp_dir_remove(folder);
}

static enum err find_files(void *context)
{
        struct import_files files;
        enum err rc = find(&files, context, NULL);

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
                cmocka_unit_test(folders_are_read_to_their_depths_students_first),
                cmocka_unit_test(links_in_a_circle_and_twins_are_read_once),
                cmocka_unit_test(standard_input_may_be_no_folder),
                cmocka_unit_test(the_order_given_stands_among_equals),
                cmocka_unit_test(standard_input_and_pipes_stay_open),
                cmocka_unit_test(what_is_wrong_names_the_path),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
