#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/network_choice.h"

#include "base/stats.h"
#include "model/forecast.h"
#include "model/verify.h"

#include <math.h>
#include <stdlib.h>

/* Of one batch size: whole steps take long, and one sample has no interval. */
static const double default_cap_ms = 3000;

struct verification {
    const struct network_choice *choice;
    const struct device_info *known; /* the device as the model knows it */
    struct predictor *roofline;
    struct table *table;
    double errors_percent[BATCH_LIMIT * OPTIMIZER_COUNT];
    int count;
};

static const struct table_column columns[] = {
    {"network", 0},           {"batch_size", 0},     {"pass", 0},         {"optimizer", 0},
    {"measured_ms", 4},       {"measured_ci_ms", 3}, {"predicted_ms", 4}, {"predicted_low_ms", 4},
    {"predicted_high_ms", 4}, {"error_percent", 3},  {"roofline_ms", 4},  {"layers_left_out", 0}};

static enum status add_row(struct verification *all, const struct measurement *row,
                           const struct forecast *forecast, double roofline_ms)
{
    double error_percent = 100 * (forecast->batch_ms - row->median_ms) / row->median_ms;
    table_string(all->table, all->choice->network.name);
    table_integer(all->table, forecast->batch_size);
    table_string(all->table, choice_name(&choice_pass, forecast->pass));
    table_string(all->table, choice_name(&choice_optimizer, forecast->optimizer));
    table_number(all->table, row->median_ms);
    table_number(all->table, row->ci_ms);
    table_number(all->table, forecast->batch_ms);
    table_number(all->table, forecast->batch_low_ms);
    table_number(all->table, forecast->batch_high_ms);
    table_number(all->table, error_percent);
    table_number(all->table, roofline_ms);
    table_integer(all->table, all->choice->left_out_count);
    all->errors_percent[all->count++] = fabs(error_percent);
    return STATUS_OK;
}

static enum status forecast_with(struct forecast *forecast, const struct verification *all,
                                 const struct predictor *predictor,
                                 const struct device_info *device, int32_t batch_size,
                                 int32_t optimizer, int32_t precision, struct error *error)
{
    const struct forecast_options wanted = {.batch_size = batch_size,
                                            .pass = all->choice->pass,
                                            .optimizer = optimizer,
                                            .precision = precision,
                                            .price_per_hour = NAN};
    return forecast_network(forecast, &all->choice->network, predictor, device, &wanted, error);
}

static enum status verify_one(struct verification *all, struct device *device, int32_t batch_size,
                              int32_t optimizer, const struct settings *settings,
                              struct error *error)
{
    struct measurement row;
    struct forecast ours, roofline;
    const struct network_choice *choice = all->choice;
    struct measure_options asked = measure_options_of(settings);
    if (isnan(settings->cap_ms))
        asked.cap_ms = default_cap_ms;
    TRY(verify_network(&row, device, &choice->network, batch_size, choice->pass, optimizer,
                       settings->precision, &asked, error));
    TRY(forecast_with(&ours, all, choice->model.predictor, all->known, batch_size, optimizer,
                      settings->precision, error));
    enum status status = forecast_with(&roofline, all, all->roofline, all->known, batch_size,
                                       optimizer, settings->precision, error);
    if (status == STATUS_OK) {
        status = add_row(all, &row, &ours, roofline.batch_ms);
        forecast_free(&roofline);
    }
    forecast_free(&ours);
    return status;
}

static enum status verify_all(struct verification *all, struct device *device,
                              const struct settings *settings, struct error *error)
{
    struct progress progress;
    const struct network_choice *choice = all->choice;
    int total = choice->optimizer_count * choice->batch_count;
    enum status status = STATUS_OK;
    progress_begin(&progress, stderr, settings->quiet);
    for (int o = 0; o < choice->optimizer_count; o++)
        for (int b = 0; status == STATUS_OK && b < choice->batch_count; b++) {
            progress_update(&progress, all->count, total, "%s, batch %d", choice->network.name,
                            choice->batch_sizes[b]);
            status = verify_one(all, device, choice->batch_sizes[b], choice->optimizers[o],
                                settings, error);
        }
    progress_end(&progress);
    return status;
}

static void print_summary(struct verification *all, const struct settings *settings)
{
    if (settings->quiet || !all->count)
        return;
    stats_sort(all->errors_percent, (size_t)all->count);
    fprintf(stderr, "median absolute error %.1f %%, largest %.1f %%\n",
            stats_quantile(all->errors_percent, (size_t)all->count, 0.5),
            all->errors_percent[all->count - 1]);
}

