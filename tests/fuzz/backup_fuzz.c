/* Backups from outside: whatever the bytes, they are refused or they are what they say. As no bytes found by chance fit
 * their checksum, each input is read a second time with a last line that does. The same bytes are also taken for an
 * entry of the store's first format, the first byte being the key's length. */
#include "database/backup.h"
#include "database/lmdb_format1.h"
#include "database/lmdb_meta.h"
#include "database/value.h"

#include <xxhash.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_write(int fd, const void *data, size_t len)
{
        VC_ASSERT(write(fd, data, len) == (ssize_t)len);
}

static void end_well(int fd, const uint8_t *data, size_t size)
{
        XXH128_canonical_t canonical;
        char line[128];
        int len = snprintf(line, sizeof(line), "vitalcache-backup-end %020llu ", (unsigned long long)size);

        XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
        for (size_t i = 0; i < sizeof(canonical.digest); i++)
                len += snprintf(line + len, sizeof(line) - (size_t)len, "%02x", canonical.digest[i]);
        line[len++] = '\n';
        must_write(fd, line, (size_t)len);
}

static void check_facts(const struct backup_facts *facts, size_t size)
{
        struct value schemas;

        VC_ASSERT(facts->image.format <= LMDB_FORMAT);
        VC_ASSERT(facts->bytes == size);
        VC_ASSERT(value_of(buf_slice(&facts->image.schemas), &schemas));
}

static void read_as_backup(const uint8_t *data, size_t size, bool ended_well)
{
        struct backup_input input = {.name = "it", .fd = memfd_create("backup", MFD_CLOEXEC)};
        struct backup_facts facts;
        struct err_msg msg;
        enum err rc;

        VC_ASSERT(input.fd >= 0);
        must_write(input.fd, data, size);
        if (ended_well)
                end_well(input.fd, data, size);
        VC_ASSERT(lseek(input.fd, 0, SEEK_SET) == 0);
        backup_facts_init(&facts);
        rc = backup_read(&input, -1, &facts, &msg);
        VC_ASSERT(rc == OK || rc == ERR_CORRUPT || rc == ERR_VERSION);
        if (rc == OK)
                check_facts(&facts, (size_t)lseek(input.fd, 0, SEEK_END));
        backup_facts_deinit(&facts);
        (void)close(input.fd);
}

static void read_as_entry(const uint8_t *data, size_t size)
{
        size_t key_len = size == 0 ? 0 : (data[0] < size - 1 ? data[0] : size - 1);
        struct lmdb_format1_record record;

        if (size > 0 && lmdb_format1_read(
                                slice_of(data + 1, key_len), slice_of(data + 1 + key_len, size - 1 - key_len), &record))
                VC_ASSERT(record.student.len > 0 && record.id.len > 0 && record.table[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        read_as_backup(data, size, false);
        read_as_backup(data, size, true);
        read_as_entry(data, size);
        return 0;
}
