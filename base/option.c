#include "base/option.h"

#include "base/mem.h"
#include "base/quantity.h"
#include "base/suggest.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX = 40, MODE_MAX = 0777 };

struct option {
        struct option_value value;
        void *memory; /* of its texts */
        struct option_origin origin;
        char *file; /* the origin's name, when it is a file's */
};

struct option_set {
        const struct option_row *rows;
        int count;
        struct option options[];
};

/* ---- values from text: each message continues "<name> …" ---- */

static enum quantity_kind kind_of(enum option_type type)
{
        switch (type) {
        case OPTION_DURATION: return QUANTITY_DURATION;
        case OPTION_SIZE: return QUANTITY_SIZE;
        default: return QUANTITY_NUMBER;
        }
}

static enum err parse_bool(struct slice text, uint64_t *out, struct err_msg *msg)
{
        struct slice shown = slice_of(text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX);

        *out = slice_equal(text, slice_str("true"));
        if (*out == 1 || slice_equal(text, slice_str("false")))
                return OK;
        return err_set(msg, ERR_CONFIG, "is \"%.*s\"; it must be true or false", SLICE_ARG(shown));
}

static uint64_t bound(const struct option_row *row, const char *text)
{
        uint64_t value = 0;

        VC_ASSERT(quantity_parse(kind_of(row->type), slice_str(text), &value, NULL) == OK);
        return value;
}

static enum err parse_quantity(const struct option_row *row, struct slice text, uint64_t *out, struct err_msg *msg)
{
        enum quantity_kind kind = kind_of(row->type);
        enum err rc = quantity_parse(kind, text, out, msg);

        if (rc == OK)
                rc = quantity_check(kind, *out, bound(row, row->min), bound(row, row->max), msg);
        if (rc == OK && row->type == OPTION_POWER && (*out & (*out - 1)) != 0)
                rc = err_set(msg, ERR_CONFIG, "is %" PRIu64 "; it must be a power of two", *out);
        return rc;
}

static enum err parse_mode(struct slice text, uint64_t *out, struct err_msg *msg)
{
        struct slice shown = slice_of(text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
        uint64_t mode = 0;
        bool ok = text.len >= 3 && text.len <= 5;

        for (size_t i = 0; ok && i < text.len; i++) {
                ok = text.data[i] >= '0' && text.data[i] <= '7';
                mode = mode * 8 + (uint64_t)(text.data[i] - '0');
        }
        if (!ok || mode > MODE_MAX)
                return err_set(msg, ERR_CONFIG, "is \"%.*s\"; it must be permissions in octal, such as 0600",
                        SLICE_ARG(shown));
        *out = mode;
        return OK;
}

static enum err not_a_word(const char *words, struct slice text, struct err_msg *msg)
{
        struct slice shown = slice_of(text.data, text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
        struct suggest suggest;
        char list[256] = "";
        size_t used = 0;

        suggest_init(&suggest, text);
        for (const char *at = words; *at != '\0';) {
                struct slice word = slice_of(at, strcspn(at, "|"));

                suggest_offer(&suggest, word);
                used += (size_t)snprintf(
                        list + used, sizeof(list) - used, "%s%.*s", at == words ? "" : ", ", SLICE_ARG(word));
                VC_ASSERT(used < sizeof(list)); /* words are our own */
                at += word.len + (at[word.len] == '|');
        }
        return suggest_append(
                &suggest, err_set(msg, ERR_CONFIG, "is \"%.*s\"; it must be %s", SLICE_ARG(shown), list), msg);
}

static enum err parse_word(const char *words, struct slice text, uint64_t *out, struct err_msg *msg)
{
        const char *at = words;

        for (uint64_t i = 0; *at != '\0'; i++) {
                struct slice word = slice_of(at, strcspn(at, "|"));

                if (slice_equal(text, word)) {
                        *out = i;
                        return OK;
                }
                at += word.len + (at[word.len] == '|');
        }
        return not_a_word(words, text, msg);
}

static enum err parse_number(const struct option_row *row, struct slice text, uint64_t *out, struct err_msg *msg)
{
        switch (row->type) {
        case OPTION_BOOL: return parse_bool(text, out, msg);
        case OPTION_MODE: return parse_mode(text, out, msg);
        case OPTION_WORD: return parse_word(row->unit, text, out, msg);
        default: return parse_quantity(row, text, out, msg);
        }
}

/* ---- texts ---- */

/* The folder that a relative path starts from: the file's in which it is written; "" elsewhere, and for what is no
 * path. */
static struct slice folder_of(enum option_type type, const struct option_origin *origin)
{
        bool starts_there = (type == OPTION_PATH || type == OPTION_PATHS) && origin->source == OPTION_FROM_FILE;
        const char *slash = starts_there ? strrchr(origin->name, '/') : NULL;