/* A model that was trained on another device is told so, not compared silently. */
static enum status same_device(const struct device_info **known, struct device *device,
                               const struct model *model, struct error *error)
{
    struct device_info here;
    TRY(device->backend->describe(device, false, &here, error));
    for (int i = 0; i < model->device_count; i++)
        if (device_fingerprint(&model->devices[i]) == device_fingerprint(&here)) {
            *known = &model->devices[i];
            return STATUS_OK;
        }
    FAIL(error, STATUS_NO_DEVICE, "the model was not trained on %s (%s, %d thread%s)", here.name,
         here.backend, here.thread_count, here.thread_count == 1 ? "" : "s");
    return error_hint(error, "it knows %s; sweep and train on this device, with the same --threads",
                      model->device_count ? model->devices[0].name : "no device"),
           STATUS_NO_DEVICE;
}

/* The roofline needs a device, and nothing of the row that names it. */
static enum status fit_roofline(struct predictor **roofline, const struct device_info *known,
                                struct error *error)
{
    struct fit_options unused;
    struct device_info device = *known;
    struct measurement row = {.outcome = OUTCOME_OK, .median_ms = 1};
    const struct dataset_rows rows = {
        .rows = &row, .count = 1, .devices = &device, .device_count = 1};
    TRY(fit_options_preset(&unused, "default", error));
    return predictor_roofline.fit(roofline, &rows, &unused, NULL, error);
}

static enum status verify_on(struct device *device, const struct network_choice *choice,
                             const struct settings *settings, struct error *error)
{
    struct verification all = {.choice = choice};
    TRY(same_device(&all.known, device, &choice->model, error));
    TRY(fit_roofline(&all.roofline, all.known, error));
    enum status status = table_create(&all.table, columns, sizeof columns / sizeof *columns, error);
    if (status == STATUS_OK)
        status = verify_all(&all, device, settings, error);
    predictor_roofline.free(all.roofline);
    if (status != STATUS_OK) {
        table_free(all.table);
        return status;
    }
    print_summary(&all, settings);
    return cli_print_table(all.table, settings, error);
}

static enum status note_left_out(const struct network *network, int left_out,
                                 const struct settings *settings, struct error *error)
{
    char kinds[256];
    bool *is_operator;
    if (settings->quiet || !left_out)
        return STATUS_OK;
    TRY(error_allocate((void **)&is_operator, (unsigned long)network->layer_count,
                       sizeof *is_operator, "layers", error));
    for (int i = 0; i < network->layer_count; i++)
        is_operator[i] = network_layer_is_operator(&network->layers[i]);
    network_count_kinds(kinds, sizeof kinds, network, is_operator);
    free(is_operator);
    fprintf(stderr, "note: no benchmark runs %d of %d layers; measured and predicted without: %s\n",
            left_out, network->layer_count, kinds);
    return STATUS_OK;
}

/* Both sides of the comparison go without the operators that no benchmark covers. */
static enum status leave_out_operators(struct network_choice *choice,
                                       const struct settings *settings, struct error *error)
{
    struct network covered;
    TRY(network_without_operators(&covered, &choice->network, error));
    const int left_out = choice->network.layer_count - covered.layer_count;
    enum status status = note_left_out(&choice->network, left_out, settings, error);
    if (status == STATUS_OK && covered.layer_count == 0)
        status = FAIL(error, STATUS_FAILED, "network '%s': no benchmark runs any of its %d layers",
                      covered.name, left_out);
    if (status != STATUS_OK) {
        network_free(&covered);
        return status;
    }
    network_free(&choice->network);
    choice->network = covered;
    choice->left_out_count = left_out;
    return STATUS_OK;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct network_choice choice;
    struct device *device;
    TRY(network_choice_load(&choice, settings, error));
    enum status status = leave_out_operators(&choice, settings, error);
    if (status == STATUS_OK)
        status = open_device(&device, settings, error);
    if (status == STATUS_OK) {
        status = verify_on(device, &choice, settings, error);
        device_close(device);
    }
    network_choice_free(&choice);
    return status;
}

static const char *const takes[] = {"model",     "device",    "batch",    "pass",
                                    "optimizer", "threads",   "cap-ms",   "target-percent",
                                    "seed",      "precision", "autotune", NULL};
const struct command command_verify = {
    .name = "verify",
    .summary = "run a network's step for real and compare with the forecast",
    .operands = "NETWORK --model MODEL.h5",
    .examples = "  epochcast verify vgg16 --model model.h5 --device cpu --batch 1,4,16\n"
                "  epochcast verify resnet18 --model model.h5 --pass forward --batch 1..16*2\n",
    .options = takes,
    .operand_minimum = 1,
    .operand_maximum = 1,
    .run = run,
};
