#include "cache/ghosts.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { SPAN = 1000 };

static uint32_t hash_of(uint32_t number)
{
        return (uint32_t)hash64(slice_of(&number, sizeof(number)), 0);
}

static void remember(struct ghosts *g, uint32_t first, uint32_t last)
{
        for (uint32_t i = first; i <= last; i++) {
                ghosts_remember(g, hash_of(i));
                ghosts_fit(g, SPAN);
        }
}

static uint32_t recalled(struct ghosts *g, uint32_t first, uint32_t last)
{
        uint32_t count = 0;

        for (uint32_t i = first; i <= last; i++)
                count += ghosts_recall(g, hash_of(i));
        return count;
}

static void the_last_ones_are_known_and_hardly_any_other(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        remember(&g, 1, 5 * SPAN);
        assert_in_range(recalled(&g, 1, 4 * SPAN), 0, SPAN * 2 / 100); /* those for whom others were lost */
        assert_int_equal(recalled(&g, 5 * SPAN + 1, 9 * SPAN), 0);
        assert_in_range(recalled(&g, 4 * SPAN + 1, 5 * SPAN), SPAN * 97 / 100, SPAN);
        ghosts_deinit(&g);
}

static void a_ghost_is_recalled_once(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        remember(&g, 1, SPAN);
        assert_true(ghosts_recall(&g, hash_of(SPAN)));
        assert_false(ghosts_recall(&g, hash_of(SPAN)));
        ghosts_deinit(&g);
}

/* One taken out leaves room for one more: the queue is as long as before. */
static void what_was_recalled_does_not_shorten_the_queue(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        remember(&g, 1, SPAN + 1);
        assert_in_range(recalled(&g, SPAN / 2 + 1, SPAN), SPAN / 2 * 97 / 100, SPAN / 2);
        remember(&g, SPAN + 2, SPAN + SPAN / 4);
        assert_in_range(g.known, SPAN * 72 / 100, SPAN * 75 / 100);
        assert_in_range(recalled(&g, 1, SPAN / 2), SPAN / 2 * 97 / 100, SPAN / 2);
        ghosts_deinit(&g);
}

/* Numbers are never given twice: before they would be, all is forgotten. */
static void begins_anew_when_the_numbers_end(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        remember(&g, 1, 10);
        g.born = UINT32_MAX - 1;
        remember(&g, SPAN, 2 * SPAN);
        assert_in_range(g.born, 1, SPAN);
        assert_in_range(recalled(&g, SPAN, 2 * SPAN), SPAN * 97 / 100, SPAN);
        ghosts_deinit(&g);
}

static void memory_begins_with_the_first_and_follows_the_span(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        ghosts_fit(&g, 100000);
        assert_int_equal(ghosts_bytes(&g), 0);
        ghosts_remember(&g, 1);
        ghosts_fit(&g, 100000);
        assert_in_range(ghosts_bytes(&g), 1, 2000000);
        ghosts_fit(&g, 10);
        assert_in_range(ghosts_bytes(&g), 1, 2000);
        ghosts_deinit(&g);
}

static bool never(void *context)
{
        (void)context;
        return false;
}

static void without_memory_nothing_is_known(void **state)
{
        struct ghosts g = {.slots = NULL};

        (void)state;
        mem_set_gate(never, NULL);
        remember(&g, 1, SPAN);
        mem_set_gate(NULL, NULL);
        assert_int_equal(ghosts_bytes(&g), 0);
        assert_int_equal(recalled(&g, 1, SPAN), 0);
        remember(&g, 1, SPAN);
        assert_int_not_equal(recalled(&g, 1, SPAN), 0);
        ghosts_deinit(&g);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_last_ones_are_known_and_hardly_any_other),
                cmocka_unit_test(a_ghost_is_recalled_once),
                cmocka_unit_test(what_was_recalled_does_not_shorten_the_queue),
                cmocka_unit_test(begins_anew_when_the_numbers_end),
                cmocka_unit_test(memory_begins_with_the_first_and_follows_the_span),
                cmocka_unit_test(without_memory_nothing_is_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
