/* The cpu backend computes what its layers mean: every tensor of a training step against naive
 * double-precision loops.
 */
#include "base/philox.h"
#include "bench/device_identity.h"
#include "child.h"
#include "kinds/reference.h"
#include "layer_configs.h"
#include "onednn/cpu_plan.h"
#include "onednn/exponential.h"
#include "onednn/processor.h"
#include "onednn/version.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct device *open_cpu(int64_t arena_bytes, int thread_count)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {
        .arena_bytes = arena_bytes, .thread_count = thread_count, .seed = 7};
    if (device_open(&device, "cpu", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static int setup(void **state)
{
    *state = open_cpu(256 << 20, 1);
    return 0;
}

static int teardown(void **state)
{
    device_close(*state);
    return 0;
}

static struct cpu_plan *prepare_pair(struct device *device, const struct layer_config *config,
                                     struct cpu_plan *first, struct cpu_plan *second)
{
    struct plan *const inputs[LAYER_INPUT_LIMIT] = {first ? &first->base : NULL,
                                                    second ? &second->base : NULL};
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    if (layer_check(config, &error) != STATUS_OK)
        fail_msg("bad config in test: %s", error.message);
    if (device->backend->bench[config->kind]->prepare(&plan, device, config, inputs, &outcome,
                                                      &error) != STATUS_OK)
        fail_msg("prepare: %s", error.message);
    assert_true(strlen(plan->algorithm) > 0);
    return (struct cpu_plan *)plan;
}

static struct cpu_plan *prepare(struct device *device, const struct layer_config *config,
                                struct cpu_plan *input)
{
    return prepare_pair(device, config, input, NULL);
}

static void enqueue(struct cpu_plan *plan, int phases)
{
    struct error error = {0};
    if (plan->base.bench->enqueue(&plan->base, phases, &error) != STATUS_OK)
        fail_msg("enqueue: %s", error.message);
}

static void release(struct cpu_plan *plan)
{
    plan->base.bench->release(&plan->base);
}

static size_t element_count(const struct cpu_plan *plan, enum cpu_role role)
{
    const struct cpu_layout *layout = plan->tensor[role].layout;
    const dnnl_dim_t *dimensions = cpu_layout_dimensions(layout);
    size_t count = 1;
    for (int i = 0; i < cpu_layout_rank(layout); i++)
        count *= (size_t)dimensions[i];
    return count;
}

/* The role's values in plain layout; the caller frees. */
static float *read_tensor(struct cpu_plan *plan, enum cpu_role role)
{
    struct error error = {0};
    float *values = malloc(element_count(plan, role) * sizeof *values);
    assert_non_null(values);
    if (cpu_plan_read(values, plan, role, &error) != STATUS_OK)
        fail_msg("read: %s", error.message);
    return values;
}

/* Fresh numbers in (-1, 1) into the role, as it keeps them; the caller frees them. */
static float *write_noise(struct cpu_plan *plan, enum cpu_role role)
{
    struct error error = {0};
    size_t count = element_count(plan, role);
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * philox_uniform(philox((uint32_t)i, role, 0, 99, 5).word[0]) - 1;
    if (cpu_plan_write(plan, role, values, &error) != STATUS_OK)
        fail_msg("write: %s", error.message);
    free(values);
    return read_tensor(plan, role);
}

/* Of the largest value; 16 bits round inputs, outputs and what lies between two steps. */
static const double tolerances[PRECISION_COUNT] = {[PRECISION_FP32] = 1e-4,
                                                   [PRECISION_TF32] = 1e-4,
                                                   [PRECISION_FP16] = 4e-3,
                                                   [PRECISION_BF16] = 2e-2,
                                                   [PRECISION_AMP] = 4e-3};

static void assert_close(const char *what, const float *got, const double *wanted, size_t count,
                         double tolerance)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++)
        if (!isnan(wanted[i]) && !(fabs((double)got[i] - wanted[i]) <= tolerance * largest + 1e-6))
            fail_msg("%s[%zu] of %zu: got %.9g, wanted %.9g", what, i, count, (double)got[i],
                     wanted[i]);
    assert_true(count == 0 || largest > 0);
}

static void assert_role(struct cpu_plan *plan, enum cpu_role role, const char *what,
                        const double *wanted)
{
    float *got = read_tensor(plan, role);
    assert_close(what, got, wanted, element_count(plan, role), tolerances[plan->config.precision]);
    free(got);
}

static bool has_role(const struct cpu_plan *plan, enum cpu_role role)
{
    return plan->tensor[role].memory != NULL;
}

/* The naive step of a plan, with fresh numbers for both. */
static void begin_step(struct step *step, struct cpu_plan *plan)
{
    step_begin(step, &plan->config);
    for (int i = 0; i < step->input_count; i++)
        step->input[i] = step->is_index[i] ? read_tensor(plan, CPU_INPUT + i)
                                           : write_noise(plan, CPU_INPUT + i);
    for (int i = 0; i < step->weights_count; i++)
        step->weights[i] = write_noise(plan, CPU_WEIGHTS + i);
    step->bias = step->bias_size ? write_noise(plan, CPU_BIAS) : NULL;
    if (plan->config.pass == PASS_TRAIN) {
        step->output_gradient = write_noise(plan, CPU_OUTPUT_GRADIENT);
    } else if (has_role(plan, CPU_MEAN)) {
        step->mean = write_noise(plan, CPU_MEAN);
        step->variance = read_tensor(plan, CPU_VARIANCE);
    }
}

static void assert_gradients(struct cpu_plan *plan, const struct step *step)
{
    for (int i = 0; i < step->input_count; i++)
        if (step->input_gradient[i])
            assert_role(plan, CPU_INPUT_GRADIENT + i, "input gradient", step->input_gradient[i]);
    for (int i = 0; i < step->weights_count; i++)
        assert_role(plan, CPU_WEIGHTS_GRADIENT + i, "weights gradient", step->weights_gradient[i]);
    if (step->bias)
        assert_role(plan, CPU_BIAS_GRADIENT, "bias gradient", step->bias_gradient);
}

