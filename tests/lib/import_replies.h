/* The replies that an import gets, for tests/lib/scripted_server.h. */
#ifndef TESTS_LIB_IMPORT_REPLIES_H
#define TESTS_LIB_IMPORT_REPLIES_H

/* To CLIENT FORMAT and CONFIG GET. */
#define BEGIN BEGIN_WITH("$4\r\n16MB\r\n", "$7\r\n1048576\r\n")
#define BEGIN_WITH(bulk, elements)                                                                                     \
        "+OK\r\n", "*6\r\n$11\r\nlimits.bulk\r\n" bulk "$15\r\nlimits.elements\r\n" elements                           \
                   "$19\r\nlimits.client_input\r\n$4\r\n64MB\r\n"

/* To these and EXPORT merges: nobody is merged. */
#define BEGIN_FLOW BEGIN, NO_ROWS
#define NO_ROWS    "*2\r\n$-1\r\n$1\r\n\x90\r\n"

/* To an IMPORT; the last argument is a list: NONE_LEFT_OUT, or "*2\r\n" LEFT_OUT(0, …) LEFT_OUT(3, …). */
#define OUTCOME(written, unchanged, rejected)                                                                          \
        "*8\r\n$5\r\ntoken\r\n$4\r\nv1-7\r\n$7\r\nwritten\r\n:" #written "\r\n$9\r\nunchanged\r\n:" #unchanged         \
        "\r\n$8\r\nrejected\r\n" rejected
#define NONE_LEFT_OUT "*0\r\n"

/* A row left out: its number, and why. */
#define LEFT_OUT_STUDENT(at) "*3\r\n:" #at "\r\n$7\r\nstudent\r\n$15\r\nunknown-student\r\n"
#define LEFT_OUT_DATE(at)    "*3\r\n:" #at "\r\n$4\r\ndate\r\n$4\r\ndate\r\n"
#define LEFT_OUT_STRANGE(at) "*3\r\n:" #at "\r\n$0\r\n\r\n$5\r\nmoons\r\n"

#endif
