/* The forms of import/fhir_elements.def: how an element becomes members of a row. Each form is given the element, the
 * place of its value (for refusals) and the value, which is empty when the element is not given (need ALWAYS); it
 * writes to d->row. Errors as everywhere in fhir_draft.h. */
#ifndef IMPORT_FHIR_FORMS_H
#define IMPORT_FHIR_FORMS_H

#include "import/fhir_draft.h"

typedef enum err (*fhir_forms_fn)(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item);

/* Writes all elements of a type. */
enum err fhir_forms_run(struct fhir_draft *d, enum fhir_type type) MUST_CHECK;

/* Appends one item of a list, or none, to *list. */
typedef enum err (*fhir_forms_item_fn)(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list);

/* A list becomes the list `member`: `put` for each of its items that is not null. No member when nothing was put. */
enum err fhir_forms_put_list(struct fhir_draft *d, const char *member, const struct fhir_place *at, struct slice item,
        fhir_forms_item_fn put) MUST_CHECK;

/* A list of concepts becomes the list `member` of their words. */
enum err fhir_forms_put_concepts(
        struct fhir_draft *d, const char *member, const struct fhir_place *at, struct slice item) MUST_CHECK;

#endif
