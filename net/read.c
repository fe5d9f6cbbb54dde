#include "net/read.h"

#include "base/hot.h"
#include "base/log.h"
#include "invalidation/token.h"
#include "net/command.h"
#include "net/lane.h"
#include "net/services.h"
#include "net/session.h"

#include <inttypes.h>

/* ---- options ---- */

static enum err parse_after(struct call *call, struct slice word, struct read_options *out)
{
        const struct freshness *f = call->services->freshness;
        struct token token;
        enum err rc = token_parse(word, &token, &call->message);

        if (rc != OK)
                return rc;
        if (freshness_epoch(f) == EPOCH_NONE)
                return err_set(&call->message, ERR_UNAVAILABLE, "this node does not know the database's history yet");
        if (token.epoch != freshness_epoch(f))
                return err_set(&call->message, ERR_EPOCH,
                        "the token belongs to another history of the database; read without AFTER");
        /* what a polled source has not shown yet, the read itself asks its primary for */
        if (freshness_always_certain(f) && !freshness_reached(f, token.epoch, token.n))
                return err_set(&call->message, ERR_UNAVAILABLE, "this node has not reached that token's position");
        out->has_after = true;
        out->after = token;
        return OK;
}

static enum err parse_reason(struct call *call, struct slice reason, struct read_options *out)
{
        if (reason.len == 0)
                return err_set(&call->message, ERR_BADARG, "ALLOWSTALE wants a reason, for the audit");
        out->allow_stale = true;
        out->with_meta = true;
        return OK;
}

static enum err parse_with_meta(struct call *call, struct slice word, struct read_options *out)
{
        (void)call;
        (void)word;
        out->with_meta = true;
        return OK;
}

static enum err parse_partial(struct call *call, struct slice word, struct read_options *out)
{
        (void)call;
        (void)word;
        out->partial = true;
        return OK;
}

static const struct option_word {
        const char *word;
        enum read_option_set bit;
        bool has_value;
        enum err (*parse)(struct call *call, struct slice value, struct read_options *out);
} option_words[] = {
        {"AFTER", READ_AFTER, true, parse_after},
        {"ALLOWSTALE", READ_ALLOWSTALE, true, parse_reason},
        {"WITHMETA", READ_WITHMETA, false, parse_with_meta},
        {"PARTIAL", READ_PARTIAL, false, parse_partial},
};

static const struct option_word *find_option(struct slice word, uint32_t known)
{
        for (size_t i = 0; i < sizeof(option_words) / sizeof(option_words[0]); i++)
                if ((known & option_words[i].bit) != 0 && slice_is_word(word, option_words[i].word))
                        return &option_words[i];
        return NULL;
}

COLD_PATH static enum err parse_words(struct call *call, size_t from, uint32_t known, struct read_options *out)
{
        for (size_t i = from; i < call->argc; i++) {
                const struct option_word *option = find_option(call->argv[i], known);
                struct slice value = SLICE_EMPTY;
                enum err rc;

                if (option == NULL || (option->has_value && i + 1 == call->argc))
                        return err_set(&call->message, ERR_SYNTAX, "word %zu does not fit: %s %s", i + 1,
                                call->row->name, call->row->arguments);
                if (option->has_value)
                        value = call->argv[++i];
                rc = option->parse(call, value, out);
                if (rc != OK)
                        return rc;
        }
        return OK;
}

enum err read_options_parse(struct call *call, size_t from, uint32_t known, struct read_options *out)
{
        *out = (struct read_options){.has_after = false};
        return from < call->argc ? parse_words(call, from, known, out) : OK;
}

size_t read_count_keys(const struct call *call, uint32_t known)
{
        size_t at = 1;

        while (at < call->argc && find_option(call->argv[at], known) == NULL)
                at++;
        return at - 1;
}

/* ---- one read ---- */

enum err read_check(struct read *read)
{
        struct lookup *l = &read->lookup;

        if (l->status == OK)
                l->status = record_key_check(l->type, l->id, &l->message);
        return l->status;
}