/* One pass of a plan with its own numbers. */
static void check_step(struct device *device, const struct layer_config *config)
{
    device->backend->reset(device);
    struct cpu_plan *plan = prepare(device, config, NULL);
    struct step step;
    begin_step(&step, plan);
    step_forward(&step);
    enqueue(plan, PHASE_FORWARD);
    assert_role(plan, CPU_OUTPUT, "output", step.output);
    if (config->pass == PASS_TRAIN) {
        step_backward(&step);
        enqueue(plan, PHASE_BACKWARD);
        assert_gradients(plan, &step);
    }
    step_free(&step);
    release(plan);
}

/* With a bias and without one, where the kind can have one. */
static void check_case(struct device *device, const struct layer_config *wanted)
{
    const struct feature *use_bias = layer_feature_find(wanted->kind, "use_bias");
    for (int bias = 0; bias < (use_bias ? 2 : 1); bias++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            struct layer_config config = *wanted;
            config.pass = pass;
            if (use_bias)
                layer_set(&config, use_bias, bias);
            check_step(device, &config);
        }
}

static void kinds_are_right(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < kind_references[kind]->case_count; i++) {
            const struct layer_config *config = &kind_references[kind]->cases[i];
            assert_int_equal(config->kind, kind);
            check_case(*state, config);
        }
}

/* A forward pass takes the statistics that it is given. */
static void batch_norm_takes_statistics(void **state)
{
    struct device *device = *state;
    for (int activation = 0; activation < ACTIVATION_COUNT; activation++) {
        struct layer_config config = batch_norm_config(2, (struct batch_norm){5, 18, activation});
        config.pass = PASS_FORWARD;
        device->backend->reset(device);
        struct cpu_plan *plan = prepare(device, &config, NULL);
        struct step step;
        begin_step(&step, plan);
        for (int i = 0; i < 18; i++)
            assert_true(step.variance[i] >= 0.5f && step.variance[i] <= 1.5f);
        step_forward(&step);
        enqueue(plan, PHASE_FORWARD);
        assert_role(plan, CPU_OUTPUT, "output", step.output);
        step_free(&step);
        release(plan);
    }
}

/* The library's primitive contains a relu where it can: no step of its own, forward or backward. */
static void batch_norm_contains_a_relu(void **state)
{
    struct device *device = *state;
    device->backend->reset(device);
    for (int pass = 0; pass < PASS_COUNT; pass++) {
        struct layer_config config = batch_norm_config(2, (struct batch_norm){14, 32, 0});
        config.pass = pass;
        struct cpu_plan *plain = prepare(device, &config, NULL);
        config.as.batch_norm.activation = ACTIVATION_RELU;
        struct cpu_plan *relu = prepare(device, &config, NULL);
        config.as.batch_norm.activation = ACTIVATION_TANH;
        struct cpu_plan *other = prepare(device, &config, NULL);
        assert_int_equal(relu->step_count, plain->step_count);
        assert_int_equal(other->step_count, (pass == PASS_TRAIN ? 2 : 1) + plain->step_count);
        release(other), release(relu), release(plain);
    }
}

static int count_updates(const struct cpu_plan *plan)
{
    int count = 0;
    for (int i = 0; i < plan->step_count; i++)
        count += plan->steps[i].phase == PHASE_UPDATE && plan->steps[i].primitive == NULL;
    return count;
}

/* Each has an update of its own. */
static int parameter_tensors(const struct layer_config *config)
{
    struct layer_work work;
    layer_work(&work, config);
    return work_tensor_count(&work, TENSOR_WEIGHTS) + work_tensor_count(&work, TENSOR_BIAS);
}

/* Two steps of update through a plan: the weights start at 0, so that the tiny rate shows. `shown`
 * is where the result is read: the parameters, or what they are rounded into. */
static void check_update(struct device *device, const struct layer_config *config,
                         enum cpu_role parameters, enum cpu_role gradient_role, enum cpu_role shown,
                         double tolerance)
{
    struct error error = {0};
    const int optimizer = config->optimizer;
    device->backend->reset(device);
    struct cpu_plan *plan = prepare(device, config, NULL);
    assert_int_equal(count_updates(plan), parameter_tensors(config));
    size_t count = element_count(plan, parameters);
    float *none = calloc(count, sizeof *none);
    assert_int_equal(cpu_plan_write(plan, parameters, none, &error), STATUS_OK);
    float *gradient = write_noise(plan, gradient_role);
    double *wanted = zeros(count);
    for (size_t i = 0; i < count; i++) {
        struct element e = {.g = (double)gradient[i]};
        wanted[i] = updated(updated(e, optimizer), optimizer).w * 1e8;
    }
    enqueue(plan, PHASE_UPDATE);
    enqueue(plan, PHASE_UPDATE);
    float *got = read_tensor(plan, shown);
    for (size_t i = 0; i < count; i++)
        got[i] *= 1e8f;
    assert_close(choice_name(&choice_optimizer, optimizer), got, wanted, count, tolerance);
    free(none), free(gradient), free(wanted), free(got);
    release(plan);
}

static void check_optimizer(struct device *device, int optimizer, const struct layer_config *base,
                            enum cpu_role parameters, enum cpu_role gradient)
{
    struct layer_config config = *base;
    config.optimizer = optimizer;
    check_update(device, &config, parameters, gradient, parameters, 1e-4);
}

/* The kinds' examples, those that have parameters. */
static void optimizers_are_right(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_config config = reference_example((enum layer_kind)kind);
        struct layer_work work;
        layer_work(&work, &config);
        for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
            for (int i = 0; i < work_tensor_count(&work, TENSOR_WEIGHTS); i++)
                check_optimizer(*state, optimizer, &config, CPU_WEIGHTS + i,
                                CPU_WEIGHTS_GRADIENT + i);
            if (work_tensor_count(&work, TENSOR_BIAS))
                check_optimizer(*state, optimizer, &config, CPU_BIAS, CPU_BIAS_GRADIENT);
        }
    }
}

