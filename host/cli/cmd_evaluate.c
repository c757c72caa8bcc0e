#include "cli/cli.h"

#include "model/evaluate.h"

#include <stdio.h>
#include <string.h>

static enum status print_evaluation(const struct evaluation *evaluation,
                                    const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {{"layer", 0},
                                                  {"device", 0},
                                                  {"pass", 0},
                                                  {"predictor", 0},
                                                  {"count", 0},
                                                  {"rmse_ms", 4},
                                                  {"mae_ms", 4},
                                                  {"mape_percent", 4},
                                                  {"median_ape_percent", 4},
                                                  {"p90_ape_percent", 4},
                                                  {"r2", 4},
                                                  {"rmsle", 4},
                                                  {"interval_coverage_percent", 4},
                                                  {"group", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct evaluation_row *row = &evaluation->rows[i];
        table_string(table, layer_descriptors[row->layer]->name);
        table_string(table, row->device);
        table_string(table, row->pass);
        table_string(table, row->predictor);
        table_integer(table, (int64_t)row->errors.count);
        table_number(table, row->errors.rmse_ms);
        table_number(table, row->errors.mae_ms);
        table_number(table, row->errors.mape_percent);
        table_number(table, row->errors.median_ape_percent);
        table_number(table, row->errors.p90_ape_percent);
        table_number(table, row->errors.r2);
        table_number(table, row->errors.rmsle);
        table_number(table, row->interval_coverage_percent);
        table_string(table, row->group);
    }
    return cli_print_table(table, settings, error);
}

static enum status add_baseline(struct evaluation *all, const struct predictor_type *type,
                                const struct dataset_rows *rows, int split, enum evaluation_by by,
                                struct error *error)
{
    struct fit_options wanted;
    struct predictor *predictor;
    struct evaluation evaluation;
    TRY(fit_options_preset(&wanted, "default", error));
    TRY(type->fit(&predictor, rows, &wanted, NULL, error));
    enum status status = evaluate_predictor_by(&evaluation, predictor, rows, split, by, error);
    type->free(predictor);
    TRY(status);
    return evaluation_join(all, &evaluation, error);
}

static enum status evaluate_all(struct evaluation *all, const struct predictor *predictor,
                                const struct dataset_rows *rows, const struct settings *settings,
                                struct error *error)
{
    int split = settings->split < SPLIT_COUNT ? settings->split : -1;
    const enum evaluation_by by = (enum evaluation_by)settings->by;
    TRY(evaluate_predictor_by(all, predictor, rows, split, by, error));
    if (all->uncovered > 0)
        fprintf(stderr,
                "note: %zu rows are of layers or devices that the model does not know: left out\n",
                all->uncovered);
    for (int i = 0; settings->baselines && predictor_types[i]; i++)
        if (predictor_types[i] != predictor->type)
            TRY(add_baseline(all, predictor_types[i], rows, split, by, error));
    return STATUS_OK;
}

static enum status evaluate_model(const struct model *model, const struct settings *settings,
                                  struct error *error)
{
    struct dataset_rows rows;
    struct evaluation all = {0};
    TRY(dataset_read(&rows, settings->operands + 1, settings->operand_count - 1, error));
    enum status status = evaluate_all(&all, model->predictor, &rows, settings, error);
    if (status == STATUS_OK)
        status = print_evaluation(&all, settings, error);
    evaluation_free(&all);
    dataset_rows_free(&rows);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct model model;
    TRY(model_load(&model, settings->operands[0], error));
    enum status status = evaluate_model(&model, settings, error);
    model_free(&model);
    return status;
}

static const char *const takes[] = {"split", "by", "baselines", NULL};
const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "errors of a model on measured rows that it was not trained on",
    .operands = "MODEL.h5 DATA.h5...",
    .examples = "  epochcast evaluate model.h5 cpu.h5 --baselines\n"
                "  epochcast evaluate model.h5 cpu.h5 --by decade\n"
                "  epochcast evaluate model.h5 cpu.h5 --split all -o json\n",
    .options = takes,
    .operand_minimum = 2,
    .operand_maximum = OPERAND_LIMIT,
    .run = run,
};
