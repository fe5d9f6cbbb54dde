/* The way of a row:
 *
 *      reader -> import_flow_row -> seen? --surely not--> import_send -> server --taken--> counted
 *                   |     |            |                                   |
 *                   |  of a merged   perhaps                        student unknown
 *                   |  student         |                                   |
 *                merges  held back   doubtful                            orphans     (files: cli/import_aside.h)
 *
 * and when the input has ended (import_flow_finish):
 *
 *      doubtful  -> import_seen_settle --first after all--> import_send
 *                                      --equal-----------> counted as a duplicate
 *                                      --different-------> left out
 *      merges    -> import_send
 *      held back -> the same question as of doubtful rows, by the name of whom the student is now
 *      orphans   -> the same, once more: by now all students of the input are in -> taken, or left out
 *
 * Merges come last, as they decide who is who. A into B makes one record of A's x and B's x: were they sent in any
 * order, one would replace the other, without a word, and each at every import anew. So both must be there before the
 * server merges: it leaves the merge out when they differ. And rows of a student who is merged already, or is known by
 * a merge only, come after all others, so that of two that differ the one that is left out is always the same.
 *
 * A dry run writes no students, so there the orphans are not sent again: their students are looked for among those that
 * the server would have taken. Merges of the input that contradict each other, or each other's records, are seen by no
 * dry run. */
#include "cli/import_flow.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/import_aside.h"
#include "cli/import_merged.h"
#include "cli/import_send.h"
#include "cli/mark_set.h"
#include "database/value.h"

/* The newest row: it is noted when the next one comes, while the filter's line for it is on its way from memory. */
struct held {
        bool there;
        struct import_line line; /* its row is in `row` */
        struct mark mark;
        struct buf row;
};

struct import_flow {
        struct import_flow_config config;
        struct import_send *send;
        struct import_seen *seen;
        struct import_merged *merged; /* by the server, or by rows that came */
        struct import_aside *doubtful;
        struct import_aside *merges;
        struct import_aside *held_back;
        struct import_aside *orphans;
        struct buf merged_now;     /* dry run: struct mark of students who would be merged */
        uint64_t put_back;         /* merges that were sent and have to wait */
        struct mark_log *students; /* dry run: those that would be there */
        struct mark_log *owners;   /* of records that came */
        struct mark owner;         /* the newest of them */
        struct held held;
        bool last; /* rows of unknown students have waited long enough */
};

static bool is_merge(const struct import_line *line)
{
        return strcmp(line->table, "merges") == 0;
}

static bool is_student(const struct import_line *line)
{
        return strcmp(line->table, "students") == 0;
}

static enum err leave_out(
        struct import_flow *flow, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        return flow->config.left_out(flow->config.context, line, reject, msg);
}

/* ---- what the server says ---- */

static enum err take_left_out(
        void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        struct import_flow *flow = context;
        uint64_t at;

        if (reject->reason != REJECT_STUDENT || flow->last)
                return leave_out(flow, line, reject, msg);
        if (!is_merge(line))
                return import_aside_add(flow->orphans, line, &at, msg);
        flow->put_back++;
        return import_aside_add(flow->merges, line, &at, msg);
}

static struct mark student_mark(const struct import_flow *flow, struct slice student)
{
        const struct import_name name = {.table = slice_str("students"), .student = student, .id = student};

        return import_seen_mark(flow->seen, &name, SLICE_EMPTY);
}

/* Dry run: of a row that would go in, the student who would then be known by the row's name. */
static enum err take_student(void *context, const struct import_line *line, struct err_msg *msg)
{
        struct import_flow *flow = context;
        struct import_name name;
        struct mark mark;

        if ((!is_student(line) && !is_merge(line)) || !import_name_of(line->table, line->row, &name))
                return OK;
        mark = student_mark(flow, name.student);
        return mark_log_add(flow->students, &mark, msg);
}

/* ---- life ---- */