/* By vectors of every width that the processor has, and rests of them. */
static void exponentials_are_right(void **state)
{
    (void)state;
    float x[37], y[37];
    for (int i = 0; i < 37; i++)
        x[i] = (float)i * 2.5f - 60;
    for (int64_t vector = 4; vector <= processor_vector_floats(); vector *= 2)
        for (int count = 1; count <= 37; count++) {
            double sum = 0;
            exponentials(y, x, count, 20, 3, vector);
            for (int i = 0; i < count; i++) {
                const double wanted = exp((double)x[i] - 20);
                assert_true(fabs((double)y[i] - 3 * wanted) <= 1e-6 * 3 * wanted);
                sum += wanted;
            }
            const double got = (double)exponential_sum(x, count, 20, vector);
            assert_true(fabs(got - sum) <= 2e-6 * sum);
        }
}

/* A unit in the last place per step, without a gradient. */
static void adamw_shrinks_weights(void **state)
{
    struct device *device = *state;
    struct layer_config config = dense_config(2, 5, 3, 0, ACTIVATION_NONE);
    struct error error = {0};
    float values[15];
    config.optimizer = OPTIMIZER_ADAMW;
    device->backend->reset(device);
    struct cpu_plan *plan = prepare(device, &config, NULL);
    memset(values, 0, sizeof values);
    assert_int_equal(cpu_plan_write(plan, CPU_WEIGHTS_GRADIENT, values, &error), STATUS_OK);
    for (int i = 0; i < 15; i++)
        values[i] = i % 2 ? -1 : 1;
    assert_int_equal(cpu_plan_write(plan, CPU_WEIGHTS, values, &error), STATUS_OK);
    for (int step = 0; step < 1000; step++)
        enqueue(plan, PHASE_UPDATE);
    float *got = read_tensor(plan, CPU_WEIGHTS);
    for (int i = 0; i < 15; i++)
        assert_true(fabsf(fabsf(got[i]) - (1 - 1000 * 0x1p-24f)) < 1e-6f);
    free(got);
    release(plan);
}

/* Each row that occurs, by the sum of what its indices have; the others stay as they are. */
static void check_sparse_update(struct device *device, int optimizer)
{
    struct layer_config config = kind_references[LAYER_EMBEDDING]->cases[0];
    struct error error = {0};
    config.as.embedding.gradient = GRADIENT_SPARSE;
    config.optimizer = optimizer;
    device->backend->reset(device);
    struct cpu_plan *plan = prepare(device, &config, NULL);
    const size_t count = element_count(plan, CPU_WEIGHTS), width = config.as.embedding.width;
    const size_t rows = element_count(plan, CPU_INPUT);
    float *none = calloc(count, sizeof *none);
    assert_int_equal(cpu_plan_write(plan, CPU_WEIGHTS, none, &error), STATUS_OK);
    enqueue(plan, PHASE_BACKWARD);
    float *indices = read_tensor(plan, CPU_INPUT), *g = read_tensor(plan, CPU_WEIGHTS_GRADIENT);
    double *wanted = zeros(count);
    for (size_t row = rows; row-- > 0;) /* the first of equal indices comes last */
        for (size_t i = 0; i < width; i++) {
            const struct element e = {.g = (double)g[row * width + i]};
            wanted[(size_t)indices[row] * width + i] = updated(updated(e, optimizer), optimizer).w *
                                                       1e8;
        }
    enqueue(plan, PHASE_UPDATE);
    enqueue(plan, PHASE_UPDATE);
    float *got = read_tensor(plan, CPU_WEIGHTS);
    for (size_t i = 0; i < count; i++)
        got[i] *= 1e8f;
    assert_close(choice_name(&choice_optimizer, optimizer), got, wanted, count, 1e-4);
    free(none), free(indices), free(g), free(wanted), free(got);
    release(plan);
}

static void sparse_updates_change_their_rows_alone(void **state)
{
    for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++)
        check_sparse_update(*state, optimizer);
}

/* Several threads have the rows of the table, each its own: the same sums. */
static void scattered_rows_share_out_over_threads(void **state)
{
    (void)state;
    struct device *device = open_cpu(64 << 20, 3);
    for (int gradient = 0; gradient < GRADIENT_COUNT; gradient++) {
        const struct layer_config config = {
            .kind = LAYER_EMBEDDING,
            .batch_size = 20,
            .pass = PASS_TRAIN,
            .as.embedding = {
                .positions = 50, .vocabulary = 700, .width = 100, .gradient = gradient}};
        check_step(device, &config);
    }
    device_close(device);
}

static void large_updates_share_out_over_threads(void **state)
{
    (void)state;
    struct device *device = open_cpu(64 << 20, 2);
    const struct layer_config dense = dense_config(1, 300, 200, 1, ACTIVATION_NONE);
    for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++)
        check_optimizer(device, optimizer, &dense, CPU_WEIGHTS, CPU_WEIGHTS_GRADIENT);
    device_close(device);
}

/* The update belongs to its own phase, and to optimizers alone. */
static void phases_are_apart(void **state)
{
    struct device *device = *state;
    device->backend->reset(device);
    struct layer_config config = dense_config(2, 3, 4, 1, ACTIVATION_RELU);
    struct cpu_plan *plan = prepare(device, &config, NULL);
    assert_int_equal(count_updates(plan), 0);
    release(plan);
    config.pass = PASS_FORWARD;
    plan = prepare(device, &config, NULL);
    assert_null(plan->tensor[CPU_OUTPUT_GRADIENT].memory);
    float *input = write_noise(plan, CPU_INPUT), *before = read_tensor(plan, CPU_OUTPUT);
    enqueue(plan, PHASE_BACKWARD | PHASE_UPDATE);
    float *after = read_tensor(plan, CPU_OUTPUT);
    assert_memory_equal(before, after, 8 * sizeof *before);
    free(input), free(before), free(after);
    release(plan);
}

