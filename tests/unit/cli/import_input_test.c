#include "cli/import_input.h"
#include "base/buf.h"
#include "tests/lib/test.h"

#include <zlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
        char folder[64];
        char path[96];
        struct err_msg msg;
};

static void world_begin(struct world *w)
{
        temp_dir_make(w->folder, sizeof(w->folder));
        (void)snprintf(w->path, sizeof(w->path), "%s/input", w->folder);
        w->msg.text[0] = '\0';
}

static void world_end(const struct world *w)
{
        temp_dir_remove(w->folder);
}

static void append_file(const struct world *w, const void *data, size_t len)
{
        FILE *file = fopen(w->path, "ab");

        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, len, file), len);
        assert_int_equal(fclose(file), 0);
}

/* Appends a gzip member with `text` in it; returns its length. */
static size_t append_member(const struct world *w, const void *text, size_t len)
{
        z_stream zip = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (unsigned)len};
        size_t room = len + 1024;
        uint8_t *out = malloc(room);
        size_t packed;

        assert_int_equal(deflateInit2(&zip, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        zip.next_out = out;
        zip.avail_out = (unsigned)room;
        assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
        packed = room - zip.avail_out;
        append_file(w, out, packed);
        (void)deflateEnd(&zip);
        free(out);
        return packed;
}

static enum err read_all(const char *path, int fd, struct buf *out, struct err_msg *msg)
{
        struct import_input *input;
        struct slice piece;
        enum err rc = import_input_open(&input, path, fd, msg);

        if (rc != OK)
                return rc;
        do {
                rc = import_input_read(input, &piece, msg);
                if (rc == OK)
                        rc = buf_append_slice(out, piece);
        } while (rc == OK && piece.len > 0);
        import_input_close(&input);
        return rc;
}

static void assert_holds(const struct world *w, const void *data, size_t len)
{
        struct err_msg msg = {.text = ""};
        struct buf all;

        buf_init(&all, 0);
        assert_ok(read_all(w->path, -1, &all, &msg));
        assert_int_equal(buf_len(&all), len);
        if (len > 0)
                assert_memory_equal(buf_slice(&all).data, data, len);
        buf_deinit(&all);
}

/* Bytes that no packing makes short, the same at each run. */
static uint8_t *make_noise(size_t len)
{
        uint8_t *noise = malloc(len);
        uint32_t state = 1;

        assert_non_null(noise);
        for (size_t i = 0; i < len; i++) {
                state = state * 1664525u + 1013904223u;
                noise[i] = (uint8_t)(state >> 24);
        }
        noise[0] = 'x';
        return noise;
}

static void files_are_read_whole_whatever_their_size(void **state)
{
        static const size_t sizes[] = {0, 1, 2, INPUT_FIRST_BYTES - 1, INPUT_FIRST_BYTES, INPUT_FIRST_BYTES + 1,
                INPUT_PIECE_BYTES, INPUT_FIRST_BYTES + INPUT_PIECE_BYTES + 1, 3 * INPUT_PIECE_BYTES};
        uint8_t *noise = make_noise(3 * INPUT_PIECE_BYTES);

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct world w;

                world_begin(&w);
                append_file(&w, noise, sizes[i]);
                assert_holds(&w, noise, sizes[i]);
                world_end(&w);
                world_begin(&w);
                (void)append_member(&w, noise, sizes[i]);
                assert_holds(&w, noise, sizes[i]);
                world_end(&w);
        }
        free(noise);
}

static void what_packs_a_thousandfold_comes_in_pieces(void **state)
{
        enum { LEN = 40 << 20 };
        char *zeros = calloc(1, LEN);
        struct import_input *input;
        struct slice piece;
        struct world w;
        size_t total = 0;
        size_t packed;

        (void)state;
        world_begin(&w);
        memset(zeros, 'a', LEN);
        packed = append_member(&w, zeros, LEN);
        assert_ok(import_input_open(&input, w.path, -1, &w.msg));
        do {
                assert_ok(import_input_read(input, &piece, &w.msg));
                assert_true(piece.len <= INPUT_PIECE_BYTES);
                total += piece.len;
        } while (piece.len > 0);
        assert_int_equal(total, LEN);
        assert_int_equal(import_input_done(input), packed);
        import_input_close(&input);
        free(zeros);
        world_end(&w);
}

static void members_one_after_the_other_are_one_stream(void **state)
{
        static const char zeros[600];
        struct world w;

        (void)state;
        world_begin(&w);
        (void)append_member(&w, "one ", 4);
        (void)append_member(&w, "", 0);
        append_file(&w, zeros, sizeof(zeros));
        (void)append_member(&w, "two", 3);
        append_file(&w, zeros, sizeof(zeros));
        assert_holds(&w, "one two", 7);
        world_end(&w);
}

static void the_beginning_is_seen_before_it_is_read(void **state)
{
        int ends[2];
        struct import_input *input;
        struct slice piece;
        struct err_msg msg;

        (void)state;
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "Id,FIRST\n", 9), 9);
        assert_int_equal(close(ends[1]), 0);
        assert_ok(import_input_open(&input, "standard input", ends[0], &msg));
        assert_slice_is(import_input_first(input), "Id,FIRST\n");
        assert_slice_is(import_input_first(input), "Id,FIRST\n");
        assert_ok(import_input_read(input, &piece, &msg));
        assert_slice_is(piece, "Id,FIRST\n");
        assert_ok(import_input_read(input, &piece, &msg));
        assert_int_equal(piece.len, 0);
        assert_ok(import_input_read(input, &piece, &msg));
        assert_int_equal(piece.len, 0);
        import_input_close(&input);
        assert_int_equal(close(ends[0]), 0); /* it stayed ours */
}