static enum err create_parts(struct import_flow *flow)
{
        const struct import_flow_config *config = &flow->config;
        const struct import_seen_config seen = {.filter_bytes = config->filter, .seed = config->seed};
        const struct import_send_config send = {.conn = config->conn,
                .report = config->report,
                .hooks = {.left_out = take_left_out, .taken = config->dry_run ? take_student : NULL, .context = flow},
                .dry_run = config->dry_run};
        enum err rc = import_send_create(&flow->send, &send);

        if (rc == OK)
                rc = import_seen_create(&flow->seen, &seen);
        if (rc == OK)
                rc = import_merged_create(&flow->merged, config->seed);
        if (rc == OK)
                rc = import_aside_create(&flow->doubtful);
        if (rc == OK)
                rc = import_aside_create(&flow->merges);
        if (rc == OK)
                rc = import_aside_create(&flow->held_back);
        if (rc == OK)
                rc = import_aside_create(&flow->orphans);
        if (rc == OK)
                rc = mark_log_create(&flow->students);
        return rc == OK ? mark_log_create(&flow->owners) : rc;
}

enum err import_flow_create(struct import_flow **out, const struct import_flow_config *config, struct err_msg *msg)
{
        struct import_flow *flow = vc_calloc(1, sizeof(*flow));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (flow != NULL) {
                flow->config = *config;
                buf_init(&flow->held.row, 0);
                buf_init(&flow->merged_now, 0);
                rc = create_parts(flow);
        }
        if (rc != OK)
                (void)err_set(msg, rc, "out of memory");
        else
                rc = import_send_begin(flow->send, msg);
        if (rc == OK)
                rc = import_merged_load(flow->merged, config->conn, msg);
        if (rc == OK)
                *out = flow;
        else
                import_flow_destroy(&flow);
        return rc;
}

void import_flow_destroy(struct import_flow **flow)
{
        if (*flow == NULL)
                return;
        import_send_destroy(&(*flow)->send);
        buf_deinit(&(*flow)->held.row);
        buf_deinit(&(*flow)->merged_now);
        import_seen_destroy(&(*flow)->seen);
        import_aside_destroy(&(*flow)->doubtful);
        import_merged_destroy(&(*flow)->merged);
        import_aside_destroy(&(*flow)->merges);
        import_aside_destroy(&(*flow)->held_back);
        import_aside_destroy(&(*flow)->orphans);
        mark_log_destroy(&(*flow)->students);
        mark_log_destroy(&(*flow)->owners);
        vc_free(*flow);
        *flow = NULL;
}

const struct import_seen *import_flow_seen(const struct import_flow *flow)
{
        return flow->seen;
}

const struct mark_log *import_flow_owners(const struct import_flow *flow)
{
        return flow->owners;
}

/* ---- while the input is read ---- */

/* Remembers of whom the row is. Exports have a student's records one after the other, or nearly: one mark is enough for
 * those. */
static enum err note_owner(
        struct import_flow *flow, const struct import_line *line, struct slice student, struct err_msg *msg)
{
        struct mark mark;

        if (!flow->config.owners || is_student(line) || is_merge(line))
                return OK;
        mark = student_mark(flow, student);
        if (memcmp(mark.name, flow->owner.name, sizeof(mark.name)) == 0)
                return OK;
        flow->owner = mark;
        return mark_log_add(flow->owners, &mark, msg);
}

/* The ticket of a doubtful row is its place, plus one. */
static enum err put_in_doubt(
        struct import_flow *flow, const struct import_line *line, struct mark mark, struct err_msg *msg)
{
        uint64_t at;
        enum err rc = import_aside_add(flow->doubtful, line, &at, msg);

        mark.ticket = at + 1;
        return rc == OK ? import_seen_defer(flow->seen, &mark, msg) : rc;
}

/* A row that is the first of its name. */
static enum err pass_on(struct import_flow *flow, const struct import_line *line, struct err_msg *msg)
{
        uint64_t at;

        return is_merge(line) ? import_aside_add(flow->merges, line, &at, msg) : import_send_row(flow->send, line, msg);
}

/* Notes the row that was held, and sends it when it is new. */
static enum err let_go(struct import_flow *flow, struct err_msg *msg)
{
        struct held *held = &flow->held;
        enum seen_verdict verdict;
        enum err rc;

