#include "database/restore.h"

#include "database/lmdb_meta.h"
#include "database/lmdb_swap.h"

#include <stdio.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

void restore_result_init(struct restore_result *result)
{
        *result = (struct restore_result){.checked = false};
        backup_facts_init(&result->facts);
}

void restore_result_deinit(struct restore_result *result)
{
        backup_facts_deinit(&result->facts);
}

static enum err unpack(const struct lmdb_swap *swap, const struct restore_plan *plan, struct restore_result *result,
        struct err_msg *msg)
{
        int fd;
        enum err rc = lmdb_swap_make_file(swap, &fd, msg);

        if (rc != OK)
                return rc;
        rc = backup_read(&plan->input, fd, &result->facts, msg);
        (void)close(fd);
        return rc;
}

/* An older format has its own way to say what has passed, and keeps its ids until it is upgraded. */
static enum err make_ready(const struct lmdb_swap *swap, const struct restore_plan *plan, struct restore_result *result,
        struct err_msg *msg)
{
        const struct lmdb_image_facts *image = &result->facts.image;
        enum err rc = lmdb_image_settle(lmdb_swap_work(swap), image->position, msg);

        result->checked = image->format == LMDB_FORMAT;
        if (rc == OK && result->checked)
                rc = lmdb_swap_check(swap, plan->config, &result->health, msg);
        return rc == OK ? OK : err_wrap(msg, rc, "the database in %s", plan->input.name);
}

/* A name that nothing in the folder has yet: of the time, and a number where one second saw several. */
static void name_aside(const struct restore_plan *plan, char name[NAME_SIZE])
{
        char time[CLOCK_TEXT_SIZE];
        char path[PATH_MAX + NAME_SIZE];
        int number = 1;

        clock_format(plan->now, time);
        do {
                int len = snprintf(
                        name, NAME_SIZE, "replaced-%.10sT%.2s%.2s%.2sZ", time, time + 11, time + 14, time + 17);

                if (number > 1)
                        (void)snprintf(name + len, NAME_SIZE - (size_t)len, "-%d", number);
                (void)snprintf(path, sizeof(path), "%s/%s", plan->config->path, name);
                number++;
        } while (access(path, F_OK) == 0);
}

static enum err put_in_place(
        struct lmdb_swap *swap, const struct restore_plan *plan, struct restore_result *result, struct err_msg *msg)
{
        bool occupied = lmdb_swap_occupied(swap);
        char aside[NAME_SIZE];
        enum err rc;

        name_aside(plan, aside);
        rc = lmdb_swap_finish(swap, aside, msg);
        if (rc == OK && occupied)
                (void)snprintf(result->aside, sizeof(result->aside), "%s/%s", plan->config->path, aside);
        return rc;
}

enum err restore_run(const struct restore_plan *plan, struct restore_result *result, struct err_msg *msg)
{
        const struct lmdb_swap_config config = {.folder = plan->config->path, .work = "restore.tmp", .make = true};
        struct lmdb_swap *swap;
        enum err rc = lmdb_swap_open(&swap, &config, msg);

        if (rc != OK)
                return rc;
        if (lmdb_swap_occupied(swap) && !plan->replace)
                rc = err_set(msg, ERR_BADARG,
                        "there is a database in %s; choose another folder, or --replace to put it aside",
                        plan->config->path);
        if (rc == OK)
                rc = unpack(swap, plan, result, msg);
        if (rc == OK)
                rc = make_ready(swap, plan, result, msg);
        if (rc == OK)
                rc = put_in_place(swap, plan, result, msg);
        lmdb_swap_close(&swap);
        return rc;
}
