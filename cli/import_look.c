#include "cli/import_look.h"

#include "base/cursor.h"
#include "cli/import_input.h"
#include "import/import_csv.h"

/* ---- what cannot be read ---- */

/* What formats begin with. With ERR_BADVALUE there may be records within. */
static const struct magic {
        size_t at;
        const char *bytes;
        size_t len;
        enum err rc;
        const char *problem;
} MAGICS[] = {
        {0, "\xff\xfe", 2, ERR_BADVALUE, "it is UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW"},
        {0, "\xfe\xff", 2, ERR_BADVALUE, "it is UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW"},
        {0, "\x1f\x8b", 2, ERR_BADVALUE, "it is compressed twice; unpack it once: gunzip FILE"},
        {0, "PK\x03\x04", 4, ERR_BADVALUE,
                "it is a zip archive or a spreadsheet; unpack it, or save it as CSV in UTF-8"},
        {0, "\x28\xb5\x2f\xfd", 4, ERR_BADVALUE, "it is compressed (zstd); unpack it first: unzstd FILE"},
        {0, "BZh", 3, ERR_BADVALUE, "it is compressed (bzip2); unpack it first: bunzip2 FILE"},
        {0,
                "\xfd"
                "7zXZ",
                5, ERR_BADVALUE, "it is compressed (xz); unpack it first: unxz FILE"},
        {0, "\x1f\x9d", 2, ERR_BADVALUE, "it is compressed (compress); unpack it first: gunzip FILE"},
        {0, "7z\xbc\xaf\x27\x1c", 6, ERR_BADVALUE, "it is a 7z archive; unpack it first: 7z x FILE"},
        {257, "ustar", 5, ERR_BADVALUE, "it is a tar archive; unpack it first: tar -xf FILE"},
        {0, "\xd0\xcf\x11\xe0", 4, ERR_BADVALUE, "it is a spreadsheet or a document; save its tables as CSV in UTF-8"},
        {0, "PAR1", 4, ERR_BADVALUE, "it is Parquet; export the tables as CSV"},
        {0, "SQLite format 3", 15, ERR_BADVALUE, "it is an SQLite database; export its tables as CSV"},
        {0, "<?xml", 5, ERR_BADVALUE, "it is XML; export the records as FHIR JSON, or as CSV"},
        {0, "<", 1, ERR_NOTYPE, "it is XML or HTML; CSV and FHIR JSON are read"},
        {0, "%PDF", 4, ERR_NOTYPE, "it is a PDF; CSV and FHIR JSON are read"},
};

static bool begins_as(struct slice first, const struct magic *magic)
{
        return first.len >= magic->at + magic->len && memcmp(first.data + magic->at, magic->bytes, magic->len) == 0;
}

/* UTF-16 without a mark: ASCII in it has a NUL in every second byte. */
static bool is_bare_utf16(struct slice first)
{
        enum { LOOK = 16 };

        if (first.len < LOOK)
                return false;
        for (size_t i = 0; i + 3 < LOOK; i += 2)
                if ((first.data[i] == 0) != (first.data[i + 2] == 0) ||
                        (first.data[i + 1] == 0) == (first.data[i] == 0))
                        return false;
        return true;
}

static enum err check_text(struct slice first, struct err_msg *msg)
{
        if (first.len == 0)
                return err_set(msg, ERR_NOTFOUND, "it is empty");
        for (size_t i = 0; i < sizeof(MAGICS) / sizeof(MAGICS[0]); i++)
                if (begins_as(first, &MAGICS[i]))
                        return err_set(msg, MAGICS[i].rc, "%s", MAGICS[i].problem);
        if (is_bare_utf16(first))
                return err_set(msg, ERR_BADVALUE, "%s", MAGICS[0].problem);
        return OK;
}

/* What has a NUL is no text: an image, a program. Not so if it is called as tables are: zeros are what a crash leaves
 * of a file, and nobody shall think that its records are in. */
static enum err no_text(const char *path, struct err_msg *msg)
{
        static const char *const ends[] = {".csv", ".json", ".ndjson", ".csv.gz", ".json.gz", ".ndjson.gz"};
        size_t len = strlen(path);

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
                if (len > strlen(ends[i]) && strcasecmp(path + len - strlen(ends[i]), ends[i]) == 0)
                        return err_set(msg, ERR_BADVALUE, "it is called a table, and is no text; get the file again");
        return err_set(msg, ERR_NOTYPE, "it is no text; CSV and FHIR JSON are read");
}

