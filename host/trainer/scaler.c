#include "trainer/scaler.h"

#include <math.h>

/* A deviation below this share of the mean is float rounding, not information. */
static const double constant_share = 1e-6;

static void add_rows(double *sums, const float *rows, size_t row_count, int column_count)
{
    for (size_t row = 0; row < row_count; row++)
        for (int column = 0; column < column_count; column++)
            sums[column] += rows[row * (size_t)column_count + (size_t)column];
}

static void add_squares(double *sums, const double *means, const float *rows, size_t row_count,
                        int column_count)
{
    for (size_t row = 0; row < row_count; row++)
        for (int column = 0; column < column_count; column++) {
            const double distance = rows[row * (size_t)column_count + (size_t)column] -
                                    means[column];
            sums[column] += distance * distance;
        }
}

void scaler_fit(struct scaler *scaler, const float *rows, size_t row_count, int column_count,
                double limit)
{
    *scaler = (struct scaler){.column_count = column_count, .limit = limit};
    add_rows(scaler->means, rows, row_count, column_count);
    for (int column = 0; column < column_count; column++)
        scaler->means[column] /= (double)row_count;

    double squares[ENCODE_COLUMN_LIMIT] = {0};
    add_squares(squares, scaler->means, rows, row_count, column_count);
    for (int column = 0; column < column_count; column++) {
        const double deviation = sqrt(squares[column] / (double)row_count);
        const bool constant = !(deviation > constant_share * fabs(scaler->means[column]));
        scaler->inverse_scales[column] = constant ? 0 : 1 / deviation;
    }
}

void scaler_apply(const struct scaler *scaler, float *rows, size_t row_count)
{
    const size_t width = (size_t)scaler->column_count;
    for (size_t row = 0; row < row_count; row++)
        for (size_t column = 0; column < width; column++) {
            float *value = &rows[row * width + column];
            double scaled = (*value - scaler->means[column]) * scaler->inverse_scales[column];
            if (scaler->limit > 0)
                scaled = fmax(-scaler->limit, fmin(scaler->limit, scaled));
            *value = (float)scaled;
        }
}
