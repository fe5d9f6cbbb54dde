/* Forms (fhir_forms.h) of patients. */
#ifndef IMPORT_FHIR_PATIENT_H
#define IMPORT_FHIR_PATIENT_H

#include "import/fhir_draft.h"

/* The name whose use comes first (import/fhir_words.def). */
enum err fhir_patient_names(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The extensions that are members. */
enum err fhir_patient_extensions(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The address whose use comes first. */
enum err fhir_patient_addresses(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The phone and the e-mail address whose uses come first. */
enum err fhir_patient_telecoms(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* All identifiers that have a value: {system, value, type, use}. */
enum err fhir_patient_identifiers(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The people to call: {name, relationship, phone}. */
enum err fhir_patient_contacts(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The language that the patient prefers, else the first one. */
enum err fhir_patient_language(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

#endif
