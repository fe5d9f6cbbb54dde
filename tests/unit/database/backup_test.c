/* A backup holds the database whole and says so; whatever is wrong with one is found before it is put to use. */
#include "database/backup.h"

#include "tests/lib/school.h"

#include "database/lmdb_parts.h"

#include <lmdb.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { END_SIZE = 76 /* of the last line */ };

struct state {
        char path[64];
        char folder[80];
        char file[80];
        struct backup_facts facts;
        uint8_t *bytes; /* of the file */
        size_t len;
};

static void fill(const char *folder)
{
        struct lmdb_config config = school_config(folder);
        struct source *source = school_open(&config);

        for (int i = 0; i < 20; i++) {
                char id[16];

                (void)snprintf(id, sizeof(id), "%d", i);
                school_must_put(source, &SCHOOL_STUDENT, id, "{\"name\":\"Ada\"}");
        }
        school_must_put(source, &SCHOOL_ALLERGY_LIST, "7", "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        source->ops->close(&source);
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        (void)snprintf(s->folder, sizeof(s->folder), "%s/db", s->path);
        (void)snprintf(s->file, sizeof(s->file), "%s/backup", s->path);
        backup_facts_init(&s->facts);
        fill(s->folder);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        backup_facts_deinit(&s->facts);
        temp_dir_remove(s->path);
        free(s->bytes);
        free(s);
        return 0;
}

static void save(struct state *s)
{
        struct err_msg msg = {""};
        enum err rc = backup_save(s->folder, s->file, (struct wall){1000}, &s->facts, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
}

static void load(struct state *s)
{
        FILE *file = fopen(s->file, "rb");
        struct stat info;

        assert_non_null(file);
        assert_int_equal(fstat(fileno(file), &info), 0);
        s->len = (size_t)info.st_size;
        s->bytes = malloc(s->len + 1);
        assert_non_null(s->bytes);
        assert_int_equal(fread(s->bytes, 1, s->len, file), s->len);
        assert_int_equal(fclose(file), 0);
}

static enum err read_bytes(struct state *s, size_t len, struct err_msg *msg)
{
        struct backup_input input = {.name = "it", .fd = open(s->file, O_RDWR | O_TRUNC | O_CLOEXEC)};
        struct backup_facts facts;
        enum err rc;

        assert_true(input.fd >= 0);
        assert_int_equal(write(input.fd, s->bytes, len), (ssize_t)len);
        assert_int_equal(lseek(input.fd, 0, SEEK_SET), 0);
        backup_facts_init(&facts);
        rc = backup_read(&input, -1, &facts, msg);
        backup_facts_deinit(&facts);
        close(input.fd);
        return rc;
}

static void refuses(struct state *s, size_t len, const char *words)
{
        struct err_msg msg = {""};

        assert_err(ERR_CORRUPT, read_bytes(s, len, &msg));
        if (strstr(msg.text, words) == NULL)
                fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
}

static void says_what_it_holds(void **state)
{
        struct state *s = *state;
        struct stat info;

        save(s);
        assert_int_equal(s->facts.image.students, 20);
        assert_int_equal(s->facts.image.records, 21);
        assert_string_equal(s->facts.time, "1970-01-01T00:00:01.000Z");
        assert_int_equal(stat(s->file, &info), 0);
        assert_int_equal(s->facts.bytes, info.st_size);
        assert_int_equal(info.st_mode & 0777, 0600);
        load(s);
        assert_memory_equal(s->bytes, "vitalcache-backup 1\n{\"format\":2,", 32);
        assert_ok(read_bytes(s, s->len, NULL));
}

/* The image is a database, and of the same facts. */
static void its_image_is_the_database(void **state)
{
        struct state *s = *state;
        struct backup_input input = {.name = "it"};
        struct lmdb_image_facts facts;
        char folder[96];
        char file[112];
        int image;

        save(s);
        (void)snprintf(folder, sizeof(folder), "%s/again", s->path);
        (void)snprintf(file, sizeof(file), "%s/data.mdb", folder);
        assert_int_equal(mkdir(folder, 0700), 0);
        input.fd = open(s->file, O_RDONLY);
        image = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_ok(backup_read(&input, image, &s->facts, NULL));
        close(image);
        close(input.fd);
        assert_ok(lmdb_image_settle(folder, s->facts.image.position, NULL));
        lmdb_image_facts_init(&facts);
        assert_ok(lmdb_image_look(folder, &facts, NULL));
        assert_int_equal(facts.students, 20);
        assert_int_equal(facts.records, 21);
        assert_true(facts.position > s->facts.image.position);
        lmdb_image_facts_deinit(&facts);
}

static void finds_every_cut(void **state)
{
        struct state *s = *state;

        save(s);
        load(s);
        for (size_t len = 0; len < 18; len++)
                refuses(s, len, "not a backup");
        for (size_t len = 18; len < s->len; len += len < 400 || len > s->len - 2 * END_SIZE ? 1 : 997)
                refuses(s, len, "cut short, or damaged");
}

static void finds_every_flipped_bit(void **state)
{
        struct state *s = *state;

        save(s);
        load(s);
        for (size_t at = 0; at < s->len; at += at < 400 || at > s->len - 2 * END_SIZE ? 1 : 997) {
                s->bytes[at] ^= 0x10;
                assert_int_not_equal(read_bytes(s, s->len, NULL), OK);
                s->bytes[at] ^= 0x10;
        }
        assert_ok(read_bytes(s, s->len, NULL));
}

static void names_what_is_of_a_newer_release(void **state)
{
        struct state *s = *state;
        struct err_msg msg;

        save(s);
        load(s);
        s->bytes[strlen("vitalcache-backup ")] = '7';
        assert_err(ERR_VERSION, read_bytes(s, s->len, &msg));
        assert_non_null(strstr(msg.text, "version 7"));
        s->bytes[strlen("vitalcache-backup ")] = '1';
        s->bytes[strlen("vitalcache-backup 1\n{\"format\":")] = '9';
        assert_err(ERR_VERSION, read_bytes(s, s->len, &msg));
        assert_non_null(strstr(msg.text, "format 9"));
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/nowhere/backup", s->path);
        assert_err(ERR_IO, backup_save(s->folder, path, (struct wall){0}, &s->facts, &msg));
        assert_non_null(strstr(msg.text, "nowhere/backup.part: No such file"));
        (void)snprintf(path, sizeof(path), "%s/folder", s->path);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_err(ERR_IO, backup_save(s->folder, path, (struct wall){0}, &s->facts, &msg)); /* a folder has the name */
        (void)snprintf(path, sizeof(path), "%s/folder.part", s->path);
        assert_int_not_equal(access(path, F_OK), 0);
}

static void only_one_process_writes_a_file(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        char part[96];
        int fd;

        (void)snprintf(part, sizeof(part), "%s.part", s->file);
        fd = open(part, O_RDWR | O_CREAT, 0600);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_err(ERR_LOCKED, backup_save(s->folder, s->file, (struct wall){0}, &s->facts, &msg));
        assert_non_null(strstr(msg.text, part));
        close(fd);
        save(s);
}

static void a_full_disk_is_an_error(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        int full = open("/dev/full", O_WRONLY);

        assert_err(ERR_DISK_FULL, backup_write(s->folder, full, (struct wall){0}, &s->facts, &msg));
        assert_non_null(strstr(msg.text, "No space left"));
        close(full);
}

/* ---- other databases ---- */

static void needs_a_database_of_ours(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        char folder[96];
        MDB_env *mdb;
        MDB_txn *txn;
        MDB_dbi dbi;

        (void)snprintf(folder, sizeof(folder), "%s/other", s->path);
        assert_err(ERR_NOTFOUND, backup_save(folder, s->file, (struct wall){0}, &s->facts, &msg));
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_ok(lmdb_parts_open(&mdb, folder, 0, 0));
        assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, "theirs", MDB_CREATE, &dbi), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
        lmdb_parts_close(&mdb);
        assert_err(ERR_VERSION, backup_save(folder, s->file, (struct wall){0}, &s->facts, &msg));
        assert_non_null(strstr(msg.text, "not one that vitalcache made"));
        assert_int_not_equal(access(s->file, F_OK), 0);
}

/* The file ends before its pages do: that may be, but not when the pages hold something. */
static void a_database_that_was_cut_off_is_refused(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        char data[96];

        (void)snprintf(data, sizeof(data), "%s/data.mdb", s->folder);
        assert_int_equal(truncate(data, 5 * 4096), 0);
        assert_err(ERR_CORRUPT, backup_save(s->folder, s->file, (struct wall){0}, &s->facts, &msg));
        assert_non_null(strstr(msg.text, "damaged"));
}

/* ---- memory ---- */

static enum err save_it(void *context)
{
        struct state *s = context;
        struct backup_facts facts;
        enum err rc;

        backup_facts_init(&facts);
        rc = backup_save(s->folder, s->file, (struct wall){0}, &facts, NULL);
        backup_facts_deinit(&facts);
        return rc;
}

static enum err read_it(void *context)
{
        struct state *s = context;

        return read_bytes(s, s->len, NULL);
}

static void survives_each_failing_allocation(void **state)
{
        struct state *s = *state;

        each_allocation_fails(save_it, s);
        load(s);
        each_allocation_fails(read_it, s);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(says_what_it_holds),
                WITH(its_image_is_the_database),
                WITH(finds_every_cut),
                WITH(finds_every_flipped_bit),
                WITH(names_what_is_of_a_newer_release),
                WITH(a_file_that_cannot_be_written_leaves_nothing),
                WITH(only_one_process_writes_a_file),
                WITH(a_full_disk_is_an_error),
                WITH(needs_a_database_of_ours),
                WITH(a_database_that_was_cut_off_is_refused),
                WITH(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
