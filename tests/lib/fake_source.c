#include "tests/lib/fake_source.h"

#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES_MAX = 64, ID_MAX = 32, TEXT_MAX = 31 }; /* a text fits into msgpack's fixstr */

struct fake_value {
        char id[ID_MAX];
        char text[TEXT_MAX + 1];
        bool there;
        uint64_t written; /* at which position */
};

struct fake_state {
        struct fake_value values[VALUES_MAX];
        size_t count;
        uint64_t position;
};

struct fake_source {
        struct source source;
        pthread_mutex_t lock;
        struct fake_state now;
        struct fake_state replica;
        bool has_replica;
        uint64_t epoch;
        struct nanos lives;
        bool beaten;
        struct fake_asked asked;
        uint64_t checks;
        enum err failure;
        bool damaged;
        bool holds;
        struct list held;
        uint64_t batches;
        uint64_t reads;
};

static struct fake_source *fake_of(struct source *source)
{
        return (struct fake_source *)(void *)source;
}

static struct fake_value *find(struct fake_state *state, struct slice id)
{
        for (size_t i = 0; i < state->count; i++)
                if (slice_equal(slice_str(state->values[i].id), id))
                        return &state->values[i];
        return NULL;
}

static bool is_unmodified(const struct fake_source *fake, const struct source_read *read, uint64_t written)
{
        return read->known != NULL && read->known->epoch == fake->epoch &&
               snapshot_has(&read->known->snapshot, written);
}

static void fill_in(struct fake_source *fake, struct source_read *read)
{
        struct fake_state *state = fake->has_replica && !read->primary_only ? &fake->replica : &fake->now;
        const struct fake_value *value = find(state, read->id);
        uint8_t head;

        fake->asked = (struct fake_asked){read->primary_only, read->known != NULL, read->bound};
        read->status = fake->failure;
        if (read->status == ERR_BADKEY)
                (void)err_set(&read->message, read->status, "%.*s is not the form of it", SLICE_ARG(read->id));
        read->epoch = fake->epoch;
        read->lives = fake->lives;
        read->beaten = fake->beaten;
        read->from_replica = state == &fake->replica;
        read->snapshot = snapshot_of_txn(state->position);
        read->unmodified = read->status == OK && is_unmodified(fake, read, value == NULL ? 1 : value->written);
        fake->checks += read->unmodified ? 1 : 0;
        if (read->unmodified)
                return;
        read->found = value != NULL && value->there;
        if (read->status != OK || !read->found)
                return;
        head = fake->damaged ? 0xc1 : (uint8_t)(0xa0 | strlen(value->text)); /* never used by msgpack, or a fixstr */
        if (buf_append(&read->value, &head, 1) != OK || buf_append_str(&read->value, value->text) != OK)
                read->status = ERR_NOMEM;
}

static void answer_all(struct list *reads)
{
        struct list *link;

        while ((link = list_pop_front(reads)) != NULL) {
                struct source_read *read = LIST_ENTRY(link, struct source_read, link);

                read->done(read);
        }
}

static void fetch_many(struct source_port *port, struct list *reads)
{
        struct fake_source *fake = fake_of(port->source);
        struct list now;

        list_init(&now);
        pthread_mutex_lock(&fake->lock);
        fake->batches++;
        LIST_FOREACH (it, reads) {
                fake->reads++;
                fill_in(fake, LIST_ENTRY(it, struct source_read, link));
        }
        list_splice_back(fake->holds ? &fake->held : &now, reads);
        pthread_mutex_unlock(&fake->lock);
        answer_all(&now);
}

static const struct source_ops fake_ops = {.name = "fake",
        .open_port = source_plain_port_open,
        .close_port = source_plain_port_close,
        .fetch_many = fetch_many};

struct fake_source *fake_source_create(uint64_t epoch)
{
        struct fake_source *fake = calloc(1, sizeof(*fake));

