/* The `paleo` baseline: Qi, Sparks, Talwalkar, "Paleo: a performance model for deep neural
 * networks", ICLR 2017, section 3 (computation and memory access of a layer; algorithms of a
 * convolution; platform percent of peak), with the operation counts of its published program.
 *
 *   time = sum over passes of  FLOPs(algorithm) / (peak * share(algorithm))
 *                            + bytes / (bandwidth * share(memory))
 *
 * bytes: padded input + filters + output of every pass, fp32. Passes: forward; training adds the
 * gradients of data and filters, each with the forward pass's counts, and an update of 2 FLOPs and
 * 3 array passes per parameter. Bias and activation are not modelled. A convolution of stride 1 is
 * done by the cheapest of GEMM, FFT of the whole image and FFT of 32 x 32 tiles (by FLOPs).
 *
 * Paleo is given the shares of peak per platform; here they are fitted, per device and kind, to
 * relative errors of the training rows, none below 0. They may exceed 1: libraries know cheaper
 * algorithms (Winograd). A device without rows gets the training devices' mean.
 */
#include "base/least_squares.h"
#include "predictors/baseline.h"
#include "predictors/predictor_roofline.h"

#include <math.h>

enum { ALGORITHM_DIRECT, ALGORITHM_FFT, ALGORITHM_FFT_TILED, MEMORY, TERM_COUNT };
enum { FFT_TILE = 32 };

struct paleo_state {
    double inverse_shares[TERM_COUNT];
};

/* What one layer costs, in FLOPs by algorithm and bytes. */
struct work {
    double terms[TERM_COUNT];
};

/* Transforms (5 t^2 log2 t of a square of side t, halved for real data) and products (4 a complex
 * point) of an FFT convolution whose images are cut into `tiles` of high x wide points. */
static double fft_flops(double rows, const struct conv2d *conv, double tiles, double high,
                        double wide)
{
    const double in = conv->channels_in, out = conv->channels_out, pairs = in * out / conv->groups;
    const double transforms = tiles * rows * (in + out) + pairs, area = high * wide;
    return transforms * 5 * area * (log2(area) / 2) +
           4 * tiles * rows * pairs * high * (wide / 2 + 1);
}

static double fft_side(double cells)
{
    return exp2(ceil(log2(cells)));
}

static double fft_tiles(const struct window_axis *axis)
{
    return ceil(axis->window.output_size / (double)(FFT_TILE - axis->kernel + 1));
}

static double padded_size(const struct window_axis *axis)
{
    return axis->image + axis->window.pad_before + axis->window.pad_after;
}

static void add_convolution(struct work *work, const struct layer_config *config, double passes)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    const double rows = config->batch_size, in = conv->channels_in, out = conv->channels_out;
    const double cells = (double)high->window.output_size * wide->window.output_size;
    const double padded = padded_size(high) * padded_size(wide);
    const double filters = (double)high->kernel * wide->kernel * in * out / conv->groups;
    double flops[MEMORY] = {2 * rows * cells * filters, INFINITY, INFINITY};
    if (conv->stride == 1 && conv->dilation == 1) {
        flops[ALGORITHM_FFT] = fft_flops(rows, conv, 1, fft_side(padded_size(high)),
                                         fft_side(padded_size(wide)));
        if (high->kernel <= FFT_TILE && wide->kernel <= FFT_TILE)
            flops[ALGORITHM_FFT_TILED] = fft_flops(rows, conv, fft_tiles(high) * fft_tiles(wide),
                                                   FFT_TILE, FFT_TILE);
    }
    int cheapest = ALGORITHM_DIRECT;
    for (int i = 1; i < MEMORY; i++)
        if (flops[i] < flops[cheapest])
            cheapest = i;
    work->terms[cheapest] += passes * flops[cheapest];
    work->terms[MEMORY] += passes * FLOAT_BYTES *
                           (rows * padded * in + filters + rows * cells * out);
}

static void add_product(struct work *work, const struct layer_config *config, double passes)
{
    const double rows = config->batch_size, in = config->as.dense.inputs;
    const double out = config->as.dense.outputs;
    work->terms[ALGORITHM_DIRECT] += passes * 2 * rows * in * out;
    work->terms[MEMORY] += passes * FLOAT_BYTES * (rows * in + in * out + rows * out);
}

static void add_pooling(struct work *work, const struct layer_config *config, double passes)
{
    const struct pool2d *pool = &config->as.pool2d;
    const struct window window = window_of(pool->image_size, pool->kernel_size, pool->stride,
                                           pool->padding);
    const double rows = config->batch_size, side = window.output_size;
    const double padded = pool->image_size + window.pad_before + window.pad_after;
    const double output = rows * side * side * pool->channels;
    work->terms[ALGORITHM_DIRECT] += passes * 2 * pool->kernel_size * pool->kernel_size * output;
    work->terms[MEMORY] += passes * FLOAT_BYTES *
                           (rows * padded * padded * pool->channels + output);
}

/* Paleo's formulas, by kind. */
typedef void (*formula)(struct work *work, const struct layer_config *config, double passes);
static const formula formulas[LAYER_KIND_COUNT] = {
    [LAYER_DENSE] = add_product, [LAYER_CONV2D] = add_convolution, [LAYER_POOL2D] = add_pooling};

