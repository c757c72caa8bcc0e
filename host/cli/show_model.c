#include "cli/show.h"

#include "model/model_summary.h"
#include "model/predictor.h"

bool file_is_model(const char *path)
{
    return model_recognise(path);
}

enum status show_model(const char *path, const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {{"layer", 0},   {"nets", 0},
                                                  {"shape", 0},   {"encoding", 0},
                                                  {"columns", 0}, {"interval_percent", 0},
                                                  {"preset", 0}};
    struct model model;
    struct table *table;
    TRY(model_load(&model, path, error));
    enum status status = table_create(&table, columns, sizeof columns / sizeof *columns, error);
    for (int kind = 0; status == STATUS_OK && kind < LAYER_KIND_COUNT; kind++) {
        struct model_summary summary;
        if (!model_summarise(&summary, &model, (enum layer_kind)kind))
            continue;
        table_string(table, layer_descriptors[kind]->name);
        table_integer(table, summary.net_count);
        table_string(table, summary.shape);
        table_string(table, summary.encoding);
        table_integer(table, summary.column_count);
        table_number(table, 100 * summary.interval_level);
        table_string(table, summary.preset);
    }
    if (status == STATUS_OK && settings->form == TABLE_TEXT) {
        for (int i = 0; i < model.device_count; i++)
            printf("device      %s (%s)\n", model.devices[i].name, model.devices[i].backend);
        printf("provenance  %s\n\n", model.provenance);
    }
    if (status == STATUS_OK)
        status = cli_print_table(table, settings, error);
    model_free(&model);
    return status;
}
