/* Record types: what the readers of their files share. */
#include "database/type_load.h"

#include "base/yaml_get.h"

enum err type_load_no_memory(const struct type_load *load)
{
        return err_set(load->msg, ERR_NOMEM, "no memory for the record types");
}

struct known_key {
        enum type_level level;
        const char *name;
};

static const struct known_key KNOWN_KEYS[] = {
#define TYPE_KEY(level, name, form, sentence) {TYPE_LEVEL_##level, #name},
#include "database/type_keys.def"
#undef TYPE_KEY
};

enum { KNOWN_KEY_COUNT = sizeof(KNOWN_KEYS) / sizeof(KNOWN_KEYS[0]) };

enum err type_load_map(
        const struct type_load *load, const struct yaml_node *node, enum type_level level, const char *what)
{
        const char *names[KNOWN_KEY_COUNT];
        size_t count = 0;
        enum err rc = yaml_expect(node, YAML_MAP, what, load->msg);

        for (size_t i = 0; i < KNOWN_KEY_COUNT; i++)
                if (KNOWN_KEYS[i].level == level)
                        names[count++] = KNOWN_KEYS[i].name;
        return rc == OK ? yaml_known_keys(node, names, count, load->msg) : rc;
}
