/* The library behind the cpu backend, for --version and dataset provenance. */
#ifndef EPOCHCAST_ONEDNN_VERSION_H
#define EPOCHCAST_ONEDNN_VERSION_H

#include <stddef.h>

void onednn_version(char *text, size_t size); /* "oneDNN 3.7.2", as loaded */

#endif
