/* Asserts for our own promises: always compiled in, never reachable from bytes that came from outside (a peer gets an
 * error; an assert that a peer can reach is a denial of service). The message names the broken promise and its place,
 * and no data. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Prints the promise and its place to stderr and aborts. Any thread. Does not return. */
void assert_failed(const char *promise, const char *file, int line) __attribute__((noreturn, cold));

#define VC_ASSERT(promise)                                                                                             \
        do {                                                                                                           \
                if (__builtin_expect(!(promise), 0))                                                                   \
                        assert_failed(#promise, __FILE__, __LINE__);                                                   \
        } while (0)

#define MUST_CHECK __attribute__((warn_unused_result))
#define VC_UNUSED  __attribute__((unused))

#endif
