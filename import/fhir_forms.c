#include "import/fhir_forms.h"

#include "import/fhir_clinical.h"
#include "import/fhir_concept.h"
#include "import/fhir_event.h"
#include "import/fhir_link.h"
#include "import/fhir_patient.h"
#include "import/fhir_reference.h"

#define FORM(name)                                                                                                     \
        static enum err name(struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at,    \
                struct slice item)

/* ---- what says that the resource is not what it seems ---- */

/* Rules that we were not told of may change all: FHIR forbids to go on (resource.html, implicitRules). */
FORM(form_rules)
{
        (void)element;
        return item.len > 0 ? fhir_draft_refuse(d, REJECT_MODIFIER, at, NULL) : OK;
}

/* An extension that modifies may turn a statement into its opposite, and none is known here (extensibility.html). */
FORM(form_modifiers)
{
        struct value_iter iter;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        (void)element;
        if (rc == OK && iter.left > 0)
                rc = fhir_draft_refuse(d, REJECT_MODIFIER, at, NULL);
        return rc;
}

/* The same anywhere within an element that becomes members. A text of that very word counts, too: this errs to the
 * safe side. */
static enum err refuse_inner_modifier(struct fhir_draft *d, const struct fhir_place *at, struct slice item)
{
        struct cursor c = cursor_of(item);
        struct value v;

        while (value_read(&c, &v))
                if (v.kind == VALUE_TEXT && slice_equal(v.as.text, slice_str("modifierExtension")))
                        return fhir_draft_refuse(d, REJECT_MODIFIER, at, "modifierExtension");
        return OK;
}

/* A resource that was cut short on its way (meta.tag or security SUBSETTED) does not have all that counts: an allergy
 * comes without its reactions. Other labels restrict who may see the resource, and are kept. */
static enum err read_labels(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *codes)
{
        struct fhir_pick pick = {.name = "code"};
        struct value_iter iter;
        struct slice code;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, at, item, &pick, 1);
                if (rc == OK)
                        rc = fhir_draft_pick_text(d, at, &pick, &code);
                if (rc == OK && slice_equal(code, slice_str("SUBSETTED")))
                        rc = fhir_draft_refuse(d, REJECT_PARTIAL, at, NULL);
                if (rc == OK && codes != NULL)
                        rc = fhir_out_list_text(codes, code);
        }
        return rc;
}

FORM(form_meta)
{
        const struct fhir_place tag = {.in = at, .name = "tag"};
        const struct fhir_place security = {.in = at, .name = "security"};
        struct fhir_pick picks[] = {{.name = "tag"}, {.name = "security"}};
        struct fhir_out_list codes;
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        if (rc == OK)
                rc = read_labels(d, &tag, picks[0].item, NULL);
        if (rc == OK)
                rc = fhir_out_list_open(&codes, &d->row, element->member);
        if (rc != OK)
                return rc;
        rc = read_labels(d, &security, picks[1].item, &codes);
        fhir_out_list_close(&codes);
        return rc;
}

/* ---- whose and which ---- */

/* The ids are found before the row begins. */
FORM(form_id)
{
        enum err rc;

        (void)at;
        (void)item;
        if (d->type != FHIR_TYPE_Patient)
                return fhir_out_text(&d->row, element->member, d->id);
        rc = fhir_out_text(&d->row, "student", buf_slice(d->student));
        return rc == OK ? fhir_out_text(&d->row, element->member, buf_slice(d->student)) : rc;
}

FORM(form_student)
{
        (void)at;
        (void)item;
        return fhir_out_text(&d->row, element->member, buf_slice(d->student));
}

FORM(form_encounter)
{
        struct slice id;
        enum err rc = fhir_reference_id(d, at, item, "Encounter", &id);

        return rc == OK ? fhir_out_text(&d->row, element->member, id) : rc;
}

/* ---- plain values ---- */

FORM(form_text)
{
        struct slice text;
        enum err rc = fhir_draft_text(d, at, item, &text);

        return rc == OK ? fhir_out_text(&d->row, element->member, text) : rc;
}

