/* The `linear` baseline of Justus et al. 2018 (arXiv 1811.11880, section 5): ordinary least squares
 * of the time in ms on the paper's features and the layer's FLOPs. Columns are standardised, and a
 * tiny ridge keeps one-hot columns, which add up to a constant, solvable.
 */
#include "base/least_squares.h"
#include "predictors/baseline.h"
#include "predictors/model_content.h"
#include "predictors/model_members.h"
#include "predictors/row_selection.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Behind the encoder's columns. */
static const char *const own_columns[] = {"flops", "1"};
enum { OWN_COLUMNS = sizeof own_columns / sizeof *own_columns, COLUMN_LIMIT = ENCODE_COLUMN_LIMIT };

struct linear_options {
    struct fit_options base;
    double ridge; /* share of a standardised column's square sum */
};
static const struct linear_options standard = {.base = {.type = &predictor_linear}, .ridge = 1e-8};
static const struct member options_table[] = {
    {"ridge", offsetof(struct linear_options, ridge), .type = MEMBER_DOUBLE, .low = 1e-12,
     .high = 1e6, .help = "penalty on the weights, as a share of a column's square sum"},
};

struct linear_kind {
    int column_count;        /* with FLOPs and the constant; 0: not fitted */
    struct encode_plan plan; /* which columns the fit had: others have weight 0 */
    double means[COLUMN_LIMIT], inverse_scales[COLUMN_LIMIT], weights[COLUMN_LIMIT];
    double floor_ms; /* fastest training row: a straight line goes below 0 */
};

struct linear_predictor {
    struct predictor base;
    bool with_hardware;
    double ridge;
    struct linear_kind kinds[LAYER_KIND_COUNT];
};

static struct encode_layout layout_of(const struct linear_predictor *predictor,
                                      enum layer_kind kind)
{
    return (struct encode_layout){.encoding = ENCODING_PAPER,
                                  .kind = kind,
                                  .with_hardware = predictor->with_hardware,
                                  .own_names = own_columns,
                                  .own_count = OWN_COLUMNS};
}

/* Raw columns: the paper's encoding, FLOPs, and 1 for the intercept. */
static void columns_of(double *columns, const struct linear_predictor *predictor,
                       const struct layer_config *config, const struct device_info *device)
{
    float encoded[ENCODE_COLUMN_LIMIT];
    const struct encode_hardware hardware = hardware_of(device);
    encode_row(encoded, ENCODING_PAPER, config, predictor->with_hardware, &hardware);
    int count = predictor->kinds[config->kind].column_count - OWN_COLUMNS;
    for (int i = 0; i < count; i++)
        columns[i] = encoded[i];
    columns[count++] = layer_cost(config).flops;
    columns[count++] = 1;
}

static void standardise(double *columns, const struct linear_kind *kind)
{
    for (int i = 0; i < kind->column_count - 1; i++)
        columns[i] = (columns[i] - kind->means[i]) * kind->inverse_scales[i];
}

/* ---- fitting ---- */

/* One pass over the training rows: calls visit with the row's raw columns. */
typedef void (*visit_row)(void *payload, double *columns, double measured_ms);
static void for_rows(const struct linear_predictor *predictor, const struct dataset_rows *rows,
                     const struct row_selection *selection, visit_row visit, void *payload)
{
    double columns[COLUMN_LIMIT];
    for (size_t i = 0; i < selection->count[SPLIT_TRAIN]; i++) {
        const struct measurement *row = &rows->rows[selection->rows[SPLIT_TRAIN][i]];
        columns_of(columns, predictor, &row->config, &rows->devices[row->device]);
        visit(payload, columns, row->median_ms);
    }
}

struct normal_equations {
    struct linear_kind *kind;
    double *matrix; /* (column_count, column_count), lower triangle */
    double sides[COLUMN_LIMIT];
};

static void add_to_means(void *payload, double *columns, double measured_ms)
{
    struct linear_kind *kind = payload;
    for (int i = 0; i < kind->column_count; i++)
        kind->means[i] += columns[i];
    kind->floor_ms = fmin(kind->floor_ms, measured_ms);
}

static void add_to_squares(void *payload, double *columns, double measured_ms)
{
    (void)measured_ms;
    struct linear_kind *kind = payload;
    for (int i = 0; i < kind->column_count; i++)
        kind->inverse_scales[i] += (columns[i] - kind->means[i]) * (columns[i] - kind->means[i]);
}

static void add_to_equations(void *payload, double *columns, double measured_ms)
{
    struct normal_equations *equations = payload;
    const int count = equations->kind->column_count;
    standardise(columns, equations->kind);
    for (int i = 0; i < count; i++) {
        for (int j = 0; j <= i; j++)
            equations->matrix[i * count + j] += columns[i] * columns[j];
        equations->sides[i] += columns[i] * measured_ms;
    }
}

