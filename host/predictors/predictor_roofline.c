/* The `roofline` baseline: what the layer would take at the device's full speed. */
#include "predictors/predictor_roofline.h"

#include "predictors/baseline.h"
#include "predictors/model_content.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double rate(double measured, double nominal)
{
    if (isfinite(measured) && measured > 0)
        return measured;
    return isfinite(nominal) && nominal > 0 ? nominal : NAN;
}

struct device_rates device_rates_of(const struct device_info *device)
{
    return (struct device_rates){
        .gflops = rate(device->measured_sgemm_gflops, device->peak_gflops),
        .gbps = rate(device->measured_copy_gbps, device->bandwidth_gbps),
    };
}

struct device_unit device_unit_of(const struct device_info *device)
{
    static const struct {
        const char *technology, *name; /* the first that fits; name: a part of it */
        struct device_unit unit;
    } known[] = {{"Kepler", "", {192, 4, 9}},    {"Maxwell", "", {128, 4, 6}},
                 {"Pascal", "P100", {64, 2, 6}}, {"Pascal", "", {128, 4, 6}},
                 {"Ampere", "A100", {64, 4, 4}}, {"Ampere", "A30", {64, 4, 4}},
                 {"Ampere", "", {128, 4, 4}},    {"Ada", "", {128, 4, 4}},
                 {"Hopper", "", {128, 4, 4}},    {"Blackwell", "", {128, 4, 4}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(device->technology, known[i].technology, strlen(known[i].technology)) == 0 &&
            strstr(device->name, known[i].name))
            return known[i].unit;
    return (struct device_unit){64, 4, 4};
}

double roofline_cost_ms(const struct cost *cost, const struct device_info *device)
{
    const struct device_rates rates = device_rates_of(device);
    if (isnan(rates.gflops) || isnan(rates.gbps))
        return NAN;
    const double compute_ms = cost->flops / (rates.gflops * 1e6);
    const double memory_ms = (cost->bytes_read + cost->bytes_written) / (rates.gbps * 1e6);
    return fmax(compute_ms, memory_ms);
}

double roofline_ms(const struct layer_config *config, const struct device_info *device)
{
    const struct cost cost = layer_cost(config);
    return roofline_cost_ms(&cost, device);
}

static void count_rows(struct fit_report *reports, const struct dataset_rows *rows)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        reports[kind] = baseline_report(kind, 0);
    for (size_t i = 0; i < rows->count; i++)
        if (row_is_usable(&rows->rows[i]))
            reports[rows->rows[i].config.kind].rows++;
}

static void release(struct predictor *predictor)
{
    if (predictor)
        free(predictor->devices);
    free(predictor);
}

static enum status fit(struct predictor **out, const struct dataset_rows *rows,
                       const struct fit_options *options, struct fit_report *reports,
                       struct error *error)
{
    struct predictor *predictor;
    *out = NULL;
    TRY(fit_options_check(&options, &predictor_roofline, error));
    TRY(ALLOCATE(&predictor, 1, "predictor", error));
    predictor->type = &predictor_roofline;
    const enum status status = training_devices(&predictor->devices, &predictor->device_count, rows,
                                                error);
    if (status != STATUS_OK) {
        release(predictor);
        return status;
    }
    *out = predictor;
    if (reports)
        count_rows(reports, rows);
    return STATUS_OK;
}

/* Layers and operators alike: their costs say all. */
static enum status predict(struct prediction *predictions, const struct predictor *predictor,
                           const struct layer_question *questions, size_t count,
                           const struct device_info *device, struct error *error)
{
    (void)error;
    if (!device)
        device = &predictor->devices[0];
    for (size_t i = 0; i < count; i++) {
        const struct cost cost = questions[i].config ? layer_cost(questions[i].config)
                                                     : question_cost(&questions[i]);
        const double ms = roofline_cost_ms(&cost, device);
        predictions[i] = (struct prediction){
            .median_ms = ms, .low_ms = NAN, .high_ms = NAN, .covered = !isnan(ms)};
    }
    return STATUS_OK;
}

static bool knows(const struct predictor *predictor, enum layer_kind kind)
{
    (void)predictor;
    (void)kind;
    return true;
}

/* The devices say all. */
static enum status save(const struct predictor *predictor, const struct model_place *root,
                        struct error *error)
{
    (void)predictor;
    (void)root;
    (void)error;
    return STATUS_OK;
}

static enum status load(struct predictor **out, const struct model_place *root, struct error *error)
{
    struct predictor *predictor;
    TRY(ALLOCATE(&predictor, 1, "predictor", error));
    predictor->type = &predictor_roofline;
    const enum status status = model_devices_read(predictor, root, error);
    if (status == STATUS_OK)
        *out = predictor;
    else
        release(predictor);
    return status;
}

const struct predictor_type predictor_roofline = {
    .name = "roofline",
    .help = "FLOPs at peak speed or bytes at full bandwidth, whichever takes longer",
    .fit = fit,
    .predict = predict,
    .knows = knows,
    .save = save,
    .load = load,
    .free = release,
};
