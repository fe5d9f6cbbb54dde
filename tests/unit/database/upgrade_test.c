/* Databases of the first format and of older schemas become what a new one would be; what cannot be is refused. */
#include "database/upgrade.h"

#include "tests/lib/format1.h"
#include "tests/lib/upgrade_case.h"

#include <stdio.h>
#include <unistd.h>

static void format_1_becomes_the_present_one(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_run(s);
        assert_true(s->result.survey.needed);
        assert_int_equal(s->result.survey.format, 1);
        assert_int_equal(s->result.survey.records, 8);
        assert_int_equal(s->result.health.records, 8);
        upgrade_case_expect_all(s);
}

/* Also those of tables that no configuration knows any more: erasing a student must find them. */
static void nothing_of_a_student_is_forgotten(void **state)
{
        struct upgrade_case *s = *state;
        struct source_write write = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("1")};
        struct source *source;

        upgrade_case_make_format1(s, 1);
        upgrade_case_run(s);
        source = school_open(&s->config);
        assert_ok(school_apply(source, &write));
        assert_int_equal(school_sound(source).records, 4);
        source->ops->close(&source);
}

static void records_of_the_schema_before_are_written_anew(void **state)
{
        struct upgrade_case *s = *state;
        struct source *source;

        upgrade_case_make_schema1(s);
        upgrade_case_run(s);
        assert_true(s->result.survey.needed);
        assert_int_equal(s->result.survey.older, 2);
        assert_int_equal(s->result.survey.records, 3);
        upgrade_case_run(s);
        assert_false(s->result.survey.needed);
        source = school_open(&s->config);
        upgrade_case_expect(s, source, "shots", "1",
                "[{\"id\":\"a\",\"display\":\"MMR\",\"state\":\"given\"},"
                "{\"id\":\"b\",\"display\":\"IPV\",\"state\":\"refused\"}]");
        (void)school_sound(source);
        source->ops->close(&source);
}

/* A server of this configuration has opened it: the tables' number is the present one, their records' is not yet. */
static void a_database_that_was_served_already_is_upgraded_as_well(void **state)
{
        struct upgrade_case *s = *state;
        struct source *source;

        upgrade_case_make_schema1(s);
        source = school_open(&s->config);
        source->ops->close(&source);
        upgrade_case_run(s);
        assert_int_equal(s->result.survey.older, 2);
        upgrade_case_run(s);
        assert_false(s->result.survey.needed);
}

static void positions_go_on(void **state)
{
        struct upgrade_case *s = *state;
        struct source *source;
        uint64_t before;

        upgrade_case_make_schema1(s);
        source = school_open(&s->config);
        before = school_sound(source).last_position;
        source->ops->close(&source);
        upgrade_case_run(s);
        source = school_open(&s->config);
        assert_true(school_sound(source).last_position > before);
        source->ops->close(&source);
}

static void there_may_be_nothing_to_do(void **state)
{
        struct upgrade_case *s = *state;
        struct source *source = school_open(&s->config);

        source->ops->close(&source);
        upgrade_case_run(s);
        assert_false(s->result.survey.needed);
        assert_string_equal(s->result.backup, "");
        assert_int_not_equal(access(s->backup, F_OK), 0);
}

/* ---- what cannot be ---- */

static void refuses_what_it_cannot_do_and_says_what_would_be_right(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_refuses(s, ERR_NOTFOUND, "no database", s->folder);
        upgrade_case_make_format1(s, 3);
        upgrade_case_refuses(s, ERR_VERSION, "schema 3", "or a newer one");
        assert_int_not_equal(access(s->backup, F_OK), 0);
}

static void refuses_a_schema_two_steps_back(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_configure(s, UPGRADE_CASE_THIRD);
        upgrade_case_refuses(s, ERR_VERSION, "schema 1", "a release of schema 2 first");
}

static void refuses_a_newer_format(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_set_format(s->folder, 9);
        upgrade_case_refuses(s, ERR_VERSION, "format 9", "formats 1 to 2");
}