FORM(form_bool)
{
        struct value v;

        if (!value_of(item, &v) || v.kind != VALUE_BOOL)
                return fhir_draft_refuse(d, REJECT_KIND, at, NULL);
        return fhir_out_value(&d->row, element->member, item);
}

FORM(form_date)
{
        struct slice text;
        enum err rc = fhir_draft_date(d, at, item, &text);

        return rc == OK ? fhir_out_text(&d->row, element->member, text) : rc;
}

FORM(form_moment)
{
        struct slice text;
        enum err rc = fhir_draft_moment(d, at, item, &text);

        return rc == OK ? fhir_out_text(&d->row, element->member, text) : rc;
}

/* Ages, ranges, quantities: as they are. */
FORM(form_object)
{
        struct value v;

        if (!value_of(item, &v) || v.kind != VALUE_MAP)
                return fhir_draft_refuse(d, REJECT_KIND, at, NULL);
        return fhir_out_value(&d->row, element->member, item);
}

FORM(form_period)
{
        struct slice start;
        struct slice end;
        enum err rc = fhir_draft_period(d, at, item, &start, &end);

        return rc == OK ? fhir_out_value(&d->row, element->member, item) : rc;
}

/* Begins, or goes on with, a member of text that has several parts. */
static enum err append_part(struct buf *joined, struct slice part)
{
        enum err rc = OK;

        if (part.len > 0 && buf_len(joined) > 0)
                rc = buf_append_str(joined, ", ");
        return rc == OK ? buf_append_slice(joined, part) : rc;
}

FORM(form_words)
{
        struct value_iter iter;
        struct slice text;
        struct buf joined;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        buf_init(&joined, 0);
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_text(d, at, item, &text);
                if (rc == OK)
                        rc = append_part(&joined, text);
        }
        if (rc == OK)
                rc = fhir_out_text(&d->row, element->member, buf_slice(&joined));
        buf_deinit(&joined);
        return rc;
}

enum err fhir_forms_put_list(struct fhir_draft *d, const char *member, const struct fhir_place *at, struct slice item,
        fhir_forms_item_fn put)
{
        struct fhir_out_list list;
        struct value_iter iter;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        if (rc == OK)
                rc = fhir_out_list_open(&list, &d->row, member);
        if (rc != OK)
                return rc;
        while (rc == OK && value_next(&iter, &item))
                if (!fhir_draft_absent(item))
                        rc = put(d, at, item, &list);
        fhir_out_list_close(&list);
        return rc;
}

static enum err put_note(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        struct fhir_pick pick = {.name = "text"};
        struct slice text;
        enum err rc = fhir_draft_pick(d, at, item, &pick, 1);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &pick, &text);
        return rc == OK ? fhir_out_list_text(list, text) : rc;
}

/* Annotations: what they say. */
FORM(form_notes)
{
        return fhir_forms_put_list(d, element->member, at, item, put_note);
}

/* What a Reference says for people. */
FORM(form_display)
{
        struct fhir_pick pick = {.name = "display"};
        struct slice text = SLICE_EMPTY;
        enum err rc = fhir_draft_pick(d, at, item, &pick, 1);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &pick, &text);
        return rc == OK ? fhir_out_text(&d->row, element->member, text) : rc;
}

/* ---- concepts whose words suffice ---- */

FORM(form_concept)
{
        struct fhir_concept concept;
        enum err rc = fhir_concept_read(d, at, item, &concept);

        return rc == OK ? fhir_out_text(&d->row, element->member, fhir_concept_words(&concept)) : rc;
}

static enum err put_concept(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        struct fhir_concept concept;
        enum err rc = fhir_concept_read(d, at, item, &concept);

        return rc == OK ? fhir_out_list_text(list, fhir_concept_words(&concept)) : rc;
}

enum err fhir_forms_put_concepts(
        struct fhir_draft *d, const char *member, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, member, at, item, put_concept);
}

FORM(form_concepts)
{
        return fhir_forms_put_concepts(d, element->member, at, item);
}

