#include "cli/sample_sql.h"
#include "base/buf.h"
#include "tests/lib/test.h"

#include <string.h>

static void print(uint64_t students, uint64_t seed, struct buf *out)
{
        const struct sample_plan plan = {.students = students, .seed = seed};
        struct err_msg msg = {.text = ""};
        FILE *file = tmpfile();
        size_t len;

        assert_non_null(file);
        assert_ok(sample_sql_write(file, &plan, &msg));
        len = (size_t)ftell(file);
        rewind(file);
        buf_init(out, 0);
        assert_ok(buf_reserve(out, len + 1));
        assert_int_equal(fread(out->data + out->end, 1, len, file), len);
        buf_added(out, len);
        assert_ok(buf_append(out, "", 1));
        assert_int_equal(fclose(file), 0);
}

static const char *text_of(const struct buf *sql)
{
        return (const char *)buf_slice(sql).data;
}

static void equal_seeds_make_equal_scripts_and_other_seeds_others(void **state)
{
        struct buf first;
        struct buf again;
        struct buf other;

        (void)state;
        print(50, 7, &first);
        print(50, 7, &again);
        print(50, 8, &other);
        assert_string_equal(text_of(&first), text_of(&again));
        assert_string_not_equal(text_of(&first), text_of(&other));
        buf_deinit(&first);
        buf_deinit(&again);
        buf_deinit(&other);
}

static size_t count_of(const char *from, const char *to, char sought)
{
        size_t count = 0;

        for (; from < to; from++)
                count += *from == sought;
        return count;
}

/* Every row between "COPY table (a, b) FROM stdin;" and "\." has as many fields as columns are named. Returns how many
 * rows there are. */
static size_t check_copy(const char *copy)
{
        const char *line = strchr(copy, '\n') + 1;
        const size_t commas = count_of(copy, line, ',');
        size_t rows = 0;

        for (; strncmp(line, "\\.\n", 3) != 0; rows++) {
                const char *end = strchr(line, '\n');

                assert_non_null(end);
                assert_int_equal(count_of(line, end, '\t'), commas);
                line = end + 1;
        }
        return rows;
}

static void every_row_has_the_columns_that_are_named(void **state)
{
        struct buf sql;
        size_t tables = 0;

        (void)state;
        print(500, 1, &sql);
        for (const char *at = strstr(text_of(&sql), "COPY "); at != NULL; at = strstr(at + 1, "COPY ")) {
                const size_t rows = check_copy(at);

                assert_true(rows > 0);
                if (strncmp(at, "COPY students ", 14) == 0)
                        assert_int_equal(rows, 500);
                tables++;
        }
        assert_int_equal(tables, 11);
        buf_deinit(&sql);
}

/* What nobody knows is NULL in the table, so that it can be shown as unknown. */
static void a_severity_that_is_not_known_is_null(void **state)
{
        struct buf sql;

        (void)state;
        print(200, 1, &sql);
        assert_non_null(strstr(text_of(&sql), "\tfood\t\\N\t"));
        assert_non_null(strstr(text_of(&sql), "\n42\t762952008\tSNOMED-CT\tPeanut (substance)\tfood\tSEVERE\t"));
        buf_deinit(&sql);
}

static void a_full_disk_is_told(void **state)
{
        const struct sample_plan plan = {.students = 100, .seed = 1};
        struct err_msg msg = {.text = ""};
        FILE *file = fopen("/dev/full", "w");

        (void)state;
        assert_non_null(file);
        assert_err(ERR_IO, sample_sql_write(file, &plan, &msg));
        (void)fclose(file);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_seeds_make_equal_scripts_and_other_seeds_others),
                cmocka_unit_test(every_row_has_the_columns_that_are_named),
                cmocka_unit_test(a_severity_that_is_not_known_is_null),
                cmocka_unit_test(a_full_disk_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
