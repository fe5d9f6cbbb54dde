#include "database/lmdb_source.h"

#include "base/mem.h"
#include "database/lmdb_check.h"
#include "database/lmdb_index.h"
#include "database/lmdb_read.h"
#include "database/lmdb_rows.h"
#include "database/lmdb_walk.h"
#include "database/lmdb_writer.h"

struct lmdb_source {
        struct source source;
        struct lmdb_schema schema;
        uint64_t epoch; /* of this opening: what its reads carry */
        struct original_codec *codec;
        struct lmdb_env *env;
        struct lmdb_commit *commit;
        struct lmdb_writer *writer;
};

static struct lmdb_source *of(struct source *source)
{
        VC_ASSERT(source->magic == SOURCE_MAGIC);
        return LIST_ENTRY(source, struct lmdb_source, source);
}

/* ---- reads ---- */

static void fail_all(struct list *reads, enum err rc)
{
        LIST_FOREACH (link, reads) {
                struct source_read *read = LIST_ENTRY(link, struct source_read, link);

                read->status = rc;
                read->found = false;
        }
}

/* All are answered before any `done` is called: what that does is none of the transaction's business. */
static void fetch_many(struct source_port *port, struct list *reads)
{
        struct lmdb_source *s = of(port->source);
        struct lmdb_read r;
        MDB_txn *txn;
        enum err rc = lmdb_env_read_begin(s->env, &txn);

        if (rc != OK) {
                fail_all(reads, rc);
        } else {
                lmdb_read_init(&r, txn, lmdb_env_dbs(s->env), &s->schema);
                r.has_merges = lmdb_env_has_merges(s->env);
                LIST_FOREACH (link, reads) {
                        struct source_read *read = LIST_ENTRY(link, struct source_read, link);

                        lmdb_read_answer(&r, read);
                        read->epoch = s->epoch;
                }
                lmdb_read_deinit(&r);
                lmdb_env_read_end(s->env, &txn);
        }
        while (!list_empty(reads)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(reads), struct source_read, link);

                read->done(read);
        }
}

static enum err scan(struct source *source, const struct source_scan *what, struct err_msg *msg)
{
        return lmdb_index_scan(of(source)->env, &of(source)->schema, what, msg);
}

static enum err walk(struct source *source, const struct source_walk *what, struct err_msg *msg)
{
        const struct lmdb_walk_in in = {of(source)->env, of(source)->codec, &of(source)->schema};

        return lmdb_walk(&in, what, msg);
}

/* ---- writes ---- */

static void apply(struct source *source, struct source_write *write)
{
        struct lmdb_source *s = of(source);
        const struct lmdb_row_maker maker = {&s->schema, s->codec};

        write->epoch = s->epoch;
        lmdb_rows_prepare(write, &maker);
        lmdb_writer_add(s->writer, write);
}

/* ---- health ---- */

enum { DISK_LOW = 64 << 20 };

static const char *problem_of(const struct lmdb_usage *usage, const struct lmdb_counts *counts)
{
        if (counts->damaged > 0)
                return "stored data is damaged; restore it from a backup";
        if (usage->bytes_free_on_disk < DISK_LOW)
                return "the disk is nearly full";
        if (usage->bytes_used > usage->bytes_mapped_max / 10 * 9)
                return "the database is near its largest allowed size";
        return NULL;
}

static enum err health(struct source *source, bool deep, struct source_health *out, struct err_msg *msg)
{
        struct lmdb_source *s = of(source);
        struct lmdb_usage usage;
        struct lmdb_counts counts;
        enum err rc = lmdb_env_usage(s->env, &usage);

