/* The `ceilings` predictor: for devices that no row came from. A network that sees a device's
 * clock, cores and bandwidth learns to recognise the few devices of its training set and guesses
 * between them; this one sees the layer alone, and the device enters as the time that its ceilings
 * allow:
 *
 *   ln t = ln sum over heads h of exp(ln ceiling_h(layer, device) + head_h(layer))
 *
 * Heads: compute and memory traffic of the forward pass, of the backward pass, traffic of the
 * update, and a fixed cost of either pass. A sum of such terms follows a layer from one ceiling to
 * another when the device's balance changes (the roofline of Williams et al. 2009, CACM, with
 * learnt shares, and smooth).
 *
 * What a generation of GPUs reaches of its peak goes with how hard its cores are to feed. Half of
 * the nets see one measure of that beside the layer's physical encoding, half the other:
 *   dual issue   log2 max(1, cores / (32 schedulers)): cores beyond one warp's lanes a scheduler
 *                get work only from two independent instructions of one warp (Kepler);
 *   in flight    log2 of cores / (32 schedulers) * latency: the instructions that a scheduler must
 *                have in flight to keep its cores busy (Little 1961).
 * Several nets (output `sum` of the trainer) per kind for all devices, each from other weights and
 * with another order of rows; the forecast is the geometric mean of theirs.
 *
 * The measures were chosen without the GPU that is forecast: published convolutions, for every
 * held-out GPU the mean error of the five others, each forecast by the remaining four (one net a
 * measure, three epochs). Means over the held-out GPUs, %: nothing of the device 31.7, its FLOPs
 * per byte 229, cores of a unit 19.0, dual issue 16.5, in flight 18.3; averaged: cores and in
 * flight 16.4, all three 14.7, dual issue and in flight 14.0, which is within 0.5 of the best for
 * each of the six.
 */
#include "predictors/baseline.h"
#include "predictors/ceiling_heads.h"
#include "predictors/model_members.h"
#include "trainer/scaler.h"
#include "trainer/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum measure { MEASURE_DUAL_ISSUE, MEASURE_IN_FLIGHT, MEASURE_COUNT };
static const char *const measure_names[] = {"dual_issue", "in_flight"};
enum { NET_LIMIT = 64 };
/* The fixed heads start at a few kernel launches. */
static const struct ceiling_scale scale = {.fixed_ms = 0.05, .absent_log = -30};
enum { HIDDEN_WIDTH = 128, STEPS_MINIMUM = 300 };

/* Chosen on the published rows; nearby values change little. */
static const struct train_options recipe = {.learning_rate = 3e-3f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.99f,
                                            .epsilon = 1e-8f,
                                            .weight_decay = 0.1f,
                                            .gradient_clip = 1,
                                            .schedule = SCHEDULE_COSINE,
                                            .warmup_share = 0.05f,
                                            .batch_size = 256,
                                            .epochs = 10};

struct ceilings_options {
    struct fit_options base;
    int32_t nets;
    uint64_t seed;
};
static const struct ceilings_options standard = {
    .base = {.type = &predictor_ceilings}, .nets = 4, .seed = 1};
#define AT(member) offsetof(struct ceilings_options, member)
static const struct member options_table[] = {
    {"nets", AT(nets), .type = MEMBER_INT32, .low = 1, .high = NET_LIMIT,
     .help = "nets per layer kind"},
    {"seed", AT(seed), .type = MEMBER_UINT64, .low = 0, .high = 1.8e19,
     .help = "seed of all random numbers"},
};
#undef AT

struct ceilings_state {
    int32_t net_count;
    uint64_t seed;
    struct encode_plan plan;     /* the nets' inputs */
    int measures[MEASURE_COUNT]; /* among the inputs: where they stand */
    struct mlp_shape shape;      /* CEILING_HEADS outputs */
    struct scaler scaler;
    float *parameters; /* (net_count, mlp_parameter_count(shape)) */
};

static void begin(void *state, const struct fit_options *options)
{
    struct ceilings_state *ceilings = state;
    const struct ceilings_options *wanted = (const struct ceilings_options *)options;
    ceilings->net_count = wanted->nets;
    ceilings->seed = wanted->seed;
}

static struct mlp_shape shape_of(int32_t columns)
{
    return (struct mlp_shape){.layer_count = 3,
                              .widths = {columns, HIDDEN_WIDTH, HIDDEN_WIDTH, CEILING_HEADS},
                              .output = MLP_OUTPUT_SUM,
                              .output_bias = 1};
}

static float *parameters_of(const struct ceilings_state *state, int net)
{
    return state->parameters + (size_t)net * mlp_parameter_count(&state->shape);
}

/* ---- a layer and a device as numbers ---- */

/* ln of every head's ceiling, in ms. False: the device's rates are unknown. */
static bool set_ceilings(float *ceilings, const struct layer_question *question,
                         const struct device_info *device)
{
    const struct device_rates rates = device_rates_of(device);
    double values[CEILING_HEADS];
    ceiling_heads(values, question, &rates, &scale);
    for (int i = 0; i < CEILING_HEADS; i++)
        ceilings[i] = (float)values[i];
    return !isnan(rates.gflops) && !isnan(rates.gbps);
}

