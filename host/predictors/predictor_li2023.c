/* The `li2023` baseline: Li, Sun, Jog, "Path forward beyond simulators: fast and accurate GPU
 * execution time prediction for DNN workloads", MICRO 2023: time of a kernel is a straight line
 * over what drives it: its operations, its input size or its output size, whichever explains most
 * (R^2); a new GPU gets slopes whose inverse is linear in its bandwidth. In the form of NeuSight
 * (Lee, Phanishayee, Mahajan, ASPLOS 2025), which compares itself with it: t = a x + b per device,
 * b = 0 on a new device.
 *
 * Departure: kernels are not known here; there is one line per layer kind, pass and device.
 * Forecasts do not fall below the fastest training row.
 */
#include "predictors/baseline.h"
#include "predictors/row_selection.h"

#include <math.h>

enum driver { DRIVER_FLOPS, DRIVER_INPUT, DRIVER_OUTPUT, DRIVER_COUNT };

/* t = slope x + intercept, in ms; is_known: there were rows. */
struct line {
    double slope, intercept, r2;
    bool is_known;
};

struct li2023_state {
    struct line lines[PASS_COUNT][DRIVER_COUNT];
    double floor_ms;
};

/* Of several inputs only the first counts. */
static void set_drivers(double drivers[DRIVER_COUNT], const struct layer_question *question)
{
    const struct layer_tensor *input = work_find(question->work, TENSOR_INPUT, 0);
    drivers[DRIVER_FLOPS] = question_cost(question).flops;
    drivers[DRIVER_INPUT] = input ? input->count : 0;
    drivers[DRIVER_OUTPUT] = work_elements(question->work, TENSOR_OUTPUT);
}

/* Sums of a straight line's least squares. */
struct sums {
    double count, x, y, xx, xy, yy;
};

static void sums_add(struct sums *sums, double x, double y)
{
    sums->count++;
    sums->x += x;
    sums->y += y;
    sums->xx += x * x;
    sums->xy += x * y;
    sums->yy += y * y;
}

static struct line line_of(const struct sums *sums)
{
    const double n = fmax(sums->count, 1);
    const double xx = sums->xx - sums->x * sums->x / n, yy = sums->yy - sums->y * sums->y / n;
    const double xy = sums->xy - sums->x * sums->y / n;
    const double slope = xx > 1e-12 * sums->xx ? xy / xx : 0;
    return (struct line){
        .slope = slope,
        .intercept = (sums->y - slope * sums->x) / n,
        .r2 = slope > 0 && yy > 0 ? slope * xy / yy : 0,
        .is_known = sums->count > 0,
    };
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    (void)error;
    struct li2023_state *li = state;
    struct sums sums[PASS_COUNT][DRIVER_COUNT] = {{{0}}};
    li->floor_ms = INFINITY;
    for (size_t i = 0; i < count; i++) {
        struct layer_work work;
        double drivers[DRIVER_COUNT];
        const struct layer_question question = question_of(rows[i].config, &work);
        set_drivers(drivers, &question);
        for (int driver = 0; driver < DRIVER_COUNT; driver++)
            sums_add(&sums[question.pass][driver], drivers[driver], rows[i].measured_ms);
        li->floor_ms = fmin(li->floor_ms, rows[i].measured_ms);
    }
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int driver = 0; driver < DRIVER_COUNT; driver++)
            li->lines[pass][driver] = line_of(&sums[pass][driver]);
    *fitted = true;
    return STATUS_OK;
}

static double forecast_ms(const void *state, const struct layer_question *question,
                          const struct device_info *device)
{
    (void)device;
    const struct li2023_state *li = state;
    const struct line *lines = li->lines[question->pass];
    int best = 0;
    for (int driver = 1; driver < DRIVER_COUNT; driver++)
        if (lines[driver].r2 > lines[best].r2)
            best = driver;
    if (!lines[best].is_known)
        return NAN;
    double drivers[DRIVER_COUNT];
    set_drivers(drivers, question);
    return fmax(lines[best].slope * drivers[best] + lines[best].intercept, li->floor_ms);
}

/* 1 / slope of the target's bandwidth, by a line through the devices' (through the mean where all
 * bandwidths are equal); never below the slowest device's. */
static struct line transferred_line(const void *const *states, const struct device_info *devices,
                                    int count, const struct device_info *target, int pass,
                                    int driver)
{
    struct sums sums = {0};
    double slowest = INFINITY, r2 = 0;
    for (int i = 0; i < count; i++) {
        const struct line *line = &((const struct li2023_state *)states[i])->lines[pass][driver];
        if (!line->is_known || !(line->slope > 0))
            continue;
        sums_add(&sums, hardware_of(&devices[i]).bandwidth_gbps, 1 / line->slope);
        slowest = fmin(slowest, 1 / line->slope);
        r2 += line->r2 / count;
    }
    if (sums.count == 0)
        return (struct line){0};
    const struct line rate = line_of(&sums);
    const double bandwidth_gbps = hardware_of(target).bandwidth_gbps;
    const double target_rate = rate.slope * bandwidth_gbps + rate.intercept;
    return (struct line){.slope = 1 / fmax(target_rate, slowest), .r2 = r2, .is_known = true};
}

static void transfer(void *state, const void *const *states, const struct device_info *devices,
                     int count, const struct device_info *target)
{
    struct li2023_state *li = state;
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int driver = 0; driver < DRIVER_COUNT; driver++)
            li->lines[pass][driver] = transferred_line(states, devices, count, target, pass,
                                                       driver);
}

/* One value per pass and driver. */
#define LINES(member_, type_)                                                                      \
    offsetof(struct li2023_state, lines[0][0].member_),                                            \
        .type = (type_), .count = PASS_COUNT * DRIVER_COUNT, .stride = sizeof(struct line)
static const struct member members[] = {
    {"slopes", LINES(slope, MEMBER_DOUBLE)},
    {"intercepts", LINES(intercept, MEMBER_DOUBLE)},
    {"r2", LINES(r2, MEMBER_DOUBLE)},
    {"is_known", LINES(is_known, MEMBER_BOOL)},
    {"floor_ms", offsetof(struct li2023_state, floor_ms), .type = MEMBER_DOUBLE},
};
#undef LINES

static const struct baseline_law law = {
    .type = &predictor_li2023,
    .state_size = sizeof(struct li2023_state),
    .fit = fit,
    .forecast_ms = forecast_ms,
    .transfer = transfer,
    LAW_MEMBERS(members),
};
BASELINE_PREDICTOR(li2023, law, "a line over FLOPs, input or output size (Li et al. 2023)");