        *out = (struct source_health){.deep = deep, .problem = "the database cannot be read"};
        if (usage.dead)
                out->problem = "a commit failed half-way; nothing is read or written until the server is started again";
        if (rc == OK)
                rc = lmdb_check(s->env, &s->schema, deep, &counts);
        if (rc != OK)
                return err_set(msg, rc, "%s: %s", out->problem, err_text(rc));
        *out = (struct source_health){
                .problem = problem_of(&usage, &counts),
                .bytes_used = usage.bytes_used,
                .bytes_mapped = usage.bytes_mapped,
                .bytes_free_on_disk = usage.bytes_free_on_disk,
                .readers = usage.readers,
                .readers_max = usage.readers_max,
                .students = counts.students,
                .records = counts.records,
                .last_position = usage.last_position,
                .deep = deep,
                .damaged = counts.damaged,
        };
        out->ok = out->problem == NULL;
        return OK;
}

/* ---- opening and closing ---- */

static void stop(struct source *source)
{
        lmdb_writer_stop(&of(source)->writer);
}

static void close_source(struct source **source)
{
        struct lmdb_source *s = *source == NULL ? NULL : of(*source);

        if (s == NULL)
                return;
        lmdb_writer_stop(&s->writer);
        lmdb_commit_destroy(&s->commit);
        lmdb_env_close(&s->env);
        original_codec_destroy(&s->codec);
        s->source.magic = 0;
        vc_free(s);
        *source = NULL;
}

static const struct source_ops OPS = {
        .name = "lmdb",
        .open_port = source_plain_port_open,
        .close_port = source_plain_port_close,
        .fetch_many = fetch_many,
        .apply = apply,
        .scan = scan,
        .walk = walk,
        .health = health,
        .stop = stop,
        .close = close_source,
};

static enum err check_damage(struct lmdb_source *s, const char *path, struct err_msg *msg)
{
        struct lmdb_counts counts;
        enum err rc = lmdb_check(s->env, &s->schema, true, &counts);

        if (rc == OK && counts.damaged > 0)
                rc = ERR_CORRUPT;
        if (rc != OK)
                return err_set(
                        msg, rc, "%s/data.mdb is damaged (it has been cut short); restore it from a backup", path);
        return OK;
}

static enum err open_env(struct lmdb_source *s, const struct lmdb_config *config, struct err_msg *msg)
{
        const struct lmdb_env_config env_config = {
                .path = config->path,
                .map_size = config->map_size,
                .map_size_max = config->map_size_max,
                .max_readers = config->max_readers,
                .schema = &s->schema,
        };
        bool damage_suspected = false;
        enum err rc = lmdb_env_open(&s->env, &env_config, &damage_suspected, msg);

        if (rc == OK)
                rc = lmdb_index_ensure(s->env, &s->schema, msg);
        return rc == OK && damage_suspected ? check_damage(s, config->path, msg) : rc;
}

/* Tells the freshness layer where the history stands, then lets writes in. */
static enum err begin(struct lmdb_source *s, const struct lmdb_config *config)
{
        const struct source_hooks *hooks = &config->hooks;
        struct lmdb_usage usage;
        enum err rc = lmdb_env_usage(s->env, &usage);

        if (rc == OK)
                rc = lmdb_commit_create(&s->commit, s->env, &s->schema, hooks, config->batch_max);
        if (rc == OK && hooks->opened != NULL)
                hooks->opened(hooks->context, hooks->epoch, (struct position){usage.last_position});
        return rc == OK ? lmdb_writer_start(&s->writer, s->commit) : rc;
}

enum err lmdb_source_open(struct source **out, const struct lmdb_config *config, struct err_msg *msg)
{
        struct lmdb_source *s = vc_calloc(1, sizeof(*s));
        struct source *source;
        enum err rc;

        *out = NULL;
        if (s == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        s->source = (struct source){SOURCE_MAGIC, &OPS};
        s->schema = config->schema;
        s->epoch = config->hooks.epoch;
        source = &s->source;
        rc = original_codec_create(&s->codec);
        if (rc != OK)
                (void)err_set(msg, rc, "%s", err_text(rc));
        if (rc == OK)
                rc = open_env(s, config, msg);
        if (rc == OK) {
                rc = begin(s, config);
                if (rc != OK)
                        (void)err_set(msg, rc, "cannot begin with the database in %s: %s", config->path, err_text(rc));
        }
        if (rc != OK)
                close_source(&source);
        *out = rc == OK ? source : NULL;
        return rc;
}
