/* Forms (fhir_forms.h) of allergies and conditions, and of what all clinical records have. */
#ifndef IMPORT_FHIR_CLINICAL_H
#define IMPORT_FHIR_CLINICAL_H

#include "import/fhir_draft.h"

/* What the record is about; refused when there are neither a code nor words. An allergy's may stand in a reaction. */
enum err fhir_clinical_code(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* How sure it is; remembered for the status. */
enum err fhir_clinical_verification(struct fhir_draft *d, const struct fhir_element *element,
        const struct fhir_place *at, struct slice item) MUST_CHECK;

/* The status of an allergy or condition: see import/fhir_words.def. */
enum err fhir_clinical_status(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* A status that is one word; of an immunization or encounter. */
enum err fhir_clinical_status_word(struct fhir_draft *d, const struct fhir_element *element,
        const struct fhir_place *at, struct slice item) MUST_CHECK;

/* An allergy's reactions, one item for each manifestation; the worst severity is remembered. */
enum err fhir_clinical_reactions(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* The criticality, and the severity that follows from it and the reactions; none when neither says any. */
enum err fhir_clinical_severity(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

/* A condition's stages, in words. */
enum err fhir_clinical_stages(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

#endif
