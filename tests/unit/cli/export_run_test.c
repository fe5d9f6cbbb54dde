/* The export command against canned replies: what is asked, what is written, and what is said of strange replies. */
#include "cli/cli.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"
#include "tests/lib/values.h"

#include <stdlib.h>
#include <unistd.h>

#define TABLES   "*2\r\n$8\r\nstudents\r\n$6\r\nvisits\r\n"
#define NOTHING  "*2\r\n$-1\r\n$1\r\n\x90\r\n" /* an empty list */
#define ORIGINAL "{\"resourceType\":\"Encounter\",\"x\":1.00}"

struct world {
        char folder[64];
        char *words[8];
        int count;
        char *out;
        char *err;
        char *asked;
        enum cli_exit result;
};

/* A reply of EXPORT: a cursor ("" for none) and the list that the JSON is, as msgpack. */
static char *reply_of(const char *cursor, const char *json)
{
        struct buf rows;
        char *reply = calloc(1, 4096);
        int len;

        assert_non_null(reply);
        buf_init(&rows, 0);
        append_json(&rows, json);
        if (cursor[0] == '\0')
                len = snprintf(reply, 4096, "*2\r\n$-1\r\n$%zu\r\n", buf_len(&rows));
        else
                len = snprintf(reply, 4096, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(cursor), cursor, buf_len(&rows));
        assert_null(memchr(buf_slice(&rows).data, 0, buf_len(&rows))); /* replies are terminated strings */
        memcpy(reply + len, buf_slice(&rows).data, buf_len(&rows));
        memcpy(reply + len + buf_len(&rows), "\r\n", 3);
        buf_deinit(&rows);
        return reply;
}

static void begin(struct world *w)
{
        *w = (struct world){.count = 0};
        temp_dir_make(w->folder, sizeof(w->folder));
}

static void run(struct world *w, const char *const *replies)
{
        struct scripted_server *server = scripted_server_start(w->folder, replies);
        char *words[12] = {"vitalcache", "--socket", (char *)(uintptr_t)scripted_server_path(server), "export"};
        size_t out_len;
        size_t err_len;
        FILE *out = open_memstream(&w->out, &out_len);
        FILE *err = open_memstream(&w->err, &err_len);

        memcpy(words + 4, w->words, sizeof(w->words));
        w->result = cli_run(4 + w->count, words, stdin, out, err);
        w->asked = scripted_server_stop(&server);
        (void)fclose(out);
        (void)fclose(err);
}

static void end(struct world *w)
{
        free(w->out);
        free(w->err);
        free(w->asked);
        temp_dir_remove(w->folder);
}

