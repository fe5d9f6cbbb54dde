#include "tests/lib/test.h"

#include "base/mem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct nth {
        unsigned left; /* allocations still to let pass */
        bool for_good; /* fail all that follow, too; else one per run, as the error path itself may allocate */
        bool hit;
};

static bool fail_nth(void *context)
{
        struct nth *n = context;

        if (n->left > 0) {
                n->left--;
                return true;
        }
        if (n->hit)
                return !n->for_good;
        n->hit = true;
        return false;
}

static void run_with_failures(enum err (*body)(void *context), void *context, bool for_good)
{
        for (unsigned nth = 0; nth < 10000; nth++) {
                struct nth n = {.left = nth, .for_good = for_good, .hit = false};
                enum err rc;

                mem_set_gate(fail_nth, &n);
                rc = body(context);
                mem_set_gate(NULL, NULL);
                if (!n.hit) {
                        assert_ok(rc);
                        return;
                }
                assert_err(ERR_NOMEM, rc);
        }
        fail_msg("still allocating after 10 000 allocations");
}

void each_allocation_fails(enum err (*body)(void *context), void *context)
{
        run_with_failures(body, context, false);
}

void each_allocation_fails_for_good(enum err (*body)(void *context), void *context)
{
        run_with_failures(body, context, true);
}

void temp_dir_make(char *path, size_t size)
{
        const char *base = getenv("TMPDIR");

        (void)snprintf(path, size, "%s/vitalcache-test-XXXXXX", base != NULL ? base : "/tmp");
        assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
        (void)info;
        (void)kind;
        (void)where;
        return remove(path);
}

void temp_dir_remove(const char *path)
{
        assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void assert_close(double a, double b, double by)
{
        if (!(a - b <= by && b - a <= by))
                fail_msg("%.9f and %.9f are further apart than %.9f", a, b, by);
}
