#include "base/philox.h"
#include "test.h"
#include "trainer/head_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 2000, COLUMNS = 3, HEADS = 2, HIDDEN = 2 };

struct arrays {
    float inputs[ROWS * COLUMNS], ceilings[ROWS * HEADS], targets[ROWS];
};

static double uniform(uint32_t index, uint32_t part)
{
    return philox(index, part, 0, PHILOX_FAKE_TIME, 3).word[0] / 4294967296.0 * 2 - 1;
}

/* t = 2^(x_0 + 1) e^c_0 + 0.5 e^c_1, inputs in [-1, 1]; x_1 is noise, x_2 gives the target away. */
static double law(const float *inputs, const float *ceilings)
{
    return log(exp2((double)inputs[0] + 1) * exp((double)ceilings[0]) +
               0.5 * exp((double)ceilings[1]));
}

static struct head_rows rows_create(struct arrays *arrays)
{
    for (uint32_t row = 0; row < ROWS; row++) {
        float *inputs = arrays->inputs + (size_t)row * COLUMNS;
        float *ceilings = arrays->ceilings + (size_t)row * HEADS;
        for (uint32_t i = 0; i < HEADS; i++) {
            inputs[i] = (float)uniform(row, i);
            ceilings[i] = (float)(3 * uniform(row, COLUMNS + i));
        }
        arrays->targets[row] = (float)law(inputs, ceilings);
        inputs[HIDDEN] = arrays->targets[row];
    }
    return (struct head_rows){.inputs = arrays->inputs,
                              .ceilings = arrays->ceilings,
                              .targets = arrays->targets,
                              .count = ROWS,
                              .columns = COLUMNS};
}

static float *train(const struct head_rows *rows, const struct mlp_shape *shape, uint64_t seed)
{
    float *parameters = calloc(mlp_parameter_count(shape), sizeof *parameters);
    assert_non_null(parameters);
    assert_int_equal(head_net_train(parameters, shape, rows, HIDDEN, seed, NULL), STATUS_OK);
    return parameters;
}

/* Rows that training has not seen, with other ceilings than any row of it had together. */
static void the_law_is_found(void **state)
{
    (void)state;
    static struct arrays arrays;
    const struct head_rows rows = rows_create(&arrays);
    const struct mlp_shape shape = head_net_shape(COLUMNS, HEADS);
    float *parameters = train(&rows, &shape, 1);
    double sum = 0;
    for (uint32_t row = ROWS; row < 2 * ROWS; row++) {
        const float inputs[COLUMNS] = {(float)uniform(row, 0), (float)uniform(row, 1), 0};
        const float ceilings[HEADS] = {(float)(5 + uniform(row, 2)), (float)(5 + uniform(row, 3))};
        sum += fabs(head_net_forecast(inputs, ceilings, &shape, parameters) -
                    law(inputs, ceilings));
    }
    print_message("mean |ln t'/t| %.4f\n", sum / ROWS);
    assert_true(sum < 0.05 * ROWS);
    free(parameters);
}

static void a_hidden_column_is_not_seen(void **state)
{
    (void)state;
    static struct arrays arrays;
    const struct head_rows rows = rows_create(&arrays);
    const struct mlp_shape shape = head_net_shape(COLUMNS, HEADS);
    float *parameters = train(&rows, &shape, 1), *other_seed = train(&rows, &shape, 2);
    for (size_t row = 0; row < ROWS; row++)
        arrays.inputs[row * COLUMNS + HIDDEN] = 7;
    float *other_column = train(&rows, &shape, 1);
    const size_t size = mlp_parameter_count(&shape) * sizeof *parameters;
    assert_memory_equal(parameters, other_column, size);
    assert_int_not_equal(memcmp(parameters, other_seed, size), 0);
    free(parameters);
    free(other_seed);
    free(other_column);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law_is_found),
        cmocka_unit_test(a_hidden_column_is_not_seen),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
