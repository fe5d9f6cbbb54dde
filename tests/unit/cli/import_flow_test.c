/* The way of rows against canned replies: what is sent when, and what becomes of rows that have to wait. */
#include "cli/import_flow.h"
#include "base/buf.h"
#include "database/value.h"
#include "tests/lib/import_replies.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* To EXPORT merges. */
#define MERGE(from, into)                    "\x83\xa7student\xa1" from "\xa2id\xa4into\xa4into\xa1" into
#define ONE_MERGE(from, into)                "*2\r\n$-1\r\n$27\r\n\x91" MERGE(from, into) "\r\n"
#define TWO_MERGES(from, into, from2, into2) "*2\r\n$-1\r\n$53\r\n\x92" MERGE(from, into) MERGE(from2, into2) "\r\n"

struct world {
        char folder[64];
        struct scripted_server *server;
        struct conn *conn;
        struct import_report report;
        struct import_flow *flow;
        struct err_msg msg;
        char said[1024]; /* the rows left out */
        char *asked;
};

static enum err take_left_out(
        void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        struct world *w = context;
        size_t len = strlen(w->said);

        (void)msg;
        (void)snprintf(w->said + len, sizeof(w->said) - len, "%s:%lu %s %s\n", line->table, line->place.line,
                reject->field, reject_word(reject->reason));
        return OK;
}

static void world_start(struct world *w, const char *const *replies, bool dry_run)
{
        struct conn_address address = {.host = NULL};
        struct import_flow_config config = {.report = &w->report,
                .left_out = take_left_out,
                .context = w,
                .dry_run = dry_run,
                .owners = true,
                .memory = 64,
                .filter = 64};

        *w = (struct world){.said = ""};
        temp_dir_make(w->folder, sizeof(w->folder));
        w->server = scripted_server_start(w->folder, replies);
        address.socket = scripted_server_path(w->server);
        assert_ok(conn_open(&w->conn, &address, NULL));
        config.conn = w->conn;
        assert_ok(import_flow_create(&w->flow, &config, &w->msg));
}

static void world_end(struct world *w)
{
        import_flow_destroy(&w->flow);
        conn_close(&w->conn);
        free(scripted_server_stop(&w->server));
        temp_dir_remove(w->folder);
}

/* The row of a line: {student, id, <last>}. */
struct row {
        const char *table;
        const char *student;
        const char *id;
        const char *last; /* "into" of a merge, else a field */
};

static enum err send_row(struct world *w, const struct row *row, uint64_t number)
{
        struct import_line line = {.table = row->table, .place = {.path = "a.csv", .line = number}};
        struct buf bytes;
        enum err rc;

        buf_init(&bytes, 0);
        assert_ok(value_put_map(&bytes, 3));
        assert_ok(value_put_member(&bytes, "student", slice_str(row->student)));
        assert_ok(value_put_member(&bytes, "id", slice_str(row->id)));
        assert_ok(value_put_member(&bytes, strcmp(row->table, "merges") == 0 ? "into" : "code", slice_str(row->last)));
        line.row = buf_slice(&bytes);
        rc = import_flow_row(w->flow, &line, &w->msg);
        buf_deinit(&bytes);
        return rc;
}

/* Takes the rows as lines 1, 2, 3… up to one without a table, and the end. */
static enum err send_all(struct world *w, const struct row *rows)
{
        enum err rc = OK;

        for (uint64_t number = 1; rc == OK && rows[number - 1].table != NULL; number++)
                rc = send_row(w, &rows[number - 1], number);
        return rc == OK ? import_flow_finish(w->flow, &w->msg) : rc;
}

