#include "cli/show.h"

#include "bench/device_identity.h"
#include "predictors/model_summary.h"
#include "predictors/predictor.h"

#include <string.h>

bool file_is_model(const char *path)
{
    return model_recognise(path);
}

bool name_is_hdf5(const char *path)
{
    static const char *const endings[] = {".h5", ".hdf5"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (length >= strlen(endings[i]) &&
            strcmp(path + length - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static enum status model_table(struct table **table, const struct model *model, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "nets"},
        {.name = "shape"},
        {.name = "encoding", .spare = 2},
        {.name = "columns"},
        {.name = "interval_percent", .title = "interval", .scale = SCALE_PERCENT},
        {.name = "preset", .spare = 3},
        {.name = "maximum_flops", .title = "up to", .scale = SCALE_FLOP},
        {.name = "held_out_rows", .title = "held-out rows", .spare = 1},
        {.name = "held_out_mape_percent", .title = "held-out MAPE", .scale = SCALE_PERCENT},
        {.name = "held_out_standard_error_percent", .title = "+-", .scale = SCALE_PERCENT}};
    TRY(table_create(table, columns, sizeof columns / sizeof *columns, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct model_summary summary;
        if (!model_summarise(&summary, model, (enum layer_kind)kind))
            continue;
        table_string(*table, layer_descriptors[kind]->name);
        table_integer(*table, summary.net_count);
        table_string(*table, summary.shape);
        table_string(*table, summary.encoding);
        table_integer(*table, summary.column_count);
        table_number(*table, 100 * summary.interval_level);
        table_string(*table, summary.preset);
        table_number(*table, summary.maximum_flops);
        const struct held_out_errors held_out = held_out_errors_known(&summary.held_out);
        if (held_out.count > 0)
            table_integer(*table, (int64_t)held_out.count);
        else
            table_string(*table, "");
        table_number(*table, held_out.mape_percent);
        table_number(*table, held_out.standard_error_percent);
    }
    return STATUS_OK;
}

static void each_text(const struct show_sink *sink, const struct model *model)
{
    sink->text(sink->payload, "predictor", model->predictor->type->name);
    for (int i = 0; i < model->device_count; i++) {
        char label[DEVICE_LABEL_LIMIT], device[sizeof label + sizeof model->devices[i].backend + 4];
        device_label(label, &model->devices[i]);
        snprintf(device, sizeof device, "%s (%s)", label, model->devices[i].backend);
        sink->text(sink->payload, "device", device);
    }
    sink->text(sink->payload, "provenance", model->provenance);
}

enum status show_model_to(const struct show_sink *sink, const struct model *model,
                          struct error *error)
{
    struct table *table;
    TRY(model_table(&table, model, error));
    each_text(sink, model);
    const enum status status = sink->table(sink->payload, table, error);
    table_free(table);
    return status;
}

static void print_line(void *payload, const char *label, const char *text)
{
    (void)payload;
    show_label(label, text);
}

enum status show_model(const char *path, enum table_format format, struct error *error)
{
    const struct show_sink lines = {.text = print_line};
    struct model model;
    struct table *table;
    TRY(model_load(&model, path, error));
    enum status status = model_table(&table, &model, error);
    if (status == STATUS_OK) {
        if (format == TABLE_TEXT) {
            each_text(&lines, &model);
            putchar('\n');
        }
        status = cli_print_table(table, format, error);
    }
    model_free(&model);
    return status;
}
