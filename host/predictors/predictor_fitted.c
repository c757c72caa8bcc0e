/* The `fitted` baseline: ceilings of a layer's work times factors that are fitted per device and
 * kind (fitted_ceilings.h). A smooth roofline (Williams, Waterman, Patterson, CACM 2009) with the
 * shares that a library reaches; any number of rows is enough.
 *
 * A device without rows gets the mean of the training devices' factors at its own rates. Devices
 * whose rates are unknown have factors that hold for them alone: they have no part in that mean,
 * and without a rate of its own an unseen device is not covered.
 */
#include "predictors/baseline.h"
#include "predictors/fitted_ceilings.h"

#include <math.h>
#include <stdlib.h>

struct fitted_state {
    struct fitted_ceilings ceilings;
    struct device_rates rates; /* that theta belongs to; NaN: this device is not covered */
    bool rates_known;          /* false: some stand for unknown ones */
};

static enum status fit(void *base, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    struct fitted_state *state = base;
    void *memory;
    TRY(error_allocate(&memory, count, (CEILING_HEADS + 1) * sizeof(double), "ceilings", error));
    double *ceilings = memory, *log_ms = ceilings + count * CEILING_HEADS;
    state->rates_known = fitted_ceilings_rates(&state->rates, rows[0].device);
    for (size_t i = 0; i < count; i++) {
        struct layer_work work;
        const struct layer_question question = question_of(rows[i].config, &work);
        fitted_ceilings_row(ceilings + i * CEILING_HEADS, &question, &state->rates);
        log_ms[i] = log(rows[i].measured_ms);
    }
    fitted_ceilings_fit(&state->ceilings, ceilings, log_ms, count);
    free(memory);
    *fitted = true;
    return STATUS_OK;
}

/* The factors belong to the rates of the fit, whatever the device reaches today. */
static double forecast_ms(const void *base, const struct layer_question *question,
                          const struct device_info *device)
{
    (void)device;
    const struct fitted_state *state = base;
    double ceilings[CEILING_HEADS];
    if (isnan(state->rates.gflops) || isnan(state->rates.gbps))
        return NAN;
    fitted_ceilings_row(ceilings, question, &state->rates);
    return exp(fitted_ceilings_log_ms(&state->ceilings, ceilings));
}

static void transfer(void *base, const void *const *states, const struct device_info *devices,
                     int count, const struct device_info *target)
{
    (void)devices;
    struct fitted_state *state = base;
    int used = 0;
    *state = (struct fitted_state){.rates = device_rates_of(target)};
    for (int i = 0; i < count; i++) {
        const struct fitted_state *known = states[i];
        for (int head = 0; head < CEILING_HEADS && known->rates_known; head++)
            state->ceilings.theta[head] += known->ceilings.theta[head];
        used += known->rates_known;
    }
    if (used == 0)
        state->rates.gflops = NAN;
    for (int head = 0; head < CEILING_HEADS && used > 0; head++)
        state->ceilings.theta[head] /= used;
}

/* Bounds keep every forecast finite. */
#define AT(member) offsetof(struct fitted_state, member), .type = MEMBER_DOUBLE
static const struct member members[] = {
    {"theta", AT(ceilings.theta), .low = -200, .high = 200, .count = CEILING_HEADS},
    {"variance", AT(ceilings.variance), .low = 1e-4, .high = 1e6},
    {"gflops", AT(rates.gflops), .low = 1e-12, .high = 1e12},
    {"gbps", AT(rates.gbps), .low = 1e-12, .high = 1e12},
    {"rates_known", offsetof(struct fitted_state, rates_known), .type = MEMBER_BOOL},
};
#undef AT

static const struct baseline_law law = {
    .type = &predictor_fitted,
    .state_size = sizeof(struct fitted_state),
    .takes_few_rows = true,
    .fit = fit,
    .forecast_ms = forecast_ms,
    .takes_operators = true,
    .transfer = transfer,
    LAW_MEMBERS(members),
};
BASELINE_PREDICTOR(fitted, law,
                   "ceilings of compute, traffic and fixed cost, times fitted factors");
