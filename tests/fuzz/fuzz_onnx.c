/* Whatever bytes an ONNX file holds; start from tests/python/onnx_models.py's small models:
 *   for script in onnx_models onnx_operator_models; do /usr/bin/python3 tests/python/$script.py
 * FOLDER small; done build-fuzz/bin/fuzz_onnx FOLDER */
#include "../onnx_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_onnx((const char *)bytes, size);
    return 0;
}
