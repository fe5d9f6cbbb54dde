/* One record on its way to normal form (database/record.h). What PUT and IMPORT are made of, in database/record.c. */
#ifndef DATABASE_RECORD_DRAFT_H
#define DATABASE_RECORD_DRAFT_H

#include "base/buf.h"
#include "database/record_type.h"
#include "database/reject.h"

struct record_draft {
        /* the caller's */
        const struct record_table *table;
        struct slice map;         /* what came; not known yet to be a map */
        struct slice fallback_id; /* the id of a record that brings none; empty: it must bring one */
        enum id_kind record_ids;  /* canonical form of its own id */
        enum id_kind student_ids; /* and of students' */
        bool takes_original;
        struct err_msg *msg; /* NULL: nobody asks */
        /* set by record_draft_append(); they borrow from `map` */
        struct slice id;      /* that it brought; empty: none */
        struct slice student; /* that it brought; empty: none */
        struct slice original;
        struct reject reject;                  /* after ERR_BADVALUE */
        struct slice items[RECORD_FIELDS_MAX]; /* by the index of their fields, presets among them; without data: not
                                                  said. Only the table's own are set */
};

/* Checks the record and appends its normal form, in one pass over it. ERR_BADVALUE: see `reject`; the message says what
 * would be right, not the place. Other errors as buf_append. On failure *out may have got more bytes. Pure; any
 * thread. */
enum err record_draft_append(struct record_draft *draft, struct buf *out) MUST_CHECK;

/* Sets draft->reject and returns ERR_BADVALUE, the message being there already. */
enum err record_draft_refuse(struct record_draft *draft, enum reject_reason reason, const char *field);

/* Appends what the table presets for the items that are missing, sets them, and adds their number to *count. Errors as
 * buf_append. Pure; any thread. */
enum err record_draft_presets(
        const struct record_table *table, struct slice *items, struct buf *out, uint32_t *count) MUST_CHECK;

#endif
