#include "import/fhir_link.h"

#include "import/fhir_forms.h"
#include "import/fhir_reference.h"
#include "database/record_type.h"

#define MERGE_FROM "merge from" /* in fhir_words.def */

struct link {
        struct slice other; /* a Reference; its place is link.other */
        const struct fhir_word *type;
};

static enum err read_link(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct link *out)
{
        struct fhir_pick picks[] = {{.name = "other"}, {.name = "type"}};
        struct slice type;
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[1], &type);
        if (rc != OK)
                return rc;
        for (size_t i = 0; i < 2; i++)
                if (picks[i].item.len == 0)
                        return fhir_draft_refuse(d, REJECT_MISSING, at, picks[i].name);
        out->other = picks[0].item;
        out->type = fhir_words_find(FHIR_WORDS_LINK_TYPE, type);
        return out->type == NULL ? fhir_draft_refuse(d, REJECT_WORD, at, "type") : OK;
}

/* Writes that `from` is `into`. Ids here are those that students have: with the prefix. */
static enum err put_merge(struct fhir_draft *d, struct slice from, struct slice into)
{
        enum err rc = fhir_draft_open_row(d);

        if (rc == OK)
                rc = fhir_out_text(&d->row, "student", from);
        if (rc == OK)
                rc = fhir_out_word(&d->row, "id", "into");
        if (rc == OK)
                rc = fhir_out_text(&d->row, "into", into);
        return rc == OK ? fhir_draft_close_row(d, "merges") : rc;
}

/* The id of the patient at the other end as students have it, into *other, which is emptied first. */
static enum err read_other(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct buf *other)
{
        struct slice id;
        enum err rc = fhir_reference_patient(d, at, item, &id);

        buf_truncate(other, 0);
        if (rc == OK)
                rc = buf_append_slice(other, d->resource->prefix);
        if (rc == OK)
                rc = buf_append_slice(other, id);
        if (rc == OK && (id.len == 0 || slice_equal(buf_slice(other), buf_slice(d->student)) ||
                                record_id_check(ID_KIND_TEXT, buf_slice(other), NULL) != OK))
                rc = fhir_draft_refuse(d, REJECT_REFERENCE, at, NULL);
        return rc;
}

/* What has been found so far. */
struct merging {
        struct buf other;
        struct buf into; /* who has taken the patient's place; empty: nobody yet */
};

static enum err follow_link(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct merging *merging)
{
        const struct fhir_place other = {.in = at, .name = "other"};
        struct link link;
        enum err rc = read_link(d, at, item, &link);

        if (rc != OK || link.type->row[0] == '\0')
                return rc;
        rc = read_other(d, &other, link.other, &merging->other);
        if (rc != OK)
                return rc;
        if (strcmp(link.type->row, MERGE_FROM) == 0)
                return put_merge(d, buf_slice(&merging->other), buf_slice(d->student));
        if (buf_len(&merging->into) == 0)
                return buf_append_slice(&merging->into, buf_slice(&merging->other));
        if (!slice_equal(buf_slice(&merging->into), buf_slice(&merging->other)))
                rc = fhir_draft_refuse(d, REJECT_REFERENCE, &other, NULL);
        return rc;
}

enum err fhir_link_merges(struct fhir_draft *d)
{
        const struct fhir_place at = {.in = d->root, .name = "link"};
        struct merging merging;
        struct value_iter iter;
        struct slice item;
        enum err rc = fhir_draft_list(d, &at, d->items[FHIR_Patient_link], &iter);

        buf_init(&merging.other, 0);
        buf_init(&merging.into, 0);
        while (rc == OK && value_next(&iter, &item))
                if (!fhir_draft_absent(item))
                        rc = follow_link(d, &at, item, &merging);
        if (rc == OK && buf_len(&merging.into) > 0)
                rc = put_merge(d, buf_slice(d->student), buf_slice(&merging.into));
        buf_deinit(&merging.into);
        buf_deinit(&merging.other);
        return rc;
}

static enum err put_link(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        const struct fhir_place other = {.in = at, .name = "other"};
        struct fhir_out_map map;
        struct slice id;
        struct link link;
        enum err rc = read_link(d, at, item, &link);

        if (rc != OK || link.type->row[0] != '\0')
                return rc;
        rc = fhir_reference_id(d, &other, link.other, NULL, &id);
        if (rc == OK)
                rc = fhir_out_item_open(&map, list);
        if (rc == OK)
                rc = fhir_out_word(&map, "type", link.type->fhir);
        if (rc == OK)
                rc = fhir_out_text(&map, "other", id);
        if (rc == OK)
                fhir_out_item_close(&map, list);
        return rc;
}

enum err fhir_link_others(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_link);
}