/* ---- JSON ---- */

/* Without the byte order mark and white space before the first character. */
static struct slice skip_space(struct slice text)
{
        static const char mark[] = {'\xef', '\xbb', '\xbf'};
        size_t at = text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;

        while (at < text.len && (text.data[at] == ' ' || (text.data[at] >= '\t' && text.data[at] <= '\r')))
                at++;
        return slice_of(text.data + at, text.len - at);
}

/* The text that the first member `name` in these bytes has for its value; false when there is none such. */
static bool find_member(struct slice text, const char *name, struct slice *value)
{
        const uint8_t *found = memmem(text.data, text.len, name, strlen(name));
        struct cursor at;
        struct slice space;

        if (found == NULL)
                return false;
        at = cursor_of(slice_of(found, text.len - (size_t)(found - text.data)));
        return cursor_take(&at, strlen(name), &space) && cursor_until(&at, ':', &space) &&
               cursor_until(&at, '"', &space) && cursor_until(&at, '"', value);
}

static bool has_nul(struct slice first)
{
        enum { LOOK = 1000 };

        return memchr(first.data, '\0', first.len < LOOK ? first.len : LOOK) != NULL;
}

/* Whether any value in it could be one that is kept. Of a text that goes on behind these bytes nobody knows. */
static bool may_be_records(struct slice first)
{
        static const char *const marks[] = {"\"resourceType\"", "\"table\"", "\"origin\""};

        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if (memmem(first.data, first.len, marks[i], strlen(marks[i])) != NULL)
                        return true;
        return first.len >= INPUT_FIRST_BYTES && !has_nul(first);
}

/* A guess, from what stands first: it decides nothing but the order. */
static enum import_order json_order(struct slice text)
{
        struct slice word;

        if (text.data[0] == '{' && find_member(text, "\"resourceType\"", &word)) {
                if (slice_equal(word, slice_str("Patient")))
                        return IMPORT_ORDER_STUDENTS;
                return slice_equal(word, slice_str("Bundle")) ? IMPORT_ORDER_MIXED : IMPORT_ORDER_OTHERS;
        }
        if (text.data[0] == '{' && find_member(text, "\"table\"", &word)) {
                if (slice_equal(word, slice_str("students")))
                        return IMPORT_ORDER_STUDENTS;
                return slice_equal(word, slice_str("merges")) ? IMPORT_ORDER_MERGES : IMPORT_ORDER_OTHERS;
        }
        return IMPORT_ORDER_MIXED;
}

/* ---- CSV ---- */

static enum err csv_order(struct slice first, const char *path, enum import_order *order, struct err_msg *msg)
{
        const struct import_csv_file file = {.path = path, .first = first};
        enum import_kind kind;
        enum err rc = import_csv_look(&file, &kind, msg);

        *order = kind == IMPORT_students ? IMPORT_ORDER_STUDENTS : IMPORT_ORDER_OTHERS;
        return rc;
}

/* What a text holds, or what else it may be. */
static enum err look_into(struct slice first, const char *path, struct import_look *out, struct err_msg *msg)
{
        struct slice text = skip_space(first);

        if (text.len == 0)
                return err_set(msg, ERR_NOTFOUND, "it is empty");
        if (text.data[0] == '{' || text.data[0] == '[') {
                if (!may_be_records(first))
                        return err_set(msg, ERR_NOTYPE, "it is JSON without FHIR resources");
                *out = (struct import_look){.format = IMPORT_FORMAT_JSON, .order = json_order(text)};
                return OK;
        }
        out->format = IMPORT_FORMAT_CSV;
        return csv_order(first, path, &out->order, msg);
}

enum err import_look(struct slice first, const char *path, struct import_look *out, struct err_msg *msg)
{
        enum err rc = check_text(first, msg);

        if (rc != OK)
                return rc;
        rc = look_into(first, path, out, msg);
        if (rc == ERR_NOMEM || rc == OK || !has_nul(first)) /* a NUL among records costs its own record only */
                return rc;
        return no_text(path, msg);
}
