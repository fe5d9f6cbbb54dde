#include "database/lmdb_image_facts.h"

#include "database/lmdb_meta.h"
#include "database/value.h"

void lmdb_image_facts_init(struct lmdb_image_facts *facts)
{
        *facts = (struct lmdb_image_facts){.format = 0};
        buf_init(&facts->schemas, 0);
}

void lmdb_image_facts_deinit(struct lmdb_image_facts *facts)
{
        buf_deinit(&facts->schemas);
}

struct schemas {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        struct buf *out;
        uint32_t count;
};

static enum err put_schema(void *context, const char *table)
{
        struct schemas *schemas = context;
        uint64_t number;
        enum err rc = lmdb_meta_schema(schemas->txn, schemas->dbs, table, &number);

        if (rc == OK && number > UINT32_MAX)
                rc = ERR_CORRUPT;
        if (rc == OK)
                rc = value_put_str(schemas->out, table);
        schemas->count++;
        return rc == OK ? value_put_int(schemas->out, (int64_t)number) : rc;
}

static enum err read_schemas(MDB_txn *txn, const struct lmdb_dbs *dbs, struct buf *out)
{
        struct schemas schemas = {.txn = txn, .dbs = dbs, .out = out};
        size_t mark;
        enum err rc;

        buf_truncate(out, 0);
        rc = value_open_map(out, &mark);
        if (rc != OK)
                return rc;
        rc = lmdb_meta_tables(txn, dbs, put_schema, &schemas);
        value_close(out, mark, schemas.count);
        return rc;
}

/* Format 1 had an entry for each record and nothing else among them. */
static enum err count_records(MDB_txn *txn, const struct lmdb_dbs *dbs, struct lmdb_image_facts *out)
{
        MDB_dbi records;
        MDB_stat stat;
        int rc;

        if (out->format > 1)
                return lmdb_meta_get(txn, dbs, LMDB_META_RECORDS, &out->records);
        rc = mdb_dbi_open(txn, "records", 0, &records);
        if (rc == MDB_SUCCESS)
                rc = mdb_stat(txn, records, &stat);
        out->records = rc == MDB_SUCCESS ? stat.ms_entries : 0;
        return lmdb_err(rc);
}

uint64_t lmdb_image_facts_schema(const struct lmdb_image_facts *facts, const char *table)
{
        struct slice item;
        struct value number;

        if (!value_member(buf_slice(&facts->schemas), table, &item) || !value_of(item, &number))
                return 0;
        return number.kind == VALUE_INT ? (uint64_t)number.as.integer : 0;
}

enum err lmdb_image_facts_read(MDB_txn *txn, struct lmdb_image_facts *out)
{
        struct lmdb_dbs dbs = {.meta = 0};
        enum err rc = lmdb_err(mdb_dbi_open(txn, "meta", 0, &dbs.meta));

        if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT) /* a database of somebody else */
                return ERR_VERSION;
        if (rc == OK)
                rc = lmdb_meta_get(txn, &dbs, LMDB_META_FORMAT, &out->format);
        if (rc == OK)
                rc = count_records(txn, &dbs, out);
        if (rc == OK)
                rc = lmdb_meta_get(txn, &dbs, LMDB_META_PAST, &dbs.past);
        if (rc == OK)
                rc = lmdb_meta_get(txn, &dbs, LMDB_META_STUDENTS, &out->students);
        if (rc == OK)
                rc = read_schemas(txn, &dbs, &out->schemas);
        out->position = lmdb_position(&dbs, mdb_txn_id(txn)).n;
        return rc;
}
