#include "base/installed_file.h"

#include "base/own_place.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool installed_file(char path[INSTALLED_PATH_SIZE], const char *name, const char *variable)
{
    char own[OWN_PLACE_SIZE];
    const char *named = getenv(variable);
    if (named && *named) {
        snprintf(path, INSTALLED_PATH_SIZE, "%s", named);
        return is_file(path);
    }
    const bool is_library = own_folder(own);
    snprintf(path, INSTALLED_PATH_SIZE, "%s/%s/%s", own,
             is_library ? EPOCHCAST_DATA_FROM_LIBRARY : EPOCHCAST_DATA_FROM_PROGRAM, name);
    if (is_file(path))
        return true;
    /* A link that the build makes: no path of the sources is in the program. */
    snprintf(path, INSTALLED_PATH_SIZE, "%s/epochcast-%s", own, name);
    if (is_file(path))
        return true;
    snprintf(path, INSTALLED_PATH_SIZE, "%s/%s", EPOCHCAST_INSTALLED_DATA, name);
    return is_file(path);
}
