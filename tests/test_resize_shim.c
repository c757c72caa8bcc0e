/* Resizing's kernels, run in the shim, against double precision, in every storage type and both
 * orders. */
#include "resize_images.h"
#include "stored_array.h"

#include <math.h>

static const struct resized_images shapes[] = {
    {.batch = 2, .channels = 3, .height = 4, .width = 4, .output_height = 8, .output_width = 8},
    {.batch = 1, .channels = 5, .height = 7, .width = 3, .output_height = 9, .output_width = 10},
    {.batch = 2, .channels = 2, .height = 9, .width = 12, .output_height = 4, .output_width = 3},
    {.batch = 1, .channels = 1, .height = 1, .width = 6, .output_height = 5, .output_width = 6},
    {.batch = 1, .channels = 4, .height = 6, .width = 5, .output_height = 1, .output_width = 20},
};

/* Share that output pixel `output` has of input pixel `pixel`, along one axis. */
static double share(int64_t output, int64_t pixel, int64_t from, int64_t to, bool is_bilinear)
{
    const double place = ((double)output + 0.5) * (double)from / (double)to;
    if (!is_bilinear)
        return pixel == (int64_t)floor(place + 1e-9) ? 1 : 0;
    const double inside = fmin(fmax(place - 0.5, 0), (double)from - 1);
    return fmax(0, 1 - fabs(inside - (double)pixel));
}

static size_t place(const struct resized_images *of, int64_t image, int64_t channel, int64_t row,
                    int64_t column, int64_t height, int64_t width)
{
    return (size_t)(of->is_channels_last
                        ? ((image * height + row) * width + column) * of->channels + channel
                        : ((image * of->channels + channel) * height + row) * width + column);
}

/* Both directions are the same matrix: of sums over the other side's pixels. */
static double expected(const struct resized_images *of, const struct array *from, int64_t image,
                       int64_t channel, int64_t row, int64_t column, bool is_backward)
{
    const int64_t rows = is_backward ? of->output_height : of->height;
    const int64_t columns = is_backward ? of->output_width : of->width;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            const double down = share(is_backward ? r : row, is_backward ? row : r, of->height,
                                      of->output_height, of->is_bilinear);
            const double right = share(is_backward ? c : column, is_backward ? column : c,
                                       of->width, of->output_width, of->is_bilinear);
            sum += down * right * at(from, place(of, image, channel, r, c, rows, columns));
        }
    return sum;
}

static void check(const struct resized_images *of, bool is_backward)
{
    const size_t planes = (size_t)(of->batch * of->channels);
    const size_t small = planes * (size_t)(of->height * of->width);
    const size_t large = planes * (size_t)(of->output_height * of->output_width);
    const int64_t rows = is_backward ? of->height : of->output_height;
    const int64_t columns = is_backward ? of->width : of->output_width;
    struct array from = make_array(is_backward ? large : small, 1, of->precision);
    struct array to = make_array(is_backward ? small : large, 2, of->precision);
    assert_int_equal(is_backward ? launch_resize_backward(to.data, from.data, of, NULL)
                                 : launch_resize(to.data, from.data, of, NULL),
                     cudaSuccess);
    for (int64_t image = 0; image < of->batch; image++)
        for (int64_t channel = 0; channel < of->channels; channel++)
            for (int64_t i = 0; i < rows * columns; i++) {
                const double wanted = expected(of, &from, image, channel, i / columns, i % columns,
                                               is_backward);
                const double got = at(
                    &to, place(of, image, channel, i / columns, i % columns, rows, columns));
                if (!(fabs(got - wanted) <=
                      (2 * rounding[of->precision] + 1e-5) * (1 + fabs(wanted))))
                    fail_msg("%lld: got %g, expected %g (%s)", (long long)i, got, wanted,
                             choice_name(&choice_precision, of->precision));
            }
    cudaFree(from.data);
    cudaFree(to.data);
}

static void images_are_resized_and_differentiated(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (int variant = 0; variant < 4; variant++)
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
                struct resized_images of = shapes[i];
                of.precision = precision;
                of.is_bilinear = variant & 1;
                of.is_channels_last = variant >> 1;
                check(&of, false);
                check(&of, true);
            }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(images_are_resized_and_differentiated)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
