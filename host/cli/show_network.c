/* Networks: the catalogue, and one network by layers. */
#include "cli/show.h"

#include "cli/forecast_request.h"
#include "cli/show_roofline.h"
#include "cli/show_shapes.h"
#include "network/network_blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- counts of one sample ---- */

static struct cost forward_cost(const struct network_layer *layer)
{
    return network_cost(layer, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32);
}

/* Of products of matrices alone, as literature counts them; all of a fused attention's work is
 * taken for products. */
static double multiply_adds(const struct network_layer *layer)
{
    struct layer_work work;
    double flops = 0;
    const bool is_fused = strstr(layer->operator_name, "attention") != NULL;
    network_work(&work, layer, 1);
    for (int i = 0; i < work.operation_count; i++)
        if (work.operations[i].phase == WORK_FORWARD &&
            (is_fused || work.operations[i].type == OPERATION_PRODUCT))
            flops += work.operations[i].flops;
    return flops / 2;
}

struct network_totals {
    int64_t parameter_count;
    double flops, multiply_adds, activation_count;
};

static struct network_totals totals_of(const struct network *network)
{
    struct network_totals totals = {0};
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        const struct cost cost = forward_cost(layer);
        totals.parameter_count += cost.parameter_count;
        totals.flops += cost.flops;
        totals.multiply_adds += multiply_adds(layer);
        totals.activation_count += network_layer_output_count(layer);
    }
    return totals;
}

/* ---- the catalogue ---- */

static enum status add_network_row(struct table *table, const char *name, struct error *error)
{
    struct network network;
    char input[SHAPE_SIZE];
    TRY(network_load(&network, name, error));
    const struct network_totals totals = totals_of(&network);
    write_network_shape(input, &network);
    table_string(table, name);
    table_integer(table, network.layer_count);
    table_integer(table, totals.parameter_count);
    table_number(table, totals.flops);
    table_string(table, input);
    table_number(table, totals.multiply_adds);
    network_free(&network);
    return STATUS_OK;
}

enum status show_catalogue(enum table_format format, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "network"},
        {.name = "layer_count", .title = "layers"},
        {.name = "parameter_count", .title = "parameters", .scale = SCALE_NUMBER},
        {.name = "forward_flops", .title = "forward", .scale = SCALE_FLOP},
        {.name = "input"},
        {.name = "multiply_adds", .title = "multiply-adds", .scale = SCALE_NUMBER}};
    char **names;
    int count;
    struct table *table;
    TRY(network_catalogue(&names, &count, error));
    enum status status = table_create(&table, columns, sizeof columns / sizeof *columns, error);
    if (status != STATUS_OK)
        return free(names), status;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = add_network_row(table, names[i], error);
    free(names);
    if (status == STATUS_OK)
        return cli_print_table(table, format, error);
    table_free(table);
    return status;
}

/* ---- layers, for programs ---- */

/* The layers, what was recognised in an ONNX file, and the roofline's share of a forecast. */
static enum status print_json(const struct network *network, const struct table *table,
                              const struct forecast_grid *grid, struct error *error)
{
    struct json json;
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    table_print_array(table, &json, "rows");
    json_patterns(&json, network);
    if (grid)
        TRY(json_roofline_shares(&json, grid, error));
    json_close(&json, '}');
    json_end(&json);
    return STATUS_OK;
}

static enum status print_layers(const struct network *network, const struct forecast_grid *grid,
                                enum table_format format, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "name"},         {.name = "layer"},           {.name = "input"},
        {.name = "output_count"}, {.name = "parameter_count"}, {.name = "forward_flops"}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        struct cost cost = forward_cost(layer);
        table_string(table, layer->name);
        table_string(table, network_layer_kind(layer));
        const int input = network_input(layer, 0);
        table_string(table, input < 0 ? "input" : network->layers[input].name);
        table_integer(table, (int64_t)network_layer_output_count(layer));
        table_integer(table, cost.parameter_count);
        table_number(table, cost.flops);
    }
    if (format != TABLE_JSON)
        return cli_print_table(table, format, error);
    const enum status status = print_json(network, table, grid, error);
    table_free(table);
    return status;
}

