#include "base/own_place.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(OWN_PLACE_SIZE >= PATH_MAX, "realpath writes up to PATH_MAX bytes");

bool own_folder(char folder[OWN_PLACE_SIZE])
{
    static const char anything = 0;
    Dl_info info;
    struct link_map *map;
    /* the program's own map has no name */
    const bool is_library = dladdr1(&anything, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 &&
                            map->l_name[0] != '\0';
    if (!realpath(is_library ? map->l_name : "/proc/self/exe", folder))
        folder[0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    return is_library;
}
