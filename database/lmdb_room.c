/* Problem: a large import writes single pages all over the file, some thousands with each commit, and each costs the
 * kernel the more the larger the pieces are in which its cache keeps the file. LMDB writes new pages at the file's end,
 * up to 64 at a time; newer file systems (ext4 since Linux 6.16) keep such a write as one piece of 256 KB, and whoever
 * then writes one page of it, or syncs it, goes through a list of all its 64. So the first million records came in
 * quickly, and each one after it cost more: a page that is written over took 14 us in place of 6.
 *
 * Idea: pages that are in the cache before they are written stay as they are, and what is read ahead comes in single
 * pages. So the file is made longer than it needs to be, by a hole, and the kernel is asked to read that. It has
 * nothing to read and hands out pages of zeros. They would be taken from memory a moment later in any case.
 *
 * Why not MDB_WRITEMAP, which writes no pieces: a stray pointer of ours could then write into the database. Why not
 * for every commit: those of single writes do not make the file grow by large pieces.
 *
 * Cost: to fill each new page with zeros once, some tenths of a microsecond; the file looks up to MOST longer than it
 * is until it is closed. Where the kernel does not keep files in large pieces, nothing is won. */
#include "database/lmdb_room.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        LEAST = 64 << 10,  /* growth below which LMDB writes no large pieces */
        MOST = 32 << 20,   /* at a time */
        PIECE = 128 << 10, /* of one request: the kernel takes as much as it would read ahead, and leaves the rest */
};

void lmdb_room_init(struct lmdb_room *room, int fd, uint64_t used)
{
        *room = (struct lmdb_room){.fd = fd, .used = used, .ready = used};
}

/* A file beyond the process's limit would not be an error but a signal, and the end of the process. */
static bool may_have(uint64_t bytes)
{
        struct rlimit limit;

        return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

static bool lengthen(const struct lmdb_room *room, uint64_t bytes)
{
        struct stat file;

        if (fstat(room->fd, &file) != 0)
                return false;
        return (uint64_t)file.st_size >= bytes || (may_have(bytes) && ftruncate(room->fd, (off_t)bytes) == 0);
}

/* Twice the growth of the last commit: half of it is left over when the next one grows as much. */
void lmdb_room_follow(struct lmdb_room *room, uint64_t used)
{
        uint64_t growth = used > room->used ? used - room->used : 0;
        uint64_t end = (used + (growth > MOST / 2 ? MOST : growth * 2)) / PIECE * PIECE;
        uint64_t from = room->ready > used ? room->ready : used;

        room->used = used;
        if (growth < LEAST || end <= from || !lengthen(room, end))
                return;
        for (room->ready = end; from < end; from += PIECE)
                (void)posix_fadvise(room->fd, (off_t)from, PIECE, POSIX_FADV_WILLNEED);
}

void lmdb_room_trim(struct lmdb_room *room, uint64_t used)
{
        struct stat file;

        if (room->ready > used && fstat(room->fd, &file) == 0 && (uint64_t)file.st_size > used)
                (void)!ftruncate(room->fd, (off_t)used);
        room->used = room->ready = used;
}
