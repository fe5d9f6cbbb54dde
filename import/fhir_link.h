/* Patient.link (hl7.org/fhir/R4/patient.html): two Patient resources that are one person. Such a pair becomes a row of
 * the table merges, which says the same whichever of the two resources told of it:
 *
 *      {"student": the one that is replaced, "id": "into", "into": the one that stays}
 *
 * Both keep their rows of students: the source does not show that of the replaced one, but its original is there. */
#ifndef IMPORT_FHIR_LINK_H
#define IMPORT_FHIR_LINK_H

#include "import/fhir_draft.h"

/* Writes the rows that the links of the patient d->student ask for. Refuses links that cannot be followed, that lead to
 * itself, or to two that take its place. To be called while no row is open. */
enum err fhir_link_merges(struct fhir_draft *d) MUST_CHECK;

/* A form (fhir_forms.h): the links that merge nothing: {type, other}. */
enum err fhir_link_others(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,
        struct slice item) MUST_CHECK;

#endif
