#include "import/fhir.h"

#include "base/hash.h"
#include "base/mem.h"
#include "import/fhir_forms.h"
#include "import/fhir_link.h"
#include "import/fhir_reference.h"
#include "import/import_sink.h"
#include "database/record_type.h"

#include <stdio.h>

struct fhir_mapper {
        struct fhir_draft draft;
        struct buf rows;
        struct buf spans;
        struct buf student;
};

enum err fhir_mapper_create(struct fhir_mapper **out)
{
        *out = vc_calloc(1, sizeof(**out));
        if (*out == NULL)
                return ERR_NOMEM;
        buf_init(&(*out)->rows, 0);
        buf_init(&(*out)->spans, 0);
        buf_init(&(*out)->student, 0);
        return OK;
}

void fhir_mapper_destroy(struct fhir_mapper **mapper)
{
        if (*mapper == NULL)
                return;
        buf_deinit(&(*mapper)->rows);
        buf_deinit(&(*mapper)->spans);
        buf_deinit(&(*mapper)->student);
        vc_free(*mapper);
        *mapper = NULL;
}

/* ---- identity ---- */

static struct slice id_of(const struct fhir_resource *resource, struct slice own, struct fhir_identity *made)
{
        struct slice id = own.len > 0 ? own : fhir_reference_of_full_url(resource->full_url);

        if (id.len > 0)
                return id;
        (void)snprintf(made->made, sizeof(made->made), "%016llx", (unsigned long long)hash64(resource->text, 0));
        return slice_str(made->made);
}

bool fhir_identify(const struct fhir_resource *resource, struct fhir_identity *out)
{
        struct slice own = SLICE_EMPTY;
        struct slice item;

        if (!value_member_text(resource->value, "resourceType", &out->type))
                return false;
        if (value_member(resource->value, "id", &item) && !fhir_draft_absent(item) && !value_text(item, &own))
                return false;
        out->id = id_of(resource, own, out);
        return record_id_check(ID_KIND_TEXT, out->id, NULL) == OK;
}

/* ---- one resource ---- */

static enum err find_id(struct fhir_draft *d)
{
        const struct fhir_place at = {.in = d->root, .name = "id"};
        struct slice own;
        enum err rc = fhir_draft_text(d, &at, d->items[FHIR_Resource_id], &own);

        if (rc != OK)
                return rc;
        d->id = id_of(d->resource, own, &d->made);
        return record_id_check(ID_KIND_TEXT, d->id, NULL) == OK ? OK : fhir_draft_refuse(d, REJECT_ID, &at, NULL);
}

static enum err set_student(struct fhir_draft *d, const struct fhir_place *at, struct slice id)
{
        enum err rc;

        buf_truncate(d->student, 0);
        rc = buf_append_slice(d->student, d->resource->prefix);
        if (rc == OK)
                rc = buf_append_slice(d->student, id);
        if (rc == OK && record_id_check(ID_KIND_TEXT, buf_slice(d->student), NULL) != OK)
                rc = fhir_draft_refuse(d, REJECT_ID, at, NULL);
        return rc;
}

static enum err map_resource(struct fhir_draft *d);

/* A patient inside the record has no identity beyond it (references.html, "Contained Resources"): two of equal content
 * may be two people. So it becomes a student of its own, under the record's id and its own: "allergy1#patient1". */
static enum err map_contained_patient(struct fhir_draft *d)
{
        const struct fhir_place at = {.in = d->root, .name = "contained"};
        struct fhir_resource inner = *d->resource;
        struct fhir_draft draft = {.resource = &inner,
                .type = FHIR_TYPE_Patient,
                .root = &at,
                .rows = d->rows,
                .spans = d->spans,
                .student = d->student};
        struct slice own;
        struct buf id;
        enum err rc = OK;

        inner.value = d->contained_patient;
        inner.text = SLICE_EMPTY;
        buf_init(&id, 0);
        if (value_member_text(inner.value, "id", &own))
                rc = buf_printf(&id, "%.*s#%.*s", SLICE_ARG(d->id), SLICE_ARG(own));
        draft.id = buf_slice(&id);
        if (rc == OK)
                rc = map_resource(&draft);
        d->reject = draft.reject;
        buf_deinit(&id);
        return rc;
}

/* Finds the student that the record is of, before its row begins. */
static enum err find_student(struct fhir_draft *d)
{
        size_t count;
        const struct fhir_element *element = fhir_types_elements(d->type, &count);
        const struct fhir_place at = {.in = d->root, .name = element->name};
        struct slice item = d->items[element->id];
        struct slice id;
        enum err rc;

