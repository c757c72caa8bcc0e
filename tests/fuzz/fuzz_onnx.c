/* Whatever bytes an ONNX file holds. More models to start from:
 *   /usr/bin/python3 tests/python/onnx_models.py FOLDER small
 *   /usr/bin/python3 tests/python/onnx_operator_models.py FOLDER small
 *   /usr/bin/python3 tests/python/onnx_pattern_models.py FOLDER small */
#include "../onnx_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_onnx((const char *)bytes, size);
    return 0;
}