static void the_first_of_a_name_wins(void **state)
{
        static const struct row rows[] = {{"visits", "1", "a", "x"}, {"visits", "1", "a", "x"},
                {"visits", "1", "a", "y"}, {"visits", "2", "a", "y"}, {"visits", "1", "a", "x"},
                {"allergies", "1", "a", "y"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN_FLOW, OUTCOME(1, 0, NONE_LEFT_OUT), OUTCOME(1, 0, NONE_LEFT_OUT),
                        OUTCOME(2, 0, NONE_LEFT_OUT), NULL},
                false);
        assert_ok(send_all(&w, rows));
        assert_string_equal(w.said, "visits:3  duplicate-differs\n");
        assert_int_equal(import_report_counts(&w.report, "visits")->duplicate, 2);
        assert_int_equal(mark_log_total(import_seen_came(import_flow_seen(w.flow))), 3);
        assert_int_equal(mark_log_total(import_flow_owners(w.flow)), 3); /* 1, 2 and 1 */
        world_end(&w);
}

/* A's x and B's x are one record once A is B: the first is B's own, wherever it stands. */
static void rows_of_merged_students_come_last(void **state)
{
        static const struct row rows[] = {{"visits", "A", "a", "x"}, {"visits", "A", "b", "x"},
                {"visits", "A", "c", "x"}, {"visits", "A", "b", "y"}, {"visits", "B", "a", "x"},
                {"visits", "B", "c", "y"}, {"students", "A", "A", "x"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN, ONE_MERGE("A", "B"), OUTCOME(1, 0, NONE_LEFT_OUT),
                        OUTCOME(2, 0, NONE_LEFT_OUT), OUTCOME(1, 0, NONE_LEFT_OUT), NULL},
                false);
        assert_ok(send_all(&w, rows));
        assert_non_null(strstr(w.said, "visits:3  duplicate-differs\n"));
        assert_non_null(strstr(w.said, "visits:4  duplicate-differs\n"));
        assert_int_equal(strlen(w.said), 2 * strlen("visits:3  duplicate-differs\n"));
        assert_int_equal(import_report_counts(&w.report, "visits")->duplicate, 1);
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 3);
        assert_int_equal(mark_log_total(import_flow_owners(w.flow)), 2); /* A and B */
        world_end(&w);
}

static void a_row_without_a_name_is_the_servers_to_judge(void **state)
{
        static const struct import_line line = {.table = "visits", .place = {.path = "a.csv", .line = 1}};
        struct import_line nameless = line;
        struct world w;

        (void)state;
        nameless.row = slice_str("\x80");
        world_start(&w,
                (const char *const[]){BEGIN_FLOW, OUTCOME(0, 0, "*2\r\n" LEFT_OUT_DATE(0) LEFT_OUT_DATE(1)), NULL},
                false);
        assert_ok(import_flow_row(w.flow, &nameless, &w.msg));
        assert_ok(import_flow_row(w.flow, &nameless, &w.msg));
        assert_ok(import_flow_finish(w.flow, &w.msg));
        assert_string_equal(w.said, "visits:1 date date\nvisits:1 date date\n");
        world_end(&w);
}

static void rows_of_unknown_students_are_tried_once_more(void **state)
{
        static const struct row rows[] = {{"visits", "1", "a", "x"}, {"visits", "2", "b", "x"},
                {"visits", "3", "c", "x"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN_FLOW,
                        OUTCOME(0, 0, "*3\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_DATE(1) LEFT_OUT_STUDENT(2)),
                        OUTCOME(1, 0, "*1\r\n" LEFT_OUT_STUDENT(1)), NULL},
                false);
        assert_ok(send_all(&w, rows));
        assert_string_equal(w.said, "visits:2 date date\nvisits:3 student unknown-student\n");
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 1);
        world_end(&w);
}

