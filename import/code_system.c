#include "import/code_system.h"

#include <string.h>

static const struct code_system SYSTEMS[] = {
#define CODE_SYSTEM(uri, name, order, vaccine_order) {uri, name, order, vaccine_order},
#include "import/code_systems.def"
#undef CODE_SYSTEM
};

static const char *const TAGS[] = {
#define SEMANTIC_TAG(tag) tag,
#include "import/semantic_tags.def"
#undef SEMANTIC_TAG
};

const struct code_system *code_system_find(struct slice uri_or_name)
{
        for (size_t i = 0; i < sizeof(SYSTEMS) / sizeof(SYSTEMS[0]); i++)
                if (slice_equal(uri_or_name, slice_str(SYSTEMS[i].uri)) || slice_is_word(uri_or_name, SYSTEMS[i].name))
                        return &SYSTEMS[i];
        return NULL;
}

struct slice code_system_name(struct slice uri_or_name)
{
        const struct code_system *system = code_system_find(uri_or_name);

        return system == NULL ? uri_or_name : slice_str(system->name);
}

struct slice code_system_semantic_tag(struct slice term)
{
        const uint8_t *open;
        struct slice tag;

        if (term.len == 0 || term.data[term.len - 1] != ')')
                return SLICE_EMPTY;
        open = memrchr(term.data, '(', term.len);
        if (open == NULL)
                return SLICE_EMPTY;
        tag = slice_of(open + 1, (size_t)(term.data + term.len - 1 - (open + 1)));
        for (size_t i = 0; i < sizeof(TAGS) / sizeof(TAGS[0]); i++)
                if (slice_equal(tag, slice_str(TAGS[i])))
                        return tag;
        return SLICE_EMPTY;
}
