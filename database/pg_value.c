#include "database/pg_value.h"

#include "database/mutant.h"
#include "database/pg_ids.h"
#include "database/value.h"
#include "monitoring/counters.h"

enum { NANOS_PER_MICRO = 1000 };

/* One read, while it is answered. */
struct answer {
        const struct pg_plan *plan;
        const struct pg_item *item;
        const struct pg_meta *meta;
        struct source_read *read;
        bool partial; /* a part has failed */
        bool nowhere; /* no column can hold the id as the tables are now, which no write's touch would tell of */
};

/* ---- the id among a query's ---- */

static bool is_asked(const struct pg_query *query, struct slice id)
{
        return pg_ids_find(query->ids, query->id_count, id) < query->id_count;
}

static const struct pg_rows_of *rows_of(const struct pg_query *query, struct slice id)
{
        size_t place = pg_ids_find(query->ids, query->id_count, id);

        VC_ASSERT(query->status == OK && place < query->id_count);
        return &query->rows.of[place];
}

/* SQLSTATE class 22, data exception: the form of an id, perhaps, or something in the data. */
static bool is_data_exception(const struct pg_query *query, struct slice id)
{
        (void)id;
        return query->status != OK && query->sqlstate[0] == '2' && query->sqlstate[1] == '2';
}

static bool is_unbound(const struct pg_query *query, struct slice id)
{
        (void)id;
        return query->unbound;
}

/* The query has rows of an id that nobody asked for, and none of this one: to the database they may be the same. */
static bool is_strange(const struct pg_query *query, struct slice id)
{
        return query->status == OK && query->rows.strange && !rows_of(query, id)->seen;
}

/* The query has rows of an id that nobody asked for: either that is another form of one that was, or its SQL says of
 * rows that they are somebody else's, and this one's may be another's as well. */
static bool has_strangers(const struct pg_query *query, struct slice id)
{
        (void)id;
        return query->status == OK && query->rows.strange;
}

/* Whether the query says what there is of the id. */
static enum err status_of(const struct pg_query *query, struct slice id)
{
        if (query->status != OK)
                return query->status;
        return rows_of(query, id)->damaged ? ERR_CORRUPT : OK;
}

static bool has_failed(const struct pg_query *query, struct slice id)
{
        return status_of(query, id) != OK;
}

typedef bool (*query_test_fn)(const struct pg_query *query, struct slice id);

/* The first of the item's queries that its id is in and that passes the test; NULL: none does. */
static const struct pg_query *find_query(const struct answer *a, query_test_fn test)
{
        for (uint32_t i = 0; i < a->item->query_count; i++) {
                const struct pg_query *query = &a->plan->queries[a->item->first_query + i];

                if (is_asked(query, a->read->id) && test(query, a->read->id))
                        return query;
        }
        return NULL;
}

/* ---- existence ---- */

/* The query that says whether the read's id exists: one for that alone, or one for a record that tells. NULL: nothing
 * is asked, all ids exist. */
static const struct pg_query *existence_query(const struct answer *a)
{
        const struct record_subject *subject = pg_subject_of(a->plan->in.types, a->read->type);
        const struct pg_query *query = pg_plan_query(a->plan, a->item, NULL);
        const struct record_type *leaf;

        if (query != NULL && is_asked(query, a->read->id))
                return query;
        for (uint32_t i = 0; (leaf = pg_leaf(a->read->type, i)) != NULL; i++)
                if (pg_leaf_decides(subject, leaf))
                        return pg_plan_query(a->plan, a->item, leaf);
        return NULL;
}

static enum err read_found(struct answer *a)
{
        const struct pg_query *query = existence_query(a);

        a->read->found = true;
        if (query == NULL || MUTANT(EXISTENCE_IGNORED))
                return OK;
        if (has_failed(query, a->read->id))
                return status_of(query, a->read->id);
        a->read->found = query->type == NULL ? rows_of(query, a->read->id)->seen
                                             : rows_of(query, a->read->id)->first != PG_ROW_NONE;
        return OK;
}

/* Whether a composite lacks the record that would say that its id exists. Its SQL may leave some out who do, with other
 * parts of theirs: only the question itself makes nobody of them. */
