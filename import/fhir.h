/* One FHIR R4 resource (hl7.org/fhir/R4) becomes rows, as the server's IMPORT takes them:
 *
 *      Patient              students, and merges for its links "replaced-by" and "replaces"
 *      AllergyIntolerance   allergies
 *      Condition            conditions
 *      Immunization         vaccinations
 *      Encounter            visits
 *
 * A row holds facts: what follows from them by rules that can be configured (which conditions are chronic, which codes
 * say "no known allergy") is the server's. What no member of a row tells is in the member `resource`: the original.
 * A resource that cannot be taken at face value, because a thing it needs is missing, is of the wrong kind, or an
 * element says that it means something that vitalcache does not know, is left out with a reason, never half taken.
 *
 * The tables of the mapping: import/fhir_elements.def, fhir_words.def, fhir_types.def, code_systems.def. */
#ifndef IMPORT_FHIR_H
#define IMPORT_FHIR_H

#include "base/err.h"
#include "base/slice.h"

struct import_sink;

/* A resource that a reference leads to. */
struct fhir_target {
        struct slice type; /* "Patient" */
        struct slice id;
        struct slice base; /* the server that it is of: "http://a.org/fhir"; empty: that is not told */
};

/* What the resources of one Bundle call one another. */
struct fhir_refs {
        /* The entry of that fullUrl; or, for "Patient/1", the first of that type and id, of whatever server. False:
         * there is none; the reference is then read by its form alone. *out borrows. */
        bool (*find)(const void *context, struct slice reference, struct fhir_target *out);
        const void *context;
};

/* All slices are borrowed during the call. */
struct fhir_resource {
        struct slice value;           /* the resource: msgpack that value_check has passed */
        struct slice text;            /* its JSON text without white space between tokens: becomes `resource` */
        struct slice full_url;        /* of its Bundle entry; empty: none */
        uint64_t line;                /* of the input, from 1 */
        const struct fhir_refs *refs; /* NULL: not in a Bundle */
        struct slice prefix;          /* put before each student's id; may be empty */
};

/* Who a resource is. */
struct fhir_identity {
        struct slice type; /* `resourceType`; borrowed */
        struct slice id;   /* borrowed from the resource, or of `made` */
        char made[17];
};

/* The type and id of a resource: its own id; without one, the last part of its fullUrl; else 16 hexadecimal digits of
 * its text, the same at each import. False: it is no map, or `resourceType` or `id` are not usable as such. Pure; any
 * thread. *out must not be copied: `id` may point into it. */
bool fhir_identify(const struct fhir_resource *resource, struct fhir_identity *out) MUST_CHECK;

/* Buffers that are used again from resource to resource. One thread at a time. */
struct fhir_mapper;

/* ERR_NOMEM; *out is NULL then. */
enum err fhir_mapper_create(struct fhir_mapper **out) MUST_CHECK;
void fhir_mapper_destroy(struct fhir_mapper **mapper);

/* Gives the sink the rows of the resource, all of them or none: its student first, then what belongs to it; or one
 * `bad` with the reason and the element ("onsetDateTime", "reaction.severity") that it is about and the text as origin;
 * or one `ignored` with the type, when it is one of FHIR's that is not kept.
 * Whatever the value is, it is one of these. The result is OK, what the sink returned, or ERR_NOMEM. */
enum err fhir_to_rows(
        struct fhir_mapper *mapper, const struct fhir_resource *resource, const struct import_sink *sink) MUST_CHECK;

#endif
