/* Blocks and page cache, made ready where the data file is going to grow. */
#ifndef DATABASE_LMDB_ROOM_H
#define DATABASE_LMDB_ROOM_H

#include <stdint.h>

struct lmdb_room {
        int fd;         /* of the data file; borrowed */
        uint64_t used;  /* bytes of the file, when it was last told */
        uint64_t ready; /* up to here the file has pages in memory, or had */
};

/* `used`: the bytes of the file that the database counts as its own. No call fails: what cannot be made ready is only
 * slower later. One thread at a time. */
void lmdb_room_init(struct lmdb_room *room, int fd, uint64_t used);

/* After a commit, with the bytes that are used now: makes room for the growth that is to be expected, if it was large.
 * The file becomes longer than it is used, by zeros (by a hole, where the file system has no direct writes). */
void lmdb_room_follow(struct lmdb_room *room, uint64_t used);

/* Cuts off what is not used. No transaction may be under way. */
void lmdb_room_trim(struct lmdb_room *room, uint64_t used);

#endif
