#include "cli/predict_text.h"

#include "base/human.h"
#include "bench/device_identity.h"
#include "cli/cli.h"
#include "pictures/device_names.h"

#include <math.h>
#include <stdlib.h>

enum {
    INDENT = 10, /* of the head */
    SHARE_SIZE = 48,
};

int extrapolating_layers(const struct forecast *forecast, const struct network *network)
{
    int count = 0;
    for (int i = 0; i < network->layer_count; i++)
        count += forecast->layers[i].extrapolates;
    return count;
}

const char *predictor_of(const struct forecast_grid *all, const struct prediction *layer)
{
    return layer->covered ? all->request->selection.model.predictor->type->name : "roofline";
}

/* ---- the head ---- */

void print_network_head(const struct network *network)
{
    char count[HUMAN_TEXT_SIZE];
    double parameters = 0;
    for (int i = 0; i < network->layer_count; i++)
        parameters += (double)network_cost(&network->layers[i], 1, PASS_FORWARD, OPTIMIZER_NONE,
                                           PRECISION_FP32)
                          .parameter_count;
    printf("network   %s: %s parameters, %d layer%s\n", network->name,
           human_text(count, SCALE_NUMBER, parameters, 0), network->layer_count,
           network->layer_count == 1 ? "" : "s");
}

static void print_devices(const struct forecast_request *request)
{
    char memory[HUMAN_TEXT_SIZE], names[NAMED_DEVICES * (DEVICE_LABEL_LIMIT + 2) + 24];
    const struct device_info *devices[NAMED_DEVICES];
    for (int i = 0; i < request->device_count && i < NAMED_DEVICES; i++)
        devices[i] = request->devices[i].info;
    name_devices(names, sizeof names, devices, request->device_count);
    printf("device    %s", names);
    if (request->device_count == 1 && request->devices[0].memory_bytes > 0)
        printf("; %s of memory",
               human_text(memory, SCALE_BYTES, (double)request->devices[0].memory_bytes, 0));
    printf("; %s\n", choice_name(&choice_precision, request->common.precision));
}

void print_steps_head(const struct network_selection *selection, bool is_default_pass)
{
    bool passes[PASS_COUNT] = {false}, optimizers[OPTIMIZER_COUNT] = {false};
    const char *separator = "pass      ";
    for (int i = 0; i < selection->step_count; i++) {
        passes[selection->steps[i].pass] = true;
        optimizers[selection->steps[i].optimizer] = true;
    }
    for (int pass = 0; pass < PASS_COUNT; pass++)
        if (passes[pass]) {
            printf("%s%s", separator, choice_name(&choice_pass, pass));
            separator = ", ";
        }
    if (is_default_pass && passes[PASS_TRAIN])
        printf(" (the default)");
    separator = "; optimizer ";
    for (int i = OPTIMIZER_NONE + 1; i < OPTIMIZER_COUNT; i++)
        if (optimizers[i]) {
            printf("%s%s", separator, choice_name(&choice_optimizer, i));
            separator = ", ";
        }
    putchar('\n');
}

/* "3.1 %", "3.1 to 4.7 %" of all forecasts. */
static void write_roofline_share(char text[SHARE_SIZE], const struct forecast_grid *all)
{
    double least = 100, most = 0;
    char from[SHARE_SIZE / 2] = "";
    for (int i = 0; i < all->count; i++) {
        const struct forecast *row = &all->rows[i].forecast;
        const double percent = row->uncovered_count ? 100 * row->uncovered_ms / row->batch_ms : 0;
        least = fmin(least, percent);
        most = fmax(most, percent);
    }
    if (most - least >= 0.05)
        snprintf(from, sizeof from, "%.1f to ", least);
    snprintf(text, SHARE_SIZE, "%s%.*f %%", from, most > 0, most);
}

static void print_source(const struct forecast_grid *all)
{
    const struct network *network = &all->request->selection.network;
    char share[SHARE_SIZE], count[24] = "", line[200];
    int beyond = 0, uncovered = 0;
    for (int i = 0; i < all->count; i++) {
        const struct forecast *row = &all->rows[i].forecast;
        const int own = extrapolating_layers(row, network);
        beyond = own > beyond ? own : beyond;
        uncovered = row->uncovered_count > uncovered ? row->uncovered_count : uncovered;
    }
    write_roofline_share(share, all);
    if (uncovered)
        snprintf(count, sizeof count, " (%d layer%s)", uncovered, uncovered == 1 ? "" : "s");
    snprintf(line, sizeof line,
             "by %s, %s by the roofline%s; %d of %d layers beyond the training rows",
             all->request->selection.model.predictor->type->name, share, count, beyond,
             network->layer_count);
    printf("%-*s", INDENT, "forecast");
    table_print_wrapped(stdout, line, TABLE_WIDTH - INDENT, INDENT);
}

