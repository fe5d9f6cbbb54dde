/* The inputs of an import, in the order to read them: students first, as rows of unknown students have to wait. */
#ifndef CLI_IMPORT_FILES_H
#define CLI_IMPORT_FILES_H

#include "cli/import_input.h"
#include "cli/import_look.h"

#include <sys/types.h>

struct import_file {
        char *path; /* owned; of standard input: "standard input" */
        struct import_look look;
        struct import_input *input; /* of a pipe, which can be opened once only: open since it was looked at; owned */
        bool once;                  /* it can be read once only */
        uint64_t size;              /* in bytes; 0: not known */
        dev_t device;               /* which file it is, whatever its path */
        ino_t inode;
        size_t rank;        /* of the path that was given, among those given */
        bool skipped;       /* nothing in it is kept */
        struct err_msg why; /* with `skipped` */
};

struct import_files {
        struct import_file *files; /* owned */
        size_t count;
        int standard_input; /* the descriptor that "-" stands for */
};

/* Finds the inputs: each path is a file, a pipe, "-" (standard input, the descriptor `standard_input`), or a folder,
 * whose files are taken with those of the folders in it, but for names that begin with a dot. Each file once, by
 * whatever paths and links it is reached. What is in it is found by its content.
 *
 * What is understood and not kept (an empty file, another table) is skipped. What is of no kind that is read is skipped
 * when it was found in a folder; when it was named: ERR_NOTYPE. ERR_BADVALUE: it may hold records, and has to be
 * changed first. ERR_IO. All of them name the path and the problem. ERR_NOMEM. Deinit in any case. */
enum err import_files_init(struct import_files *out, const char *const *paths, size_t count, int standard_input,
        struct err_msg *msg) MUST_CHECK;
void import_files_deinit(struct import_files *files);

/* Bytes of all inputs that are not skipped; 0 when one's size is not known. */
uint64_t import_files_bytes(const struct import_files *files);

#endif
