#include "database/yajl_memory.h"
#include "tests/lib/test.h"

#include "base/mem.h"

static void what_is_given_can_grow_and_come_back(void **state)
{
        struct yajl_memory memory;
        const yajl_alloc_funcs *f = &memory.functions;
        char *first;
        char *second;

        (void)state;
        yajl_memory_init(&memory);
        first = f->malloc(f->ctx, 3);
        second = f->realloc(f->ctx, NULL, 5);
        memcpy(first, "ab", 3);
        memcpy(second, "cdef", 5);
        first = f->realloc(f->ctx, first, 5000);
        assert_string_equal(first, "ab");
        assert_string_equal(second, "cdef");
        f->free(f->ctx, second);
        f->free(f->ctx, NULL);
        assert_false(list_empty(&memory.blocks));
        yajl_memory_deinit(&memory); /* and the one that yajl did not give back */
        assert_true(list_empty(&memory.blocks));
}

static bool refuse(void *context)
{
        (void)context;
        return false;
}

/* Asks for `size` bytes in place of `block`; NULL: it jumped out, and `block` is gone. */
static void *grow(struct yajl_memory *memory, void *block, size_t size)
{
        if (setjmp(memory->ran_out) != 0)
                return NULL;
        return memory->functions.realloc(memory->functions.ctx, block, size);
}

static void a_failure_jumps_out_and_loses_nothing(void **state)
{
        struct yajl_memory memory;
        void *block;

        (void)state;
        yajl_memory_init(&memory);
        assert_non_null(grow(&memory, NULL, 100));
        block = grow(&memory, NULL, 100);
        assert_non_null(block);
        mem_set_gate(refuse, NULL);
        assert_null(grow(&memory, NULL, 100));
        assert_null(grow(&memory, block, 200));
        mem_set_gate(NULL, NULL);
        assert_null(grow(&memory, NULL, SIZE_MAX - 1));
        yajl_memory_deinit(&memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_given_can_grow_and_come_back),
                cmocka_unit_test(a_failure_jumps_out_and_loses_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