        if (!held->there)
                return OK;
        held->there = false;
        held->line.row = buf_slice(&held->row);
        rc = import_seen_note(flow->seen, &held->mark, &verdict, msg);
        if (rc != OK)
                return rc;
        return verdict == SEEN_NEW ? pass_on(flow, &held->line, msg) : put_in_doubt(flow, &held->line, held->mark, msg);
}

/* The mark that a row is noted by, as one of `student`. Records of ids that are one person have one name then, as the
 * server keeps one of them; rows that differ in the id alone are equal. */
static struct mark mark_of(
        const struct import_flow *flow, struct import_name name, struct slice student, const struct import_line *line)
{
        const struct slice given = name.student;
        struct mark mark;

        if (is_merge(line) || is_student(line))
                return import_seen_mark(flow->seen, &name, line->row);
        name.student = student;
        mark = import_seen_mark(flow->seen, &name, SLICE_EMPTY);
        mark.content = import_seen_content(flow->seen, line->row, given);
        return mark;
}

/* Whether the row is a record of a student who is merged into another one. */
static bool is_of_merged(const struct import_flow *flow, const struct import_line *line, const struct import_name *name)
{
        return import_merged_is(flow->merged, name->student) && !is_student(line) && !is_merge(line);
}

enum err import_flow_row(struct import_flow *flow, const struct import_line *line, struct err_msg *msg)
{
        struct held *held = &flow->held;
        struct import_name name;
        struct mark mark;
        uint64_t at;
        enum err rc;

