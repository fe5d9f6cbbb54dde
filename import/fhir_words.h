/* FHIR's lists of words, and what rows say for them (import/fhir_words.def). */
#ifndef IMPORT_FHIR_WORDS_H
#define IMPORT_FHIR_WORDS_H

#include "base/slice.h"

enum fhir_word_set {
        FHIR_WORDS_ALLERGY_CLINICAL,
        FHIR_WORDS_ALLERGY_VERIFICATION,
        FHIR_WORDS_CONDITION_CLINICAL,
        FHIR_WORDS_CONDITION_VERIFICATION,
        FHIR_WORDS_CRITICALITY,
        FHIR_WORDS_REACTION_SEVERITY,
        FHIR_WORDS_IMMUNIZATION_STATUS,
        FHIR_WORDS_ENCOUNTER_STATUS,
        FHIR_WORDS_ENCOUNTER_CLASS,
        FHIR_WORDS_LINK_TYPE,
        FHIR_WORDS_NAME_USE,
        FHIR_WORDS_ADDRESS_USE,
        FHIR_WORDS_TELECOM_USE,
        FHIR_WORDS_PATIENT_EXTENSION
};

struct fhir_word {
        enum fhir_word_set set;
        const char *fhir;
        const char *row; /* "": it says nothing that the member could tell */
};

/* The word of a set, in any letter case; NULL: it is not in the set. The words of one set are neighbours in one array,
 * in the table's order, so that pointers into it compare as the table does. Pure; any thread. */
const struct fhir_word *fhir_words_find(enum fhir_word_set set, struct slice word);

/* The place of a word that was found in its set, from 0. Pure; any thread. */
unsigned fhir_words_rank(const struct fhir_word *word);

#endif
