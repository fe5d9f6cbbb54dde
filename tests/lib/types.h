/* Record types from the text of a configuration. Tests of folders above `base` and `monitoring` only. */
#ifndef TESTS_LIB_TYPES_H
#define TESTS_LIB_TYPES_H

#include "tests/lib/test.h"

#include "database/record_type.h"

#include <stdio.h>

/* Writes `text` into a new file `name` of the folder; `path` is then the file's. */
static inline void types_write(const char *folder, const char *name, const char *text, char path[128])
{
        FILE *file;

        (void)snprintf(path, 128, "%s/%s", folder, name);
        file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* The types that `text` declares; fails the test with the message when it cannot be loaded. */
static inline struct record_types *types_from(const char *text)
{
        struct record_types *types;
        struct err_msg msg = {""};
        char folder[64];
        char path[128];
        const char *files[1] = {path};

        temp_dir_make(folder, sizeof(folder));
        types_write(folder, "types.yaml", text, path);
        if (record_types_load(&types, files, 1, &msg) != OK)
                fail_msg("%s", msg.text);
        temp_dir_remove(folder);
        return types;
}

/* Fails unless the text, in a file, is refused with "<file>:<place>: <what>". */
static inline void types_refused(const char *text, const char *place, const char *what)
{
        struct record_types *types;
        struct err_msg msg = {""};
        char folder[64];
        char path[128];
        const char *files[1] = {path};
        char expected[1024];

        temp_dir_make(folder, sizeof(folder));
        types_write(folder, "types.yaml", text, path);
        assert_err(ERR_CONFIG, record_types_load(&types, files, 1, &msg));
        assert_null(types);
        (void)snprintf(expected, sizeof(expected), "%s/types.yaml:%s: %s", folder, place, what);
        assert_string_equal(msg.text, expected);
        temp_dir_remove(folder);
}

#endif