static struct encode_layout layout_of(enum layer_kind kind)
{
    return (struct encode_layout){.encoding = ENCODING_PHYSICAL,
                                  .kind = kind,
                                  .own_names = measure_names,
                                  .own_count = MEASURE_COUNT};
}

/* Finds the measures among the columns of the state's plan. False: one is missing. */
static bool find_measures(struct ceilings_state *state)
{
    int found = 0;
    for (int i = 0; i < state->plan.count; i++)
        if (state->plan.slots[i] >= state->plan.encoded_count) {
            state->measures[state->plan.slots[i] - state->plan.encoded_count] = i;
            found++;
        }
    return found == MEASURE_COUNT;
}

static void set_measures(float *measures, const struct device_info *device)
{
    const struct device_unit unit = device_unit_of(device);
    const double warps = unit.cores / (32 * unit.schedulers); /* that a scheduler feeds per cycle */
    measures[MEASURE_DUAL_ISSUE] = (float)log2(fmax(1, warps));
    measures[MEASURE_IN_FLIGHT] = (float)log2(warps * unit.latency_cycles);
}

static void set_inputs(float *inputs, const struct ceilings_state *state,
                       const struct layer_config *config, const struct device_info *device)
{
    float measures[MEASURE_COUNT];
    set_measures(measures, device);
    encode_plan_row(inputs, &state->plan, config, NULL, measures);
}

/* Net `index` does not see the measure that is the other nets': it reads 0. */
static size_t hidden_column(const struct ceilings_state *state, int index)
{
    return (size_t)state->measures[(index + 1) % MEASURE_COUNT];
}

/* ---- fitting ---- */

/* Training rows. */
struct table {
    float *inputs, *ceilings, *targets; /* (count, columns), (count, heads), (count): ln t */
    float *hidden;                      /* (count): the column that reads 0 meanwhile */
    size_t count, columns;
    void *memory;
};

static enum status table_fill(struct table *table, struct ceilings_state *state,
                              const struct baseline_row *rows, size_t count, struct error *error)
{
    const struct encode_layout layout = layout_of(rows[0].config->kind);
    encode_plan_whole(&state->plan, &layout);
    find_measures(state);
    table->columns = (size_t)state->plan.count;
    TRY(error_allocate(&table->memory, count, (table->columns + CEILING_HEADS + 2) * sizeof(float),
                       "inputs", error));
    table->inputs = table->memory;
    table->ceilings = table->inputs + count * table->columns;
    table->targets = table->ceilings + count * CEILING_HEADS;
    table->hidden = table->targets + count;
    for (size_t i = 0; i < count; i++) {
        struct layer_work work;
        const struct layer_question question = question_of(rows[i].config, &work);
        if (!set_ceilings(table->ceilings + table->count * CEILING_HEADS, &question,
                          rows[i].device))
            continue;
        set_inputs(table->inputs + table->count * table->columns, state, rows[i].config,
                   rows[i].device);
        table->targets[table->count++] = (float)log(rows[i].measured_ms);
    }
    return STATUS_OK;
}

static enum status create_parameters(struct ceilings_state *state, struct error *error)
{
    TRY(ALLOCATE(&state->parameters, (size_t)state->net_count * mlp_parameter_count(&state->shape),
                 "parameters", error));
    return STATUS_OK;
}

/* Exchanges a column with what stands in `hidden`. */
static void exchange_column(struct table *table, size_t column)
{
    for (size_t row = 0; row < table->count; row++) {
        float *value = &table->inputs[row * table->columns + column];
        const float kept = table->hidden[row];
        table->hidden[row] = *value;
        *value = kept;
    }
}

static int32_t epochs_of(size_t rows)
{
    const size_t batch = (size_t)recipe.batch_size, steps = (rows + batch - 1) / batch;
    const int32_t needed = (int32_t)((STEPS_MINIMUM + steps - 1) / steps);
    return needed > recipe.epochs ? needed : recipe.epochs;
}

/* Trains nets first, first + MEASURE_COUNT, ..., which see the same measure. */
static enum status train_nets(struct ceilings_state *state, const struct table *table, int first,
                              struct error *error)
{
    const struct train_data data = {.inputs = (int32_t)table->columns,
                                    .train_rows = table->count,
                                    .train_inputs = table->inputs,
                                    .train_targets = table->targets,
                                    .train_offsets = table->ceilings};
    struct train_job jobs[NET_LIMIT] = {{.data = &data}};
    struct train_result results[NET_LIMIT];
    int count = 0;
    for (int net = first; net < state->net_count; net += MEASURE_COUNT, count++) {
        jobs[count] = (struct train_job){.shape = state->shape,
                                         .options = recipe,
                                         .seed = state->seed + (uint64_t)net,
                                         .data = &data};
        jobs[count].options.epochs = epochs_of(table->count);
    }
    TRY(trainer_host.fit(results, jobs, count, 0, NULL, error));
    for (int i = 0; i < count; i++) {
        memcpy(parameters_of(state, first + i * MEASURE_COUNT), results[i].parameters,
               mlp_parameter_count(&state->shape) * sizeof(float));
        train_result_free(&results[i]);
    }
    return STATUS_OK;
}

