#include "database/lmdb_head.h"

#include "database/lmdb_record.h"

enum { POSITION_LEN = 8 };

void lmdb_head_encode(const struct lmdb_head *head, uint8_t out[LMDB_HEAD_SIZE])
{
        lmdb_put_u64(out, head->position.n);
        memcpy(out + POSITION_LEN, head->ranks.activity, LMDB_ACTIVITY_RANK);
        memcpy(out + POSITION_LEN + LMDB_ACTIVITY_RANK, head->ranks.severity, LMDB_SEVERITY_RANK);
}

bool lmdb_head_decode(struct slice stored, struct lmdb_head *out)
{
        if (stored.len != LMDB_HEAD_SIZE || !lmdb_get_u64(slice_of(stored.data, POSITION_LEN), &out->position.n))
                return false;
        memcpy(out->ranks.activity, stored.data + POSITION_LEN, LMDB_ACTIVITY_RANK);
        memcpy(out->ranks.severity, stored.data + POSITION_LEN + LMDB_ACTIVITY_RANK, LMDB_SEVERITY_RANK);
        return true;
}
