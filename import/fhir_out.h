/* Writing the maps and lists of rows member by member, when how many there will be is known only at the end. Each call
 * returns what buf_append does. */
#ifndef IMPORT_FHIR_OUT_H
#define IMPORT_FHIR_OUT_H

#include "database/value.h"

struct fhir_out_map {
        struct buf *out;
        size_t mark;
        uint32_t count;
};

/* Begins a map at the end of *out. */
enum err fhir_out_map_open(struct fhir_out_map *map, struct buf *out) MUST_CHECK;
void fhir_out_map_close(struct fhir_out_map *map);

/* A member of text; none when the text is empty. */
enum err fhir_out_text(struct fhir_out_map *map, const char *name, struct slice text) MUST_CHECK;

/* A member of text that is a literal, or other terminated text. */
enum err fhir_out_word(struct fhir_out_map *map, const char *name, const char *word) MUST_CHECK;

/* A copy of a value as a member. */
enum err fhir_out_value(struct fhir_out_map *map, const char *name, struct slice value) MUST_CHECK;

/* A list as a member of a map. While it is open, only its items may be appended, each followed by `count++`. */
struct fhir_out_list {
        struct fhir_out_map *map;
        size_t before;
        size_t mark;
        size_t item; /* where the open one begins */
        uint32_t count;
};

/* Begins the member. */
enum err fhir_out_list_open(struct fhir_out_list *list, struct fhir_out_map *map, const char *name) MUST_CHECK;

/* Ends it; a list without items leaves no member. */
void fhir_out_list_close(struct fhir_out_list *list);

/* A map as an item; one without members leaves none. */
enum err fhir_out_item_open(struct fhir_out_map *map, struct fhir_out_list *list) MUST_CHECK;
void fhir_out_item_close(struct fhir_out_map *map, struct fhir_out_list *list);

/* Text as an item; none when it is empty. */
enum err fhir_out_list_text(struct fhir_out_list *list, struct slice text) MUST_CHECK;

#endif
