#include "database/lmdb_room.h"

#include "tests/lib/test.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START = 100000, SMALL = 8192, LARGE = 1 << 20, HUGE = 1 << 30, MOST = 32 << 20 };

struct state {
        char folder[64];
        int fd;
};

/* A file of START bytes. */
static int setup(void **state)
{
        static struct state s;
        static const char bytes[START] = "data";
        char path[80];

        temp_dir_make(s.folder, sizeof(s.folder));
        (void)snprintf(path, sizeof(path), "%s/file", s.folder);
        s.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(s.fd >= 0);
        assert_int_equal(write(s.fd, bytes, START), START);
        *state = &s;
        return 0;
}

static int teardown(void **state)
{
        const struct state *s = *state;

        (void)close(s->fd);
        temp_dir_remove(s->folder);
        return 0;
}

static struct stat stat_of(const struct state *s)
{
        struct stat file;

        assert_int_equal(fstat(s->fd, &file), 0);
        return file;
}

static void a_large_growth_makes_room_for_the_next_one(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;

        lmdb_room_init(&room, s->fd, START);
        lmdb_room_follow(&room, START + LARGE);
        assert_true(stat_of(s).st_size >= START + 2 * LARGE);
        assert_true(stat_of(s).st_size <= START + 3 * LARGE);
}

static bool has_direct_writes(const struct state *s)
{
        char path[32];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
        fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
        if (fd < 0)
                return false;
        (void)close(fd);
        return true;
}

/* Of the file system; 0 where it does not tell. */
static uint32_t unwritten_extents(const struct state *s)
{
        enum { MOST_EXTENTS = 64 };
        struct fiemap *asked = calloc(1, sizeof(*asked) + MOST_EXTENTS * sizeof(asked->fm_extents[0]));
        uint32_t count = 0;

        assert_non_null(asked);
        asked->fm_length = FIEMAP_MAX_OFFSET;
        asked->fm_extent_count = MOST_EXTENTS;
        if (ioctl(s->fd, FS_IOC_FIEMAP, asked) == 0)
                for (uint32_t i = 0; i < asked->fm_mapped_extents; i++)
                        count += (asked->fm_extents[i].fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0;
        free(asked);
        return count;
}

static void the_room_is_written_zeros_and_the_data_stay(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;
        static char zeros[LARGE];
        static char bytes[LARGE];

        assert_int_equal(fsync(s->fd), 0);
        lmdb_room_init(&room, s->fd, START);
        lmdb_room_follow(&room, START + LARGE);
        if (has_direct_writes(s))
                assert_true(stat_of(s).st_blocks * 512 >= LARGE);
        assert_int_equal(unwritten_extents(s), 0);
        assert_int_equal(pread(s->fd, bytes, LARGE, START + LARGE), LARGE);
        assert_memory_equal(bytes, zeros, LARGE);
        assert_int_equal(pread(s->fd, bytes, 5, 0), 5);
        assert_string_equal(bytes, "data");
}

static void small_growths_leave_the_file_as_it_is(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;

        lmdb_room_init(&room, s->fd, START);
        for (int i = 1; i < 100; i++)
                lmdb_room_follow(&room, START + (uint64_t)i * SMALL);
        assert_int_equal(stat_of(s).st_size, START);
}

static void there_is_a_most_of_it(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;

        lmdb_room_init(&room, s->fd, START);
        lmdb_room_follow(&room, (uint64_t)START + HUGE);
        assert_true(stat_of(s).st_size <= START + HUGE + MOST);
}

static void what_was_not_used_is_cut_off(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;

        lmdb_room_init(&room, s->fd, START);
        lmdb_room_trim(&room, START);
        assert_int_equal(stat_of(s).st_size, START);
        lmdb_room_follow(&room, START + LARGE);
        lmdb_room_trim(&room, START + LARGE + SMALL);
        assert_int_equal(stat_of(s).st_size, START + LARGE + SMALL);
}

/* LMDB may have left the file shorter than the pages it counts: it writes none that were freed again at once. */
static void a_file_that_is_shorter_than_what_is_used_is_not_cut(void **state)
{
        const struct state *s = *state;
        struct lmdb_room room;

        lmdb_room_init(&room, s->fd, START);
        lmdb_room_follow(&room, START + LARGE);
        assert_int_equal(ftruncate(s->fd, START), 0);
        lmdb_room_trim(&room, START + LARGE);
        assert_int_equal(stat_of(s).st_size, START);
}

static int under_a_limit(const struct state *s)
{
        struct rlimit limit = {START + LARGE, RLIM_INFINITY};
        struct lmdb_room room;

        (void)signal(SIGXFSZ, SIG_DFL);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                return 1;
        lmdb_room_init(&room, s->fd, START);
        lmdb_room_follow(&room, START + LARGE);
        return stat_of(s).st_size == START ? 0 : 2;
}

static void the_process_limit_is_kept(void **state)
{
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
                _exit(under_a_limit(*state));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_large_growth_makes_room_for_the_next_one, setup, teardown),
                cmocka_unit_test_setup_teardown(the_room_is_written_zeros_and_the_data_stay, setup, teardown),
                cmocka_unit_test_setup_teardown(small_growths_leave_the_file_as_it_is, setup, teardown),
                cmocka_unit_test_setup_teardown(there_is_a_most_of_it, setup, teardown),
                cmocka_unit_test_setup_teardown(what_was_not_used_is_cut_off, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file_that_is_shorter_than_what_is_used_is_not_cut, setup, teardown),
                cmocka_unit_test_setup_teardown(the_process_limit_is_kept, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
