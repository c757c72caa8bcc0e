/* What holds for any bytes given as an ONNX model; for the fuzz target and the mutation test. */
#ifndef EPOCHCAST_TESTS_ONNX_CHECK_H
#define EPOCHCAST_TESTS_ONNX_CHECK_H

#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>

/* Nothing that a terminal would obey. */
static inline void check_text(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            abort();
}

/* A network comes out whose layer CSV reads back to as many layers, or STATUS_BAD_FILE with a
 * message. `sizes` may be NULL. Returns the status; aborts otherwise. */
static inline enum status check_onnx_sized(const char *bytes, size_t size,
                                           struct dimension_sizes *sizes)
{
    struct error error = {.status = STATUS_OK};
    struct network network, again;
    const enum status status = network_read_onnx(&network, sizes, "folder/model.onnx", bytes, size,
                                                 &error);
    if (sizes)
        check_text(sizes->open);
    if (status != STATUS_OK) {
        if (status != STATUS_BAD_FILE || !error.message[0] || network.layers)
            abort();
        check_text(error.message);
        check_text(error.hint);
        return status;
    }
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    if (!file || network_write_csv(&network, file, &error) != STATUS_OK || fclose(file))
        abort();
    if (network_parse(&again, "again.csv", text, length, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n%s\n", error.message, text);
        abort();
    }
    if (again.layer_count != network.layer_count)
        abort();
    for (int i = 0; i < network.layer_count; i++) {
        const struct cost cost = network_cost(&network.layers[i], 65536, PASS_TRAIN, OPTIMIZER_ADAM,
                                              PRECISION_FP32);
        if (!(cost.flops >= 0) || cost.parameter_count < 0)
            abort();
    }
    free(text);
    network_free(&network);
    network_free(&again);
    return status;
}

/* Returns the status without sizes. */
static inline enum status check_onnx(const char *bytes, size_t size)
{
    struct dimension_sizes sizes = {.count = 0};
    if (dimension_sizes_add(&sizes, "n=3,sequence=7,image:1=5", NULL) != STATUS_OK)
        abort();
    check_onnx_sized(bytes, size, &sizes);
    return check_onnx_sized(bytes, size, NULL);
}

#endif
