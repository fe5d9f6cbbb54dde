/* Problem: a large import writes single pages all over the file, some thousands with each commit, and what that costs
 * the kernel is paid by those who read meanwhile: it works on threads of its own, that no priority of ours puts last.
 *   - LMDB writes new pages at the file's end, up to 64 at a time; newer file systems (ext4 since Linux 6.16) keep such
 *     a write in the cache as one piece of 256 KB, and whoever then writes one page of it, or syncs it, goes through a
 *     list of all its 64: a page that is written over took 14 us in place of 6.
 *   - Blocks that the file has not had before count as unwritten until their write has ended, and then, piece by
 *     piece, each in a change of the file system's own journal, as written. With pages scattered all over the growth
 *     that held up a core for a millisecond at a time, and doubled the 99th percentile of reads beside an import.
 *
 * Idea: the file is made longer than it needs to be, and zeros are written there in large pieces past the cache, so
 * that all its blocks count as written at once. Then the kernel is asked to read them ahead: what is read ahead comes
 * in single pages, and pages that are in the cache before they are written stay as they are.
 *
 * Why not MDB_WRITEMAP, which writes no pieces: a stray pointer of ours could then write into the database. Why not
 * fallocate(): its blocks are unwritten ones. Why not for every commit: those of single writes do not make the file
 * grow by large pieces. Where a file system has no direct writes, a hole takes the place of the zeros.
 *
 * Cost: what an import adds to the file is written twice, the first time in sequence, by the writer, while it would
 * wait for the importer as a rule; the file is up to MOST longer than it is used until it is closed. */
#include "database/lmdb_room.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        LEAST = 64 << 10,  /* growth below which LMDB writes no large pieces */
        MOST = 32 << 20,   /* at a time */
        PIECE = 128 << 10, /* of one request: the kernel takes as much as it would read ahead, and leaves the rest */
        BLOCK = 4096,      /* direct writes begin and end at multiples of it */
        ZEROS = 4 << 20,   /* written at a time */
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

static void write_zeros(int direct, uint64_t from, uint64_t end)
{
        const uint8_t *zeros = mmap(NULL, ZEROS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (zeros == MAP_FAILED)
                return;
        for (ssize_t put = 1; from < end && put > 0; from += (uint64_t)put)
                put = pwrite(direct, zeros, end - from < ZEROS ? end - from : ZEROS, (off_t)from);
        (void)munmap((void *)zeros, ZEROS);
}

/* Nothing there is used, so that a failure (a full disk, no direct writes) leaves a hole, and no harm. */
static void make_written(const struct lmdb_room *room, uint64_t from, uint64_t end)
{
        char path[32];
        int direct;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", room->fd);
        direct = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
        if (direct < 0)
                return;
        write_zeros(direct, from, end);
        (void)close(direct);
}

/* Twice the growth of the last commit: half of it is left over when the next one grows as much. */
void lmdb_room_follow(struct lmdb_room *room, uint64_t used)
{
        uint64_t growth = used > room->used ? used - room->used : 0;
        uint64_t end = (used + (growth > MOST / 2 ? MOST : growth * 2)) / PIECE * PIECE;
        uint64_t from = ((room->ready > used ? room->ready : used) + BLOCK - 1) / BLOCK * BLOCK;

        room->used = used;
        if (growth < LEAST || end <= from || !lengthen(room, end))
                return;
        make_written(room, from, end);
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
