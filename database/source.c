#include "database/source.h"

#include "base/mem.h"

enum err source_plain_port_open(struct source *source, struct event_base *base, struct source_port **out)
{
        (void)base;
        *out = vc_calloc(1, sizeof(**out));
        if (*out == NULL)
                return ERR_NOMEM;
        (*out)->source = source;
        return OK;
}

void source_plain_port_close(struct source_port **port)
{
        vc_free(*port);
        *port = NULL;
}
