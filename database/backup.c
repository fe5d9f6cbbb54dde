#include "database/backup.h"

#include "database/backup_layout.h"
#include "database/lmdb_err.h"
#include "database/value.h"

#include <xxhash.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void backup_facts_init(struct backup_facts *facts)
{
        *facts = (struct backup_facts){.bytes = 0};
        lmdb_image_facts_init(&facts->image);
}

void backup_facts_deinit(struct backup_facts *facts)
{
        lmdb_image_facts_deinit(&facts->image);
}

static enum err put_number(struct buf *out, const char *name, uint64_t number)
{
        enum err rc = value_put_str(out, name);

        return rc == OK ? value_put_int(out, (int64_t)number) : rc;
}

enum err backup_facts_put(const struct backup_facts *facts, struct buf *out)
{
        const struct lmdb_image_facts *image = &facts->image;
        enum err rc = value_put_map(out, 7);

        if (rc == OK)
                rc = put_number(out, "format", image->format);
        if (rc == OK)
                rc = put_number(out, "position", image->position);
        if (rc == OK)
                rc = put_number(out, "students", image->students);
        if (rc == OK)
                rc = put_number(out, "records", image->records);
        if (rc == OK)
                rc = value_put_str(out, "schemas");
        if (rc == OK)
                rc = buf_append_slice(out, buf_slice(&image->schemas));
        if (rc == OK)
                rc = value_put_member(out, "time", slice_str(facts->time));
        return rc == OK ? value_put_member(out, "vitalcache", slice_str(facts->release)) : rc;
}

/* ---- length and hash ---- */

enum err backup_sum_init(struct backup_sum *sum)
{
        sum->bytes = 0;
        sum->state = XXH3_createState();
        if (sum->state == NULL)
                return ERR_NOMEM;
        (void)XXH3_128bits_reset(sum->state);
        return OK;
}

void backup_sum_deinit(struct backup_sum *sum)
{
        (void)XXH3_freeState(sum->state);
        sum->state = NULL;
}

void backup_sum_add(struct backup_sum *sum, struct slice bytes)
{
        (void)XXH3_128bits_update(sum->state, bytes.data, bytes.len);
        sum->bytes += bytes.len;
}

void backup_sum_finish(struct backup_sum *sum, struct backup_facts *facts)
{
        XXH128_canonical_t canonical;

        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(sum->state));
        for (size_t i = 0; i < sizeof(canonical.digest); i++)
                (void)snprintf(facts->hash + 2 * i, 3, "%02x", canonical.digest[i]);
}

enum err backup_put(int fd, struct slice bytes, const char *name, struct err_msg *msg)
{
        while (bytes.len > 0) {
                ssize_t done = write(fd, bytes.data, bytes.len);

                if (done < 0 && errno != EINTR)
                        return err_errno(msg, lmdb_err(errno), errno, "cannot write %s", name);
                if (done > 0)
                        bytes = slice_of(bytes.data + done, bytes.len - (size_t)done);
        }
        return OK;
}
