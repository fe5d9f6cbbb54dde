#include "tests/lib/school.h"

#include <stdlib.h>

struct state {
        char path[64];
        struct lmdb_config config;
        struct source *source;
};

static struct state *open_school(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->config = school_config(s->path);
        s->source = school_open(&s->config);
        *state = s;
        return s;
}

static int setup(void **state)
{
        (void)open_school(state);
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        (void)school_sound(s->source);
        s->source->ops->close(&s->source);
        assert_null(s->source);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

static void reopen(struct state *s)
{
        s->source->ops->close(&s->source);
        s->source = school_open(&s->config);
}

static void an_unknown_student_is_not_an_empty_list(void **state)
{
        struct state *s = *state;

        school_expect(s->source, &SCHOOL_STUDENT, "42", NULL);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", NULL);
        school_expect(s->source, &SCHOOL_SUMMARY, "42", NULL);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "4", NULL);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "421", NULL);
}

static void what_is_put_is_read_after_reopening_too(void **state)
{
        struct state *s = *state;
        const char *list = "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\",\"extra\":[1,2]},"
                           "{\"id\":\"b\",\"code\":\"2\",\"severity\":\"SEVERE\",\"status\":\"active\"}]";

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        reopen(s);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
}

static void reads_carry_the_epoch_of_their_opening(void **state)
{
        struct state *s = *state;
        struct source_read read;

        s->config.hooks.epoch = 7;
        reopen(s);
        assert_ok(school_read(s->source, &SCHOOL_STUDENT, slice_str("42"), &read));
        assert_int_equal(read.epoch, 7);
        buf_deinit(&read.value);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_unknown_student_is_not_an_empty_list, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_put_is_read_after_reopening_too, setup, teardown),
                cmocka_unit_test_setup_teardown(reads_carry_the_epoch_of_their_opening, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
