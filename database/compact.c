#include "database/compact.h"

#include "database/lmdb_image.h"
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

enum err compact_run(const struct lmdb_config *config, struct compact_result *result, struct err_msg *msg)
{
        const struct lmdb_swap_config swap_config = {.folder = config->path, .work = "compact.tmp"};
        struct lmdb_swap *swap;
        enum err rc = lmdb_swap_open(&swap, &swap_config, msg);

        *result = (struct compact_result){.bytes_before = size_of(config->path)};
        if (rc != OK)
                return rc;
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
