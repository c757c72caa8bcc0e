/* Independent trainer in double precision, one row at a time, straight from the definition in
 * trainer/trainer.h: what the engines are compared with. Shares only the random numbers.
 */
#ifndef TRAINER_REFERENCE_H
#define TRAINER_REFERENCE_H

#include "trainer/trainer.h"
#include "trainer/trainer_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reference {
    const struct train_job *job;
    size_t count;
    double *parameters, *gradient, *m, *v;
    uint32_t step;
};

static void reference_create(struct reference *reference, const struct train_job *job)
{
    size_t count = mlp_parameter_count(&job->shape);
    float *initial = malloc(count * sizeof *initial);
    mlp_initialise(initial, &job->shape, job->seed);
    *reference = (struct reference){.job = job, .count = count};
    double **arrays[] = {&reference->parameters, &reference->gradient, &reference->m,
                         &reference->v};
    for (size_t i = 0; i < 4; i++)
        *arrays[i] = calloc(count, sizeof(double));
    for (size_t k = 0; k < count; k++)
        reference->parameters[k] = (double)initial[k];
    free(initial);
}

static void reference_free(struct reference *reference)
{
    free(reference->parameters);
    free(reference->gradient);
    free(reference->m);
    free(reference->v);
}

struct reference_row {
    double a[MLP_LAYER_LIMIT + 1][512]; /* inputs and layer outputs after activation and dropout */
    double slope[MLP_LAYER_LIMIT][512]; /* of the activation of a layer's output, without dropout */
    double factor[512];                 /* dropout of the last hidden layer: 0 or 1 / (1 - p) */
    double slopes[MLP_HEAD_LIMIT];      /* d prediction / d z of the heads */
};

static double reference_activation(double *slope, double z, int32_t activation)
{
    if (activation == MLP_ACTIVATION_RELU) {
        *slope = z > 0;
        return fmax(z, 0);
    }
    double gate = 1 / (1 + exp(-z));
    *slope = gate + z * gate * (1 - gate);
    return z * gate;
}

/* the prediction from the z of the output's heads; fills slopes */
static double reference_output(struct reference_row *row, const struct mlp_shape *shape,
                               const float *offsets)
{
    const double *z = row->a[shape->layer_count];
    double sum = 0;
    if (shape->output == MLP_OUTPUT_SUM) {
        for (int h = 0; h < mlp_head_count(shape); h++)
            sum += exp(z[h] + (double)offsets[h]);
        for (int h = 0; h < mlp_head_count(shape); h++)
            row->slopes[h] = exp(z[h] + (double)offsets[h]) / sum;
        return log(sum);
    }
    row->slopes[0] = shape->output != MLP_OUTPUT_RELU ? 1 : z[0] > 0 ? 1 / (1 + z[0]) : 0;
    return shape->output == MLP_OUTPUT_RELU ? log1p(fmax(z[0], 0)) : z[0];
}

/* ln(1 + t') of one row; output sum: ln t' */
static double reference_forward(const struct reference *reference, struct reference_row *row,
                                const float *inputs, const float *offsets, uint32_t row_in_batch)
{
    const struct mlp_shape *shape = &reference->job->shape;
    double dropout = (double)reference->job->options.dropout;
    int last = shape->layer_count - 1;
    for (int i = 0; i < shape->widths[0]; i++)
        row->a[0][i] = (double)inputs[i];
    for (int layer = 0; layer <= last; layer++)
        for (int j = 0; j < shape->widths[layer + 1]; j++) {
            int columns = shape->widths[layer + 1];
            double z = reference->parameters[mlp_bias_offset(shape, layer) + (size_t)j];
            for (int i = 0; i < shape->widths[layer]; i++)
                z += row->a[layer][i] * reference->parameters[mlp_weight_offset(shape, layer) +
                                                              (size_t)i * columns + (size_t)j];
            if (layer == last - 1) {
                struct philox_words words = dropout_words(reference->step, row_in_batch,
                                                          (uint32_t)j / 8, reference->job->seed);
                uint32_t bits = dropout_bits(words, (uint32_t)j % 8);
                bool kept = dropout == 0 || bits < dropout_threshold((float)dropout);
                row->factor[j] = kept ? 1 / (1 - dropout) : 0;
            }
            double factor = layer == last - 1 ? row->factor[j] : 1;
            row->a[layer + 1][j] = layer < last
                                       ? factor * reference_activation(&row->slope[layer][j], z,
                                                                       shape->activation)
                                       : z;
        }
    return reference_output(row, shape, offsets);
}

