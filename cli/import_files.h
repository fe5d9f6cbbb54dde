/* The files of an import, in the order to send them: students first, as rows of unknown students are left out. */
#ifndef CLI_IMPORT_FILES_H
#define CLI_IMPORT_FILES_H

#include "database/import_csv.h"

struct import_file {
        char *path; /* owned */
        enum import_kind kind;
        bool skipped;       /* in a folder given, but none of the tables */
        struct err_msg why; /* with `skipped` */
};

struct import_files {
        struct import_file *files; /* owned */
        size_t count;
};

/* Finds the .csv files of each path (a file, or a folder, whose folders are not entered) and their tables by their
 * header lines. ERR_IO, ERR_BADVALUE, ERR_NOTFOUND name the path and the problem; a file of another table is an error
 * when it was named, and skipped when it was found in a folder. ERR_NOMEM. Deinit in any case. */
enum err import_files_init(
        struct import_files *out, const char *const *paths, size_t count, struct err_msg *msg) MUST_CHECK;
void import_files_deinit(struct import_files *files);

/* Reads a file to its end and gives the sink what is in it. ERR_IO, ERR_BADVALUE and ERR_NOTFOUND name it; ERR_NOMEM;
 * else what the sink returned. */
enum err import_files_read(
        const struct import_file *file, const struct import_sink *sink, struct err_msg *msg) MUST_CHECK;

#endif
