#include "tests/lib/school.h"

#include "base/hash.h"
#include "database/record.h"
#include "tests/lib/values.h"

#include <pthread.h>
#include <stdlib.h>

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

static const char *const SEVERITIES[] = {"UNKNOWN", "MILD", "MODERATE", "SEVERE", NULL};
static const char *const STATUSES[] = {"inactive", "active", NULL};

static const struct record_field STUDENT_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"name", FIELD_TEXT, true, NULL, NULL, 0},
};
static const struct record_field ALLERGY_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"code", FIELD_TEXT, true, NULL, NULL, 0},
        {"severity", FIELD_WORD, true, SEVERITIES, NULL, 0},
        {"status", FIELD_WORD, false, STATUSES, NULL, 0},
};
static const struct record_field VISIT_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"date", FIELD_INSTANT, false, NULL, NULL, 0},
};

const struct record_table SCHOOL_STUDENTS = {
        .name = "students", .schema = 1, .fields = STUDENT_FIELDS, .field_count = COUNT(STUDENT_FIELDS)};
const struct record_table SCHOOL_ALLERGIES = {.name = "allergies",
        .index = 1,
        .schema = 1,
        .fields = ALLERGY_FIELDS,
        .field_count = COUNT(ALLERGY_FIELDS),
        .severity_field = "severity",
        .status_field = "status"};
const struct record_table SCHOOL_VISITS = {.name = "visits",
        .index = 2,
        .schema = 1,
        .fields = VISIT_FIELDS,
        .field_count = COUNT(VISIT_FIELDS),
        .activity_field = "date"};
static const struct record_table *const TABLES[] = {&SCHOOL_STUDENTS, &SCHOOL_ALLERGIES, &SCHOOL_VISITS};

static const struct record_table *const ALLERGY_READS[] = {&SCHOOL_ALLERGIES, &SCHOOL_STUDENTS};
static const struct record_table *const VISIT_READS[] = {&SCHOOL_VISITS, &SCHOOL_STUDENTS};

const struct record_type SCHOOL_STUDENT = {
        .name = "student", .shape = RECORD_ONE, .table = &SCHOOL_STUDENTS, .reads = TABLES, .read_count = 1};
const struct record_type SCHOOL_ALLERGY_LIST = {.name = "allergies",
        .index = 1,
        .shape = RECORD_LIST,
        .table = &SCHOOL_ALLERGIES,
        .reads = ALLERGY_READS,
        .read_count = COUNT(ALLERGY_READS)};
const struct record_type SCHOOL_VISIT_LIST = {.name = "visits",
        .index = 2,
        .shape = RECORD_LIST,
        .table = &SCHOOL_VISITS,
        .order = {&VISIT_FIELDS[1]},
        .order_count = 1,
        .reads = VISIT_READS,
        .read_count = COUNT(VISIT_READS)};
static const struct record_test IS_ACTIVE = {TEST_TEXT, {(const uint8_t *)"active", 6}};
static const struct record_filter ACTIVE = {.field = "status", .index = 3, .tests = &IS_ACTIVE, .test_count = 1};
static const struct record_part PARTS[] = {
        {.name = "student", .type = &SCHOOL_STUDENT},
        {.name = "allergies", .type = &SCHOOL_ALLERGY_LIST, .where = {&ACTIVE, 1}},
        {.name = "visits", .type = &SCHOOL_VISIT_LIST, .limit = 2},
};
const struct record_type SCHOOL_SUMMARY = {.name = "summary",
        .index = 3,
        .shape = RECORD_COMPOSITE,
        .parts = PARTS,
        .part_count = COUNT(PARTS),
        .reads = TABLES,
        .read_count = COUNT(TABLES)};

struct lmdb_config school_config(const char *path)
{
        return (struct lmdb_config){
                .path = path,
                .map_size = 1 << 20,
                .map_size_max = UINT64_C(1) << 30,
                .max_readers = 16,
                .batch_max = 64,
                .schema = {TABLES, COUNT(TABLES), &SCHOOL_STUDENTS, ID_KIND_TEXT, NULL},
        };
}