void print_forecast_head(const struct forecast_grid *all, bool is_default_pass)
{
    print_network_head(&all->request->selection.network);
    print_devices(all->request);
    print_steps_head(&all->request->selection, is_default_pass);
    if (all->count > 0)
        print_source(all);
    putchar('\n');
}

/* ---- layers by time ---- */

struct timed_layer {
    const struct network_layer *layer;
    const struct prediction *prediction;
};

/* NaN last; equal times in the order of the network. */
static int by_time(const void *a, const void *b)
{
    const struct timed_layer *first = a, *second = b;
    const double first_ms = first->prediction->median_ms, second_ms = second->prediction->median_ms;
    if (first_ms > second_ms || (isnan(second_ms) && !isnan(first_ms)))
        return -1;
    if (first_ms < second_ms || (isnan(first_ms) && !isnan(second_ms)))
        return 1;
    return first->layer < second->layer ? -1 : 1;
}

static const struct table_column layer_columns[] = {
    {.name = "name", .width = 36},
    {.name = "layer", .width = 24},
    {.name = "ms", .title = "time", .scale = SCALE_MS},
    {.name = "share_percent", .title = "share", .scale = SCALE_PERCENT},
    {.name = "sum_percent", .title = "so far", .scale = SCALE_PERCENT},
    {.name = "low_ms", .title = "low", .scale = SCALE_MS},
    {.name = "high_ms", .title = "high", .scale = SCALE_MS},
    {.name = "extrapolates", .title = "beyond", .use = COLUMN_SEVERAL, .spare = 1},
    {.name = "predictor", .use = COLUMN_SEVERAL, .spare = 1}};

static void add_layers(struct table *table, const struct forecast_grid *all,
                       const struct timed_layer *layers, int count)
{
    double all_ms = 0, so_far_ms = 0;
    for (int i = 0; i < count; i++)
        all_ms += layers[i].prediction->median_ms;
    for (int i = 0; i < count; i++) {
        const struct prediction *prediction = layers[i].prediction;
        so_far_ms += prediction->median_ms;
        table_string(table, layers[i].layer->name);
        table_string(table, network_layer_kind(layers[i].layer));
        table_number(table, prediction->median_ms);
        table_number(table, 100 * prediction->median_ms / all_ms);
        table_number(table, 100 * so_far_ms / all_ms);
        table_number(table, prediction->low_ms);
        table_number(table, prediction->high_ms);
        table_string(table, prediction->extrapolates ? "yes" : "no");
        table_string(table, predictor_of(all, prediction));
    }
}

/* The step, with its own interval; several devices' exchange is not a layer's. */
static void add_sum(struct table *table, const struct forecast *forecast, double layers_ms)
{
    table_string(table, "sum");
    table_string(table, "");
    table_number(table, layers_ms);
    table_number(table, 100);
    table_number(table, NAN);
    table_number(table, forecast->device_count > 1 ? NAN : forecast->batch_low_ms);
    table_number(table, forecast->device_count > 1 ? NAN : forecast->batch_high_ms);
    table_string(table, "");
    table_string(table, "");
}

static void print_title(const struct forecast_grid *all, const struct forecast_grid_row *row)
{
    const struct forecast_request *request = all->request;
    printf("batch %d", row->forecast.batch_size);
    if (request->selection.step_count > 1)
        printf(", %s", choice_name(&choice_pass, row->forecast.pass));
    if (request->selection.step_count > 1 && row->forecast.optimizer != OPTIMIZER_NONE)
        printf(" %s", choice_name(&choice_optimizer, row->forecast.optimizer));
    if (request->device_count > 1)
        printf(", %s", row->device->info->name);
    if (request->is_parallel)
        printf(", %d GPUs", row->forecast.device_count);
    putchar('\n');
}

static enum status print_forecast_layers(const struct forecast_grid *all,
                                         const struct forecast_grid_row *row, struct error *error)
{
    const struct network *network = &all->request->selection.network;
    struct timed_layer *layers;
    struct table *table;
    double layers_ms = 0;
    TRY(ALLOCATE(&layers, (size_t)network->layer_count, "layers", error));
    for (int i = 0; i < network->layer_count; i++) {
        layers[i] = (struct timed_layer){&network->layers[i], &row->forecast.layers[i]};
        layers_ms += row->forecast.layers[i].median_ms;
    }
    qsort(layers, (size_t)network->layer_count, sizeof *layers, by_time);
    enum status status = table_create(&table, layer_columns,
                                      sizeof layer_columns / sizeof *layer_columns, error);
    if (status == STATUS_OK) {
        add_layers(table, all, layers, network->layer_count);
        add_sum(table, &row->forecast, layers_ms);
        print_title(all, row);
        status = cli_print_table(table, TABLE_TEXT, error);
    }
    free(layers);
    return status;
}

enum status print_slowest_layers(const struct forecast_grid *all, struct error *error)
{
    for (int i = 0; i < all->count; i++) {
        if (i > 0)
            putchar('\n');
        TRY(print_forecast_layers(all, &all->rows[i], error));
    }
    return STATUS_OK;
}
