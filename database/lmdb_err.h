/* LMDB's return codes (and the errno values that it passes on) as ours, and its MDB_val as our slice. */
#ifndef DATABASE_LMDB_ERR_H
#define DATABASE_LMDB_ERR_H

#include "base/err.h"
#include "base/slice.h"

#include <lmdb.h>

/* Our code for LMDB's `rc`, OK for MDB_SUCCESS. Pure; any thread. */
enum err lmdb_err(int rc);

static inline MDB_val lmdb_val(struct slice s)
{
        return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.data};
}

static inline struct slice lmdb_slice(MDB_val v)
{
        return slice_of(v.mv_data, v.mv_size);
}

#endif
