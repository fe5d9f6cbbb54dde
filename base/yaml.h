/* YAML documents for configuration, read by libyaml into a tree whose every node knows its file, line and column.
 *
 * What a configuration has no use for is refused with its place: anchors and aliases (also the way to make a small file
 * a huge one), tags, several documents in one file, keys that are not plain text, the same key twice. Limits bound the
 * size, depth and number of nodes, so that reading any bytes at all is quick. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/err.h"
#include "base/slice.h"

enum {
        YAML_BYTES_MAX = 1 << 20,
        YAML_DEPTH_MAX = 32,
        YAML_NODES_MAX = 50000,
        YAML_MEMBERS_MAX = 1000, /* of one map */
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* Immutable; lives as long as its document. Lines and columns count from 1. */
struct yaml_node {
        enum yaml_kind kind;
        uint32_t line;
        uint32_t column;
        const char *file;
        const char *text;             /* scalars: terminated, without zero bytes in it; else NULL */
        bool plain;                   /* scalars: written without quotes */
        const struct yaml_node *key;  /* of a map's member; NULL for others */
        const struct yaml_node *next; /* the next member or item */
        const struct yaml_node *first;
        uint32_t count; /* of members or items */
};

struct yaml_doc;

/* Reads a file; `path` is also its name in messages. ERR_IO (cannot be read), ERR_CONFIG (not YAML, or beyond what is
 * allowed; the message says "file:line:column: …"), ERR_NOMEM; *out is NULL then. */
enum err yaml_load_file(struct yaml_doc **out, const char *path, struct err_msg *msg) MUST_CHECK;

/* The same from memory; `name` stands for the file. Nothing of the arguments is kept. */
enum err yaml_load_text(struct yaml_doc **out, const char *name, struct slice text, struct err_msg *msg) MUST_CHECK;

/* Frees all nodes; NULL-safe; nulls. */
void yaml_destroy(struct yaml_doc **doc);

/* The outermost node; NULL for a document with nothing in it. */
const struct yaml_node *yaml_root(const struct yaml_doc *doc);

/* The member `name` of a map; NULL when there is none. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *name);

/* Whether a scalar says nothing: `key:`, `key: null`, `key: ~`. */
bool yaml_is_empty(const struct yaml_node *node);

/* Sets *msg to "file:line:column: …" of the node and returns ERR_CONFIG. `msg` may be NULL. */
enum err yaml_error(const struct yaml_node *at, struct err_msg *msg, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
