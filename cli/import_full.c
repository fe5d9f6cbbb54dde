/* What the server has and the input had not.
 *
 * The problem. The server's records come in the order of its keys, by EXPORT; the names of what came are hashes in a
 * log on disk (cli/mark_log.h), in no order, and either may be more than fits into memory.
 *
 * The idea. As many parts of the log as fit are loaded, and all records are walked through; each is judged in the turn
 * in which the part of its name is loaded, and passed over in the others. With 64 MB a turn takes eight million names,
 * so nearly every import needs one turn, and a larger one a few more. No record is kept for that: the row is at hand
 * when it is judged.
 *
 * Why not the obvious. To write the server's names to a log, too, and to join the two part by part would take one walk
 * only, but then a record that is missing would be a hash without the row, which is wanted in the file of missing
 * records, and without the id, which is needed to remove it.
 *
 * Merged students. A record that came for A is kept for B when A was merged into B. So a record of B that did not come
 * under B's id may have come under A's. Such rows are put aside and looked for under the other ids, in turns of their
 * own.
 *
 * Students. With a student go all records, those that came among them. So one of whom any record came, under whichever
 * id, is not removed: the input contradicts itself, and a student too many harms less than records that are lost.
 *
 * Care. Nothing is removed before all is compared. What cannot be judged stays: tables of which no row came, tables of
 * which a row was left out (the one that is missing may be the one that could not be read), and all tables when a line
 * was left out that may be of any. And when more than half of a large table is missing, the files are more likely those
 * of somebody else, or not all of them, than so many records are gone: then nothing is removed of any table, unless
 * that is said to be right. */
#include "cli/import_full.h"

#include "base/buf.h"
#include "cli/export_walk.h"
#include "cli/import_aside.h"
#include "cli/import_erase.h"
#include "cli/import_merged.h"
#include "cli/mark_set.h"
#include "import/row_json.h"

/* Fewer than these may be removed whatever their share: a small table may well change as a whole. */
enum { FEW = 100 };

struct comparison {
        const struct import_full *full;
        struct import_merged *merged;
        struct import_erase *erase;
        struct mark_set *names;         /* of what came, or of whom records came: the parts that are loaded */
        struct import_aside *elsewhere; /* rows that may have come under another id of the student */
        struct import_aside *gone;      /* rows to be removed */
        struct import_aside *students;  /* to be removed last, with all their records */
        struct import_aside *sought;    /* that of them which is looked for */
        struct buf found;               /* for each row of it a byte: 1 when its name, or another of it, came */
};

/* ---- what is done with a record that did not come ---- */

/* Tables that are compared: those of which rows came. */
static bool is_compared(const struct import_counts *counts)
{
        return counts->rows > 0 && strcmp(counts->table, REPORT_TABLE_UNKNOWN) != 0;
}

static enum err write_missing(struct comparison *c, const char *table, struct slice row, struct err_msg *msg)
{
        enum err rc;

        if (!line_file_wanted(c->full->missing))
                return OK;
        rc = row_json_put(table, row, line_file_begin(c->full->missing));
        return rc == OK ? line_file_add(c->full->missing, msg)
                        : err_set(msg, rc, "cannot keep a missing record: %s", err_text(rc));
}

static enum err take_missing(struct comparison *c, const struct import_line *line, struct err_msg *msg)
{
        const bool students = strcmp(line->table, "students") == 0;
        uint64_t at;
        enum err rc = write_missing(c, line->table, line->row, msg);

        import_report_counts(c->full->report, line->table)->missing++;
        if (rc != OK || !c->full->replace || !import_report_replaces(c->full->report, line->table))
                return rc;
        return import_aside_add(students ? c->students : c->gone, line, &at, msg);
}

/* ---- rows of the server ---- */

static bool has_prefix(const struct comparison *c, struct slice student)
{
        struct slice prefix = c->full->prefix;

        return student.len >= prefix.len && slice_equal(slice_of(student.data, prefix.len), prefix);
}

static enum mark_answer ask(const struct comparison *c, const struct import_name *name)
{
        const struct mark mark = import_seen_mark(c->full->seen, name, SLICE_EMPTY);

        return mark_set_ask(c->names, &mark);
}

