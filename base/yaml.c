#include "base/yaml.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#include <yaml.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct yaml_doc {
        struct arena arena;
        const char *name;
        struct yaml_node *root;
        uint32_t node_count;
};

/* A map or list that is being read. */
struct open_node {
        struct yaml_node *node;
        struct yaml_node *last; /* member or item */
        struct yaml_node *key;  /* maps: read, its value not yet */
};

struct builder {
        struct yaml_doc *doc;
        struct slice text;
        yaml_parser_t parser;
        struct open_node open[YAML_DEPTH_MAX];
        size_t depth;
        bool had_document;
        bool done;
        struct err_msg *msg;
};

struct place {
        size_t line; /* from 0, as libyaml counts */
        size_t column;
};

static enum err refuse_at(const struct builder *b, struct place at, const char *text)
{
        return err_set(b->msg, ERR_CONFIG, "%s:%zu:%zu: %s", b->doc->name, at.line + 1, at.column + 1, text);
}

static enum err refuse(const struct builder *b, const yaml_event_t *event, const char *text)
{
        return refuse_at(b, (struct place){event->start_mark.line, event->start_mark.column}, text);
}

static enum err no_memory(const struct builder *b)
{
        return err_set(b->msg, ERR_NOMEM, "no memory to read %s", b->doc->name);
}

/* ---- the tree ---- */

static enum err check_twin(const struct builder *b, const struct yaml_node *map, const struct yaml_node *key)
{
        const struct yaml_node *twin = yaml_find(map, key->text);

        if (twin == NULL)
                return OK;
        return yaml_error(key, b->msg, "\"%s\" is here twice; the first is in line %u", key->text, twin->key->line);
}

static enum err take_key(struct builder *b, struct open_node *map, struct yaml_node *key)
{
        if (key->kind != YAML_SCALAR)
                return yaml_error(key, b->msg, "a key must be plain text");
        if (map->node->count >= YAML_MEMBERS_MAX)
                return yaml_error(key, b->msg, "a map has more than %d members", YAML_MEMBERS_MAX);
        map->key = key;
        return check_twin(b, map->node, key);
}

/* Puts a new node where the reading stands: the root, a map's key or value, or a list's item. */
static enum err place_node(struct builder *b, struct yaml_node *node)
{
        struct open_node *parent = b->depth == 0 ? NULL : &b->open[b->depth - 1];

        if (parent == NULL) {
                b->doc->root = node;
                return OK;
        }
        if (parent->node->kind == YAML_MAP && parent->key == NULL)
                return take_key(b, parent, node);
        node->key = parent->key;
        parent->key = NULL;
        parent->node->count++;
        if (parent->last == NULL)
                parent->node->first = node;
        else
                parent->last->next = node;
        parent->last = node;
        return OK;
}

static enum err add_node(struct builder *b, const yaml_event_t *event, struct yaml_node proto, struct yaml_node **out)
{
        struct yaml_node *node;

        if (b->doc->node_count >= YAML_NODES_MAX)
                return refuse(b, event, "the document is too large: too many values");
        b->doc->node_count++;
        node = arena_alloc(&b->doc->arena, sizeof(*node));
        if (node == NULL)
                return no_memory(b);
        *node = proto;
        node->file = b->doc->name;
        node->line = (uint32_t)event->start_mark.line + 1;
        node->column = (uint32_t)event->start_mark.column + 1;
        *out = node;
        return place_node(b, node);
}

static enum err open_collection(struct builder *b, const yaml_event_t *event, enum yaml_kind kind)
{
        struct yaml_node *node = NULL;
        enum err rc;

        if (b->depth == YAML_DEPTH_MAX)
                return refuse(b, event, "the document nests too deep");
        rc = add_node(b, event, (struct yaml_node){.kind = kind}, &node);
        if (rc == OK)
                b->open[b->depth++] = (struct open_node){.node = node};
        return rc;
}

static enum err add_scalar(struct builder *b, const yaml_event_t *event)
{
        struct slice value = slice_of(event->data.scalar.value, event->data.scalar.length);
        struct yaml_node proto = {.kind = YAML_SCALAR, .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE};
        struct yaml_node *node;

        if (value.len > 0 && memchr(value.data, 0, value.len) != NULL)
                return refuse(b, event, "a text has a zero byte in it");
        proto.text = arena_text(&b->doc->arena, value);
        if (proto.text == NULL)
                return no_memory(b);
        return add_node(b, event, proto, &node);
}

/* ---- libyaml's events ---- */

static enum err begin_document(struct builder *b, const yaml_event_t *event)
{
        if (b->had_document)
                return refuse(b, event, "one file holds one document; a second one begins here");
        b->had_document = true;
        return OK;
}

/* What can stand at any node and has no place in a configuration. */
static enum err check_properties(const struct builder *b, const yaml_event_t *event)
{
        const yaml_char_t *anchor = NULL;
        const yaml_char_t *tag = NULL;

        switch (event->type) {
        case YAML_SCALAR_EVENT:
                anchor = event->data.scalar.anchor;
                tag = event->data.scalar.tag;
                break;
        case YAML_SEQUENCE_START_EVENT:
                anchor = event->data.sequence_start.anchor;
                tag = event->data.sequence_start.tag;
                break;
        case YAML_MAPPING_START_EVENT:
                anchor = event->data.mapping_start.anchor;
                tag = event->data.mapping_start.tag;
                break;
        default: break;
        }
        if (anchor != NULL || event->type == YAML_ALIAS_EVENT)
                return refuse(b, event, "anchors (&) and aliases (*) are not allowed; write the value out");
        if (tag != NULL)
                return refuse(b, event, "tags (!) are not allowed; write the value alone");
        return OK;
}

