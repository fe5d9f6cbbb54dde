/* The import command against canned replies: what is sent, in which order, and what the report says. */
#include "cli/cli.h"
#include "tests/lib/import_replies.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <sys/stat.h>

struct world {
        char folder[64];
        char *out;
        char *err;
        char *asked;
        enum cli_exit result;
};

static void write_file(const char *folder, const char *name, const char *text)
{
        char path[128];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void run_import(struct world *w, const char *path, const char *const *replies)
{
        struct scripted_server *server = scripted_server_start(w->folder, replies);
        char full[128];
        char *words[] = {
                "vitalcache", "--socket", (char *)(uintptr_t)scripted_server_path(server), "import", full, NULL};
        size_t out_len;
        size_t err_len;
        FILE *out = open_memstream(&w->out, &out_len);
        FILE *err = open_memstream(&w->err, &err_len);

        (void)snprintf(full, sizeof(full), "%s/%s", w->folder, path);
        w->result = cli_run(5, words, stdin, out, err);
        w->asked = scripted_server_stop(&server);
        (void)fclose(out);
        (void)fclose(err);
}

static void world_end(struct world *w)
{
        free(w->out);
        free(w->err);
        free(w->asked);
        temp_dir_remove(w->folder);
}

#define PATIENTS "Id,BIRTHDATE,FIRST,LAST\n1,2012-06-16,Ana,Soto\n2,2012-06-17,Bao,Lee\n"

static void students_go_first_and_other_files_of_a_folder_are_skipped(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\n2009-09-27,,1,2,Peanut,food\n");
        write_file(w.folder, "patients.csv", PATIENTS);
        write_file(w.folder, "zebras.csv", "stripes,number\n1,2\n");
        write_file(w.folder, "notes.txt", "not looked at");
        run_import(&w, "",
                (const char *const[]){BEGIN_FLOW, OUTCOME(2, 0, NONE_LEFT_OUT), OUTCOME(1, 0, NONE_LEFT_OUT), NULL});
        assert_string_equal(w.err, "");
        assert_int_equal(w.result, EXIT_OK);
        assert_int_equal(strncmp(w.asked, "CLIENT FORMAT msgpack\n", 22), 0);
        assert_non_null(strstr(w.asked, "\nIMPORT students "));
        assert_true(strstr(w.asked, "\nIMPORT students ") < strstr(w.asked, "\nIMPORT allergies "));
        assert_non_null(strstr(w.asked, "\nIMPORT allergies "));
        assert_non_null(strstr(w.out, "{\"tables\":[{\"table\":\"students\",\"rows\":2,\"written\":2,\"unchanged\":0,"
                                      "\"duplicates\":0,\"left_out\":0},"
                                      "{\"table\":\"allergies\",\"rows\":1,\"written\":1,\"unchanged\":0,"
                                      "\"duplicates\":0,\"left_out\":0}],\"skipped\":["));
        assert_non_null(strstr(w.out, "zebras.csv\",\"why\":\"its columns are not those of patients, allergies, "
                                      "conditions, immunizations or encounters\"}],\"seconds\":"));
        world_end(&w);
}

static void rows_left_out_are_counted_by_reason_with_their_places(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\n"
                "2009-09-27,,1,2,Peanut,food\n"
                "yesterday,,1,2,Secretname,food\n"
                "2009-09-27,,nobody,2,Peanut,food\n"
                "2009-09-28,,nobody,2,Peanut,food\n"
                "tomorrow,,1,2,Peanut,food\n");
        run_import(&w, "allergies.csv", /* the batch, then the two of unknown students once more */
                (const char *const[]){BEGIN_FLOW, OUTCOME(1, 0, "*2\r\n" LEFT_OUT_STUDENT(1) LEFT_OUT_STUDENT(2)),
                        OUTCOME(0, 0, "*2\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_STUDENT(1)), NULL});
        assert_int_equal(w.result, EXIT_PARTIAL);
        assert_non_null(strstr(w.out, "\"rows\":5,\"written\":1,\"unchanged\":0,\"duplicates\":0,\"left_out\":4}"));
        assert_non_null(strstr(w.out, "\"field\":\"START\",\"reason\":\"instant\","));
        assert_non_null(strstr(w.out, "allergies.csv:3\",\""));
        assert_non_null(strstr(w.out, "\"reason\":\"unknown-student\",\"text\":\"unknown student\",\"count\":2,"));
        assert_non_null(strstr(w.out, "allergies.csv:4\",\""));
        assert_non_null(strstr(w.out, "allergies.csv:5\"]}"));
        assert_null(strstr(w.out, "Secretname"));
        assert_null(strstr(w.out, "nobody"));
        world_end(&w);
}

static void lines_of_an_export_are_rows_of_their_table(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "rows.ndjson", "{\"table\":\"visits\",\"row\":{\"student\":\"1\",\"id\":\"v\"}}\n");
        run_import(&w, "rows.ndjson", (const char *const[]){BEGIN_FLOW, OUTCOME(1, 0, NONE_LEFT_OUT), NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT visits "), 1);
        assert_non_null(strstr(w.out, "{\"tables\":[{\"table\":\"visits\",\"rows\":1,\"written\":1,"));
        world_end(&w);
}

static void a_refused_batch_is_sent_again_in_halves(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "patients.csv", PATIENTS);
        run_import(&w, "patients.csv",
                (const char *const[]){BEGIN_FLOW, "-BADVALUE rows[1].id: not canonical\r\n",
                        OUTCOME(1, 0, NONE_LEFT_OUT), "-BADVALUE rows[0].id: not canonical\r\n", NULL});
        assert_int_equal(w.result, EXIT_PARTIAL);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT students "), 3);
        assert_non_null(strstr(w.out, "\"rows\":2,\"written\":1,\"unchanged\":0,\"duplicates\":0,\"left_out\":1}"));
        assert_non_null(strstr(w.out, "\"reason\":\"refused\",\"text\":\"refused by the server\",\"count\":1,"));
        assert_non_null(strstr(w.out, "patients.csv:3\"]}"));
        world_end(&w);
}

static void a_server_that_cannot_import_ends_it_and_what_went_in_is_told(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "patients.csv", PATIENTS);
        write_file(w.folder, "allergies.csv",
                "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\n2009-09-27,,1,2,Peanut,food\n");
        run_import(&w, "",
                (const char *const[]){BEGIN_FLOW, OUTCOME(2, 0, NONE_LEFT_OUT),
                        "-UNAVAILABLE no space left on the device\r\n", NULL});
        assert_int_equal(w.result, EXIT_REFUSED);
        assert_string_equal(w.err, "vitalcache: UNAVAILABLE no space left on the device\n");
        assert_non_null(strstr(w.out, "{\"table\":\"students\",\"rows\":2,\"written\":2,"));
        world_end(&w);
}

static void a_broken_connection_is_told(void **state)
{
        struct world w;

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "patients.csv", PATIENTS);
        run_import(&w, "patients.csv", (const char *const[]){BEGIN_FLOW, NULL});
        assert_int_equal(w.result, EXIT_CONNECT);
        assert_non_null(strstr(w.err, "the connection to"));
        world_end(&w);
}

/* More than one window of batches: the replies come while rows are still read. */
static void many_batches_are_on_their_way_at_a_time(void **state)
{
        enum { BATCH = 1000, STUDENTS = 40 * BATCH + 500, BATCHES = 41 };
        const char *replies[3 + BATCHES + 1] = {BEGIN_FLOW};
        struct world w;
        struct buf text;

        (void)state;
        buf_init(&text, 0);
        assert_ok(buf_append_str(&text, "Id,BIRTHDATE,FIRST,LAST\n"));
        for (int i = 1; i <= STUDENTS; i++)
                assert_ok(buf_printf(&text, "%d,2012-06-16,Ana,Soto\n", i));
        assert_ok(buf_append(&text, "", 1));
        for (int i = 1; i <= BATCHES; i++)
                replies[2 + i] = i < BATCHES ? OUTCOME(1000, 0, NONE_LEFT_OUT) : OUTCOME(500, 0, NONE_LEFT_OUT);
        temp_dir_make(w.folder, sizeof(w.folder));
        write_file(w.folder, "patients.csv", (const char *)buf_slice(&text).data);
        buf_deinit(&text);
        run_import(&w, "patients.csv", replies);
        assert_int_equal(w.result, EXIT_OK);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT students "), BATCHES);
        assert_non_null(
                strstr(w.out, "\"rows\":40500,\"written\":40500,\"unchanged\":0,\"duplicates\":0,\"left_out\":0}"));
        world_end(&w);
}

static void files_that_cannot_be_imported_are_usage_errors(void **state)
{
        static const struct {
                const char *name;
                const char *text;
                const char *problem;
        } cases[] = {
                {"zebras.csv", "stripes,number\n", "zebras.csv: its columns are not those of patients, allergies, "},
                {"empty.csv", "", "nothing to import: "},
                {"old.csv", "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n", "it has a header line and no rows"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct world w;

                temp_dir_make(w.folder, sizeof(w.folder));
                write_file(w.folder, cases[i].name, cases[i].text);
                run_import(&w, cases[i].name, (const char *const[]){NULL});
                assert_int_equal(w.result, EXIT_USAGE);
                assert_non_null(strstr(w.err, cases[i].problem));
                world_end(&w);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(students_go_first_and_other_files_of_a_folder_are_skipped),
                cmocka_unit_test(rows_left_out_are_counted_by_reason_with_their_places),
                cmocka_unit_test(lines_of_an_export_are_rows_of_their_table),
                cmocka_unit_test(a_refused_batch_is_sent_again_in_halves),
                cmocka_unit_test(a_server_that_cannot_import_ends_it_and_what_went_in_is_told),
                cmocka_unit_test(a_broken_connection_is_told),
                cmocka_unit_test(many_batches_are_on_their_way_at_a_time),
                cmocka_unit_test(files_that_cannot_be_imported_are_usage_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
