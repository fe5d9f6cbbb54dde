/* What came against what the server has, by canned replies: turns, pieces, merged students, and what is removed. */
#include "cli/import_full.h"
#include "base/buf.h"
#include "database/value.h"
#include "tests/lib/import_replies.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLIES_MAX = 1100 };

struct world {
        char folder[64];
        struct buf texts[REPLIES_MAX];
        const char *replies[REPLIES_MAX + 1];
        size_t reply_count;
        struct import_report report;
        struct import_seen *seen;
        struct mark_log *owners;
        struct line_file *missing;
        struct import_full full;
        struct err_msg msg;
        char *asked;
};

static void world_begin(struct world *w)
{
        const struct import_seen_config config = {.filter_bytes = 1 << 16, .seed = 1};

        memset(w, 0, sizeof(*w));
        temp_dir_make(w->folder, sizeof(w->folder));
        assert_ok(import_seen_create(&w->seen, &config));
        assert_ok(mark_log_create(&w->owners));
        assert_ok(line_file_create(&w->missing, NULL, "missing records", NULL));
        w->full = (struct import_full){
                .report = &w->report, .seen = w->seen, .owners = w->owners, .missing = w->missing, .memory = 1 << 20};
}

static void world_end(struct world *w)
{
        for (size_t i = 0; i < w->reply_count; i++)
                buf_deinit(&w->texts[i]);
        import_seen_destroy(&w->seen);
        mark_log_destroy(&w->owners);
        line_file_destroy(&w->missing);
        free(w->asked);
        temp_dir_remove(w->folder);
}

/* ---- replies ---- */

static struct buf *next_reply(struct world *w)
{
        assert_true(w->reply_count < REPLIES_MAX);
        return &w->texts[w->reply_count++];
}

static void reply_with(struct world *w, const char *text)
{
        assert_ok(buf_append_str(next_reply(w), text));
}

/* Rows {student, id}, or {student, id, into} of merges, as "student/id" or "student/id/into", separated by spaces. */
static void put_rows(struct buf *list, const char *rows)
{
        char text[256];
        char *save = NULL;
        uint32_t count = 0;
        struct buf items;

        buf_init(&items, 0);
        (void)snprintf(text, sizeof(text), "%s", rows);
        for (char *row = strtok_r(text, " ", &save); row != NULL; row = strtok_r(NULL, " ", &save), count++) {
                char student[32] = "";
                char id[32] = "";
                char into[32] = "";
                int parts = sscanf(row, "%31[^/]/%31[^/]/%31s", student, id, into);

                assert_ok(value_put_map(&items, (uint32_t)parts));
                assert_ok(value_put_member(&items, "student", slice_str(student)));
                assert_ok(value_put_member(&items, "id", slice_str(id)));
                if (parts == 3)
                        assert_ok(value_put_member(&items, "into", slice_str(into)));
        }
        assert_ok(value_put_list(list, count));
        assert_ok(buf_append_slice(list, buf_slice(&items)));
        buf_deinit(&items);
}

/* An EXPORT's reply; no zero byte is in it, as the lists are short. */
static void reply_rows(struct world *w, const char *cursor, const char *rows)
{
        struct buf *out = next_reply(w);
        struct buf list;

        buf_init(&list, 0);
        put_rows(&list, rows);
        if (cursor == NULL)
                assert_ok(buf_printf(out, "*2\r\n$-1\r\n"));
        else
                assert_ok(buf_printf(out, "*2\r\n$%zu\r\n%s\r\n", strlen(cursor), cursor));
        assert_ok(buf_printf(out, "$%zu\r\n", buf_len(&list)));
        assert_ok(buf_append_slice(out, buf_slice(&list)));
        assert_ok(buf_append_str(out, "\r\n"));
        buf_deinit(&list);
}

static void reply_begin(struct world *w, const char *merges)
{
        const char *const begin[] = {BEGIN};

        reply_rows(w, NULL, merges);
        reply_with(w, begin[1]); /* the limits */
}

static void reply_erased(struct world *w, int count)
{
        assert_ok(buf_printf(next_reply(w),
                "*6\r\n$5\r\ntoken\r\n$4\r\nv1-7\r\n$6\r\nerased\r\n:%d\r\n$6\r\nabsent\r\n:0\r\n", count));
}

/* ---- the import before ---- */

static void came(struct world *w, const char *table, const char *student, const char *id)
{
        const struct import_name name = {.table = slice_str(table), .student = slice_str(student), .id = slice_str(id)};
        const struct mark mark = import_seen_mark(w->seen, &name, slice_str("row"));
        enum seen_verdict verdict;

        import_report_counts(&w->report, table)->rows++;
        assert_ok(import_seen_note(w->seen, &mark, &verdict, NULL));
        assert_int_equal(verdict, SEEN_NEW);
}

