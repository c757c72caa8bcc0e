/* Whatever bytes a result of `verify -o json` holds. */
#include "step/verification_file.h"

#include "predictors/predictor.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct verification_file file;
    struct error error = {.status = STATUS_OK};
    const enum status status = verification_parse(&file, "v.json", (const char *)bytes, size,
                                                  &choice_baseline, &error);
    if (status != STATUS_OK) {
        if (status != STATUS_BAD_FILE || !error.message[0] || file.rows)
            abort();
        return 0;
    }
    for (int i = 0; i < file.count; i++)
        if (file.rows[i].step.batch_size < 1 || !isfinite(file.rows[i].step.predicted_ms))
            abort();
    verification_file_free(&file);
    return 0;
}
