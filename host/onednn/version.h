/* The library behind the cpu backend, for --version and dataset provenance. */
#ifndef EPOCHCAST_ONEDNN_VERSION_H
#define EPOCHCAST_ONEDNN_VERSION_H

const char *onednn_version(void); /* "oneDNN 2.6.3" */

#endif