static void came_of(struct world *w, const char *student)
{
        const struct import_name name = {
                .table = slice_str("students"), .student = slice_str(student), .id = slice_str(student)};
        const struct mark mark = import_seen_mark(w->seen, &name, SLICE_EMPTY);

        assert_ok(mark_log_add(w->owners, &mark, NULL));
}

static enum err run(struct world *w)
{
        struct conn_address address = {.host = NULL};
        struct scripted_server *server;
        enum err rc;

        for (size_t i = 0; i < w->reply_count; i++) {
                assert_ok(buf_append(&w->texts[i], "", 1));
                w->replies[i] = (const char *)buf_slice(&w->texts[i]).data;
        }
        server = scripted_server_start(w->folder, w->replies);
        address.socket = scripted_server_path(server);
        assert_ok(conn_open(&w->full.conn, &address, NULL));
        rc = import_full_run(&w->full, &w->msg);
        conn_close(&w->full.conn);
        w->asked = scripted_server_stop(&server);
        return rc;
}

static struct import_counts counts_of(struct world *w, const char *table)
{
        return *import_report_counts(&w->report, table);
}

/* ---- tests ---- */

static void pieces_are_walked_to_the_end(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w);
        came(&w, "visits", "1", "a");
        came(&w, "visits", "2", "a");
        reply_begin(&w, "");
        reply_rows(&w, "c1", "1/a 1/b");
        reply_rows(&w, "c2", "");
        reply_rows(&w, NULL, "2/a 3/a");
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "visits").missing, 2);
        assert_int_equal(counts_of(&w, "visits").erased, 0);
        assert_non_null(strstr(w.asked, "EXPORT visits COUNT 5000\nEXPORT visits COUNT 5000 FROM c1\n"
                                        "EXPORT visits COUNT 5000 FROM c2\n"));
        world_end(&w);
}

static void each_record_is_judged_in_one_turn(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w);
        w.full.memory = 0; /* a part at a time: 256 turns */
        for (int i = 0; i < 9; i++)
                came(&w, "visits", "1", (const char[]){(char)('a' + i), '\0'});
        reply_begin(&w, "9/into/1");
        for (int turn = 0; turn < MARK_LOG_PARTS; turn++)
                reply_rows(&w, NULL, "1/a 1/b 1/x 2/a 2/b 1/i");
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "visits").missing, 3);
        world_end(&w);
}

static void what_did_not_come_is_removed_students_last(void **state)
{
        struct world w;
        const char *rows;
        const char *student;

        (void)state;
        world_begin(&w);
        w.full.replace = true;
        came(&w, "students", "1", "1");
        came(&w, "visits", "1", "a");
        reply_begin(&w, "");
        reply_rows(&w, NULL, "1/1 2/2 3/3");
        reply_rows(&w, NULL, "1/a 1/b 2/a");
        reply_erased(&w, 2);
        reply_with(&w, "$4\r\nv1-8\r\n");
        reply_with(&w, "$-1\r\n"); /* gone meanwhile */
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "students").missing, 2);
        assert_int_equal(counts_of(&w, "students").erased, 1);
        assert_string_equal(w.report.token, "v1-8"); /* of the last write that wrote something */
        assert_int_equal(counts_of(&w, "visits").missing, 2);
        assert_int_equal(counts_of(&w, "visits").erased, 2);
        rows = strstr(w.asked, "ERASE ROWS visits ");
        student = strstr(w.asked, "ERASE STUDENT 2\nERASE STUDENT 3\n");
        assert_non_null(rows);
        assert_true(student > rows);
        world_end(&w);
}

/* 3 under the own id, 4 under that of B, who is 4. */
static void students_of_whom_records_came_stay(void **state)
{
        (void)state;
        for (int turns = 0; turns < 2; turns++) { /* then more: the parts before that of 1, it, and those behind */
                struct world w;

                world_begin(&w);
                w.full.replace = true;
                w.full.memory = turns == 0 ? 1 << 20 : 0;
                came(&w, "students", "1", "1");
                came_of(&w, "3");
                came_of(&w, "B");
                came_of(&w, "5"); /* whom the server does not know */
                reply_begin(&w, "B/into/4");
                for (int turn = 0; turn <= 2 * turns; turn++)
                        reply_rows(&w, NULL, "1/1 2/2 3/3 4/4");
                reply_with(&w, "$4\r\nv1-8\r\n");
                assert_ok(run(&w));
                assert_int_equal(counts_of(&w, "students").missing, 3);
                assert_int_equal(counts_of(&w, "students").erased, 1);
                assert_int_equal(w.report.kept_students, 2);
                assert_non_null(strstr(w.asked, "ERASE STUDENT 2\n"));
                assert_null(strstr(w.asked, "ERASE STUDENT 3"));
                assert_null(strstr(w.asked, "ERASE STUDENT 4"));
                world_end(&w);
        }
}