/* ---- layers, for people ---- */

static const struct table_column text_columns[] = {
    {.name = "times", .title = ""},
    {.name = "name", .width = 28},
    {.name = "layer", .width = 20},
    {.name = "from", .width = 24, .spare = 3},
    {.name = "in", .spare = 2},
    {.name = "out"},
    {.name = "kernel"},
    {.name = "stride"},
    {.name = "groups"},
    {.name = "activation", .spare = 1},
    {.name = "params", .scale = SCALE_NUMBER, .use = COLUMN_COUNTED},
    {.name = "work", .scale = SCALE_FLOP}};

/* The brace of a block's line: "x12 /", "    |", "    \"; "x3" of one layer. */
static void write_times(char text[SHAPE_SIZE], const struct network_block *block, int line)
{
    const char brace = line == 0 ? '/' : line + 1 < block->length ? '|' : '\\';
    const int width = snprintf(text, SHAPE_SIZE, "x%d", block->times);
    if (block->times == 1)
        text[0] = '\0';
    else if (line > 0)
        snprintf(text, SHAPE_SIZE, "%*s %c", width, "", brace);
    else if (block->length > 1)
        snprintf(text + width, (size_t)(SHAPE_SIZE - width), " %c", brace);
}

/* The inputs of the layer, unless that is the layer above alone. */
static void write_inputs(char *text, size_t size, const struct network *network, int index)
{
    const struct network_layer *layer = &network->layers[index];
    size_t used = 0;
    text[0] = '\0';
    if (layer->input_count <= 1 && network_input(layer, 0) == index - 1)
        return;
    for (int i = 0; i < layer->input_count && used < size; i++) {
        const int input = network_input(layer, i);
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " + " : "",
                                 input < 0 ? "input" : network->layers[input].name);
    }
}

static void add_optional(struct table *table, int32_t value, int32_t missing)
{
    if (value == missing)
        table_string(table, "");
    else
        table_integer(table, value);
}

/* "3", "1x7", "3 dilated 2". */
static void add_kernel(struct table *table, const struct network_layer *layer)
{
    const int32_t size = layer_feature_or(layer, "kernel_size", 0);
    const int32_t width = layer_feature_or(layer, "kernel_width", 0);
    const int32_t dilation = layer_feature_or(layer, "dilation", 1);
    char text[SHAPE_SIZE] = "";
    size_t length = 0;
    if (width == 0 && dilation == 1) {
        add_optional(table, size, 0);
        return;
    }
    if (size > 0)
        length += (size_t)snprintf(text, sizeof text, "%d", size);
    if (width > 0)
        length += (size_t)snprintf(text + length, sizeof text - length, "x%d", width);
    if (dilation > 1)
        snprintf(text + length, sizeof text - length, " dilated %d", dilation);
    table_string(table, text);
}

static void add_layer(struct table *table, const struct network *network, int index,
                      const char *times)
{
    const struct network_layer *layer = &network->layers[index];
    const struct cost cost = forward_cost(layer);
    const int32_t activation = layer_feature_or(layer, "activation", ACTIVATION_NONE);
    char inputs[160], shape[SHAPE_SIZE];
    table_string(table, times);
    table_string(table, layer->name);
    table_string(table, network_layer_kind(layer));
    write_inputs(inputs, sizeof inputs, network, index);
    table_string(table, inputs);
    write_input_shape(shape, layer);
    table_string(table, shape);
    write_output_shape(shape, layer);
    table_string(table, shape);
    add_kernel(table, layer);
    add_optional(table, layer_feature_or(layer, "stride", 0), 0);
    add_optional(table, layer_feature_or(layer, "groups", 1), 1);
    table_string(table,
                 activation == ACTIVATION_NONE ? "" : choice_name(&choice_activation, activation));
    table_integer(table, cost.parameter_count);
    table_number(table, cost.flops);
}