static bool is_untold(const struct answer *a)
{
        const struct pg_query *query = existence_query(a);

        if (a->read->type->shape != RECORD_COMPOSITE || query == NULL || query->type == NULL)
                return false;
        return !has_failed(query, a->read->id) && rows_of(query, a->read->id)->first == PG_ROW_NONE;
}

/* Whether the failure of a query that the read shares may be another id's doing, or the form of its own. */
static bool is_doubtful(const struct answer *a)
{
        const struct pg_query *existence = existence_query(a);
        const struct pg_query *failed = find_query(a, is_data_exception);

        if (failed == NULL)
                return false;
        if (find_query(a, is_unbound) != NULL)
                return true; /* by a statement, perhaps, that was prepared before the columns became wider */
        return failed->id_count > 1 || existence == NULL || existence->status != OK;
}

/* ---- ids in another form than the database's; the read has queries of its own ---- */

static enum err refuse_strange(struct answer *a)
{
        const struct pg_query *query = find_query(a, is_strange);

        if (query == NULL)
                return OK;
        return err_set(&a->read->message, ERR_BADKEY, "the id is not in canonical form; it would be %s:%.*s",
                a->read->type->name, SLICE_ARG(buf_slice(&query->rows.other)));
}

/* Where nobody wrote the query for existence, nothing but the id can be wrong with its data. */
static enum err refuse_impossible(struct answer *a)
{
        const struct pg_query *query = pg_plan_query(a->plan, a->item, NULL);

        if (query == NULL || !query->subject->exists.made || !is_data_exception(query, a->read->id))
                return OK;
        return err_set(&a->read->message, ERR_BADKEY, "the id is none that the database could have");
}

/* Whether the id is out of the range of the column that decides who exists; where none does, of all that were asked. */
static bool is_nowhere(const struct answer *a)
{
        const struct pg_query *existence = pg_plan_query(a->plan, a->item, NULL);

        if (existence != NULL)
                return existence->unbound;
        for (uint32_t i = 0; i < a->item->query_count; i++)
                if (!a->plan->queries[a->item->first_query + i].unbound)
                        return false;
        return true;
}

/* ---- values ---- */

static bool is_shown(const struct record_type *type, const struct record_part *part, struct slice record)
{
        return record_matches(&type->where, record) && (part == NULL || record_matches(&part->where, record));
}

static enum err put_list(const struct pg_query *query, struct slice id, const struct record_part *part, struct buf *out)
{
        const uint32_t limit = part == NULL || part->limit == 0 ? UINT32_MAX : part->limit;
        uint32_t count = 0;
        size_t mark;
        enum err rc = value_open_list(out, &mark);

        for (uint32_t row = rows_of(query, id)->first; rc == OK && row != PG_ROW_NONE && count < limit;
                row = query->rows.rows[row].next) {
                const struct slice record = pg_rows_record(&query->rows, row);

                if (!is_shown(query->type, part, record))
                        continue;
                rc = buf_append_slice(out, record);
                count++;
        }
        if (rc == OK)
                value_close(out, mark, count);
        return rc;
}

static enum err put_leaf(const struct pg_query *query, struct slice id, const struct record_part *part, struct buf *out)
{
        uint32_t row;

        if (query->type->shape == RECORD_LIST)
                return put_list(query, id, part, out);
        row = rows_of(query, id)->first;
        return row == PG_ROW_NONE ? value_put_nil(out) : buf_append_slice(out, pg_rows_record(&query->rows, row));
}

static enum err put_error(struct buf *out)
{
        enum err rc = value_put_map(out, 1);

        if (rc == OK)
                rc = value_put_str(out, "error");
        if (rc == OK)
                rc = value_put_map(out, 1);
        return rc == OK ? value_put_member(out, "code", slice_str(err_word(ERR_UNAVAILABLE))) : rc;
}

static enum err put_part(struct answer *a, const struct record_part *part)
{
        const struct pg_query *query = pg_plan_query(a->plan, a->item, part->type);
        enum err rc = value_put_str(&a->read->value, part->name);

        if (rc != OK)
                return rc;
        if (!has_failed(query, a->read->id))
                return put_leaf(query, a->read->id, part, &a->read->value);
        a->partial = true;
        counter_add(COUNTER_database_failed_parts, 1);
        return put_error(&a->read->value);
}