/* A consumer reads what the producer wrote, and its input gradient arrives at the producer. */
static void assert_linked(struct cpu_plan *producer, struct cpu_plan *consumer)
{
    size_t count = element_count(producer, CPU_OUTPUT);
    float *sent = read_tensor(producer, CPU_OUTPUT), *seen = read_tensor(consumer, CPU_INPUT);
    assert_int_equal(count, element_count(consumer, CPU_INPUT));
    assert_memory_equal(sent, seen, count * sizeof *sent);
    float *given = read_tensor(consumer, CPU_INPUT_GRADIENT);
    float *taken = read_tensor(producer, CPU_OUTPUT_GRADIENT);
    assert_memory_equal(given, taken, count * sizeof *given);
    free(sent), free(seen), free(given), free(taken);
}

static void linked_layers_pass_tensors(void **state)
{
    struct device *device = *state;
    device->backend->reset(device);
    const struct layer_config configs[] = {
        conv2d_config(2, SQUARE(12, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
        conv2d_config(2, SQUARE(12, 3, 16, 20, 1, PADDING_SAME, 1, ACTIVATION_TANH)),
        pool2d_config(2, (struct pool2d){12, 2, 20, 2, PADDING_VALID, 0, ACTIVATION_NONE}),
        dense_config(2, 20 * 36, 30, 1, ACTIVATION_RELU),
        dense_config(2, 30, 10, 1, ACTIVATION_NONE)};
    enum { COUNT = sizeof configs / sizeof *configs };
    struct cpu_plan *plans[COUNT];
    for (int i = 0; i < COUNT; i++)
        plans[i] = prepare(device, &configs[i], i ? plans[i - 1] : NULL);
    for (int i = 0; i < COUNT; i++)
        enqueue(plans[i], PHASE_FORWARD);
    for (int i = COUNT; i-- > 0;)
        enqueue(plans[i], PHASE_BACKWARD);
    for (int i = 1; i < COUNT; i++)
        assert_linked(plans[i - 1], plans[i]);
    /* pooling takes the layout that it gets: no copy either way */
    assert_ptr_equal(plans[1]->tensor[CPU_OUTPUT].data, plans[2]->tensor[CPU_INPUT].data);
    assert_ptr_equal(plans[1]->tensor[CPU_OUTPUT_GRADIENT].data,
                     plans[2]->tensor[CPU_INPUT_GRADIENT].data);
    for (int i = COUNT; i-- > 0;)
        release(plans[i]);
}

static void flattened_gradient_is_right(void **state)
{
    struct device *device = *state;
    device->backend->reset(device);
    const struct layer_config pool = pool2d_config(
        2, (struct pool2d){6, 2, 16, 2, PADDING_VALID, 1, ACTIVATION_NONE});
    const struct layer_config dense = dense_config(2, 16 * 9, 5, 0, ACTIVATION_NONE);
    struct cpu_plan *first = prepare(device, &pool, NULL), *second = prepare(device, &dense, first);
    enqueue(first, PHASE_FORWARD);
    enqueue(second, PHASE_FORWARD);
    float *features = read_tensor(first, CPU_OUTPUT), *weights = read_tensor(second, CPU_WEIGHTS);
    double *wanted = zeros(10);
    for (int n = 0; n < 2; n++)
        for (int o = 0; o < 5; o++)
            for (int i = 0; i < 144; i++)
                wanted[5 * n + o] += (double)features[144 * n + i] * (double)weights[144 * o + i];
    assert_role(second, CPU_OUTPUT, "dense over flattened pooling", wanted);
    free(features), free(weights), free(wanted);
    release(second);
    release(first);
}

/* A layer of a chain, and the naive step beside it. */
struct link {
    struct cpu_plan *plan;
    struct step naive;
};

static void link_create(struct link *link, struct device *device, const struct layer_config *config,
                        const struct link *producer)
{
    struct cpu_plan *plan = prepare(device, config, producer ? producer->plan : NULL);
    *link = (struct link){.plan = plan};
    struct step *naive = &link->naive;
    step_begin(naive, config);
    naive->input[0] = calloc(naive->input_size[0], sizeof *naive->input[0]);
    naive->output_gradient = calloc(naive->output_size, sizeof *naive->output_gradient);
    assert_true(naive->input[0] && naive->output_gradient);
    for (int i = 0; i < naive->weights_count; i++)
        naive->weights[i] = read_tensor(plan, CPU_WEIGHTS + i);
    naive->bias = plan->tensor[CPU_BIAS].memory ? read_tensor(plan, CPU_BIAS) : NULL;
}

static void to_floats(float *to, const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (float)from[i];
}

/* The naive layers one after the other, forward and then backward. */
static void compute_chain(struct link *links, int count)
{
    for (int i = 0; i < count; i++) {
        if (i)
            to_floats(links[i].naive.input[0], links[i - 1].naive.output,
                      links[i].naive.input_size[0]);
        step_forward(&links[i].naive);
    }
    for (int i = count; i-- > 0;) {
        step_backward(&links[i].naive);
        if (i)
            to_floats(links[i - 1].naive.output_gradient, links[i].naive.input_gradient[0],
                      links[i].naive.input_size[0]);
    }
}

static void assert_chain(struct link *links, int count)
{
    for (int i = 0; i < count; i++) {
        struct cpu_plan *plan = links[i].plan;
        const struct step *naive = &links[i].naive;
        assert_role(plan, CPU_OUTPUT, "chained output", naive->output);
        assert_role(plan, CPU_INPUT_GRADIENT, "chained input gradient", naive->input_gradient[0]);
        if (i + 1 < count)
            assert_role(plan, CPU_OUTPUT_GRADIENT, "delivered gradient",
                        links[i + 1].naive.input_gradient[0]);
        if (naive->weights_count > 0)
            assert_role(plan, CPU_WEIGHTS_GRADIENT, "chained weights gradient",
                        naive->weights_gradient[0]);
        if (naive->bias)
            assert_role(plan, CPU_BIAS_GRADIENT, "chained bias gradient", naive->bias_gradient);
    }
}

static void chain_is_right(void **state)
{
    struct device *device = *state;
    enum { COUNT = 5 };
    for (int pooling = 0; pooling < 2; pooling++) {
        const struct layer_config configs[COUNT] = {
            conv2d_config(2, SQUARE(10, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_TANH)),
            batch_norm_config(2, (struct batch_norm){10, 16, pooling ? 0 : ACTIVATION_RELU}),
            pool2d_config(2, (struct pool2d){10, 2, 16, 2, PADDING_VALID, pooling, 0}),
            conv2d_config(2, SQUARE(5, 2, 16, 9, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
            dense_config(2, 9 * 25, 6, 1, ACTIVATION_SIGMOID)};
        struct link links[COUNT];
        device->backend->reset(device);
        for (int i = 0; i < COUNT; i++)
            link_create(&links[i], device, &configs[i], i ? &links[i - 1] : NULL);
        float *input = write_noise(links[0].plan, CPU_INPUT);
        float *gradient = write_noise(links[COUNT - 1].plan, CPU_OUTPUT_GRADIENT);
        memcpy(links[0].naive.input[0], input, links[0].naive.input_size[0] * sizeof *input);
        memcpy(links[COUNT - 1].naive.output_gradient, gradient,
               links[COUNT - 1].naive.output_size * sizeof *gradient);
        compute_chain(links, COUNT);
        for (int i = 0; i < COUNT; i++)
            enqueue(links[i].plan, PHASE_FORWARD);
        for (int i = COUNT; i-- > 0;)
            enqueue(links[i].plan, PHASE_BACKWARD);
        assert_chain(links, COUNT);
        free(input), free(gradient);
        for (int i = COUNT; i-- > 0;) {
            step_free(&links[i].naive);
            release(links[i].plan);
        }
    }
}

/* A residual: both tensors are read, whatever their layouts, and the first producer has the sum's
 * gradient without a copy. */
static void check_residual(struct device *device, const struct layer_config *other,
                           int32_t activation)
{
    const struct layer_config conv = conv2d_config(
        2, SQUARE(6, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_NONE));
    const struct layer_config sum = addition_config(2, 16 * 36, activation);
    device->backend->reset(device);
    struct cpu_plan *first = prepare(device, &conv, NULL), *second = prepare(device, other, NULL);
    struct cpu_plan *plan = prepare_pair(device, &sum, first, second);
    struct step naive;
    enqueue(first, PHASE_FORWARD);
    enqueue(second, PHASE_FORWARD);
    enqueue(plan, PHASE_FORWARD);
    step_begin(&naive, &sum);
    naive.input[0] = read_tensor(first, CPU_OUTPUT);
    naive.input[1] = read_tensor(second, CPU_OUTPUT);
    naive.output_gradient = write_noise(plan, CPU_OUTPUT_GRADIENT);
    step_forward(&naive);
    step_backward(&naive);
    assert_role(plan, CPU_OUTPUT, "residual", naive.output);
    enqueue(plan, PHASE_BACKWARD);
    assert_role(first, CPU_OUTPUT_GRADIENT, "gradient of a residual", naive.input_gradient[0]);
    assert_ptr_equal(first->tensor[CPU_OUTPUT_GRADIENT].data,
                     plan->tensor[CPU_INPUT_GRADIENT].data);
    step_free(&naive);
    release(plan), release(second), release(first);
}

static void residuals_are_linked(void **state)
{
    const struct layer_config norm = batch_norm_config(2, (struct batch_norm){6, 16, 0});
    const struct layer_config dense = dense_config(2, 5, 16 * 36, 1, ACTIVATION_NONE);
    for (int activation = 0; activation < ACTIVATION_COUNT; activation++) {
        check_residual(*state, &norm, activation);
        check_residual(*state, &dense, activation);
    }
}

/* ---- tensors with several readers ---- */

/* Adds the gradient that a reader, with operands of its own, hands to its input, as it is by
 * definition. */
static void add_naive_gradient(double *sum, struct cpu_plan *reader, size_t count)
{
    struct step naive;
    step_begin(&naive, &reader->config);
    for (int i = 0; i < naive.input_count; i++)
        naive.input[i] = read_tensor(reader, CPU_INPUT + i);
    for (int i = 0; i < naive.weights_count; i++)
        naive.weights[i] = read_tensor(reader, CPU_WEIGHTS + i);
    naive.bias = naive.bias_size ? read_tensor(reader, CPU_BIAS) : NULL;
    naive.output_gradient = read_tensor(reader, CPU_OUTPUT_GRADIENT);
    step_forward(&naive);
    step_backward(&naive);
    for (size_t i = 0; i < count; i++)
        sum[i] += naive.input_gradient[0][i];
    step_free(&naive);
}

/* The layers read one producer, each in a layout of its own. */
static void check_readers(struct device *device, const struct layer_config *readers, int count)
{
    enum { LIMIT = 4 };
    const struct layer_config conv = conv2d_config(
        2, SQUARE(6, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_NONE));
    struct cpu_plan *plans[LIMIT];
    device->backend->reset(device);
    struct cpu_plan *producer = prepare(device, &conv, NULL);
    const size_t elements = element_count(producer, CPU_OUTPUT);
    double *wanted = zeros(elements);
    for (int i = 0; i < count; i++)
        plans[i] = prepare(device, &readers[i], producer);
    enqueue(producer, PHASE_FORWARD);
    for (int i = 0; i < count; i++) {
        enqueue(plans[i], PHASE_FORWARD);
        free(write_noise(plans[i], CPU_OUTPUT_GRADIENT));
        add_naive_gradient(wanted, plans[i], elements);
    }
    for (int i = count; i-- > 0;)
        enqueue(plans[i], PHASE_BACKWARD);
    assert_role(producer, CPU_OUTPUT_GRADIENT, "sum of gradients", wanted);
    free(wanted);
    for (int i = count; i-- > 0;)
        release(plans[i]);
    release(producer);
}

static void gradients_of_several_readers_are_summed(void **state)
{
    const struct layer_config conv = conv2d_config(
        2, SQUARE(6, 3, 16, 8, 1, PADDING_SAME, 1, ACTIVATION_RELU));
    const struct layer_config norm = batch_norm_config(2, (struct batch_norm){6, 16, 0});
    const struct layer_config dense = dense_config(2, 16 * 36, 5, 1, ACTIVATION_TANH);
    const struct layer_config pool = pool2d_config(
        2, (struct pool2d){6, 2, 16, 2, PADDING_VALID, POOLING_AVERAGE, ACTIVATION_NONE});
    check_readers(*state, (const struct layer_config[]){conv, dense}, 2);
    check_readers(*state, (const struct layer_config[]){dense, conv}, 2);
    check_readers(*state, (const struct layer_config[]){norm, conv, dense, pool}, 4);
    check_readers(*state, (const struct layer_config[]){pool, pool, norm}, 3);
}

/* A residual: conv reads x, the addition adds x again: x has both gradients. */
static void a_residual_adds_its_gradient(void **state)
{
    struct device *device = *state;
    const struct layer_config conv = conv2d_config(
        2, SQUARE(6, 3, 16, 16, 1, PADDING_SAME, 0, ACTIVATION_NONE));
    const struct layer_config sum = addition_config(2, 16 * 36, 0);
    device->backend->reset(device);
    struct cpu_plan *x = prepare(device, &conv, NULL), *branch = prepare(device, &conv, x);
    struct cpu_plan *both = prepare_pair(device, &sum, branch, x);
    const size_t elements = element_count(x, CPU_OUTPUT);
    double *wanted = zeros(elements);
    enqueue(x, PHASE_FORWARD);
    enqueue(branch, PHASE_FORWARD);
    enqueue(both, PHASE_FORWARD);
    float *gradient = write_noise(both, CPU_OUTPUT_GRADIENT);
    add_naive_gradient(wanted, branch, elements); /* whose output gradient is the same */
    for (size_t i = 0; i < elements; i++)
        wanted[i] += (double)gradient[i];
    enqueue(both, PHASE_BACKWARD);
    enqueue(branch, PHASE_BACKWARD);
    assert_role(x, CPU_OUTPUT_GRADIENT, "gradient of a residual's input", wanted);
    free(gradient), free(wanted);
    release(both), release(branch), release(x);
}

/* Weights of a deep chain are scaled so that neither infinity nor denormals slow it down. */
static void deep_chains_stay_finite(void **state)
{
    struct device *device = *state;
    device->backend->reset(device);
    const struct layer_config config = dense_config(8, 512, 512, 1, ACTIVATION_RELU);
    struct cpu_plan *plans[20];
    for (int i = 0; i < 20; i++)
        plans[i] = prepare(device, &config, i ? plans[i - 1] : NULL);
    for (int i = 0; i < 20; i++)
        enqueue(plans[i], PHASE_FORWARD);
    float *output = read_tensor(plans[19], CPU_OUTPUT);
    double sum = 0;
    for (int i = 0; i < 8 * 512; i++)
        sum += fabs((double)output[i]);
    assert_true(sum / (8 * 512) > 1e-3 && sum / (8 * 512) < 1e3);
    free(output);
    for (int i = 20; i-- > 0;)
        release(plans[i]);
}

static double mean_size(struct cpu_plan *plan, enum cpu_role role)
{
    const size_t count = element_count(plan, role);
    float *values = read_tensor(plan, role);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fabs((double)values[i]);
    free(values);
    return sum / (double)count;
}

enum { BLOCKS = 12, BLOCK = 4, BLOCK_PLANS = BLOCKS * BLOCK + 1 };

/* conv, norm with relu, conv, norm, and the sum with what came in, as in a ResNet. */
static void prepare_blocks(struct cpu_plan **plans, struct device *device, int pass)
{
    struct layer_config conv = conv2d_config(
        4, SQUARE(8, 3, 16, 16, 1, PADDING_SAME, 0, ACTIVATION_NONE));
    struct layer_config norm = batch_norm_config(4, (struct batch_norm){8, 16, ACTIVATION_RELU});
    struct layer_config sum = addition_config(4, 16 * 64, ACTIVATION_RELU);
    conv.pass = norm.pass = sum.pass = pass;
    plans[0] = prepare(device, &conv, NULL);
    for (int i = 1; i < BLOCK_PLANS; i += BLOCK) {
        plans[i] = prepare(device, &norm, plans[i - 1]);
        plans[i + 1] = prepare(device, &conv, plans[i]);
        plans[i + 2] = prepare(device, &norm, plans[i + 1]);
        plans[i + 3] = prepare_pair(device, &sum, plans[i + 2], plans[i - 1]);
    }
}

static void deep_residuals_stay_finite(void **state)
{
    struct device *device = *state;
    for (int pass = 0; pass < PASS_COUNT; pass++) {
        struct cpu_plan *plans[BLOCK_PLANS];
        device->backend->reset(device);
        prepare_blocks(plans, device, pass);
        for (int i = 0; i < BLOCK_PLANS; i++)
            enqueue(plans[i], PHASE_FORWARD);
        const double output = mean_size(plans[BLOCK_PLANS - 1], CPU_OUTPUT);
        assert_true(output > 1e-3 && output < 1e6);
        for (int i = BLOCK_PLANS; i-- > 0;)
            enqueue(plans[i], PHASE_BACKWARD);
        const double gradient = pass == PASS_TRAIN ? mean_size(plans[0], CPU_INPUT_GRADIENT) : 1;
        print_message("output %g, gradient %g\n", output, gradient);
        assert_true(gradient > 1e-20 && gradient < 1e6); /* single precision ends at 1e-38 */
        for (int i = BLOCK_PLANS; i-- > 0;)
            release(plans[i]);
    }
}

static void memory_is_accounted_before_use(void **state)
{
    (void)state;
    struct device *device = open_cpu(1 << 20, 1);
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan = (struct plan *)1;
    const struct layer_config large = dense_config(64, 1000, 1000, 1, ACTIVATION_NONE);
    assert_int_equal(
        device->backend->bench[LAYER_DENSE]->prepare(&plan, device, &large, NULL, &outcome, &error),
        STATUS_OUT_OF_MEMORY);
    assert_null(plan);
    assert_non_null(strstr(error.message, "arena"));
    device->backend->reset(device);
    const struct layer_config small = dense_config(2, 10, 10, 1, ACTIVATION_NONE);
    release(prepare(device, &small, NULL));
    device_close(device);
}

/* ---- 16 bits ---- */

static void check_unsupported(struct device *device, int kind, int precision)
{
    struct error error = {0};
    struct layer_config config = reference_example((enum layer_kind)kind);
    config.precision = precision;
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan = (struct plan *)1;
    assert_int_equal(
        device->backend->bench[kind]->prepare(&plan, device, &config, NULL, &outcome, &error),
        STATUS_FAILED);
    assert_int_equal(outcome, OUTCOME_UNSUPPORTED);
    assert_null(plan);
    assert_non_null(strstr(error.message, choice_name(&choice_precision, precision)));
}

static void precisions_that_the_processor_lacks_are_unsupported(void **state)
{
    assert_true(cpu_has_precision(PRECISION_FP32));
    assert_false(cpu_has_precision(PRECISION_TF32));
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int kind = 0; kind < LAYER_KIND_COUNT && !cpu_has_precision(precision); kind++)
            check_unsupported(*state, kind, precision);
}

/* Does `check` for each 16-bit precision that runs here; skips where none does. */
static void for_narrow(struct device *device, void (*check)(struct device *device, int precision))
{
    int count = 0;
    for (int precision = PRECISION_FP16; precision < PRECISION_COUNT; precision++)
        if (cpu_has_precision(precision)) {
            check(device, precision);
            count++;
        }
    if (count > 0)
        return;
    print_message("skipped: this processor, or this oneDNN, computes in fp32 alone\n");
    skip();
}

static void check_narrow_steps(struct device *device, int precision)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < kind_references[kind]->narrow_case_count; i++) {
            struct layer_config config = kind_references[kind]->narrow_cases[i];
            config.precision = precision;
            check_step(device, &config);
        }
}

static void narrow_steps_are_right(void **state)
{
    for_narrow(*state, check_narrow_steps);
}

/* Updates change fp32 master weights and round them into the weights; other parameters are fp32. */
static void check_narrow_updates(struct device *device, int precision)
{
    struct layer_config dense = dense_config(2, 50, 30, 1, ACTIVATION_NONE);
    struct layer_config conv2d = conv2d_config(
        1, SQUARE(6, 3, 5, 18, 1, PADDING_VALID, 1, ACTIVATION_RELU));
    struct layer_config norm = batch_norm_config(2, (struct batch_norm){4, 21, ACTIVATION_RELU});
    dense.precision = conv2d.precision = norm.precision = precision;
    for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
        dense.optimizer = conv2d.optimizer = norm.optimizer = optimizer;
        check_update(device, &dense, CPU_MASTER_WEIGHTS, CPU_WEIGHTS_GRADIENT, CPU_MASTER_WEIGHTS,
                     1e-4);
        check_update(device, &conv2d, CPU_MASTER_WEIGHTS, CPU_WEIGHTS_GRADIENT, CPU_MASTER_WEIGHTS,
                     1e-4);
        check_update(device, &dense, CPU_BIAS, CPU_BIAS_GRADIENT, CPU_BIAS, 1e-4);
        check_update(device, &norm, CPU_WEIGHTS, CPU_WEIGHTS_GRADIENT, CPU_WEIGHTS, 1e-4);
        if (precision == PRECISION_BF16) /* the steps are too small for fp16 */
            check_update(device, &conv2d, CPU_MASTER_WEIGHTS, CPU_WEIGHTS_GRADIENT, CPU_WEIGHTS,
                         4e-3);
    }
}

