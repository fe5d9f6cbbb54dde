/* A row on its way through an import: what it is, and where in the input it stands. */
#ifndef CLI_IMPORT_LINE_H
#define CLI_IMPORT_LINE_H

#include "base/slice.h"
#include "cli/import_report.h"

struct import_line {
        const char *table; /* a literal */
        struct import_place place;
        struct slice row; /* a msgpack map, as IMPORT takes it */
};

#endif