/* The lookup's `keep`. */
static enum err keep(struct lookup *lookup)
{
        struct read *read = lookup->context;
        enum err rc = read_check(read);

        if (rc == OK && read->call != NULL)
                rc = call_need_slot(read->call);
        if (rc != OK)
                return rc;
        VC_ASSERT(lookup->id.len <= sizeof(read->id));
        memcpy(read->id, lookup->id.data, lookup->id.len);
        read->kept = lookup->id.len;
        lookup->id.data = read->id;
        return OK;
}

struct read *read_create(const struct read_context *context, struct slice key, const struct read_options *options)
{
        struct read *read = pool_take(&context->lane->reads);
        struct lookup *l;

        if (read == NULL)
                return NULL;
        l = &read->lookup;
        lookup_init(l);
        l->tenant = context->session->tenant;
        l->format = context->session->format;
        l->now = context->now;
        l->has_after = options->has_after;
        if (options->has_after)
                l->after = options->after;
        l->allow_stale = options->allow_stale;
        l->keep = keep;
        l->context = read;
        read->lane = context->lane;
        read->client = context->session->id;
        read->call = NULL;
        read->list = NULL;
        read->with_meta = options->with_meta;
        read->kept = 0;
        l->status = record_key_split(context->lane->services->types, key, &l->type, &l->id, &l->message);
        if (l->status == OK && options->allow_stale && !l->type->allow_stale)
                l->status = err_set(&l->message, ERR_NOPERM, "%s is never served stale", l->type->name);
        return read;
}

void read_destroy(struct read **read)
{
        struct read *r = *read;

        *read = NULL;
        if (r == NULL)
                return;
        lookup_deinit(&r->lookup);
        /* The pool keeps the block, which is not to keep whom it was about. */
        if (r->kept > 0)
                memset(r->id, 0, r->kept);
        if (r->lookup.message.text[0] != '\0')
                memset(r->lookup.message.text, 0, strlen(r->lookup.message.text));
        pool_give(&r->lane->reads, r);
}

/* ---- its outcome ---- */

void read_write_token(const struct freshness *f, struct position as_of, struct resp_writer *out)
{
        const struct token token = {.epoch = freshness_epoch(f), .n = as_of.n};
        char text[TOKEN_TEXT_SIZE];

        if (freshness_always_certain(f))
                resp_bulk(out, slice_of(text, token_format(&token, text)));
        else
                resp_nil(out);
}

COLD_PATH static void write_meta(const struct read *read, struct resp_writer *out)
{
        const struct freshness *f = read->lane->services->freshness;
        const struct lookup *l = &read->lookup;

        resp_map(out, 5);
        resp_bulk_str(out, "token");
        read_write_token(f, l->as_of, out);
        resp_member_int(out, "age", nanos_to_ms(l->age));
        resp_bulk_str(out, "tier");
        resp_bulk_str(out, lookup_tier_name(l->tier));
        resp_bulk_str(out, "def");
        resp_bulk_printf(out, "%016" PRIx64, l->type->def);
        resp_member_bool(out, "stale", l->stale);
}

/* Who asked for it and why is not written: names of people and reasons may tell of a patient. */
COLD_PATH static void audit_stale(const struct read *read)
{
        const struct lookup *l = &read->lookup;

        LOG_AUDIT("served stale", LOG_WORD("type", l->type->name), LOG_INT("age_ms", nanos_to_ms(l->age)),
                LOG_UINT("client", read->client));
}

void read_write(const struct read *read, struct resp_writer *out)
{
        const struct lookup *l = &read->lookup;

        if (l->status != OK) {
                call_write_error(out, l->status, l->message.text);
                return;
        }
        if (l->stale)
                audit_stale(read);
        if (read->with_meta)
                resp_array(out, 2);
        if (l->found)
                resp_bulk(out, l->value);
        else
                resp_nil(out);
        if (read->with_meta)
                write_meta(read, out);
}