static void narrow_updates_keep_master_weights(void **state)
{
    for_narrow(*state, check_narrow_updates);
}

/* Noise of the right size, and no NaN that fp32 noise would be in 16 bits. */
static void check_narrow_noise(struct device *device, int precision)
{
    struct layer_config config = conv2d_config(
        8, SQUARE(64, 3, 16, 16, 1, PADDING_SAME, 0, ACTIVATION_NONE));
    config.precision = precision;
    device->backend->reset(device);
    struct cpu_plan *plan = prepare(device, &config, NULL);
    float *input = read_tensor(plan, CPU_INPUT);
    const size_t count = element_count(plan, CPU_INPUT);
    double sum = 0, squares = 0;
    assert_true(count > CPU_NOISE_COUNT);
    for (size_t i = 0; i < count; i++) {
        assert_true(fabsf(input[i]) <= 1);
        sum += (double)input[i];
        squares += (double)input[i] * (double)input[i];
    }
    assert_true(fabs(sum / (double)count) < 0.01);
    assert_true(fabs(squares / (double)count - 1. / 3) < 0.01);
    free(input);
    release(plan);
}

static void narrow_operands_are_noise(void **state)
{
    for_narrow(*state, check_narrow_noise);
}

/* conv, norm, pool, dense: in 16 bits layers hand on what they write, too. */
static void check_narrow_chain(struct device *device, int precision)
{
    enum { COUNT = 4 };
    struct layer_config configs[COUNT] = {
        conv2d_config(2, SQUARE(10, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_TANH)),
        batch_norm_config(2, (struct batch_norm){10, 16, ACTIVATION_RELU}),
        pool2d_config(2, (struct pool2d){10, 2, 16, 2, PADDING_VALID, POOLING_AVERAGE, 0}),
        dense_config(2, 16 * 25, 6, 1, ACTIVATION_SIGMOID)};
    struct cpu_plan *plans[COUNT];
    device->backend->reset(device);
    for (int i = 0; i < COUNT; i++) {
        configs[i].precision = precision;
        plans[i] = prepare(device, &configs[i], i ? plans[i - 1] : NULL);
    }
    for (int i = 0; i < COUNT; i++)
        enqueue(plans[i], PHASE_FORWARD);
    for (int i = COUNT; i-- > 0;)
        enqueue(plans[i], PHASE_BACKWARD);
    for (int i = 0; i + 2 < COUNT; i++)
        assert_linked(plans[i], plans[i + 1]);
    for (int i = COUNT; i-- > 0;)
        release(plans[i]);
}

