#include "import/fhir_event.h"

#include "import/fhir_concept.h"
#include "import/fhir_forms.h"

/* ---- immunizations ---- */

enum err fhir_event_occurrence(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct slice text;
        enum err rc = fhir_draft_moment(d, at, item, &text);
        bool told = d->items[FHIR_Immunization_occurrenceString].len > 0 ||
                    d->items[FHIR_Immunization__occurrenceDateTime].len > 0 ||
                    d->items[FHIR_Immunization__occurrenceString].len > 0;

        if (rc == OK && text.len == 0 && !told)
                rc = fhir_draft_refuse(d, REJECT_MISSING, at, NULL);
        return rc == OK ? fhir_out_text(&d->row, element->member, text) : rc;
}

/* A number or a text, which FHIR gives two names: doseNumberPositiveInt and doseNumberString. */
static enum err put_number(struct fhir_draft *d, const struct fhir_place *at, const struct fhir_pick picks[2],
        struct fhir_out_map *map, const char *member)
{
        struct slice text;
        struct value v;

        if (picks[0].item.len == 0) {
                enum err rc = fhir_draft_pick_text(d, at, &picks[1], &text);

                return rc == OK ? fhir_out_text(map, member, text) : rc;
        }
        if (!value_of(picks[0].item, &v) || v.kind != VALUE_INT)
                return fhir_draft_refuse(d, REJECT_KIND, at, picks[0].name);
        return fhir_out_value(map, member, picks[0].item);
}

static enum err put_dose(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        struct fhir_pick picks[] = {{.name = "doseNumberPositiveInt"}, {.name = "doseNumberString"},
                {.name = "seriesDosesPositiveInt"}, {.name = "seriesDosesString"}, {.name = "series"},
                {.name = "targetDisease"}};
        const struct fhir_place target_place = {.in = at, .name = "targetDisease"};
        struct fhir_concept target;
        struct fhir_out_map map;
        struct slice series;
        enum err rc = fhir_draft_pick(d, at, item, picks, 6);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[4], &series);
        if (rc == OK)
                rc = fhir_concept_first(d, &target_place, picks[5].item, &target);
        if (rc == OK)
                rc = fhir_out_item_open(&map, list);
        if (rc == OK)
                rc = put_number(d, at, &picks[0], &map, "dose");
        if (rc == OK)
                rc = put_number(d, at, &picks[2], &map, "of");
        if (rc == OK)
                rc = fhir_out_text(&map, "series", series);
        if (rc == OK)
                rc = fhir_out_text(&map, "disease", fhir_concept_words(&target));
        if (rc == OK)
                fhir_out_item_close(&map, list);
        return rc;
}

enum err fhir_event_doses(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_dose);
}

/* ---- encounters ---- */

enum err fhir_event_class(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct fhir_pick picks[] = {{.name = "code"}, {.name = "display"}};
        const struct fhir_word *word;
        struct slice code = SLICE_EMPTY;
        struct slice display = SLICE_EMPTY;
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[0], &code);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[1], &display);
        if (rc != OK)
                return rc;
        word = fhir_words_find(FHIR_WORDS_ENCOUNTER_CLASS, code);
        if (word != NULL)
                return fhir_out_word(&d->row, element->member, word->row);
        return fhir_out_text(&d->row, element->member, code.len > 0 ? code : display);
}

enum err fhir_event_type(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct fhir_concept concept;
        enum err rc = fhir_concept_first(d, at, item, &concept);

        (void)element;
        if (rc == OK)
                rc = fhir_concept_put(&d->row, &concept);
        return rc == OK ? fhir_concept_put_codes(&d->row, &concept) : rc;
}

enum err fhir_event_period(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct slice start;
        struct slice end;
        enum err rc = fhir_draft_period(d, at, item, &start, &end);

        (void)element;
        if (rc == OK)
                rc = fhir_out_text(&d->row, "date", start);
        return rc == OK ? fhir_out_text(&d->row, "end", end) : rc;
}

enum err fhir_event_reasons(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct fhir_concept concept;
        struct value v;
        enum err rc = fhir_concept_first(d, at, item, &concept);

        (void)element;
        if (rc == OK)
                rc = fhir_out_text(&d->row, "reason", fhir_concept_words(&concept));
        if (rc == OK)
                rc = fhir_out_text(&d->row, "reason_code", concept.code);
        if (rc == OK && value_of(item, &v) && v.kind == VALUE_LIST && v.as.count > 1)
                rc = fhir_forms_put_concepts(d, "reasons", at, item);
        return rc;
}
