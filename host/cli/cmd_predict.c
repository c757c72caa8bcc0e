#include "cli/cli.h"
#include "cli/network_choice.h"

#include "model/forecast.h"

#include <math.h>
#include <stdlib.h>

struct forecasts {
    struct forecast *rows;
    int count, too_large;
};

static enum status forecast_all(struct forecasts *all, const struct network_choice *choice,
                                const struct device_info *device, const struct settings *settings,
                                struct error *error)
{
    for (int o = 0; o < choice->optimizer_count; o++)
        for (int b = 0; b < choice->batch_count; b++) {
            const struct forecast_options wanted = {
                .batch_size = choice->batch_sizes[b],
                .pass = choice->pass,
                .optimizer = choice->optimizers[o],
                .precision = settings->precision,
                .dataset_size = settings->dataset_size > 0 ? settings->dataset_size : 0,
                .epochs = settings->epochs > 0 ? (int32_t)settings->epochs : 0,
                .price_per_hour = settings->price_per_hour};
            TRY(forecast_network(&all->rows[all->count], &choice->network, choice->model.predictor,
                                 device, &wanted, error));
            all->too_large += !all->rows[all->count++].fits;
        }
    return STATUS_OK;
}

static int extrapolating_layers(const struct forecast *forecast, const struct network *network)
{
    int count = 0;
    for (int i = 0; i < network->layer_count; i++)
        count += forecast->layers[i].extrapolates;
    return count;
}