static enum status fit_table(struct ceilings_state *state, struct table *table, struct error *error)
{
    state->shape = shape_of((int32_t)table->columns);
    scaler_fit(&state->scaler, table->inputs, table->count, (int)table->columns, 0);
    scaler_apply(&state->scaler, table->inputs, table->count);
    TRY(create_parameters(state, error));
    memset(table->hidden, 0, table->count * sizeof *table->hidden);
    for (int first = 0; first < MEASURE_COUNT; first++) {
        exchange_column(table, hidden_column(state, first));
        TRY(train_nets(state, table, first, error));
        exchange_column(table, hidden_column(state, first));
    }
    return STATUS_OK;
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    struct table table = {.count = 0};
    enum status status = table_fill(&table, state, rows, count, error);
    if (status == STATUS_OK && table.count > 0)
        status = fit_table(state, &table, error);
    *fitted = status == STATUS_OK && table.count > 0;
    free(table.memory);
    return status;
}

/* An operator counts as the mean layer of the state's kind: it reaches the same shares of the
 * ceilings. */
static void set_mean_inputs(float *inputs, const struct ceilings_state *state,
                            const struct device_info *device)
{
    float measures[MEASURE_COUNT];
    set_measures(measures, device);
    for (int i = 0; i < state->scaler.column_count; i++)
        inputs[i] = (float)state->scaler.means[i];
    for (int i = 0; i < MEASURE_COUNT; i++)
        inputs[state->measures[i]] = measures[i];
}

static double forecast_ms(const void *state, const struct layer_question *question,
                          const struct device_info *device)
{
    const struct ceilings_state *ceilings = state;
    float inputs[ENCODE_COLUMN_LIMIT], ceiling[CEILING_HEADS];
    if (!set_ceilings(ceiling, question, device))
        return NAN;
    if (question->config)
        set_inputs(inputs, ceilings, question->config, device);
    else
        set_mean_inputs(inputs, ceilings, device);
    scaler_apply(&ceilings->scaler, inputs, 1);
    double sum = 0;
    for (int net = 0; net < ceilings->net_count; net++) {
        float *hidden = &inputs[hidden_column(ceilings, net)], answer;
        const float kept = *hidden;
        *hidden = 0;
        if (mlp_predict(&answer, inputs, ceiling, 1, parameters_of(ceilings, net), &ceilings->shape,
                        NULL) != STATUS_OK)
            return NAN;
        *hidden = kept;
        sum += (double)answer;
    }
    return exp(fmin(sum / ceilings->net_count, 60));
}

static bool extrapolates(const void *state, const struct layer_config *config)
{
    return !encode_plan_knows(&((const struct ceilings_state *)state)->plan, config);
}

static void release(void *state)
{
    free(((struct ceilings_state *)state)->parameters);
}

/* ---- model files ---- */

static const struct member members[] = {
    {"nets", offsetof(struct ceilings_state, net_count), .type = MEMBER_INT32, .low = 1,
     .high = NET_LIMIT},
    {"seed", offsetof(struct ceilings_state, seed), .type = MEMBER_UINT64},
};

static enum status save(const void *base, enum layer_kind kind, const struct model_place *place,
                        struct error *error)
{
    (void)kind;
    const struct ceilings_state *state = base;
    TRY(model_columns_write(place, &state->plan, state->scaler.means, state->scaler.inverse_scales,
                            error));
    return write_array(place, "parameters", H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, state->parameters,
                       (size_t)state->net_count, mlp_parameter_count(&state->shape), error);
}

static enum status load(void *base, enum layer_kind kind, const struct model_place *place,
                        struct error *error)
{
    struct ceilings_state *state = base;
    const struct encode_layout layout = layout_of(kind);
    TRY(model_columns_read(place, &state->plan, &layout, state->scaler.means,
                           state->scaler.inverse_scales, error));
    if (!find_measures(state))
        return model_bad_value(place, "columns", error);
    state->scaler.column_count = state->plan.count;
    state->shape = shape_of(state->plan.count);
    TRY(create_parameters(state, error));
    return model_floats_read(place, "parameters", state->parameters, (size_t)state->net_count,
                             mlp_parameter_count(&state->shape), error);
}

static const struct baseline_law law = {
    .type = &predictor_ceilings,
    .state_size = sizeof(struct ceilings_state),
    .begin = begin,
    .shares_devices = true,
    .fit = fit,
    .forecast_ms = forecast_ms,
    .takes_operators = true,
    .extrapolates = extrapolates,
    .release = release,
    LAW_MEMBERS(members),
    .save = save,
    .load = load,
};
BASELINE_PREDICTOR(ceilings, law, "learnt shares of the device's ceilings, for unseen devices",
                   PREDICTOR_OPTIONS(options_table, standard));
