#include "database/pg_unmodified.h"

#include "base/cursor.h"
#include "database/mutant.h"
#include "database/pg_snapshot.h"
#include "database/type_tags.h"

enum { STEPS_MAX = 8 };

/* ---- the question: owners {1,1,2}, tags {"\\x01…",…}, snapshots {"10:12:10",…} ---- */

struct asking {
        struct pg_unmodified *check;
        uint32_t number; /* of the read, from 1 */
        enum err rc;
};

static const char *separator(const struct buf *list)
{
        return buf_len(list) > 1 ? "," : "";
}

static enum err put_tag(struct buf *out, const struct tag *tag)
{
        uint8_t bytes[TAG_BINARY_MAX];
        size_t len = tag_encode(tag, bytes);
        enum err rc = buf_printf(out, "%s\"\\\\x", separator(out));

        for (size_t i = 0; rc == OK && i < len; i++)
                rc = buf_printf(out, "%02x", bytes[i]);
        return rc == OK ? buf_append_str(out, "\"") : rc;
}

static void ask_tag(void *context, const struct tag *tag)
{
        struct asking *asking = context;
        struct buf *owners = &asking->check->owners;

        if (asking->rc == OK)
                asking->rc = buf_printf(owners, "%s%u", separator(owners), asking->number);
        if (asking->rc == OK)
                asking->rc = put_tag(&asking->check->tags, tag);
}

static enum err ask(struct pg_unmodified *check, const struct source_read *read, uint32_t number)
{
        struct asking asking = {.check = check, .number = number};

        asking.rc = buf_printf(&check->snapshots, "%s\"", separator(&check->snapshots));
        if (asking.rc == OK)
                asking.rc = pg_snapshot_put(&check->snapshots, &read->known->snapshot);
        if (asking.rc == OK)
                asking.rc = buf_append_str(&check->snapshots, "\"");
        type_tags(read->type, read->tenant, read->id, ask_tag, &asking);
        return asking.rc;
}

static enum err open_list(struct buf *list)
{
        buf_init(list, 0);
        return buf_append_str(list, "{");
}

static enum err close_list(struct buf *list, const char **value)
{
        enum err rc = buf_append(list, "}", sizeof("}"));

        *value = (const char *)buf_slice(list).data;
        return rc;
}

/* All three lists are inited, whatever fails. */
static enum err make_values(struct pg_unmodified *check, const struct pg_plan *plan)
{
        enum err owners = open_list(&check->owners);
        enum err tags = open_list(&check->tags);
        enum err rc = open_list(&check->snapshots);

        if (rc == OK)
                rc = owners == OK ? tags : owners;
        for (uint32_t i = 0; rc == OK && i < plan->item_count; i++)
                rc = ask(check, plan->items[i].read, i + 1);
        if (rc == OK)
                rc = close_list(&check->owners, &check->values[0]);
        if (rc == OK)
                rc = close_list(&check->tags, &check->values[1]);
        return rc == OK ? close_list(&check->snapshots, &check->values[2]) : rc;
}

/* ---- the plan ---- */

static enum err make_items(struct pg_unmodified *check, struct pg_plan *plan, const struct list *reads)
{
        uint32_t count = 0;

        LIST_FOREACH (link, reads)
                count++;
        plan->items = arena_array(&plan->arena, count, sizeof(*plan->items));
        plan->steps = arena_array(&plan->arena, STEPS_MAX, sizeof(*plan->steps));
        plan->parts = arena_array(&plan->arena, STEPS_MAX, sizeof(*plan->parts));
        check->unmodified = arena_array(&plan->arena, count, sizeof(*check->unmodified));
        if (plan->items == NULL || plan->steps == NULL || plan->parts == NULL || check->unmodified == NULL)
                return ERR_NOMEM;
        LIST_FOREACH (link, reads)
                plan->items[plan->item_count++].read = LIST_ENTRY(link, struct source_read, link);
        return OK;
}

enum err pg_unmodified_init(
        struct pg_unmodified *check, struct pg_plan *plan, const struct pg_plan_in *in, const struct list *reads)
{
        enum err rc;

        *check = (struct pg_unmodified){.unmodified = NULL};
        *plan = (struct pg_plan){.in = *in};
        arena_init(&plan->arena);
        buf_init(&plan->relations, 0);
        rc = make_items(check, plan, reads);
        if (rc == OK)
                rc = make_values(check, plan);
        if (rc != OK) {
                pg_unmodified_deinit(check);
                pg_plan_deinit(plan);
                return rc;
        }
        pg_plan_open(plan);
        pg_plan_add(plan, PG_ROLE_CHECK,
                (struct pg_step){.statement = &in->sql->unmodified, .value_count = 3, .values = check->values});
        pg_plan_close(plan);
        return OK;
}

void pg_unmodified_deinit(struct pg_unmodified *check)
{
        buf_deinit(&check->owners);
        buf_deinit(&check->tags);
        buf_deinit(&check->snapshots);
}

/* ---- the answers ---- */

void pg_unmodified_take(struct pg_unmodified *check, const struct pg_plan *plan, const PGresult *result)
{
        uint64_t number;

        if (PQnfields(result) != 2)
                return;
        for (int row = 0; row < PQntuples(result); row++) {
                if (!slice_to_u64(pg_cell_bytes(result, row, 0), &number) || number == 0 || number > plan->item_count)
                        continue;
                if (slice_equal(pg_cell_bytes(result, row, 1), slice_str("t")) || MUTANT(UNMODIFIED_UNCHECKED))
                        check->unmodified[number - 1] = true;
        }
}

bool pg_unmodified_answer(const struct pg_unmodified *check, const struct pg_item *item, const struct pg_plan *plan,
        const struct pg_meta *meta)
{
        struct source_read *read = item->read;

        if (!check->unmodified[item - plan->items] || meta->epoch == 0 || meta->epoch != read->known->epoch)
                return false;
        read->status = OK;
        read->unmodified = true;
        read->epoch = meta->epoch;
        read->snapshot = meta->snapshot;
        return true;
}