static void refuses_a_damaged_record_and_leaves_the_old_database(void **state)
{
        struct upgrade_case *s = *state;
        struct format1 *f = format1_create(s->folder, 1);
        struct err_msg msg;

        format1_put(f, "students", slice_str("{\"student\":\"1\",\"id\":\"1\",\"name\":\"Ada\"}"));
        format1_put(f, "shots", slice_str("{\"student\":\"unknown\",\"id\":\"a\",\"label\":\"MMR\"}")); /* of nobody */
        (void)format1_finish(&f);
        assert_err(ERR_CORRUPT, upgrade_case_try(s, true, &msg));
        assert_non_null(strstr(msg.text, "do not fit together"));
        assert_err(ERR_CORRUPT, upgrade_case_try(s, true, &msg)); /* still there, of the old format */
        assert_int_equal(s->result.survey.format, 1);
}

/* ---- the backup ---- */

static void a_backup_of_what_there_was_is_taken_first(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_run(s);
        assert_string_equal(s->result.backup, s->backup);
        assert_int_equal(upgrade_case_read_backup(s->backup).image.format, 1);
        assert_int_equal(upgrade_case_read_backup(s->backup).image.records, 8);
}

static void by_default_it_stands_beside_the_folder(void **state)
{
        struct upgrade_case *s = *state;
        struct upgrade_plan plan = {.config = &s->config, .now = {1000}};

        upgrade_case_make_format1(s, 1);
        assert_ok(upgrade_run(&plan, &s->result, NULL));
        assert_memory_equal(s->result.backup, s->folder, strlen(s->folder));
        assert_int_equal(upgrade_case_read_backup(s->result.backup).image.records, 8);
}

static void one_that_is_there_is_used_when_it_is_of_this_database(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_back_up_at(s, 5000);
        upgrade_case_run(s);
        assert_string_equal(upgrade_case_read_backup(s->backup).time, "1970-01-01T00:00:05.000Z");
}

static void one_of_another_state_is_not(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_back_up_at(s, 5000);
        upgrade_case_set_format(s->folder, 1); /* a commit later */
        upgrade_case_run(s);
        assert_string_equal(upgrade_case_read_backup(s->backup).time, "1970-01-01T00:00:01.000Z");
}

static void none_is_taken_where_none_is_wanted(void **state)
{
        struct upgrade_case *s = *state;
        struct err_msg msg;

        upgrade_case_make_format1(s, 1);
        assert_ok(upgrade_case_try(s, false, &msg));
        assert_string_equal(s->result.backup, "");
        assert_int_not_equal(access(s->backup, F_OK), 0);
        upgrade_case_expect_all(s);
}

static void without_room_for_it_nothing_is_done(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        (void)snprintf(s->backup, sizeof(s->backup), "%s/nowhere/backup", s->path);
        upgrade_case_refuses(s, ERR_IO, "nowhere", "No such file");
        (void)snprintf(s->backup, sizeof(s->backup), "%s/backup", s->path);
        upgrade_case_run(s);
        upgrade_case_expect_all(s);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, upgrade_case_setup, upgrade_case_teardown)
        const struct CMUnitTest tests[] = {
                WITH(format_1_becomes_the_present_one),
                WITH(nothing_of_a_student_is_forgotten),
                WITH(records_of_the_schema_before_are_written_anew),
                WITH(a_database_that_was_served_already_is_upgraded_as_well),
                WITH(positions_go_on),
                WITH(there_may_be_nothing_to_do),
                WITH(refuses_what_it_cannot_do_and_says_what_would_be_right),
                WITH(refuses_a_schema_two_steps_back),
                WITH(refuses_a_newer_format),
                WITH(refuses_a_damaged_record_and_leaves_the_old_database),
                WITH(a_backup_of_what_there_was_is_taken_first),
                WITH(by_default_it_stands_beside_the_folder),
                WITH(one_that_is_there_is_used_when_it_is_of_this_database),
                WITH(one_of_another_state_is_not),
                WITH(none_is_taken_where_none_is_wanted),
                WITH(without_room_for_it_nothing_is_done),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
