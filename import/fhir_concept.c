#include "import/fhir_concept.h"

#include "import/code_system.h"

struct coding {
        struct slice system;
        struct slice code;
        struct slice display;
};

static enum err read_coding(struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct coding *out)
{
        struct fhir_pick picks[] = {{.name = "system"}, {.name = "code"}, {.name = "display"}};
        enum err rc = fhir_draft_pick(d, at, item, picks, 3);

        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[0], &out->system);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[1], &out->code);
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[2], &out->display);
        return rc;
}

/* Lower ones come first. A coding without a code can only lend its words, so it comes last. */
static int order_of(const struct coding *coding, const struct code_system *system, bool vaccine)
{
        if (coding->code.len == 0)
                return CODE_SYSTEM_ORDER_UNKNOWN + 1;
        if (system == NULL)
                return CODE_SYSTEM_ORDER_UNKNOWN;
        return vaccine ? system->vaccine_order : system->order;
}

static void take_coding(struct fhir_concept *concept, const struct coding *coding, bool vaccine, int *best)
{
        const struct code_system *system = code_system_find(coding->system);
        int order = order_of(coding, system, vaccine);

        if (coding->code.len == 0 && coding->display.len == 0)
                return;
        concept->codings++;
        if (system == NULL && concept->own_code.len == 0)
        concept->own_code = coding->code;
        if (order >= *best)
                return;
        *best = order;
        concept->system = coding->system;
        concept->code = coding->code;
        concept->display = coding->display;
}

enum err fhir_concept_read(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_concept *out)
{
        const struct fhir_place codings = {.in = at, .name = "coding"};
        struct fhir_pick picks[] = {{.name = "coding"}, {.name = "text"}};
        struct value_iter iter;
        struct coding coding;
        int best = CODE_SYSTEM_ORDER_UNKNOWN + 2;
        enum err rc = fhir_draft_pick(d, at, item, picks, 2);

        *out = (struct fhir_concept){.item = item};
        if (rc == OK)
                rc = fhir_draft_pick_text(d, at, &picks[1], &out->text);
        if (rc == OK)
                rc = fhir_draft_list(d, &codings, picks[0].item, &iter);
        while (rc == OK && value_next(&iter, &item)) {
                rc = read_coding(d, &codings, item, &coding);
                if (rc == OK)
                        take_coding(out, &coding, fhir_types_is_vaccine(d->type), &best);
        }
        return rc;
}

bool fhir_concept_is_empty(const struct fhir_concept *concept)
{
        return concept->codings == 0 && concept->text.len == 0;
}

enum err fhir_concept_first(
        struct fhir_draft *d, const struct fhir_place *at, struct slice item, struct fhir_concept *out)
{
        struct fhir_concept concept;
        struct value_iter iter;
        enum err rc = fhir_draft_list(d, at, item, &iter);

        *out = (struct fhir_concept){.codings = 0};
        while (rc == OK && value_next(&iter, &item)) {
                rc = fhir_concept_read(d, at, item, &concept);
                if (rc == OK && fhir_concept_is_empty(out))
                *out = concept;
        }
        return rc;
}

struct slice fhir_concept_words(const struct fhir_concept *concept)
{
        if (concept->text.len > 0)
        return concept->text;
        return concept->display.len > 0 ? concept->display : concept->code;
}

enum err fhir_concept_put(struct fhir_out_map *map, const struct fhir_concept *concept)
{
        struct slice display = concept->display.len > 0 ? concept->display : concept->text;
        enum err rc = fhir_out_text(map, "code", concept->code);

        if (rc == OK && concept->code.len > 0)
                rc = fhir_out_text(map, "system", code_system_name(concept->system));
        if (rc == OK)
                rc = fhir_out_text(map, "display", display);
        if (rc == OK && !slice_equal(concept->text, display))
                rc = fhir_out_text(map, "text", concept->text);
        return rc;
}

/* The concept has been read: its kinds are right. */
static enum err put_coding(struct fhir_out_list *list, struct slice item)
{
        static const char *const names[] = {"system", "code", "display"};
        struct fhir_out_map map;
        struct slice text;
        enum err rc = fhir_out_item_open(&map, list);

        for (size_t i = 0; rc == OK && i < sizeof(names) / sizeof(names[0]); i++)
                if (value_member_text(item, names[i], &text))
                        rc = fhir_out_text(&map, names[i], text);
        if (rc == OK)
                fhir_out_item_close(&map, list);
        return rc;
}

enum err fhir_concept_put_codes(struct fhir_out_map *map, const struct fhir_concept *concept)
{
        struct fhir_out_list list;
        struct value_iter iter;
        struct slice codings;
        struct slice item;
        enum err rc;

        if (concept->codings < 2 || !value_member(concept->item, "coding", &codings) ||
                !value_iter_init(&iter, codings, VALUE_LIST))
                return OK;
        rc = fhir_out_list_open(&list, map, "codes");
        while (rc == OK && value_next(&iter, &item))
                if (!fhir_draft_absent(item))
                        rc = put_coding(&list, item);
        fhir_out_list_close(&list);
        return rc;
}

/* FHIR's own lists of words live there. */
static bool is_own_system(struct slice system)
{
        static const char root[] = "http://terminology.hl7.org/CodeSystem/";

        return system.len > sizeof(root) - 1 && memcmp(system.data, root, sizeof(root) - 1) == 0;
}

/* The first word of the set among the codings; with `own`, among those of FHIR's own systems only. */
static const struct fhir_word *find_word(struct slice concept, enum fhir_word_set set, bool own)
{
        const struct fhir_word *word = NULL;
        struct value_iter iter;
        struct slice codings;
        struct slice item;
        struct slice system;
        struct slice code;

        if (!value_member(concept, "coding", &codings) || !value_iter_init(&iter, codings, VALUE_LIST))
                return NULL;
        while (word == NULL && value_next(&iter, &item)) {
                if (!value_member_text(item, "system", &system))
                        system = SLICE_EMPTY;
                if ((!own || is_own_system(system)) && value_member_text(item, "code", &code))
                        word = fhir_words_find(set, code);
        }
        return word;
}

enum err fhir_concept_word(struct fhir_draft *d, const struct fhir_place *at, struct slice item, enum fhir_word_set set,
        const struct fhir_word **out)
{
        struct fhir_concept concept;
        enum err rc = fhir_concept_read(d, at, item, &concept);

        *out = NULL;
        if (rc != OK || fhir_concept_is_empty(&concept))
                return rc;
        *out = find_word(item, set, true);
        if (*out == NULL)
                *out = find_word(item, set, false);
        if (*out == NULL && concept.code.len == 0)
                *out = fhir_words_find(set, concept.text);
        return *out == NULL ? fhir_draft_refuse(d, REJECT_WORD, at, NULL) : OK;
}
