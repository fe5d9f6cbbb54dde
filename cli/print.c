#include "cli/print.h"

#include "database/value_json.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { INDENT = 2, GAP = 2, COLUMNS_MAX = 32, COLUMN_WIDTH_MAX = 40, NAME_WIDTH_MAX = 24, DEPTH_MAX = 16 };

size_t print_width(FILE *out)
{
        struct winsize size;

        if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
                return size.ws_col;
        return 100;
}

enum err print_json(FILE *out, struct slice value)
{
        struct buf json;
        enum err rc;

        buf_init(&json, 0);
        rc = value_to_json(value, &json);
        if (rc == OK)
                fprintf(out, "%.*s\n", SLICE_ARG(buf_slice(&json)));
        buf_deinit(&json);
        return rc;
}

/* ---- text ---- */

/* Characters of valid UTF-8, as an estimate of the columns they take. */
static size_t text_width(struct slice text)
{
        size_t width = 0;

        for (size_t i = 0; i < text.len; i++)
                width += (text.data[i] & 0xc0) != 0x80 ? 1 : 0;
        return width;
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* C0, DEL, and C1, which is 0xc2 0x80 to 0xc2 0x9f in UTF-8. */
static void print_text(FILE *out, struct slice text)
{
        for (size_t i = 0; i < text.len; i++) {
                uint8_t c = text.data[i];
                bool c1 = c == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0;

                fputc(c < 0x20 || c == 0x7f || c1 ? '?' : c, out);
                i += c1 ? 1 : 0;
        }
}

/* Where the text is to be cut, so that no character is cut within. */
static size_t plain_length(const char *text, size_t size)
{
        size_t len = strnlen(text, size);

        if (len < size)
                return len;
        for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
                continue;
        return len;
}

void print_plain(char *out, size_t size, const char *text)
{
        size_t len = plain_length(text, size);
        bool utf8 = slice_is_utf8(slice_of(text, len));

        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];
                bool c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;

                out[i] = (char)(c < 0x20 || c == 0x7f || c1 || (c >= 0x80 && !utf8) ? '?' : c);
                if (c1)
                        out[++i] = '?';
        }
        out[len] = '\0';
}

static void print_padding(FILE *out, size_t count)
{
        fprintf(out, "%*s", (int)count, "");
}

/* A scalar as text: text as it is, the rest in JSON. Nil is "-". `room` backs what is not text. */
static enum err scalar_text(struct slice item, struct buf *room, struct slice *text)
{
        struct value v;
        enum err rc;

        if (!value_of(item, &v))
                return ERR_CORRUPT;
        buf_truncate(room, 0);
        if (v.kind == VALUE_TEXT)
                *text = v.as.text;
        if (v.kind == VALUE_TEXT)
                return OK;
        rc = v.kind == VALUE_NIL ? buf_append_str(room, "-") : value_to_json(item, room);
        *text = buf_slice(room);
        return rc;
}

static enum value_kind kind_of(struct slice item)
{
        struct value v;

        return value_of(item, &v) ? v.kind : VALUE_NIL;
}

static bool is_scalar(struct slice item)
{
        enum value_kind kind = kind_of(item);

        return kind != VALUE_LIST && kind != VALUE_MAP;
}

/* ---- tables ---- */

struct column {
        struct slice name;
        size_t width;
};

struct table {
        struct column columns[COLUMNS_MAX];
        size_t count;
        size_t shown; /* columns that fit; the rest is named below */
        bool more;    /* there are columns that not even have a place in `columns` */
        size_t indent;
        size_t width;
        struct buf *room;
};

/* What a reader must see, however narrow the screen is, and what says the least: hashes. Others stand in between. */
static const char *const SEEN[] = {"display", "severity", "status", "no_known", "criticality", "chronic"};
static const char *const LEAST[] = {"encounter", "id"};

enum {
        SEEN_COUNT = sizeof(SEEN) / sizeof(SEEN[0]),
        LEAST_COUNT = sizeof(LEAST) / sizeof(LEAST[0]),
        ALWAYS_SHOWN = 3 /* the first of SEEN: the terminal breaks the line rather than that one is missing */
};

