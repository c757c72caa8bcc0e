#include "predictors/held_out.h"

#include <math.h>
#include <stdio.h>

struct held_out_errors held_out_errors_of(const struct interval_rows *rows)
{
    struct held_out_errors errors = {0, NAN, NAN, NAN};
    double sum = 0, squares = 0, log_squares = 0;
    if (!rows || rows->count == 0)
        return errors;
    const double count = (double)rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        const double off = fabs(rows->predicted_ms[i] / rows->measured_ms[i] - 1) * 100;
        const double log_off = log(rows->predicted_ms[i] / rows->measured_ms[i]);
        sum += off;
        squares += off * off;
        log_squares += log_off * log_off;
    }
    errors.count = rows->count;
    errors.mape_percent = sum / count;
    errors.rmsle = sqrt(log_squares / count);
    if (rows->count > 1)
        errors.standard_error_percent = sqrt(
            fmax(squares / count - errors.mape_percent * errors.mape_percent, 0) / (count - 1));
    return errors;
}

struct held_out_errors held_out_errors_known(const struct held_out_errors *errors)
{
    return errors->count > 0 ? *errors : held_out_errors_of(NULL);
}

const char *held_out_text(char text[HELD_OUT_TEXT_SIZE], const struct held_out_errors *errors)
{
    if (isnan(errors->standard_error_percent))
        snprintf(text, HELD_OUT_TEXT_SIZE, "%.3g %%", errors->mape_percent);
    else
        snprintf(text, HELD_OUT_TEXT_SIZE, "%.3g +- %.2g %%", errors->mape_percent,
                 errors->standard_error_percent);
    return text;
}
