#include "tests/lib/format1.h"

#include "base/mem.h"
#include "database/value_json.h"

#include <lmdb.h>
#include <xxhash.h>

#include <stdio.h>
#include <stdlib.h>

enum { PART_MAX = 64, HASHED = 0xff, KEY_MAX = 511, COMMIT_RECORDS = 10000, TABLES_MAX = 16 };

struct format1 {
        MDB_env *mdb;
        MDB_txn *txn;
        MDB_dbi meta;
        MDB_dbi records;
        MDB_dbi versions;
        uint32_t schema;
        uint64_t students;
        uint64_t count;
        char tables[TABLES_MAX][PART_MAX];
        size_t table_count;
};

static void must(int rc)
{
        if (rc == MDB_SUCCESS)
                return;
        (void)fprintf(stderr, "format1: %s\n", mdb_strerror(rc));
        abort();
}

static void put_u64(uint8_t *out, uint64_t n, size_t bytes)
{
        for (size_t i = bytes; i-- > 0; n >>= 8)
                out[i] = (uint8_t)n;
}

static MDB_val val(const void *data, size_t len)
{
        return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)data};
}

static void begin(struct format1 *f)
{
        must(mdb_txn_begin(f->mdb, NULL, 0, &f->txn));
        must(mdb_dbi_open(f->txn, "meta", MDB_CREATE, &f->meta));
        must(mdb_dbi_open(f->txn, "records", MDB_CREATE, &f->records));
        must(mdb_dbi_open(f->txn, "versions", MDB_CREATE, &f->versions));
}

struct format1 *format1_create(const char *folder, uint32_t schema)
{
        struct format1 *f = vc_calloc(1, sizeof(*f));

        if (f == NULL)
                abort();
        f->schema = schema;
        must(mdb_env_create(&f->mdb));
        must(mdb_env_set_maxdbs(f->mdb, 5));
        must(mdb_env_set_mapsize(f->mdb, (size_t)1 << 30));
        must(mdb_env_open(f->mdb, folder, MDB_NOSYNC | MDB_NOLOCK, 0600));
        begin(f);
        return f;
}

/* ---- keys and values, as the first release built them ---- */

static size_t put_bytes(uint8_t *key, size_t at, const void *data, size_t len)
{
        if (len > 0)
                memcpy(key + at, data, len);
        return at + len;
}

static size_t put_part(uint8_t *key, size_t at, struct slice id)
{
        XXH128_canonical_t canonical;

        if (id.len <= PART_MAX)
                return put_bytes(key, at, id.data, id.len);
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(id.data, id.len));
        key[at] = HASHED;
        return put_bytes(key, at + 1, canonical.digest, sizeof(canonical.digest));
}

static size_t put_part16(uint8_t *key, size_t at, struct slice id)
{
        size_t end = put_part(key, at + 2, id);

        put_u64(key + at, end - at - 2, 2);
        return end;
}

/* The record's map: the row without its student. */
static void put_map(struct buf *out, struct slice row)
{
        struct value_iter iter;
        struct slice name;
        struct slice item;
        size_t mark;
        uint32_t count = 0;

        if (!value_iter_init(&iter, row, VALUE_MAP) || value_open_map(out, &mark) != OK)
                abort();
        while (value_next_member(&iter, &name, &item)) {
                if (slice_equal(name, slice_str("student")))
                        continue;
                if (value_put_text(out, name) != OK || buf_append_slice(out, item) != OK)
                        abort();
                count++;
        }
        value_close(out, mark, count);
}

static void put_record(struct format1 *f, struct slice key, struct slice student, struct slice row)
{
        uint8_t head[1 + 4 + 8 + 2] = {1};
        struct slice full = student.len > PART_MAX ? student : SLICE_EMPTY;
        struct buf stored;
        MDB_val at = val(key.data, key.len);
        MDB_val value;

        put_u64(head + 1, f->schema, 4);
        put_u64(head + 5, mdb_txn_id(f->txn), 8);
        put_u64(head + 13, full.len, 2);
        buf_init(&stored, 0);
        if (buf_append(&stored, head, sizeof(head)) != OK || buf_append_slice(&stored, full) != OK)
                abort();
        put_map(&stored, row);
        value = val(stored.data, buf_len(&stored));
        must(mdb_put(f->txn, f->records, &at, &value, 0));
        buf_deinit(&stored);
}

static void put_version(struct format1 *f, struct slice key)
{
        uint8_t number[8];
        MDB_val at = val(key.data, key.len);
        MDB_val value = val(number, sizeof(number));

        put_u64(number, mdb_txn_id(f->txn), sizeof(number));
        must(mdb_put(f->txn, f->versions, &at, &value, 0));
}

static void know_table(struct format1 *f, const char *table)
{
        for (size_t i = 0; i < f->table_count; i++)
                if (strcmp(f->tables[i], table) == 0)
                        return;
        if (f->table_count == TABLES_MAX)
                abort();
        (void)snprintf(f->tables[f->table_count++], PART_MAX, "%s", table);
}

static void put_row(struct format1 *f, const char *table, struct slice row)
{
        uint8_t key[KEY_MAX];
        uint8_t table_len = (uint8_t)strlen(table);
        struct slice student;
        struct slice id;
        size_t run;
        size_t len;

        if (!value_member_text(row, "student", &student) || !value_member_text(row, "id", &id))
                abort();
        know_table(f, table);
        len = put_part16(key, 0, SLICE_EMPTY);
        len = put_bytes(key, len, &table_len, 1);
        len = put_bytes(key, len, table, table_len);
        run = put_part16(key, len, student);
        put_version(f, slice_of(key, run));
        put_record(f, slice_of(key, put_part(key, run, id)), student, row);
        f->students += strcmp(table, "students") == 0;
        f->count++;
        if (f->count % COMMIT_RECORDS == 0) {
                must(mdb_txn_commit(f->txn));
                begin(f);
        }
}

void format1_put(struct format1 *f, const char *table, struct slice row)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct buf value;
        struct err_msg msg;

        buf_init(&value, 0);
        if (value_from_json(row, &limits, &value, &msg) != OK) {
                (void)fprintf(stderr, "format1: %s\n", msg.text);
                abort();
        }
        put_row(f, table, buf_slice(&value));
        buf_deinit(&value);
}

static void put_number(struct format1 *f, const char *name, uint64_t number)
{
        uint8_t bytes[8];
        MDB_val key = val(name, strlen(name));
        MDB_val value = val(bytes, sizeof(bytes));

        put_u64(bytes, number, sizeof(bytes));
        must(mdb_put(f->txn, f->meta, &key, &value, 0));
}

uint64_t format1_finish(struct format1 **format1)
{
        struct format1 *f = *format1;
        uint64_t count = f->count;
        char name[PART_MAX + 16];

        put_number(f, "format", 1);
        put_number(f, "students", f->students);
        put_number(f, "touches", 7);
        put_number(f, "indexed as", 12345);
        for (size_t i = 0; i < f->table_count; i++) {
                (void)snprintf(name, sizeof(name), "schema/%s", f->tables[i]);
                put_number(f, name, f->schema);
        }
        must(mdb_txn_commit(f->txn));
        mdb_env_close(f->mdb);
        vc_free(f);
        *format1 = NULL;
        return count;
}
