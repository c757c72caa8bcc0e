/* Columns that only many rows pay for, and the plans that choose, drop and find columns. */
#include "base/hash.h"
#include "layers/encode_plan.h"
#include "parsed_config.h"
#include "pins.h"
#include "predictor_calls.h"
#include "predictors/predictor_mlp.h"
#include "predictors/row_selection.h"
#include "synthetic_rows.h"

static struct encode_layout layout_of(enum layer_kind kind, bool with_steps)
{
    return (struct encode_layout){
        .encoding = ENCODING_PHYSICAL, .kind = kind, .with_steps = with_steps};
}

/* A config's row with steps. */
struct row {
    struct encode_plan plan;
    const char *names[ENCODE_COLUMN_LIMIT];
    float values[ENCODE_COLUMN_LIMIT];
};

static void row_encode(struct row *row, const struct layer_config *config)
{
    const struct encode_layout layout = layout_of(config->kind, true);
    encode_plan_whole(&row->plan, &layout);
    encode_plan_names(row->names, &row->plan);
    assert_true(encode_plan_row(row->values, &row->plan, config, NULL, NULL));
}

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static double value_of(const struct row *row, const char *name)
{
    const int at = find(row->names, row->plan.count, name);
    if (at < 0)
        fail_msg("no column '%s'", name);
    return row->values[at];
}

/* Columns that are 1 among those whose names begin so. */
static int count_set(const struct row *row, const char *prefix)
{
    int count = 0;
    for (int i = 0; i < row->plan.count; i++)
        count += strncmp(row->names[i], prefix, strlen(prefix)) == 0 && row->values[i] == 1;
    return count;
}

/* ---- dense ---- */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void dense_steps_change_above_their_size(void **state)
{
    (void)state;
    static const int32_t sizes[] = {1, 15, 16, 17, 32, 33, 4079, 4080, 4081, 4096, 1000000};
    struct layer_config dense = parsed_config("dense:batch_size=1");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct row row;
        dense.as.dense.inputs = sizes[i];
        dense.as.dense.outputs = sizes[sizeof sizes / sizeof *sizes - 1 - i];
        dense.batch_size = sizes[i];
        row_encode(&row, &dense);
        assert_int_equal(count_set(&row, "inputs>"), least((dense.as.dense.inputs - 1) / 16, 255));
        assert_int_equal(count_set(&row, "outputs>"),
                         least((dense.as.dense.outputs - 1) / 16, 255));
        assert_int_equal(count_set(&row, "batch_size>"), least((dense.batch_size - 1) / 4, 15));
        assert_float_equal(value_of(&row, "inputs>16"), dense.as.dense.inputs > 16, 0);
        assert_float_equal(value_of(&row, "inputs>4080"), dense.as.dense.inputs > 4080, 0);
        assert_float_equal(value_of(&row, "outputs>32"), dense.as.dense.outputs > 32, 0);
        assert_float_equal(value_of(&row, "batch_size>60"), dense.batch_size > 60, 0);
        assert_int_equal(find(row.names, row.plan.count, "step_inputs_0"), -1);
    }
}

/* ---- conv2d ---- */

struct expected {
    const char *name;
    double value;
};

static void assert_columns(const char *text, const struct expected *expected)
{
    struct row row;
    const struct layer_config config = parsed_config(text);
    row_encode(&row, &config);
    for (; expected->name; expected++)
        if (!(fabs(value_of(&row, expected->name) - expected->value) < 1e-5))
            fail_msg("%s of %s: %g, not %g", expected->name, text, value_of(&row, expected->name),
                     expected->value);
}
#define ASSERT_COLUMNS(text, ...)                                                                  \
    assert_columns(text, (const struct expected[]){__VA_ARGS__, {NULL, 0}})

