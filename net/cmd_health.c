/* HEALTH and DBSIZE. A deep check reads the whole database, so it gets a thread of its own, and its lane goes on. */
#include "base/mem.h"
#include "base/priority.h"
#include "database/pg_checker.h"
#include "database/source.h"
#include "invalidation/freshness.h"
#include "net/handlers.h"
#include "net/lane.h"
#include "net/provider.h"
#include "net/services.h"

#include <inttypes.h>
#include <pthread.h>

static void write_figures(struct resp_writer *out, const struct source_health *h)
{
        resp_member_count(out, "bytes_used", h->bytes_used);
        resp_member_count(out, "bytes_mapped", h->bytes_mapped);
        resp_member_count(out, "bytes_free_on_disk", h->bytes_free_on_disk);
        resp_member_count(out, "readers", h->readers);
        resp_member_count(out, "readers_max", h->readers_max);
        resp_member_count(out, "students", h->students);
        resp_member_count(out, "records", h->records);
        resp_member_count(out, "last_position", h->last_position);
        if (h->deep)
                resp_member_count(out, "damaged", h->damaged);
}

static void write_database(struct resp_writer *out, const struct source_health *h, enum err rc)
{
        const char *problem = rc != OK ? err_text(rc) : h->problem;

        resp_bulk_str(out, "database");
        resp_map(out, h->foreign ? 2 : h->deep ? 11 : 10);
        resp_member_str(out, "status", rc == OK && h->ok ? "ok" : "failing");
        resp_bulk_str(out, "problem");
        if (problem == NULL)
                resp_nil(out);
        else
                resp_bulk_str(out, problem);
        if (!h->foreign)
                write_figures(out, h);
}

static void write_freshness(struct resp_writer *out, const struct freshness *f, struct nanos now)
{
        struct nanos age = freshness_certificate_age(f, now);
        bool certain = age.ns != NANOS_NEVER.ns;

        resp_bulk_str(out, "freshness");
        resp_map(out, 4);
        resp_member_str(out, "status", certain ? "ok" : "uncertified");
        resp_bulk_str(out, "epoch");
        resp_bulk_printf(out, "%016" PRIx64, freshness_epoch(f));
        resp_member_count(out, "position", freshness_position(f).n);
        resp_member_int(out, "certificate_age", certain ? nanos_to_ms(age) : -1);
}

/* What the definitions of the types lack: texts of the configuration and names of the schema. */
static void write_definitions(void *context, const struct pg_check *found, bool current)
{
        struct resp_writer *out = context;
        const uint32_t count = found == NULL ? 0 : pg_check_problem_count(found);

        resp_bulk_str(out, "definitions");
        resp_map(out, 2);
        resp_member_bool(out, "checked", current);
        resp_bulk_str(out, "problems");
        resp_array(out, count);
        for (uint32_t i = 0; i < count; i++) {
                const struct pg_check_problem *problem = pg_check_problem_at(found, i);

                resp_map(out, 2);
                resp_member_str(out, "place", problem->place);
                resp_member_str(out, "problem", problem->text);
        }
}

/* One check, by whichever thread. */
struct check {
        struct lane_mail mail;
        struct lane *lane; /* a deep one's */
        struct services *services;
        struct deferred later;
        struct nanos now;
        pthread_t thread;
        struct source_health health;
        bool deep;
        enum err status;
};

static void run_check(struct check *check)
{
        struct source *source = check->services->source;

        check->status = source->ops->health(source, check->deep, &check->health, NULL);
}

static void write_check(const struct check *check, struct resp_writer *out)
{
        struct pg_checker *definitions = check->services->definitions;

        resp_map(out, definitions == NULL ? 5 : 6);
        resp_member_str(out, "status", check->status == OK && check->health.ok ? "ok" : "failing");
        resp_member_str(out, "l1", check->services->l1 == NULL ? "off" : "ok");
        write_database(out, &check->health, check->status);
        write_freshness(out, check->services->freshness, check->now);
        resp_bulk_str(out, "provider");
        provider_write(out, check->services);
        if (definitions != NULL)
                pg_checker_look(definitions, write_definitions, out);
}

static void check_done(struct lane *lane, struct lane_mail *mail)
{
        struct check *check = LIST_ENTRY(mail, struct check, mail);

        (void)lane;
        (void)pthread_join(check->thread, NULL); /* posting was the last that it did */
        write_check(check, &check->later.out);
        call_finish(&check->later, OK, NULL);
        vc_free(check);
}

static void *check_thread(void *arg)
{
        struct check *check = arg;

        priority_lower(PRIORITY_BULK);
        run_check(check);
        lane_post(check->lane, &check->mail);
        return NULL;
}

static enum err check_deeply(struct call *call)
{
        struct check *check;
        enum err rc = call_need_slot(call);

        if (rc != OK)
                return rc;
        check = vc_calloc(1, sizeof(*check));
        if (check == NULL)
                return ERR_NOMEM;
        check->lane = call->lane;
        check->services = call->services;
        check->now = call->now;
        check->deep = true;
        check->mail.handle = check_done;
        if (pthread_create(&check->thread, NULL, check_thread, check) != 0) {
                vc_free(check);
                return err_set(&call->message, ERR_UNAVAILABLE, "cannot start a thread for the check");
        }
        call_defer(call, &check->later);
        return OK;
}

enum err cmd_health(struct call *call)
{
        struct check check = {.services = call->services, .now = call->now};

        if (call->argc == 2 && slice_is_word(call->argv[1], "DEEP"))
                return check_deeply(call);
        if (call->argc > 1)
                return err_set(&call->message, ERR_SYNTAX, "HEALTH [DEEP]");
        run_check(&check);
        write_check(&check, &call->out);
        return OK;
}

enum err cmd_dbsize(struct call *call)
{
        struct check check = {.services = call->services};

        run_check(&check);
        if (check.status == OK)
                resp_int(&call->out, (int64_t)check.health.students);
        return check.status;
}
