#include "import/fhir_types.h"

static const struct {
        const char *name;
        const char *table;
        bool vaccine;
} KEPT_TYPES[FHIR_TYPE_COUNT] = {
#define KEPT(type, table, vaccine) [FHIR_TYPE_##type] = {#type, table, vaccine},
#define OTHER(type)
#include "import/fhir_types.def"
#undef KEPT
#undef OTHER
};

static const char *const OTHER_TYPES[] = {
#define KEPT(type, table, vaccine)
#define OTHER(type) #type,
#include "import/fhir_types.def"
#undef KEPT
#undef OTHER
};

static const struct fhir_element ELEMENTS[] = {
#define ELEMENT(resource, element, form, member, need)                                                                 \
        {FHIR_TYPE_##resource, FHIR_##resource##_##element, #element, sizeof(#element) - 1, FHIR_FORM_##form, member,  \
                FHIR_NEED_##need},
#include "import/fhir_elements.def"
#undef ELEMENT
};

const struct fhir_element *fhir_types_elements(enum fhir_type type, size_t *count)
{
        size_t first = 0;
        size_t end;

        while (ELEMENTS[first].type != type)
                first++;
        for (end = first; end < FHIR_ELEMENT_COUNT && ELEMENTS[end].type == type; end++)
                continue;
        *count = end - first;
        return &ELEMENTS[first];
}

bool fhir_types_kept(struct slice name, enum fhir_type *type)
{
        for (enum fhir_type t = FHIR_TYPE_Resource + 1; t < FHIR_TYPE_COUNT; t++) {
                if (!slice_equal(name, slice_str(KEPT_TYPES[t].name)))
                        continue;
                *type = t;
                return true;
        }
        return false;
}

const char *fhir_types_passed_over(struct slice name)
{
        for (size_t i = 0; i < sizeof(OTHER_TYPES) / sizeof(OTHER_TYPES[0]); i++)
                if (slice_equal(name, slice_str(OTHER_TYPES[i])))
                        return OTHER_TYPES[i];
        return NULL;
}

const char *fhir_types_table(enum fhir_type type)
{
        return KEPT_TYPES[type].table;
}

bool fhir_types_is_vaccine(enum fhir_type type)
{
        return KEPT_TYPES[type].vaccine;
}
