#include "cli/import_rejects.h"

#include "base/mem.h"
#include "cli/line_file.h"
#include "cli/print.h"
#include "database/value_json.h"

#include <limits.h>

struct import_rejects {
        struct line_file *file;
        struct buf value; /* scratch */
};

enum err import_rejects_create(struct import_rejects **out, const char *path, struct err_msg *msg)
{
        struct import_rejects *rejects = vc_calloc(1, sizeof(*rejects));
        enum err rc;

        *out = NULL;
        if (rejects == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        buf_init(&rejects->value, 0);
        rc = line_file_create(&rejects->file, path, "rejects", msg);
        if (rc == OK)
                *out = rejects;
        else
                import_rejects_destroy(&rejects);
        return rc;
}

void import_rejects_destroy(struct import_rejects **rejects)
{
        if (*rejects == NULL)
                return;
        line_file_destroy(&(*rejects)->file);
        buf_deinit(&(*rejects)->value);
        vc_free(*rejects);
        *rejects = NULL;
}

enum err import_rejects_finish(struct import_rejects *rejects, struct err_msg *msg)
{
        return line_file_finish(rejects->file, msg);
}

/* ---- lines ---- */

static enum err put_path(struct buf *out, const char *path)
{
        char plain[PATH_MAX];

        print_plain(plain, sizeof(plain), path);
        return value_put_member(out, "file", slice_str(plain));
}

/* All members but the origin. */
static enum err put_members(struct buf *out, const char *input, const struct import_bad *bad)
{
        const struct reject *reject = &bad->reject;
        bool whole = reject->field[0] == '\0';
        enum err rc = value_put_map(out, whole ? 4 : 5);

        if (rc == OK)
                rc = put_path(out, input);
        if (rc == OK)
                rc = value_put_str(out, "line");
        if (rc == OK)
                rc = value_put_int(out, (int64_t)bad->line);
        if (rc == OK && !whole)
                rc = value_put_member(out, "field", slice_str(reject->field));
        if (rc == OK)
                rc = value_put_member(out, "reason", slice_str(reject_word(reject->reason)));
        return rc == OK ? value_put_member(out, "text", slice_str(reject_text(reject->reason))) : rc;
}

/* Appends the line: the members' JSON, its last brace moved behind the origin, which is JSON already. */
static enum err put_line(struct import_rejects *r, const char *input, const struct import_bad *bad)
{
        struct buf *line = line_file_begin(r->file);
        enum err rc;

        buf_truncate(&r->value, 0);
        rc = put_members(&r->value, input, bad);
        if (rc == OK)
                rc = value_to_json(buf_slice(&r->value), line);
        if (rc != OK || bad->origin.len == 0)
                return rc;
        buf_truncate(line, buf_len(line) - 1);
        rc = buf_append_str(line, ",\"origin\":");
        if (rc == OK)
                rc = buf_append_slice(line, bad->origin);
        return rc == OK ? buf_append_str(line, "}") : rc;
}

bool import_rejects_wanted(const struct import_rejects *rejects)
{
        return line_file_wanted(rejects->file);
}

enum err import_rejects_add(
        struct import_rejects *rejects, const char *input, const struct import_bad *bad, struct err_msg *msg)
{
        enum err rc;

        if (!import_rejects_wanted(rejects))
                return OK;
        rc = put_line(rejects, input, bad);
        if (rc != OK)
                return err_set(msg, rc, "cannot keep a reject: %s", err_text(rc));
        return line_file_add(rejects->file, msg);
}

uint64_t import_rejects_count(const struct import_rejects *rejects)
{
        return line_file_count(rejects->file);
}