/* Of all others: operations and bytes of the forward pass, as Paleo's layers have. */
static void add_forward(struct work *work, const struct layer_question *question, double passes)
{
    const struct cost cost = cost_of_work(question->work, PASS_FORWARD, OPTIMIZER_NONE,
                                          question->precision);
    work->terms[ALGORITHM_DIRECT] += passes * cost.flops;
    work->terms[MEMORY] += passes * (cost.bytes_read + cost.bytes_written);
}

/* Training adds a pass per gradient, of data and of weights, and one where neither is work. */
static double pass_count(const struct layer_question *question)
{
    bool has_phase[WORK_PHASE_COUNT] = {false};
    if (question->pass != PASS_TRAIN)
        return 1;
    for (int i = 0; i < question->work->operation_count; i++)
        has_phase[question->work->operations[i].phase] = true;
    return 1 + fmax(1, has_phase[WORK_BACKWARD_DATA] + has_phase[WORK_BACKWARD_WEIGHTS]);
}

static struct work work_of(const struct layer_question *question)
{
    struct work work = {{0}};
    const double passes = pass_count(question);
    const formula add = question->config ? formulas[question->config->kind] : NULL;
    if (add)
        add(&work, question->config, passes);
    else
        add_forward(&work, question, passes);
    if (question->optimizer != OPTIMIZER_NONE) {
        const double parameters = work_elements(question->work, TENSOR_WEIGHTS) +
                                  work_elements(question->work, TENSOR_BIAS);
        work.terms[ALGORITHM_DIRECT] += 2 * parameters;
        work.terms[MEMORY] += 3.0 * FLOAT_BYTES * parameters;
    }
    return work;
}

/* terms_ms: what each term takes at the full peak. False: the device's peaks are unknown. */
static bool terms_of(double *terms_ms, const struct layer_question *question,
                     const struct device_info *device)
{
    const struct device_rates rates = device_rates_of(device);
    const struct work work = work_of(question);
    for (int i = 0; i < TERM_COUNT; i++)
        terms_ms[i] = work.terms[i] / (1e6 * (i == MEMORY ? rates.gbps : rates.gflops));
    return !isnan(rates.gbps) && !isnan(rates.gflops);
}

/* Memory comes first: of a kind whose FLOPs and bytes are proportional (softmax) the bytes explain
 * all, else operators without FLOPs would take no time. */
static int from_end(int term)
{
    return TERM_COUNT - 1 - term;
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    (void)error;
    double matrix[TERM_COUNT * TERM_COUNT] = {0}, sides[TERM_COUNT] = {0}, terms_ms[TERM_COUNT];
    for (size_t row = 0; row < count; row++) {
        struct layer_work layer;
        const struct layer_question question = question_of(rows[row].config, &layer);
        if (!terms_of(terms_ms, &question, rows[row].device))
            return STATUS_OK;
        for (int i = 0; i < TERM_COUNT; i++) {
            const double share = terms_ms[from_end(i)] / rows[row].measured_ms;
            sides[i] += share;
            for (int j = 0; j < TERM_COUNT; j++)
                matrix[i * TERM_COUNT + j] += share * terms_ms[from_end(j)] / rows[row].measured_ms;
        }
    }
    struct paleo_state *paleo = state;
    double solution[TERM_COUNT];
    nonnegative_solve(solution, matrix, sides, TERM_COUNT);
    for (int i = 0; i < TERM_COUNT; i++)
        paleo->inverse_shares[from_end(i)] = solution[i];
    *fitted = true;
    return STATUS_OK;
}

static double forecast_ms(const void *state, const struct layer_question *question,
                          const struct device_info *device)
{
    const struct paleo_state *paleo = state;
    double terms_ms[TERM_COUNT], sum_ms = 0;
    if (!terms_of(terms_ms, question, device))
        return NAN;
    for (int i = 0; i < TERM_COUNT; i++)
        sum_ms += terms_ms[i] * paleo->inverse_shares[i];
    const double clock_ms = 1 / (1e3 * fmax(device->clock_mhz, 1)); /* Paleo's shortest time */
    return fmax(sum_ms, clock_ms);
}

static void transfer(void *state, const void *const *states, const struct device_info *devices,
                     int count, const struct device_info *target)
{
    (void)devices;
    (void)target;
    struct paleo_state *paleo = state;
    for (int i = 0; i < TERM_COUNT; i++)
        for (int device = 0; device < count; device++)
            paleo->inverse_shares[i] +=
                ((const struct paleo_state *)states[device])->inverse_shares[i] / count;
}

static const struct member members[] = {
    {"inverse_shares", offsetof(struct paleo_state, inverse_shares), .type = MEMBER_DOUBLE,
     .count = TERM_COUNT},
};

static const struct baseline_law law = {
    .type = &predictor_paleo,
    .state_size = sizeof(struct paleo_state),
    .fit = fit,
    .forecast_ms = forecast_ms,
    .takes_operators = true,
    .transfer = transfer,
    LAW_MEMBERS(members),
};
BASELINE_PREDICTOR(paleo, law, "Paleo: FLOPs by algorithm and bytes at fitted shares of peak");