static void finish_scales(struct linear_kind *kind, double row_count)
{
    for (int i = 0; i < kind->column_count; i++) {
        const double deviation = sqrt(kind->inverse_scales[i] / row_count);
        const bool constant = !(deviation > 1e-9 * fabs(kind->means[i]));
        kind->inverse_scales[i] = constant ? 0 : 1 / deviation;
    }
}

static enum status fit_kind(struct linear_predictor *predictor, enum layer_kind layer,
                            const struct dataset_rows *rows, const struct row_selection *selection,
                            struct error *error)
{
    struct linear_kind *kind = &predictor->kinds[layer];
    const double row_count = (double)selection->count[SPLIT_TRAIN];
    const struct encode_layout layout = layout_of(predictor, layer);
    encode_plan_whole(&kind->plan, &layout);
    kind->column_count = kind->plan.count;
    kind->floor_ms = INFINITY;
    for_rows(predictor, rows, selection, add_to_means, kind);
    for (int i = 0; i < kind->column_count; i++)
        kind->means[i] /= row_count;
    for_rows(predictor, rows, selection, add_to_squares, kind);
    finish_scales(kind, row_count);

    const int count = kind->column_count;
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)(count * count), sizeof(double), "normal equations",
                       error));
    struct normal_equations equations = {.kind = kind, .matrix = memory};
    for_rows(predictor, rows, selection, add_to_equations, &equations);
    for (int i = 0; i < count; i++)
        equations.matrix[i * count + i] += predictor->ridge * row_count;
    cholesky_solve(equations.matrix, equations.sides, count);
    memcpy(kind->weights, equations.sides, sizeof kind->weights);
    free(memory);
    return STATUS_OK;
}

static enum status fit_kinds(struct linear_predictor *predictor, const struct dataset_rows *rows,
                             struct fit_report *reports, struct error *error)
{
    struct kinds_checked checked = {.has_enough = false};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct row_selection selection;
        bool is_enough;
        enum status status = STATUS_OK;
        TRY(row_selection_create(&selection, rows, (enum layer_kind)kind, error));
        row_selection_note(&is_enough, &checked, &selection, (enum layer_kind)kind);
        if (is_enough && selection.count[SPLIT_TRAIN] > 0)
            status = fit_kind(predictor, (enum layer_kind)kind, rows, &selection, error);
        if (reports)
            reports[kind] = baseline_report(kind, is_enough ? selection.count[SPLIT_TRAIN] : 0);
        row_selection_free(&selection);
        TRY(status);
    }
    return kinds_checked_end(&checked, error);
}

static void release(struct predictor *base)
{
    struct linear_predictor *predictor = (struct linear_predictor *)base;
    if (!predictor)
        return;
    free(predictor->base.devices);
    free(predictor);
}

static enum status fit(struct predictor **out, const struct dataset_rows *rows,
                       const struct fit_options *options, struct fit_report *reports,
                       struct error *error)
{
    struct linear_predictor *predictor;
    *out = NULL;
    TRY(fit_options_check(&options, &predictor_linear, error));
    TRY(ALLOCATE(&predictor, 1, "predictor", error));
    predictor->base.type = &predictor_linear;
    predictor->ridge = ((const struct linear_options *)options)->ridge;
    enum status status = training_devices(&predictor->base.devices, &predictor->base.device_count,
                                          rows, error);
    if (status == STATUS_OK) {
        predictor->with_hardware = hardware_differs(predictor->base.devices,
                                                    predictor->base.device_count);
        status = fit_kinds(predictor, rows, reports, error);
    }
    if (status == STATUS_OK)
        *out = &predictor->base;
    else
        release(&predictor->base);
    return status;
}

/* ---- forecasting ---- */

static double forecast_ms(const struct linear_predictor *predictor,
                          const struct layer_config *config, const struct device_info *device)
{
    const struct linear_kind *kind = &predictor->kinds[config->kind];
    double columns[COLUMN_LIMIT], sum = 0;
    columns_of(columns, predictor, config, device);
    standardise(columns, kind);
    for (int i = 0; i < kind->column_count; i++)
        sum += kind->weights[i] * columns[i];
    return fmax(sum, kind->floor_ms);
}

