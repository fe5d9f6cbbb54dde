/* CONFIG GET and SET, over services->config; and TIME. */
#include "base/arena.h"
#include "base/option.h"
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

/* *out becomes the word as a terminated string in the arena. */
static enum err copy_word(struct call *call, struct arena *arena, struct slice word, const char **out)
{
        if (word.len > 0 && memchr(word.data, '\0', word.len) != NULL)
                return err_set(&call->message, ERR_BADARG, "no option and no value has a zero byte in it");
        *out = arena_text(arena, word);
        return *out == NULL ? ERR_NOMEM : OK;
}

static void visit_matching(struct call *call, const char *pattern, struct config_writer *w)
{
        const struct config_port *config = &call->services->config;

        (void)config->get(config->context, pattern, visit, w);
        for (size_t i = 0; i < sizeof(redis_options) / sizeof(redis_options[0]); i++)
                if (fnmatch(pattern, redis_options[i].name, 0) == 0)
                        visit(w, redis_options[i].name, redis_options[i].value);
}

static enum err visit_all(struct call *call, struct arena *arena, struct config_writer *w)
{
        enum err rc = OK;

        for (size_t i = 2; rc == OK && i < call->argc; i++) {
                const char *pattern = "";

                rc = copy_word(call, arena, call->argv[i], &pattern);
                if (rc == OK)
                        visit_matching(call, pattern, w);
        }
        return rc;
}

enum err cmd_config_get(struct call *call)
{
        struct config_writer w = {.out = NULL, .count = 0};
        struct arena arena;
        enum err rc;

        arena_init(&arena);
        rc = visit_all(call, &arena, &w);
        if (rc == OK) {
                resp_map(&call->out, w.count);
                w.out = &call->out;
                rc = visit_all(call, &arena, &w);
        }
        arena_deinit(&arena);
        return rc;
}

/* The words after CONFIG SET, two by two, put into effect. */
static enum err change_options(struct call *call, struct arena *arena)
{
        const struct config_port *config = &call->services->config;
        size_t count = (call->argc - 2) / 2;
        struct option_change *changes = arena_array(arena, count, sizeof(*changes));
        enum err rc = changes == NULL ? ERR_NOMEM : OK;

        for (size_t i = 0; rc == OK && i < count; i++) {
                rc = copy_word(call, arena, call->argv[2 + 2 * i], &changes[i].name);
                if (rc == OK)
                        rc = copy_word(call, arena, call->argv[3 + 2 * i], &changes[i].value);
        }
        return rc == OK ? config->set(config->context, changes, count, &call->message) : rc;
}

enum err cmd_config_set(struct call *call)
{
        struct arena arena;
        enum err rc;

        if (call->argc % 2 != 0)
                return err_set(&call->message, ERR_SYNTAX, "CONFIG SET option value [option value ...]");
        arena_init(&arena);
        rc = change_options(call, &arena);
        arena_deinit(&arena);
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
