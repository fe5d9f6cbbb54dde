/* Private to backups: the parts of the file that writing and reading share. */
#ifndef DATABASE_BACKUP_LAYOUT_H
#define DATABASE_BACKUP_LAYOUT_H

#include "database/backup.h"

#define BACKUP_MAGIC     "vitalcache-backup "
#define BACKUP_END_MAGIC "vitalcache-backup-end "

enum {
        BACKUP_HEAD_MAX = 64 << 10, /* the two lines before the image */
        BACKUP_END_SIZE = sizeof(BACKUP_END_MAGIC) - 1 + 20 + 1 + (BACKUP_HASH_SIZE - 1) + 1
};

/* The length and hash of bytes that pass by. */
struct backup_sum {
        void *state;
        uint64_t bytes;
};

/* ERR_NOMEM. */
enum err backup_sum_init(struct backup_sum *sum) MUST_CHECK;
void backup_sum_deinit(struct backup_sum *sum);
void backup_sum_add(struct backup_sum *sum, struct slice bytes);

/* Leaves the hash of what has passed, as hexadecimal digits, in facts->hash. */
void backup_sum_finish(struct backup_sum *sum, struct backup_facts *facts);

/* Writes all of it. ERR_DISK_FULL, ERR_IO; `name` stands for the file in the message. */
enum err backup_put(int fd, struct slice bytes, const char *name, struct err_msg *msg) MUST_CHECK;

#endif
