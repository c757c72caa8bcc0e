#include "cli/caveat_notes.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/plot_option.h"
#include "cli/predict_framework.h"
#include "cli/predict_table.h"
#include "pictures/draw.h"

#include <string.h>

/* ---- forecasts that do not fit ---- */

/* "185" of one step on one device; of several: "185 of train sgd on V100, ...". */
static void name_step(char *text, size_t size, const struct forecast_grid *all,
                      const struct forecast_grid_row *row)
{
    const struct forecast_request *request = all->request;
    const struct forecast *forecast = &row->forecast;
    size_t used = (size_t)snprintf(text, size, "%lld",
                                   (long long)forecast_grid_largest_batch(request, row));
    if (request->selection.step_count > 1)
        used += (size_t)snprintf(text + used, size - used, " of %s %s",
                                 choice_name(&choice_pass, forecast->pass),
                                 choice_name(&choice_optimizer, forecast->optimizer));
    if (request->device_count > 1)
        used += (size_t)snprintf(text + used, size - used, " on %s", row->device->info->name);
    if (request->gpus_count > 1)
        snprintf(text + used, size - used, " with %d", forecast->device_count);
}

/* Largest batches of every step, device and number of GPUs with a forecast that does not fit; ends
 * in ", ..." if size bytes are too few. */
static void list_largest_batches(char *text, size_t size, const struct forecast_grid *all)
{
    const int batch_count = all->request->selection.batch_count;
    text[0] = '\0';
    for (int first = 0; first < all->count; first += batch_count) {
        char one[200];
        bool fits = true;
        for (int i = 0; i < batch_count; i++)
            fits = fits && all->rows[first + i].forecast.fits;
        if (fits)
            continue;
        name_step(one, sizeof one, all, &all->rows[first]);
        text_list_add(text, size, ", ", "%s", one);
    }
}

/* After the document: names the largest batches that fit. Of all devices, it is enough that some
 * fit: the ranking has the others. */
static enum status tell_too_large(const struct forecast_grid *all, const struct settings *settings,
                                  struct error *error)
{
    char batches[400], memory[HUMAN_TEXT_SIZE];
    const struct priced_device *device = &all->request->devices[0];
    const bool is_all = settings->device && strcmp(settings->device, "all") == 0;
    if (!all->too_large || (is_all && all->too_large < all->count))
        return STATUS_OK;
    if (all->request->device_count == 1)
        FAIL(error, STATUS_OUT_OF_MEMORY, "%d of %d forecasts do not fit the %s of %s",
             all->too_large, all->count,
             human_text(memory, SCALE_BYTES, (double)device->memory_bytes, 0), device->info->name);
    else
        FAIL(error, STATUS_OUT_OF_MEMORY, "%d of %d forecasts do not fit their device",
             all->too_large, all->count);
    list_largest_batches(batches, sizeof batches, all);
    if (strcmp(batches, "0") == 0)
        error_hint(error, "not even a batch of 1 fits");
    else
        error_hint(error, "the largest batch that fits is %s", batches);
    return STATUS_OUT_OF_MEMORY;
}

/* ---- the command ---- */

static enum status plot_predictions(const struct forecast_grid *all,
                                    const struct settings *settings, struct error *error)
{
    struct picture picture;
    if (!settings->plot || all->count == 0)
        return STATUS_OK;
    TRY(plot_begin(&picture, settings, error));
    return plot_end(&picture, draw_forecasts(&picture, all, settings->memory, error), settings,
                    error);
}

static enum status print_all(const struct forecast_grid *all, const struct settings *settings,
                             struct error *error)
{
    const struct predict_table_options table = {.format = settings->format,
                                                .has_layers = settings->layers,
                                                .has_memory = settings->memory,
                                                .is_default_pass = !settings->passes};
    struct caveats caveats = {.count = 0};
    if (all->count > 0)
        TRY(forecast_grid_caveats(&caveats, all, error));
    if (!settings->quiet)
        print_caveats(&caveats, true);
    TRY(print_predictions(all, &table, &caveats, error));
    if (!settings->quiet)
        print_caveats(&caveats, false);
    TRY(plot_predictions(all, settings, error));
    return tell_too_large(all, settings, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct forecast_request request;
    struct forecast_grid all;
    TRY(plot_check(settings, error));
    TRY(forecast_request_load(&request, NULL, settings, error));
    enum status status = forecast_grid_create(&all, &request, error);
    if (status == STATUS_OK) {
        status = check_framework(&all, error);
        if (status == STATUS_OK)
            status = print_all(&all, settings, error);
        forecast_grid_free(&all);
    }
    forecast_request_free(&request);
    return status;
}

static const char *const takes[] = {
    "dimension", "batch-axis",    "batch-in-file", "device-from",  "model",
    "device",    "batch",         "pass",          "optimizer",    "precision",
    "layers",    "memory",        "epochs",        "dataset-size", "price-per-hour",
    "watts",     "price-per-kwh", "device-memory", "framework",    "gpus",
    "link",      "all-reduce",    "scaling",       "plot",         NULL};
static const struct option_help helps[] = {
    {"device", "NAMES",
     "devices of the model or of the catalogue ('epochcast show devices'), separated by commas; a "
     "backend (cpu, cuda) means its device; all: the model's and, where it forecasts unseen "
     "devices, "
     "the catalogue's GPUs (default: the first)"},
    {NULL, NULL, NULL}};
const struct command command_predict = {
    .name = "predict",
    .summary = "forecast a network's time, memory and cost",
    .operands = "NETWORK --model MODEL.h5",
    .examples =
        "  epochcast predict vgg16 --model model.h5 --batch '1..16*2'\n"
        "  epochcast predict resnet50 --model model.h5 --pass forward --batch 1 --layers\n"
        "  epochcast predict net.onnx --model model.h5 --batch 8\n"
        "  epochcast predict bert.onnx --model model.h5 --dimension sequence=128 --batch 8\n"
        "  epochcast predict vgg16 --model model.h5 --batch 32 --optimizer sgd,adam \\\n"
        "      --dataset-size 1281167 --epochs 90 --price-per-hour 2.49\n"
        "  epochcast predict vgg16 --model model.h5 --batch '16..64*2' --memory\n"
        "  epochcast predict vgg16 --model model.h5 --batch '1..64*2' --plot vgg16.svg\n"
        "  epochcast predict resnet18 --model model.h5 --batch 4 --framework pytorch\n"
        "  epochcast predict vgg16 --model ceilings.h5 --device-from new.h5 --device A100 --batch "
        "8\n"
        "  epochcast predict resnet50 --model gpus.h5 --device H100-SXM --batch 64\n"
        "  epochcast predict resnet50 --model gpus.h5 --device all --batch 64 --dataset-size 1e6 "
        "\\\n"
        "      --price-per-hour prices.csv\n"
        "  epochcast predict vgg16 --model gpus.h5 --device V100,P100 --batch 64 --pass "
        "forward,train \\\n"
        "      --dataset-size 1281167 --price-per-hour 3.06,1.46 --gpus '1..8*2' --link nvlink\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = 1,
    .run = run,
};
