#include "database/pg_plan.h"

#include "database/pg_ids.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { OWN_STEPS_MAX = 8 /* all but the queries and what undoes them */ };

/* ---- what a read needs ---- */

const struct record_subject *pg_subject_of(const struct record_types *types, const struct record_type *type)
{
        return type->subject == NULL ? record_types_subject_at(types, 0) : type->subject;
}

const struct record_type *pg_leaf(const struct record_type *type, uint32_t index)
{
        if (type->shape != RECORD_COMPOSITE)
                return index == 0 ? type : NULL;
        return index < type->part_count ? type->parts[index].type : NULL;
}

bool pg_leaf_decides(const struct record_subject *subject, const struct record_type *leaf)
{
        return subject->exists.made && leaf->shape == RECORD_ONE && leaf->table == subject->table;
}

uint8_t pg_plan_state(const struct pg_plan *plan, const struct record_type *type)
{
        return atomic_load_explicit(&plan->in.states[type->index], memory_order_relaxed);
}

static bool asks_existence(const struct pg_plan *plan, const struct record_type *type)
{
        const struct record_subject *subject = pg_subject_of(plan->in.types, type);

        if (subject->exists.text == NULL)
                return false;
        if (plan->in.alone || plan->in.existence)
                return true;
        for (uint32_t i = 0; pg_leaf(type, i) != NULL; i++)
                if (pg_leaf_decides(subject, pg_leaf(type, i)))
                        return false;
        return true;
}

/* ---- queries ---- */

const struct pg_ask *pg_plan_ask(const struct pg_item *item, const struct record_type *type)
{
        for (uint32_t i = 0; i < item->ask_count; i++)
                if (item->asks[i].query->type == type)
                        return &item->asks[i];
        return NULL;
}

/* One that is there already, and that may be shared; NULL: there is none. */
static struct pg_query *find_query(
        struct pg_plan *plan, const struct record_type *type, const struct record_subject *subject)
{
        for (uint32_t i = 0; !plan->in.alone && i < plan->query_count; i++)
                if (plan->queries[i].type == type && plan->queries[i].subject == subject)
                        return &plan->queries[i];
        return NULL;
}

static uint32_t index_of(const struct record_types *types, const struct record_subject *subject)
{
        return (uint32_t)(subject - record_types_subject_at(types, 0));
}

static const struct pg_statement *statement_of(
        const struct pg_plan *plan, const struct record_type *type, const struct record_subject *subject)
{
        const struct pg_plan_in *in = &plan->in;

        if (type == NULL)
                return &in->sql->exists[index_of(in->types, subject)];
        return (pg_plan_state(plan, type) & PG_STATE_BINARY) != 0 ? &in->sql->fetch_binary[type->index]
                                                                  : &in->sql->fetch_text[type->index];
}

/* NULL: no memory. */
static const struct pg_statement *parsed_anew(struct pg_plan *plan, const struct pg_statement *statement)
{
        struct pg_statement *copy = arena_array(&plan->arena, 1, sizeof(*copy));

        if (copy == NULL)
                return NULL;
        *copy = *statement;
        copy->once = true;
        return copy;
}

/* A new query for up to `room` ids. */
static enum err make_query(struct pg_plan *plan, const struct record_type *type, const struct record_subject *subject)
{
        struct pg_query *query = &plan->queries[plan->query_count];

        VC_ASSERT(plan->query_count < plan->query_room);
        *query = (struct pg_query){.type = type, .subject = subject, .status = ERR_UNAVAILABLE};
        query->statement = plan->in.alone ? parsed_anew(plan, statement_of(plan, type, subject))
                                          : statement_of(plan, type, subject);
        query->ids = arena_array(&plan->arena, plan->in.alone ? 1 : plan->item_count, sizeof(*query->ids));
        if (query->statement == NULL || query->ids == NULL)
                return ERR_NOMEM;
        buf_init(&query->literal, 0);
        pg_rows_init(&query->rows);
        plan->query_count++;
        return OK;
}

/* The read's id goes into the query of that type; a composite may have two parts of one type. The ids come in their
 * order, so that an equal one is the last there is. */
static enum err add_to_query(struct pg_plan *plan, struct pg_item *item, const struct record_type *type)
{
        const struct record_subject *subject = pg_subject_of(plan->in.types, item->read->type);
        struct pg_query *query;
        enum err rc = OK;

