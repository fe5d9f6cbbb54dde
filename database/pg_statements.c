#include "database/pg_statements.h"

#include "base/mem.h"

struct entry {
        struct hash128 id;
        uint64_t used;     /* when it was used last: the count of uses then */
        uint64_t exchange; /* which one used it last */
        uint32_t number;   /* 0: a free place */
        uint32_t stretch;  /* where that exchange prepares it, unless confirmed */
        bool confirmed;
};

/* Evicted numbers wait in `evicted` for their DEALLOCATE. It has room for two tables' worth; should it be full, nothing
 * more is evicted: statements then run unnamed until it has been emptied. */
struct pg_statements {
        struct entry *entries;
        uint32_t *evicted;
        uint32_t evicted_count;
        uint32_t most;
        uint32_t last_number;
        uint64_t exchange;
        uint64_t uses;
};

enum err pg_statements_create(struct pg_statements **out, uint32_t most)
{
        struct pg_statements *statements = vc_calloc(1, sizeof *statements);

        *out = NULL;
        if (statements == NULL)
                return ERR_NOMEM;
        statements->most = most;
        statements->entries = vc_calloc((size_t)most + 1, sizeof *statements->entries);
        statements->evicted = vc_calloc((size_t)most * 2 + 1, sizeof *statements->evicted);
        if (statements->entries == NULL || statements->evicted == NULL) {
                pg_statements_destroy(&statements);
                return ERR_NOMEM;
        }
        *out = statements;
        return OK;
}

void pg_statements_destroy(struct pg_statements **statements)
{
        if (*statements == NULL)
                return;
        vc_free((*statements)->entries);
        vc_free((*statements)->evicted);
        vc_free(*statements);
        *statements = NULL;
}

void pg_statements_clear(struct pg_statements *statements)
{
        for (uint32_t i = 0; i < statements->most; i++)
                statements->entries[i].number = 0;
        statements->evicted_count = 0;
        statements->last_number = 0;
}

void pg_statements_begin(struct pg_statements *statements)
{
        statements->exchange++;
}

static bool same_id(struct hash128 a, struct hash128 b)
{
        return a.high == b.high && a.low == b.low;
}

static struct entry *entry_of(struct pg_statements *statements, struct hash128 id)
{
        for (uint32_t i = 0; i < statements->most; i++) {
                struct entry *entry = &statements->entries[i];

                if (entry->number != 0 && same_id(entry->id, id))
                        return entry;
        }
        return NULL;
}

static struct entry *numbered(struct pg_statements *statements, uint32_t number)
{
        for (uint32_t i = 0; i < statements->most && number != 0; i++)
                if (statements->entries[i].number == number)
                        return &statements->entries[i];
        return NULL;
}

static bool evict(struct pg_statements *statements, struct entry *entry)
{
        if (statements->evicted_count == statements->most * 2)
                return false;
        statements->evicted[statements->evicted_count++] = entry->number;
        entry->number = 0;
        return true;
}

/* A free place, made by evicting the one that was unused for longest; NULL when this exchange uses them all. */
static struct entry *place_for_one(struct pg_statements *statements)
{
        struct entry *oldest = NULL;

        for (uint32_t i = 0; i < statements->most; i++) {
                struct entry *entry = &statements->entries[i];

                if (entry->number == 0)
                        return entry;
                if (entry->exchange != statements->exchange && (oldest == NULL || entry->used < oldest->used))
                        oldest = entry;
        }
        return oldest != NULL && evict(statements, oldest) ? oldest : NULL;
}

struct pg_use pg_statements_use(struct pg_statements *statements, struct hash128 id, uint32_t stretch)
{
        struct entry *entry = entry_of(statements, id);

        statements->uses++;
        if (entry != NULL) {
                bool there = entry->confirmed || entry->stretch == stretch;

                entry->used = statements->uses;
                entry->exchange = statements->exchange;
                return there ? (struct pg_use){PG_USE_PREPARED, entry->number} : (struct pg_use){PG_USE_UNNAMED, 0};
        }
        entry = place_for_one(statements);
        if (entry == NULL)
                return (struct pg_use){PG_USE_UNNAMED, 0};
        *entry = (struct entry){.id = id,
                .used = statements->uses,
                .exchange = statements->exchange,
                .number = ++statements->last_number,
                .stretch = stretch};
        return (struct pg_use){PG_USE_PREPARE, entry->number};
}

void pg_statements_confirm(struct pg_statements *statements, uint32_t number)
{
        struct entry *entry = numbered(statements, number);

        if (entry != NULL)
                entry->confirmed = true;
}

void pg_statements_forget(struct pg_statements *statements, uint32_t number, bool there)
{
        struct entry *entry = numbered(statements, number);

        if (entry == NULL)
                return;
        if (!there || !evict(statements, entry))
                entry->number = 0;
}

uint32_t pg_statements_evicted(struct pg_statements *statements)
{
        return statements->evicted_count == 0 ? 0 : statements->evicted[--statements->evicted_count];
}

uint32_t pg_statements_count(const struct pg_statements *statements)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < statements->most; i++)
                count += statements->entries[i].number != 0;
        return count;
}