static enum err take_event(struct builder *b, const yaml_event_t *event)
{
        enum err rc = check_properties(b, event);

        if (rc != OK)
                return rc;
        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT: return begin_document(b, event);
        case YAML_SCALAR_EVENT: return add_scalar(b, event);
        case YAML_SEQUENCE_START_EVENT: return open_collection(b, event, YAML_LIST);
        case YAML_MAPPING_START_EVENT: return open_collection(b, event, YAML_MAP);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT: b->depth--; return OK;
        case YAML_STREAM_END_EVENT: b->done = true; return OK;
        default: return OK;
        }
}

/* Where byte `offset` of the text stands. */
static struct place place_of(struct slice text, size_t offset)
{
        struct place at = {0, 0};

        for (size_t i = 0; i < offset && i < text.len; i++) {
                at.column = text.data[i] == '\n' ? 0 : at.column + 1;
                at.line += text.data[i] == '\n';
        }
        return at;
}

static enum err parser_failed(const struct builder *b)
{
        const yaml_parser_t *p = &b->parser;
        struct place at = {p->problem_mark.line, p->problem_mark.column};
        char text[256];

        if (p->error == YAML_MEMORY_ERROR)
                return no_memory(b);
        if (p->error == YAML_READER_ERROR)
                at = place_of(b->text, p->problem_offset);
        (void)snprintf(text, sizeof(text), "not valid YAML: %s%s%s", p->context == NULL ? "" : p->context,
                p->context == NULL ? "" : ", ", p->problem == NULL ? "unknown problem" : p->problem);
        return refuse_at(b, at, text);
}

static enum err build(struct builder *b)
{
        enum err rc = OK;

        while (rc == OK && !b->done) {
                yaml_event_t event;

                if (yaml_parser_parse(&b->parser, &event) == 0)
                        return parser_failed(b);
                rc = take_event(b, &event);
                yaml_event_delete(&event);
        }
        return rc;
}

static enum err parse(struct yaml_doc *doc, struct slice text, struct err_msg *msg)
{
        struct builder b = {.doc = doc, .text = text, .msg = msg};
        enum err rc;

        if (text.len > YAML_BYTES_MAX)
                return err_set(msg, ERR_CONFIG, "%s: larger than %d bytes", doc->name, YAML_BYTES_MAX);
        if (yaml_parser_initialize(&b.parser) == 0)
                return no_memory(&b);
        yaml_parser_set_input_string(&b.parser, text.data, text.len);
        rc = build(&b);
        yaml_parser_delete(&b.parser);
        return rc;
}

/* ---- public ---- */

enum err yaml_load_text(struct yaml_doc **out, const char *name, struct slice text, struct err_msg *msg)
{
        struct yaml_doc *doc = vc_calloc(1, sizeof(*doc));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (doc == NULL)
                return err_set(msg, ERR_NOMEM, "no memory to read %s", name);
        arena_init(&doc->arena);
        doc->name = arena_text(&doc->arena, slice_str(name));
        if (doc->name == NULL)
                (void)err_set(msg, ERR_NOMEM, "no memory to read %s", name);
        else
                rc = parse(doc, text, msg);
        if (rc != OK)
                yaml_destroy(&doc);
        *out = doc;
        return rc;
}

static enum err read_file(FILE *file, struct buf *text)
{
        enum { STEP = 16384 };
        size_t got = 1;

        while (got > 0 && buf_len(text) <= YAML_BYTES_MAX) {
                if (buf_reserve(text, STEP) != OK)
                        return ERR_NOMEM;
                got = fread(text->data + text->end, 1, STEP, file);
                buf_added(text, got);
        }
        return ferror(file) ? ERR_IO : OK;
}

enum err yaml_load_file(struct yaml_doc **out, const char *path, struct err_msg *msg)
{
        FILE *file = fopen(path, "re");
        struct buf text;
        enum err rc;

        *out = NULL;
        if (file == NULL)
                return err_errno(msg, ERR_IO, errno, "cannot read %s", path);
        buf_init(&text, 0);
        errno = 0;
        rc = read_file(file, &text);
        if (rc == ERR_NOMEM)
                (void)err_set(msg, rc, "no memory to read %s", path);
        else if (rc != OK)
                (void)err_errno(msg, rc, errno, "cannot read %s", path);
        else
                rc = yaml_load_text(out, path, buf_slice(&text), msg);
        (void)fclose(file);
        buf_deinit(&text);
        return rc;
}

void yaml_destroy(struct yaml_doc **doc)
{
        if (*doc != NULL)
                arena_deinit(&(*doc)->arena);
        vc_free(*doc);
        *doc = NULL;
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
        const struct yaml_node *root = doc->root;

        return root != NULL && root->kind == YAML_SCALAR && yaml_is_empty(root) ? NULL : root;
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *name)
{
        for (const struct yaml_node *member = map->first; member != NULL; member = member->next)
                if (map->kind == YAML_MAP && strcmp(member->key->text, name) == 0)
                        return member;
        return NULL;
}

bool yaml_is_empty(const struct yaml_node *node)
{
        return node->kind == YAML_SCALAR && node->plain &&
               (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

enum err yaml_error(const struct yaml_node *at, struct err_msg *msg, const char *format, ...)
{
        va_list args;

        if (msg == NULL)
                return ERR_CONFIG;
        va_start(args, format);
        (void)vsnprintf(msg->text, sizeof(msg->text), format, args);
        va_end(args);
        return err_wrap(msg, ERR_CONFIG, "%s:%u:%u", at->file, at->line, at->column);
}
