/* The types of FHIR's resources (import/fhir_types.def) and the elements that are mapped (fhir_elements.def). */
#ifndef IMPORT_FHIR_TYPES_H
#define IMPORT_FHIR_TYPES_H

#include "base/assert.h"
#include "base/slice.h"

/* The types that become rows; Resource: what all have. */
enum fhir_type {
        FHIR_TYPE_Resource,
#define KEPT(type, table, vaccine) FHIR_TYPE_##type,
#define OTHER(type)
#include "import/fhir_types.def"
#undef KEPT
#undef OTHER
        FHIR_TYPE_COUNT
};

enum fhir_element_id {
#define ELEMENT(resource, element, form, member, need) FHIR_##resource##_##element,
#include "import/fhir_elements.def"
#undef ELEMENT
        FHIR_ELEMENT_COUNT
};

enum fhir_form {
        FHIR_FORM_NONE, /* other forms look at it */
        FHIR_FORM_RULES,
        FHIR_FORM_MODIFIERS,
        FHIR_FORM_ID,
        FHIR_FORM_META,
        FHIR_FORM_TEXT,
        FHIR_FORM_WORDS,
        FHIR_FORM_BOOL,
        FHIR_FORM_DATE,
        FHIR_FORM_MOMENT,
        FHIR_FORM_OBJECT,
        FHIR_FORM_PERIOD,
        FHIR_FORM_CONCEPT,
        FHIR_FORM_CONCEPTS,
        FHIR_FORM_CONCEPT_CODES,
        FHIR_FORM_NOTES,
        FHIR_FORM_DISPLAY,
        FHIR_FORM_STUDENT,
        FHIR_FORM_ENCOUNTER,
        FHIR_FORM_CODE,
        FHIR_FORM_VERIFICATION,
        FHIR_FORM_STATUS,
        FHIR_FORM_STATUS_WORD,
        FHIR_FORM_REACTIONS,
        FHIR_FORM_SEVERITY,
        FHIR_FORM_STAGES,
        FHIR_FORM_OCCURRENCE,
        FHIR_FORM_DOSES,
        FHIR_FORM_CLASS,
        FHIR_FORM_VISIT_TYPE,
        FHIR_FORM_VISIT_PERIOD,
        FHIR_FORM_REASONS,
        FHIR_FORM_NAMES,
        FHIR_FORM_EXTENSIONS,
        FHIR_FORM_ADDRESSES,
        FHIR_FORM_TELECOMS,
        FHIR_FORM_IDENTIFIERS,
        FHIR_FORM_CONTACTS,
        FHIR_FORM_LANGUAGE,
        FHIR_FORM_LINKS,
        FHIR_FORM_COUNT
};

enum fhir_need { FHIR_NEED_OPTIONAL, FHIR_NEED_REQUIRED, FHIR_NEED_ALWAYS };

struct fhir_element {
        enum fhir_type type;
        enum fhir_element_id id;
        const char *name;
        size_t name_len;
        enum fhir_form form;
        const char *member;
        enum fhir_need need;
};

/* The elements of a type, which are neighbours. Constant; any thread. */
const struct fhir_element *fhir_types_elements(enum fhir_type type, size_t *count);

/* The type of that name, if it is one that becomes rows. Any thread. */
bool fhir_types_kept(struct slice name, enum fhir_type *type) MUST_CHECK;

/* The name as a literal, if it is a type of FHIR's whose resources are passed over; else NULL. Any thread. */
const char *fhir_types_passed_over(struct slice name);

/* The table that a type's rows go to; a literal. Any thread. */
const char *fhir_types_table(enum fhir_type type);

/* True when the type's codes are of vaccines, where another system comes first. Any thread. */
bool fhir_types_is_vaccine(enum fhir_type type);

#endif
