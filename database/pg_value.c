#include "database/pg_value.h"

#include "database/mutant.h"
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

/* ---- what one query says of the id ---- */

static const struct pg_rows_of *rows_of(const struct pg_ask *ask)
{
        VC_ASSERT(ask->query->status == OK);
        return &ask->query->rows.of[ask->place];
}

/* SQLSTATE class 22, data exception: the form of an id, perhaps, or something in the data. */
static bool is_data_exception(const struct pg_ask *ask)
{
        return ask->query->status != OK && ask->query->sqlstate[0] == '2' && ask->query->sqlstate[1] == '2';
}

static bool is_unbound(const struct pg_ask *ask)
{
        return ask->query->unbound;
}

/* The query has rows of an id that nobody asked for, and none of this one: to the database they may be the same. */
static bool is_strange(const struct pg_ask *ask)
{
        return ask->query->status == OK && ask->query->rows.strange && !rows_of(ask)->seen;
}

/* The query has rows of an id that nobody asked for: either that is another form of one that was, or its SQL says of
 * rows that they are somebody else's, and this one's may be another's as well. */
static bool has_strangers(const struct pg_ask *ask)
{
        return ask->query->status == OK && ask->query->rows.strange;
}

/* Whether the query says what there is of the id. */
static enum err status_of(const struct pg_ask *ask)
{
        if (ask->query->status != OK)
                return ask->query->status;
        return rows_of(ask)->damaged ? ERR_CORRUPT : OK;
}

static bool has_failed(const struct pg_ask *ask)
{
        return status_of(ask) != OK;
}

typedef bool (*ask_test_fn)(const struct pg_ask *ask);

/* The first of what the item asks that passes the test; NULL: none does. */
static const struct pg_ask *find_ask(const struct answer *a, ask_test_fn test)
{
        for (uint32_t i = 0; i < a->item->ask_count; i++)
                if (test(&a->item->asks[i]))
                        return &a->item->asks[i];
        return NULL;
}

/* ---- existence ---- */

/* What says whether the read's id exists: a query for that alone, or one for a record that tells. NULL: nothing is
 * asked, all ids exist. */
static const struct pg_ask *existence_of(const struct answer *a)
{
        const struct record_subject *subject = pg_subject_of(a->plan->in.types, a->read->type);
        const struct pg_ask *ask = pg_plan_ask(a->item, NULL);
        const struct record_type *leaf;

        if (ask != NULL)
                return ask;
        for (uint32_t i = 0; (leaf = pg_leaf(a->read->type, i)) != NULL; i++)
                if (pg_leaf_decides(subject, leaf))
                        return pg_plan_ask(a->item, leaf);
        return NULL;
}

static enum err read_found(struct answer *a)
{
        const struct pg_ask *ask = existence_of(a);

        a->read->found = true;
        if (ask == NULL || MUTANT(EXISTENCE_IGNORED))
                return OK;
        if (has_failed(ask))
                return status_of(ask);
        a->read->found = ask->query->type == NULL ? rows_of(ask)->seen : rows_of(ask)->first != PG_ROW_NONE;
        return OK;
}

/* Whether a composite lacks the record that would say that its id exists. Its SQL may leave some out who do, with other
 * parts of theirs: only the question itself makes nobody of them. */
static bool is_untold(const struct answer *a)
{
        const struct pg_ask *ask = a->read->type->shape == RECORD_COMPOSITE ? existence_of(a) : NULL;

        return ask != NULL && ask->query->type != NULL && !has_failed(ask) && rows_of(ask)->first == PG_ROW_NONE;
}

/* Whether the failure of a query that the read shares may be another id's doing, or the form of its own. */
static bool is_doubtful(const struct answer *a)
{
        const struct pg_ask *failed = find_ask(a, is_data_exception);
        const struct pg_ask *existence;

        if (failed == NULL)
                return false;
        if (find_ask(a, is_unbound) != NULL)
                return true; /* by a statement, perhaps, that was prepared before the columns became wider */
        existence = existence_of(a);
        return failed->query->id_count > 1 || existence == NULL || existence->query->status != OK;
}

/* ---- ids in another form than the database's; the read has queries of its own ---- */