static int weight(struct slice name)
{
        for (int i = 0; i < SEEN_COUNT; i++)
                if (slice_equal(name, slice_str(SEEN[i])))
                        return i;
        for (int i = 0; i < LEAST_COUNT; i++)
                if (slice_equal(name, slice_str(LEAST[i])))
                        return SEEN_COUNT + 1 + i;
        return SEEN_COUNT;
}

/* Room for one more column; in a full table, in place of one that need not be seen. NULL: there is none. */
static struct column *make_column(struct table *t, struct slice name)
{
        if (t->count < COLUMNS_MAX)
                return &t->columns[t->count++];
        t->more = true;
        for (size_t i = t->count; weight(name) < SEEN_COUNT && i > 0; i--)
                if (weight(t->columns[i - 1].name) >= SEEN_COUNT)
                        return &t->columns[i - 1];
        return NULL;
}

static struct column *find_column(struct table *t, struct slice name)
{
        struct column *column;

        for (size_t i = 0; i < t->count; i++)
                if (slice_equal(t->columns[i].name, name))
                        return &t->columns[i];
        column = make_column(t, name);
        if (column != NULL)
                *column = (struct column){.name = name, .width = least(text_width(name), COLUMN_WIDTH_MAX)};
        return column;
}

static enum err measure_row(struct table *t, struct slice row)
{
        struct value_iter members;
        struct slice name;
        struct slice item;
        struct slice text;

        if (!value_iter_init(&members, row, VALUE_MAP))
                return ERR_CORRUPT;
        while (value_next_member(&members, &name, &item)) {
                struct column *column = is_scalar(item) ? find_column(t, name) : NULL;
                enum err rc;

                if (column == NULL)
                        continue;
                rc = scalar_text(item, t->room, &text);
                if (rc != OK)
                        return rc;
                if (text_width(text) > column->width)
                        column->width = least(text_width(text), COLUMN_WIDTH_MAX);
        }
        return OK;
}

/* By weight; those of equal weight stay in the records' order. */
static void sort_columns(struct table *t)
{
        for (size_t i = 1; i < t->count; i++) {
                struct column moved = t->columns[i];
                size_t at = i;

                for (; at > 0 && weight(t->columns[at - 1].name) > weight(moved.name); at--)
                        t->columns[at] = t->columns[at - 1];
                t->columns[at] = moved;
        }
}

static void choose_columns(struct table *t)
{
        size_t used = t->indent;

        sort_columns(t);
        for (t->shown = 0; t->shown < t->count; t->shown++) {
                used += t->columns[t->shown].width + (t->shown == 0 ? 0 : GAP);
                if (used > t->width && t->shown > 0 && weight(t->columns[t->shown].name) >= ALWAYS_SHOWN)
                        return;
        }
}

/* The text's beginning of so many characters. */
static struct slice cut_text(struct slice text, size_t width)
{
        size_t end = 0;

        while (end < text.len && (width > 0 || (text.data[end] & 0xc0) == 0x80)) {
                width -= (text.data[end] & 0xc0) != 0x80 ? 1 : 0;
                end++;
        }
        return slice_of(text.data, end);
}

static void print_cell(FILE *out, const struct table *t, size_t column, struct slice text)
{
        size_t width = text_width(text);

        if (column == 0)
                print_padding(out, t->indent);
        if (width > t->columns[column].width) {
                width = t->columns[column].width;
                print_text(out, cut_text(text, width - 1));
                fputs("…", out);
        } else {
                print_text(out, text);
        }
        if (column + 1 < t->shown)
                print_padding(out, t->columns[column].width - width + GAP);
        else
                fputc('\n', out);
}

static enum err find_member(struct slice row, struct slice name, struct buf *room, struct slice *text)
{
        struct value_iter members;
        struct slice found;
        struct slice item;

        *text = SLICE_EMPTY;
        if (!value_iter_init(&members, row, VALUE_MAP))
                return ERR_CORRUPT;
        while (value_next_member(&members, &found, &item))
                if (slice_equal(found, name) && is_scalar(item))
                        return scalar_text(item, room, text);
        return OK;
}

