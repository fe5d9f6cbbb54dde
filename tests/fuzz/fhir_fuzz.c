/* FHIR resources from outside: whatever the JSON, it becomes sound rows, one reason why not, or one type that is passed
 * over; and what is refuted or entered in error is never active, nor of high criticality and not life-threatening. */
#include "import/fhir.h"
#include "import/fhir_types.h"
#include "import/import_sink.h"
#include "database/record_type.h"
#include "database/value_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
        struct slice json;
        unsigned items;
        unsigned bads;
        unsigned ignored;
};

static bool says(struct slice row, const char *member, const char *expected)
{
        struct slice text;

        return value_member_text(row, member, &text) && slice_equal(text, slice_str(expected));
}

static void check_allergy(struct slice row)
{
        VC_ASSERT(!says(row, "verification", "refuted") || says(row, "status", "refuted"));
        VC_ASSERT(!says(row, "verification", "entered-in-error") || says(row, "status", "entered-in-error"));
        VC_ASSERT(!says(row, "criticality", "high") || says(row, "severity", "LIFE_THREATENING"));
}

static enum err take_item(void *context, const struct import_item *item)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct tally *tally = context;
        struct slice id;

        VC_ASSERT(value_check(item->row, &limits, NULL) == OK);
        VC_ASSERT(value_member_text(item->row, "id", &id) && record_id_check(ID_KIND_TEXT, id, NULL) == OK);
        VC_ASSERT(value_member_text(item->row, "student", &id) && record_id_check(ID_KIND_TEXT, id, NULL) == OK);
        if (strcmp(item->table, "allergies") == 0)
                check_allergy(item->row);
        tally->items++;
        return OK;
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct tally *tally = context;

        VC_ASSERT(bad->reject.reason < REJECT_REASON_COUNT);
        VC_ASSERT(slice_equal(bad->origin, tally->json));
        tally->bads++;
        return OK;
}

static enum err take_ignored(void *context, const char *kind)
{
        struct tally *tally = context;

        VC_ASSERT(fhir_types_passed_over(slice_str(kind)) == kind);
        tally->ignored++;
        return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct tally tally = {.json = slice_of(data, size)};
        const struct import_sink sink = {take_item, take_bad, take_ignored, &tally};
        struct fhir_resource resource = {.text = tally.json, .line = 1};
        struct fhir_mapper *mapper;
        struct buf value;

        buf_init(&value, 0);
        if (value_from_json(tally.json, &limits, &value, NULL) == OK) {
                resource.value = buf_slice(&value);
                VC_ASSERT(fhir_mapper_create(&mapper) == OK);
                VC_ASSERT(fhir_to_rows(mapper, &resource, &sink) == OK);
                VC_ASSERT((tally.items > 0 ? 1u : 0u) + tally.bads + tally.ignored == 1);
                fhir_mapper_destroy(&mapper);
        }
        buf_deinit(&value);
        return 0;
}