static void narrow_layers_are_linked(void **state)
{
    for_narrow(*state, check_narrow_chain);
}

static void device_describes_itself(void **state)
{
    struct device *device = *state;
    struct device_info info;
    char library[64];
    struct error error = {0};
    assert_int_equal(device->backend->describe(device, false, &info, &error), STATUS_OK);
    assert_string_equal(info.backend, "cpu");
    onednn_version(library, sizeof library);
    assert_string_equal(info.library, library);
    assert_true(strlen(info.name) > 0 && info.thread_count == 1 && info.memory_bytes > 0);
    assert_true(isnan(info.bandwidth_gbps) && isnan(info.measured_copy_gbps));
    assert_true(isnan(info.clock_mhz) || info.clock_mhz > 100);
    const struct device_info before = info;
    assert_int_equal(device->backend->describe(device, true, &info, &error), STATUS_OK);
    assert_true(info.measured_copy_gbps > 0.1 && info.measured_copy_gbps < 1e4);
    assert_true(info.measured_sgemm_gflops > 0.1 && info.measured_sgemm_gflops < 1e5);
    assert_true(info.measured_call_latency_us > 0.01 && info.measured_call_latency_us < 1e4);
    assert_true(device_is_same(&before, &info));
    info.thread_count = 2;
    assert_false(device_is_same(&before, &info));
}