static enum err refuse_strange(struct answer *a)
{
        const struct pg_ask *ask = find_ask(a, is_strange);

        if (ask == NULL)
                return OK;
        return err_set(&a->read->message, ERR_BADKEY, "the id is not in canonical form; it would be %s:%.*s",
                a->read->type->name, SLICE_ARG(buf_slice(&ask->query->rows.other)));
}

/* Where nobody wrote the query for existence, nothing but the id can be wrong with its data. */
static enum err refuse_impossible(struct answer *a)
{
        const struct pg_ask *ask = pg_plan_ask(a->item, NULL);

        if (ask == NULL || !ask->query->subject->exists.made || !is_data_exception(ask))
                return OK;
        return err_set(&a->read->message, ERR_BADKEY, "the id is none that the database could have");
}

/* Whether the id is out of the range of the column that decides who exists; where none does, of all that were asked. */
static bool is_nowhere(const struct answer *a)
{
        const struct pg_ask *existence = pg_plan_ask(a->item, NULL);

        if (existence != NULL)
                return existence->query->unbound;
        for (uint32_t i = 0; i < a->item->ask_count; i++)
                if (!a->item->asks[i].query->unbound)
                        return false;
        return true;
}

/* ---- values ---- */

static bool is_shown(const struct record_type *type, const struct record_part *part, struct slice record)
{
        return record_matches(&type->where, record) && (part == NULL || record_matches(&part->where, record));
}

static enum err put_list(const struct pg_ask *ask, const struct record_part *part, struct buf *out)
{
        const struct pg_query *query = ask->query;
        const uint32_t limit = part == NULL || part->limit == 0 ? UINT32_MAX : part->limit;
        uint32_t count = 0;
        size_t mark;
        enum err rc = value_open_list(out, &mark);

        for (uint32_t row = rows_of(ask)->first; rc == OK && row != PG_ROW_NONE && count < limit;
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

static enum err put_leaf(const struct pg_ask *ask, const struct record_part *part, struct buf *out)
{
        uint32_t row;

        if (ask->query->type->shape == RECORD_LIST)
                return put_list(ask, part, out);
        row = rows_of(ask)->first;
        return row == PG_ROW_NONE ? value_put_nil(out) : buf_append_slice(out, pg_rows_record(&ask->query->rows, row));
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
        const struct pg_ask *ask = pg_plan_ask(a->item, part->type);
        enum err rc = value_put_str(&a->read->value, part->name);

        if (rc != OK)
                return rc;
        if (!has_failed(ask))
                return put_leaf(ask, part, &a->read->value);
        a->partial = true;
        counter_add(COUNTER_database_failed_parts, 1);
        return put_error(&a->read->value);
}

static enum err put_value(struct answer *a)
{
        const struct record_type *type = a->read->type;
        const struct pg_ask *ask;
        enum err rc;

        if (type->shape != RECORD_COMPOSITE) {
                ask = pg_plan_ask(a->item, type);
                rc = status_of(ask);
                return rc == OK ? put_leaf(ask, NULL, &a->read->value) : rc;
        }
        rc = value_put_map(&a->read->value, type->part_count);
        for (uint32_t i = 0; rc == OK && i < type->part_count; i++)
                rc = put_part(a, &type->parts[i]);
        return rc;
}

/* ---- how long it is true, whatever is written ---- */

/* In nanoseconds from the transaction's time, which is no earlier than the sending; 0: for ever. What brought no row
 * says nothing of when it will. */
static int64_t life_of(const struct pg_ask *ask, const struct pg_meta *meta)
{
        const struct pg_rows_of *of = rows_of(ask);

        if (!ask->query->rows.limited || (of->seen && of->until == INT64_MAX))
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
                const struct pg_ask *ask = pg_plan_ask(a->item, leaf);
                const int64_t life = ask->query->status == OK ? life_of(ask, a->meta) : 0;

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

        if (plan->in.replica && find_ask(&a, has_failed) != NULL)
                return PG_ASK_PRIMARY;
        if (!plan->in.alone && (is_doubtful(&a) || find_ask(&a, has_strangers) != NULL))
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
