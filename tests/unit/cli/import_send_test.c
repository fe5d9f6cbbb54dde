/* Rows against canned replies: how they are gathered, sent and judged. */
#include "cli/import_send.h"
#include "base/buf.h"
#include "database/value.h"
#include "tests/lib/import_replies.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct world {
        char folder[64];
        struct scripted_server *server;
        struct conn *conn;
        struct import_report report;
        struct import_send *send;
        struct err_msg msg;
        char said[2048]; /* what came of each row, by its line */
        char *asked;
        enum err refusal; /* what the hook returns */
};

static void say(struct world *w, const char *format, const struct import_line *line, const char *word)
{
        size_t len = strlen(w->said);

        (void)snprintf(w->said + len, sizeof(w->said) - len, format, line->table, line->place.line, word);
}

static enum err take_left_out(
        void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        struct world *w = context;
        struct slice id;

        assert_true(value_member_text(line->row, "id", &id)); /* it is the whole row, and a whole row */
        say(w, "%s:%lu %s\n", line, reject_word(reject->reason));
        return w->refusal == OK ? OK : err_set(msg, w->refusal, "the hook's own");
}

static enum err take_taken(void *context, const struct import_line *line, struct err_msg *msg)
{
        (void)msg;
        say(context, "%s:%lu %s\n", line, "taken");
        return OK;
}

static void world_start(struct world *w, const char *const *replies, bool dry_run)
{
        struct conn_address address = {.host = NULL};
        struct import_send_config config = {.report = &w->report,
                .hooks = {.left_out = take_left_out, .taken = take_taken, .context = w},
                .dry_run = dry_run};

        *w = (struct world){.refusal = OK};
        temp_dir_make(w->folder, sizeof(w->folder));
        w->server = scripted_server_start(w->folder, replies);
        address.socket = scripted_server_path(w->server);
        assert_ok(conn_open(&w->conn, &address, NULL));
        config.conn = w->conn;
        assert_ok(import_send_create(&w->send, &config));
        assert_ok(import_send_begin(w->send, &w->msg));
}

/* Closes the connection; w->asked is then complete. */
static void world_close(struct world *w)
{
        import_send_destroy(&w->send);
        assert_null(w->send);
        conn_close(&w->conn);
        w->asked = scripted_server_stop(&w->server);
}

static void world_end(struct world *w)
{
        free(w->asked);
        temp_dir_remove(w->folder);
}

/* Sends the row of a line, `len` bytes of padding in it. */
static enum err send_row(struct world *w, const char *table, uint64_t line, size_t len)
{
        struct import_line row = {.table = table, .place = {.path = "a.csv", .line = line}};
        struct buf bytes;
        char id[24];
        char *padding = calloc(1, len + 1);
        enum err rc;

        buf_init(&bytes, 0);
        memset(padding, 'x', len);
        (void)snprintf(id, sizeof(id), "%lu", line);
        assert_ok(value_put_map(&bytes, 2));
        assert_ok(value_put_member(&bytes, "id", slice_str(id)));
        assert_ok(value_put_member(&bytes, "p", slice_str(padding)));
        row.row = buf_slice(&bytes);
        rc = import_send_row(w->send, &row, &w->msg);
        buf_deinit(&bytes);
        free(padding);
        return rc;
}

static void send_rows(struct world *w, const char *table, uint64_t first, uint64_t last)
{
        for (uint64_t line = first; line <= last; line++)
                assert_ok(send_row(w, table, line, 0));
}

static void each_row_gets_its_answer(void **state)
{
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){
                        BEGIN, OUTCOME(1, 1, "*3\r\n" LEFT_OUT_DATE(0) LEFT_OUT_STRANGE(2) LEFT_OUT_STUDENT(4)), NULL},
                false);
        send_rows(&w, "allergies", 11, 15);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_string_equal(w.said, "allergies:11 date\nallergies:12 taken\nallergies:13 refused\nallergies:14 taken\n"
                                    "allergies:15 unknown-student\n");
        assert_int_equal(import_report_counts(&w.report, "allergies")->written, 1);
        assert_int_equal(import_report_counts(&w.report, "allergies")->unchanged, 1);
        assert_string_equal(w.report.token, "v1-7");
        assert_int_equal(scripted_server_count(w.asked, "CLIENT FORMAT msgpack"), 1);
        world_end(&w);
}

