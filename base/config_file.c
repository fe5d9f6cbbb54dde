#include "base/config_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BESIDE "../../../conf" /* from the folder of a program in build/<preset>/bin */

#ifndef VC_CONF_DIR
#define VC_CONF_DIR BESIDE
#endif

static bool is_readable(const char *folder)
{
        char path[PATH_MAX + sizeof("/" CONFIG_FILE_NAME)];

        (void)snprintf(path, sizeof(path), "%s/" CONFIG_FILE_NAME, folder);
        return access(path, R_OK) == 0;
}

void config_folder_find(const char *told, char folder[PATH_MAX])
{
        char program[PATH_MAX];
        ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
        char *slash;

        (void)snprintf(folder, PATH_MAX, "%s", told == NULL ? VC_CONF_DIR : told);
        if (told != NULL || is_readable(folder) || len <= 0)
                return;
        program[len] = '\0';
        slash = strrchr(program, '/');
        if (slash != NULL && (size_t)(slash - program) + sizeof("/" BESIDE) <= PATH_MAX)
                (void)snprintf(folder, PATH_MAX, "%.*s/" BESIDE, (int)(slash - program), program);
}

static const char *find_variable(char *const *environment, const char *name)
{
        size_t len = strlen(name);

        for (; *environment != NULL; environment++)
                if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
                        return *environment + len + 1;
        return "";
}

enum err config_file_find(const char *folder, char *const *environment, char file[PATH_MAX], struct err_msg *msg)
{
        const char *variable = find_variable(environment, CONFIG_FILE_VARIABLE);
        int len = variable[0] != '\0' ? snprintf(file, PATH_MAX, "%s", variable)
                                      : snprintf(file, PATH_MAX, "%s/" CONFIG_FILE_NAME, folder);

        return len >= 0 && len < PATH_MAX ? OK
                                          : err_set(msg, ERR_CONFIG, "the path of the configuration file is too long");
}
