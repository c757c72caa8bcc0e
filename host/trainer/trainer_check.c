#include "trainer/trainer.h"

#include <math.h>

/* Ranges of the options of type float: minimum <= value < limit. */
struct range {
    const char *name;
    size_t offset;
    float minimum, limit;
};
#define RANGE(member, minimum, limit)                                                              \
    {                                                                                              \
#member, offsetof(struct train_options, member), minimum, limit                            \
    }
static const struct range ranges[] = {
    RANGE(learning_rate, 0, INFINITY),
    RANGE(beta1, 0, 1),
    RANGE(beta2, 0, 1),
    RANGE(epsilon, 0, INFINITY),
    RANGE(l2, 0, INFINITY),
    RANGE(weight_decay, 0, INFINITY),
    RANGE(dropout, 0, 1),
    RANGE(gradient_clip, 0, INFINITY),
    RANGE(warmup_share, 0, 1),
};

static enum status check_options(const struct train_options *options, int number,
                                 struct error *error)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *range = &ranges[i];
        float value = *(const float *)((const char *)options + range->offset);
        if (!(value >= range->minimum && value < range->limit))
            return FAIL(error, STATUS_FAILED, "net %d: %s is %g, expected %g <= %s < %g", number,
                        range->name, (double)value, (double)range->minimum, range->name,
                        (double)range->limit);
    }
    if (options->batch_size < 1)
        return FAIL(error, STATUS_FAILED, "net %d: batch_size is %d, expected 1 or more", number,
                    options->batch_size);
    if (options->epochs < 1)
        return FAIL(error, STATUS_FAILED, "net %d: epochs is %d, expected 1 or more", number,
                    options->epochs);
    if (options->loss < 0 || options->loss >= choice_loss.count)
        return FAIL(error, STATUS_FAILED, "net %d: unknown loss %d", number, options->loss);
    if (options->loss == LOSS_LOG_COSH && !(options->loss_scale > 0))
        return FAIL(error, STATUS_FAILED, "net %d: loss_scale is %g, expected above 0", number,
                    (double)options->loss_scale);
    if (options->schedule < 0 || options->schedule >= choice_schedule.count)
        return FAIL(error, STATUS_FAILED, "net %d: unknown schedule %d", number, options->schedule);
    if (options->schedule == SCHEDULE_HALVING && options->halving_epochs < 1)
        return FAIL(error, STATUS_FAILED, "net %d: halving_epochs is %d, expected 1 or more",
                    number, options->halving_epochs);
    return STATUS_OK;
}

static enum status check_rows(const char *split, const float *inputs, const float *targets,
                              size_t rows, size_t width, int number, struct error *error)
{
    for (size_t r = 0; r < rows; r++) {
        if (!isfinite(targets[r]))
            return FAIL(error, STATUS_FAILED, "net %d: target of %s row %zu is not finite", number,
                        split, r);
        for (size_t j = 0; j < width; j++)
            if (!isfinite(inputs[r * width + j]))
                return FAIL(error, STATUS_FAILED, "net %d: input %zu of %s row %zu is not finite",
                            number, j, split, r);
    }
    return STATUS_OK;
}

/* Offsets are there exactly where the output needs them. */
static enum status check_offsets(const char *split, const float *offsets, size_t rows,
                                 const struct mlp_shape *shape, int number, struct error *error)
{
    const size_t heads = (size_t)mlp_head_count(shape);
    const char *output = choice_mlp_output.names[shape->output];
    if (shape->output != MLP_OUTPUT_SUM && offsets)
        return FAIL(error, STATUS_FAILED, "net %d: output %s takes no %s_offsets", number, output,
                    split);
    if (shape->output != MLP_OUTPUT_SUM || rows == 0)
        return STATUS_OK;
    if (!offsets)
        return FAIL(error, STATUS_FAILED, "net %d: output %s needs %s_offsets", number, output,
                    split);
    for (size_t i = 0; i < rows * heads; i++)
        if (!isfinite(offsets[i]))
            return FAIL(error, STATUS_FAILED, "net %d: %s_offsets[%zu] of row %zu is not finite",
                        number, split, i % heads, i / heads);
    return STATUS_OK;
}

enum status train_job_check(const struct train_job *job, int number, struct error *error)
{
    const struct train_data *data = job->data;
    TRY(mlp_shape_check(&job->shape, error));
    TRY(check_options(&job->options, number, error));
    if (job->shape.widths[0] != data->inputs)
        return FAIL(error, STATUS_FAILED, "net %d: shape has %d inputs, the data have %d", number,
                    job->shape.widths[0], data->inputs);
    if (job->shape.output == MLP_OUTPUT_SUM && job->options.epsilon == 0)
        return FAIL(error, STATUS_FAILED,
                    "net %d: epsilon is 0, output sum needs more: hidden weights start without a "
                    "gradient",
                    number);
    if (data->train_rows == 0)
        return FAIL(error, STATUS_FAILED, "net %d: no training rows", number);
    size_t batch = (size_t)job->options.batch_size;
    size_t steps = (data->train_rows + batch - 1) / batch;
    if (data->train_rows > INT32_MAX || steps > UINT32_MAX / (size_t)job->options.epochs)
        return FAIL(error, STATUS_FAILED, "net %d: %zu rows for %d epochs exceed 2^32 steps",
                    number, data->train_rows, job->options.epochs);
    size_t width = (size_t)data->inputs;
    TRY(check_rows("training", data->train_inputs, data->train_targets, data->train_rows, width,
                   number, error));
    TRY(check_rows("test", data->test_inputs, data->test_targets, data->test_rows, width, number,
                   error));
    TRY(check_offsets("train", data->train_offsets, data->train_rows, &job->shape, number, error));
    return check_offsets("test", data->test_offsets, data->test_rows, &job->shape, number, error);
}
