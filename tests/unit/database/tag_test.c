#include "database/tag.h"

#include "base/hash.h"
#include "tests/lib/test.h"

#include <stdio.h>

static struct slice text(const char *s)
{
        return slice_str(s);
}

static void text_forms_are_read_and_written_back(void **state)
{
        static const struct {
                const char *text;
                enum tag_kind kind;
                const char *id;
                const char *table;
                const char *subject;
        } rows[] = {
                {"student:42/allergies", TAG_STUDENT_TABLE, "42", "allergies", ""},
                {"student:a/b/visits", TAG_STUDENT_TABLE, "a/b", "visits", ""},
                {"student:42", TAG_STUDENT, "42", "", ""},
                {"student:a:b", TAG_STUDENT, "a:b", "", ""},
                {"allergies", TAG_TABLE, "", "allergies", ""},
                {"school:9/visits", TAG_CONTAINER, "9", "visits", "school"},
                {"school:a:b/c/visits", TAG_CONTAINER, "a:b/c", "visits", "school"},
                {"*", TAG_ALL, "", "", ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct buf out;
                struct tag tag;

                buf_init(&out, 0);
                assert_ok(tag_parse(text(rows[i].text), SLICE_EMPTY, &tag, NULL));
                assert_int_equal(tag.kind, rows[i].kind);
                assert_slice_is(tag.id, rows[i].id);
                assert_slice_is(tag.subject, rows[i].subject);
                assert_slice_is(tag.table, rows[i].table);
                assert_ok(tag_format(&tag, &out));
                assert_slice_is(buf_slice(&out), rows[i].text);
                buf_deinit(&out);
        }
}

static void malformed_text_is_refused_with_a_reason(void **state)
{
        static const char *const bad[] = {"", "student:", "student:/allergies", "student:42/", "pupil:42", "a/b",
                ":9/visits", "school:/visits", "school:9/", "school:"};
        char long_id[8 + TAG_PART_MAX + 2] = "student:";
        struct err_msg msg;
        struct tag tag;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                msg.text[0] = '\0';
                assert_err(ERR_BADARG, tag_parse(text(bad[i]), SLICE_EMPTY, &tag, &msg));
                assert_true(strlen(msg.text) > 10);
        }
        memset(long_id + 8, 'x', TAG_PART_MAX + 1);
        assert_err(ERR_BADARG, tag_parse(text(long_id), SLICE_EMPTY, &tag, &msg));
        assert_non_null(strstr(msg.text, "513"));
}

static void the_binary_form_is_as_documented(void **state)
{
        static const uint8_t expected[] = "\x01\x00\x02"
                                          "T1"
                                          "\x00\x02"
                                          "42"
                                          "\x00\x09"
                                          "allergies";
        uint8_t out[TAG_BINARY_MAX];
        struct tag tag;

        (void)state;
        assert_ok(tag_parse(text("student:42/allergies"), text("T1"), &tag, NULL));
        assert_int_equal(tag_encode(&tag, out), sizeof(expected) - 1);
        assert_memory_equal(out, expected, sizeof(expected) - 1);
        assert_true(tag_hash(&tag, 9) == tag_hash_encoded(slice_of(expected, sizeof(expected) - 1), 9));
        assert_true(tag_hash(&tag, 9) != tag_hash(&tag, 10));
}

static void a_container_s_form_has_its_subject(void **state)
{
        static const uint8_t expected[] = "\x05\x00\x00\x00\x06"
                                          "school"
                                          "\x00\x01"
                                          "9"
                                          "\x00\x06"
                                          "visits";
        uint8_t out[TAG_BINARY_MAX];
        struct tag tag;

        (void)state;
        assert_ok(tag_parse(text("school:9/visits"), SLICE_EMPTY, &tag, NULL));
        assert_int_equal(tag_encode(&tag, out), sizeof(expected) - 1);
        assert_memory_equal(out, expected, sizeof(expected) - 1);
}

static void put_hex(const uint8_t *bytes, size_t len, char *out)
{
        for (size_t i = 0; i < len; i++)
                snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* What SQL builds is tested on the same lines (tests/integration/pg_epoch_test.py). */
static void the_bytes_are_those_of_the_common_table(void **state)
{
        FILE *file = fopen(VC_SOURCE_DIR "/tests/data/tags.tsv", "r");
        char hex[2 * TAG_BINARY_MAX + 1];
        uint8_t out[TAG_BINARY_MAX];
        char line[8192];
        uint32_t rows = 0;
        struct tag tag;

        (void)state;
        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                char *tab = strchr(line, '\t');

                if (line[0] == '#')
                        continue;
                assert_non_null(tab);
                assert_ok(tag_parse(slice_of(line, (size_t)(tab - line)), SLICE_EMPTY, &tag, NULL));
                put_hex(out, tag_encode(&tag, out), hex);
                tab[strcspn(tab, "\n")] = '\0';
                assert_string_equal(tab + 1, hex);
                rows++;
        }
        assert_true(rows > 10);
        fclose(file);
}

