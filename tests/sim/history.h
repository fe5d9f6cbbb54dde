/* The simulator's memory of the truth: which version each cell of the database had, and when. A reply is right if all
 * that it shows was true at one and the same moment, which is not too old and not still to come. */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

enum { CELLS = 3, ALL_CELLS = (1 << CELLS) - 1, SEGMENTS_MAX = 64 };

/* One version for each cell; a read sees some of them. Versions are never given twice. */
struct data {
        uint32_t version[CELLS];
};

struct segment {
        uint32_t version;
        int64_t from;
        int64_t until; /* the first moment at which it was no longer so */
};

struct history {
        struct segment segments[CELLS][SEGMENTS_MAX];
        uint32_t count[CELLS];
};

/* From time 0 on the cells have the versions of `data`. */
void history_begin(struct history *h, const struct data *data);

/* From `now` on the cells have the versions of `data`: a commit, or a crash that takes commits back. */
void history_change(struct history *h, const struct data *data, int64_t now);

/* Whether there is room for one more change of each cell. */
bool history_has_room(const struct history *h);

/* Whether at some moment of [first, last] all cells of the mask had the versions of `data`. */
bool history_shows(const struct history *h, unsigned cells, const struct data *data, int64_t first, int64_t last);

#endif