/* A row that did not come under its own name. */
static enum err judge_absent(
        struct comparison *c, const struct import_name *name, const struct import_line *line, struct err_msg *msg)
{
        const struct slice *ids;
        uint64_t at;

        if (import_merged_is(c->merged, name->student)) /* part of another one, and gone with that one alone */
                return OK;
        if (import_merged_into(c->merged, name->student, &ids) == 0)
                return take_missing(c, line, msg);
        return import_aside_add(c->elsewhere, line, &at, msg);
}

static enum err judge_row(void *context, const struct export_row *row, struct err_msg *msg)
{
        struct comparison *c = context;
        const struct import_line line = {.table = row->table, .row = row->row};
        struct import_name name;
        enum mark_answer answer;

        if (!import_name_of(row->table, row->row, &name) || !has_prefix(c, name.student))
                return OK;
        answer = ask(c, &name);
        import_report_counts(c->full->report, row->table)->stored += answer == MARK_NOT_LOADED ? 0 : 1;
        return answer == MARK_ABSENT ? judge_absent(c, &name, &line, msg) : OK;
}

static enum err walk_table(struct comparison *c, const char *table, struct err_msg *msg)
{
        const struct export_walk walk = {.conn = c->full->conn, .table = table, .visit = judge_row, .context = c};
        enum err rc = export_walk(&walk, msg);

        return rc == ERR_NOTFOUND ? OK : rc; /* its rows were left out, and that was told */
}

/* ---- turns ---- */

static enum err walk_tables(struct comparison *c, struct err_msg *msg)
{
        const struct import_report *report = c->full->report;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < report->table_count; i++)
                if (is_compared(&report->tables[i]))
                        rc = walk_table(c, report->tables[i].table, msg);
        return rc;
}

/* Looks for one row under all ids of its student. */
static void look_for(struct comparison *c, const struct import_line *line, uint8_t *found)
{
        const struct slice *ids;
        struct import_name name;
        size_t count;

        if (!import_name_of(line->table, line->row, &name))
                return;
        if (ask(c, &name) == MARK_PRESENT)
                *found = 1;
        count = import_merged_into(c->merged, name.student, &ids);
        for (size_t i = 0; i < count; i++) {
                bool is_student = slice_equal(name.table, slice_str("students"));

                name.student = ids[i];
                if (is_student)
                        name.id = ids[i];
                if (ask(c, &name) == MARK_PRESENT)
                        *found = 1;
        }
}

static enum err look_for_all(struct comparison *c, struct err_msg *msg)
{
        uint64_t at = 0;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && at < import_aside_end(c->sought); i++) {
                const uint8_t no = 0;
                struct import_line line;

                if (i == buf_len(&c->found) && buf_append(&c->found, &no, 1) != OK)
                        return err_set(msg, ERR_NOMEM, "out of memory");
                rc = import_aside_read(c->sought, &at, &line, msg);
                if (rc == OK)
                        look_for(c, &line, c->found.data + c->found.start + i);
        }
        return rc;
}

static enum err take_not_found(struct comparison *c, struct err_msg *msg)
{
        uint64_t at = 0;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && at < import_aside_end(c->elsewhere); i++) {
                struct import_line line;

                rc = import_aside_read(c->elsewhere, &at, &line, msg);
                if (rc == OK && buf_slice(&c->found).data[i] == 0)
                        rc = take_missing(c, &line, msg);
        }
        return rc;
}

/* Calls `turn` with all parts of the log of names, one after the other. */
static enum err take_turns(struct comparison *c, const struct mark_log *names,
        enum err (*turn)(struct comparison *c, struct err_msg *msg), struct err_msg *msg)
{
        bool loaded = true;
        enum err rc = OK;

