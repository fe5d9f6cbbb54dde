#include "import/fhir_clinical.h"

#include "import/code_system.h"
#include "import/fhir_concept.h"
#include "import/fhir_forms.h"

/* ---- codes ---- */

/* An allergy without a code may name its substance in a reaction. */
static enum err read_reaction_substance(struct fhir_draft *d, struct fhir_concept *out)
{
        const struct fhir_place reaction = {.in = d->root, .name = "reaction"};
        const struct fhir_place at = {.in = &reaction, .name = "substance"};
        struct fhir_pick pick = {.name = "substance"};
        struct value_iter iter;
        struct slice item;
        enum err rc = fhir_draft_list(d, &reaction, d->items[FHIR_AllergyIntolerance_reaction], &iter);

        while (rc == OK && fhir_concept_is_empty(out) && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, &reaction, item, &pick, 1);
                if (rc == OK)
                        rc = fhir_concept_read(d, &at, pick.item, out);
        }
        return rc;
}

/* The kind of thing that a SNOMED CT term says it is. */
static struct slice kind_of(const struct fhir_concept *concept)
{
        struct slice tag;

        if (!slice_equal(code_system_name(concept->system), slice_str("SNOMED-CT")))
                return SLICE_EMPTY;
        tag = code_system_semantic_tag(concept->display);
        return tag.len > 0 ? tag : code_system_semantic_tag(concept->text);
}

enum err fhir_clinical_code(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        struct fhir_concept concept;
        enum err rc = fhir_concept_read(d, at, item, &concept);

        (void)element;
        if (rc == OK && fhir_concept_is_empty(&concept) && d->type == FHIR_TYPE_AllergyIntolerance)
                rc = read_reaction_substance(d, &concept);
        if (rc == OK && fhir_concept_is_empty(&concept))
                rc = fhir_draft_refuse(d, REJECT_MISSING, at, NULL);
        if (rc == OK)
                rc = fhir_concept_put(&d->row, &concept);
        if (rc == OK)
                rc = fhir_concept_put_codes(&d->row, &concept);
        if (rc == OK && d->type == FHIR_TYPE_Condition)
                rc = fhir_out_text(&d->row, "kind", kind_of(&concept));
        return rc;
}

/* ---- statuses ---- */

enum err fhir_clinical_verification(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        enum fhir_word_set set =
                d->type == FHIR_TYPE_Condition ? FHIR_WORDS_CONDITION_VERIFICATION : FHIR_WORDS_ALLERGY_VERIFICATION;
        enum err rc = fhir_concept_word(d, at, item, set, &d->verification);

        if (rc != OK || d->verification == NULL)
                return rc;
        return fhir_out_word(&d->row, element->member, d->verification->fhir);
}

static bool has_ended(const struct fhir_draft *d)
{
        return d->items[FHIR_Condition_abatementDateTime].len > 0 || d->items[FHIR_Condition_abatementAge].len > 0 ||
               d->items[FHIR_Condition_abatementPeriod].len > 0 || d->items[FHIR_Condition_abatementRange].len > 0 ||
               d->items[FHIR_Condition_abatementString].len > 0;
}

static const char *status_of(const struct fhir_draft *d, const struct fhir_word *clinical)
{
        if (d->verification != NULL && d->verification->row[0] != '\0')
                return d->verification->row;
        if (clinical != NULL)
                return clinical->row;
        return has_ended(d) ? "resolved" : "active";
}

enum err fhir_clinical_status(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        enum fhir_word_set set =
                d->type == FHIR_TYPE_Condition ? FHIR_WORDS_CONDITION_CLINICAL : FHIR_WORDS_ALLERGY_CLINICAL;
        const struct fhir_word *clinical;
        const char *status;
        enum err rc = fhir_concept_word(d, at, item, set, &clinical);

        (void)element;
        if (rc != OK)
                return rc;
        status = status_of(d, clinical);
        rc = fhir_out_word(&d->row, "status", status);
        if (rc == OK && clinical != NULL && strcmp(clinical->fhir, status) != 0)
                rc = fhir_out_word(&d->row, "clinical", clinical->fhir);
        return rc;
}

/* The word of a text element; NULL when it is not given. One that its set does not have is the set's word "", or, if it
 * has none such, refused. */
static enum err read_word(struct fhir_draft *d, const struct fhir_place *at, struct slice item, enum fhir_word_set set,
        const struct fhir_word **out)
{
        struct slice text;
        enum err rc = fhir_draft_text(d, at, item, &text);

        *out = NULL;
        if (rc != OK || text.len == 0)
                return rc;
        *out = fhir_words_find(set, text);
        if (*out == NULL)
                *out = fhir_words_find(set, SLICE_EMPTY);
        return *out == NULL ? fhir_draft_refuse(d, REJECT_WORD, at, NULL) : OK;
}

