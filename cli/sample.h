/* A made-up school population, written as Synthea's present CSV files. Nobody in it exists; names, towns and schools
 * are our own, codes are real ones. */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "base/err.h"

#include <stdint.h>

struct sample_plan {
        uint64_t students; /* ids 1..students */
        uint64_t seed;
};

enum sample_table { SAMPLE_PATIENTS, SAMPLE_ALLERGIES, SAMPLE_CONDITIONS, SAMPLE_IMMUNIZATIONS, SAMPLE_TABLE_COUNT };

struct sample_counts {
        uint64_t rows[SAMPLE_TABLE_COUNT];
};

/* The file's name: "patients.csv". A literal. */
const char *sample_file_name(enum sample_table table);

/* Writes the four files into `folder`, which is made if it is not there; files of these names are replaced. The same
 * plan makes the same bytes, and a larger population begins with the smaller one. Student 42 has a severe allergy.
 * ERR_IO names the file and the reason; what was written until then stays. */
enum err sample_write(const char *folder, const struct sample_plan *plan, struct sample_counts *counts,
        struct err_msg *msg) MUST_CHECK;

#endif