static void goes_through_all_tables_piece_by_piece(void **state)
{
        struct world w;
        char *first = reply_of("c1", "[{\"student\":\"1\",\"id\":\"1\"}]");
        char *second = reply_of("", "[{\"student\":\"2\",\"id\":\"2\"}]");
        char *visits = reply_of("", "[{\"student\":\"1\",\"id\":\"v\",\"resource\":\"{\\\"x\\\":1.00}\"}]");

        (void)state;
        begin(&w);
        run(&w, (const char *const[]){"+OK\r\n", TABLES, first, second, visits, NOTHING, NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_string_equal(w.asked, "CLIENT FORMAT msgpack\nEXPORT TABLES\nEXPORT students COUNT 5000\n"
                                     "EXPORT students COUNT 5000 FROM c1\nEXPORT visits COUNT 5000\n"
                                     "EXPORT UNCONFIGURED COUNT 5000\n");
        assert_null(strstr(w.err, "not exported"));
        assert_string_equal(w.out, "{\"table\":\"students\",\"row\":{\"student\":\"1\",\"id\":\"1\"}}\n"
                                   "{\"table\":\"students\",\"row\":{\"student\":\"2\",\"id\":\"2\"}}\n"
                                   "{\"table\":\"visits\",\"row\":{\"student\":\"1\",\"id\":\"v\","
                                   "\"resource\":{\"x\":1.00}}}\n");
        assert_non_null(strstr(w.err, "records"));
        free(first);
        free(second);
        free(visits);
        end(&w);
}

static void writes_originals_alone(void **state)
{
        struct world w;
        char *rows =
                reply_of("", "[{\"student\":\"1\",\"id\":\"v\",\"resource\":\"{\\\"resourceType\\\":\\\"Encounter\\\","
                             "\\\"x\\\":1.00}\"},{\"student\":\"1\",\"id\":\"w\"}]");

        (void)state;
        begin(&w);
        w.words[w.count++] = "--originals";
        w.words[w.count++] = "--table";
        w.words[w.count++] = "visits";
        run(&w, (const char *const[]){"+OK\r\n", TABLES, rows, NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_string_equal(w.out, ORIGINAL "\n");
        assert_non_null(strstr(w.err, "without_original        1"));
        free(rows);
        end(&w);
}

static void a_student_has_records_of_many_tables(void **state)
{
        struct world w;
        char *rows = reply_of("", "[{\"table\":\"students\",\"row\":{\"student\":\"1\",\"id\":\"1\"}},"
                                  "{\"table\":\"visits\",\"row\":{\"student\":\"1\",\"id\":\"v\"}}]");

        (void)state;
        begin(&w);
        w.words[w.count++] = "--student=1";
        w.words[w.count++] = "--table=visits";
        run(&w, (const char *const[]){"+OK\r\n", TABLES, rows, NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_non_null(strstr(w.asked, "EXPORT STUDENT 1 COUNT 5000\n"));
        assert_string_equal(w.out, "{\"table\":\"visits\",\"row\":{\"student\":\"1\",\"id\":\"v\"}}\n");
        free(rows);
        end(&w);
}

static void says_what_it_leaves_out(void **state)
{
        struct world w;
        char *first = reply_of("c1", "[{\"table\":\"baths\",\"row\":{\"student\":\"1\",\"id\":\"1\"}}]");
        char *second = reply_of("", "[{\"table\":\"baths\",\"row\":{\"student\":\"1\",\"id\":\"2\"}},"
                                    "{\"table\":\"teeth\",\"row\":{\"student\":\"1\",\"id\":\"1\"}}]");

        (void)state;
        begin(&w);
        run(&w, (const char *const[]){"+OK\r\n", TABLES, NOTHING, NOTHING, first, second, NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_string_equal(w.out, "");
        assert_non_null(
                strstr(w.err, "the table baths is not exported, as it is configured no more; its records: 2\n"));
        assert_non_null(
                strstr(w.err, "the table teeth is not exported, as it is configured no more; its records: 1\n"));
        free(first);
        free(second);
        end(&w);
}

static void names_a_table_that_the_server_does_not_have(void **state)
{
        struct world w;

        (void)state;
        begin(&w);
        w.words[w.count++] = "--table=visits,visit";
        run(&w, (const char *const[]){"+OK\r\n", TABLES, NULL});
        assert_int_equal(w.result, EXIT_USAGE);
        assert_non_null(strstr(w.err, "no table \"visit\""));
        end(&w);
}

/* Each ends the export, with a message; a file is not left behind. */
static void strange_replies_are_errors(void **state)
{
        static const char *const strange[] = {
                "+OK\r\n",
                "*1\r\n$-1\r\n",
                "*2\r\n$-1\r\n$-1\r\n",
                "*2\r\n$-1\r\n$1\r\n\x01\r\n",     /* no list */
                "*2\r\n$-1\r\n$2\r\n\x92\x01\r\n", /* a list that ends early */
                "-UNAVAILABLE no\r\n",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
                struct world w;
                char file[96];

                begin(&w);
                (void)snprintf(file, sizeof(file), "%s/export", w.folder);
                w.words[w.count++] = file;
                run(&w, (const char *const[]){"+OK\r\n", TABLES, strange[i], NULL});
                assert_int_equal(w.result, EXIT_REFUSED);
                assert_string_not_equal(w.err, "");
                assert_int_not_equal(access(file, F_OK), 0);
                end(&w);
        }
}

static void a_connection_that_breaks_leaves_no_file(void **state)
{
        struct world w;
        char file[96];
        char *first = reply_of("c1", "[{\"student\":\"1\",\"id\":\"1\"}]");

        (void)state;
        begin(&w);
        (void)snprintf(file, sizeof(file), "%s/export", w.folder);
        w.words[w.count++] = file;
        run(&w, (const char *const[]){"+OK\r\n", TABLES, first, NULL});
        assert_int_equal(w.result, EXIT_CONNECT);
        assert_int_not_equal(access(file, F_OK), 0);
        free(first);
        end(&w);
}

static void a_file_appears_whole(void **state)
{
        struct world w;
        char file[96];

        (void)state;
        begin(&w);
        (void)snprintf(file, sizeof(file), "%s/export", w.folder);
        w.words[w.count++] = file;
        run(&w, (const char *const[]){"+OK\r\n", TABLES, NOTHING, NOTHING, NOTHING, NULL});
        assert_int_equal(w.result, EXIT_OK);
        assert_int_equal(access(file, F_OK), 0);
        assert_non_null(strstr(w.out, "\"records\":0"));
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(goes_through_all_tables_piece_by_piece),
                cmocka_unit_test(writes_originals_alone),
                cmocka_unit_test(a_student_has_records_of_many_tables),
                cmocka_unit_test(says_what_it_leaves_out),
                cmocka_unit_test(names_a_table_that_the_server_does_not_have),
                cmocka_unit_test(strange_replies_are_errors),
                cmocka_unit_test(a_connection_that_breaks_leaves_no_file),
                cmocka_unit_test(a_file_appears_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
