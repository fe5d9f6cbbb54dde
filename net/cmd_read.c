/* GET, MGET, EXISTS, TTL: unpack the words, start lookups, write what they found.
 *
 *      cmd_get -> read_create -> lookup_start -- done at once (an L1 hit) --> get_now: into the output
 *                                            `- later --> call_defer ... get_done: into the slot */
#include "base/hot.h"
#include "monitoring/counters.h"
#include "net/command.h"
#include "net/handlers.h"
#include "net/lane.h"
#include "net/read.h"
#include "net/services.h"
#include "net/session.h"

enum { MS_PER_S = 1000, NO_COPY = -2 };

static struct read_context context_of(const struct call *call)
{
        return (struct read_context){.lane = call->lane, .session = call->session, .now = call->now};
}

/* ---- GET ---- */

static void get_done(struct lookup *lookup)
{
        struct read *read = lookup->context;

        if (lookup->status == OK)
                read_write(read, &read->later.out);
        call_finish(&read->later, lookup->status, lookup->message.text);
        read_destroy(&read);
}

/* An L1 hit, or an error known at once. */
static enum err get_now(struct call *call, struct read *read)
{
        enum err rc = read->lookup.status;

        if (rc == OK)
                read_write(read, &call->out);
        else
                call->message = read->lookup.message;
        read_destroy(&read);
        return rc;
}

HOT_PATH enum err cmd_get(struct call *call)
{
        const struct read_context context = context_of(call);
        struct read_options options;
        struct read *read;
        enum err rc = read_options_parse(call, 2, READ_AFTER | READ_ALLOWSTALE | READ_WITHMETA, &options);

        if (rc != OK)
                return rc;
        read = read_create(&context, call->argv[1], &options);
        if (read == NULL)
                return ERR_NOMEM;
        read->call = call;
        read->lookup.done = get_done;
        if (read->lookup.status != OK || lookup_start(call->lane->reader, &read->lookup))
                return get_now(call, read);
        call_defer(call, &read->later);
        return OK;
}

/* ---- MGET and EXISTS ---- */

static void list_read_done(struct lookup *lookup);

static void start_one(struct read_list *list)
{
        struct read *read = read_create(&list->context, list->keys[list->started], &list->options);

        list->window[list->started - list->written] = read;
        list->started++;
        if (read == NULL || read->lookup.status != OK)
                return;
        read->list = list;
        read->lookup.done = list_read_done;
        if (!lookup_start(list->context.lane->reader, &read->lookup))
                list->waiting++;
}

static void settle_one(struct read_list *list, const struct read *read)
{
        enum err rc = read == NULL ? ERR_NOMEM : read->lookup.status;
        const char *message = read == NULL ? "" : read->lookup.message.text;

        if (list->failed != OK)
                return;
        if (rc != OK && !list->options.partial) {
                list->failed = err_set(&list->message, rc, "key %zu: %s", list->written + 1,
                        message[0] == '\0' ? err_text(rc) : message);
                return;
        }
        if (list->counts)
                list->found += rc == OK && read->lookup.found ? 1 : 0;
        else if (read == NULL)
                call_write_error(list->out, rc, NULL);
        else
                read_write(read, list->out);
}

static void settle_window(struct read_list *list)
{
        size_t count = list->started - list->written;

        for (size_t i = 0; i < count; i++) {
                settle_one(list, list->window[i]);
                read_destroy(&list->window[i]);
                list->written++;
        }
}

/* Reads window after window for as long as nothing must be waited for. True when the list is complete. */
HOT_PATH static bool list_run(struct read_list *list)
{
        while (list->failed == OK && list->written < list->count) {
                list->waiting = 1; /* this loop itself: a read that is done meanwhile does not settle the window */
                while (list->started < list->count && list->started - list->written < READ_WINDOW)
                        start_one(list);
                if (--list->waiting > 0)
                        return false;
                settle_window(list);
        }
        if (list->failed == OK && list->counts)
                resp_int(list->out, list->found);
        return true;
}

static void list_read_done(struct lookup *lookup)
{
        struct read *read = lookup->context;
        struct read_list *list = read->list;

        if (--list->waiting > 0)
                return;
        settle_window(list);
        if (!list_run(list))
                return;
        call_finish(&list->later, list->failed, list->message.text);
        pool_give(&list->context.lane->read_lists, list);
}

static enum err run_list(struct call *call, const struct read_options *options, size_t count, bool counts)
{
        struct read_list *list = pool_take(&call->lane->read_lists);
        enum err rc;

        if (list == NULL)
                return ERR_NOMEM;
        *list = (struct read_list){.context = context_of(call),
                .out = &call->out,
                .keys = call->argv + 1,
                .count = count,
                .counts = counts,
                .options = *options};
        if (!counts)
                resp_array(&call->out, count);
        if (!list_run(list)) {
                call_defer(call, &list->later);
                list->out = &list->later.out;
                call->hold = list->started < list->count;
                return OK;
        }
        rc = list->failed;
        call->message = list->message;
        pool_give(&call->lane->read_lists, list);
        return rc;
}

enum err cmd_mget(struct call *call)
{
        const uint32_t known = READ_AFTER | READ_ALLOWSTALE | READ_WITHMETA | READ_PARTIAL;
        size_t count = read_count_keys(call, known);
        struct read_options options;
        enum err rc = read_options_parse(call, 1 + count, known, &options);

        if (rc == OK && count == 0)
                rc = err_set(&call->message, ERR_SYNTAX, "MGET wants keys before its options");
        if (rc == OK)
                rc = call_need_slot(call);
        return rc != OK ? rc : run_list(call, &options, count, false);
}

enum err cmd_exists(struct call *call)
{
        size_t count = read_count_keys(call, READ_AFTER);
        struct read_options options;
        enum err rc = read_options_parse(call, 1 + count, READ_AFTER, &options);

        if (rc == OK && count == 0)
                rc = err_set(&call->message, ERR_SYNTAX, "EXISTS wants keys before its options");
        if (rc == OK)
                rc = call_need_slot(call);
        return rc != OK ? rc : run_list(call, &options, count, true);
}

/* ---- TTL and PTTL ---- */

enum err cmd_ttl(struct call *call)
{
        const struct read_context context = context_of(call);
        const struct read_options options = {.has_after = false};
        struct read *read = read_create(&context, call->argv[1], &options);
        struct lookup_explain explain;
        int64_t ms;
        enum err rc;

        if (read == NULL)
                return ERR_NOMEM;
        rc = read_check(read);
        call->message = read->lookup.message;
        if (rc == OK)
                lookup_explain(call->services->tiers, &read->lookup, &explain);
        read_destroy(&read);
        if (rc != OK)
                return rc;
        if (!explain.cached || explain.verdict != VERDICT_FRESH) {
                resp_int(&call->out, NO_COPY);
                return OK;
        }
        ms = nanos_to_ms(explain.expires_in);
        resp_int(&call->out, call->row->name[0] == 'P' ? ms : (ms + MS_PER_S - 1) / MS_PER_S);
        return OK;
}
