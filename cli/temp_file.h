/* Files without a name, for what an import puts aside because it does not fit into memory. They lie in $TMPDIR (else
 * /tmp), only their owner may read them (they hold patient data), and they are gone once they are closed, also when
 * the program is killed. */
#ifndef CLI_TEMP_FILE_H
#define CLI_TEMP_FILE_H

#include "base/err.h"
#include "base/slice.h"

/* Makes an empty one; the caller closes *fd. ERR_IO names the folder; *fd is -1 then. */
enum err temp_file_open(int *fd, struct err_msg *msg) MUST_CHECK;

/* Writes all of `bytes` at `offset`. ERR_IO. */
enum err temp_file_write(int fd, uint64_t offset, struct slice bytes, struct err_msg *msg) MUST_CHECK;

/* Room to read into. */
struct temp_file_room {
        void *data;
        size_t len;
        size_t got; /* set by the read; less than `len` only at the end of the file */
};

/* Reads from `offset` into the room, as much as there is. ERR_IO. */
enum err temp_file_read(int fd, uint64_t offset, struct temp_file_room *room, struct err_msg *msg) MUST_CHECK;

#endif
