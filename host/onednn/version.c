#include "onednn/version.h"

#include <dnnl_version.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

const char *onednn_version(void)
{
    return "oneDNN " TEXT(DNNL_VERSION_MAJOR) "." TEXT(DNNL_VERSION_MINOR) "." TEXT(
        DNNL_VERSION_PATCH);
}
