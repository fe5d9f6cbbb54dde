/* A resource on its way to rows: its elements found once, what is written so far, and why it cannot be taken, if so.
 *
 * Reading is strict about kinds: text where a list must be is a reason to leave the resource out, and the reason names
 * the place. null and what is not given are the same. Every call that reads returns OK, ERR_BADVALUE when it has
 * refused (`reject` says why), or an error of buf_append. One thread at a time. */
#ifndef IMPORT_FHIR_DRAFT_H
#define IMPORT_FHIR_DRAFT_H

#include "import/fhir.h"
#include "import/fhir_out.h"
#include "import/fhir_types.h"
#include "import/fhir_words.h"
#include "database/reject.h"

/* Where in a resource something stands, from within outwards: {{NULL, "reaction"}, "severity"}. */
struct fhir_place {
        const struct fhir_place *in;
        const char *name; /* a literal */
};

struct fhir_draft {
        const struct fhir_resource *resource;
        enum fhir_type type;
        const struct fhir_place *root;          /* NULL, but in contained resources */
        struct slice items[FHIR_ELEMENT_COUNT]; /* the elements of the resource; empty: not given */
        bool has_modifiers;                     /* "modifierExtension" is somewhere in it */
        struct buf *rows;                       /* where rows go */
        struct buf *spans;         /* struct fhir_span: which bytes of rows are a row, and of which table */
        struct buf *student;       /* the id of the student that it is about, with its prefix */
        struct slice id;           /* of the row */
        struct fhir_identity made; /* where `id` may live */
        struct fhir_out_map row;   /* the one being written */
        size_t row_start;
        struct reject reject;
        const struct fhir_word *verification; /* what earlier elements say that later ones go by; NULL: nothing */
        const struct fhir_word *reaction;     /* the worst one's severity */
        struct slice contained_patient;       /* the patient it is about is inside it; empty: it is not */
};

struct fhir_span {
        const char *table;
        size_t start;
        size_t len;
};

/* Refuses the resource because of what stands at `at`, or `name` in it (NULL: `at` itself); returns ERR_BADVALUE. */
enum err fhir_draft_refuse(
        struct fhir_draft *d, enum reject_reason reason, const struct fhir_place *at, const char *name);

/* Finds the elements of the resource. Refuses what is no map. */
enum err fhir_draft_index(struct fhir_draft *d) MUST_CHECK;

/* Begins a row; `id` and `student` come from the caller. */
enum err fhir_draft_open_row(struct fhir_draft *d) MUST_CHECK;
enum err fhir_draft_close_row(struct fhir_draft *d, const char *table) MUST_CHECK;

/* The text of an item; empty when it is not given. */
enum err fhir_draft_text(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text) MUST_CHECK;

/* Walks a list with value_next; nothing when it is not given. The items may be null. */
enum err fhir_draft_list(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct value_iter *iter) MUST_CHECK;

/* A member that is asked for; `item` is empty when it is not given. */
struct fhir_pick {
        const char *name;
        struct slice item;
};

/* Finds the members of an object in one pass. Nothing when the object is not given. */
enum err fhir_draft_pick(struct fhir_draft *d, const struct fhir_place *at, struct slice object,
        struct fhir_pick *picks, size_t count) MUST_CHECK;

/* The text of a member that was picked from the object at `at`. */
enum err fhir_draft_pick_text(
        struct fhir_draft *d, const struct fhir_place *at, const struct fhir_pick *pick, struct slice *text) MUST_CHECK;

/* As above, of a date (birthDate) or of a date or instant (onsetDateTime): refused when it is none. */
enum err fhir_draft_date(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text) MUST_CHECK;
enum err fhir_draft_moment(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *text) MUST_CHECK;

/* Start and end of a Period, as the moments that they are; empty when they are not given. */
enum err fhir_draft_period(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *start,
        struct slice *end) MUST_CHECK;

/* True when an item is not given: empty or null. Pure. */
bool fhir_draft_absent(struct slice item);

#endif
