#include "cli/evaluate_hold_out.h"

#include "base/text.h"
#include "evaluate/hold_out.h"
#include "layers/sample.h"

#include <string.h>

static enum status unknown_device(const struct dataset_rows *rows, const char *name,
                                  struct error *error)
{
    char known[256] = "";
    for (int i = 0; i < rows->device_count; i++)
        text_list_add(known, sizeof known, ", ", "'%s'", rows->devices[i].name);
    FAIL(error, STATUS_NO_DEVICE, "the datasets hold no row of device '%.60s'", name);
    return HINT(error, STATUS_NO_DEVICE, "they hold rows of %s", known);
}

/* Row of rows->devices; *device stays -1 for "all". */
static enum status find_device(int32_t *device, const struct dataset_rows *rows, const char *name,
                               struct error *error)
{
    *device = -1;
    for (int i = 0; i < rows->device_count; i++)
        if (strcmp(rows->devices[i].name, name) == 0)
            *device = i;
    if (*device >= 0 || strcmp(name, "all") == 0)
        return STATUS_OK;
    return unknown_device(rows, name, error);
}

static enum status make_options(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    TRY(mlp_options_preset(wanted, settings->preset ? settings->preset : "default", error));
    wanted->trainer = &trainer_host;
    wanted->seed = (uint64_t)settings->seed;
    if (settings->ensemble > 0)
        wanted->ensemble = (int32_t)settings->ensemble;
    if (settings->threads > 0)
        wanted->threads = (int)settings->threads;
    if (settings->epochs > 0) {
        wanted->train.epochs = (int32_t)settings->epochs;
        wanted->minimum_steps = 0; // asked for exactly
    }
    return STATUS_OK;
}

static enum status make_curve(struct hold_out *hold_out, const struct settings *settings,
                              struct error *error)
{
    const char *text = settings->calibrate_rows ? settings->calibrate_rows : "0";
    TRY(parse_int_list(hold_out->calibration_rows, CALIBRATION_LIMIT, &hold_out->calibration_count,
                       true, NULL, "--calibrate-rows", text, error));
    for (int i = 0; i < hold_out->calibration_count; i++)
        if (hold_out->calibration_rows[i] < 0)
            return FAIL(error, STATUS_USAGE, "--calibrate-rows: %d is not a valid number of rows",
                        hold_out->calibration_rows[i]);
    return STATUS_OK;
}

/* The picture's data of one predictor. */
struct drawing {
    struct evaluated_list *drawn;
    const struct hold_out *hold_out;
    const struct predictor_type *type;
    const struct dataset_rows *rows;
};

/* The curve's first and last point. */
static enum status draw_point(void *payload, const struct row_forecasts *forecasts,
                              int32_t calibration_rows, struct error *error)
{
    const struct drawing *drawing = payload;
    const int32_t *curve = drawing->hold_out->calibration_rows;
    const int last = drawing->hold_out->calibration_count - 1;
    if (calibration_rows != curve[0] && calibration_rows != curve[last])
        return STATUS_OK;
    return evaluated_add(drawing->drawn, drawing->type->name, last > 0 ? calibration_rows : -1,
                         forecasts, drawing->rows, error);
}

static enum status add_predictor(struct evaluation *all, struct evaluated_list *drawn,
                                 const struct hold_out *hold_out, const struct predictor_type *type,
                                 const struct dataset_rows *rows, struct error *error)
{
    struct evaluation evaluation;
    struct drawing drawing = {drawn, hold_out, type, rows};
    struct hold_out watched = *hold_out;
    if (drawn) {
        watched.each = draw_point;
        watched.payload = &drawing;
    }
    TRY(hold_out_evaluate(&evaluation, &watched, type, rows, error));
    if (evaluation.count == 0)
        term_message(stderr, "note: %s cannot forecast %s without rows of that device\n",
                     type->name, rows->devices[hold_out->device].name);
    return evaluation_join(all, &evaluation, error);
}

static enum status add_device(struct evaluation *all, struct evaluated_list *drawn,
                              const struct hold_out *hold_out, const struct dataset_rows *rows,
                              const struct settings *settings, struct error *error)
{
    TRY(add_predictor(all, drawn, hold_out, &predictor_mlp, rows, error));
    for (int i = 0; i < choice_baseline.count; i++)
        if (settings->baselines >> i & 1)
            TRY(add_predictor(all, drawn, hold_out, predictor_find(choice_baseline.names[i]), rows,
                              error));
    return STATUS_OK;
}

/* Folds of a cross-validation that train side by side; each has its rows in memory. */
enum { FOLDS_AT_ONCE = 4 };

static enum status add_devices(struct evaluation *all, struct evaluated_list *drawn,
                               struct hold_out *hold_outs, int count,
                               const struct dataset_rows *rows, const struct settings *settings,
                               struct error *error)
{
    struct predictor *predictors[FOLDS_AT_ONCE];
    TRY(hold_outs_fit(predictors, hold_outs, count, rows, error));
    enum status status = STATUS_OK;
    for (int i = 0; i < count; i++) {
        hold_outs[i].fitted = predictors[i];
        if (status == STATUS_OK)
            status = add_device(all, drawn, &hold_outs[i], rows, settings, error);
        predictor_mlp.free(predictors[i]);
    }
    return status;
}

enum status evaluate_held_out(struct evaluation *all, struct evaluated_list *drawn,
                              const struct dataset_rows *rows, const struct settings *settings,
                              struct error *error)
{
    struct mlp_options wanted;
    struct progress progress;
    const struct train_progress watched = {.progress = &progress, .interrupted = &cli_interrupted};
    struct hold_out hold_out = {.split = settings->split < SPLIT_COUNT ? settings->split : -1,
                                .options = &wanted};
    int32_t device;
    TRY(make_options(&wanted, settings, error));
    TRY(make_curve(&hold_out, settings, error));
    TRY(find_device(&device, rows, settings->hold_out_device, error));
    wanted.progress = &watched;
    cli_catch_signals("step", "nothing was evaluated");
    progress_begin(&progress, stderr, settings->quiet);
    enum status status = STATUS_OK;
    const int first = device < 0 ? 0 : device, last = device < 0 ? rows->device_count : device + 1;
    for (int i = first; i < last && status == STATUS_OK; i += FOLDS_AT_ONCE) {
        struct hold_out hold_outs[FOLDS_AT_ONCE];
        const int count = last - i < FOLDS_AT_ONCE ? last - i : FOLDS_AT_ONCE;
        for (int fold = 0; fold < count; fold++) {
            hold_outs[fold] = hold_out;
            hold_outs[fold].device = i + fold;
        }
        status = add_devices(all, drawn, hold_outs, count, rows, settings, error);
    }
    progress_end(&progress);
    return status;
}
