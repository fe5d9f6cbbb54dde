/* CONFIG GET and SET, over services->config; and TIME. */
#include "base/mem.h"
#include "net/handlers.h"
#include "net/services.h"

#include <fnmatch.h>

/* What clients of Redis ask before they do anything: there is no snapshot and no append-only file to speak of. */
static const struct {
        const char *name;
        const char *value;
} redis_options[] = {
        {"save", ""},
        {"appendonly", "no"},
};

struct config_writer {
        struct resp_writer *out; /* NULL: only counts */
        size_t count;
};

static void visit(void *arg, const char *name, const char *value)
{
        struct config_writer *w = arg;

        w->count++;
        if (w->out == NULL)
                return;
        resp_bulk_str(w->out, name);
        resp_bulk_str(w->out, value);
}

/* The word as a terminated string; NULL for want of memory. Inner zero bytes end it. */
static char *copy_word(struct slice word)
{
        char *text = vc_malloc(word.len + 1);

        if (text == NULL)
                return NULL;
        memcpy(text, word.data, word.len);
        text[word.len] = '\0';
        return text;
}

static enum err visit_matching(struct call *call, struct slice pattern, struct config_writer *w)
{
        const struct config_port *config = &call->services->config;
        char *text = copy_word(pattern);

        if (text == NULL)
                return ERR_NOMEM;
        (void)config->get(config->context, text, visit, w);
        for (size_t i = 0; i < sizeof(redis_options) / sizeof(redis_options[0]); i++)
                if (fnmatch(text, redis_options[i].name, 0) == 0)
                        visit(w, redis_options[i].name, redis_options[i].value);
        vc_free(text);
        return OK;
}

static enum err visit_all(struct call *call, struct config_writer *w)
{
        enum err rc = OK;

        for (size_t i = 2; rc == OK && i < call->argc; i++)
                rc = visit_matching(call, call->argv[i], w);
        return rc;
}

enum err cmd_config_get(struct call *call)
{
        struct config_writer w = {.out = NULL, .count = 0};
        enum err rc = visit_all(call, &w);

        if (rc != OK)
                return rc;
        resp_map(&call->out, w.count);
        w.out = &call->out;
        return visit_all(call, &w);
}

static enum err set_one(struct call *call, struct slice name, struct slice value)
{
        const struct config_port *config = &call->services->config;
        char *name_text = copy_word(name);
        char *value_text = copy_word(value);
        enum err rc = ERR_NOMEM;

        if (name_text != NULL && value_text != NULL)
                rc = config->set(config->context, name_text, value_text, &call->message);
        vc_free(name_text);
        vc_free(value_text);
        return rc;
}

enum err cmd_config_set(struct call *call)
{
        enum err rc = OK;

        if (call->argc % 2 != 0)
                return err_set(&call->message, ERR_SYNTAX, "CONFIG SET option value [option value ...]");
        for (size_t i = 2; rc == OK && i < call->argc; i += 2)
                rc = set_one(call, call->argv[i], call->argv[i + 1]);
        if (rc == OK)
                resp_simple(&call->out, "OK");
        return rc;
}

enum err cmd_time(struct call *call)
{
        struct wall now = clock_wall();

        resp_array(&call->out, 2);
        resp_bulk_printf(&call->out, "%lld", (long long)(now.ms / 1000));
        resp_bulk_printf(&call->out, "%lld", (long long)(now.ms % 1000 * 1000));
        return OK;
}
