#include "base/yaml_get.h"

#include "base/suggest.h"

#include <stdio.h>

enum { SHOWN_MAX = 40 }; /* of a wrong text, in messages */

static const char *const KIND_TEXTS[] = {
        [YAML_SCALAR] = "a single value",
        [YAML_LIST] = "a list",
        [YAML_MAP] = "a map",
};

/* How a message calls the node: by its key. */
static const char *name_of(const struct yaml_node *node)
{
        return node->key == NULL ? "this" : node->key->text;
}

/* A message about the value, begun by `rc`'s own. */
static enum err about(const struct yaml_node *node, enum err rc, struct err_msg *msg)
{
        struct err_msg inner = {""};

        if (rc == OK || msg == NULL)
                return rc;
        inner = *msg;
        return yaml_error(node, msg, "%s %s", name_of(node), inner.text);
}

enum err yaml_expect(const struct yaml_node *node, enum yaml_kind kind, const char *what, struct err_msg *msg)
{
        if (node->kind == kind)
                return OK;
        if (yaml_is_empty(node))
                return yaml_error(node, msg, "%s has no value; it must be %s", name_of(node), what);
        return yaml_error(node, msg, "%s is %s; it must be %s", name_of(node), KIND_TEXTS[node->kind], what);
}

enum err yaml_known_keys(const struct yaml_node *map, const char *const *names, size_t count, struct err_msg *msg)
{
        for (const struct yaml_node *member = map->first; member != NULL; member = member->next) {
                struct suggest suggest;
                bool known = false;

                suggest_init(&suggest, slice_str(member->key->text));
                for (size_t i = 0; i < count; i++) {
                        known = known || strcmp(names[i], member->key->text) == 0;
                        suggest_offer(&suggest, slice_str(names[i]));
                }
                if (!known)
                        return suggest_append(&suggest,
                                yaml_error(member->key, msg, "unknown key \"%.*s\"", SHOWN_MAX, member->key->text),
                                msg);
        }
        return OK;
}

enum err yaml_text(const struct yaml_node *node, const char **out, struct err_msg *msg)
{
        enum err rc = yaml_expect(node, YAML_SCALAR, "a single value", msg);

        if (rc != OK)
                return rc;
        if (yaml_is_empty(node))
                return yaml_error(node, msg, "%s has no value", name_of(node));
        *out = node->text;
        return OK;
}

enum err yaml_bool(const struct yaml_node *node, bool *out, struct err_msg *msg)
{
        const char *text;
        enum err rc = yaml_text(node, &text, msg);

        if (rc != OK)
                return rc;
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
                return yaml_error(
                        node, msg, "%s is \"%.*s\"; it must be true or false", name_of(node), SHOWN_MAX, text);
        *out = text[0] == 't';
        return OK;
}

enum err yaml_quantity(const struct yaml_node *node, struct yaml_range range, uint64_t *out, struct err_msg *msg)
{
        const char *text;
        uint64_t value;
        enum err rc = yaml_text(node, &text, msg);

        if (rc != OK)
                return rc;
        rc = quantity_parse(range.kind, slice_str(text), &value, msg);
        if (rc == OK)
                rc = quantity_check(range.kind, value, range.min, range.max, msg);
        if (rc == OK)
                *out = value;
        return about(node, rc, msg);
}

/* "…; it must be one of a, b, c" and the nearest. */
static enum err not_a_word(const struct yaml_node *node, const char *const *words, struct err_msg *msg)
{
        struct suggest suggest;
        char list[256] = "";

        suggest_init(&suggest, slice_str(node->text));
        for (size_t i = 0; words[i] != NULL; i++) {
                size_t used = strlen(list);

                (void)snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ", words[i]);
                suggest_offer(&suggest, slice_str(words[i]));
        }
        return suggest_append(&suggest,
                yaml_error(
                        node, msg, "%s is \"%.*s\"; it must be one of %s", name_of(node), SHOWN_MAX, node->text, list),
                msg);
}

enum err yaml_word(const struct yaml_node *node, const char *const *words, uint32_t *out, struct err_msg *msg)
{
        const char *text;
        enum err rc = yaml_text(node, &text, msg);

        if (rc != OK)
                return rc;
        for (uint32_t i = 0; words[i] != NULL; i++)
                if (strcmp(words[i], text) == 0) {
                        *out = i;
                        return OK;
                }
        return not_a_word(node, words, msg);
}

static bool is_name(const char *text)
{
        size_t allowed = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

        return ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) && text[allowed] == '\0';
}

enum err yaml_name(const struct yaml_node *node, size_t size, struct err_msg *msg)
{
        const char *text;
        enum err rc = yaml_text(node, &text, msg);

        if (rc != OK)
                return rc;
        if (!is_name(text))
                return yaml_error(node, msg, "\"%.*s\" is no name: a letter first, then letters a to z, digits and _",
                        SHOWN_MAX, text);
        if (strlen(text) >= size)
                return yaml_error(
                        node, msg, "\"%.*s…\" is too long a name: at most %zu letters", SHOWN_MAX, text, size - 1);
        return OK;
}