static void the_longest_parts_fit(void **state)
{
        uint8_t part[TAG_PART_MAX] = {1};
        uint8_t out[TAG_BINARY_MAX];
        struct slice all = slice_of(part, sizeof(part));
        struct tag tag = {TAG_CONTAINER, all, all, all, all};

        (void)state;
        assert_int_equal(tag_encode(&tag, out), TAG_BINARY_MAX);
}

/* Parts that would run together without their lengths. */
static void different_tags_have_different_bytes(void **state)
{
        const struct tag tags[] = {
                {.kind = TAG_STUDENT_TABLE, .id = text("4"), .table = text("2visits")},
                {.kind = TAG_STUDENT_TABLE, .id = text("42"), .table = text("visits")},
                {.kind = TAG_STUDENT_TABLE, .tenant = text("4"), .id = text("2"), .table = text("visits")},
                {.kind = TAG_CONTAINER, .id = text("42"), .table = text("visits"), .subject = text("student")},
                {.kind = TAG_CONTAINER, .id = text("42"), .table = text("visits"), .subject = text("school")},
                {.kind = TAG_STUDENT, .id = text("visits")},
                {.kind = TAG_TABLE, .table = text("visits")},
                {.kind = TAG_TABLE, .tenant = text("visits")},
                {.kind = TAG_ALL},
        };
        const size_t count = sizeof(tags) / sizeof(tags[0]);

        (void)state;
        for (size_t i = 0; i < count; i++) {
                uint8_t bytes[TAG_BINARY_MAX];

                assert_true(tag_hash(&tags[i], 1) == tag_hash_encoded(slice_of(bytes, tag_encode(&tags[i], bytes)), 1));
                for (size_t j = 0; j < i; j++)
                        assert_true(tag_hash(&tags[i], 1) != tag_hash(&tags[j], 1));
        }
}

/* Whoever may insert into the table of touches may insert anything. */
static void bytes_that_are_no_tag_have_a_hash_as_well(void **state)
{
        const struct tag tag = {
                .kind = TAG_CONTAINER, .id = text("9"), .table = text("visits"), .subject = text("school")};
        uint8_t bytes[TAG_BINARY_MAX + 1];
        const size_t len = tag_encode(&tag, bytes);
        const uint64_t whole = tag_hash(&tag, 1);

        (void)state;
        for (size_t cut = 0; cut < len; cut++)
                assert_true(tag_hash_encoded(slice_of(bytes, cut), 1) != whole);
        bytes[len] = 0;
        assert_true(tag_hash_encoded(slice_of(bytes, len + 1), 1) != whole);
        bytes[0] = 0;
        assert_true(tag_hash_encoded(slice_of(bytes, len), 1) != whole);
        bytes[0] = TAG_CONTAINER + 1;
        assert_true(tag_hash_encoded(slice_of(bytes, len), 1) != whole);
}

/* Hashes are cut to a slot's number, so that their low bits must be spread: here each slot is expected to be taken four
 * times. By chance (a Poisson's) a fiftieth of the slots is taken by none. */
static void tags_are_spread_over_the_slots(void **state)
{
        enum { SLOTS = 4096, STUDENTS = 2048 };
        static const char *const tables[] = {
                "students", "allergies", "conditions", "visits", "vaccinations", "merges", "measurements", "notes"};
        static uint32_t taken[SLOTS];
        uint32_t empty = 0;
        char id[16];

        (void)state;
        for (int i = 0; i < STUDENTS; i++) {
                (void)snprintf(id, sizeof(id), "%d", i);
                for (int t = 0; t < 8; t++) {
                        const struct tag tag = {.kind = TAG_STUDENT_TABLE, .id = text(id), .table = text(tables[t])};

                        taken[tag_hash(&tag, 77) % SLOTS]++;
                }
        }
        for (int s = 0; s < SLOTS; s++)
                empty += taken[s] == 0;
        assert_in_range(empty, SLOTS / 100, SLOTS / 33);
}

static void a_tag_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
        struct buf out;
        struct tag tag;

        (void)state;
        buf_init(&out, 12);
        assert_ok(buf_append_str(&out, "x"));
        assert_ok(tag_parse(text("student:42/allergies"), SLICE_EMPTY, &tag, NULL));
        assert_err(ERR_LIMIT, tag_format(&tag, &out));
        assert_slice_is(buf_slice(&out), "x");
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_forms_are_read_and_written_back),
                cmocka_unit_test(malformed_text_is_refused_with_a_reason),
                cmocka_unit_test(the_binary_form_is_as_documented),
                cmocka_unit_test(a_container_s_form_has_its_subject),
                cmocka_unit_test(the_bytes_are_those_of_the_common_table),
                cmocka_unit_test(the_longest_parts_fit),
                cmocka_unit_test(different_tags_have_different_bytes),
                cmocka_unit_test(bytes_that_are_no_tag_have_a_hash_as_well),
                cmocka_unit_test(tags_are_spread_over_the_slots),
                cmocka_unit_test(a_tag_that_does_not_fit_leaves_the_buffer_as_it_was),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