        if (pg_plan_ask(item, type) != NULL)
                return OK;
        query = find_query(plan, type, subject);
        if (query == NULL) {
                rc = make_query(plan, type, subject);
                query = &plan->queries[plan->query_count - 1];
        }
        if (rc != OK)
                return rc;
        if (query->id_count == 0 || !slice_equal(query->ids[query->id_count - 1], item->read->id))
                query->ids[query->id_count++] = item->read->id;
        item->asks[item->ask_count++] = (struct pg_ask){.query = query, .place = query->id_count - 1};
        return OK;
}

static enum err plan_read(struct pg_plan *plan, struct pg_item *item)
{
        const struct record_type *type = item->read->type;
        enum err rc = OK;

        item->asks = plan->asks + plan->ask_count;
        if (asks_existence(plan, type))
                rc = add_to_query(plan, item, NULL);
        for (uint32_t i = 0; rc == OK && pg_leaf(type, i) != NULL; i++)
                rc = add_to_query(plan, item, pg_leaf(type, i));
        plan->ask_count += item->ask_count;
        return rc;
}

static enum err finish_query(struct pg_query *query)
{
        const enum err rc = pg_ids_put(&query->literal, query->ids, query->id_count);

        query->values[0] = (const char *)buf_slice(&query->literal).data;
        return rc;
}

/* ---- the relations ---- */

/* The tables that a query depends on. */
static void mark_tables(const struct pg_query *query, bool *marked)
{
        if (query->type == NULL && query->subject->table != NULL)
                marked[query->subject->table->index] = true;
        for (uint32_t i = 0; query->type != NULL && i < query->type->read_count; i++)
                marked[query->type->reads[i]->index] = true;
}

/* All relations of the queries' tables, as an array literal. */
static enum err put_relations(struct pg_plan *plan)
{
        const uint32_t count = record_types_table_count(plan->in.types);
        bool *marked = arena_array(&plan->arena, count, sizeof(*marked));
        struct slice *names;
        size_t room = 0;
        size_t used = 0;
        enum err rc;

        if (marked == NULL)
                return ERR_NOMEM;
        memset(marked, 0, count * sizeof(*marked));
        for (uint32_t i = 0; i < plan->query_count; i++)
                mark_tables(&plan->queries[i], marked);
        for (uint32_t i = 0; i < count; i++)
                room += marked[i] ? record_types_table_at(plan->in.types, i)->relation_count : 0;
        names = arena_array(&plan->arena, room + 1, sizeof(*names));
        if (names == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < count; i++) {
                const struct record_table *table = record_types_table_at(plan->in.types, i);

                for (uint32_t n = 0; marked[i] && n < table->relation_count; n++)
                        names[used++] = slice_str(table->relations[n].name);
        }
        rc = pg_ids_put(&plan->relations, names, pg_ids_sort(names, used));
        plan->steady_values[0] = (const char *)buf_slice(&plan->relations).data;
        return rc;
}

/* ---- steps ---- */

void pg_plan_add(struct pg_plan *plan, enum pg_role role, struct pg_step step)
{
        plan->parts[plan->step_count] = (struct pg_plan_part){.role = role};
        plan->steps[plan->step_count++] = step;
}

static void add_plain(struct pg_plan *plan, const struct pg_statement *statement)
{
        pg_plan_add(plan, PG_ROLE_PLAIN, (struct pg_step){.statement = statement});
}

void pg_plan_open(struct pg_plan *plan)
{
        const struct pg_sql *sql = plan->in.sql;
        const struct pg_statement *here = plan->in.replica ? &sql->here_replica : &sql->here;

        add_plain(plan, &sql->begin);
        if (plan->in.session)
                add_plain(plan, &sql->session);
        pg_plan_add(plan, PG_ROLE_HERE, (struct pg_step){.statement = plan->in.bare ? &sql->here_bare : here});
}

/* The heartbeat is a transaction of its own, behind the one that reads: only its commit proves anything, and in the
 * reading one, with its early snapshot, two loops that beat at once would fail each other. */
