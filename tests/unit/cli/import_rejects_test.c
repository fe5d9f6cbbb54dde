#include "cli/import_rejects.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
        char folder[64];
        char path[128];
        struct err_msg msg;
        struct import_rejects *rejects;
};

static void world_begin(struct world *w)
{
        *w = (struct world){.rejects = NULL};
        temp_dir_make(w->folder, sizeof(w->folder));
        (void)snprintf(w->path, sizeof(w->path), "%s/rejects.ndjson", w->folder);
}

static void world_end(struct world *w)
{
        import_rejects_destroy(&w->rejects);
        temp_dir_remove(w->folder);
}

static struct import_bad bad_date(const char *origin)
{
        return (struct import_bad){.line = 17,
                .reject = reject_of(REJECT_DATE, "START"),
                .table = "allergies",
                .origin = slice_str(origin)};
}

static void assert_holds(const struct world *w, const char *expected)
{
        char text[1024];
        FILE *file = fopen(w->path, "r");
        size_t len;

        assert_non_null(file);
        len = fread(text, 1, sizeof(text) - 1, file);
        text[len] = '\0';
        (void)fclose(file);
        assert_string_equal(text, expected);
}

static void lines_name_file_line_field_and_reason(void **state)
{
        struct import_bad bad = bad_date("{\"table\":\"allergies\",\"columns\":[\"START\"],\"cells\":[\"so\\non\"]}");
        struct stat info;
        struct world w;

        (void)state;
        world_begin(&w);
        assert_ok(import_rejects_create(&w.rejects, w.path, &w.msg));
        assert_true(import_rejects_wanted(w.rejects));
        assert_int_equal(lstat(w.path, &info), -1); /* not before there is something */
        assert_ok(import_rejects_add(w.rejects, "a/\"b\".csv", &bad, &w.msg));
        bad = (struct import_bad){.line = 3, .reject = reject_of(REJECT_QUOTES, NULL)};
        assert_ok(import_rejects_add(w.rejects, "a/\xff.csv", &bad, &w.msg));
        assert_ok(import_rejects_finish(w.rejects, &w.msg));
        assert_int_equal(import_rejects_count(w.rejects), 2);
        assert_holds(&w, "{\"file\":\"a/"
                         "\\\"b\\\".csv\",\"line\":17,\"field\":\"START\",\"reason\":\"date\",\"text\":\"not a date\","
                         "\"origin\":{\"table\":\"allergies\",\"columns\":[\"START\"],\"cells\":[\"so\\non\"]}}\n"
                         "{\"file\":\"a/?.csv\",\"line\":3,\"reason\":\"quotes\","
                         "\"text\":\"broken quotes\"}\n");
        assert_int_equal(lstat(w.path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        world_end(&w);
}

static void another_file_is_never_replaced(void **state)
{
        const struct import_bad bad = bad_date("{}");
        struct world w;
        FILE *file;

        (void)state;
        world_begin(&w);
        assert_ok(import_rejects_create(&w.rejects, w.path, &w.msg));
        file = fopen(w.path, "w"); /* made by another one in the meantime */
        assert_true(fputs("precious", file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_err(ERR_IO, import_rejects_add(w.rejects, "a.csv", &bad, &w.msg));
        assert_non_null(strstr(w.msg.text, "rejects.ndjson: File exists"));
        import_rejects_destroy(&w.rejects);
        assert_err(ERR_IO, import_rejects_create(&w.rejects, w.path, &w.msg));
        assert_null(w.rejects);
        assert_non_null(strstr(w.msg.text, "rejects.ndjson is there already; name another file"));
        assert_holds(&w, "precious");
        assert_err(ERR_IO, import_rejects_create(&w.rejects, "/nowhere/at/all", &w.msg));
        assert_string_equal(w.msg.text, "cannot make /nowhere/at/all: No such file or directory");
        world_end(&w);
}

static void without_a_path_nothing_is_kept(void **state)
{
        const struct import_bad bad = bad_date("{}");
        struct world w;

        (void)state;
        world_begin(&w);
        assert_ok(import_rejects_create(&w.rejects, NULL, &w.msg));
        assert_false(import_rejects_wanted(w.rejects));
        assert_ok(import_rejects_add(w.rejects, "a.csv", &bad, &w.msg));
        assert_ok(import_rejects_finish(w.rejects, &w.msg));
        assert_int_equal(import_rejects_count(w.rejects), 0);
        world_end(&w);
}

/* A limit on the size of files stands in for a full disk: the write fails in the same way. */
static void what_cannot_be_written_is_an_error(void **state)
{
        enum { LEN = 100000 };
        char *origin = calloc(1, LEN + 1);
        struct rlimit before;
        struct rlimit small;
        struct import_bad bad;
        struct world w;

        (void)state;
        memset(origin, ' ', LEN);
        origin[0] = '{';
        origin[LEN - 1] = '}';
        bad = bad_date(origin);
        world_begin(&w);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        small = (struct rlimit){.rlim_cur = LEN / 2, .rlim_max = before.rlim_max};
        assert_ok(import_rejects_create(&w.rejects, w.path, &w.msg));
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_err(ERR_IO, import_rejects_add(w.rejects, "a.csv", &bad, &w.msg));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_non_null(strstr(w.msg.text, "cannot write the rejects to "));
        free(origin);
        world_end(&w);
}

static enum err add_one(void *context)
{
        const struct import_bad bad = bad_date("{}");
        struct import_rejects *rejects;
        struct err_msg msg;
        enum err rc = import_rejects_create(&rejects, context, &msg);

        if (rc == OK)
                rc = import_rejects_add(rejects, "a.csv", &bad, &msg);
        if (rc == OK)
                rc = import_rejects_finish(rejects, &msg);
        import_rejects_destroy(&rejects);
        (void)unlink(context);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w);
        each_allocation_fails(add_one, w.path);
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_name_file_line_field_and_reason),
                cmocka_unit_test(another_file_is_never_replaced),
                cmocka_unit_test(without_a_path_nothing_is_kept),
                cmocka_unit_test(what_cannot_be_written_is_an_error),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
