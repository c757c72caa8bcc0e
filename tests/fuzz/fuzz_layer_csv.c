/* Whatever bytes a layer CSV holds: a network that is written and reads back to as many layers, or
 * STATUS_BAD_FILE with a message. */
#include "network/network.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_again(const struct network *network)
{
    char *text;
    size_t length;
    struct error error;
    struct network again;
    FILE *file = open_memstream(&text, &length);
    if (!file || network_write_csv(network, file, &error) != STATUS_OK || fclose(file) != 0)
        abort();
    if (network_parse(&again, "again.csv", text, length, &error) != STATUS_OK ||
        again.layer_count != network->layer_count) {
        fprintf(stderr, "%s\n%s\n", error.message, text);
        abort();
    }
    network_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct network network;
    struct error error = {.status = STATUS_OK};
    const enum status status = network_parse(&network, "x.csv", (const char *)bytes, size, &error);
    if (status != STATUS_OK) {
        if (status != STATUS_BAD_FILE || !error.message[0] || network.layers)
            abort();
        return 0;
    }
    check_again(&network);
    network_free(&network);
    return 0;
}