        if (!import_name_of(line->table, line->row, &name)) /* the server will say what is wrong */
                return import_send_row(flow->send, line, msg);
        rc = note_owner(flow, line, name.student, msg);
        if (rc != OK)
                return rc;
        if (is_of_merged(flow, line, &name))
                return import_aside_add(flow->held_back, line, &at, msg);
        mark = mark_of(flow, name, name.student, line);
        import_seen_expect(flow->seen, &mark);
        rc = let_go(flow, msg);
        if (rc == OK && is_merge(line) && import_merged_add(flow->merged, line->row) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        buf_truncate(&held->row, 0);
        if (rc == OK && buf_append_slice(&held->row, line->row) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        if (rc != OK)
                return rc;
        held->line = *line;
        held->mark = mark;
        held->there = true;
        return OK;
}

/* ---- when it has ended: rows in doubt ---- */

struct settling {
        struct import_flow *flow;
        struct import_aside *rows; /* the tickets' */
        struct err_msg *msg;
};

static enum err settle_one(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        static const struct reject differs = {.reason = REJECT_DUPLICATE};
        const struct settling *settling = context;
        struct import_flow *flow = settling->flow;
        struct import_line line;
        uint64_t at = ticket - 1;
        enum err rc = import_aside_read(settling->rows, &at, &line, settling->msg);

        if (rc != OK)
                return rc;
        if (verdict == SEEN_NEW)
                return pass_on(flow, &line, settling->msg);
        if (verdict == SEEN_DIFFERENT)
                return leave_out(flow, &line, &differs, settling->msg);
        import_report_counts(flow->config.report, line.table)->duplicate++;
        return OK;
}

/* Settles all that was deferred, rows of that file, and waits for what the server says of those that are new. */
static enum err settle(struct import_flow *flow, struct import_aside *rows, struct err_msg *msg)
{
        struct settling settling = {.flow = flow, .rows = rows, .msg = msg};
        enum err rc = import_seen_settle(flow->seen, settle_one, &settling, msg);

        return rc == OK ? import_send_finish(flow->send, msg) : rc;
}

/* ---- merges ---- */

/* Sends the merges from..to-1 of their file, and waits for what the server says; *sent is how many they were. Those
 * that have to wait for a student stand behind the others in the file then. */
static enum err send_merges(struct import_flow *flow, uint64_t from, uint64_t to, uint64_t *sent, struct err_msg *msg)
{
        struct import_line line;
        enum err rc = OK;

        flow->put_back = 0;
        for (*sent = 0; rc == OK && from < to; ++*sent) {
                rc = import_aside_read(flow->merges, &from, &line, msg);
                if (rc == OK)
                        rc = import_send_row(flow->send, &line, msg);
        }
        return rc == OK ? import_send_finish(flow->send, msg) : rc;
}

/* Each may wait for another one (A into B, B into C), so they are sent again until none of those that are left goes in;
 * those are left out. */
static enum err merge_all(struct import_flow *flow, struct err_msg *msg)
{
        uint64_t from = 0;
        uint64_t sent;
        enum err rc;

        do {
                uint64_t to = import_aside_end(flow->merges);

                rc = send_merges(flow, from, to, &sent, msg);
                from = to;
        } while (rc == OK && flow->put_back > 0 && flow->put_back < sent);
        flow->last = true;
        if (rc == OK && flow->put_back > 0)
                rc = send_merges(flow, from, import_aside_end(flow->merges), &sent, msg);
        if (rc != OK || import_aside_end(flow->merges) == 0)
                return rc;
        import_merged_destroy(&flow->merged); /* some did not go in */
        if (import_merged_create(&flow->merged, flow->config.seed) != OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        return import_merged_load(flow->merged, flow->config.conn, msg);
}

/* ---- rows whose students may be others now ---- */

/* Defers a row by the name of whom its student is now. The ticket is its place, plus one. */
static enum err defer_as_root(
        struct import_flow *flow, const struct import_line *line, uint64_t at, struct err_msg *msg)
{
        struct import_name name;
        struct mark mark;

        if (!import_name_of(line->table, line->row, &name))
                return err_set(msg, ERR_CORRUPT, "a row that was put aside is damaged");
        mark = mark_of(flow, name, import_merged_root(flow->merged, name.student), line);
        mark.ticket = at + 1;
        return import_seen_defer(flow->seen, &mark, msg);
}

/* Rows that were held back have not been noted yet. Orphans have, by their own names: those that are another's by now
 * are looked at by that one's, too, and all others are sent. */
static bool is_to_be_noted(const struct import_flow *flow, struct import_aside *rows, const struct import_line *line)
{
        struct import_name name;

        if (!import_name_of(line->table, line->row, &name))
                return false;
        return rows == flow->held_back || is_of_merged(flow, line, &name);
}

/* Sends the rows of the file but for those that came before. */
static enum err send_aside(struct import_flow *flow, struct import_aside *rows, struct err_msg *msg)
{
        uint64_t next = 0;
        enum err rc = OK;

        while (rc == OK && next < import_aside_end(rows)) {
                const uint64_t at = next;
                struct import_line line;

                rc = import_aside_read(rows, &next, &line, msg);
                if (rc == OK && is_to_be_noted(flow, rows, &line))
                        rc = defer_as_root(flow, &line, at, msg);
                else if (rc == OK)
                        rc = import_send_row(flow->send, &line, msg);
        }
        return rc == OK ? settle(flow, rows, msg) : rc;
}

/* ---- the same in a dry run ---- */

/* Whom the row needs to be known: its student, or the one that another is merged into. */
static struct slice needed_student(const struct import_line *line)
{
        struct slice student = SLICE_EMPTY;

        if (!value_member_text(line->row, is_merge(line) ? "into" : "student", &student))
                return SLICE_EMPTY;
        return student.len > IMPORT_NAME_MAX ? SLICE_EMPTY : student;
}

static enum err judge_orphan(
        struct import_flow *flow, const struct mark_set *students, const struct import_line *line, struct err_msg *msg)
{
        const struct reject unknown = reject_of(REJECT_STUDENT, is_merge(line) ? "into" : "student");
        const struct mark mark = student_mark(flow, needed_student(line));

        switch (mark_set_ask(students, &mark)) {
        case MARK_NOT_LOADED: break; /* another turn will know */
        case MARK_PRESENT: import_report_counts(flow->config.report, line->table)->written++; break;
        case MARK_ABSENT: return leave_out(flow, line, &unknown, msg);
        }
        return OK;
}

/* What is asked of each row from a place of a file on. */
struct inquest {
        struct import_aside *rows;
        uint64_t from;
        enum err (*judge)(struct import_flow *flow, const struct mark_set *students, const struct import_line *line,
                struct err_msg *msg);
};

static enum err judge_turn(
        struct import_flow *flow, const struct mark_set *students, const struct inquest *inquest, struct err_msg *msg)
{
        uint64_t at = inquest->from;
        struct import_line line;
        enum err rc = OK;

        while (rc == OK && at < import_aside_end(inquest->rows)) {
                rc = import_aside_read(inquest->rows, &at, &line, msg);
                if (rc == OK)
                        rc = inquest->judge(flow, students, &line, msg);
        }
        return rc;
}

static enum err judge_all(struct import_flow *flow, const struct inquest *inquest, struct err_msg *msg)
{
        struct mark_set *students;
        bool loaded = true;
        enum err rc = OK;

        if (mark_set_create(&students, flow->students, flow->config.memory) != OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        while (rc == OK && loaded) {
                rc = mark_set_next(students, &loaded, msg);
                if (rc == OK && loaded)
                        rc = judge_turn(flow, students, inquest, msg);
        }
        mark_set_destroy(&students);
        return rc;
}

/* A merge whose `into` would be known makes its student known. */
static enum err note_merged(
        struct import_flow *flow, const struct mark_set *students, const struct import_line *line, struct err_msg *msg)
{
        const struct mark into = student_mark(flow, needed_student(line));
        struct import_name name;
        struct mark mark;

        if (mark_set_ask(students, &into) != MARK_PRESENT || !import_name_of(line->table, line->row, &name))
                return OK;
        mark = student_mark(flow, name.student);
        return buf_append(&flow->merged_now, &mark, sizeof(mark)) == OK ? OK : err_set(msg, ERR_NOMEM, "out of memory");
}

/* Merges from that place of their file on, which wait for students. As one may wait for another, they are asked again
 * while more of them than before have whom they need. */
static enum err judge_merges(struct import_flow *flow, uint64_t from, struct err_msg *msg)
{
        const struct inquest note = {.rows = flow->merges, .from = from, .judge = note_merged};
        const struct inquest judge = {.rows = flow->merges, .from = from, .judge = judge_orphan};
        size_t before;
        enum err rc;

        do {
                before = buf_len(&flow->merged_now);
                buf_truncate(&flow->merged_now, 0);
                rc = judge_all(flow, &note, msg);
                for (size_t at = 0; rc == OK && at < buf_len(&flow->merged_now); at += sizeof(struct mark)) {
                        struct mark mark;

                        memcpy(&mark, buf_slice(&flow->merged_now).data + at, sizeof(mark));
                        rc = mark_log_add(flow->students, &mark, msg);
                }
        } while (rc == OK && buf_len(&flow->merged_now) > before);
        return rc == OK ? judge_all(flow, &judge, msg) : rc;
}

static enum err try_rest(struct import_flow *flow, struct err_msg *msg)
{
        const struct inquest orphans = {.rows = flow->orphans, .judge = judge_orphan};
        uint64_t merges = import_aside_end(flow->merges);
        uint64_t sent;
        enum err rc = send_merges(flow, 0, merges, &sent, msg);

        if (rc == OK)
                rc = send_aside(flow, flow->held_back, msg);
        if (rc == OK && import_aside_end(flow->merges) > merges)
                rc = judge_merges(flow, merges, msg);
        return rc == OK && import_aside_end(flow->orphans) > 0 ? judge_all(flow, &orphans, msg) : rc;
}

/* ---- the end ---- */

/* Rows that were held back came after their merge; orphans of merged students came before it, so they are the first. */
static enum err send_rest(struct import_flow *flow, struct err_msg *msg)
{
        enum err rc = merge_all(flow, msg);

        if (rc == OK)
                rc = send_aside(flow, flow->orphans, msg);
        return rc == OK ? send_aside(flow, flow->held_back, msg) : rc;
}

enum err import_flow_finish(struct import_flow *flow, struct err_msg *msg)
{
        enum err rc = let_go(flow, msg);

        if (rc == OK)
                rc = import_send_finish(flow->send, msg);
        if (rc == OK)
                rc = settle(flow, flow->doubtful, msg);
        if (rc != OK)
                return rc;
        return flow->config.dry_run ? try_rest(flow, msg) : send_rest(flow, msg);
}
