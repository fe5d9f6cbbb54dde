/* A FHIR Bundle (hl7.org/fhir/R4/bundle.html) of any type becomes the rows of its resources: transaction, batch,
 * collection, searchset, document, message and history, and Bundles within it.
 *
 * What is no record is told to sink.ignored with a word of its own:
 *      deleted entry   an entry that says, or asks, that a resource is deleted. It has none to take, and what is in
 *                      the database stays: erasing is never a side effect of an import
 *      older version   in a history, a resource that a later version, or its deletion, stands before
 *      empty entry     an entry without a resource
 * and the types that are not kept, OperationOutcome and the like, by their names. */
#ifndef IMPORT_FHIR_BUNDLE_H
#define IMPORT_FHIR_BUNDLE_H

#include "import/fhir.h"
#include "import/import_sink.h"
#include "import/json_part.h"

struct fhir_bundle {
        struct json_part part; /* the Bundle */
        uint64_t line;         /* that its text begins on */
        struct slice prefix;   /* as fhir_resource's */
};

/* Whether a resource is a Bundle. Pure; any thread. */
bool fhir_bundle_is(struct slice resource) MUST_CHECK;

/* Gives the sink what is in the Bundle: for each resource, what fhir_to_rows does, with the line that it begins on. An
 * entry that is none of FHIR's is a `bad`, and so is a Bundle of more than a million entries. OK, what the sink
 * returned, or ERR_NOMEM. The mapper's thread. */
enum err fhir_bundle_to_rows(
        struct fhir_mapper *mapper, const struct fhir_bundle *bundle, const struct import_sink *sink) MUST_CHECK;

#endif