static void gzip_that_is_cut_off_or_damaged_is_told_with_its_place(void **state)
{
        enum { LEN = 300000 };
        uint8_t *noise = make_noise(LEN);
        struct world w;
        struct buf all;
        char expected[192];
        size_t packed;
        FILE *file;

        (void)state;
        buf_init(&all, 0);
        world_begin(&w);
        packed = append_member(&w, noise, LEN);
        assert_int_equal(truncate(w.path, 200000), 0);
        assert_err(ERR_IO, read_all(w.path, -1, &all, &w.msg));
        (void)snprintf(expected, sizeof(expected),
                "%s: its gzip data ends too early, at byte 200000; get the file again", w.path);
        assert_string_equal(w.msg.text, expected);
        world_end(&w);

        world_begin(&w);
        (void)append_member(&w, noise, LEN);
        file = fopen(w.path, "r+b");
        assert_int_equal(fseek(file, (long)packed - 8, SEEK_SET), 0);
        assert_int_equal(fwrite("oops", 1, 4, file), 4);
        (void)fclose(file);
        assert_err(ERR_IO, read_all(w.path, -1, &all, &w.msg));
        assert_non_null(strstr(w.msg.text, "its gzip data is damaged at byte 300"));
        assert_non_null(strstr(w.msg.text, "(incorrect data check); get the file again"));
        world_end(&w);

        world_begin(&w);
        packed = append_member(&w, "one", 3);
        append_file(&w, "something else", 14);
        assert_err(ERR_IO, read_all(w.path, -1, &all, &w.msg));
        assert_non_null(strstr(w.msg.text, "damaged at byte"));
        world_end(&w);
        buf_deinit(&all);
        free(noise);
}

static void a_file_that_becomes_shorter_or_longer_meanwhile(void **state)
{
        enum { LEN = 300000 };
        uint8_t *noise = make_noise(LEN);
        struct import_input *input;
        struct slice piece;
        struct world w;
        size_t total = 0;
        FILE *file;

        (void)state;
        world_begin(&w);
        append_file(&w, noise, LEN);
        assert_ok(import_input_open(&input, w.path, -1, &w.msg));
        assert_int_equal(truncate(w.path, LEN / 2), 0);
        do
                assert_ok(import_input_read(input, &piece, &w.msg));
        while ((total += piece.len) < LEN / 2);
        assert_err(ERR_IO, import_input_read(input, &piece, &w.msg));
        assert_non_null(strstr(w.msg.text, "became shorter while it was read"));
        import_input_close(&input);

        assert_ok(import_input_open(&input, w.path, -1, &w.msg)); /* what is added is read, as tail would */
        append_file(&w, noise, LEN);
        for (total = 0; total < LEN / 2 + LEN; total += piece.len)
                assert_ok(import_input_read(input, &piece, &w.msg));
        assert_ok(import_input_read(input, &piece, &w.msg));
        assert_int_equal(piece.len, 0);
        import_input_close(&input);

        file = fopen(w.path, "rb"); /* somebody has read the beginning */
        assert_non_null(file);
        assert_int_equal(lseek(fileno(file), 1000, SEEK_SET), 1000);
        assert_ok(import_input_open(&input, "standard input", fileno(file), &w.msg));
        for (total = 0; total < LEN / 2 + LEN - 1000; total += piece.len)
                assert_ok(import_input_read(input, &piece, &w.msg));
        assert_ok(import_input_read(input, &piece, &w.msg));
        assert_int_equal(piece.len, 0);
        import_input_close(&input);
        (void)fclose(file);
        world_end(&w);
        free(noise);
}

static void a_path_that_cannot_be_read_is_named(void **state)
{
        struct import_input *input;
        struct err_msg msg;
        struct world w;

        (void)state;
        assert_err(ERR_IO, import_input_open(&input, "/nowhere", -1, &msg));
        assert_null(input);
        assert_string_equal(msg.text, "cannot open /nowhere: No such file or directory");
        world_begin(&w);
        assert_err(ERR_IO, import_input_open(&input, w.folder, -1, &msg));
        assert_non_null(strstr(msg.text, "Is a directory"));
        world_end(&w);
}

static enum err read_it(void *context)
{
        struct err_msg msg;
        struct buf all;
        enum err rc;

        buf_init(&all, 0);
        rc = read_all(context, -1, &all, &msg);
        buf_deinit(&all);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        uint8_t *noise = make_noise(100000);
        struct world w;

        (void)state;
        world_begin(&w);
        (void)append_member(&w, noise, 100000);
        each_allocation_fails(read_it, w.path);
        world_end(&w);
        free(noise);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_are_read_whole_whatever_their_size),
                cmocka_unit_test(what_packs_a_thousandfold_comes_in_pieces),
                cmocka_unit_test(members_one_after_the_other_are_one_stream),
                cmocka_unit_test(the_beginning_is_seen_before_it_is_read),
                cmocka_unit_test(gzip_that_is_cut_off_or_damaged_is_told_with_its_place),
                cmocka_unit_test(a_file_that_becomes_shorter_or_longer_meanwhile),
                cmocka_unit_test(a_path_that_cannot_be_read_is_named),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
