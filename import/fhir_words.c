#include "import/fhir_words.h"

static const struct fhir_word WORDS[] = {
#define WORD(set, fhir, row) {FHIR_WORDS_##set, fhir, row},
#include "import/fhir_words.def"
#undef WORD
};

const struct fhir_word *fhir_words_find(enum fhir_word_set set, struct slice word)
{
        for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
                if (WORDS[i].set == set && slice_is_word(word, WORDS[i].fhir))
                        return &WORDS[i];
        return NULL;
}

unsigned fhir_words_rank(const struct fhir_word *word)
{
        unsigned rank = 0;

        while (word - rank > WORDS && (word - rank - 1)->set == word->set)
                rank++;
        return rank;
}