static enum err print_row(FILE *out, const struct table *t, struct slice row)
{
        for (size_t i = 0; i < t->shown; i++) {
                struct slice text;
                enum err rc = find_member(row, t->columns[i].name, t->room, &text);

                if (rc != OK)
                        return rc;
                print_cell(out, t, i, text);
        }
        return OK;
}

static void print_left_out(FILE *out, const struct table *t)
{
        if (t->shown == t->count && !t->more)
                return;
        print_padding(out, t->indent);
        fprintf(out, "(not shown for want of width:");
        for (size_t i = t->shown; i < t->count; i++) {
                fputs(i == t->shown ? " " : ", ", out);
                print_text(out, t->columns[i].name);
        }
        fprintf(out, "%s)\n", t->more ? ", and others" : "");
}

static enum err print_table(FILE *out, struct slice list, struct table *t)
{
        struct value_iter rows;
        struct slice row;
        enum err rc = OK;

        if (!value_iter_init(&rows, list, VALUE_LIST))
                return ERR_CORRUPT;
        while (rc == OK && value_next(&rows, &row))
                rc = measure_row(t, row);
        choose_columns(t);
        for (size_t i = 0; rc == OK && i < t->shown; i++)
                print_cell(out, t, i, t->columns[i].name);
        if (!value_iter_init(&rows, list, VALUE_LIST))
                return ERR_CORRUPT;
        while (rc == OK && value_next(&rows, &row))
                rc = print_row(out, t, row);
        print_left_out(out, t);
        return rc;
}

/* ---- anything ---- */

struct printer {
        FILE *out;
        size_t width;
        struct buf room;
};

static enum err print_any(struct printer *p, struct slice item, size_t depth);

static bool all_maps(struct slice list)
{
        struct value_iter iter;
        struct slice item;

        if (!value_iter_init(&iter, list, VALUE_LIST))
                return false;
        while (value_next(&iter, &item))
                if (kind_of(item) != VALUE_MAP)
                        return false;
        return true;
}

static enum err print_list(struct printer *p, struct slice list, size_t depth)
{
        struct table table = {.indent = depth * INDENT, .width = p->width, .room = &p->room};
        struct value_iter iter;
        struct slice item;
        enum err rc = OK;

        if (!value_iter_init(&iter, list, VALUE_LIST))
                return ERR_CORRUPT;
        if (iter.left == 0) {
                print_padding(p->out, depth * INDENT);
                fprintf(p->out, "nothing recorded\n");
                return OK;
        }
        if (all_maps(list))
                return print_table(p->out, list, &table);
        while (rc == OK && value_next(&iter, &item))
                rc = print_any(p, item, depth);
        return rc;
}

static enum err print_scalar(struct printer *p, struct slice item)
{
        struct slice text;
        enum err rc = scalar_text(item, &p->room, &text);

        if (rc != OK)
                return rc;
        print_text(p->out, text);
        fputc('\n', p->out);
        return OK;
}

static enum err print_member(struct printer *p, struct slice name, struct slice item, size_t depth)
{
        size_t width = text_width(name);

        print_padding(p->out, depth * INDENT);
        print_text(p->out, name);
        if (!is_scalar(item)) {
                fputc('\n', p->out);
                return print_any(p, item, depth + 1);
        }
        print_padding(p->out, width < NAME_WIDTH_MAX ? NAME_WIDTH_MAX - width : 1);
        return print_scalar(p, item);
}

static enum err print_any(struct printer *p, struct slice item, size_t depth)
{
        struct value_iter members;
        struct slice name;
        struct slice member;
        enum err rc = OK;

        if (depth > DEPTH_MAX)
                return print_json(p->out, item);
        if (kind_of(item) == VALUE_LIST)
                return print_list(p, item, depth);
        if (!value_iter_init(&members, item, VALUE_MAP)) {
                print_padding(p->out, depth * INDENT);
                return print_scalar(p, item);
        }
        while (rc == OK && value_next_member(&members, &name, &member))
                rc = print_member(p, name, member, depth);
        return rc;
}

enum err print_human(FILE *out, struct slice value, size_t width)
{
        struct printer printer = {.out = out, .width = width};
        enum err rc;

        buf_init(&printer.room, 0);
        rc = print_any(&printer, value, 0);
        buf_deinit(&printer.room);
        return rc;
}
