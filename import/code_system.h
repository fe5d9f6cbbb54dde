/* Systems of clinical codes: SNOMED CT, RxNorm, ICD-10, CVX… (import/code_systems.def). All calls are pure; any
 * thread. */
#ifndef IMPORT_CODE_SYSTEM_H
#define IMPORT_CODE_SYSTEM_H

#include "base/slice.h"

struct code_system {
        const char *uri;
        const char *name;
        int order;         /* among the codings of one concept: lower ones first */
        int vaccine_order; /* the same for vaccines */
};

enum { CODE_SYSTEM_ORDER_UNKNOWN = 1000 };

/* The system of a URI, or of a short name in any letter case; NULL: it is not one of the table. */
const struct code_system *code_system_find(struct slice uri_or_name);

/* What the member `system` of a row says: the short name of a system of the table, else what was given. Borrowed. */
struct slice code_system_name(struct slice uri_or_name);

/* The semantic tag at the end of a SNOMED CT term: "disorder" of "Sepsis (disorder)"; empty when there is none, or the
 * words in parentheses are no such tag (import/semantic_tags.def). Borrowed. */
struct slice code_system_semantic_tag(struct slice term);

#endif