static enum status predict(struct prediction *predictions, const struct predictor *base,
                           const struct layer_question *questions, size_t count,
                           const struct device_info *device, struct error *error)
{
    (void)error;
    const struct linear_predictor *predictor = (const struct linear_predictor *)base;
    if (!device)
        device = &predictor->base.devices[0];
    const bool known = predictor->with_hardware ||
                       device_find(base->devices, base->device_count, device) >= 0;
    for (size_t i = 0; i < count; i++) {
        const struct layer_config *config = questions[i].config;
        const bool covered = known && config && predictor->kinds[config->kind].column_count > 0;
        predictions[i] = (struct prediction){
            .median_ms = covered ? forecast_ms(predictor, config, device) : NAN,
            .low_ms = NAN,
            .high_ms = NAN,
            .extrapolates = covered &&
                            !encode_plan_knows(&predictor->kinds[config->kind].plan, config),
            .covered = covered,
        };
    }
    return STATUS_OK;
}

/* ---- model files ---- */

static const struct member root_members[] = {
    {"with_hardware", offsetof(struct linear_predictor, with_hardware), .type = MEMBER_BOOL},
};
static const struct member kind_members[] = {
    {"floor_ms", offsetof(struct linear_kind, floor_ms), .type = MEMBER_DOUBLE, .low = DBL_MIN,
     .high = DBL_MAX},
};

/* Columns of a file, in its order. */
struct stored_columns {
    double means[COLUMN_LIMIT], inverse_scales[COLUMN_LIMIT], weights[COLUMN_LIMIT];
};

static enum status save_kind(const struct predictor *predictor, enum layer_kind layer,
                             const struct model_place *place, struct error *error)
{
    const struct linear_kind *kind = &((const struct linear_predictor *)predictor)->kinds[layer];
    struct stored_columns stored;
    for (int i = 0; i < kind->plan.count; i++) {
        const int slot = kind->plan.slots[i];
        stored.means[i] = kind->means[slot];
        stored.inverse_scales[i] = kind->inverse_scales[slot];
        stored.weights[i] = kind->weights[slot];
    }
    TRY(members_write(place, kind, kind_members, 1, error));
    TRY(model_columns_write(place, &kind->plan, stored.means, stored.inverse_scales, error));
    return write_array(place, "weights", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, stored.weights, 0,
                       (size_t)kind->plan.count, error);
}

/* Into the full row, where a column that the file lacks weighs 0. */
static void place_columns(struct linear_kind *kind, const struct stored_columns *stored)
{
    for (int i = 0; i < kind->plan.count; i++) {
        const int slot = kind->plan.slots[i];
        kind->means[slot] = stored->means[i];
        kind->inverse_scales[slot] = stored->inverse_scales[i];
        kind->weights[slot] = stored->weights[i];
    }
    kind->column_count = kind->plan.encoded_count + OWN_COLUMNS;
}

static enum status load_kind(struct predictor *base, enum layer_kind layer,
                             const struct model_place *place, struct error *error)
{
    struct linear_predictor *predictor = (struct linear_predictor *)base;
    struct linear_kind *kind = &predictor->kinds[layer];
    const struct encode_layout layout = layout_of(predictor, layer);
    struct stored_columns stored;
    TRY(members_read(place, kind, kind_members, 1, error));
    TRY(model_columns_read(place, &kind->plan, &layout, stored.means, stored.inverse_scales,
                           error));
    TRY(read_array(place, "weights", H5T_NATIVE_DOUBLE, stored.weights, 0, (size_t)kind->plan.count,
                   error));
    for (int i = 0; i < kind->plan.count; i++)
        if (!isfinite(stored.weights[i]))
            return model_bad_value(place, "weights", error);
    place_columns(kind, &stored);
    return STATUS_OK;
}

static bool knows(const struct predictor *base, enum layer_kind kind)
{
    return ((const struct linear_predictor *)base)->kinds[kind].column_count > 0;
}

static enum status save(const struct predictor *base, const struct model_place *root,
                        struct error *error)
{
    TRY(members_write(root, base, root_members, 1, error));
    return model_kinds_write(root, base, save_kind, error);
}

static enum status load_content(struct predictor *base, const struct model_place *root,
                                struct error *error)
{
    TRY(model_devices_read(base, root, error));
    TRY(members_read(root, base, root_members, 1, error));
    return model_kinds_read(root, base, load_kind, error);
}

static enum status load(struct predictor **out, const struct model_place *root, struct error *error)
{
    struct linear_predictor *predictor;
    TRY(ALLOCATE(&predictor, 1, "predictor", error));
    predictor->base.type = &predictor_linear;
    const enum status status = load_content(&predictor->base, root, error);
    if (status == STATUS_OK)
        *out = &predictor->base;
    else
        release(&predictor->base);
    return status;
}

const struct predictor_type predictor_linear = {
    .name = "linear",
    .help = "linear regression on the paper's features and FLOPs",
    PREDICTOR_OPTIONS(options_table, standard),
    .fit = fit,
    .predict = predict,
    .knows = knows,
    .save = save,
    .load = load,
    .free = release,
};
