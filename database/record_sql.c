#include "database/record_sql.h"

#include "base/suggest.h"
#include "database/type_load.h"

uint32_t record_types_subject_count(const struct record_types *types)
{
        return types->subject_count;
}

const struct record_subject *record_types_subject_at(const struct record_types *types, uint32_t index)
{
        VC_ASSERT(index < types->subject_count);
        return &types->subjects[index];
}

const struct record_subject *record_types_subject(const struct record_types *types, struct slice name)
{
        for (uint32_t i = 0; i < types->subject_count; i++)
                if (slice_equal(name, slice_str(types->subjects[i].name)))
                        return &types->subjects[i];
        return NULL;
}

static enum err no_subject(const struct record_types *types, struct slice name, struct err_msg *msg)
{
        struct suggest suggest;

        suggest_init(&suggest, name);
        for (uint32_t i = 0; i < types->subject_count; i++)
                suggest_offer(&suggest, slice_str(types->subjects[i].name));
        return suggest_append(&suggest,
                err_set(msg, ERR_BADARG, "nothing is kept by a %.*s",
                        (int)(name.len < RECORD_NAME_MAX ? name.len : RECORD_NAME_MAX), (const char *)name.data),
                msg);
}

/* All types of a subject have ids of one kind. */
static enum id_kind kind_of(const struct record_types *types, const struct record_subject *subject)
{
        const struct record_subject *students = &types->subjects[0];

        for (uint32_t i = 0; i < types->type_count; i++)
                if (types->types[i].subject == (subject == students ? NULL : subject))
                        return types->types[i].id_kind;
        return ID_KIND_TEXT;
}

enum id_kind record_types_id_kind(const struct record_types *types)
{
        return kind_of(types, &types->subjects[0]);
}

enum err record_subject_check(const struct record_types *types, struct slice name, struct slice id, struct err_msg *msg)
{
        const struct record_subject *subject = name.len == 0 ? &types->subjects[0] : record_types_subject(types, name);

        return subject == NULL ? no_subject(types, name, msg) : record_id_check(kind_of(types, subject), id, msg);
}

/* ---- what a kind of database can serve ---- */

/* Its records cannot be written: nobody has said what is in them. */
static bool is_bare(const struct record_table *table)
{
        return table->relation_count > 0 && table->field_count == 1;
}

static enum err check_embedded(const struct record_type *type, struct err_msg *msg)
{
        if (type->subject != NULL)
                return err_set(msg, ERR_CONFIG,
                        "%s: the type %s is kept by %s; the embedded database keeps records by student only",
                        type->place, type->name, type->subject->name);
        if (type->table != NULL && is_bare(type->table))
                return err_set(msg, ERR_CONFIG,
                        "%s: the type %s reads the table %s, which has no fields; only database.kind: postgres can "
                        "serve it",
                        type->place, type->name, type->table->name);
        return OK;
}

enum err record_types_check_embedded(const struct record_types *types, struct err_msg *msg)
{
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < types->type_count; i++)
                rc = check_embedded(&types->types[i], msg);
        return rc;
}

static enum err check_postgres(const struct record_type *type, struct err_msg *msg)
{
        if (type->shape == RECORD_COMPOSITE || type->fetch.text != NULL)
                return OK; /* a composite's parts are types of their own */
        return err_set(msg, ERR_CONFIG, "%s: the type %s has no postgres.fetch, the SQL that reads it", type->place,
                type->name);
}

static enum err check_relations(const struct record_table *table, struct err_msg *msg)
{
        if (table->relation_count > 0)
                return OK;
        return err_set(msg, ERR_CONFIG, "%s: the table %s has no postgres.relations, whose changes make it stale",
                table->place, table->name);
}

enum err record_types_check_postgres(const struct record_types *types, struct err_msg *msg)
{
        enum err rc = OK;

        if (types->merges != NULL)
                return err_set(msg, ERR_CONFIG,
                        "%s: the table merges is for the embedded database; with PostgreSQL who is whom is for the SQL "
                        "to "
                        "say",
                        types->merges->place);
        for (uint32_t i = 0; rc == OK && i < types->type_count; i++)
                rc = check_postgres(&types->types[i], msg);
        for (uint32_t i = 0; rc == OK && i < types->table_count; i++)
                rc = check_relations(&types->tables[i], msg);
        if (rc == OK && types->subjects[0].exists.text == NULL)
                rc = err_set(msg, ERR_CONFIG,
                        "%s: the table students has neither postgres.exists nor a relation with the column of the "
                        "student: which students are there?",
                        types->students->place);
        return rc;
}
