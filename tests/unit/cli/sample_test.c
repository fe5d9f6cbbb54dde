#include "cli/sample.h"
#include "base/buf.h"
#include "import/import_csv.h"
#include "database/value.h"
#include "tests/lib/test.h"

#include <stdio.h>

static void read_file(const char *folder, enum sample_table table, struct buf *out)
{
        char path[256];
        FILE *file;
        size_t len;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, sample_file_name(table));
        file = fopen(path, "rb");
        assert_non_null(file);
        do {
                assert_ok(buf_reserve(out, 65536));
                len = fread(out->data + out->end, 1, 65536, file);
                buf_added(out, len);
        } while (len > 0);
        assert_int_equal(fclose(file), 0);
}

static void make(const char *folder, uint64_t students, uint64_t seed, struct buf *files)
{
        const struct sample_plan plan = {.students = students, .seed = seed};
        struct sample_counts counts;
        struct err_msg msg = {.text = ""};

        assert_ok(sample_write(folder, &plan, &counts, &msg));
        assert_int_equal(counts.rows[SAMPLE_PATIENTS], students);
        for (enum sample_table table = 0; table < SAMPLE_TABLE_COUNT; table++) {
                buf_init(&files[table], 0);
                read_file(folder, table, &files[table]);
        }
}

static void drop(struct buf *files)
{
        for (int table = 0; table < SAMPLE_TABLE_COUNT; table++)
                buf_deinit(&files[table]);
}

static void equal_seeds_make_equal_files_and_other_seeds_others(void **state)
{
        char folder[64];
        struct buf first[SAMPLE_TABLE_COUNT];
        struct buf again[SAMPLE_TABLE_COUNT];
        struct buf other[SAMPLE_TABLE_COUNT];

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        make(folder, 200, 7, first);
        make(folder, 200, 7, again);
        make(folder, 200, 8, other);
        for (int table = 0; table < SAMPLE_TABLE_COUNT; table++) {
                assert_true(slice_equal(buf_slice(&first[table]), buf_slice(&again[table])));
                assert_false(slice_equal(buf_slice(&first[table]), buf_slice(&other[table])));
        }
        drop(first);
        drop(again);
        drop(other);
        temp_dir_remove(folder);
}

static void a_larger_population_begins_with_the_smaller_one(void **state)
{
        char folder[64];
        struct buf few[SAMPLE_TABLE_COUNT];
        struct buf many[SAMPLE_TABLE_COUNT];

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        make(folder, 50, 1, few);
        make(folder, 80, 1, many);
        for (int table = 0; table < SAMPLE_TABLE_COUNT; table++) {
                assert_true(buf_len(&few[table]) < buf_len(&many[table]));
                assert_memory_equal(buf_slice(&few[table]).data, buf_slice(&many[table]).data, buf_len(&few[table]));
        }
        drop(few);
        drop(many);
        temp_dir_remove(folder);
}

struct tally {
        uint64_t records;
        uint64_t severe;
        bool student_42_severe;
};

static enum err take_item(void *context, const struct import_item *item)
{
        struct tally *tally = context;
        struct slice severity;
        struct slice student;

        tally->records++;
        if (!value_member_text(item->row, "severity", &severity) || !slice_equal(severity, slice_str("SEVERE")))
                return OK;
        tally->severe++;
        if (value_member_text(item->row, "student", &student) && slice_equal(student, slice_str("42")))
                tally->student_42_severe = true;
        return OK;
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        (void)context;
        print_message("line %llu: %s\n", (unsigned long long)bad->line, reject_text(bad->reject.reason));
        return ERR_INTERNAL;
}

static void every_row_can_be_imported_and_student_42_is_severely_allergic(void **state)
{
        static const enum import_kind kinds[] = {
                IMPORT_students, IMPORT_allergies, IMPORT_conditions, IMPORT_vaccinations};
        char folder[64];
        struct buf files[SAMPLE_TABLE_COUNT];

        (void)state;
        temp_dir_make(folder, sizeof(folder));
        make(folder, 1000, 1, files);
        for (enum sample_table table = 0; table < SAMPLE_TABLE_COUNT; table++) {
                struct tally tally = {0};
                const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = &tally};
                const struct import_csv_file file = {
                        .path = sample_file_name(table), .first = buf_slice(&files[table])};
                struct import_csv *import;
                enum import_kind kind;

                assert_ok(import_csv_look(&file, &kind, NULL));
                assert_int_equal(kind, kinds[table]);
                assert_ok(import_csv_create(&import, &file, &sink, NULL));
                assert_ok(import_csv_feed(import, buf_slice(&files[table]), NULL));
                assert_ok(import_csv_finish(import, NULL));
                assert_true(tally.records >= 100);
                assert_int_equal(tally.student_42_severe, table == SAMPLE_ALLERGIES);
                if (table == SAMPLE_ALLERGIES)
                        assert_in_range(tally.severe, 10, 60);
                import_csv_destroy(&import);
        }
        drop(files);
        temp_dir_remove(folder);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
        const struct sample_plan plan = {.students = 1, .seed = 1};
        struct sample_counts counts;
        struct err_msg msg;

        (void)state;
        assert_err(ERR_IO, sample_write("/nowhere/at/all", &plan, &counts, &msg));
        assert_string_equal(msg.text, "cannot make the folder /nowhere/at/all: No such file or directory");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_seeds_make_equal_files_and_other_seeds_others),
                cmocka_unit_test(a_larger_population_begins_with_the_smaller_one),
                cmocka_unit_test(every_row_can_be_imported_and_student_42_is_severely_allergic),
                cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
