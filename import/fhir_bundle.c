#include "import/fhir_bundle.h"

#include "base/mem.h"
#include "import/fhir_bundle_refs.h"
#include "import/fhir_reference.h"

#include <stdlib.h>

/* A Bundle is read in three steps, as its resources may name one another in any order: its entries are gathered, with
 * who each of them is; then the names are sorted; then each resource becomes rows. */

enum { ENTRIES_MAX = 1 << 20 }; /* more are refused: each takes memory before the first one is mapped */

enum fate { TAKEN, DELETED, OLDER, EMPTY, WRONG };

static const char *const FATE_WORDS[] = {
        [DELETED] = "deleted entry", [OLDER] = "older version", [EMPTY] = "empty entry"};

struct entry {
        enum fate fate;
        bool known; /* `who` is */
        struct slice full_url;
        size_t text; /* its compact text in reading.texts */
        size_t text_len;
        struct json_part part;
        uint64_t line;
        struct fhir_identity who;
};

struct reading {
        struct fhir_mapper *mapper;
        const struct fhir_bundle *bundle;
        const struct import_sink *sink;
        struct entry *entries;
        size_t count;
        struct buf texts;
        struct fhir_bundle_refs refs;
        const uint8_t *line_at; /* of the Bundle's text: `line` is the line of this byte */
        uint64_t line;
};

/* A Bundle within a Bundle finds in the outer one what it does not know itself. */
static enum err read_bundle(struct fhir_mapper *mapper, const struct fhir_bundle *bundle, const struct fhir_refs *outer,
        const struct import_sink *sink);

bool fhir_bundle_is(struct slice resource)
{
        struct slice type;

        return value_member_text(resource, "resourceType", &type) && slice_equal(type, slice_str("Bundle"));
}

static enum err leave_out(const struct reading *r, uint64_t line, enum reject_reason reason)
{
        const struct import_bad bad = {.line = line, .reject = reject_of(reason, "Bundle.entry")};

        return r->sink->bad(r->sink->context, &bad);
}

/* ---- gathering ---- */

/* The line of a place in the Bundle's text; places come in rising order. */
static uint64_t line_of(struct reading *r, const uint8_t *place)
{
        const uint8_t *found;

        while (r->line_at < place && (found = memchr(r->line_at, '\n', (size_t)(place - r->line_at))) != NULL) {
                r->line++;
                r->line_at = found + 1;
        }
        r->line_at = place;
        return r->line;
}

/* An entry that says that a resource is gone, or asks for it: who it is stands in the request. */
static bool is_deletion(const struct json_part *entry, struct entry *out)
{
        struct fhir_target target;
        struct slice request;
        struct slice text;

        if (!value_member(entry->value, "request", &request) || !value_member_text(request, "method", &text) ||
                !slice_equal(text, slice_str("DELETE")))
                return false;
        if (value_member_text(request, "url", &text) && fhir_reference_parse(text, &target)) {
                out->who.type = target.type;
                out->who.id = target.id;
                out->known = target.type.len > 0;
        }
        return true;
}

static enum err read_resource(struct reading *r, struct entry *out)
{
        struct fhir_resource resource = {.value = out->part.value, .full_url = out->full_url};
        enum err rc;

        out->text = buf_len(&r->texts);
        rc = json_part_compact(out->part.text, &r->texts);
        if (rc != OK)
                return rc;
        out->text_len = buf_len(&r->texts) - out->text;
        resource.text = slice_of(buf_slice(&r->texts).data + out->text, out->text_len);
        out->known = fhir_identify(&resource, &out->who);
        out->fate = TAKEN;
        return OK;
}

static enum err read_entry(struct reading *r, const struct json_part *entry, struct entry *out)
{
        struct value head;

        out->line = line_of(r, entry->text.data);
        if (!value_of(entry->value, &head) || head.kind != VALUE_MAP) {
                out->fate = WRONG;
                return OK;
        }
        if (!value_member_text(entry->value, "fullUrl", &out->full_url))
                out->full_url = SLICE_EMPTY;
        out->fate = EMPTY;
        if (is_deletion(entry, out)) {
                out->fate = DELETED;
                return OK;
        }
        if (!json_part_member(entry, "resource", &out->part))
                return OK;
        out->line = line_of(r, out->part.text.data);
        return read_resource(r, out);
}

static enum err read_entries(struct reading *r)
{
        struct json_part_iter iter;
        struct json_part list;
        struct json_part item;
        enum err rc = OK;

