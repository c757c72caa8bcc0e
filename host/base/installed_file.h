/* Data files that come with the program: datasets/NAME of the sources. */
#ifndef EPOCHCAST_BASE_INSTALLED_FILE_H
#define EPOCHCAST_BASE_INSTALLED_FILE_H

#include <stdbool.h>

enum { INSTALLED_PATH_SIZE = 8192 };

/* Where the file `name` is: what the environment variable names, else the installation (found
 * relative to the program), else beside a program that was built but not installed. False: nowhere;
 * path is then the last place looked at. */
bool installed_file(char path[INSTALLED_PATH_SIZE], const char *name, const char *variable);

#endif