static void clock_runs(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    double elapsed_ms = -1;
    device->backend->reset(device);
    assert_int_equal(device->backend->timer_start(device, &error), STATUS_OK);
    device->backend->flush_cache(device);
    assert_int_equal(device->backend->timer_stop(device, &elapsed_ms, &error), STATUS_OK);
    assert_true(elapsed_ms > 0.1 && elapsed_ms < 60e3);
    device->backend->disturbed(device);
}

static void arena_that_cannot_be_mapped_is_reported(void **state)
{
    (void)state;
    struct error error = {0};
    struct device *device = (struct device *)1;
    const struct device_options options = {.arena_bytes = INT64_MAX / 2};
    assert_int_equal(device_open(&device, "cpu", &options, &error), STATUS_NO_DEVICE);
    assert_null(device);
    assert_non_null(strstr(error.message, "arena"));
    assert_non_null(strstr(error.hint, "ulimit -v"));
}

/* In a child, which a limit of its address space leaves 1 GiB: the arena is half of it. */
static void limited_child(void)
{
    const struct device_options options = {.thread_count = 1};
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1)
        _exit(2);
    fclose(file);
    const rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (1 << 30);
    const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    struct device *device;
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(3);
    if (device_open(&device, "cpu", &options, NULL) != STATUS_OK)
        _exit(4);
    const size_t arena_bytes = ((struct cpu_device *)device)->arena_bytes;
    _exit(arena_bytes > 64 << 20 && arena_bytes <= 512 << 20 ? 0 : 5);
}