        VC_ASSERT(element->form == FHIR_FORM_STUDENT); /* the first one of each type but Patient */
        if (item.len == 0)
                return fhir_draft_refuse(d, REJECT_MISSING, &at, NULL);
        rc = fhir_reference_patient(d, &at, item, &id);
        if (rc == OK && id.len == 0)
                return map_contained_patient(d);
        return rc == OK ? set_student(d, &at, id) : rc;
}

static enum err write_row(struct fhir_draft *d)
{
        enum err rc = fhir_draft_open_row(d);

        if (rc == OK)
                rc = fhir_forms_run(d, FHIR_TYPE_Resource);
        if (rc == OK)
                rc = fhir_forms_run(d, d->type);
        if (rc == OK)
                rc = fhir_out_text(&d->row, "resource", d->resource->text);
        return rc == OK ? fhir_draft_close_row(d, fhir_types_table(d->type)) : rc;
}

static enum err map_patient(struct fhir_draft *d)
{
        const struct fhir_place id = {.in = d->root, .name = "id"};
        enum err rc = set_student(d, &id, d->id);

        if (rc == OK)
                rc = write_row(d);
        return rc == OK ? fhir_link_merges(d) : rc;
}

static enum err map_resource(struct fhir_draft *d)
{
        enum err rc = fhir_draft_index(d);

        if (rc == OK && d->id.len == 0)
                rc = find_id(d);
        if (rc == OK && d->type == FHIR_TYPE_Patient)
                return map_patient(d);
        if (rc == OK)
                rc = find_student(d);
        return rc == OK ? write_row(d) : rc;
}

/* ---- the sink ---- */

/* What kind of resource it is; *passed_over is its name when it is not kept. */
static enum err read_type(struct fhir_draft *d, const char **passed_over)
{
        struct slice item;
        struct slice name;
        struct value v;

        *passed_over = NULL;
        if (!value_of(d->resource->value, &v) || v.kind != VALUE_MAP)
                return fhir_draft_refuse(d, REJECT_VALUE, NULL, NULL);
        if (!value_member(d->resource->value, "resourceType", &item) || fhir_draft_absent(item))
                return fhir_draft_refuse(d, REJECT_MISSING, NULL, "resourceType");
        if (!value_text(item, &name))
                return fhir_draft_refuse(d, REJECT_KIND, NULL, "resourceType");
        if (fhir_types_kept(name, &d->type))
                return OK;
        *passed_over = fhir_types_passed_over(name);
        return *passed_over != NULL ? OK : fhir_draft_refuse(d, REJECT_TYPE, NULL, "resourceType");
}

static enum err deliver(
        const struct fhir_mapper *mapper, const struct fhir_resource *resource, const struct import_sink *sink)
{
        struct cursor c = cursor_of(buf_slice(&mapper->spans));
        struct slice bytes;
        enum err rc = OK;

        while (rc == OK && cursor_take(&c, sizeof(struct fhir_span), &bytes)) {
                struct fhir_span span;
                struct import_item item = {.line = resource->line};

                memcpy(&span, bytes.data, sizeof(span));
                item.table = span.table;
                item.row = slice_of(buf_slice(&mapper->rows).data + span.start, span.len);
                rc = sink->item(sink->context, &item);
        }
        return rc;
}

enum err fhir_to_rows(struct fhir_mapper *mapper, const struct fhir_resource *resource, const struct import_sink *sink)
{
        struct fhir_draft *d = &mapper->draft;
        struct import_bad bad = {.line = resource->line, .origin = resource->text};
        const char *passed_over;
        enum err rc;

        buf_truncate(&mapper->rows, 0);
        buf_truncate(&mapper->spans, 0);
        *d = (struct fhir_draft){
                .resource = resource, .rows = &mapper->rows, .spans = &mapper->spans, .student = &mapper->student};
        rc = read_type(d, &passed_over);
        if (rc == OK && passed_over != NULL)
                return sink->ignored(sink->context, passed_over);
        if (rc == OK)
                rc = map_resource(d);
        if (rc == OK)
                return deliver(mapper, resource, sink);
        if (rc != ERR_BADVALUE)
                return rc;
        bad.reject = d->reject;
        bad.table = fhir_types_table(d->type);
        return sink->bad(sink->context, &bad);
}
