/* Reading the values of a YAML tree (base/yaml.h), each with its check and a message that says what would be right:
 * `conf/x.yaml:12:9: limit is "ten"; it must be a whole number`. All fail with ERR_CONFIG only, and leave *out as it
 * was then. Pure; any thread. */
#ifndef BASE_YAML_GET_H
#define BASE_YAML_GET_H

#include "base/quantity.h"
#include "base/yaml.h"

/* The node is of this kind; `what` names what is wanted, as in "a map of record types". */
enum err yaml_expect(
        const struct yaml_node *node, enum yaml_kind kind, const char *what, struct err_msg *msg) MUST_CHECK;

/* Every key of the map is one of `names`; else the error names the nearest of them. */
enum err yaml_known_keys(
        const struct yaml_node *map, const char *const *names, size_t count, struct err_msg *msg) MUST_CHECK;

/* A scalar that says something; *out borrows from the node. */
enum err yaml_text(const struct yaml_node *node, const char **out, struct err_msg *msg) MUST_CHECK;

/* `true` or `false`. */
enum err yaml_bool(const struct yaml_node *node, bool *out, struct err_msg *msg) MUST_CHECK;

struct yaml_range {
        enum quantity_kind kind;
        uint64_t min;
        uint64_t max;
};

/* A number, duration or size from min to max. */
enum err yaml_quantity(
        const struct yaml_node *node, struct yaml_range range, uint64_t *out, struct err_msg *msg) MUST_CHECK;

/* One of the words of a NULL-terminated array: its index. */
enum err yaml_word(
        const struct yaml_node *node, const char *const *words, uint32_t *out, struct err_msg *msg) MUST_CHECK;

/* A name of our own making: a letter a to z, then letters, digits and '_', less than `size` bytes in all. */
enum err yaml_name(const struct yaml_node *node, size_t size, struct err_msg *msg) MUST_CHECK;

#endif
