/* The way of a row:
 *
 *      reader -> import_flow_row -> seen? --surely not--> import_send -> server --taken--> counted
 *                                    |                                   |
 *                                 perhaps                        student unknown
 *                                    |                                   |
 *                                 doubtful                            orphans       (files: cli/import_aside.h)
 *
 * and when the input has ended (import_flow_finish):
 *
 *      doubtful -> import_seen_settle --first after all--> import_send
 *                                     --equal-----------> counted as a duplicate
 *                                     --different-------> left out
 *      orphans  -> import_send once more: by now all students of the input are in -> taken, or left out
 *
 * A dry run writes no students, so there the orphans are not sent again: their students are looked for among those that
 * the server would have taken. */
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
        struct import_aside *orphans;
        uint64_t orphan_count;
        struct mark_log *students; /* dry run: those that would be there */
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
        flow->orphan_count++;
        return import_aside_add(flow->orphans, line, &at, msg);
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
                rc = import_aside_create(&flow->orphans);
        return rc == OK ? mark_log_create(&flow->students) : rc;
}

enum err import_flow_create(struct import_flow **out, const struct import_flow_config *config, struct err_msg *msg)
{
        struct import_flow *flow = vc_calloc(1, sizeof(*flow));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (flow != NULL) {
                flow->config = *config;
                buf_init(&flow->held.row, 0);
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
        import_seen_destroy(&(*flow)->seen);
        import_merged_destroy(&(*flow)->merged);
        import_aside_destroy(&(*flow)->doubtful);
        import_aside_destroy(&(*flow)->orphans);
        mark_log_destroy(&(*flow)->students);
        vc_free(*flow);
        *flow = NULL;
}

const struct import_seen *import_flow_seen(const struct import_flow *flow)
{
        return flow->seen;
}

/* ---- while the input is read ---- */

/* The ticket of a doubtful row is its place, plus one. */
static enum err put_in_doubt(
        struct import_flow *flow, const struct import_line *line, struct mark mark, struct err_msg *msg)
{
        uint64_t at;
        enum err rc = import_aside_add(flow->doubtful, line, &at, msg);

        mark.ticket = at + 1;
        return rc == OK ? import_seen_defer(flow->seen, &mark, msg) : rc;
}

/* The mark that a row is noted by. Records of ids that are one person have one name, as the server keeps one of them;
 * the rows that say who there is, and who is whom, are of the id that stands in them. */
static struct mark mark_of(const struct import_flow *flow, struct import_name name, const struct import_line *line)
{
        const struct slice student = name.student;
        struct mark mark;

        if (is_merge(line) || is_student(line))
                return import_seen_mark(flow->seen, &name, line->row);
        name.student = import_merged_root(flow->merged, student);
        mark = import_seen_mark(flow->seen, &name, SLICE_EMPTY);
        mark.content = import_seen_content(flow->seen, line->row, student);
        return mark;
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
        return verdict == SEEN_NEW ? import_send_row(flow->send, &held->line, msg)
                                   : put_in_doubt(flow, &held->line, held->mark, msg);
}

enum err import_flow_row(struct import_flow *flow, const struct import_line *line, struct err_msg *msg)
{
        struct held *held = &flow->held;
        struct import_name name;
        struct mark mark;
        enum err rc;

        if (!import_name_of(line->table, line->row, &name)) /* the server will say what is wrong */
                return import_send_row(flow->send, line, msg);
        mark = mark_of(flow, name, line);
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
        struct err_msg *msg;
};

static enum err settle_one(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        static const struct reject differs = {.reason = REJECT_DUPLICATE};
        const struct settling *settling = context;
        struct import_flow *flow = settling->flow;
        struct import_line line;
        uint64_t at = ticket - 1;
        enum err rc = import_aside_read(flow->doubtful, &at, &line, settling->msg);

        if (rc != OK)
                return rc;
        if (verdict == SEEN_NEW)
                return import_send_row(flow->send, &line, settling->msg);
        if (verdict == SEEN_DIFFERENT)
                return leave_out(flow, &line, &differs, settling->msg);
        import_report_counts(flow->config.report, line.table)->duplicate++;
        return OK;
}

static enum err settle_doubtful(struct import_flow *flow, struct err_msg *msg)
{
        struct settling settling = {.flow = flow, .msg = msg};
        enum err rc = import_seen_settle(flow->seen, settle_one, &settling, msg);