static void students_and_merges_go_before_the_rows_that_need_them(void **state)
{
        struct world w;
        const char *students;
        const char *merges;
        const char *visits;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN, OUTCOME(1, 0, NONE_LEFT_OUT), OUTCOME(1, 0, NONE_LEFT_OUT),
                        OUTCOME(2, 0, NONE_LEFT_OUT), NULL},
                false);
        send_rows(&w, "visits", 1, 1);
        send_rows(&w, "merges", 2, 2);
        send_rows(&w, "students", 3, 3);
        send_rows(&w, "visits", 4, 4);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        students = strstr(w.asked, "IMPORT students ");
        merges = strstr(w.asked, "IMPORT merges ");
        visits = strstr(w.asked, "IMPORT visits ");
        assert_non_null(students);
        assert_true(students < merges && merges < visits);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT "), 3);
        world_end(&w);
}

static void a_batch_has_bounded_rows_and_bytes(void **state)
{
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN, OUTCOME(1000, 0, NONE_LEFT_OUT), OUTCOME(2, 0, NONE_LEFT_OUT),
                        OUTCOME(1, 0, NONE_LEFT_OUT), OUTCOME(1, 0, NONE_LEFT_OUT), NULL},
                false);
        send_rows(&w, "visits", 1, 1001);
        assert_ok(send_row(&w, "visits", 1002, 150000)); /* with 1001 */
        assert_ok(send_row(&w, "visits", 1003, 150000));
        assert_ok(send_row(&w, "visits", 1004, 300000)); /* larger than a batch, not larger than a value */
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT visits "), 4);
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 1004);
        world_end(&w);
}

static void what_no_value_may_be_is_not_sent(void **state)
{
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN_WITH("$3\r\n1KB\r\n", "$7\r\n1048576\r\n"), OUTCOME(1, 0, NONE_LEFT_OUT),
                        OUTCOME(1, 0, NONE_LEFT_OUT), NULL},
                false);
        assert_ok(send_row(&w, "visits", 1, 900));
        assert_ok(send_row(&w, "visits", 2, 1200));
        assert_ok(send_row(&w, "visits", 3, 900));
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_string_equal(w.said, "visits:2 too-large\nvisits:1 taken\nvisits:3 taken\n");
        world_end(&w);
}

/* Eight rows; the server cannot take the sixth with any other, nor alone. */
static void a_batch_refused_as_a_whole_is_halved_down_to_the_cause(void **state)
{
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN, "-LIMIT deeper than limits.depth: 32\r\n", OUTCOME(4, 0, NONE_LEFT_OUT),
                        "-LIMIT deeper\r\n", "-LIMIT deeper\r\n", OUTCOME(1, 0, NONE_LEFT_OUT), "-LIMIT deeper\r\n",
                        OUTCOME(1, 0, "*1\r\n" LEFT_OUT_DATE(1)), NULL},
                false);
        send_rows(&w, "visits", 1, 8);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_string_equal(w.said, "visits:1 taken\nvisits:2 taken\nvisits:3 taken\nvisits:4 taken\n"
                                    "visits:5 taken\nvisits:6 too-large\nvisits:7 taken\nvisits:8 date\n");
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 6);
        world_end(&w);
}

static void a_row_that_is_no_value_is_refused_alone(void **state)
{
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){
                        BEGIN, "-BADVALUE twins\r\n", OUTCOME(1, 0, NONE_LEFT_OUT), "-BADVALUE twins\r\n", NULL},
                false);
        send_rows(&w, "visits", 1, 2);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_string_equal(w.said, "visits:1 taken\nvisits:2 refused\n");
        world_end(&w);
}

static void rows_of_an_unknown_table_are_left_out_at_once(void **state)
{
        struct world w;

        (void)state;
        world_start(&w, (const char *const[]){BEGIN, "-NOTYPE there is no table \"moods\"\r\n", NULL}, false);
        send_rows(&w, "moods", 1, 2);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_string_equal(w.said, "moods:1 unknown-table\nmoods:2 unknown-table\n");
        world_end(&w);
}

static void a_dry_run_says_so_to_the_server(void **state)
{
        struct world w;

        (void)state;
        world_start(&w, (const char *const[]){BEGIN, OUTCOME(1, 0, NONE_LEFT_OUT), NULL}, true);
        send_rows(&w, "visits", 1, 1);
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_non_null(strstr(w.asked, " DRYRUN\n"));
        world_end(&w);
}

/* Seventeen tables: more than are gathered at a time. */
static void many_tables_share_the_places(void **state)
{
        static const char *const tables[] = {
                "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"};
        enum { COUNT = sizeof(tables) / sizeof(tables[0]) };
        const char *replies[2 + COUNT + 1] = {BEGIN};
        struct world w;

        (void)state;
        for (size_t i = 0; i < COUNT; i++)
                replies[2 + i] = OUTCOME(1, 0, NONE_LEFT_OUT);
        world_start(&w, replies, false);
        for (size_t i = 0; i < COUNT; i++)
                assert_ok(send_row(&w, tables[i], i, 0));
        assert_ok(import_send_finish(w.send, &w.msg));
        world_close(&w);
        assert_int_equal(scripted_server_count(w.asked, "IMPORT "), COUNT);
        world_end(&w);
}