static void transforms_of_a_valid_convolution(void **state)
{
    (void)state;
    /* 32 points without padding; outputs 30 x 30. Planes 2*3 + 3*5 + 2*5 = 31 of 32 x 17
     * frequencies, 8 bytes each. Transforms 2.5 * 1024 * 10 * 31 FLOPs, products 8 * 2*15 * 544.
     * A tile yields 30 cells a side: 1 x 1 of outputs, 2 x 2 of inputs: 8 pieces, planes 8*3 + 15
     * + 8*5 = 79, products 8 * 8*15 * 544. */
    const double direct = 2. * 2 * 900 * 9 * 3 * 5, full = 793600 + 130560,
                 input = 25600. * 79 + 522240;
    ASSERT_COLUMNS("conv2d:batch_size=2,image_size=32,kernel_size=3,channels_in=3,channels_out=5,"
                   "stride=1",
                   {"padded_image_size", 32}, {"log_full_fft_size", 5}, {"full_fft_size<=32", 1},
                   {"log_full_fft_workspace_bytes", log2(8. * 31 * 544)},
                   {"log_full_fft_transform_flops", log2(793600)},
                   {"log_full_fft_product_flops", log2(130560)}, {"log_full_fft_flops", log2(full)},
                   {"log_full_fft_gain", log2(direct / full)}, {"full_fft_fits_4_gib", 1},
                   {"full_fft_workspace_bytes>2^28", 0}, {"log_fft_32_flops", log2(full)},
                   {"log_fft_32_gain", log2(direct / full)}, {"log_fft_32_tiles", 0},
                   {"log_input_fft_32_tiles", 1}, {"log_input_fft_32_flops", log2(input)},
                   {"log_input_fft_32_gain", log2(direct / input)},
                   {"log_input_fft_32_workspace_bytes", log2(8. * 79 * 544)});
}

/* The slowest published row of a V100: its workspace is above the 4 GiB that TensorFlow allows. */
static void transforms_of_a_same_convolution(void **state)
{
    (void)state;
    /* planes 52*31 + 31*34 + 52*34 = 4434; 512 points; tiles of 26 outputs: 11 x 11 */
    const double pieces = 52 * 121, planes = pieces * (31 + 34) + 31 * 34;
    ASSERT_COLUMNS("conv2d:batch_size=52,image_size=269,kernel_size=7,channels_in=31,"
                   "channels_out=34,stride=1,padding=same,pass=train,optimizer=adagrad",
                   {"padded_image_size", 275}, {"log_full_fft_size", 9}, {"full_fft_size<=512", 1},
                   {"full_fft_size<=256", 0}, {"log_full_fft_gain", 0}, {"full_fft_fits_4_gib", 0},
                   {"log_full_fft_workspace_bytes", log2(8. * 4434 * 512 * 257)},
                   {"full_fft_workspace_bytes>2^31.5", 1}, {"full_fft_workspace_bytes>2^32", 1},
                   {"full_fft_workspace_bytes>2^32.5", 0}, {"log_fft_32_tiles", log2(11)},
                   {"log_fft_32_workspace_bytes", log2(8. * planes * 544)},
                   {"fft_32_workspace_bytes>2^30", 1}, {"fft_32_workspace_bytes>2^31", 0},
                   {"fft_32_fits_4_gib", 1}, {"channels_in<=24", 0}, {"channels_in<=32", 1},
                   {"channels_out<=32", 0}, {"channels_out<=48", 1});
}

static void transforms_do_not_apply(void **state)
{
    (void)state;
    /* stride 2: outputs ceil(9/2) = 5, zeros (5 - 1) 2 + 5 - 9 = 4 */
    ASSERT_COLUMNS("conv2d:image_size=9,kernel_size=5,channels_in=6,stride=2,padding=same",
                   {"padded_image_size", 13}, {"log_full_fft_size", 4}, {"log_full_fft_gain", 0},
                   {"log_fft_32_gain", 0}, {"log_input_fft_32_gain", 0}, {"full_fft_fits_4_gib", 0},
                   {"fft_32_fits_4_gib", 0}, {"channels_in<=4", 0}, {"channels_in<=6", 1});
    /* kernel 1: a product; the smallest transform has two points */
    ASSERT_COLUMNS("conv2d:image_size=33,kernel_size=1,stride=1,padding=same",
                   {"padded_image_size", 33}, {"full_fft_size<=32", 0}, {"full_fft_size<=64", 1},
                   {"log_full_fft_gain", 0}, {"full_fft_fits_4_gib", 0}, {"log_fft_32_tiles", 1},
                   {"log_input_fft_32_tiles", 1});
    ASSERT_COLUMNS("conv2d:image_size=1,kernel_size=1,stride=1", {"padded_image_size", 1},
                   {"log_full_fft_size", 1});
}

/* A kernel of 40 does not fit into a tile of 32: then as many tiles as cells. */
static void transforms_of_an_image_below_its_kernel(void **state)
{
    (void)state;
    ASSERT_COLUMNS("conv2d:batch_size=1,image_size=20,kernel_size=40,channels_in=1,channels_out=1,"
                   "stride=1,padding=same",
                   {"padded_image_size", 59}, {"log_full_fft_size", 6},
                   {"log_fft_32_tiles", log2(20)}, {"log_input_fft_32_tiles", log2(20)},
                   {"kernel_size==4", 0});
}