void pg_plan_close(struct pg_plan *plan)
{
        add_plain(plan, &plan->in.sql->commit);
        if (plan->in.node == NULL)
                return;
        plan->steps[plan->step_count - 1].sync_after = true;
        plan->beat_values[0] = plan->in.node;
        pg_plan_add(plan, PG_ROLE_BEAT,
                (struct pg_step){.statement = &plan->in.sql->beat, .value_count = 1, .values = plan->beat_values});
}

static void add_queries(struct pg_plan *plan)
{
        const bool apart = plan->in.apart || plan->in.alone;

        if (apart)
                add_plain(plan, &plan->in.sql->savepoint);
        for (uint32_t i = 0; i < plan->query_count; i++) {
                const struct pg_query *query = &plan->queries[i];

                plan->parts[plan->step_count] = (struct pg_plan_part){.role = PG_ROLE_QUERY, .query = i};
                plan->steps[plan->step_count++] = (struct pg_step){
                        .statement = query->statement, .value_count = 1, .values = query->values, .sync_after = apart};
                if (apart)
                        add_plain(plan, &plan->in.sql->back);
        }
}

static enum err make_steps(struct pg_plan *plan)
{
        const size_t room = OWN_STEPS_MAX + 2 * (size_t)plan->query_count;

        plan->steps = arena_array(&plan->arena, room, sizeof(*plan->steps));
        plan->parts = arena_array(&plan->arena, room, sizeof(*plan->parts));
        if (plan->steps == NULL || plan->parts == NULL)
                return ERR_NOMEM;
        pg_plan_open(plan);
        add_queries(plan);
        if (!plan->in.bare)
                pg_plan_add(plan, PG_ROLE_STEADY,
                        (struct pg_step){
                                .statement = &plan->in.sql->steady, .value_count = 1, .values = plan->steady_values});
        pg_plan_close(plan);
        return OK;
}

/* ---- the plan ---- */

static int compare_ids(const void *left, const void *right)
{
        const struct pg_item *a = left;
        const struct pg_item *b = right;

        return slice_compare(a->read->id, b->read->id);
}

static enum err make_items(struct pg_plan *plan, const struct list *reads)
{
        const uint32_t most = (record_types_count(plan->in.types) + 1) * record_types_subject_count(plan->in.types);
        uint32_t room = 0;

        LIST_FOREACH (link, reads) {
                const struct record_type *type = LIST_ENTRY(link, struct source_read, link)->type;

                plan->item_count++;
                room += 1 + (type->shape == RECORD_COMPOSITE ? type->part_count : 1);
        }
        plan->query_room = room;
        if (!plan->in.alone && most < room)
                plan->query_room = most;
        plan->items = arena_array(&plan->arena, plan->item_count, sizeof(*plan->items));
        plan->queries = arena_array(&plan->arena, plan->query_room, sizeof(*plan->queries));
        plan->asks = arena_array(&plan->arena, room, sizeof(*plan->asks));
        if (plan->items == NULL || plan->queries == NULL || plan->asks == NULL)
                return ERR_NOMEM;
        plan->item_count = 0;
        LIST_FOREACH (link, reads)
                plan->items[plan->item_count++].read = LIST_ENTRY(link, struct source_read, link);
        if (plan->item_count > 1)
                qsort(plan->items, plan->item_count, sizeof(*plan->items), compare_ids);
        return OK;
}

enum err pg_plan_init(struct pg_plan *plan, const struct pg_plan_in *in, const struct list *reads)
{
        enum err rc;

        *plan = (struct pg_plan){.in = *in};
        arena_init(&plan->arena);
        buf_init(&plan->relations, 0);
        rc = make_items(plan, reads);
        for (uint32_t i = 0; rc == OK && i < plan->item_count; i++)
                rc = plan_read(plan, &plan->items[i]);
        for (uint32_t i = 0; rc == OK && i < plan->query_count; i++)
                rc = finish_query(&plan->queries[i]);
        if (rc == OK)
                rc = put_relations(plan);
        if (rc == OK)
                rc = make_steps(plan);
        if (rc != OK)
                pg_plan_deinit(plan);
        return rc;
}

void pg_plan_deinit(struct pg_plan *plan)
{
        for (uint32_t i = 0; i < plan->query_count; i++) {
                buf_deinit(&plan->queries[i].literal);
                pg_rows_deinit(&plan->queries[i].rows);
        }
        plan->query_count = 0;
        buf_deinit(&plan->relations);
        arena_deinit(&plan->arena);
}
