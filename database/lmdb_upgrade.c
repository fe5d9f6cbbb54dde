#include "database/lmdb_upgrade.h"

#include "base/hash.h"
#include "database/lmdb_image.h"
#include "database/lmdb_parts.h"
#include "database/lmdb_upgrade_rows.h"
#include "database/value.h"

/* ---- what there is to do ---- */

static enum err check_schema(const struct record_table *table, uint64_t stored, struct err_msg *msg)
{
        if (stored > table->schema)
                return err_set(msg, ERR_VERSION,
                        "its table %s is of schema %llu, and the configuration has %u: use the configuration of the "
                        "release that wrote it, or a newer one",
                        table->name, (unsigned long long)stored, table->schema);
        if (stored != 0 && stored + 1 < table->schema)
                return err_set(msg, ERR_VERSION,
                        "its table %s is of schema %llu, and the configuration has %u: upgrade it with a release of "
                        "schema %llu first",
                        table->name, (unsigned long long)stored, table->schema, (unsigned long long)stored + 1);
        return OK;
}

static enum err check_schemas(
        const struct lmdb_image_facts *facts, const struct lmdb_schema *schema, struct err_msg *msg)
{
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < schema->table_count; i++)
                rc = check_schema(schema->tables[i], lmdb_image_facts_schema(facts, schema->tables[i]->name), msg);
        return rc;
}

static enum err check_format(const struct lmdb_image_facts *facts, struct err_msg *msg)
{
        if (facts->format >= 1 && facts->format <= LMDB_FORMAT)
                return OK;
        return err_set(msg, ERR_VERSION,
                "it is of format %llu; this release knows formats 1 to %d; use the one that "
                "wrote it",
                (unsigned long long)facts->format, LMDB_FORMAT);
}

struct count {
        const struct lmdb_schema *schema;
        uint64_t older;
};

static enum err count_part(void *context, MDB_txn *txn, MDB_dbi part, const char *name)
{
        struct count *count = context;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        int rc;

        if (strcmp(name, "records") != 0)
                return OK;
        rc = mdb_cursor_open(txn, part, &cursor);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                count->older += lmdb_upgrade_rows_older(count->schema, lmdb_slice(key), lmdb_slice(value));
        mdb_cursor_close(cursor);
        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

static enum err count_older(const char *folder, struct count *count)
{
        MDB_env *mdb;
        MDB_txn *txn;
        enum err rc = lmdb_parts_open(&mdb, folder, MDB_RDONLY | MDB_NOLOCK, 0);

        if (rc == OK)
                rc = lmdb_err(mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn));
        if (rc == OK) {
                rc = lmdb_parts_visit(txn, count_part, count);
                mdb_txn_abort(txn);
        }
        lmdb_parts_close(&mdb);
        return rc;
}

static enum err survey(const char *folder, const struct lmdb_schema *schema, const struct lmdb_image_facts *facts,
        struct lmdb_upgrade_survey *out, struct err_msg *msg)
{
        struct count count = {.schema = schema};
        enum err rc = check_format(facts, msg);

        if (rc == OK)
                rc = check_schemas(facts, schema, msg);
        if (rc != OK)
                return err_wrap(msg, rc, "the database in %s", folder);
        if (facts->format == LMDB_FORMAT)
                rc = count_older(folder, &count);
        else
                count.older = facts->records; /* all are written anew */
        *out = (struct lmdb_upgrade_survey){
                .format = facts->format,
                .position = facts->position,
                .students = facts->students,
                .records = facts->records,
                .older = count.older,
                .schemas = hash64(buf_slice(&facts->schemas), 0),
                .needed = facts->format < LMDB_FORMAT || count.older > 0,
        };
        return rc == OK ? OK : err_set(msg, rc, "the database in %s cannot be read: %s", folder, err_text(rc));
}

enum err lmdb_upgrade_look(
        const char *folder, const struct lmdb_schema *schema, struct lmdb_upgrade_survey *out, struct err_msg *msg)
{
        struct lmdb_image_facts facts;
        enum err rc;

        lmdb_image_facts_init(&facts);
        rc = lmdb_image_look(folder, &facts, msg);
        if (rc == OK)
                rc = survey(folder, schema, &facts, out, msg);
        lmdb_image_facts_deinit(&facts);
        return rc;
}
