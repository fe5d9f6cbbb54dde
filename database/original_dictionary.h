/* The bytes of original_dictionary.txt, as the build has them from there. For database/original.c. */
#ifndef DATABASE_ORIGINAL_DICTIONARY_H
#define DATABASE_ORIGINAL_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t original_dictionary[];
extern const size_t original_dictionary_len;

#endif
