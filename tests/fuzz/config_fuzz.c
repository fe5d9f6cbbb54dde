/* Any bytes as a configuration file and as a file of record types: each is taken whole or refused with a message, and
 * what is taken can be printed. The first byte of the input says which of the two it is. */
#include "database/record_type.h"
#include "net/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file in memory, as both readers want a path. */
static int make_file(const uint8_t *data, size_t size, char path[64])
{
        int fd = memfd_create("config", 0);

        if (fd < 0 || write(fd, data, size) != (ssize_t)size)
                abort();
        (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
        return fd;
}

static void try_types(const char *path)
{
        const char *files[1] = {path};
        struct record_types *types;
        struct err_msg msg = {""};
        enum err rc = record_types_load(&types, files, 1, &msg);

        VC_ASSERT((rc == OK) == (types != NULL));
        VC_ASSERT(rc == OK || (rc == ERR_CONFIG && msg.text[0] != '\0'));
        for (uint32_t i = 0; rc == OK && i < record_types_count(types); i++)
                VC_ASSERT(record_types_at(types, i)->read_count > 0);
        record_types_destroy(&types);
}

static void try_settings(char *path)
{
        char *const argv[] = {"vitalcached", "--config", path, NULL};
        char *const environment[] = {NULL};
        const struct settings_input input = {.argc = 3, .argv = argv, .environment = environment, .shipped = "/"};
        struct settings *settings;
        struct err_msg msg = {""};
        enum err rc = settings_load(&settings, &input, &msg);
        struct buf out;

        VC_ASSERT((rc == OK) == (settings != NULL));
        VC_ASSERT(rc == OK || (rc == ERR_CONFIG && msg.text[0] != '\0'));
        buf_init(&out, 0);
        if (rc == OK)
                VC_ASSERT(settings_print(settings, &out) == OK);
        buf_deinit(&out);
        settings_destroy(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char path[64];
        int fd;

        if (size == 0)
                return 0;
        fd = make_file(data + 1, size - 1, path);
        if (data[0] % 2 == 0)
                try_types(path);
        else
                try_settings(path);
        (void)close(fd);
        return 0;
}