static void a_limited_process_has_a_smaller_arena(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        limited_child();
    assert_child_succeeds(child);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_right),
        cmocka_unit_test(batch_norm_takes_statistics),
        cmocka_unit_test(batch_norm_contains_a_relu),
        cmocka_unit_test(optimizers_are_right),
        cmocka_unit_test(exponentials_are_right),
        cmocka_unit_test(adamw_shrinks_weights),
        cmocka_unit_test(sparse_updates_change_their_rows_alone),
        cmocka_unit_test(scattered_rows_share_out_over_threads),
        cmocka_unit_test(large_updates_share_out_over_threads),
        cmocka_unit_test(phases_are_apart),
        cmocka_unit_test(linked_layers_pass_tensors),
        cmocka_unit_test(flattened_gradient_is_right),
        cmocka_unit_test(chain_is_right),
        cmocka_unit_test(residuals_are_linked),
        cmocka_unit_test(gradients_of_several_readers_are_summed),
        cmocka_unit_test(a_residual_adds_its_gradient),
        cmocka_unit_test(deep_chains_stay_finite),
        cmocka_unit_test(deep_residuals_stay_finite),
        cmocka_unit_test(memory_is_accounted_before_use),
        cmocka_unit_test(precisions_that_the_processor_lacks_are_unsupported),
        cmocka_unit_test(narrow_steps_are_right),
        cmocka_unit_test(narrow_updates_keep_master_weights),
        cmocka_unit_test(narrow_operands_are_noise),
        cmocka_unit_test(narrow_layers_are_linked),
        cmocka_unit_test(device_describes_itself),
        cmocka_unit_test(clock_runs),
        cmocka_unit_test(arena_that_cannot_be_mapped_is_reported),
        cmocka_unit_test(a_limited_process_has_a_smaller_arena),
    };
    return RUN_TESTS(argc, argv, tests, setup, teardown);
}
