#include "cache/reader.h"

#include "base/mem.h"
#include "cache/lookup.h"
#include "cache/tiers_parts.h"

static void on_sending(void *context, struct source_read *read, struct nanos now)
{
        struct reader *reader = context;

        if (!reader->thread_known) {
                reader->thread = pthread_self();
                reader->thread_known = true;
        }
        fills_sent(reader->tiers->fills, LIST_ENTRY(read, struct fill, read), now);
}

enum err reader_create(struct reader **out, struct tiers *tiers, struct event_base *base)
{
        struct reader *reader = vc_calloc(1, sizeof(*reader));
        enum err rc;

        *out = NULL;
        if (reader == NULL)
                return ERR_NOMEM;
        reader->tiers = tiers;
        rc = source_port_open(tiers->config.source, base, &reader->port);
        if (rc != OK)
                goto fail;
        rc = batch_create(&reader->batch, &(struct batch_config){.base = base,
                                                  .port = reader->port,
                                                  .clock = tiers->config.clock,
                                                  .sending = on_sending,
                                                  .context = reader});
        if (rc != OK)
                goto fail;
        rc = mailbox_create(&reader->answers, base, lookup_on_answer, NULL);
        if (rc != OK)
                goto fail;
        *out = reader;
        return OK;
fail:
        reader_destroy(&reader);
        return rc;
}

void reader_destroy(struct reader **out)
{
        struct reader *reader = *out;

        *out = NULL;
        if (reader == NULL)
                return;
        mailbox_destroy(&reader->answers);
        batch_destroy(&reader->batch);
        source_port_close(&reader->port);
        vc_free(reader);
}
