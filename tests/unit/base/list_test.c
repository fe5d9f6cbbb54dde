#include "base/list.h"
#include "tests/lib/test.h"

struct item {
        int number;
        struct list link;
};

static int number_of(struct list *link)
{
        return LIST_ENTRY(link, struct item, link)->number;
}

static void keeps_order_and_survives_double_removal(void **state)
{
        struct item items[3] = {{1, {0}}, {2, {0}}, {3, {0}}};
        struct list head;
        struct list other;
        int expected = 1;

        (void)state;
        list_init(&head);
        list_init(&other);
        assert_null(list_pop_front(&head));
        list_push_back(&head, &items[1].link);
        list_push_front(&head, &items[0].link);
        list_push_back(&head, &items[2].link);
        LIST_FOREACH (it, &head)
                assert_int_equal(number_of(it), expected++);
        assert_int_equal(expected, 4);
        list_remove(&items[1].link);
        list_remove(&items[1].link);
        list_push_back(&other, &items[1].link);
        list_splice_back(&other, &head);
        assert_true(list_empty(&head));
        list_splice_back(&other, &head);
        assert_int_equal(number_of(list_pop_front(&other)), 2);
        assert_int_equal(number_of(list_pop_front(&other)), 1);
        assert_int_equal(number_of(list_pop_front(&other)), 3);
        assert_true(list_empty(&other));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keeps_order_and_survives_double_removal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
