#include "invalidation/slots.h"

#include "tests/lib/test.h"

static struct slots *slots;

static int make(void **state)
{
        (void)state;
        return slots_create(&slots, 16) == OK ? 0 : -1;
}

static int unmake(void **state)
{
        (void)state;
        slots_destroy(&slots);
        return 0;
}

static uint64_t word_of(uint64_t tag)
{
        const uint32_t number = slots_number(slots, tag);

        return slots_newest(slots, &number, 1);
}

static void the_newest_position_wins_whatever_the_order(void **state)
{
        const uint64_t tag = 0x105;

        (void)state;
        slots_raise(slots, &tag, 1, (struct position){9});
        slots_raise(slots, &tag, 1, (struct position){4});
        assert_true(word_of(tag) == 9);
        assert_true(word_of(0x106) == 0);
}

static void the_newest_of_several_tags_decides(void **state)
{
        const uint64_t tags[] = {1, 2, 3};
        uint32_t numbers[3];

        (void)state;
        for (int i = 0; i < 3; i++) {
                numbers[i] = slots_number(slots, tags[i]);
                slots_raise(slots, &tags[i], 1, (struct position){i == 1 ? 30 : 10});
        }
        assert_true(slots_newest(slots, numbers, 3) == 30);
        assert_true(slots_newest(slots, numbers, 0) == 0);
}

static void poison_keeps_the_position_below_it(void **state)
{
        const uint64_t tag = 7;

        (void)state;
        slots_raise(slots, &tag, 1, (struct position){5});
        slots_poison(slots, &tag, 1);
        assert_true(word_of(tag) == (SLOT_POISON | 5));
        slots_lift(slots, &tag, 1);
        assert_true(word_of(tag) == 5);
        slots_poison(slots, &tag, 1);
        slots_raise(slots, &tag, 1, (struct position){6});
        assert_true(word_of(tag) == 6);
}

static void tags_of_one_slot_share_their_touches(void **state)
{
        const uint64_t tag = 3;

        (void)state;
        slots_raise(slots, &tag, 1, (struct position){5});
        assert_true(word_of(3 + 16) == 5);
}

static enum err create_one(void *context)
{
        struct slots *s;
        enum err rc = slots_create(&s, 4);

        (void)context;
        slots_destroy(&s);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(create_one, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_newest_position_wins_whatever_the_order, make, unmake),
                cmocka_unit_test_setup_teardown(the_newest_of_several_tags_decides, make, unmake),
                cmocka_unit_test_setup_teardown(poison_keeps_the_position_below_it, make, unmake),
                cmocka_unit_test_setup_teardown(tags_of_one_slot_share_their_touches, make, unmake),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
