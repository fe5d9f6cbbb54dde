/* Record types, the middle part: one type, as far as it can be read before all others are. */
#include "base/yaml_get.h"
#include "database/type_load.h"

static const char *const SHAPES[] = {
        [RECORD_ONE] = "one", [RECORD_LIST] = "list", [RECORD_COMPOSITE] = "composite", [RECORD_COMPOSITE + 1] = NULL};
static const char *const ID_KINDS[] = {
        [ID_KIND_TEXT] = "text", [ID_KIND_INT] = "int", [ID_KIND_UUID] = "uuid", [ID_KIND_UUID + 1] = NULL};

#define TTL_MIN   ((uint64_t)NANOS_PER_S)
#define TTL_MAX   ((uint64_t)NANOS_PER_S * 86400 * 30)
#define BOUND_MAX ((uint64_t)NANOS_PER_S * 86400)
#define TTL_L2    (nanos_ms(300 * 1000)) /* of types without one of their own */

/* `allergies:{student}`, or another subject between the braces. */
static enum err read_key(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const size_t prefix = strlen(type->name);
        const struct record_subject *subject;
        const char *text;
        size_t len;
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc != OK)
                return rc;
        len = strlen(text);
        if (len < prefix + 4 || memcmp(text, type->name, prefix) != 0 || memcmp(text + prefix, ":{", 2) != 0 ||
                text[len - 1] != '}')
                return yaml_error(
                        node, load->msg, "key is \"%.64s\"; it must be %s:{" TYPE_STUDENT "}", text, type->name);
        rc = type_load_find_subject(load, node, slice_of(text + prefix + 2, len - prefix - 3), &subject);
        if (rc == OK && subject != &load->types->subjects[0])
                type->subject = subject;
        return rc;
}

static enum err read_ttl(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        static const struct yaml_range range = {QUANTITY_DURATION, TTL_MIN, TTL_MAX};
        const struct yaml_node *l1 = yaml_find(node, "l1");
        const struct yaml_node *l2 = yaml_find(node, "l2");
        uint64_t l1_ns = (uint64_t)type->ttl_l1.ns;
        uint64_t l2_ns = (uint64_t)type->ttl_l2.ns;
        enum err rc = type_load_map(load, node, TYPE_LEVEL_TTL, "a map with l1 and l2");

        if (rc == OK && l1 != NULL)
                rc = yaml_quantity(l1, range, &l1_ns, load->msg);
        if (rc == OK && l2 != NULL)
                rc = yaml_quantity(l2, range, &l2_ns, load->msg);
        type->ttl_l1.ns = (int64_t)l1_ns;
        type->ttl_l2.ns = (int64_t)l2_ns;
        return rc;
}

static enum err read_bound(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        static const struct yaml_range range = {QUANTITY_DURATION, 0, BOUND_MAX};
        uint64_t ns = 0;
        enum err rc = yaml_quantity(node, range, &ns, load->msg);

        type->bound.ns = (int64_t)ns;
        type->has_bound = true;
        return rc;
}

/* The keys that a shape must have, and those that it cannot have. */
static enum err check_shape(const struct type_load *load, const struct yaml_node *node, const struct record_type *type)
{
        bool composite = type->shape == RECORD_COMPOSITE;
        const char *wanted = composite ? "parts" : "table";
        const struct yaml_node *foreign = yaml_find(node, composite ? "table" : "parts");
        const struct yaml_node *order = yaml_find(node, "order");
        const struct yaml_node *where = yaml_find(node, "where");

        if (yaml_find(node, wanted) == NULL)
                return yaml_error(node, load->msg, "the type %s has no %s; its shape needs it", type->name, wanted);
        if (foreign == NULL && type->shape != RECORD_LIST)
                foreign = order != NULL ? order : where;
        if (foreign == NULL)
                return OK;
        return yaml_error(
                foreign->key, load->msg, "%s does not go with the shape %s", foreign->key->text, SHAPES[type->shape]);
}

static enum err read_shape(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct yaml_node *shape = yaml_find(node, "shape");
        uint32_t index = 0;
        enum err rc;

        if (shape == NULL)
                return yaml_error(node, load->msg, "the type %s has no shape: one, list or composite", type->name);
        rc = yaml_word(shape, SHAPES, &index, load->msg);
        type->shape = (enum record_shape)index;
        return rc == OK ? check_shape(load, node, type) : rc;
}

