/* One input of an import, read to its end. */
#ifndef CLI_IMPORT_READ_H
#define CLI_IMPORT_READ_H

#include "cli/import_files.h"
#include "import/import_names.h"
#include "import/import_sink.h"

/* How inputs are read. */
struct import_how {
        struct import_names *names; /* of tables: as long as the sink uses an item's table */
        struct slice prefix;        /* put before each student's id; may be empty */
        struct slice today;         /* YYYY-MM-DD: what ends later has not ended */
        /* Told after each piece how many bytes of the input have been read (packed ones, where it is packed). */
        void (*piece)(void *context, uint64_t bytes);
        void *context; /* for it */
};

/* Reads the input and gives the sink what is in it. ERR_IO, ERR_BADVALUE and ERR_NOTFOUND name it; ERR_NOMEM; else what
 * the sink returned, with *msg as the sink left it. A file may be read again; an input that can be read once only is
 * closed by this. */
enum err import_read(struct import_file *file, const struct import_sink *sink, const struct import_how *how,
        struct err_msg *msg) MUST_CHECK;

#endif
