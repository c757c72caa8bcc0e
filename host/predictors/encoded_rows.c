#include "predictors/encoded_rows.h"

#include "base/csv.h"
#include "data/split.h"
#include "layers/encode_plan.h"
#include "predictors/mlp_options.h"
#include "predictors/row_selection.h"

static bool is_wanted(const struct measurement *row, enum layer_kind kind)
{
    return row->config.kind == kind && row_is_usable(row);
}

static enum status choose_layout(struct encode_layout *layout, const struct dataset_rows *rows,
                                 enum layer_kind kind, struct error *error)
{
    size_t count = 0, counts[SPLIT_COUNT] = {0};
    for (size_t i = 0; i < rows->count; i++)
        if (is_wanted(&rows->rows[i], kind)) {
            count++;
            counts[split_of(&rows->rows[i].config)]++;
        }
    const size_t folded = counts[SPLIT_TRAIN] + counts[SPLIT_TEST];
    const bool has_folds = folded <= (size_t)mlp_options_standard.fold_rows;
    *layout = (struct encode_layout){
        .encoding = ENCODING_PHYSICAL,
        .kind = kind,
        .with_hardware = hardware_differs(rows->devices, rows->device_count),
        .with_steps = (has_folds ? folded : counts[SPLIT_TRAIN]) >=
                      (size_t)mlp_options_standard.step_rows,
    };
    if (count > 0)
        return STATUS_OK;
    return FAIL(error, STATUS_FAILED, "no row of %s has a time", layer_descriptors[kind]->name);
}

static void write_head(FILE *file, const struct encode_plan *plan)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    encode_plan_names(names, plan);
    fputs("split,device,median_ms", file);
    for (int i = 0; i < plan->count; i++) {
        fputc(',', file);
        csv_write_text(file, names[i]);
    }
    fputc('\n', file);
}

static void write_row(FILE *file, const struct measurement *row, const struct device_info *device,
                      const struct encode_plan *plan)
{
    float values[ENCODE_COLUMN_LIMIT];
    const struct encode_hardware hardware = hardware_of(device);
    encode_plan_row(values, plan, &row->config, &hardware, NULL);
    csv_write_text(file, choice_name(&choice_split, (int)split_of(&row->config)));
    fputc(',', file);
    csv_write_text(file, device->name);
    fputc(',', file);
    csv_write_number(file, row->median_ms);
    for (int i = 0; i < plan->count; i++)
        fprintf(file, ",%.9g", (double)values[i]);
    fputc('\n', file);
}

enum status encoded_rows_write(FILE *file, const struct dataset_rows *rows, enum layer_kind kind,
                               struct error *error)
{
    struct encode_layout layout;
    struct encode_plan plan;
    TRY(choose_layout(&layout, rows, kind, error));
    encode_plan_whole(&plan, &layout);
    write_head(file, &plan);
    for (size_t i = 0; i < rows->count; i++)
        if (is_wanted(&rows->rows[i], kind))
            write_row(file, &rows->rows[i], &rows->devices[rows->rows[i].device], &plan);
    return STATUS_OK;
}
