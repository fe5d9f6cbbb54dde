/* Where the configuration is, for the server and for the commands that open its database beside it. */
#ifndef BASE_CONFIG_FILE_H
#define BASE_CONFIG_FILE_H

#include "base/err.h"

#include <limits.h>

#define CONFIG_FILE_NAME     "vitalcache.yaml"
#define CONFIG_FILE_VARIABLE "VITALCACHE_CONFIG"

/* The folder of the shipped configuration: `told`, or when that is NULL as it was built or, when that is not there,
 * ../../../conf beside the program. It need not exist. Any thread. */
void config_folder_find(const char *told, char folder[PATH_MAX]);

/* The configuration file that counts when the command line names none: $VITALCACHE_CONFIG of `environment`
 * ("NAME=value", NULL-terminated), else vitalcache.yaml in `folder`. ERR_CONFIG: a path is too long. Any thread. */
enum err config_file_find(
        const char *folder, char *const *environment, char file[PATH_MAX], struct err_msg *msg) MUST_CHECK;

#endif
