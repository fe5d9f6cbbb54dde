#include "cli/import_read.h"
#include "tests/lib/test.h"

#include <stdio.h>

struct world {
        char folder[64];
        char path[128];
        struct import_files files;
        struct import_sink sink;
        struct import_names names;
        struct import_how how;
        enum err answer; /* of the sink */
        unsigned items;
        unsigned bad;
        uint64_t bytes;
        struct err_msg msg;
};

static enum err take_item(void *context, const struct import_item *item)
{
        struct world *w = context;

        assert_string_equal(item->table, "students");
        w->items++;
        return w->answer;
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct world *w = context;

        assert_int_equal(bad->line, 3);
        w->bad++;
        return OK;
}

static void take_piece(void *context, uint64_t bytes)
{
        struct world *w = context;

        w->bytes = bytes;
}

static void world_begin(struct world *w, const char *text)
{
        const char *paths[1] = {w->path};
        FILE *file;

        *w = (struct world){.sink = {.item = take_item, .bad = take_bad, .context = w},
                .how = {.names = &w->names, .piece = take_piece, .context = w}};
        import_names_init(&w->names);
        temp_dir_make(w->folder, sizeof(w->folder));
        (void)snprintf(w->path, sizeof(w->path), "%s/patients.csv", w->folder);
        file = fopen(w->path, "w");
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_ok(import_files_init(&w->files, paths, 1, -1, &w->msg));
        assert_int_equal(w->files.count, 1);
}

static void world_end(struct world *w)
{
        import_files_deinit(&w->files);
        import_names_deinit(&w->names);
        temp_dir_remove(w->folder);
}

#define TEXT "Id,BIRTHDATE,FIRST,LAST\n1,2012-06-16,Ana,Soto\n2,soon,Bao,Lee\n"

static void a_file_can_be_read_again(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w, TEXT);
        for (unsigned i = 1; i <= 2; i++) {
                assert_ok(import_read(&w.files.files[0], &w.sink, &w.how, &w.msg));
                assert_int_equal(w.items, i);
                assert_int_equal(w.bad, i);
                assert_int_equal(w.bytes, strlen(TEXT));
        }
        world_end(&w);
}

static void what_is_read_once_is_not_opened_again(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w, TEXT);
        w.files.files[0].once = true;
        assert_err(ERR_IO, import_read(&w.files.files[0], &w.sink, &w.how, &w.msg));
        assert_non_null(strstr(w.msg.text, "patients.csv cannot be read twice"));
        world_end(&w);
}

static void the_sinks_errors_are_not_the_files(void **state)
{
        struct world w;

        (void)state;
        world_begin(&w, TEXT);
        w.answer = ERR_UNAVAILABLE;
        (void)err_set(&w.msg, ERR_UNAVAILABLE, "the connection broke");
        assert_err(ERR_UNAVAILABLE, import_read(&w.files.files[0], &w.sink, &w.how, &w.msg));
        assert_string_equal(w.msg.text, "the connection broke");
        world_end(&w);
}

static void a_file_that_has_changed_since_is_named(void **state)
{
        struct world w;
        FILE *file;

        (void)state;
        world_begin(&w, TEXT);
        file = fopen(w.path, "w");
        assert_true(fputs("now,for,something,else\n", file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_err(ERR_BADVALUE, import_read(&w.files.files[0], &w.sink, &w.how, &w.msg));
        assert_int_equal(strncmp(w.msg.text, w.path, strlen(w.path)), 0);
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_can_be_read_again),
                cmocka_unit_test(what_is_read_once_is_not_opened_again),
                cmocka_unit_test(the_sinks_errors_are_not_the_files),
                cmocka_unit_test(a_file_that_has_changed_since_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