static void merged_ids_are_looked_for_too(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w);
        w.full.replace = true;
        came(&w, "students", "A", "A"); /* C's own row did not come, but C is A as well */
        came(&w, "visits", "A", "a");
        came(&w, "visits", "B", "b");
        came(&w, "merges", "A", "into");
        reply_begin(&w, "A/into/B B/into/C");
        reply_rows(&w, NULL, "A/A B/B C/C");
        reply_rows(&w, NULL, "C/a C/b C/c D/a");
        reply_rows(&w, NULL, "A/into/B B/into/C");
        reply_erased(&w, 2);
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "students").missing, 0);
        assert_int_equal(counts_of(&w, "visits").missing, 2);
        assert_int_equal(counts_of(&w, "visits").erased, 2);
        assert_int_equal(counts_of(&w, "merges").erased, 0);
        world_end(&w);
}

static void tables_are_kept_when_rows_were_left_out(void **state)
{
        static const struct {
                const char *left_out; /* of which table a row was */
                bool replaces;
        } cases[] = {{"allergies", true}, {"visits", false}, {NULL, false}};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct reject reject = reject_of(REJECT_DATE, "date");
                struct world w;

                world_begin(&w);
                w.full.replace = true;
                w.full.dry_run = true;
                came(&w, "visits", "1", "a");
                import_report_reject(&w.report, cases[i].left_out, &reject, 1);
                reply_begin(&w, "");
                reply_rows(&w, NULL, "1/b");
                assert_ok(run(&w));
                assert_int_equal(counts_of(&w, "visits").missing, 1);
                assert_int_equal(counts_of(&w, "visits").erased, cases[i].replaces ? 1 : 0);
                world_end(&w);
        }
}

static void other_students_are_not_judged(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w);
        w.full.prefix = slice_str("n-");
        came(&w, "visits", "n-1", "a");
        reply_begin(&w, "");
        reply_rows(&w, NULL, "1/a n-1/a n-1/b n/x s-1/a");
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "visits").missing, 1);
        world_end(&w);
}

static void a_server_without_merges_or_the_table_has_none(void **state)
{
        const char *const begin[] = {BEGIN};
        struct world w;

        (void)state;
        world_begin(&w);
        came(&w, "moods", "1", "a");
        reply_with(&w, "-NOTYPE there is no table \"merges\"\r\n");
        reply_with(&w, begin[1]);
        reply_with(&w, "-NOTYPE there is no table \"moods\"\r\n");
        assert_ok(run(&w));
        assert_int_equal(counts_of(&w, "moods").missing, 0);
        world_end(&w);
}

static void errors_end_it(void **state)
{
        static const char *const replies[] = {"-UNAVAILABLE the disk is full\r\n", "+OK\r\n",
                "*2\r\n:1\r\n$1\r\n\x90\r\n", "*2\r\n$-1\r\n$1\r\n\xc0\r\n", "*2\r\n$-1\r\n$1\r\n\x91\r\n"};

        (void)state;
        for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
                struct world w;

                world_begin(&w);
                came(&w, "visits", "1", "a");
                reply_begin(&w, "");
                reply_with(&w, replies[i]);
                assert_err(ERR_INTERNAL, run(&w));
                assert_non_null(strstr(w.msg.text, i == 0 ? "the disk is full" : "is not one to EXPORT"));
                world_end(&w);
        }
}

static void removals_that_fail_end_it(void **state)
{
        static const struct {
                const char *table;
                const char *reply;
                const char *problem;
        } cases[] = {{"visits", "-UNAVAILABLE the disk is full\r\n", "the disk is full"},
                {"visits", "+OK\r\n", "the server's reply is not"},
                {"students", "-UNAVAILABLE the disk is full\r\n", "the disk is full"}};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct world w;

                world_begin(&w);
                w.full.replace = true;
                came(&w, cases[i].table, "1", "1");
                reply_begin(&w, "");
                reply_rows(&w, NULL, "1/1 2/2");
                reply_with(&w, cases[i].reply);
                assert_err(ERR_INTERNAL, run(&w));
                assert_non_null(strstr(w.msg.text, cases[i].problem));
                world_end(&w);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_are_walked_to_the_end),
                cmocka_unit_test(each_record_is_judged_in_one_turn),
                cmocka_unit_test(what_did_not_come_is_removed_students_last),
                cmocka_unit_test(students_of_whom_records_came_stay),
                cmocka_unit_test(merged_ids_are_looked_for_too),
                cmocka_unit_test(tables_are_kept_when_rows_were_left_out),
                cmocka_unit_test(other_students_are_not_judged),
                cmocka_unit_test(a_server_without_merges_or_the_table_has_none),
                cmocka_unit_test(errors_end_it),
                cmocka_unit_test(removals_that_fail_end_it),
        };

        (void)signal(SIGPIPE, SIG_IGN); /* as cli_run does */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
