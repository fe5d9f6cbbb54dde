#include "import/fhir_bundle_refs.h"

#include "import/fhir_reference.h"
#include "database/value.h"

#include <stdlib.h>

/* A name that a resource has within the Bundle: a fullUrl, or an identifier's value with its system. */
struct name {
        struct slice name;
        struct slice system; /* identifiers only */
        struct fhir_target target;
};

/* A search for one identifier, as it stands in a reference. */
struct search {
        char text[512]; /* with its escapes undone */
        struct slice name;
        struct slice system;
        bool any_system; /* "identifier=value", without a bar */
};

static int compare_names(const void *a, const void *b)
{
        const struct name *left = a;
        const struct name *right = b;
        int order = slice_compare(left->name, right->name);

        if (order == 0) /* in the Bundle's order */
                order = left->name.data < right->name.data ? -1 : left->name.data > right->name.data;
        return order;
}

static const struct name *names_of(const struct buf *names, size_t *count)
{
        *count = buf_len(names) / sizeof(struct name);
        return (const struct name *)(const void *)buf_slice(names).data;
}

/* The first of the sorted names that equals `name`; *count is how many do. */
static const struct name *find_name(const struct buf *names, struct slice name, size_t *count)
{
        size_t end;
        const struct name *all = names_of(names, &end);
        size_t low = 0;
        size_t high = end;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (slice_compare(all[middle].name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (*count = 0; low + *count < end && slice_equal(all[low + *count].name, name);)
                (*count)++;
        return *count == 0 ? NULL : &all[low];
}

/* ---- searches ---- */

static int hex_digit(uint8_t c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %7C and the like. False when it does not fit, or an escape is none. */
static bool undo_escapes(struct slice text, char *out, size_t size, size_t *len)
{
        *len = 0;
        for (size_t i = 0; i < text.len; i++) {
                int c = text.data[i];

                if (c == '%') {
                        int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
                        int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

                        if (low < 0)
                                return false;
                        c = high << 4 | low;
                        i += 2;
                }
                if (*len == size)
                        return false;
                out[(*len)++] = (char)c;
        }
        return true;
}

/* "Patient?identifier=system|value", with nothing else asked for. */
static bool read_search(struct slice reference, struct search *search)
{
        static const char *const begin = "Patient?identifier=";
        size_t begin_len = strlen(begin);
        const char *bar;
        size_t len;

        if (reference.len <= begin_len || memcmp(reference.data, begin, begin_len) != 0)
                return false;
        reference = slice_of(reference.data + begin_len, reference.len - begin_len);
        if (memchr(reference.data, '&', reference.len) != NULL ||
                !undo_escapes(reference, search->text, sizeof(search->text), &len))
                return false;
        bar = memchr(search->text, '|', len);
        search->any_system = bar == NULL;
        search->system = bar == NULL ? SLICE_EMPTY : slice_of(search->text, (size_t)(bar - search->text));
        search->name =
                bar == NULL ? slice_of(search->text, len) : slice_of(bar + 1, len - (size_t)(bar + 1 - search->text));
        return search->name.len > 0;
}

/* The one patient that the search finds; more than one is none. */
static bool find_patient(const struct fhir_bundle_refs *refs, const struct search *search, struct fhir_target *out)
{
        size_t count;
        const struct name *found = find_name(&refs->identifiers, search->name, &count);
        bool one = false;

        for (size_t i = 0; i < count; i++) {
                if (!search->any_system && !slice_equal(found[i].system, search->system))
                        continue;
                if (one && !slice_equal(out->id, found[i].target.id))
                        return false;
                *out = found[i].target;
                one = true;
        }
        return one;
}

static bool find(const void *context, struct slice reference, struct fhir_target *out)
{
        const struct fhir_bundle_refs *refs = context;
        struct search search;
        size_t count;
        const struct name *found = find_name(&refs->urls, reference, &count);

        if (found != NULL) {
                *out = found->target;
                return true;
        }
        if (read_search(reference, &search) && find_patient(refs, &search, out))
                return true;
        return refs->outer != NULL && refs->outer->find(refs->outer->context, reference, out);
}

/* ---- building ---- */

void fhir_bundle_refs_init(struct fhir_bundle_refs *refs, const struct fhir_refs *outer)
{
        buf_init(&refs->urls, 0);
        buf_init(&refs->identifiers, 0);
        refs->outer = outer;
        refs->refs = (struct fhir_refs){.find = find, .context = refs};
}

void fhir_bundle_refs_deinit(struct fhir_bundle_refs *refs)
{
        buf_deinit(&refs->urls);
        buf_deinit(&refs->identifiers);
}

/* The entry of http://a.org/fhir/Patient/1 is also "Patient/1". */
enum err fhir_bundle_refs_add(struct fhir_bundle_refs *refs, struct slice full_url, const struct fhir_target *target)
{
        struct name name = {.name = full_url, .target = *target};
        struct fhir_target form;
        enum err rc;

        if (fhir_reference_parse(full_url, &form))
                name.target.base = form.base;
        rc = buf_append(&refs->urls, &name, sizeof(name));
        if (rc != OK || name.target.base.len == 0 || !slice_equal(form.type, target->type) ||
                !slice_equal(form.id, target->id))
                return rc;
        name.name = slice_of(form.type.data, (size_t)(form.id.data + form.id.len - form.type.data));
        return buf_append(&refs->urls, &name, sizeof(name));
}

enum err fhir_bundle_refs_add_patient(
        struct fhir_bundle_refs *refs, struct slice patient, const struct fhir_target *target)
{
        struct value_iter identifiers;
        struct slice item;
        enum err rc = OK;

        if (!value_member(patient, "identifier", &item) || !value_iter_init(&identifiers, item, VALUE_LIST))
                return OK;
        while (rc == OK && value_next(&identifiers, &item)) {
                struct name name = {.name = SLICE_EMPTY, .system = SLICE_EMPTY, .target = *target};

                if (!value_member_text(item, "value", &name.name))
                        continue;
                if (!value_member_text(item, "system", &name.system))
                        name.system = SLICE_EMPTY;
                rc = buf_append(&refs->identifiers, &name, sizeof(name));
        }
        return rc;
}

static void sort(struct buf *names)
{
        size_t count = buf_len(names) / sizeof(struct name);

        if (count > 1)
                qsort(names->data + names->start, count, sizeof(struct name), compare_names);
}

void fhir_bundle_refs_ready(struct fhir_bundle_refs *refs)
{
        sort(&refs->urls);
        sort(&refs->identifiers);
}
