/* import_tables NAME: prints a part of docs/IMPORT.md from the table that it describes. tests/docs/tables puts it
 * there, or says that it is not what is there. */
#include "database/reject.h"

#include <stdio.h>
#include <string.h>

struct form_text {
        const char *form;
        const char *text;
};

/* What the forms of a table do, in words. A form without any is a hole in the manual, so it ends the program. */
static const char *text_of(const struct form_text *forms, const char *form)
{
        for (; forms->form != NULL; forms++)
                if (strcmp(forms->form, form) == 0)
                        return forms->text;
        (void)fprintf(stderr, "import_tables: no words for the form %s\n", form);
        return NULL;
}

/* ---- systems of codes ---- */

static bool print_systems(void)
{
        (void)printf(
                "| system, as FHIR writes it | `system` in the record | order | for vaccines |\n|---|---|--:|--:|\n");
#define CODE_SYSTEM(uri, name, order, vaccine_order)                                                                   \
        (void)printf("| `%s` | `%s` | %d | %d |\n", uri, name, order, vaccine_order);
#include "import/code_systems.def"
#undef CODE_SYSTEM
        return true;
}

/* ---- words ---- */

static const struct word {
        const char *set;
        const char *fhir;
        const char *row;
} WORDS[] = {
#define WORD(set, fhir, row) {#set, fhir, row},
#include "import/fhir_words.def"
#undef WORD
};

/* The sets that the manual shows: those whose words mean something else in the record, and what an empty one means. */
static const struct {
        const char *set;
        const char *title;
        const char *nothing;
} SETS[] = {
        {"ALLERGY_CLINICAL", "AllergyIntolerance.clinicalStatus → `status`", ""},
        {"ALLERGY_VERIFICATION", "AllergyIntolerance.verificationStatus → `status`", "as the clinical status says"},
        {"CRITICALITY", "AllergyIntolerance.criticality → `severity`", "as the worst reaction says"},
        {"REACTION_SEVERITY", "AllergyIntolerance.reaction.severity, the worst → `severity`", ""},
        {"CONDITION_CLINICAL", "Condition.clinicalStatus → `status`", ""},
        {"CONDITION_VERIFICATION", "Condition.verificationStatus → `status`", "as the clinical status says"},
        {"IMMUNIZATION_STATUS", "Immunization.status → `status`", ""},
        {"ENCOUNTER_STATUS", "Encounter.status → `status`", ""},
        {"ENCOUNTER_CLASS", "Encounter.class → `kind`", ""},
        {"LINK_TYPE", "Patient.link.type", "kept in `links`"},
};

static bool print_words(void)
{
        (void)printf("| of | word | becomes |\n|---|---|---|\n");
        for (size_t s = 0; s < sizeof(SETS) / sizeof(SETS[0]); s++) {
                const char *title = SETS[s].title;

                for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
                        const char *row = WORDS[i].row[0] == '\0' ? SETS[s].nothing : WORDS[i].row;

                        if (strcmp(WORDS[i].set, SETS[s].set) != 0)
                                continue;
                        (void)printf("| %s | %s | %s |\n", title,
                                WORDS[i].fhir[0] == '\0' ? "(any other)" : WORDS[i].fhir, row);
                        title = "";
                }
        }
        return true;
}

/* ---- CSV ---- */

static const struct form_text COLUMN_FORMS[] = {
        {"STUDENT", "the id, with the prefix of `--prefix`"},
        {"ID", "the id"},
        {"TEXT", "as it is"},
        {"SYSTEM", "by the names above, else as it is"},
        {"DATE", "a date, as it is"},
        {"INSTANT", "a date or an instant, as it is"},
        {"GENDER", "F: `female`, M: `male`, else as it is"},
        {"ZIP", "as it is; `2155.0` becomes `02155`"},
        {"RECORD_ID", "16 hexadecimal digits over code, start and description"},
        {"SEVERITY", "the worst of SEVERITY1 and SEVERITY2; left out when both are empty"},
        {"REACTIONS", "REACTION1, REACTION2 with their descriptions and severities, where given"},
        {"STATUS", "active while STOP is empty or to come, else inactive (allergies), resolved (conditions)"},
        {"KIND", "the word in parentheses that ends DESCRIPTION, if it is one of SNOMED CT's"},
        {"CVX", "`CVX`"},
        {"PART", "a part of the reactions"},
        {NULL, NULL},
};

static const char *need_text(const char *need)
{
        if (strcmp(need, "KEY") == 0)
                return "required";
        return strcmp(need, "HEADER") == 0 ? "may be empty" : "";
}

