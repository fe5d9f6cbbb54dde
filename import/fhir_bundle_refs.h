/* What the resources of a Bundle call one another (hl7.org/fhir/R4/bundle.html#references): by the fullUrl of an entry,
 * by type and id (the first entry that has them), and, in a transaction, by a search that finds one patient
 * ("Patient?identifier=system|value"). Not thread-safe: one owner; finding is pure. */
#ifndef IMPORT_FHIR_BUNDLE_REFS_H
#define IMPORT_FHIR_BUNDLE_REFS_H

#include "base/buf.h"
#include "import/fhir.h"

struct fhir_bundle_refs {
        struct buf urls;               /* names with their resources, sorted once ready */
        struct buf identifiers;        /* the same */
        const struct fhir_refs *outer; /* of the Bundle around this one; NULL: none */
        struct fhir_refs refs;         /* for fhir_resource.refs; points at this struct, so it must not move */
};

/* Empty; `outer` is asked for what this one does not know. */
void fhir_bundle_refs_init(struct fhir_bundle_refs *refs, const struct fhir_refs *outer);
void fhir_bundle_refs_deinit(struct fhir_bundle_refs *refs);

/* Notes that `full_url` is the entry of that resource; and that the patient `patient` (its value) has the identifiers
 * that it names. All slices are borrowed until deinit. ERR_NOMEM. */
enum err fhir_bundle_refs_add(
        struct fhir_bundle_refs *refs, struct slice full_url, const struct fhir_target *target) MUST_CHECK;
enum err fhir_bundle_refs_add_patient(
        struct fhir_bundle_refs *refs, struct slice patient, const struct fhir_target *target) MUST_CHECK;

/* All has been added: refs->refs may be used. */
void fhir_bundle_refs_ready(struct fhir_bundle_refs *refs);

#endif