/* Concepts of FHIR's own short lists, such as a condition's category: their codes are words. */
FORM(form_concept_codes)
{
        struct fhir_concept concept;
        struct value_iter iter;
        struct buf joined;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        buf_init(&joined, 0);
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_concept_read(d, at, item, &concept);
                if (rc == OK)
                        rc = append_part(
                                &joined, concept.own_code.len > 0 ? concept.own_code : fhir_concept_words(&concept));
        }
        if (rc == OK)
                rc = fhir_out_text(&d->row, element->member, buf_slice(&joined));
        buf_deinit(&joined);
        return rc;
}

/* ---- the table ---- */

static const fhir_forms_fn FORMS[FHIR_FORM_COUNT] = {
        [FHIR_FORM_RULES] = form_rules,
        [FHIR_FORM_MODIFIERS] = form_modifiers,
        [FHIR_FORM_ID] = form_id,
        [FHIR_FORM_META] = form_meta,
        [FHIR_FORM_TEXT] = form_text,
        [FHIR_FORM_WORDS] = form_words,
        [FHIR_FORM_BOOL] = form_bool,
        [FHIR_FORM_DATE] = form_date,
        [FHIR_FORM_MOMENT] = form_moment,
        [FHIR_FORM_OBJECT] = form_object,
        [FHIR_FORM_PERIOD] = form_period,
        [FHIR_FORM_CONCEPT] = form_concept,
        [FHIR_FORM_CONCEPTS] = form_concepts,
        [FHIR_FORM_CONCEPT_CODES] = form_concept_codes,
        [FHIR_FORM_NOTES] = form_notes,
        [FHIR_FORM_DISPLAY] = form_display,
        [FHIR_FORM_STUDENT] = form_student,
        [FHIR_FORM_ENCOUNTER] = form_encounter,
        [FHIR_FORM_CODE] = fhir_clinical_code,
        [FHIR_FORM_VERIFICATION] = fhir_clinical_verification,
        [FHIR_FORM_STATUS] = fhir_clinical_status,
        [FHIR_FORM_STATUS_WORD] = fhir_clinical_status_word,
        [FHIR_FORM_REACTIONS] = fhir_clinical_reactions,
        [FHIR_FORM_SEVERITY] = fhir_clinical_severity,
        [FHIR_FORM_STAGES] = fhir_clinical_stages,
        [FHIR_FORM_OCCURRENCE] = fhir_event_occurrence,
        [FHIR_FORM_DOSES] = fhir_event_doses,
        [FHIR_FORM_CLASS] = fhir_event_class,
        [FHIR_FORM_VISIT_TYPE] = fhir_event_type,
        [FHIR_FORM_VISIT_PERIOD] = fhir_event_period,
        [FHIR_FORM_REASONS] = fhir_event_reasons,
        [FHIR_FORM_NAMES] = fhir_patient_names,
        [FHIR_FORM_EXTENSIONS] = fhir_patient_extensions,
        [FHIR_FORM_ADDRESSES] = fhir_patient_addresses,
        [FHIR_FORM_TELECOMS] = fhir_patient_telecoms,
        [FHIR_FORM_IDENTIFIERS] = fhir_patient_identifiers,
        [FHIR_FORM_CONTACTS] = fhir_patient_contacts,
        [FHIR_FORM_LANGUAGE] = fhir_patient_language,
        [FHIR_FORM_LINKS] = fhir_link_others,
};

static enum err run_element(struct fhir_draft *d, const struct fhir_element *element)
{
        const struct fhir_place at = {.in = d->root, .name = element->name};
        struct slice item = d->items[element->id];
        enum err rc = OK;

        if (element->form == FHIR_FORM_NONE)
                return OK;
        if (item.len == 0 && element->need == FHIR_NEED_REQUIRED)
                return fhir_draft_refuse(d, REJECT_MISSING, &at, NULL);
        if (item.len == 0 && element->need == FHIR_NEED_OPTIONAL)
                return OK;
        if (d->has_modifiers && element->form != FHIR_FORM_MODIFIERS)
                rc = refuse_inner_modifier(d, &at, item);
        return rc == OK ? FORMS[element->form](d, element, &at, item) : rc;
}

enum err fhir_forms_run(struct fhir_draft *d, enum fhir_type type)
{
        size_t count;
        const struct fhir_element *elements = fhir_types_elements(type, &count);
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < count; i++)
                rc = run_element(d, &elements[i]);
        return rc;
}