        if (mark_set_create(&c->names, names, c->full->memory) != OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        while (rc == OK && loaded) {
                rc = mark_set_next(c->names, &loaded, msg);
                if (rc == OK && loaded)
                        rc = turn(c, msg);
        }
        mark_set_destroy(&c->names);
        return rc;
}

/* Which of the rows are in the log of names, under any id of their student: c->found says it afterwards. */
static enum err look_up(
        struct comparison *c, struct import_aside *rows, const struct mark_log *names, struct err_msg *msg)
{
        c->sought = rows;
        buf_truncate(&c->found, 0);
        return import_aside_end(rows) == 0 ? OK : take_turns(c, names, look_for_all, msg);
}

/* ---- removing ---- */

static bool is_too_much(const struct import_counts *counts)
{
        return counts->missing >= FEW && counts->missing > counts->stored / 2;
}

/* Whether so much is missing that it looks like a mistake. The report says so, and of which table. */
static bool looks_wrong(const struct comparison *c)
{
        struct import_report *report = c->full->report;

        if (c->full->replace_most)
                return false;
        for (size_t i = 0; i < report->table_count && report->too_much == NULL; i++)
                if (import_report_replaces(report, report->tables[i].table) && is_too_much(&report->tables[i]))
                        report->too_much = &report->tables[i];
        return report->too_much != NULL;
}

static enum err erase_row(struct comparison *c, const struct import_line *line, struct err_msg *msg)
{
        struct import_name name;

        if (!import_name_of(line->table, line->row, &name))
                return OK;
        if (!c->full->dry_run)
                return import_erase_add(c->erase, &name, msg);
        import_report_counts(c->full->report, line->table)->erased++;
        return OK;
}

static enum err erase_gone(struct comparison *c, struct err_msg *msg)
{
        uint64_t at = 0;
        enum err rc = OK;

        while (rc == OK && at < import_aside_end(c->gone)) {
                struct import_line line;

                rc = import_aside_read(c->gone, &at, &line, msg);
                if (rc == OK)
                        rc = erase_row(c, &line, msg);
        }
        return rc;
}

/* Those who were found stay: records of theirs came. */
static enum err erase_students(struct comparison *c, struct err_msg *msg)
{
        uint64_t at = 0;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && at < import_aside_end(c->students); i++) {
                struct import_line line;

                rc = import_aside_read(c->students, &at, &line, msg);
                if (rc == OK && buf_slice(&c->found).data[i] != 0)
                        c->full->report->kept_students++;
                else if (rc == OK)
                        rc = erase_row(c, &line, msg);
        }
        return rc;
}

static enum err erase_missing(struct comparison *c, struct err_msg *msg)
{
        enum err rc;

        if (!c->full->replace || looks_wrong(c))
                return OK;
        rc = look_up(c, c->students, c->full->owners, msg);
        if (rc == OK)
                rc = erase_gone(c, msg);
        if (rc == OK)
                rc = erase_students(c, msg);
        return rc == OK ? import_erase_finish(c->erase, msg) : rc;
}

/* ---- all of it ---- */

static enum err compare(struct comparison *c, struct err_msg *msg)
{
        const struct mark_log *came = import_seen_came(c->full->seen);
        enum err rc = take_turns(c, came, walk_tables, msg);

        if (rc == OK)
                rc = look_up(c, c->elsewhere, came, msg);
        if (rc == OK)
                rc = take_not_found(c, msg);
        return rc == OK ? erase_missing(c, msg) : rc;
}

static enum err create_asides(struct comparison *c, struct err_msg *msg)
{
        enum err rc = import_aside_create(&c->elsewhere);

        if (rc == OK)
                rc = import_aside_create(&c->gone);
        if (rc == OK)
                rc = import_aside_create(&c->students);
        return rc == OK ? OK : err_set(msg, rc, "out of memory");
}

static enum err load_merged(struct comparison *c, struct err_msg *msg)
{
        enum err rc = import_merged_create(&c->merged, c->full->seed);

        if (rc == OK)
                rc = import_merged_load(c->merged, c->full->conn, msg);
        else
                (void)err_set(msg, rc, "out of memory");
        if (rc == OK && import_merged_list(c->merged) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        return rc;
}

enum err import_full_run(const struct import_full *full, struct err_msg *msg)
{
        struct comparison c = {.full = full};
        enum err rc = load_merged(&c, msg);

        buf_init(&c.found, 0);
        if (rc == OK)
                rc = import_erase_create(&c.erase, full->conn, full->report, msg);
        if (rc == OK)
                rc = create_asides(&c, msg);
        if (rc == OK)
                rc = compare(&c, msg);
        import_aside_destroy(&c.elsewhere);
        import_aside_destroy(&c.gone);
        import_aside_destroy(&c.students);
        import_erase_destroy(&c.erase);
        import_merged_destroy(&c.merged);
        buf_deinit(&c.found);
        return rc;
}
