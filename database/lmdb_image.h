/* Images of an environment: a compacting copy of its data file, taken while another process may read and write it.
 *
 * LMDB lets several processes use a file; a reader sees one snapshot, whatever is committed meanwhile. Pages that the
 * snapshot needs are not used again as long as it is read, so a slow copy beside many writes lets the file grow. An
 * image holds no free pages, hence nothing that was erased before. */
#ifndef DATABASE_LMDB_IMAGE_H
#define DATABASE_LMDB_IMAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define LMDB_DATA_NAME "data.mdb"

/* What an image says of itself. */
struct lmdb_image_facts {
        uint64_t format;   /* of the store; 0: not a database of ours */
        uint64_t position; /* the newest commit in it */
        uint64_t students;
        uint64_t records;
        struct buf schemas; /* msgpack map: the schema number by table */
};

/* Nothing known yet; deinit it in any case. */
void lmdb_image_facts_init(struct lmdb_image_facts *facts);
/* Frees it. */
void lmdb_image_facts_deinit(struct lmdb_image_facts *facts);

/* The schema number that a table was last written with; 0: it never was. */
uint64_t lmdb_image_facts_schema(const struct lmdb_image_facts *facts, const char *table);

/* Where an image goes: the facts first, then the bytes in pieces. A code other than OK ends the copy. */
struct lmdb_image_sink {
        enum err (*begin)(void *context, const struct lmdb_image_facts *facts, struct err_msg *msg);
        enum err (*bytes)(void *context, struct slice bytes, struct err_msg *msg);
        void *context;
};

/* Copies the database in `folder` to the sink, of one snapshot, which the facts are of as well. Needs no lock and waits
 * for no writer. ERR_NOTFOUND: there is no database. ERR_LOCKED: its file is being replaced. ERR_BUSY: no place among
 * its readers, or commits follow one another too fast. ERR_VERSION, ERR_CORRUPT, ERR_PERMISSION, ERR_IO, ERR_NOMEM;
 * what the sink returned. Blocks for as long as it takes; one thread of its own while it runs. */
enum err lmdb_image_copy(const char *folder, const struct lmdb_image_sink *sink, struct err_msg *msg) MUST_CHECK;

/* Reads what the database in `folder` says of itself. Errors as above. *facts is initialised, and to be freed. */
enum err lmdb_image_look(const char *folder, struct lmdb_image_facts *facts, struct err_msg *msg) MUST_CHECK;

/* Makes the image in `folder` a database whose positions go on from `position` (lmdb_position()). Nobody else may use
 * it. ERR_CORRUPT, ERR_VERSION, ERR_DISK_FULL, ERR_IO. */
enum err lmdb_image_settle(const char *folder, uint64_t position, struct err_msg *msg) MUST_CHECK;

#endif