static void lowered_sizes_change_above_their_powers(void **state)
{
    (void)state;
    /* 4096^2 cells of one channel are 2^26 bytes, 128^2 are 2^16 */
    ASSERT_COLUMNS("conv2d:batch_size=1,image_size=4096,kernel_size=1,channels_in=1,stride=1",
                   {"im2col_bytes>2^26", 0}, {"im2col_row_bytes>2^24", 1},
                   {"im2col_row_bytes>2^26", 0});
    ASSERT_COLUMNS("conv2d:batch_size=2,image_size=4096,kernel_size=1,channels_in=1,stride=1",
                   {"im2col_bytes>2^26", 1}, {"im2col_bytes>2^27", 0},
                   {"im2col_row_bytes>2^26", 0});
    ASSERT_COLUMNS("conv2d:batch_size=9,image_size=128,kernel_size=1,channels_in=1,stride=1",
                   {"im2col_row_bytes>2^16", 0});
    ASSERT_COLUMNS("conv2d:batch_size=9,image_size=129,kernel_size=4,channels_in=1,stride=1",
                   {"im2col_row_bytes>2^16", 1}, {"kernel_size==4", 1}, {"kernel_size==6", 0});
}

/* ---- plans ---- */

static void names_say_whether_a_model_has_steps(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int with_steps = 0; with_steps < 2; with_steps++) {
            const char *names[ENCODE_COLUMN_LIMIT];
            struct encode_plan plan, found;
            const struct encode_layout layout = layout_of((enum layer_kind)kind, with_steps),
                                       plain = layout_of((enum layer_kind)kind, false);
            encode_plan_whole(&plan, &layout);
            encode_plan_names(names, &plan);
            assert_int_equal(encode_plan_create(&found, &plain, names, plan.count), -1);
            assert_true(found.is_whole && found.lacking_count == 0);
            assert_int_equal(found.count, plan.count);
            assert_int_equal(found.layout.with_steps,
                             with_steps && (kind == LAYER_DENSE || kind == LAYER_CONV2D));
            names[plan.count - 1] = "of_another_program"; /* told by its place, not by another's */
            assert_int_equal(encode_plan_create(&found, &plain, names, plan.count), plan.count - 1);
        }
}

static uint64_t hash_of_names(enum layer_kind kind)
{
    const struct encode_layout layout = layout_of(kind, true);
    const char *names[ENCODE_COLUMN_LIMIT];
    struct encode_plan plan;
    uint64_t hash = HASH_SEED;
    encode_plan_whole(&plan, &layout);
    encode_plan_names(names, &plan);
    for (int i = 0; i < plan.count; i++)
        hash = hash_bytes(hash, names[i], strlen(names[i]) + 1);
    return hash;
}

/* Models hold these names: a change here orphans them. */
static void names_with_steps_are_pinned(void **state)
{
    (void)state;
    static const struct pin pins[] = {{"dense", UINT64_C(0xab6dc75f661b54dd)},
                                      {"conv2d", UINT64_C(0x18f2aa321b300466)}};
    assert_pinned(pins, sizeof pins / sizeof *pins, hash_of_names);
}

static void ramps_and_steps_are_of_different_models(void **state)
{
    (void)state;
    static const char *const names[] = {"log_inputs", "step_inputs_0", "inputs>16"};
    const struct encode_layout layout = layout_of(LAYER_DENSE, false);
    struct encode_plan plan;
    assert_int_equal(encode_plan_create(&plan, &layout, names, 3), 2);
    assert_int_equal(encode_plan_create(&plan, &layout, names, 2), -1);
    assert_int_equal(encode_plan_create(&plan, &layout, names + 2, 1), -1);
}