/* A into B waits for B into C; the visit waits for both, and is one of C then. */
static void merges_are_tried_as_long_as_one_goes_in(void **state)
{
        static const struct row rows[] = {{"visits", "A", "a", "x"}, {"merges", "A", "into", "B"},
                {"merges", "B", "into", "C"}, {"merges", "D", "into", "E"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN_FLOW, OUTCOME(0, 0, "*1\r\n" LEFT_OUT_STUDENT(0)), /* the visit */
                        OUTCOME(1, 0, "*2\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_STUDENT(2)),
                        OUTCOME(1, 0, "*1\r\n" LEFT_OUT_STUDENT(1)), OUTCOME(0, 0, "*1\r\n" LEFT_OUT_STUDENT(0)),
                        OUTCOME(0, 0, "*1\r\n" LEFT_OUT_STUDENT(0)), /* E is nowhere */
                        TWO_MERGES("A", "B", "B", "C"), OUTCOME(1, 0, NONE_LEFT_OUT), NULL},
                false);
        assert_ok(send_all(&w, rows));
        assert_string_equal(w.said, "merges:4 student unknown-student\n");
        assert_int_equal(import_report_counts(&w.report, "merges")->written, 2);
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 1);
        world_end(&w);
}

static void a_dry_run_looks_for_students_in_the_input(void **state)
{
        static const struct row rows[] = {{"students", "1", "1", "x"}, {"students", "2", "2", "x"},
                {"merges", "9", "into", "3"}, {"merges", "3", "into", "1"}, {"merges", "8", "into", "4"},
                {"merges", "4", "into", "nobody"}, {"visits", "1", "a", "x"}, {"visits", "2", "b", "x"},
                {"visits", "3", "c", "x"}, {"visits", "5", "d", "x"}, {"visits", "9", "e", "x"},
                {"visits", "8", "f", "x"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w,
                (const char *const[]){BEGIN_FLOW, OUTCOME(1, 0, "*1\r\n" LEFT_OUT_DATE(1)),
                        OUTCOME(0, 0, "*3\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_STUDENT(1) LEFT_OUT_STUDENT(2)),
                        OUTCOME(0, 0,
                                "*4\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_STUDENT(1) LEFT_OUT_STUDENT(2)
                                        LEFT_OUT_STUDENT(3)),
                        /* the visits of those who would be merged */
                        OUTCOME(0, 0, "*3\r\n" LEFT_OUT_STUDENT(0) LEFT_OUT_STUDENT(1) LEFT_OUT_STUDENT(2)), NULL},
                true);
        assert_ok(send_all(&w, rows));
        assert_string_equal(w.said, "students:2 date date\n"
                                    "merges:5 into unknown-student\nmerges:6 into unknown-student\n"
                                    "visits:8 student unknown-student\nvisits:10 student unknown-student\n"
                                    "visits:12 student unknown-student\n");
        assert_int_equal(import_report_counts(&w.report, "students")->written, 1);
        assert_int_equal(import_report_counts(&w.report, "merges")->written, 2);
        assert_int_equal(import_report_counts(&w.report, "visits")->written, 3);
        world_end(&w);
}

static void a_server_that_fails_ends_it(void **state)
{
        static const struct row rows[] = {{"visits", "1", "a", "x"}, {NULL, NULL, NULL, NULL}};
        struct world w;

        (void)state;
        world_start(&w, (const char *const[]){BEGIN_FLOW, "-UNAVAILABLE the disk is full\r\n", NULL}, false);
        assert_err(ERR_INTERNAL, send_all(&w, rows));
        assert_string_equal(w.msg.text, "UNAVAILABLE the disk is full");
        world_end(&w);
        world_start(&w, (const char *const[]){BEGIN_FLOW, OUTCOME(0, 0, "*1\r\n" LEFT_OUT_STUDENT(0)), NULL}, false);
        assert_err(ERR_UNAVAILABLE, send_all(&w, rows));
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_of_a_name_wins),
                cmocka_unit_test(rows_of_merged_students_come_last),
                cmocka_unit_test(a_row_without_a_name_is_the_servers_to_judge),
                cmocka_unit_test(rows_of_unknown_students_are_tried_once_more),
                cmocka_unit_test(merges_are_tried_as_long_as_one_goes_in),
                cmocka_unit_test(a_dry_run_looks_for_students_in_the_input),
                cmocka_unit_test(a_server_that_fails_ends_it),
        };

        (void)signal(SIGPIPE, SIG_IGN); /* as cli_run does */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
