#include "onednn/version.h"

#include <dnnl.h>
#include <stdio.h>

void onednn_version(char *text, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
}