static enum status add_blocks(struct table *table, bool *is_folded, const struct network *network,
                              bool is_all, struct error *error)
{
    struct network_block *blocks;
    int count;
    *is_folded = false;
    for (int i = 0; is_all && i < network->layer_count; i++)
        add_layer(table, network, i, "");
    if (is_all)
        return STATUS_OK;
    TRY(network_blocks(&blocks, &count, network, error));
    for (int i = 0; i < count; i++) {
        *is_folded |= blocks[i].times > 1;
        for (int line = 0; line < blocks[i].length; line++) {
            char times[SHAPE_SIZE];
            write_times(times, &blocks[i], line);
            add_layer(table, network, blocks[i].first + line, times);
        }
    }
    free(blocks);
    return STATUS_OK;
}

enum { INDENT = 10 };

static enum status print_totals(const struct network *network, const struct forecast_grid *grid,
                                struct error *error)
{
    const struct network_totals totals = totals_of(network);
    char kinds[512], line[700], input[SHAPE_SIZE], counts[3][HUMAN_TEXT_SIZE];
    bool *is_wanted;
    TRY(ALLOCATE(&is_wanted, (size_t)network->layer_count, "layers", error));
    memset(is_wanted, true, (size_t)network->layer_count * sizeof *is_wanted);
    network_count_kinds(kinds, sizeof kinds, network, is_wanted);
    free(is_wanted);
    write_network_shape(input, network);
    snprintf(line, sizeof line, "%s: %d layer%s: %s", network->name, network->layer_count,
             network->layer_count == 1 ? "" : "s", kinds);
    printf("%-*s", INDENT, "network");
    table_print_wrapped(stdout, line, TABLE_WIDTH - INDENT, INDENT);
    print_patterns(network, INDENT);
    printf("%-*s%s parameters; an input of %s: %s multiply-adds, %s activations\n", INDENT,
           "totals", human_text(counts[0], SCALE_NUMBER, (double)totals.parameter_count, 0), input,
           human_text(counts[1], SCALE_NUMBER, totals.multiply_adds, 0),
           human_text(counts[2], SCALE_NUMBER, totals.activation_count, 0));
    if (grid)
        TRY(print_roofline_shares(grid, INDENT, error));
    printf("\n");
    return STATUS_OK;
}

static enum status print_text(const struct network *network, const struct forecast_grid *grid,
                              bool is_all, struct error *error)
{
    struct table *table;
    bool is_folded = false;
    TRY(print_totals(network, grid, error));
    TRY(table_create(&table, text_columns, sizeof text_columns / sizeof *text_columns, error));
    enum status status = add_blocks(table, &is_folded, network, is_all, error);
    if (status != STATUS_OK) {
        table_free(table);
        return status;
    }
    status = cli_print_table(table, TABLE_TEXT, error);
    if (is_folded)
        printf("repeated layers are folded; --all lists each\n");
    return status;
}

static enum status print_network(const struct network *network, const struct forecast_grid *grid,
                                 const struct settings *settings, struct error *error)
{
    TRY(note_network(network, settings, error));
    if (settings->format == TABLE_CSV)
        return network_write_csv(network, stdout, error);
    return settings->format == TABLE_TEXT ? print_text(network, grid, settings->all, error)
                                          : print_layers(network, grid, settings->format, error);
}

/* With the forecasts of --model. */
static enum status show_forecast(const struct settings *settings, struct error *error)
{
    struct forecast_request request;
    struct forecast_grid grid;
    if (settings->format != TABLE_TEXT && settings->format != TABLE_JSON) {
        FAIL(error, STATUS_USAGE, "-o %s has no place for a forecast",
             choice_name(&choice_table_format, settings->format));
        return HINT(error, STATUS_USAGE, "use -o json, or leave out --model");
    }
    TRY(forecast_request_load(&request, NULL, settings, error));
    enum status status = forecast_grid_create(&grid, &request, error);
    if (status == STATUS_OK) {
        status = print_network(&request.selection.network, &grid, settings, error);
        forecast_grid_free(&grid);
    }
    forecast_request_free(&request);
    return status;
}

enum status show_network(const char *text, const struct settings *settings, struct error *error)
{
    struct network network;
    if (settings->model)
        return show_forecast(settings, error);
    TRY(load_only_network(&network, text, settings, error));
    note_misfits(&network, settings);
    const enum status status = print_network(&network, NULL, settings, error);
    network_free(&network);
    return status;
}
