#include "database/original.h"
#include "base/hash.h"
#include "database/original_dictionary.h"
#include "tests/lib/test.h"

#include <stdlib.h>

#define CONDITION                                                                                                      \
        "{\"resourceType\":\"Condition\",\"id\":\"0023b3a7-2ded-840c-ee5b-6b123fdcfb0b\",\"clinicalStatus\":{"         \
        "\"coding\":[{"                                                                                                \
        "\"system\":\"http://terminology.hl7.org/CodeSystem/"                                                          \
        "condition-clinical\",\"code\":\"active\"}]},\"code\":{\"coding\""                                             \
        ":[{\"system\":\"http://snomed.info/sct\",\"code\":\"91302008\",\"display\":\"Sepsis "                         \
        "(disorder)\"}]},\"subject\":{"                                                                                \
        "\"reference\":\"Patient/129c6ac7-8d06-89de-ad63-0204a93e76c3\"}}"

struct state {
        struct original_codec *codec;
        struct original_work work;
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        assert_ok(original_codec_create(&s->codec));
        original_work_init(&s->work, s->codec);
        *state = &s->work;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = (struct state *)(void *)((char *)*state - offsetof(struct state, work));

        original_work_deinit(&s->work);
        original_work_deinit(&s->work);
        original_codec_destroy(&s->codec);
        assert_null(s->codec);
        original_codec_destroy(&s->codec);
        free(s);
        return 0;
}

/* Packs behind other bytes; the caller frees *bytes, which out->bytes points into. */
static void pack(struct original_work *work, struct slice text, struct buf *bytes, struct original *out)
{
        buf_init(bytes, 0);
        assert_ok(buf_append(bytes, "before", 6));
        assert_ok(original_pack(work, text, bytes, out));
        assert_int_equal(buf_len(bytes), 6 + out->bytes.len);
        out->bytes.data = buf_slice(bytes).data + 6;
}

static void unpacks_to(struct original_work *work, const struct original *original, struct slice expected)
{
        struct buf text;

        buf_init(&text, 0);
        assert_ok(buf_append(&text, "x", 1));
        assert_ok(original_unpack(work, original, &text));
        assert_true(slice_equal(slice_of(buf_slice(&text).data + 1, buf_len(&text) - 1), expected));
        buf_deinit(&text);
}

static void what_is_packed_comes_back(void **state)
{
        char noise[5000];
        uint64_t seed = 3;
        struct original packed;
        struct buf bytes;

        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (char)random_next(&seed);
        for (size_t len = 1; len < sizeof(noise); len = len * 3 / 2 + 1) {
                pack(*state, slice_of(noise, len), &bytes, &packed); /* noise gets no shorter */
                assert_int_equal(packed.coding, ORIGINAL_PLAIN);
                unpacks_to(*state, &packed, slice_of(noise, len));
                buf_deinit(&bytes);
        }
        pack(*state, slice_str(CONDITION), &bytes, &packed);
        unpacks_to(*state, &packed, slice_str(CONDITION));
        buf_deinit(&bytes);
}

static void a_resource_takes_a_third_of_its_text_at_most(void **state)
{
        struct original packed;
        struct buf bytes;

        pack(*state, slice_str(CONDITION), &bytes, &packed);
        assert_int_equal(packed.coding, ORIGINAL_DICTIONARY_1);
        assert_true(packed.bytes.len < strlen(CONDITION) / 3);
        buf_deinit(&bytes);
}

static void originals_are_equal_when_their_texts_are(void **state)
{
        struct original a;
        struct original b;
        const struct original none = {.coding = ORIGINAL_PLAIN};
        struct buf bytes[3];

        pack(*state, slice_str(CONDITION), &bytes[0], &a);
        pack(*state, slice_str(CONDITION), &bytes[1], &b);
        assert_true(original_equal(&a, &b));
        assert_false(original_equal(&a, &none));
        pack(*state, slice_str(CONDITION " "), &bytes[2], &b);
        assert_false(original_equal(&a, &b));
        for (size_t i = 0; i < 3; i++)
                buf_deinit(&bytes[i]);
}

/* Damage of any one byte is an error; none is a crash, or much memory. */
static void damage_is_an_error(void **state)
{
        struct original packed;
        struct original other;
        struct buf bytes;
        struct buf text;

        buf_init(&text, 0);
        pack(*state, slice_str(CONDITION), &bytes, &packed);
        for (size_t i = 0; i < packed.bytes.len; i++) {
                bytes.data[6 + i] ^= 0x55;
                assert_err(ERR_CORRUPT, original_unpack(*state, &packed, &text));
                assert_int_equal(buf_len(&text), 0);
                bytes.data[6 + i] ^= 0x55;
        }
        other = packed;
        other.whole_len = UINT32_MAX;
        assert_err(ERR_CORRUPT, original_unpack(*state, &other, &text));
        other = packed;
        other.coding = ORIGINAL_PLAIN;
        assert_err(ERR_CORRUPT, original_unpack(*state, &other, &text));
        other.coding = ORIGINAL_CODINGS;
        assert_err(ERR_VERSION, original_unpack(*state, &other, &text));
        assert_ok(original_unpack(*state, &packed, &text));
        buf_deinit(&text);
        buf_deinit(&bytes);
}

/* What is stored is read with the very bytes of this file. Should it be bettered: another file, another number. */
static void the_dictionary_never_changes(void **state)
{
        (void)state;
        assert_int_equal(original_dictionary_len, 11637);
        assert_true(hash64(slice_of(original_dictionary, original_dictionary_len), 0) == UINT64_C(0x58b386216042ca15));
}

/* There and back again, with working memory of its own. */
static enum err repack(void *context)
{
        const struct original_work *given = context;
        struct original_work work;
        struct original packed;
        struct buf bytes;
        struct buf text;
        enum err rc;

        buf_init(&bytes, 0);
        buf_init(&text, 0);
        original_work_init(&work, given->codec);
        rc = original_pack(&work, slice_str(CONDITION), &bytes, &packed);
        packed.bytes.data = buf_slice(&bytes).data;
        if (rc == OK)
                rc = original_unpack(&work, &packed, &text);
        original_work_deinit(&work);
        buf_deinit(&bytes);
        buf_deinit(&text);
        return rc;
}

static enum err create_anew(void *context)
{
        struct original_codec *codec;
        enum err rc = original_codec_create(&codec);

        (void)context;
        original_codec_destroy(&codec);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        each_allocation_fails(create_anew, NULL);
        each_allocation_fails(repack, *state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(what_is_packed_comes_back),
                TEST(a_resource_takes_a_third_of_its_text_at_most),
                TEST(originals_are_equal_when_their_texts_are),
                TEST(damage_is_an_error),
                TEST(the_dictionary_never_changes),
                TEST(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
