/* The folder that this code was loaded from. Installed files are found relative to it, so that an
 * installation can be moved. */
#ifndef EPOCHCAST_BASE_OWN_PLACE_H
#define EPOCHCAST_BASE_OWN_PLACE_H

#include <stdbool.h>

enum { OWN_PLACE_SIZE = 4096 };

/* Folder of the shared library that holds this code, else of the program; without a final '/',
 * links followed, "" when unknown. Returns true for a shared library. */
bool own_folder(char folder[OWN_PLACE_SIZE]);

#endif
