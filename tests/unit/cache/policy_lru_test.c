#include "cache/policy_lru.h"
#include "tests/lib/test.h"

enum { PLACES = 4 };

static struct policy *filled_policy(struct list *places)
{
        struct policy *p;

        assert_ok(policy_lru.create(&p));
        for (int i = 0; i < PLACES; i++)
                p->ops->added(p, &places[i]);
        return p;
}

static void assert_leaves_in_order(struct policy *p, const struct list *places, const int *order)
{
        for (int i = 0; i < PLACES; i++) {
                struct list *victim = p->ops->victim(p);

                assert_ptr_equal(victim, &places[order[i]]);
                p->ops->removed(p, victim);
        }
        assert_null(p->ops->victim(p));
        p->ops->destroy(&p);
        assert_null(p);
}

static void unused_leave_in_order_of_arrival(void **state)
{
        struct list places[PLACES];
        const int order[PLACES] = {0, 1, 2, 3};

        (void)state;
        assert_leaves_in_order(filled_policy(places), places, order);
}

static void use_postpones(void **state)
{
        struct list places[PLACES];
        struct policy *p = filled_policy(places);
        const int order[PLACES] = {1, 3, 2, 0};

        (void)state;
        p->ops->used(p, &places[2]);
        p->ops->used(p, &places[0]);
        p->ops->used(p, &places[0]); /* being the newest already changes nothing */
        assert_leaves_in_order(p, places, order);
}

static void victim_alone_removes_nothing(void **state)
{
        struct list places[PLACES];
        struct policy *p = filled_policy(places);
        const int order[PLACES] = {0, 1, 2, 3};

        (void)state;
        assert_ptr_equal(p->ops->victim(p), p->ops->victim(p));
        assert_leaves_in_order(p, places, order);
}

static void is_found_by_name(void **state)
{
        (void)state;
        assert_ptr_equal(policy_find("lru"), &policy_lru);
        assert_null(policy_find("LRU"));
        assert_null(policy_find(""));
        assert_string_equal(policy_names(), "lru");
}

static enum err create(void *context)
{
        struct policy *p;
        enum err rc = policy_lru.create(&p);

        (void)context;
        policy_lru.destroy(&p);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(unused_leave_in_order_of_arrival),
                cmocka_unit_test(use_postpones),
                cmocka_unit_test(victim_alone_removes_nothing),
                cmocka_unit_test(is_found_by_name),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
