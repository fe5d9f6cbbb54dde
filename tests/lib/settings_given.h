/* Settings as tests load them: a command line, an environment, and the shipped configuration of the source tree. */
#ifndef TESTS_LIB_SETTINGS_GIVEN_H
#define TESTS_LIB_SETTINGS_GIVEN_H

#include "net/settings.h"

#include <stdio.h>

#define SHIPPED VC_SOURCE_DIR "/conf"

/* NULL-terminated arrays, alive until the end of the block. */
#define ARGS(...)                                                                                                      \
        (char *const[])                                                                                                \
        {                                                                                                              \
                "vitalcached", ##__VA_ARGS__, NULL                                                                     \
        }
#define ENV(...)                                                                                                       \
        (char *const[])                                                                                                \
        {                                                                                                              \
                __VA_ARGS__, NULL                                                                                      \
        }
#define NO_ENV ((char *const[]){NULL})

static inline struct settings_input settings_given(char *const *args, char *const *env)
{
        struct settings_input input = {.argv = args, .environment = env, .shipped = SHIPPED};

        while (args[input.argc] != NULL)
                input.argc++;
        return input;
}

static inline bool settings_write(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");
        bool ok = file != NULL && fputs(text, file) >= 0;

        return file != NULL && fclose(file) == 0 && ok;
}

#endif
