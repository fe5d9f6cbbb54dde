#include "cli/import_input.h"
#include "cli/import_look.h"
#include "tests/lib/test.h"

static void assert_looks(const char *text, enum import_format format, enum import_order order)
{
        struct import_look look;
        struct err_msg msg = {.text = ""};
        enum err rc = import_look(slice_str(text), "input", &look, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
        assert_int_equal(look.format, format);
        assert_int_equal(look.order, order);
}

static void content_says_what_an_input_is(void **state)
{
        (void)state;
        assert_looks("Id,BIRTHDATE,FIRST,LAST\n1,2,", IMPORT_FORMAT_CSV, IMPORT_ORDER_STUDENTS);
        assert_looks("\xef\xbb\xbf"
                     "id,birthdate,first,last",
                IMPORT_FORMAT_CSV, IMPORT_ORDER_STUDENTS);
        assert_looks("START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\r\n", IMPORT_FORMAT_CSV, IMPORT_ORDER_OTHERS);
        assert_looks("{\"resourceType\": \"Patient\"", IMPORT_FORMAT_JSON, IMPORT_ORDER_STUDENTS);
        assert_looks("\xef\xbb\xbf \n\t{ \"id\":\"1\",\n\"resourceType\" :\n\"Patient\"", IMPORT_FORMAT_JSON,
                IMPORT_ORDER_STUDENTS);
        assert_looks("{\"resourceType\":\"Condition\"}\n", IMPORT_FORMAT_JSON, IMPORT_ORDER_OTHERS);
        assert_looks("{\"resourceType\":\"Bundle\",", IMPORT_FORMAT_JSON, IMPORT_ORDER_MIXED);
        assert_looks("{\"table\":\"students\",\"row\":{", IMPORT_FORMAT_JSON, IMPORT_ORDER_STUDENTS);
        assert_looks("{\"table\":\"merges\",\"row\":{", IMPORT_FORMAT_JSON, IMPORT_ORDER_MERGES);
        assert_looks("{\"table\":\"visits\",\"row\":{", IMPORT_FORMAT_JSON, IMPORT_ORDER_OTHERS);
        assert_looks("[{\"resourceType\":\"Patient\"}", IMPORT_FORMAT_JSON, IMPORT_ORDER_MIXED);
        assert_looks("{\"resourceType\"", IMPORT_FORMAT_JSON, IMPORT_ORDER_MIXED);
        assert_looks("{\"reason\":\"date\",\"origin\":{}}", IMPORT_FORMAT_JSON, IMPORT_ORDER_MIXED);
}

#define BYTES(text)                                                                                                    \
        {                                                                                                              \
                text, sizeof(text) - 1                                                                                 \
        }

static void what_cannot_be_read_is_told_with_what_to_do(void **state)
{
        static const struct {
                struct {
                        const char *data;
                        size_t len;
                } bytes;
                enum err rc;
                const char *says;
        } cases[] = {
                {BYTES(""), ERR_NOTFOUND, "it is empty"},
                {BYTES("\xef\xbb\xbf \r\n"), ERR_NOTFOUND, "it is empty"},
                {BYTES("\xff\xfeI\0d\0"), ERR_BADVALUE, "it is UTF-16; save it as UTF-8: iconv"},
                {BYTES("\xfe\xff\0I\0d"), ERR_BADVALUE, "it is UTF-16"},
                {BYTES("I\0d\0,\0F\0I\0R\0S\0T\0"), ERR_BADVALUE, "it is UTF-16"},
                {BYTES("\0I\0d\0,\0F\0I\0R\0S\0T"), ERR_BADVALUE, "it is UTF-16"},
                {BYTES("PK\x03\x04\x14"), ERR_BADVALUE, "unpack it, or save it as CSV in UTF-8"},
                {BYTES("\x28\xb5\x2f\xfd"), ERR_BADVALUE, "unzstd FILE"},
                {BYTES("BZh91AY"), ERR_BADVALUE, "bunzip2 FILE"},
                {BYTES("\xfd"
                       "7zXZ\0"),
                        ERR_BADVALUE, "unxz FILE"},
                {BYTES("\x1f\x8b\x08"), ERR_BADVALUE, "compressed twice"},
                {BYTES("<?xml version=\"1.0\"?>"), ERR_BADVALUE, "export the records as FHIR JSON"},
                {BYTES("<html>"), ERR_NOTYPE, "it is XML or HTML"},
                {BYTES("%PDF-1.7"), ERR_NOTYPE, "it is a PDF"},
                {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), ERR_NOTYPE, "it is no text"},
                {BYTES("{\"transactionTime\":\"2026-01-01\",\"output\":[]}"), ERR_NOTYPE,
                        "JSON without FHIR resources"},
                {BYTES("ID;BIRTHDATE;FIRST\n1;2;3\n"), ERR_BADVALUE,
                        "its columns are separated by ';'; save it with commas"},
                {BYTES("ID\tBIRTHDATE\n"), ERR_BADVALUE, "its columns are separated by 'tab'"},
                {BYTES("I read this.\n"), ERR_NOTYPE, "its columns are not those of"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct import_look look;
                struct err_msg msg = {.text = ""};

                assert_err(cases[i].rc,
                        import_look(slice_of(cases[i].bytes.data, cases[i].bytes.len), "input", &look, &msg));
                if (strstr(msg.text, cases[i].says) == NULL)
                        assert_string_equal(msg.text, cases[i].says);
        }
}

/* A file that is passed over is one whose records are missed. */
static void a_nul_among_records_hides_none_of_them(void **state)
{
        static const char csv[] = "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2012,,1,e,1,Allergy to pea\0nut\n";
        static const char json[] = "{\"resourceType\":\"Condition\",\"id\":\"a\0b\"}\n";
        static const char zeros[64];
        struct import_look look;
        struct err_msg msg;

        (void)state;
        assert_ok(import_look(slice_of(csv, sizeof(csv) - 1), "x", &look, &msg));
        assert_int_equal(look.format, IMPORT_FORMAT_CSV);
        assert_ok(import_look(slice_of(json, sizeof(json) - 1), "x", &look, &msg));
        assert_int_equal(look.format, IMPORT_FORMAT_JSON);
        assert_err(ERR_NOTYPE, import_look(slice_of(zeros, sizeof(zeros)), "a/x.bin", &look, &msg));
        assert_string_equal(msg.text, "it is no text; CSV and FHIR JSON are read");
        assert_err(ERR_BADVALUE, import_look(slice_of(zeros, sizeof(zeros)), "a/allergies.CSV", &look, &msg));
        assert_string_equal(msg.text, "it is called a table, and is no text; get the file again");
        assert_err(ERR_BADVALUE, import_look(slice_of(zeros, sizeof(zeros)), "a.ndjson.gz", &look, &msg));
}

static void a_tar_archive_is_found_by_its_mark(void **state)
{
        char head[512] = "patients.csv";
        struct import_look look;
        struct err_msg msg;

        (void)state;
        memcpy(head + 257, "ustar", 5);
        assert_err(ERR_BADVALUE, import_look(slice_of(head, sizeof(head)), "input", &look, &msg));
        assert_string_equal(msg.text, "it is a tar archive; unpack it first: tar -xf FILE");
}

static void what_goes_on_behind_the_first_bytes_may_hold_anything(void **state)
{
        struct import_look look;
        char *text = test_malloc(INPUT_FIRST_BYTES);

        (void)state;
        memset(text, ' ', INPUT_FIRST_BYTES);
        text[0] = '[';
        assert_ok(import_look(slice_of(text, INPUT_FIRST_BYTES), "input", &look, NULL));
        assert_int_equal(look.order, IMPORT_ORDER_MIXED);
        assert_err(ERR_NOTYPE, import_look(slice_of(text, INPUT_FIRST_BYTES - 1), "input", &look, NULL));
        test_free(text);
}

static void no_bytes_are_read_past_the_end(void **state)
{
        static const char text[] = "{\"resourceType\":\"Patient\",\"table\":\"x\"}";

        (void)state;
        for (size_t len = 1; len < sizeof(text); len++) {
                struct import_look look;
                char *part = test_malloc(len); /* its end is guarded */
                bool has_mark = len >= strlen("{\"resourceType\"");

                memcpy(part, text, len);
                assert_err(has_mark ? OK : ERR_NOTYPE, import_look(slice_of(part, len), "input", &look, NULL));
                test_free(part);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(content_says_what_an_input_is),
                cmocka_unit_test(what_cannot_be_read_is_told_with_what_to_do),
                cmocka_unit_test(a_nul_among_records_hides_none_of_them),
                cmocka_unit_test(a_tar_archive_is_found_by_its_mark),
                cmocka_unit_test(what_goes_on_behind_the_first_bytes_may_hold_anything),
                cmocka_unit_test(no_bytes_are_read_past_the_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