        if (!json_part_member(&r->bundle->part, "entry", &list) || !json_part_iter_init(&iter, &list, VALUE_LIST))
                return OK;
        if (iter.values.left == 0)
                return OK;
        if (iter.values.left > ENTRIES_MAX)
                return leave_out(r, r->bundle->line, REJECT_LONG);
        r->entries = vc_calloc(iter.values.left, sizeof(*r->entries));
        if (r->entries == NULL)
                return ERR_NOMEM;
        while (rc == OK && json_part_next(&iter, &item))
                rc = read_entry(r, &item, &r->entries[r->count++]);
        return rc;
}

/* ---- who is who ---- */

static enum err add_names(struct reading *r)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < r->count; i++) {
                const struct entry *entry = &r->entries[i];
                const struct fhir_target target = {.type = entry->who.type, .id = entry->who.id};

                if (entry->fate != TAKEN || !entry->known)
                        continue;
                if (entry->full_url.len > 0)
                        rc = fhir_bundle_refs_add(&r->refs, entry->full_url, &target);
                if (rc == OK && slice_equal(target.type, slice_str("Patient")))
                        rc = fhir_bundle_refs_add_patient(&r->refs, entry->part.value, &target);
        }
        fhir_bundle_refs_ready(&r->refs);
        return rc;
}

/* By who they are; the same in the order of the Bundle. */
static int compare_entries(const void *a, const void *b)
{
        const struct entry *left = *(struct entry *const *)a;
        const struct entry *right = *(struct entry *const *)b;
        int order = slice_compare(left->who.type, right->who.type);

        if (order == 0)
                order = slice_compare(left->who.id, right->who.id);
        if (order == 0)
                order = left < right ? -1 : left > right;
        return order;
}

static bool same(const struct entry *a, const struct entry *b)
{
        return a->known && b->known && slice_equal(a->who.type, b->who.type) && slice_equal(a->who.id, b->who.id);
}

/* A history has the newest version of each resource first. */
static enum err pass_over_older(struct reading *r)
{
        struct slice type;
        struct entry **sorted;

        if (r->count < 2 || !value_member_text(r->bundle->part.value, "type", &type) ||
                !slice_equal(type, slice_str("history")))
                return OK;
        sorted = vc_malloc(r->count * sizeof(struct entry *));
        if (sorted == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < r->count; i++)
                sorted[i] = &r->entries[i];
        qsort(sorted, r->count, sizeof(struct entry *), compare_entries);
        for (size_t i = 1; i < r->count; i++)
                if (same(sorted[i - 1], sorted[i]) && sorted[i]->fate == TAKEN)
                        sorted[i]->fate = OLDER;
        vc_free(sorted);
        return OK;
}

/* ---- rows ---- */

static enum err map_entry(const struct reading *r, const struct entry *entry)
{
        const struct fhir_bundle inner = {.part = entry->part, .line = entry->line, .prefix = r->bundle->prefix};
        const struct fhir_resource resource = {.value = entry->part.value,
                .text = slice_of(buf_slice(&r->texts).data + entry->text, entry->text_len),
                .full_url = entry->full_url,
                .line = entry->line,
                .refs = &r->refs.refs,
                .prefix = r->bundle->prefix};

        if (entry->fate == WRONG)
                return leave_out(r, entry->line, REJECT_KIND);
        if (entry->fate != TAKEN)
                return r->sink->ignored(r->sink->context, FATE_WORDS[entry->fate]);
        if (fhir_bundle_is(entry->part.value))
                return read_bundle(r->mapper, &inner, &r->refs.refs, r->sink);
        return fhir_to_rows(r->mapper, &resource, r->sink);
}

static enum err read_bundle(struct fhir_mapper *mapper, const struct fhir_bundle *bundle, const struct fhir_refs *outer,
        const struct import_sink *sink)
{
        struct reading r = {.mapper = mapper,
                .bundle = bundle,
                .sink = sink,
                .line_at = bundle->part.text.data,
                .line = bundle->line};
        enum err rc;

        buf_init(&r.texts, 0);
        fhir_bundle_refs_init(&r.refs, outer);
        rc = read_entries(&r);
        if (rc == OK)
                rc = add_names(&r);
        if (rc == OK)
                rc = pass_over_older(&r);
        for (size_t i = 0; rc == OK && i < r.count; i++)
                rc = map_entry(&r, &r.entries[i]);
        fhir_bundle_refs_deinit(&r.refs);
        buf_deinit(&r.texts);
        vc_free(r.entries);
        return rc;
}

enum err fhir_bundle_to_rows(
        struct fhir_mapper *mapper, const struct fhir_bundle *bundle, const struct import_sink *sink)
{
        return read_bundle(mapper, bundle, NULL, sink);
}
