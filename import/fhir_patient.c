#include "import/fhir_patient.h"

#include "import/fhir_concept.h"
#include "import/fhir_forms.h"

/* ---- one of several, by its use ---- */

struct choice {
        enum fhir_word_set uses;
        const char *system; /* of contact points: only those; NULL: all */
};

/* The item of a list of objects whose use comes first; empty when there is none. Uses that are not known come last. */
static enum err choose(struct fhir_draft *d, const struct fhir_place *at, struct slice list,
        const struct choice *choice, struct slice *chosen)
{
        struct fhir_pick picks[] = {{.name = "use"}, {.name = "system"}};
        const struct fhir_word *best = NULL;
        const struct fhir_word *word;
        struct slice use;
        struct slice system;
        struct slice item;
        struct value_iter iter;
        enum err rc = fhir_draft_list(d, at, list, &iter);

        *chosen = SLICE_EMPTY;
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, at, item, picks, 2);
                if (rc == OK)
                        rc = fhir_draft_pick_text(d, at, &picks[0], &use);
                if (rc == OK)
                        rc = fhir_draft_pick_text(d, at, &picks[1], &system);
                if (rc != OK || fhir_draft_absent(item))
                        continue;
                if (choice->system != NULL && !slice_equal(system, slice_str(choice->system)))
                        continue;
                word = fhir_words_find(choice->uses, use);
                if (chosen->len > 0 && (word == NULL || (best != NULL && word >= best)))
                        continue;
                best = word;
                *chosen = item;
        }
        return rc;
}

/* ---- names ---- */

enum { FAMILY, GIVEN, NAME_TEXT, NAME_PICKS };

struct name {
        struct fhir_pick picks[NAME_PICKS];
        struct slice family;
        struct slice text;
        struct slice first; /* of the given ones */
        struct buf others;  /* given ones after it, with spaces between */
};

static enum err append_word(struct buf *words, struct slice word)
{
        enum err rc = word.len > 0 && buf_len(words) > 0 ? buf_append_str(words, " ") : OK;

        return rc == OK ? buf_append_slice(words, word) : rc;
}

static enum err read_given(struct fhir_draft *d, const struct fhir_place *at, struct name *name)
{
        const struct fhir_place given = {.in = at, .name = "given"};
        struct value_iter iter;
        struct slice item;
        struct slice text;
        enum err rc = fhir_draft_list(d, &given, name->picks[GIVEN].item, &iter);

        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_text(d, &given, item, &text);
                if (rc == OK && name->first.len > 0)
                        rc = append_word(&name->others, text);
                else if (rc == OK)
                        name->first = text;
        }
        return rc;
}

/* Reads a HumanName. name->others is to be freed in any case. */
static enum err read_name(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct name *name)
{
        enum err rc;

        *name = (struct name){.picks = {{.name = "family"}, {.name = "given"}, {.name = "text"}}};
        buf_init(&name->others, 0);
        rc = fhir_draft_pick(d, at, item, name->picks, NAME_PICKS);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &name->picks[FAMILY], &name->family);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &name->picks[NAME_TEXT], &name->text);
        return rc == OK ? read_given(d, at, name) : rc;
}

enum err fhir_patient_names(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        const struct choice choice = {.uses = FHIR_WORDS_NAME_USE, .system = NULL};
        struct slice chosen;
        struct name name;
        enum err rc = choose(d, at, item, &choice, &chosen);

        (void)element;
        if (rc != OK)
                return rc;
        rc = read_name(d, at, chosen, &name);
        if (rc == OK)
                rc = fhir_out_text(&d->row, "first_name", name.first);
        if (rc == OK)
                rc = fhir_out_text(&d->row, "middle_name", buf_slice(&name.others));
        if (rc == OK)
                rc = fhir_out_text(&d->row, "last_name", name.family);
        if (rc == OK)
                rc = fhir_out_text(&d->row, "name", name.text);
        buf_deinit(&name.others);
        return rc;
}

/* ---- extensions ---- */