        assert_non_null(fake);
        fake->source = (struct source){.magic = SOURCE_MAGIC, .ops = &fake_ops};
        fake->epoch = epoch;
        fake->now.position = 1;
        fake->failure = OK;
        list_init(&fake->held);
        (void)pthread_mutex_init(&fake->lock, NULL);
        return fake;
}

void fake_source_destroy(struct fake_source **out)
{
        struct fake_source *fake = *out;

        *out = NULL;
        if (fake == NULL)
                return;
        assert_true(list_empty(&fake->held));
        pthread_mutex_destroy(&fake->lock);
        free(fake);
}

struct source *fake_source_as_source(struct fake_source *fake)
{
        return &fake->source;
}

uint64_t fake_source_write(struct fake_source *fake, const char *id, const char *text)
{
        struct fake_value *value;
        uint64_t position;

        pthread_mutex_lock(&fake->lock);
        value = find(&fake->now, slice_str(id));
        if (value == NULL) {
                assert_true(fake->now.count < VALUES_MAX && strlen(id) < ID_MAX);
                value = &fake->now.values[fake->now.count++];
                (void)snprintf(value->id, sizeof(value->id), "%s", id);
        }
        value->there = text != NULL;
        if (text != NULL) {
                assert_true(strlen(text) <= TEXT_MAX);
                (void)snprintf(value->text, sizeof(value->text), "%s", text);
        }
        position = ++fake->now.position;
        value->written = position;
        pthread_mutex_unlock(&fake->lock);
        return position;
}

void fake_source_lag(struct fake_source *fake)
{
        pthread_mutex_lock(&fake->lock);
        fake->replica = fake->now;
        fake->has_replica = true;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_set_epoch(struct fake_source *fake, uint64_t epoch)
{
        pthread_mutex_lock(&fake->lock);
        fake->epoch = epoch;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_set_lives(struct fake_source *fake, struct nanos lives)
{
        pthread_mutex_lock(&fake->lock);
        fake->lives = lives;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_set_beaten(struct fake_source *fake, bool beaten)
{
        pthread_mutex_lock(&fake->lock);
        fake->beaten = beaten;
        pthread_mutex_unlock(&fake->lock);
}

uint64_t fake_source_advance(struct fake_source *fake)
{
        uint64_t position;

        pthread_mutex_lock(&fake->lock);
        position = ++fake->now.position;
        pthread_mutex_unlock(&fake->lock);
        return position;
}

void fake_source_fail(struct fake_source *fake, enum err code)
{
        pthread_mutex_lock(&fake->lock);
        fake->failure = code;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_damage(struct fake_source *fake)
{
        pthread_mutex_lock(&fake->lock);
        fake->damaged = true;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_hold(struct fake_source *fake)
{
        pthread_mutex_lock(&fake->lock);
        fake->holds = true;
        pthread_mutex_unlock(&fake->lock);
}

void fake_source_release(struct fake_source *fake)
{
        struct list held;

        list_init(&held);
        pthread_mutex_lock(&fake->lock);
        fake->holds = false;
        list_splice_back(&held, &fake->held);
        pthread_mutex_unlock(&fake->lock);
        answer_all(&held);
}

uint64_t fake_source_batches(struct fake_source *fake)
{
        uint64_t n;

        pthread_mutex_lock(&fake->lock);
        n = fake->batches;
        pthread_mutex_unlock(&fake->lock);
        return n;
}

uint64_t fake_source_reads(struct fake_source *fake)
{
        uint64_t n;

        pthread_mutex_lock(&fake->lock);
        n = fake->reads;
        pthread_mutex_unlock(&fake->lock);
        return n;
}

uint64_t fake_source_checks(struct fake_source *fake)
{
        uint64_t n;

        pthread_mutex_lock(&fake->lock);
        n = fake->checks;
        pthread_mutex_unlock(&fake->lock);
        return n;
}

struct fake_asked fake_source_asked(struct fake_source *fake)
{
        struct fake_asked asked;

        pthread_mutex_lock(&fake->lock);
        asked = fake->asked;
        pthread_mutex_unlock(&fake->lock);
        return asked;
}
