#include "import/fhir_reference.h"

#include <string.h>

static bool cut_prefix(struct slice *text, const char *prefix)
{
        size_t len = strlen(prefix);

        if (text->len < len || strncasecmp((const char *)text->data, prefix, len) != 0)
                return false;
        *text = slice_of(text->data + len, text->len - len);
        return true;
}

/* Takes the part behind the last '/' off the end. False: there is no '/'. */
static bool cut_last_part(struct slice *path, struct slice *part)
{
        const uint8_t *slash = path->len == 0 ? NULL : memrchr(path->data, '/', path->len);

        if (slash == NULL)
                return false;
        *part = slice_of(slash + 1, (size_t)(path->data + path->len - (slash + 1)));
        *path = slice_of(path->data, (size_t)(slash - path->data));
        return true;
}

/* "Patient/1/_history/2" without its version. */
static struct slice without_version(struct slice path)
{
        struct slice shorter = path;
        struct slice version;
        struct slice word;

        if (cut_last_part(&shorter, &version) && cut_last_part(&shorter, &word) &&
                slice_equal(word, slice_str("_history")))
                return shorter;
        return path;
}

/* A search, a part of a resource, a canonical URL's version: what leads to no one resource; nor does a NUL. */
static bool has_marks(struct slice text)
{
        static const char marks[] = {'?', '#', '|', '\0'};

        for (size_t i = 0; text.len > 0 && i < sizeof(marks); i++)
                if (memchr(text.data, marks[i], text.len) != NULL)
                        return true;
        return false;
}

bool fhir_reference_parse(struct slice reference, struct fhir_target *out)
{
        struct slice rest = reference;

        *out = (struct fhir_target){.type = SLICE_EMPTY};
        if (has_marks(reference))
                return false;
        if (cut_prefix(&rest, "urn:uuid:") || cut_prefix(&rest, "urn:oid:")) {
                out->id = rest;
                return rest.len > 0;
        }
        rest = without_version(rest);
        if (!cut_last_part(&rest, &out->id) || out->id.len == 0)
                return false;
        if (cut_last_part(&rest, &out->type))
                out->base = rest;
        else
                out->type = rest;
        return out->type.len > 0;
}

struct slice fhir_reference_of_full_url(struct slice full_url)
{
        struct fhir_target target;

        return fhir_reference_parse(full_url, &target) ? target.id : SLICE_EMPTY;
}

/* What a Reference says of itself. */
struct link {
        struct slice reference;
        struct slice type;
};

static enum err read_link(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct link *out)
{
        struct fhir_pick picks[] = {{.name = "reference"}, {.name = "type"}};
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[0], &out->reference);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[1], &out->type);
        return rc;
}

/* Without "http:" or "https:": servers are often reached by both. */
static struct slice without_scheme(struct slice base)
{
        const uint8_t *slashes = base.len == 0 ? NULL : memmem(base.data, base.len, "//", 2);

        return slashes == NULL ? base : slice_of(slashes, (size_t)(base.data + base.len - slashes));
}

/* Ids are unique on one server only, and students are known by ids alone. So within a Bundle an id means the resource
 * of the first entry that has it, and what is about another server's resource of that id is about somebody else. `form`
 * is the reference as it was read: its type and id are neighbours. */
static bool is_of_another_server(const struct fhir_resource *resource, const struct fhir_target *form)
{
        struct slice name = slice_of(form->type.data, (size_t)(form->id.data + form->id.len - form->type.data));
        struct slice base = form->base;
        struct fhir_target own;
        struct fhir_target first;

        if (base.len == 0 && fhir_reference_parse(resource->full_url, &own))
                base = own.base; /* a relative reference stays on the server of the resource that it is in */
        if (base.len == 0 || !resource->refs->find(resource->refs->context, name, &first) || first.base.len == 0)
                return false;
        return !slice_equal(without_scheme(first.base), without_scheme(base));
}

static bool follow(const struct fhir_draft *d, const struct link *link, struct fhir_target *out)
{
        const struct fhir_refs *refs = d->resource->refs;
        struct fhir_target form;
        bool readable = fhir_reference_parse(link->reference, &form);

        if (refs != NULL && readable && form.type.len > 0 && is_of_another_server(d->resource, &form))
                return false;
        if (refs != NULL && refs->find(refs->context, link->reference, out))
                return true;
        *out = form;
        if (out->type.len == 0)
                out->type = link->type;
        return readable;
}

static bool is_of_type(const struct fhir_target *target, const char *type)
{
        return type == NULL || target->type.len == 0 || slice_equal(target->type, slice_str(type));
}

/* The resource of that id inside this one, if it is a Patient. */
static bool find_contained_patient(const struct fhir_draft *d, struct slice id, struct slice *patient)
{
        struct value_iter iter;
        struct slice text;

        if (!value_iter_init(&iter, d->items[FHIR_Resource_contained], VALUE_LIST))
                return false;
        while (value_next(&iter, patient))
                if (value_member_text(*patient, "id", &text) && slice_equal(text, id) &&
                        value_member_text(*patient, "resourceType", &text) && slice_equal(text, slice_str("Patient")))
                        return true;
        return false;
}

enum err fhir_reference_patient(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *id)
{
        struct fhir_target target;
        struct link link;
        enum err rc = read_link(d, at, item, &link);

        *id = SLICE_EMPTY;
        if (rc != OK)
                return rc;
        if (link.type.len > 0 && !slice_equal(link.type, slice_str("Patient")))
                return fhir_draft_refuse(d, REJECT_REFERENCE, at, NULL);
        if (link.reference.len > 1 && link.reference.data[0] == '#') {
                struct slice inner = slice_of(link.reference.data + 1, link.reference.len - 1);

                if (find_contained_patient(d, inner, &d->contained_patient))
                        return OK;
                return fhir_draft_refuse(d, REJECT_REFERENCE, at, NULL);
        }
        if (!follow(d, &link, &target) || !is_of_type(&target, "Patient"))
                return fhir_draft_refuse(d, REJECT_REFERENCE, at, NULL);
        *id = target.id;
        return OK;
}

enum err fhir_reference_id(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, const char *type, struct slice *id)
{
        struct fhir_target target;
        struct link link;
        enum err rc = read_link(d, at, item, &link);

        *id = SLICE_EMPTY;
        if (rc == OK && follow(d, &link, &target) && is_of_type(&target, type))
                *id = target.id;
        return rc;
}
