/* The path of a GET that L1 answers goes through some forty small functions, and calling them would cost as much as
 * what they do. HOT_PATH on a function takes all that it calls into it; what is off the path is marked COLD_PATH, and
 * stays a call. Across files that works in what is optimised as a whole (VC_WHOLE): in all that is shipped. */
#ifndef BASE_HOT_H
#define BASE_HOT_H

#define HOT_PATH  __attribute__((flatten))
#define COLD_PATH __attribute__((cold, noinline))

#endif
