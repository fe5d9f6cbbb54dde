/* CodeableConcept (hl7.org/fhir/R4/datatypes.html): several codings of one meaning, and the words that a person chose
 * for it; any of them may be missing. One thread at a time, as the draft. */
#ifndef IMPORT_FHIR_CONCEPT_H
#define IMPORT_FHIR_CONCEPT_H

#include "import/fhir_draft.h"

struct fhir_concept {
        struct slice item;    /* the whole; borrowed, as all of it */
        struct slice system;  /* of the coding whose system comes first (code_systems.def), as written */
        struct slice code;    /* likewise; empty: no coding has a code */
        struct slice display; /* likewise */
        struct slice text;
        struct slice own_code; /* of the first coding of a system that is none of clinical codes: FHIR's own lists */
        uint32_t codings;      /* that say anything */
};

/* Reads a concept; all empty when it is not given. Refuses wrong kinds. */
enum err fhir_concept_read(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_concept *out) MUST_CHECK;

/* The first concept of a list that says anything; an empty one when there is none. All are read, so that all are of
 * the right kinds. */
enum err fhir_concept_first(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_concept *out) MUST_CHECK;

/* True when it has neither code nor words. Pure. */
bool fhir_concept_is_empty(const struct fhir_concept *concept);

/* Its words for a reader: text, else display, else code; empty when it is. Pure. */
struct slice fhir_concept_words(const struct fhir_concept *concept);

/* Writes code, system (its short name), display (else the text) and text (where it is another one). */
enum err fhir_concept_put(struct fhir_out_map *map, const struct fhir_concept *concept) MUST_CHECK;

/* Writes all codings as `codes` when they are several: {system, code, display}, the system as it was written. */
enum err fhir_concept_put_codes(struct fhir_out_map *map, const struct fhir_concept *concept) MUST_CHECK;

/* The word of a concept that FHIR's list `set` must have: a coding of FHIR's own systems, else another coding, else,
 * when there are no codes, the text. NULL when the concept says nothing. Refuses other words. */
enum err fhir_concept_word(struct fhir_draft *d, const struct fhir_place *at, struct slice item, enum fhir_word_set set,
        const struct fhir_word **out) MUST_CHECK;

#endif