/* The words in one part of an extension's inner list; empty when it has none of these values. */
static enum err read_inner_words(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *words)
{
        struct fhir_pick picks[] = {{.name = "valueString"}, {.name = "valueCodeableConcept"}, {.name = "valueCoding"}};
        const struct fhir_place coding = {.in = at, .name = "valueCoding"};
        const struct fhir_place concept_place = {.in = at, .name = "valueCodeableConcept"};
        struct fhir_pick display = {.name = "display"};
        struct fhir_concept concept;
        enum err rc = fhir_draft_pick(d, at, item, picks, 3);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[0], words);
        if (rc != OK || words->len > 0)
                return rc;
        rc = fhir_concept_read(d, &concept_place, picks[1].item, &concept);
        *words = rc == OK ? fhir_concept_words(&concept) : SLICE_EMPTY;
        if (rc != OK || words->len > 0)
                return rc;
        rc = fhir_draft_pick(d, &coding, picks[2].item, &display, 1);
        return rc == OK ? fhir_draft_pick_text(d, &coding, &display, words) : rc;
}

/* What a complex extension says in words: its part "text", else its first part that has words. */
static enum err read_extension_words(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice *words)
{
        struct fhir_pick url = {.name = "url"};
        struct slice name;
        struct slice inner;
        struct value_iter iter;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        *words = SLICE_EMPTY;
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, at, item, &url, 1);
                if (rc == OK)
                        rc = fhir_draft_pick_text(d, at, &url, &name);
                if (rc == OK)
                        rc = read_inner_words(d, at, item, &inner);
                if (rc == OK && inner.len > 0 && (words->len == 0 || slice_equal(name, slice_str("text"))))
                        *words = inner;
        }
        return rc;
}

enum err fhir_patient_extensions(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        const struct fhir_place inner = {.in = at, .name = "extension"};
        struct fhir_pick picks[] = {{.name = "url"}, {.name = "extension"}};
        const struct fhir_word *word;
        struct value_iter iter;
        struct slice url;
        struct slice words;
        unsigned written = 0; /* a bit for each member: one that comes twice is taken once */
        enum err rc = fhir_draft_list(d, at, item, &iter);

        (void)element;
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, at, item, picks, 2);
                if (rc == OK)
                        rc = fhir_draft_pick_text(d, at, &picks[0], &url);
                word = rc == OK ? fhir_words_find(FHIR_WORDS_PATIENT_EXTENSION, url) : NULL;
                if (word == NULL || (written & 1u << fhir_words_rank(word)) != 0)
                        continue;
                rc = read_extension_words(d, &inner, picks[1].item, &words);
                if (rc == OK && words.len > 0)
                        written |= 1u << fhir_words_rank(word);
                if (rc == OK)
                        rc = fhir_out_text(&d->row, word->row, words);
        }
        return rc;
}

/* ---- addresses, phones, identifiers, contacts ---- */

/* The lines of an address as one; its text when it has none. */
static enum err put_lines(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct slice text)
{
        const struct fhir_place line = {.in = at, .name = "line"};
        struct value_iter iter;
        struct slice part;
        struct buf lines;
        enum err rc = fhir_draft_list(d, &line, item, &iter);

        buf_init(&lines, 0);
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_text(d, &line, item, &part);
                if (rc == OK && part.len > 0 && buf_len(&lines) > 0)
                        rc = buf_append_str(&lines, ", ");
                if (rc == OK)
                        rc = buf_append_slice(&lines, part);
        }
        if (rc == OK)
                rc = fhir_out_text(&d->row, "address", buf_len(&lines) > 0 ? buf_slice(&lines) : text);
        buf_deinit(&lines);
        return rc;
}

enum err fhir_patient_addresses(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        static const char *const members[] = {"city", "state", "zip", "country"};
        struct fhir_pick picks[] = {{.name = "city"}, {.name = "state"}, {.name = "postalCode"}, {.name = "country"},
                {.name = "line"}, {.name = "text"}};
        const struct choice choice = {.uses = FHIR_WORDS_ADDRESS_USE, .system = NULL};
        struct slice text;
        enum err rc = choose(d, at, item, &choice, &item);

        (void)element;
        if (rc == OK)
                rc = fhir_draft_pick(d, at, item, picks, 6);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[5], &text);
        if (rc == OK)
                rc = put_lines(d, at, picks[4].item, text);
        for (size_t i = 0; rc == OK && i < 4; i++) {
                rc = fhir_draft_pick_text(d, at, &picks[i], &text);
                if (rc == OK)
                        rc = fhir_out_text(&d->row, members[i], text);
        }
        return rc;
}

/* The value of the contact point of a system whose use comes first; empty when there is none. */
static enum err read_telecom(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, const char *system, struct slice *value)
{
        const struct choice choice = {.uses = FHIR_WORDS_TELECOM_USE, .system = system};
        struct fhir_pick pick = {.name = "value"};
        enum err rc = choose(d, at, item, &choice, &item);

