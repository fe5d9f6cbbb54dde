#include "database/lmdb_err.h"

#include <errno.h>

enum err lmdb_err(int rc)
{
        switch (rc) {
        case MDB_SUCCESS: return OK;
        case MDB_NOTFOUND: return ERR_NOTFOUND;
        case MDB_MAP_FULL:
        case MDB_MAP_RESIZED: return ERR_MAP_FULL; /* by another process: it is too small for what is there */
        case MDB_TXN_FULL: return ERR_LIMIT;
        case MDB_READERS_FULL: return ERR_BUSY;
        case ENOMEM: return ERR_NOMEM;
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return ERR_DISK_FULL;
        case EACCES:
        case EPERM:
        case EROFS: return ERR_PERMISSION;
        case MDB_VERSION_MISMATCH: return ERR_VERSION;
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
        case MDB_BAD_DBI:
        case MDB_INCOMPATIBLE: return ERR_CORRUPT;
        default: return ERR_IO;
        }
}
