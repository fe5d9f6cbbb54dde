/* What every unit test includes: cmocka with its required headers, and small helpers. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include "base/err.h"
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define assert_ok(call)        assert_string_equal(err_name(call), "OK")
#define assert_err(code, call) assert_string_equal(err_name(call), err_name(code))
#define assert_slice_is(s, text)                                                                                       \
        do {                                                                                                           \
                assert_int_equal((s).len, strlen(text));                                                               \
                assert_memory_equal((s).data, text, strlen(text));                                                     \
        } while (0)

/* Fails unless the two are no further apart than `by`. */
void assert_close(double a, double b, double by);

/* Ends a test that measures what the sanitizers change: memory of the process, system calls. */
#ifdef VC_SANITIZED
#define SKIP_WHEN_SANITIZED() skip()
#else
#define SKIP_WHEN_SANITIZED() ((void)0)
#endif

/* Runs `body` with the 1st, 2nd, 3rd… allocation of this thread failing, until a run completes in which none failed.
 * `body` returns the code of the call under test and cleans up after itself; every run with a failed allocation must
 * return ERR_NOMEM and leak nothing (LeakSanitizer sees that). Fails if it never completes within 10 000 runs. */
void each_allocation_fails(enum err (*body)(void *context), void *context);

/* As above, with the n-th allocation and all after it failing: for code on a library that tries again with less. */
void each_allocation_fails_for_good(enum err (*body)(void *context), void *context);

/* A fresh folder under $TMPDIR (or /tmp) into `path` of at least 64 bytes; temp_dir_remove removes all of it. */
void temp_dir_make(char *path, size_t size);
void temp_dir_remove(const char *path);

#endif
