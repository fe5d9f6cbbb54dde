/* Backups: one file that holds an image of a database (database/lmdb_image.h) and can tell whether it is whole.
 *
 *      vitalcache-backup 1\n                       what it is, and the version of this layout
 *      {"format": …, "position": …, …}\n           JSON: what the image holds
 *      the image                                   an LMDB data file
 *      vitalcache-backup-end LENGTH HASH\n         LENGTH: bytes before this line, 20 digits; HASH: XXH3-128 of them
 *
 * The hash finds what breaks by chance: cut files, flipped bits, pieces in the wrong order. It is no signature: whoever
 * may write the file can write a fitting hash. */
#ifndef DATABASE_BACKUP_H
#define DATABASE_BACKUP_H

#include "base/clock.h"
#include "database/lmdb_image.h"

enum { BACKUP_VERSION = 1, BACKUP_HASH_SIZE = 33, BACKUP_RELEASE_SIZE = 32 };

struct backup_facts {
        struct lmdb_image_facts image;
        char time[CLOCK_TEXT_SIZE];        /* when it was begun */
        char release[BACKUP_RELEASE_SIZE]; /* of vitalcache, that made it */
        uint64_t bytes;                    /* of the whole file */
        char hash[BACKUP_HASH_SIZE];
};

/* Nothing known yet; deinit it in any case. */
void backup_facts_init(struct backup_facts *facts);
/* Frees it. */
void backup_facts_deinit(struct backup_facts *facts);

/* Appends what a backup holds as a value: the members of its second line. Errors as buf_append. */
enum err backup_facts_put(const struct backup_facts *facts, struct buf *out) MUST_CHECK;

/* Writes a backup of the database in `folder` to the file descriptor, while a server may use it. Errors as
 * lmdb_image_copy, ERR_DISK_FULL and ERR_IO of the output; what was written is of no use then. */
enum err backup_write(
        const char *folder, int fd, struct wall now, struct backup_facts *facts, struct err_msg *msg) MUST_CHECK;

/* The same into a file, which is there, durable and with mode 0600, or is as it was: all is written to "PATH.part"
 * first. ERR_LOCKED: another process does so at present. */
enum err backup_save(const char *folder, const char *path, struct wall now, struct backup_facts *facts,
        struct err_msg *msg) MUST_CHECK;

/* Where a backup is read from; `name` stands for it in messages. */
struct backup_input {
        const char *name;
        int fd;
};

/* Reads a backup to its end, writes its image to the descriptor `image` (-1: nowhere) and checks it. Until it returns
 * OK the image is not to be believed. ERR_CORRUPT: no backup, cut, or not as it was written; ERR_VERSION: by a newer
 * release; ERR_IO, ERR_DISK_FULL, ERR_NOMEM. */
enum err backup_read(
        const struct backup_input *input, int image, struct backup_facts *facts, struct err_msg *msg) MUST_CHECK;

#endif