static enum err put_value(struct answer *a)
{
        const struct record_type *type = a->read->type;
        const struct pg_query *query;
        enum err rc;

        if (type->shape != RECORD_COMPOSITE) {
                query = pg_plan_query(a->plan, a->item, type);
                rc = status_of(query, a->read->id);
                return rc == OK ? put_leaf(query, a->read->id, NULL, &a->read->value) : rc;
        }
        rc = value_put_map(&a->read->value, type->part_count);
        for (uint32_t i = 0; rc == OK && i < type->part_count; i++)
                rc = put_part(a, &type->parts[i]);
        return rc;
}

/* ---- how long it is true, whatever is written ---- */

/* In nanoseconds from the transaction's time, which is no earlier than the sending; 0: for ever. What brought no row
 * says nothing of when it will. */
static int64_t life_of(const struct pg_query *query, struct slice id, const struct pg_meta *meta)
{
        const struct pg_rows_of *of = rows_of(query, id);

        if (!query->rows.limited || (of->seen && of->until == INT64_MAX))
                return 0;
        if (!of->seen || of->until <= meta->micros)
                return 1;
        if (of->until - meta->micros > INT64_MAX / NANOS_PER_MICRO)
                return 0;
        return (of->until - meta->micros) * NANOS_PER_MICRO;
}

static int64_t shortest_life(const struct answer *a)
{
        const struct record_type *leaf;
        int64_t shortest = 0;

        for (uint32_t i = 0; (leaf = pg_leaf(a->read->type, i)) != NULL; i++) {
                const struct pg_query *query = pg_plan_query(a->plan, a->item, leaf);
                const int64_t life = query->status == OK ? life_of(query, a->read->id, a->meta) : 0;

                if (life != 0 && (shortest == 0 || life < shortest))
                        shortest = life;
        }
        return MUTANT(VALID_UNTIL_IGNORED) ? 0 : shortest;
}

static enum err answer(struct answer *a)
{
        enum err rc = OK;

        a->read->found = false;
        a->nowhere = a->plan->in.alone && is_nowhere(a);
        if (a->nowhere)
                return OK;
        if (a->plan->in.alone)
                rc = refuse_strange(a);
        if (rc == OK && a->plan->in.alone)
                rc = refuse_impossible(a);
        if (rc == OK)
                rc = read_found(a);
        if (rc == OK && a->read->found)
                rc = put_value(a);
        return rc;
}

static bool is_covered(const struct pg_plan *plan, const struct record_type *type)
{
        return (pg_plan_state(plan, type) & PG_STATE_UNCACHEABLE) == 0;
}

/* Whether the reply may outlive this read. */
static bool is_kept(const struct answer *a)
{
        const struct record_type *leaf;

        if (a->nowhere || (a->partial && !MUTANT(FAILED_PART_CACHED)))
                return false;
        for (uint32_t i = 0; (leaf = pg_leaf(a->read->type, i)) != NULL; i++)
                if (!is_covered(a->plan, leaf))
                        return false;
        return is_covered(a->plan, a->read->type);
}

enum pg_verdict pg_value_answer(const struct pg_plan *plan, const struct pg_item *item, const struct pg_meta *meta)
{
        struct source_read *read = item->read;
        struct answer a = {.plan = plan, .item = item, .meta = meta, .read = read};

        if (plan->in.replica && find_query(&a, has_failed) != NULL)
                return PG_ASK_PRIMARY;
        if (!plan->in.alone && (is_doubtful(&a) || find_query(&a, has_strangers) != NULL))
                return PG_ALONE;
        if (is_untold(&a))
                return PG_ASK_EXISTENCE;
        buf_truncate(&read->value, 0);
        read->status = answer(&a);
        if (read->status == ERR_UNAVAILABLE)
                err_set(&read->message, ERR_UNAVAILABLE, "a query of its type failed; the log has the SQLSTATE");
        read->snapshot = meta->snapshot;
        read->epoch = is_kept(&a) ? meta->epoch : 0;
        read->from_replica = plan->in.replica;
        read->lives = (struct nanos){shortest_life(&a)};
        if (read->status != OK || !read->found)
                buf_truncate(&read->value, 0);
        read->found = read->found && read->status == OK;
        return PG_ANSWERED;
}