static enum status print_rows(const struct forecasts *all, const struct network *network,
                              const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {
        {"batch_size", 0},   {"pass", 0},          {"optimizer", 0}, {"batch_ms", 4},
        {"batch_low_ms", 4}, {"batch_high_ms", 4}, {"epoch_s", 4},   {"total_s", 4},
        {"cost", 4},         {"memory_bytes", 0},  {"fits", 0},      {"layers_extrapolating", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < all->count; i++) {
        const struct forecast *row = &all->rows[i];
        table_integer(table, row->batch_size);
        table_string(table, choice_name(&choice_pass, row->pass));
        table_string(table, choice_name(&choice_optimizer, row->optimizer));
        table_number(table, row->batch_ms);
        table_number(table, row->batch_low_ms);
        table_number(table, row->batch_high_ms);
        table_number(table, row->epoch_s);
        table_number(table, row->total_s);
        table_number(table, row->cost);
        table_integer(table, row->memory_bytes);
        table_string(table, row->fits ? "yes" : "no");
        table_integer(table, extrapolating_layers(row, network));
    }
    return cli_print_table(table, settings, error);
}

/* Model files hold networks alone; what those do not cover takes the roofline. */
static const char *predictor_of(const struct prediction *layer)
{
    return layer->covered ? "mlp" : "roofline";
}

static enum status print_layers(const struct forecasts *all, const struct network *network,
                                const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {
        {"batch_size", 0}, {"optimizer", 0}, {"name", 0},         {"layer", 0},    {"ms", 4},
        {"low_ms", 4},     {"high_ms", 4},   {"extrapolates", 0}, {"predictor", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < all->count; i++)
        for (int j = 0; j < network->layer_count; j++) {
            const struct prediction *layer = &all->rows[i].layers[j];
            table_integer(table, all->rows[i].batch_size);
            table_string(table, choice_name(&choice_optimizer, all->rows[i].optimizer));
            table_string(table, network->layers[j].name);
            table_string(table, network_layer_kind(&network->layers[j]));
            table_number(table, layer->median_ms);
            table_number(table, layer->low_ms);
            table_number(table, layer->high_ms);
            table_string(table, layer->extrapolates ? "yes" : "no");
            table_string(table, predictor_of(layer));
        }
    return cli_print_table(table, settings, error);
}

static void json_layers(struct json *json, const struct forecast *forecast,
                        const struct network *network)
{
    json_open(json, "layers", '[');
    for (int i = 0; i < network->layer_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "name", network->layers[i].name);
        json_string(json, "layer", network_layer_kind(&network->layers[i]));
        json_string(json, "predictor", predictor_of(&forecast->layers[i]));
        json_number(json, "ms", forecast->layers[i].median_ms);
        json_number(json, "low_ms", forecast->layers[i].low_ms);
        json_number(json, "high_ms", forecast->layers[i].high_ms);
        json_bool(json, "extrapolates", forecast->layers[i].extrapolates);
        json_bool(json, "covered", forecast->layers[i].covered);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_row(struct json *json, const struct forecast *row, const struct network *network)
{
    json_open(json, NULL, '{');
    json_integer(json, "batch_size", row->batch_size);
    json_string(json, "pass", choice_name(&choice_pass, row->pass));
    json_string(json, "optimizer", choice_name(&choice_optimizer, row->optimizer));
    json_number(json, "batch_ms", row->batch_ms);
    json_number(json, "batch_low_ms", row->batch_low_ms);
    json_number(json, "batch_high_ms", row->batch_high_ms);
    json_number(json, "epoch_s", row->epoch_s);
    json_number(json, "total_s", row->total_s);
    json_integer(json, "memory_bytes", row->memory_bytes);
    json_bool(json, "fits", row->fits);
    json_number(json, "cost", row->cost);
    json_integer(json, "roofline_layers", row->uncovered_count);
    json_number(json, "roofline_percent", 100 * row->uncovered_ms / row->batch_ms);
    json_layers(json, row, network);
    json_close(json, '}');
}

static void print_json(const struct forecasts *all, const struct network *network,
                       const struct device_info *device)
{
    struct json json;
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    json_string(&json, "network", network->name);
    json_string(&json, "device", device->name);
    json_open(&json, "rows", '[');
    for (int i = 0; i < all->count; i++)
        json_row(&json, &all->rows[i], network);
    json_close(&json, ']');
    json_close(&json, '}');
    json_end(&json);
}

/* A document is printed first, then: which batch would fit. */
static enum status tell_too_large(const struct forecasts *all, const struct network_choice *choice,
                                  const struct device_info *device, const struct settings *settings,
                                  struct error *error)
{
    if (!all->too_large)
        return STATUS_OK;
    int32_t optimizer = choice->optimizers[choice->optimizer_count - 1];
    int32_t largest = network_largest_batch(&choice->network, choice->pass, optimizer,
                                            settings->precision, device->memory_bytes);
    FAIL(error, STATUS_OUT_OF_MEMORY, "%d of %d forecasts do not fit the %lld bytes of %s",
         all->too_large, all->count, (long long)device->memory_bytes, device->name);
    error_hint(error, "the largest batch that fits is %d", largest);
    return STATUS_OUT_OF_MEMORY;
}

/* What the model did not forecast, and how much of the time that is. */
static enum status note_roofline(const struct forecasts *all, const struct network *network,
                                 const struct settings *settings, struct error *error)
{
    char kinds[256];
    double least_percent = 100, most_percent = 0;
    if (settings->quiet || !all->count || !all->rows[0].uncovered_count)
        return STATUS_OK;
    TRY(forecast_uncovered_kinds(kinds, sizeof kinds, &all->rows[0], network, error));
    for (int i = 0; i < all->count; i++) {
        const double percent = 100 * all->rows[i].uncovered_ms / all->rows[i].batch_ms;
        least_percent = fmin(least_percent, percent);
        most_percent = fmax(most_percent, percent);
    }
    fprintf(stderr, "note: the model does not cover %d of %d layers (%.1f",
            all->rows[0].uncovered_count, network->layer_count, least_percent);
    if (most_percent - least_percent >= 0.05)
        fprintf(stderr, " to %.1f", most_percent);
    fprintf(stderr, " %% of the time, by the roofline): %s\n", kinds);
    return STATUS_OK;
}

static enum status print_forecasts(const struct forecasts *all, const struct network_choice *choice,
                                   const struct device_info *device,
                                   const struct settings *settings, struct error *error)
{
    if (settings->form == TABLE_JSON)
        print_json(all, &choice->network, device);
    else if (settings->layers)
        TRY(print_layers(all, &choice->network, settings, error));
    else
        TRY(print_rows(all, &choice->network, settings, error));
    TRY(note_roofline(all, &choice->network, settings, error));
    return tell_too_large(all, choice, device, settings, error);
}

static enum status forecast_and_print(const struct network_choice *choice,
                                      const struct settings *settings, struct error *error)
{
    const struct device_info *device;
    struct forecasts all = {0};
    TRY(model_device(&device, &choice->model, settings->device, error));
    TRY(error_allocate((void **)&all.rows, (size_t)(choice->batch_count * choice->optimizer_count),
                       sizeof *all.rows, "forecasts", error));
    enum status status = forecast_all(&all, choice, device, settings, error);
    if (status == STATUS_OK)
        status = print_forecasts(&all, choice, device, settings, error);
    for (int i = 0; i < all.count; i++)
        forecast_free(&all.rows[i]);
    free(all.rows);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct network_choice choice;
    TRY(network_choice_load(&choice, settings, error));
    enum status status = forecast_and_print(&choice, settings, error);
    network_choice_free(&choice);
    return status;
}

static const char *const takes[] = {"model",        "device",         "batch",  "pass",
                                    "optimizer",    "precision",      "layers", "epochs",
                                    "dataset-size", "price-per-hour", NULL};
const struct command command_predict = {
    .name = "predict",
    .summary = "forecast a network's time, memory and cost",
    .operands = "NETWORK --model MODEL.h5",
    .examples = "  epochcast predict vgg16 --model model.h5 --batch 1..16*2\n"
                "  epochcast predict resnet50 --model model.h5 --pass forward --batch 1 --layers\n"
                "  epochcast predict net.onnx --model model.h5 --batch 8\n"
                "  epochcast predict vgg16 --model model.h5 --batch 32 --optimizer sgd,adam \\\n"
                "      --dataset-size 1281167 --epochs 90 --price-per-hour 2.49\n",
    .options = takes,
    .operand_minimum = 1,
    .operand_maximum = 1,
    .run = run,
};