        return rc == OK ? import_send_finish(flow->send, msg) : rc;
}

/* ---- rows of unknown students, once more ---- */

/* A part of the orphans' file, and which of its rows. */
struct orphans {
        uint64_t from;
        uint64_t to;
        bool merges; /* those that merge students, or all others */
};

/* Sends them, and waits for what the server says; *sent is how many they were. */
static enum err send_orphans(
        struct import_flow *flow, const struct orphans *orphans, uint64_t *sent, struct err_msg *msg)
{
        uint64_t at = orphans->from;
        struct import_line line;
        enum err rc = OK;

        *sent = 0;
        while (rc == OK && at < orphans->to) {
                rc = import_aside_read(flow->orphans, &at, &line, msg);
                if (rc != OK || is_merge(&line) != orphans->merges)
                        continue;
                (*sent)++;
                rc = import_send_row(flow->send, &line, msg);
        }
        return rc == OK ? import_send_finish(flow->send, msg) : rc;
}

/* Merges go first, as they make students known by other names. Each may wait for another one (A into B, B into C), so
 * they are sent again until none of those that are left goes in. Those that the server leaves out again stand behind
 * the others in the file. */
static enum err retry_merges(struct import_flow *flow, struct err_msg *msg)
{
        struct orphans merges = {.from = 0, .to = import_aside_end(flow->orphans), .merges = true};
        uint64_t sent;
        uint64_t left;
        enum err rc;

        do {
                uint64_t before = flow->orphan_count;

                rc = send_orphans(flow, &merges, &sent, msg);
                left = flow->orphan_count - before;
                merges.from = merges.to;
                merges.to = import_aside_end(flow->orphans);
        } while (rc == OK && left > 0 && left < sent);
        flow->last = true;
        return rc == OK ? send_orphans(flow, &merges, &sent, msg) : rc;
}

static enum err retry_orphans(struct import_flow *flow, struct err_msg *msg)
{
        const struct orphans others = {.from = 0, .to = import_aside_end(flow->orphans), .merges = false};
        uint64_t sent;
        enum err rc = retry_merges(flow, msg);

        return rc == OK ? send_orphans(flow, &others, &sent, msg) : rc;
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

/* Students who would be known by another's row, once that is known. */
static enum err add_merged(struct import_flow *flow, struct err_msg *msg)
{
        uint64_t at = 0;
        struct import_line line;
        enum err rc = OK;

        while (rc == OK && at < import_aside_end(flow->orphans)) {
                rc = import_aside_read(flow->orphans, &at, &line, msg);
                if (rc == OK && is_merge(&line))
                        rc = take_student(flow, &line, msg);
        }
        return rc;
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

static enum err judge_turn(struct import_flow *flow, const struct mark_set *students, struct err_msg *msg)
{
        uint64_t at = 0;
        struct import_line line;
        enum err rc = OK;

        while (rc == OK && at < import_aside_end(flow->orphans)) {
                rc = import_aside_read(flow->orphans, &at, &line, msg);
                if (rc == OK)
                        rc = judge_orphan(flow, students, &line, msg);
        }
        return rc;
}

static enum err judge_orphans(struct import_flow *flow, struct err_msg *msg)
{
        struct mark_set *students;
        bool loaded = true;
        enum err rc = add_merged(flow, msg);

        if (rc != OK)
                return rc;
        if (mark_set_create(&students, flow->students, flow->config.memory) != OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        while (rc == OK && loaded) {
                rc = mark_set_next(students, &loaded, msg);
                if (rc == OK && loaded)
                        rc = judge_turn(flow, students, msg);
        }
        mark_set_destroy(&students);
        return rc;
}

enum err import_flow_finish(struct import_flow *flow, struct err_msg *msg)
{
        enum err rc = let_go(flow, msg);

        if (rc == OK)
                rc = import_send_finish(flow->send, msg);
        if (rc == OK)
                rc = settle_doubtful(flow, msg);
        if (rc != OK || import_aside_end(flow->orphans) == 0)
                return rc;
        return flow->config.dry_run ? judge_orphans(flow, msg) : retry_orphans(flow, msg);
}