/* ---- what ends an import ---- */

static enum err send_one(struct world *w, const char *reply, enum err refusal)
{
        const char *const replies[] = {BEGIN, reply, NULL};
        enum err rc;

        world_start(w, replies, false);
        w->refusal = refusal;
        send_rows(w, "visits", 1, 1);
        rc = import_send_finish(w->send, &w->msg);
        world_close(w);
        return rc;
}

static void a_server_that_cannot_ends_it_with_its_own_words(void **state)
{
        static const char *const errors[] = {"-BUSY too many\r\n", "-UNAVAILABLE no space left on the device\r\n",
                "-NOPERM not yours\r\n", "-READONLY\r\n"};
        struct world w;

        (void)state;
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
                assert_err(ERR_INTERNAL, send_one(&w, errors[i], OK));
                assert_int_equal(strncmp(w.msg.text, errors[i] + 1, strlen(w.msg.text)), 0);
                assert_string_equal(w.said, "");
                world_end(&w);
        }
}

static void replies_that_make_no_sense_end_it(void **state)
{
        static const char *const replies[] = {"+OK\r\n", "*0\r\n", OUTCOME(1, 0, "$1\r\nx\r\n"),
                OUTCOME(1, -1, NONE_LEFT_OUT), OUTCOME(0, 0, "*1\r\n" LEFT_OUT_DATE(1)),
                OUTCOME(0, 0, "*1\r\n*2\r\n:0\r\n:1\r\n"), OUTCOME(0, 0, "*2\r\n" LEFT_OUT_DATE(0) LEFT_OUT_DATE(0))};
        struct world w;

        (void)state;
        for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
                assert_err(ERR_INTERNAL, send_one(&w, replies[i], OK));
                assert_non_null(strstr(w.msg.text, "the server's reply is not one to an import"));
                world_end(&w);
        }
}

static void the_hook_can_end_it(void **state)
{
        struct world w;

        (void)state;
        assert_err(ERR_IO, send_one(&w, OUTCOME(0, 0, "*1\r\n" LEFT_OUT_DATE(0)), ERR_IO));
        assert_string_equal(w.msg.text, "the hook's own");
        world_end(&w);
}

static void a_broken_connection_ends_it(void **state)
{
        struct world w;

        (void)state;
        assert_err(ERR_UNAVAILABLE, send_one(&w, NULL, OK));
        assert_non_null(strstr(w.msg.text, "the connection to"));
        world_end(&w);
}

static void a_server_without_the_limits_is_another_program(void **state)
{
        const char *const replies[] = {"+OK\r\n", "*0\r\n", NULL};
        struct conn_address address = {.host = NULL};
        struct import_send_config config = {.dry_run = false};
        struct world w = {.refusal = OK};

        (void)state;
        temp_dir_make(w.folder, sizeof(w.folder));
        w.server = scripted_server_start(w.folder, replies);
        address.socket = scripted_server_path(w.server);
        assert_ok(conn_open(&w.conn, &address, NULL));
        config.conn = w.conn;
        assert_ok(import_send_create(&w.send, &config));
        assert_err(ERR_INTERNAL, import_send_begin(w.send, &w.msg));
        world_close(&w);
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_row_gets_its_answer),
                cmocka_unit_test(students_and_merges_go_before_the_rows_that_need_them),
                cmocka_unit_test(a_batch_has_bounded_rows_and_bytes),
                cmocka_unit_test(what_no_value_may_be_is_not_sent),
                cmocka_unit_test(a_batch_refused_as_a_whole_is_halved_down_to_the_cause),
                cmocka_unit_test(a_row_that_is_no_value_is_refused_alone),
                cmocka_unit_test(rows_of_an_unknown_table_are_left_out_at_once),
                cmocka_unit_test(a_dry_run_says_so_to_the_server),
                cmocka_unit_test(many_tables_share_the_places),
                cmocka_unit_test(a_server_that_cannot_ends_it_with_its_own_words),
                cmocka_unit_test(replies_that_make_no_sense_end_it),
                cmocka_unit_test(the_hook_can_end_it),
                cmocka_unit_test(a_broken_connection_ends_it),
                cmocka_unit_test(a_server_without_the_limits_is_another_program),
        };

        (void)signal(SIGPIPE, SIG_IGN); /* as cli_run does */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