static enum err add_order(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct record_field *field;
        enum err rc = type_load_any_field(load, node, type->table, &field);

        if (rc != OK)
                return rc;
        if (field->kind != FIELD_DATE && field->kind != FIELD_INSTANT && field->kind != FIELD_WORD)
                return yaml_error(node, load->msg, "%s is of kind %s; it must be a date, instant or word field",
                        field->name, type_kind_name(field->kind));
        if (type->order_count == RECORD_ORDER_MAX)
                return yaml_error(node, load->msg, "order has more than %d fields", RECORD_ORDER_MAX);
        type->order[type->order_count++] = field;
        return OK;
}

/* One field, or a list of them. */
static enum err read_order(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        enum err rc = OK;

        if (node->kind != YAML_LIST)
                return add_order(load, node, type);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = add_order(load, item, type);
        return rc;
}

static enum err read_source(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct yaml_node *order = yaml_find(node, "order");
        const struct yaml_node *where = yaml_find(node, "where");
        enum err rc = OK;

        if (type->shape != RECORD_COMPOSITE)
                rc = type_load_find_table(load, yaml_find(node, "table"), &type->table);
        if (rc == OK && order != NULL)
                rc = read_order(load, order, type);
        if (rc == OK && where != NULL)
                rc = type_load_condition(load, where, type->table, &type->where);
        return rc;
}

static enum err read_flags(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct yaml_node *id = yaml_find(node, "id");
        const struct yaml_node *critical = yaml_find(node, "critical");
        const struct yaml_node *allow_stale = yaml_find(node, "allow_stale");
        uint32_t id_kind = ID_KIND_TEXT;
        enum err rc = OK;

        if (id != NULL)
                rc = yaml_word(id, ID_KINDS, &id_kind, load->msg);
        if (rc == OK && critical != NULL)
                rc = yaml_bool(critical, &type->critical, load->msg);
        if (rc == OK && allow_stale != NULL)
                rc = yaml_bool(allow_stale, &type->allow_stale, load->msg);
        type->id_kind = (enum id_kind)id_kind;
        return rc;
}

static enum err read_type(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct yaml_node *key = yaml_find(node, "key");
        const struct yaml_node *ttl = yaml_find(node, "ttl");
        const struct yaml_node *postgres = yaml_find(node, "postgres");
        const struct yaml_node *bound = yaml_find(node, "bound");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_TYPE, "a map with the type's shape and table");

        if (rc == OK)
                rc = read_shape(load, node, type);
        if (rc == OK)
                rc = read_source(load, node, type);
        if (rc == OK && key != NULL)
                rc = read_key(load, key, type);
        if (rc == OK && ttl != NULL)
                rc = read_ttl(load, ttl, type);
        if (rc == OK && postgres != NULL)
                rc = type_load_fetch(load, postgres, type);
        if (rc == OK && bound != NULL)
                rc = read_bound(load, bound, type);
        return rc == OK ? read_flags(load, node, type) : rc;
}

/* The id of a student, or of another subject, has one canonical form: it is the same part of the key in every table. */
static enum err check_id_kind(
        const struct type_load *load, const struct yaml_node *node, const struct record_type *type)
{
        const struct record_type *first = &load->types->types[0];
        const struct yaml_node *id = yaml_find(node, "id");

        while (first->subject != type->subject)
                first++; /* at the latest, the type itself */
        if (type->id_kind == first->id_kind)
                return OK;
        return yaml_error(id == NULL ? node : id, load->msg,
                "the ids of %s are %s, but those of %s are %s; all name the same %ss", type->name,
                ID_KINDS[type->id_kind], first->name, ID_KINDS[first->id_kind],
                type->subject == NULL ? TYPE_STUDENT : type->subject->name);
}

enum err type_load_type(struct type_load *load, const struct yaml_node *node)
{
        struct record_types *types = load->types;
        struct record_type *type = &types->types[types->type_count];
        enum err rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);

        if (rc != OK)
                return rc;
        if (types->type_count == RECORD_TYPES_MAX)
                return yaml_error(node->key, load->msg, "there can be %d types", RECORD_TYPES_MAX);
        if (record_types_find(types, slice_str(node->key->text)) != NULL)
                return yaml_error(node->key, load->msg, "another file has the type \"%s\", too", node->key->text);
        *type = (struct record_type){.index = types->type_count, .ttl_l2 = TTL_L2};
        type->name = arena_text(&types->arena, slice_str(node->key->text));
        if (type->name == NULL)
                return type_load_no_memory(load);
        rc = type_load_place(load, node, &type->place);
        if (rc == OK)
                rc = read_type(load, node, type);
        if (rc == OK)
                rc = check_id_kind(load, node, type);
        if (rc != OK)
                return rc;
        types->names[types->type_count] = slice_str(type->name);
        load->type_nodes[types->type_count++] = node;
        return OK;
}