static bool print_columns(void)
{
        static const struct {
                const char *table;
                const char *column;
                const char *field;
                const char *form;
                const char *need;
        } columns[] = {
#define COLUMN(table, column, field, form, need) {#table, column, field, #form, #need},
#include "import/import_columns.def"
#undef COLUMN
        };

        (void)printf("| table | column | member | value | |\n|---|---|---|---|---|\n");
        for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
                const char *text = text_of(COLUMN_FORMS, columns[i].form);

                if (text == NULL)
                        return false;
                (void)printf("| %s | %s%s%s | `%s` | %s | %s |\n", columns[i].table,
                        columns[i].column[0] == '\0' ? "" : "`", columns[i].column,
                        columns[i].column[0] == '\0' ? "" : "`", columns[i].field, text, need_text(columns[i].need));
        }
        return true;
}

/* ---- reasons ---- */

static bool print_reasons(void)
{
        (void)printf("| reason | what was wrong |\n|---|---|\n");
        for (int i = 0; i < REJECT_REASON_COUNT; i++)
                (void)printf("| `%s` | %s |\n", reject_word((enum reject_reason)i), reject_text((enum reject_reason)i));
        return true;
}

/* ---- FHIR ---- */

static const struct form_text ELEMENT_FORMS[] = {
        {"NONE", "looked at with others"},
        {"RULES", "any: the resource is left out"},
        {"MODIFIERS", "any: the resource is left out"},
        {"ID", "as it is; in a Bundle without one the fullUrl's, else made of the content"},
        {"META", "codes of the security labels; a resource that is tagged SUBSETTED is left out"},
        {"TEXT", "as it is"},
        {"WORDS", "as it is"},
        {"BOOL", "true or false"},
        {"DATE", "a date, as it is"},
        {"MOMENT", "a date or an instant, as it is"},
        {"OBJECT", "the element as it is"},
        {"PERIOD", "the element as it is; its start and end must be dates or instants"},
        {"CONCEPT", "text, or the display of a coding"},
        {"CONCEPTS", "texts, or displays of codings"},
        {"CONCEPT_CODES", "codes"},
        {"NOTES", "texts"},
        {"DISPLAY", "the reference's display"},
        {"STUDENT", "the reference's id"},
        {"ENCOUNTER", "the reference's id"},
        {"CODE", "the first coding by the order of systems; all of them in `codes` when there are more"},
        {"VERIFICATION", "the code"},
        {"STATUS", "by the words above"},
        {"STATUS_WORD", "by the words above"},
        {"REACTIONS", "code, display and severity of each manifestation, with substance, description, onset and route"},
        {"SEVERITY", "by the words above, with the reactions"},
        {"STAGES", "summary of each"},
        {"OCCURRENCE",
                "a date or an instant, as it is; required, unless there is a text, or a reason why it is not known"},
        {"DOSES", "number, series and disease of each"},
        {"CLASS", "by the words above, else the code"},
        {"VISIT_TYPE", "the first type's first coding by the order of systems"},
        {"VISIT_PERIOD", "start and end, as they are"},
        {"REASONS", "the first reason's text and code; all of them in `reasons` when there are more"},
        {"NAMES", "the official name, else the usual one, else the first"},
        {"EXTENSIONS", "texts of the extensions of US Core and of HL7's animal extension"},
        {"ADDRESSES", "the home address, else the first"},
        {"TELECOMS", "the first of each kind"},
        {"IDENTIFIERS", "system, value, use and type of each that has a value"},
        {"CONTACTS", "name, relationship and phone of each"},
        {"LANGUAGE", "the preferred language, else the first"},
        {"LINKS", "`replaced-by`, `replaces`: see merged patients; others as they are"},
        {NULL, NULL},
};

static bool print_elements(void)
{
        static const struct {
                const char *resource;
                const char *element;
                const char *form;
                const char *members;
                const char *need;
        } elements[] = {
#define ELEMENT(resource, element, form, members, need) {#resource, #element, #form, members, #need},
#include "import/fhir_elements.def"
#undef ELEMENT
        };

        (void)printf("| resource | element | members | value | |\n|---|---|---|---|---|\n");
        for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
                const char *text = text_of(ELEMENT_FORMS, elements[i].form);

                if (text == NULL)
                        return false;
                (void)printf("| %s | `%s` | %s%s%s | %s | %s |\n",
                        strcmp(elements[i].resource, "Resource") == 0 ? "every" : elements[i].resource,
                        elements[i].element, elements[i].members[0] == '\0' ? "" : "`", elements[i].members,
                        elements[i].members[0] == '\0' ? "" : "`", text,
                        strcmp(elements[i].need, "REQUIRED") == 0 ? "required" : "");
        }
        return true;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                bool (*print)(void);
        } parts[] = {
                {"code-systems", print_systems},
                {"fhir-words", print_words},
                {"csv-columns", print_columns},
                {"fhir-elements", print_elements},
                {"reject-reasons", print_reasons},
        };

        for (size_t i = 0; argc == 2 && i < sizeof(parts) / sizeof(parts[0]); i++)
                if (strcmp(argv[1], parts[i].name) == 0)
                        return parts[i].print() ? 0 : 1;
        return 2;
}