static void constant_columns_are_dropped_but_choices(void **state)
{
    (void)state;
    const struct layer_config dense = parsed_config("dense:inputs=300,activation=relu");
    struct row row;
    row_encode(&row, &dense);
    bool is_constant[ENCODE_COLUMN_LIMIT];
    for (int i = 0; i < row.plan.count; i++)
        is_constant[i] = strcmp(row.names[i], "inputs>288") != 0;
    struct encode_plan plan = row.plan, found;
    const char *names[ENCODE_COLUMN_LIMIT];
    encode_plan_drop(&plan, is_constant);
    encode_plan_names(names, &plan);
    assert_in_range(plan.count, 10, 40);
    assert_true(find(names, plan.count, "inputs>288") >= 0);
    assert_true(find(names, plan.count, "optimizer=adam") >= 0);
    assert_int_equal(find(names, plan.count, "log_flops"), -1);
    float values[ENCODE_COLUMN_LIMIT];
    assert_true(encode_plan_row(values, &plan, &dense, NULL, NULL)); /* relu is no later choice */
    for (int i = 0; i < plan.count; i++)
        assert_float_equal(values[i], value_of(&row, names[i]), 0);
    const struct encode_layout layout = layout_of(LAYER_DENSE, false);
    assert_int_equal(encode_plan_create(&found, &layout, names, plan.count), -1);
    assert_memory_equal(found.slots, plan.slots, (size_t)plan.count * sizeof *plan.slots);
    assert_int_equal(found.lacking_count, plan.lacking_count);
}

/* ---- fits ---- */

static const struct mlp_kind *kind_of(const struct predictor *predictor, enum layer_kind kind)
{
    return &((const struct mlp_predictor *)predictor)->kinds[kind];
}

/* Dense has steps from as many training rows on as the option says. */
static void few_rows_have_no_steps(void **state)
{
    (void)state;
    static const enum layer_kind kinds[] = {LAYER_DENSE};
    const struct device_info device = synthetic_device("one", 50, 5);
    struct dataset_rows rows;
    struct row_selection selection;
    struct mlp_options options = small_fit_options();
    synthetic_rows_create(&rows, 200, kinds, 1, &device, 1, 0.05);
    assert_int_equal(row_selection_create(&selection, &rows, LAYER_DENSE, NULL), STATUS_OK);
    options.minimum_steps = 50;
    options.folds = 0;
    for (int lacking = 0; lacking < 2; lacking++) {
        options.step_rows = (int32_t)selection.count[SPLIT_TRAIN] + lacking;
        struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
        const struct encode_plan *plan = &kind_of(predictor, LAYER_DENSE)->plan;
        const char *names[ENCODE_COLUMN_LIMIT];
        encode_plan_names(names, plan);
        assert_int_equal(plan->layout.with_steps, !lacking);
        assert_true((find(names, plan->count, "inputs>16") >= 0) == !lacking);
        assert_true((find(names, plan->count, "step_inputs_0") >= 0) == lacking);
        assert_true(isfinite(predict_one(predictor, &rows.rows[0].config, &device).median_ms));
        predictor_mlp.free(predictor);
    }
    row_selection_free(&selection);
    synthetic_rows_free(&rows);
}

/* All training rows of one batch size: no column of it is left, and others forecast as finite. */
static void columns_without_news_are_not_trained(void **state)
{
    (void)state;
    static const enum layer_kind kinds[] = {LAYER_DENSE};
    const struct device_info device = synthetic_device("one", 50, 5);
    struct dataset_rows rows;
    struct mlp_options options = small_fit_options();
    synthetic_rows_create(&rows, 200, kinds, 1, &device, 1, 0.05);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].config.batch_size = 8;
    options.minimum_steps = 50;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    const struct mlp_kind *kind = kind_of(predictor, LAYER_DENSE);
    const char *names[ENCODE_COLUMN_LIMIT];
    encode_plan_names(names, &kind->plan);
    assert_int_equal(find(names, kind->plan.count, "log_batch_size"), -1);
    assert_true(find(names, kind->plan.count, "log_inputs") >= 0);
    assert_int_equal(kind->shape.widths[0], kind->plan.count);
    struct layer_config other = rows.rows[0].config;
    other.batch_size = 9;
    const struct prediction prediction = predict_one(predictor, &other, &device);
    assert_true(isfinite(prediction.median_ms) && prediction.extrapolates);
    predictor_mlp.free(predictor);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_steps_change_above_their_size),
        cmocka_unit_test(transforms_of_a_valid_convolution),
        cmocka_unit_test(transforms_of_a_same_convolution),
        cmocka_unit_test(transforms_do_not_apply),
        cmocka_unit_test(transforms_of_an_image_below_its_kernel),
        cmocka_unit_test(lowered_sizes_change_above_their_powers),
        cmocka_unit_test(names_say_whether_a_model_has_steps),
        cmocka_unit_test(names_with_steps_are_pinned),
        cmocka_unit_test(ramps_and_steps_are_of_different_models),
        cmocka_unit_test(constant_columns_are_dropped_but_choices),
        cmocka_unit_test(few_rows_have_no_steps),
        cmocka_unit_test(columns_without_news_are_not_trained),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