        return slash == NULL ? slice_str("") : slice_of(origin->name, (size_t)(slash - origin->name) + 1);
}

/* The room that `text` takes once it is a path. */
static size_t path_size(const char *text, struct slice folder)
{
        return strlen(text) + 1 + (text[0] == '/' || text[0] == '\0' ? 0 : folder.len);
}

static char *put_path(char *to, const char *text, struct slice folder)
{
        if (text[0] != '/' && text[0] != '\0' && folder.len > 0) {
                memcpy(to, folder.data, folder.len);
                to += folder.len;
        }
        memcpy(to, text, strlen(text) + 1);
        return to + strlen(text) + 1;
}

static enum err make_text(const char *text, struct slice folder, struct option *out)
{
        char *copy = vc_malloc(path_size(text, folder));

        if (copy == NULL)
                return ERR_NOMEM;
        (void)put_path(copy, text, folder);
        out->value.text = copy;
        out->memory = copy;
        return OK;
}

/* One block: the pointers, then the texts. */
static enum err make_list(const struct option_list *list, struct slice folder, struct option *out)
{
        size_t size = list->count * sizeof(char *);
        const char **items;
        char *to;

        for (size_t i = 0; i < list->count; i++)
                size += path_size(list->items[i], folder);
        items = vc_malloc(size + 1);
        if (items == NULL)
                return ERR_NOMEM;
        to = (char *)(items + list->count);
        for (size_t i = 0; i < list->count; i++) {
                items[i] = to;
                to = put_path(to, list->items[i], folder);
        }
        out->value.list = (struct option_list){items, list->count};
        out->memory = items;
        return OK;
}

/* Separators become ends of texts. An empty text is no DSN. */
static enum err split_list(enum option_type type, const char *text, struct option *out)
{
        enum { ITEMS_MAX = 64 };
        const char *items[ITEMS_MAX];
        struct option_list list = {items, 0};
        bool none = type == OPTION_DSNS && text[0] == '\0';
        char *copy = vc_strdup(text);
        enum err rc;

        if (copy == NULL)
                return ERR_NOMEM;
        for (char *at = none ? NULL : copy; at != NULL && list.count < ITEMS_MAX; list.count++) {
                char *end = strchr(at, type == OPTION_DSNS ? ';' : ',');

                items[list.count] = at;
                if (end != NULL)
                        *end++ = '\0';
                at = end;
        }
        rc = make_list(&list, slice_str(""), out);
        vc_free(copy);
        return rc;
}

/* ---- assignment ---- */

const char *option_dashes(const struct option_origin *origin)
{
        return strncmp(origin->name, "--", 2) == 0 ? "" : "--";
}

enum err option_blame(const struct option_origin *origin, enum err code, struct err_msg *msg)
{
        switch (origin->source) {
        case OPTION_FROM_FILE: return err_wrap(msg, code, "%s:%u:%u", origin->name, origin->line, origin->column);
        case OPTION_FROM_ENVIRONMENT: return err_wrap(msg, code, "environment variable %s", origin->name);
        case OPTION_FROM_FLAG: return err_wrap(msg, code, "%s%s", option_dashes(origin), origin->name);
        default: return code;
        }
}

static enum err refuse(
        const struct option_row *row, const struct option_origin *origin, enum err rc, struct err_msg *msg)
{
        struct err_msg inner = {"cannot be taken: out of memory"};

        if (rc != ERR_NOMEM && msg != NULL)
                inner = *msg;
        return option_blame(origin, err_set(msg, rc, "%s %s", row->name, inner.text), msg);
}

/* The new value takes the old one's place. */
static enum err take(struct option_set *set, int index, struct option *fresh, const struct option_origin *origin)
{
        struct option *option = &set->options[index];

        fresh->origin = *origin;
        if (origin->source == OPTION_FROM_FILE) {
                fresh->file = vc_strdup(origin->name);
                if (fresh->file == NULL) {
                        vc_free(fresh->memory);
                        return ERR_NOMEM;
                }
                fresh->origin.name = fresh->file;
        }
        vc_free(option->memory);
        vc_free(option->file);
        *option = *fresh;
        return OK;
}

enum err option_assign(
        struct option_set *set, int index, const char *text, const struct option_origin *origin, struct err_msg *msg)
{
        const struct option_row *row = option_row(set, index);
        struct option fresh = {.memory = NULL};
        struct option_list one = {&text, 1};
        enum err rc;

