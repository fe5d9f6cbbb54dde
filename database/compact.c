#include "database/compact.h"

#include "database/lmdb_image.h"
#include "database/lmdb_meta.h"
#include "database/lmdb_rebuild.h"
#include "database/lmdb_swap.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static uint64_t size_of(const char *folder)
{
        char path[PATH_MAX];
        struct stat info;

        (void)snprintf(path, sizeof(path), "%s/" LMDB_DATA_NAME, folder);
        return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* Checking the copy notes the configuration's schema numbers in it, and none goes back: with another configuration than
 * the server's, the server would refuse the database from then on. */
static enum err check_schemas(
        const struct lmdb_image_facts *facts, const struct lmdb_schema *schema, struct err_msg *msg)
{
        for (uint32_t i = 0; i < schema->table_count; i++) {
                const struct record_table *table = schema->tables[i];
                uint64_t stored = lmdb_image_facts_schema(facts, table->name);

                if (stored != 0 && stored != table->schema)
                        return err_set(msg, ERR_VERSION,
                                "its table %s is of schema %llu, and the configuration has %u: give the server's "
                                "--config or, if a new release brought it, start the server once before",
                                table->name, (unsigned long long)stored, table->schema);
        }
        return OK;
}

/* Before the work, and with the folder's own name: the copy would be refused as well. */
static enum err look(const char *folder, const struct lmdb_schema *schema, struct err_msg *msg)
{
        struct lmdb_image_facts facts;
        enum err rc;

        lmdb_image_facts_init(&facts);
        rc = lmdb_image_look(folder, &facts, msg);
        if (rc == OK) {
                rc = lmdb_meta_judge_format(facts.format, folder, msg);
                if (rc == OK)
                        rc = check_schemas(&facts, schema, msg);
                if (rc != OK)
                        (void)err_wrap(msg, rc, "the database in %s", folder);
        }
        lmdb_image_facts_deinit(&facts);
        return rc;
}

enum err compact_run(const struct lmdb_config *config, struct compact_result *result, struct err_msg *msg)
{
        const struct lmdb_swap_config swap_config = {.folder = config->path, .work = "compact.tmp"};
        struct lmdb_swap *swap;
        enum err rc = lmdb_swap_open(&swap, &swap_config, msg);

        *result = (struct compact_result){.bytes_before = size_of(config->path)};
        if (rc != OK)
                return rc;
        rc = look(config->path, &config->schema, msg);
        if (rc == OK)
                rc = lmdb_rebuild(config->path, lmdb_swap_work(swap), NULL, msg);
        if (rc == OK) {
                rc = lmdb_swap_check(swap, config, &result->health, msg);
                if (rc != OK)
                        (void)err_wrap(msg, rc, "the compacted copy");
        }
        if (rc == OK)
                rc = lmdb_swap_finish(swap, NULL, msg);
        lmdb_swap_close(&swap);
        result->bytes_after = size_of(config->path);
        return rc;
}