/* adds the row's gradient, d loss / d prediction given */
static void reference_backward(struct reference *reference, const struct reference_row *row,
                               double slope)
{
    const struct mlp_shape *shape = &reference->job->shape;
    int last = shape->layer_count - 1;
    double delta[512], before[512];
    for (int h = 0; h < mlp_head_count(shape); h++)
        delta[h] = slope * row->slopes[h];
    for (int layer = last; layer >= 0; layer--) {
        size_t weights = mlp_weight_offset(shape, layer), bias = mlp_bias_offset(shape, layer);
        int columns = shape->widths[layer + 1];
        for (int j = 0; j < columns; j++)
            if (layer < last || shape->output_bias)
                reference->gradient[bias + (size_t)j] += delta[j];
        for (int i = 0; i < shape->widths[layer]; i++) {
            before[i] = 0;
            for (int j = 0; j < columns; j++) {
                size_t k = weights + (size_t)i * (size_t)columns + (size_t)j;
                reference->gradient[k] += delta[j] * row->a[layer][i];
                before[i] += delta[j] * reference->parameters[k];
            }
            if (layer > 0)
                before[i] *= row->slope[layer - 1][i] * (layer == last ? row->factor[i] : 1);
        }
        memcpy(delta, before, sizeof delta);
    }
}

/* of a row; *slope: its derivative */
static double reference_row_loss(double *slope, double difference,
                                 const struct train_options *options)
{
    double scale = (double)options->loss_scale;
    if (options->loss == LOSS_SQUARED) {
        *slope = 2 * difference;
        return difference * difference;
    }
    *slope = 2 * scale * tanh(difference / scale);
    return 2 * scale * scale * log(cosh(difference / scale));
}

/* Loss of the batch of the current step, L2 included; fills the gradient. */
static double reference_loss(struct reference *reference)
{
    const struct train_job *job = reference->job;
    const struct train_data *data = job->data;
    size_t size = (size_t)job->options.batch_size, steps = (data->train_rows + size - 1) / size;
    size_t first = reference->step % steps * size, rows = data->train_rows - first;
    rows = rows < size ? rows : size;
    uint32_t n = (uint32_t)data->train_rows;
    uint32_t key = permutation_key(job->seed, (uint32_t)(reference->step / steps));
    struct reference_row *row = malloc(sizeof *row);
    double loss = 0;
    memset(reference->gradient, 0, reference->count * sizeof(double));
    for (size_t r = 0; r < rows; r++) {
        size_t index = permutation((uint32_t)(first + r), n, permutation_half_bits(n), key);
        const float *offsets = data->train_offsets ? data->train_offsets +
                                                         index * (size_t)mlp_head_count(&job->shape)
                                                   : NULL;
        double difference = reference_forward(reference, row,
                                              data->train_inputs + index * (size_t)data->inputs,
                                              offsets, (uint32_t)r) -
                            (double)data->train_targets[index];
        double slope;
        loss += reference_row_loss(&slope, difference, &job->options) / (double)rows;
        reference_backward(reference, row, slope / (double)rows);
    }
    free(row);
    double l2 = (double)job->options.l2;
    for (int layer = 0; layer < job->shape.layer_count; layer++)
        for (size_t k = mlp_weight_offset(&job->shape, layer);
             k < mlp_bias_offset(&job->shape, layer); k++) {
            loss += l2 * reference->parameters[k] * reference->parameters[k] / 2;
            reference->gradient[k] += l2 * reference->parameters[k];
        }
    return loss;
}

static void reference_step(struct reference *reference)
{
    const struct train_options *options = &reference->job->options;
    const struct mlp_shape *shape = &reference->job->shape;
    size_t size = (size_t)options->batch_size;
    size_t steps = (reference->job->data->train_rows + size - 1) / size;
    reference_loss(reference);
    double b1 = (double)options->beta1, b2 = (double)options->beta2, norm = 0, clip = 1;
    double rate = learning_rate(options, reference->step, (uint32_t)steps), t = reference->step + 1;
    for (size_t k = 0; k < reference->count; k++)
        norm += reference->gradient[k] * reference->gradient[k];
    if (options->gradient_clip > 0 && sqrt(norm) > (double)options->gradient_clip)
        clip = (double)options->gradient_clip / sqrt(norm);
    for (int layer = 0; layer < shape->layer_count; layer++)
        for (size_t k = mlp_weight_offset(shape, layer); k < mlp_weight_offset(shape, layer + 1);
             k++) {
            double g = reference->gradient[k] * clip;
            double decay = k < mlp_bias_offset(shape, layer) ? (double)options->weight_decay : 0;
            reference->m[k] = b1 * reference->m[k] + (1 - b1) * g;
            reference->v[k] = b2 * reference->v[k] + (1 - b2) * g * g;
            double corrected = rate * sqrt(1 - pow(b2, t)) / (1 - pow(b1, t));
            reference->parameters[k] -= corrected * reference->m[k] /
                                            (sqrt(reference->v[k]) + (double)options->epsilon) +
                                        rate * decay * reference->parameters[k];
        }
    reference->step++;
}

#endif