        if (rc == OK)
                rc = fhir_draft_pick(d, at, item, &pick, 1);
        return rc == OK ? fhir_draft_pick_text(d, at, &pick, value) : rc;
}

enum err fhir_patient_telecoms(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        static const char *const systems[] = {"phone", "email"};
        struct slice value;
        enum err rc = OK;

        (void)element;
        for (size_t i = 0; rc == OK && i < 2; i++) {
                rc = read_telecom(d, at, item, systems[i], &value);
                if (rc == OK)
                        rc = fhir_out_text(&d->row, systems[i], value);
        }
        return rc;
}

static enum err put_identifier(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        const struct fhir_place type = {.in = at, .name = "type"};
        struct fhir_pick picks[] = {{.name = "system"}, {.name = "value"}, {.name = "use"}, {.name = "type"}};
        struct slice texts[3];
        struct fhir_concept concept;
        struct fhir_out_map map;
        enum err rc = fhir_draft_pick(d, at, item, picks, 4);

        for (size_t i = 0; rc == OK && i < 3; i++)
                rc = fhir_draft_pick_text(d, at, &picks[i], &texts[i]);
        if (rc == OK)
                rc = fhir_concept_read(d, &type, picks[3].item, &concept);
        if (rc != OK || texts[1].len == 0)
                return rc;
        rc = fhir_out_item_open(&map, list);
        for (size_t i = 0; rc == OK && i < 3; i++)
                rc = fhir_out_text(&map, picks[i].name, texts[i]);
        if (rc == OK)
                rc = fhir_out_text(&map, "type", fhir_concept_words(&concept));
        if (rc == OK)
                fhir_out_item_close(&map, list);
        return rc;
}

/* What is said of a person to call beside the name. */
static enum err put_person(
        struct fhir_out_map *map, const struct name *name, struct slice phone, const struct fhir_concept *relationship)
{
        enum err rc = fhir_out_text(map, "first_name", name->first);

        if (rc == OK)
                rc = fhir_out_text(map, "last_name", name->family);
        if (rc == OK)
                rc = fhir_out_text(map, "name", name->text);
        if (rc == OK)
                rc = fhir_out_text(map, "relationship", fhir_concept_words(relationship));
        return rc == OK ? fhir_out_text(map, "phone", phone) : rc;
}

static enum err put_contact(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_out_list *list)
{
        const struct fhir_place places[] = {
                {.in = at, .name = "name"}, {.in = at, .name = "relationship"}, {.in = at, .name = "telecom"}};
        struct fhir_pick picks[] = {{.name = "name"}, {.name = "relationship"}, {.name = "telecom"}};
        struct fhir_concept relationship;
        struct slice phone;
        struct fhir_out_map map;
        struct name name;
        enum err rc = fhir_draft_pick(d, at, item, picks, 3);

        if (rc == OK)
                rc = fhir_concept_first(d, &places[1], picks[1].item, &relationship);
        if (rc == OK)
                rc = read_telecom(d, &places[2], picks[2].item, "phone", &phone);
        if (rc != OK)
                return rc;
        rc = read_name(d, &places[0], picks[0].item, &name);
        if (rc == OK)
                rc = fhir_out_item_open(&map, list);
        if (rc == OK)
                rc = put_person(&map, &name, phone, &relationship);
        if (rc == OK)
                fhir_out_item_close(&map, list);
        buf_deinit(&name.others);
        return rc;
}

enum err fhir_patient_identifiers(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_identifier);
}

enum err fhir_patient_contacts(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        return fhir_forms_put_list(d, element->member, at, item, put_contact);
}

enum err fhir_patient_language(
        struct fhir_draft *d, const struct fhir_element *element, const struct fhir_place *at, struct slice item)
{
        const struct fhir_place place = {.in = at, .name = "language"};
        struct fhir_pick picks[] = {{.name = "language"}, {.name = "preferred"}};
        struct slice chosen = SLICE_EMPTY;
        struct fhir_concept concept;
        struct value_iter iter;
        struct value preferred;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_draft_pick(d, at, item, picks, 2);
                if (rc == OK)
                        rc = fhir_concept_read(d, &place, picks[0].item, &concept);
                if (rc != OK || fhir_concept_is_empty(&concept))
                        continue;
                if (chosen.len == 0 ||
                        (value_of(picks[1].item, &preferred) && preferred.kind == VALUE_BOOL && preferred.as.flag))
                        chosen = fhir_concept_words(&concept);
        }
        return rc == OK ? fhir_out_text(&d->row, element->member, chosen) : rc;
}
