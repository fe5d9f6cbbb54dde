/* References between resources (hl7.org/fhir/R4/references.html): whose record a resource is. One thread at a time, as
 * the draft. */
#ifndef IMPORT_FHIR_REFERENCE_H
#define IMPORT_FHIR_REFERENCE_H

#include "import/fhir_draft.h"

/* The type, id and server that a reference names by its form; a URN has an id only:
 *      Patient/1    Patient/1/_history/2    http://a.org/fhir/Patient/1    urn:uuid:…    urn:oid:…
 * False: it names none, such as a search (Patient?identifier=…) or a bare id. Pure; any thread. */
bool fhir_reference_parse(struct slice reference, struct fhir_target *out) MUST_CHECK;

/* The last part of an entry's fullUrl, which is its resource's id when that has none; empty: it has no such part. Pure;
 * any thread. */
struct slice fhir_reference_of_full_url(struct slice full_url);

/* Finds the patient that a Reference leads to: by the Bundle's entries, else by its form. `id` is empty when it is one
 * inside this resource: then d->contained_patient is set. Refuses what leads to no patient. */
enum err fhir_reference_patient(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *id) MUST_CHECK;

/* The id of the resource of the type `type` (NULL: of any) that a Reference leads to; empty when it leads to none. */
enum err fhir_reference_id(struct fhir_draft *d, const struct fhir_place *at, struct slice item, const char *type,
        struct slice *id) MUST_CHECK;

#endif