struct source *school_open(const struct lmdb_config *config)
{
        struct err_msg msg = {.text = ""};
        struct source *source = NULL;
        enum err rc = lmdb_source_open(&source, config, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
        return source;
}

/* ---- writes ---- */

struct wait {
        pthread_mutex_t lock;
        pthread_cond_t done;
        bool is_done;
};

static void write_done(struct source_write *write)
{
        struct wait *wait = write->context;

        (void)pthread_mutex_lock(&wait->lock);
        wait->is_done = true;
        (void)pthread_cond_signal(&wait->done);
        (void)pthread_mutex_unlock(&wait->lock);
}

/* Applies the write and waits until it is done; returns its status. */
enum err school_apply(struct source *source, struct source_write *write)
{
        struct wait wait = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

        write->done = write_done;
        write->context = &wait;
        source_apply(source, write);
        (void)pthread_mutex_lock(&wait.lock);
        while (!wait.is_done)
                (void)pthread_cond_wait(&wait.done, &wait.lock);
        (void)pthread_mutex_unlock(&wait.lock);
        return write->status;
}

/* PUT of a JSON value; the other fields of *write are the caller's. */
enum err school_put(struct source *source, struct source_write *write, const char *json)
{
        struct record_put put = {.type = write->type, .id = write->id, .random = random_bytes};
        struct buf raw;
        struct buf normal;
        enum err rc;

        buf_init(&raw, 0);
        buf_init(&normal, 0);
        append_json(&raw, json);
        put.value = buf_slice(&raw);
        assert_ok(record_normalise(&put, &normal, NULL));
        write->kind = WRITE_PUT;
        write->value = buf_slice(&normal);
        rc = school_apply(source, write);
        buf_deinit(&raw);
        buf_deinit(&normal);
        return rc;
}

void school_must_put(struct source *source, const struct record_type *type, const char *student, const char *json)
{
        struct source_write write = {.type = type, .id = slice_str(student)};

        assert_ok(school_put(source, &write, json));
}

/* IMPORT of JSON rows. */
enum err school_import(
        struct source *source, struct source_write *write, const struct record_table *table, const char *json)
{
        struct buf rows;
        enum err rc;

        buf_init(&rows, 0);
        append_json(&rows, json);
        *write = (struct source_write){.kind = WRITE_IMPORT, .table = table, .value = buf_slice(&rows)};
        rc = school_apply(source, write);
        buf_deinit(&rows);
        return rc;
}

/* ---- reads ---- */

static void read_done(struct source_read *read)
{
        *(bool *)read->context = true;
}

/* Reads one key; the caller frees out->value. */
enum err school_read(
        struct source *source, const struct record_type *type, struct slice student, struct source_read *out)
{
        struct list batch;
        bool is_done = false;

        *out = (struct source_read){.type = type, .id = student, .done = read_done, .context = &is_done};
        buf_init(&out->value, 0);
        list_init(&batch);
        list_push_back(&batch, &out->link);
        source_fetch_many(&(struct source_port){source}, &batch);
        assert_true(is_done);
        return out->status;
}

/* Fails unless the key's value is, in JSON, `expected`; NULL: no such student. */
void school_expect(struct source *source, const struct record_type *type, const char *student, const char *expected)
{
        struct source_read read;

        assert_ok(school_read(source, type, slice_str(student), &read));
        assert_int_equal(read.found, expected != NULL);
        if (expected != NULL)
                assert_value_is(buf_slice(&read.value), expected);
        buf_deinit(&read.value);
}

/* The deep check finds nothing wrong. */
struct source_health school_sound(struct source *source)
{
        struct source_health health;
        struct err_msg msg = {.text = ""};
        enum err rc = source->ops->health(source, true, &health, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
        assert_int_equal(health.damaged, 0);
        return health;
}

void school_end(struct source **source, const char *path)
{
        (void)school_sound(*source);
        (*source)->ops->close(source);
        temp_dir_remove(path);
}

/* ---- an environment alone ---- */

int school_env_setup(void **state)
{
        struct school_env *s = calloc(1, sizeof(*s));
        struct lmdb_env_config config;
        bool suspected;

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->schema = school_config(s->path).schema;
        config = (struct lmdb_env_config){s->path, SCHOOL_MAP_SIZE, 16 * SCHOOL_MAP_SIZE, 8, &s->schema};
        assert_ok(lmdb_env_open(&s->env, &config, &suspected, NULL));
        *state = s;
        return 0;
}

int school_env_teardown(void **state)
{
        struct school_env *s = *state;

        lmdb_env_close(&s->env);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}
