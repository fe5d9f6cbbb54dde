/* Options from a configuration file and from the environment. */
#include "base/option.h"
#include "base/quantity.h"
#include "base/suggest.h"

#include <limits.h>
#include <stdio.h>

enum { NAME_SIZE = 128, LIST_MAX = 64 };

/* ---- the file ---- */

static struct option_origin origin_of(const struct yaml_node *node)
{
        return (struct option_origin){OPTION_FROM_FILE, node->file, node->line, node->column};
}

static enum err read_list(struct option_set *set, int index, const struct yaml_node *node, struct err_msg *msg)
{
        struct option_origin origin = origin_of(node);
        const char *items[LIST_MAX];
        struct option_list list = {items, 0};

        if (option_row(set, index)->type != OPTION_PATHS && option_row(set, index)->type != OPTION_DSNS)
                return yaml_error(node, msg, "%s is a list; it must be a single value", option_row(set, index)->name);
        if (node->count > LIST_MAX)
                return yaml_error(node, msg, "%s has more than %d items", option_row(set, index)->name, LIST_MAX);
        for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
                if (item->kind != YAML_SCALAR || yaml_is_empty(item))
                        return yaml_error(
                                item, msg, "an item of %s must be a single value", option_row(set, index)->name);
                items[list.count++] = item->text;
        }
        return option_assign_list(set, index, &list, &origin, msg);
}

static enum err read_value(struct option_set *set, int index, const struct yaml_node *node, struct err_msg *msg)
{
        const struct option_row *row = option_row(set, index);
        struct option_origin origin = origin_of(node);

        if (node->kind == YAML_LIST)
                return read_list(set, index, node, msg);
        if (node->kind == YAML_MAP)
                return yaml_error(node, msg, "%s is a map; it must be a single value", row->name);
        if (yaml_is_empty(node))
                return yaml_error(node, msg, "%s has no value; its default is %s", row->name,
                        row->fallback[0] == '\0' ? "empty: \"\"" : row->fallback);
        return option_assign(set, index, node->text, &origin, msg);
}

/* The next part of an option's name below `section` ("cache." -> "l1" of cache.l1.ttl); empty when it is elsewhere. */
static struct slice part_below(const char *name, const char *section)
{
        size_t len = strlen(section);

        if (strncmp(name, section, len) != 0)
                return SLICE_EMPTY;
        return slice_of(name + len, strcspn(name + len, "."));
}

static enum err unknown_key(
        const struct option_set *set, const char *section, const struct yaml_node *key, struct err_msg *msg)
{
        enum { SHOWN_MAX = 40 };
        struct suggest suggest;

        suggest_init(&suggest, slice_str(key->text));
        for (int i = 0; i < option_count(set); i++)
                suggest_offer(&suggest, part_below(option_row(set, i)->name, section));
        return suggest_append(&suggest, yaml_error(key, msg, "unknown key \"%.*s\"", SHOWN_MAX, key->text), msg);
}

static bool is_section(const struct option_set *set, const char *path)
{
        for (int i = 0; i < option_count(set); i++)
                if (part_below(option_row(set, i)->name, path).len > 0)
                        return true;
        return false;
}

static enum err read_section(
        struct option_set *set, const char *section, const struct yaml_node *map, struct err_msg *msg);

/* A member of a section: an option, or a section within. */
static enum err read_member(
        struct option_set *set, const char *section, const struct yaml_node *member, struct err_msg *msg)
{
        char path[NAME_SIZE];
        int len = snprintf(path, sizeof(path), "%s%s.", section, member->key->text);
        int index;

        if (strchr(member->key->text, '.') != NULL)
                return yaml_error(member->key, msg, "\"%.60s\" has a dot in it; a map within a map is meant here",
                        member->key->text);
        if (len < 0 || (size_t)len >= sizeof(path))
                return unknown_key(set, section, member->key, msg);
        index = option_find(set, slice_of(path, (size_t)len - 1));
        if (index != OPTION_NONE)
                return read_value(set, index, member, msg);
        if (!is_section(set, path))
                return unknown_key(set, section, member->key, msg);
        return read_section(set, path, member, msg);
}

/* Sections nest as deep as options' names have dots: an unknown name ends the descent. A section without content, as
 * when all of it is commented out, says nothing. */
static enum err read_section(
        struct option_set *set, const char *section, const struct yaml_node *map, struct err_msg *msg)
{
        enum err rc = OK;

        if (yaml_is_empty(map))
                return OK;
        if (map->kind != YAML_MAP)
                return yaml_error(
                        map, msg, "%s must be a map of options", map->key == NULL ? "the file" : map->key->text);
        for (const struct yaml_node *member = map->first; rc == OK && member != NULL; member = member->next)
                rc = read_member(set, section, member, msg);
        return rc;
}

enum err option_read_file(struct option_set *set, const struct yaml_node *root, struct err_msg *msg)
{
        return root == NULL ? OK : read_section(set, "", root, msg);
}

enum err option_load_file(struct option_set *set, const char *path, struct err_msg *msg)
{
        struct yaml_doc *doc;
        enum err rc = yaml_load_file(&doc, path, msg);

        if (rc != OK)
                return rc;
        rc = option_read_file(set, yaml_root(doc), msg);
        yaml_destroy(&doc);
        return rc;
}

enum err option_place_default(struct option_set *set, int index, const char *folder, struct err_msg *msg)
{
        static const struct option_origin origin = {OPTION_FROM_DEFAULT, "default", 0, 0};
        char path[2 * PATH_MAX];
        const char *items[1] = {path};
        const struct option_list list = {items, 1};

        (void)snprintf(path, sizeof(path), "%s/%s", folder, option_row(set, index)->fallback);
        return option_assign_list(set, index, &list, &origin, msg);
}

/* ---- the environment ---- */

static const char *find_variable(char *const *environment, const char *name)
{
        size_t len = strlen(name);

        for (; *environment != NULL; environment++)
                if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=' &&
                        (*environment)[len + 1] != '\0')
                        return *environment + len + 1;
        return NULL;
}

/* These variables are older than this program: bare numbers count in the unit that they always had. */
static enum err read_variable(struct option_set *set, int index, const char *value, struct err_msg *msg)
{
        const struct option_row *row = option_row(set, index);
        const struct option_origin origin = {OPTION_FROM_ENVIRONMENT, row->env, 0, 0};
        bool bare = row->type == OPTION_DURATION || row->type == OPTION_SIZE;
        char with_unit[QUANTITY_TEXT_SIZE];
        int len;

        bare = bare && row->unit != NULL && value[strspn(value, "0123456789")] == '\0';
        if (!bare)
                return option_assign(set, index, value, &origin, msg);
        len = snprintf(with_unit, sizeof(with_unit), "%s%s", value, row->unit);
        return option_assign(set, index, len < 0 || (size_t)len >= sizeof(with_unit) ? value : with_unit, &origin, msg);
}

enum err option_read_environment(struct option_set *set, char *const *environment, struct err_msg *msg)
{
        enum err rc = OK;

        for (int i = 0; rc == OK && i < option_count(set); i++) {
                const char *env = option_row(set, i)->env;
                const char *value = env == NULL ? NULL : find_variable(environment, env);

                if (value != NULL)
                        rc = read_variable(set, i, value, msg);
        }
        return rc;
}
