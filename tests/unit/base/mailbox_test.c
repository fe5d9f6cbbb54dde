#include "base/mailbox.h"
#include "base/mem.h"
#include "tests/lib/test.h"

#include <event2/event.h>

#include <pthread.h>

enum { POSTERS = 4, EACH = 500 };

struct letter {
        struct mail mail;
        int poster;
        int number;
};

struct seen {
        struct event_base *base;
        int next[POSTERS];
        int total;
        int until;
};

static void on_mail(struct mail *mail, void *context)
{
        struct letter *letter = (struct letter *)(void *)mail;
        struct seen *seen = context;

        assert_int_equal(letter->number, seen->next[letter->poster]++); /* each poster's order is kept */
        vc_free(letter);
        if (++seen->total == seen->until)
                event_base_loopbreak(seen->base);
}

struct poster {
        struct mailbox *box;
        int number;
};

static void post_one(struct mailbox *box, int poster, int number)
{
        struct letter *letter = vc_calloc(1, sizeof(*letter));

        assert_non_null(letter);
        letter->poster = poster;
        letter->number = number;
        mailbox_post(box, &letter->mail);
}

static void *post_many(void *arg)
{
        struct poster *p = arg;

        for (int i = 0; i < EACH; i++)
                post_one(p->box, p->number, i);
        return NULL;
}

static void delivers_all_in_each_posters_order(void **state)
{
        struct seen seen = {.base = event_base_new(), .until = POSTERS * EACH};
        struct poster posters[POSTERS];
        pthread_t threads[POSTERS];
        struct mailbox *box;

        (void)state;
        assert_ok(mailbox_create(&box, seen.base, on_mail, &seen));
        for (int i = 0; i < POSTERS; i++) {
                posters[i] = (struct poster){box, i};
                assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
        }
        event_base_dispatch(seen.base); /* ends with the last letter: nothing is lost, no wake-up is missed */
        for (int i = 0; i < POSTERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(seen.total, POSTERS * EACH);
        mailbox_destroy(&box);
        assert_null(box);
        event_base_free(seen.base);
}

static void what_is_waiting_at_the_end_is_handed_over(void **state)
{
        struct seen seen = {.base = event_base_new(), .until = -1};
        struct mailbox *box;

        (void)state;
        assert_ok(mailbox_create(&box, seen.base, on_mail, &seen));
        post_one(box, 0, 0);
        post_one(box, 0, 1);
        mailbox_destroy(&box);
        assert_int_equal(seen.total, 2);
        mailbox_destroy(&box);
        event_base_free(seen.base);
}

static enum err create(void *context)
{
        struct mailbox *box;
        enum err rc = mailbox_create(&box, context, on_mail, NULL);

        mailbox_destroy(&box);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct event_base *base = event_base_new();

        (void)state;
        each_allocation_fails(create, base);
        event_base_free(base);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(delivers_all_in_each_posters_order),
                cmocka_unit_test(what_is_waiting_at_the_end_is_handed_over),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
