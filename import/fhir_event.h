/* Forms (fhir_forms.h) of immunizations and encounters. */
#ifndef IMPORT_FHIR_EVENT_H
#define IMPORT_FHIR_EVENT_H

#include "import/fhir_draft.h"

/* When a vaccine was given: a date or instant; refused when nothing is said of it, not even that it is not known. */
enum err fhir_event_occurrence(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* Which dose of which series it was: {dose, of, series, disease} of each protocol. */
enum err fhir_event_doses(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The class of an encounter. */
enum err fhir_event_class(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The first type of an encounter that says anything. */
enum err fhir_event_type(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The period of an encounter as two members. */
enum err fhir_event_period(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The reasons of an encounter: the first one's words and code, and the words of all when they are several. */
enum err fhir_event_reasons(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

#endif