        switch (row->type) {
        case OPTION_TEXT:
        case OPTION_DSN:
        case OPTION_PATH: rc = make_text(text, folder_of(row->type, origin), &fresh); break;
        case OPTION_PATHS:
        case OPTION_DSNS:
                rc = origin->source == OPTION_FROM_FILE ? make_list(&one, folder_of(row->type, origin), &fresh)
                                                        : split_list(row->type, text, &fresh);
                break;
        default: rc = parse_number(row, slice_str(text), &fresh.value.number, msg); break;
        }
        if (rc == OK)
                rc = take(set, index, &fresh, origin);
        return rc == OK ? OK : refuse(row, origin, rc, msg);
}

enum err option_assign_list(struct option_set *set, int index, const struct option_list *list,
        const struct option_origin *origin, struct err_msg *msg)
{
        const enum option_type type = option_row(set, index)->type;
        struct option fresh = {.memory = NULL};
        enum err rc = make_list(list, folder_of(type, origin), &fresh);

        VC_ASSERT(type == OPTION_PATHS || type == OPTION_DSNS);
        if (rc == OK)
                rc = take(set, index, &fresh, origin);
        return rc == OK ? OK : refuse(option_row(set, index), origin, rc, msg);
}

/* ---- the set ---- */

enum err option_set_create(struct option_set **out, const struct option_row *rows, size_t count)
{
        static const struct option_origin origin = {OPTION_FROM_DEFAULT, "default", 0, 0};
        struct option_set *set = vc_calloc(1, sizeof(*set) + count * sizeof(set->options[0]));
        enum err rc = OK;

        *out = NULL;
        if (set == NULL)
                return ERR_NOMEM;
        set->rows = rows;
        set->count = (int)count;
        for (int i = 0; rc == OK && i < set->count; i++)
                rc = option_assign(set, i, rows[i].fallback, &origin, NULL);
        VC_ASSERT(rc == OK || rc == ERR_NOMEM);
        if (rc != OK)
                option_set_destroy(&set);
        *out = set;
        return rc;
}

void option_set_destroy(struct option_set **set)
{
        for (int i = 0; *set != NULL && i < (*set)->count; i++) {
                vc_free((*set)->options[i].memory);
                vc_free((*set)->options[i].file);
        }
        vc_free(*set);
        *set = NULL;
}

int option_count(const struct option_set *set)
{
        return set->count;
}

int option_find(const struct option_set *set, struct slice name)
{
        for (int i = 0; i < set->count; i++)
                if (slice_equal(name, slice_str(set->rows[i].name)))
                        return i;
        return OPTION_NONE;
}

int option_find_flag(const struct option_set *set, struct slice flag)
{
        for (int i = 0; i < set->count; i++)
                if (set->rows[i].flag != NULL && slice_equal(flag, slice_str(set->rows[i].flag)))
                        return i;
        if (flag.len < 2 || memcmp(flag.data, "--", 2) != 0)
                return OPTION_NONE;
        return option_find(set, slice_of(flag.data + 2, flag.len - 2));
}

const struct option_row *option_row(const struct option_set *set, int index)
{
        VC_ASSERT(index >= 0 && index < set->count);
        return &set->rows[index];
}

const struct option_value *option_value(const struct option_set *set, int index)
{
        VC_ASSERT(index >= 0 && index < set->count);
        return &set->options[index].value;
}

const struct option_origin *option_origin(const struct option_set *set, int index)
{
        VC_ASSERT(index >= 0 && index < set->count);
        return &set->options[index].origin;
}

static bool same_list(const struct option_list *a, const struct option_list *b)
{
        bool same = a->count == b->count;

        for (size_t i = 0; same && i < a->count; i++)
                same = strcmp(a->items[i], b->items[i]) == 0;
        return same;
}

bool option_equal(const struct option_set *a, const struct option_set *b, int index)
{
        const struct option_value *x = option_value(a, index);
        const struct option_value *y = option_value(b, index);
        bool texts = x->text == y->text || (x->text != NULL && y->text != NULL && strcmp(x->text, y->text) == 0);

        VC_ASSERT(a->rows == b->rows);
        return texts && x->number == y->number && same_list(&x->list, &y->list);
}

void option_swap(struct option_set *a, struct option_set *b, int index)
{
        struct option kept = a->options[index];

        VC_ASSERT(a->rows == b->rows && index >= 0 && index < a->count);
        a->options[index] = b->options[index];
        b->options[index] = kept;
}
