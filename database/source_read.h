/* One key to read from the source of truth (database/source.h), and what came of it. */
#ifndef DATABASE_SOURCE_READ_H
#define DATABASE_SOURCE_READ_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "database/record_type.h"
#include "database/snapshot.h"

/* What a reader holds already of the key that it asks for. */
struct source_known {
        uint64_t epoch;
        struct snapshot snapshot;
};

/* One key to read. The caller owns it and keeps it until `done`. */
struct source_read {
        struct list link; /* in the batch */
        const struct record_type *type;
        struct slice tenant;
        struct slice id;
        bool primary_only;                /* no replica may answer */
        struct nanos bound;               /* how old a state the read takes as fresh; 0: strict */
        const struct source_known *known; /* NULL, or of the copy that the reader has: the source may answer that it
                                             is still true (`unmodified`), instead of reading it again */
        void (*done)(struct source_read *read);
        void *context;
        struct nanos asked; /* the source's own: when it took the read */
        /* set before `done`: */
        enum err status;          /* OK, or why it cannot be known now (never OK for a failed read). BADKEY: the id is
                                     not in the form in which the source has it; asking again does not help */
        bool found;               /* there is such a student; false: `value` is empty */
        bool unmodified;          /* only with `known`: that copy is what a read would have brought; `found` is not set
                                     and `value` is empty, epoch and snapshot are those of the check */
        bool from_replica;        /* answered by a replica, which may lag */
        bool beaten;              /* a synchronous replica has confirmed a commit of this very read: who answered was
                                     the primary */
        struct buf value;         /* msgpack of the reply; initialised by the caller, freed by the caller */
        uint64_t epoch;           /* the history it was read in; 0: the source cannot say */
        struct snapshot snapshot; /* what the data contains */
        struct nanos lives;       /* 0, or how long after it was sent the value is true at most, whatever is written */
        struct err_msg message;   /* status BADKEY: what is wrong and the right form, for the one who asked */
};

#endif