enum err fhir_clinical_status_word(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        enum fhir_word_set set =
                d->type == FHIR_TYPE_Immunization ? FHIR_WORDS_IMMUNIZATION_STATUS : FHIR_WORDS_ENCOUNTER_STATUS;
        const struct fhir_word *word;
        enum err rc = read_word(d, at, item, set, &word);

        if (rc == OK && word == NULL)
                rc = fhir_draft_refuse(d, REJECT_MISSING, at, NULL);
        return rc == OK ? fhir_out_word(&d->row, element->member, word->row) : rc;
}

/* ---- allergies ---- */

enum { SUBSTANCE, MANIFESTATION, DESCRIPTION, ONSET, SEVERITY, ROUTE, REACTION_PICKS };

struct reaction {
        struct fhir_pick picks[REACTION_PICKS];
        const struct fhir_word *severity;
        struct slice description;
        struct slice onset;
        struct fhir_concept substance;
        struct fhir_concept route;
};

static enum err read_reaction(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct reaction *out)
{
        const struct fhir_place severity = {.in = at, .name = "severity"};
        const struct fhir_place onset = {.in = at, .name = "onset"};
        const struct fhir_place substance = {.in = at, .name = "substance"};
        const struct fhir_place route = {.in = at, .name = "exposureRoute"};
        enum err rc;

        *out = (struct reaction){.picks = {{.name = "substance"}, {.name = "manifestation"}, {.name = "description"},
                                         {.name = "onset"}, {.name = "severity"}, {.name = "exposureRoute"}}};
        rc = fhir_draft_pick(d, at, item, out->picks, REACTION_PICKS);
        if (rc == OK)
                rc = read_word(d, &severity, out->picks[SEVERITY].item, FHIR_WORDS_REACTION_SEVERITY, &out->severity);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &out->picks[DESCRIPTION], &out->description);
        if (rc == OK)
                rc = fhir_draft_moment(d, &onset, out->picks[ONSET].item, &out->onset);
        if (rc == OK)
                rc = fhir_concept_read(d, &substance, out->picks[SUBSTANCE].item, &out->substance);
        if (rc == OK)
                rc = fhir_concept_read(d, &route, out->picks[ROUTE].item, &out->route);
        return rc;
}

static enum err put_reaction(
        struct fhir_out_list *list, const struct reaction *reaction, const struct fhir_concept *manifestation)
{
        struct fhir_out_map map;
        enum err rc = fhir_out_item_open(&map, list);

        if (rc == OK)
                rc = fhir_concept_put(&map, manifestation);
        if (rc == OK && reaction->severity != NULL)
                rc = fhir_out_word(&map, "severity", reaction->severity->row);
        if (rc == OK)
                rc = fhir_out_text(&map, "substance", fhir_concept_words(&reaction->substance));
        if (rc == OK)
                rc = fhir_out_text(&map, "description", reaction->description);
        if (rc == OK)
                rc = fhir_out_text(&map, "onset", reaction->onset);
        if (rc == OK)
                rc = fhir_out_text(&map, "route", fhir_concept_words(&reaction->route));
        if (rc == OK)
                fhir_out_item_close(&map, list);
        return rc;
}

/* One item for each manifestation, or one when there is none. */
static enum err put_reactions(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        const struct fhir_place inner = {.in = at, .name = "manifestation"};
        struct fhir_concept manifestation = {.codings = 0};
        struct reaction reaction;
        struct value_iter iter;
        enum err rc = read_reaction(d, at, item, &reaction);

        if (rc == OK && reaction.severity != NULL && (d->reaction == NULL || reaction.severity > d->reaction))
                d->reaction = reaction.severity;
        if (rc == OK)
                rc = fhir_draft_list(d, &inner, reaction.picks[MANIFESTATION].item, &iter);
        if (rc == OK && iter.left == 0)
                return put_reaction(list, &reaction, &manifestation);
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_concept_read(d, &inner, item, &manifestation);
                if (rc == OK)
                        rc = put_reaction(list, &reaction, &manifestation);
        }
        return rc;
}

enum err fhir_clinical_reactions(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_reactions);
}

enum err fhir_clinical_severity(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        const struct fhir_word *criticality;
        const char *severity = d->reaction == NULL ? "" : d->reaction->row;
        enum err rc = read_word(d, at, item, FHIR_WORDS_CRITICALITY, &criticality);

        (void)element;
        if (rc == OK && criticality != NULL) {
                rc = fhir_out_word(&d->row, "criticality", criticality->fhir);
                if (criticality->row[0] != '\0')
                        severity = criticality->row;
        }
        return rc == OK ? fhir_out_word(&d->row, "severity", severity) : rc;
}

/* ---- conditions ---- */

static enum err put_stage(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        const struct fhir_place summary = {.in = at, .name = "summary"};
        struct fhir_pick pick = {.name = "summary"};
        struct fhir_concept concept;
        enum err rc = fhir_draft_pick(d, at, item, &pick, 1);

        if (rc == OK)
                rc = fhir_concept_read(d, &summary, pick.item, &concept);
        return rc == OK ? fhir_out_list_text(list, fhir_concept_words(&concept)) : rc;
}

enum err fhir_clinical_stages(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_stage);
}
