#include "base/hash.h"
#include "base/philox.h"
#include "layers/encode_internal.h"
#include "layers/sample.h"
#include "parsed_config.h"
#include "pins.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* Value of the column called `name`; fails when there is none. */
static double column(enum encoding encoding, const struct layer_config *config,
                     const struct encode_hardware *hardware, const char *name)
{
    float row[ENCODE_COLUMN_LIMIT];
    const bool with_hardware = hardware != NULL;
    const int count = encode_column_count(encoding, config->kind, with_hardware);
    encode_row(row, encoding, config, with_hardware, hardware);
    for (int i = 0; i < count; i++)
        if (strcmp(encode_column_name(encoding, config->kind, with_hardware, i), name) == 0)
            return row[i];
    fail_msg("no column '%s'", name);
    return NAN;
}

static void assert_row(const char *text, const struct encode_hardware *hardware,
                       const float *expected, int count)
{
    const struct layer_config config = parsed_config(text);
    float row[ENCODE_COLUMN_LIMIT];
    assert_int_equal(encode_column_count(ENCODING_PAPER, config.kind, hardware != NULL), count);
    encode_row(row, ENCODING_PAPER, &config, hardware != NULL, hardware);
    for (int i = 0; i < count; i++)
        assert_float_equal(row[i], expected[i], 0);
}

static void paper_rows_are_as_coded(void **state)
{
    (void)state;
    const struct encode_hardware v100 = {900, 5120, 1455, 15700};
    /* batch, matrix^2, kernel^2, in, out, same, stride, bias; sgd momentum adagrad adadelta rmsprop
     * adam; relu tanh sigmoid; bandwidth cores clock */
    assert_row("conv2d:batch_size=8,image_size=56,kernel_size=3,channels_in=64,channels_out=128,"
               "stride=2,padding=same,use_bias=yes,pass=train,optimizer=adadelta,activation=tanh",
               &v100, (const float[]){8, 3136, 9, 64, 128, 1, 2, 1, 0, 0,   0,    1,
                                      0, 0,    0, 1,  0,   1, 1, 1, 1, 900, 5120, 1455},
               24);
    assert_row("conv2d:batch_size=8,image_size=10,image_width=30,kernel_size=2,kernel_width=7,"
               "channels_in=6,channels_out=9,stride=1,groups=3,padding=same",
               NULL,
               (const float[]){8, 300, 14, 6, 9, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3.5f, 3, 1},
               21);
    assert_row("dense:batch_size=4,inputs=100,outputs=7,activation=sigmoid", NULL,
               (const float[]){4, 100, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 12);
    assert_row("pool2d:batch_size=4,image_size=6,kernel_size=3,channels=5,stride=2,pooling=average,"
               "pass=train,activation=relu",
               NULL, (const float[]){4, 36, 9, 5, 0, 2, 1, 1, 1, 0, 0}, 11);
    assert_row("batch_norm:batch_size=4,image_size=6,channels=5,pass=train,optimizer=momentum,"
               "activation=relu",
               NULL, (const float[]){4, 36, 5, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0}, 13);
    assert_row("binary:batch_size=4,elements=600,activation=tanh", NULL,
               (const float[]){4, 600, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0}, 15);
}

static void every_column_has_its_own_name(void **state)
{
    (void)state;
    for (int encoding = 0; encoding < choice_encoding.count; encoding++)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            for (int hardware = 0; hardware < 2; hardware++) {
                const int count = encode_column_count(encoding, kind, hardware);
                assert_in_range(count, 1, ENCODE_COLUMN_LIMIT);
                for (int i = 0; i < count; i++) {
                    const char *name = encode_column_name(encoding, kind, hardware, i);
                    assert_true(*name);
                    for (int j = 0; j < i; j++)
                        assert_string_not_equal(encode_column_name(encoding, kind, hardware, j),
                                                name);
                }
                assert_null(encode_column_name(encoding, kind, hardware, count));
                assert_null(encode_column_name(encoding, kind, hardware, -1));
            }
}

static void physical_columns_by_hand(void **state)
{
    (void)state;
    const struct layer_config conv = parsed_config(
        "conv2d:batch_size=8,image_size=14,kernel_size=3,channels_in=48,channels_out=100,"
        "stride=1,padding=same,pass=train,optimizer=adam");
    /* 2 * 8 * 14^2 * 9 * 48 * 100 */
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_forward_flops"),
                       log2(2. * 8 * 196 * 9 * 48 * 100), 1e-5);
    /* 48 in tiles of 32: 64; 100 in tiles of 8: 104 */
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_quantised_channels_in_32"),
                       log2(64. / 48), 1e-6);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_quantised_channels_out_8"),
                       log2(104. / 100), 1e-6);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "last_fill_channels_out_32"), 0.125,
                       1e-6); /* (99 mod 32 + 1) / 32 = 4/32 */
    /* 1568 rows x 100 columns: 13 x 1 tiles of 128 x 128 on 80 units */
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_wave_tail_forward_128x128"),
                       log2(80. / 13), 1e-5);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_padded_flops_forward_128x128"),
                       log2(2. * 432 * 13 * 128 * 128), 1e-5);
    /* 14 outputs: 3 * 14 taps a side, 2 of them on zeros */
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "useful_taps"),
                       (40. / 42) * (40. / 42), 1e-6);
    /* 7 x 7 tiles of 4 x 4 points against 14 x 14 outputs of 9 taps: 196 * 9 / (49 * 16) */
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "log_winograd_gain_2"), log2(2.25),
                       1e-6);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "pass=train"), 1, 0);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "channels_in%16==0"), 1, 0);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "channels_in%32==0"), 0, 0);
    assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "update_passes"), 7, 0);
}

/* The closed form against counting every tap. */
static void useful_taps_equal_a_count(void **state)
{
    (void)state;
    for (int image = 1; image <= 12; image++)
        for (int kernel = 1; kernel <= 2 * image; kernel++)
            for (int stride = 1; stride <= 4; stride++) {
                struct layer_config conv = parsed_config("conv2d:padding=same");
                conv.as.conv2d.image_size = image;
                conv.as.conv2d.kernel_size = kernel;
                conv.as.conv2d.stride = stride;
                const struct window window = window_of(image, kernel, stride, PADDING_SAME);
                int useful = 0;
                for (int i = 0; i < window.output_size; i++)
                    for (int tap = 0; tap < kernel; tap++) {
                        const int cell = i * stride - window.pad_before + tap;
                        useful += cell >= 0 && cell < image;
                    }
                const double fraction = (double)useful / (window.output_size * kernel);
                assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "useful_taps"),
                                   fraction * fraction, 1e-6);
            }
}

static void useful_taps_of_dilated_kernels_equal_a_count(void **state)
{
    (void)state;
    for (int image = 1; image <= 12; image++)
        for (int dilation = 1; dilation <= 5; dilation++)
            for (int stride = 1; stride <= 3; stride++) {
                struct layer_config conv = parsed_config("conv2d:padding=same");
                const int span = 2 * dilation + 1;
                conv.as.conv2d.image_width = image;
                conv.as.conv2d.kernel_width = 3;
                conv.as.conv2d.dilation = dilation;
                conv.as.conv2d.stride = stride;
                if (span > 2 * image)
                    continue;
                const struct window window = window_of(image, span, stride, PADDING_SAME);
                int useful = 0;
                for (int i = 0; i < window.output_size; i++)
                    for (int tap = 0; tap < 3; tap++) {
                        const int cell = i * stride - window.pad_before + tap * dilation;
                        useful += cell >= 0 && cell < image;
                    }
                assert_float_equal(column(ENCODING_PHYSICAL, &conv, NULL, "useful_taps"),
                                   (double)useful / (window.output_size * 3), 1e-6);
            }
}

/* Products of one group's channels; thin, flat and dilated windows. */
static void columns_of_other_convolutions(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        double value;
    } cases[] = {
        {"groups=4", "log_forward_flops", 2. * 196 * 9 * 2 * 16},
        {"groups=4", "log_depth_in", 9 * 2},
        {"groups=4", "log_groups", 4},
        {"groups=4", "is_grouped*log_group_out", 4},
        {"groups=4", "is_depthwise", 1},
        {"groups=8", "is_depthwise", 2},
        {"groups=8", "log_winograd_gain_2", 1},
        {"kernel_width=1", "log_kernel_width/kernel_size", 1 / 3.},
        {"kernel_width=1", "is_thin", 2},
        {"kernel_width=1", "kernel_size==3", 1},
        {"image_width=28", "log_image_width/image_size", 2},
        {"image_width=28", "log_cells_out", 14 * 28},
        {"image_width=28", "log_im2col_bytes", 4. * 14 * 28 * 72},
        {"dilation=2", "log_dilation", 2},
        {"dilation=2", "is_dilated", 2},
        {"dilation=2", "kernel_size==3", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "conv2d:batch_size=1,image_size=14,kernel_size=3,channels_in=8,channels_out=16,"
                 "stride=1,padding=same,%s",
                 cases[i].text);
        const struct layer_config config = parsed_config(text);
        const double value = column(ENCODING_PHYSICAL, &config, NULL, cases[i].name);
        if (fabs(value - log2(cases[i].value)) > 1e-5)
            fail_msg("%s of %s is %g", cases[i].name, cases[i].text, value);
    }
}

static void hardware_columns(void **state)
{
    (void)state;
    const struct layer_config dense = parsed_config("dense:batch_size=64,inputs=1024,outputs=1024");
    const struct encode_hardware small = {100, 640, 1000, 1000}, unknown = {NAN, 0, NAN, INFINITY};
    assert_float_equal(column(ENCODING_PHYSICAL, &dense, &small, "log_bandwidth_gbps"), log2(100),
                       1e-6);
    /* 2 * 64 * 2^20 FLOPs at 1000 GFLOP/s */
    assert_float_equal(column(ENCODING_PHYSICAL, &dense, &small, "log_compute_ns"),
                       log2(1 + 134217.728), 1e-5);
    /* 10 units: 8 x 1 tiles of 128 x 64 */
    assert_float_equal(column(ENCODING_PHYSICAL, &dense, &small, "log_wave_tail_forward_128x64"),
                       log2(10. / 8), 1e-6);
    float row[ENCODE_COLUMN_LIMIT];
    encode_row(row, ENCODING_PHYSICAL, &dense, true, &unknown);
    for (int i = 0; i < encode_column_count(ENCODING_PHYSICAL, LAYER_DENSE, true); i++)
        assert_true(isfinite(row[i]));
}

/* Random points of the whole bounds, valid or not by their sizes: never NaN, never infinite. */
static void rows_are_finite_everywhere(void **state)
{
    (void)state;
    for (uint32_t draw = 0; draw < 3000; draw++) {
        struct layer_config config = {.kind = (enum layer_kind)(draw % LAYER_KIND_COUNT)};
        const struct layer_descriptor *descriptor = layer_descriptors[config.kind];
        for (int i = 0; i < descriptor->feature_count; i++) {
            const struct feature *feature = &descriptor->features[i];
            const double u = philox_uniform(philox(draw, (uint32_t)i, 0, 99, 1).word[0]);
            const double span = feature->maximum - feature->minimum + 1;
            const double step = feature->choice ? u * span : exp2(u * log2(span)) - 1;
            layer_set(&config, feature, feature->minimum + (int32_t)(draw < 30 ? span - 1 : step));
        }
        if (!layer_is_valid(&config) && draw >= 30)
            continue;
        for (int encoding = 0; encoding < choice_encoding.count; encoding++) {
            float row[ENCODE_COLUMN_LIMIT + 1];
            const int count = encode_column_count(encoding, config.kind, true);
            row[count] = -7; /* not written */
            encode_row(row, encoding, &config, true, NULL);
            for (int i = 0; i < count; i++)
                assert_true(isfinite(row[i]));
            assert_float_equal(row[count], -7, 0);
        }
    }
}

static uint64_t hash_of_names(enum layer_kind kind)
{
    uint64_t hash = HASH_SEED;
    for (int encoding = 0; encoding < choice_encoding.count; encoding++)
        for (int i = 0; i < encode_column_count(encoding, kind, true); i++) {
            const char *name = encode_column_name(encoding, kind, true, i);
            hash = hash_bytes(hash, name, strlen(name) + 1);
        }
    return hash;
}

/* Models hold the names of their columns: a change here orphans them. */
static void names_of_columns_are_pinned(void **state)
{
    (void)state;
    static const struct pin pins[] = {{"dense", UINT64_C(0xd7540e9889949b3d)},
                                      {"conv2d", UINT64_C(0xb285260d595074ce)},
                                      {"pool2d", UINT64_C(0x6d5578c0b3053443)},
                                      {"batch_norm", UINT64_C(0x6a6fd30c330f6fc2)},
                                      {"binary", UINT64_C(0xa0799677beb1df61)}};
    assert_pinned(pins, sizeof pins / sizeof *pins, hash_of_names);
}

static uint64_t hash_of_row(uint64_t hash, enum encoding encoding,
                            const struct layer_config *config, const struct encode_hardware *device)
{
    float row[ENCODE_COLUMN_LIMIT];
    const int count = encode_column_count(encoding, config->kind, true);
    encode_row(row, encoding, config, true, device);
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        row[i] += 0.0f; /* -0 is 0 */
        memcpy(&bits, &row[i], sizeof bits);
        for (int byte = 0; byte < 4; byte++) { /* the same on every machine */
            const unsigned char eight = (unsigned char)(bits >> 8 * byte);
            hash = hash_bytes(hash, &eight, 1);
        }
    }
    return hash;
}

/* Of a thousand draws of the default domain, on three devices in turn, in all precisions. */
static uint64_t hash_of_draws(enum layer_kind kind)
{
    static const struct encode_hardware devices[] = {
        {900, 5120, 1455, 15700}, {60, 8, 3000, 400}, {0, 0, 0, 0}};
    struct sample_domain domain;
    uint64_t hash = HASH_SEED;
    sample_domain_default(&domain, kind);
    for (uint32_t i = 0; i < 1000; i++) {
        struct layer_config config;
        enum stratum stratum;
        assert_int_equal(sample_draw(&config, &stratum, &domain, 5, i, NULL), STATUS_OK);
        config.precision = (int32_t)(i % 4);
        for (int encoding = 0; encoding < choice_encoding.count; encoding++)
            hash = hash_of_row(hash, encoding, &config, &devices[i % 3]);
    }
    return hash;
}

/* What a column says of a layer is what models were trained on: a change here makes them wrong. */
static void values_of_columns_are_pinned(void **state)
{
    (void)state;
    static const struct pin pins[] = {{"dense", UINT64_C(0x1104c6cff9e65b2a)},
                                      {"conv2d", UINT64_C(0xd7c1697da8e1451f)},
                                      {"pool2d", UINT64_C(0xbb8a464b0d754969)},
                                      {"batch_norm", UINT64_C(0x0ff40f724e166715)},
                                      {"binary", UINT64_C(0xe5a9796022cffe7c)}};
    assert_pinned(pins, sizeof pins / sizeof *pins, hash_of_draws);
}

/* ---- a kind without an activation that says nothing about columns ---- */

static void plain_work(struct layer_work *work, const struct layer_config *config)
{
    const double count = (double)config->batch_size * config->as.dense.inputs;
    work_tensor(work, TENSOR_INPUT, "x", count);
    work_tensor(work, TENSOR_OUTPUT, "y", count);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = count});
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = 264, .depth = 4, .columns = 264, .batch = 5});
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = 16, .depth = 264, .columns = 2});
}

static double plain_value(enum encoding encoding, const struct layer_config *config,
                          const char *name)
{
    struct feature features[COMMON_FEATURE_COUNT + 1];
    memcpy(features, layer_descriptors[LAYER_DENSE]->features, sizeof features); /* .. inputs */
    const struct layer_descriptor plain = {.name = "plain",
                                           .features = features,
                                           .feature_count = COMMON_FEATURE_COUNT + 1,
                                           .work = plain_work};
    float row[ENCODE_COLUMN_LIMIT];
    const char *names[ENCODE_COLUMN_LIMIT];
    struct columns columns = {.values = row, .names = names};
    encode_columns(&columns, encoding, &plain, config, true, NULL);
    for (int i = 0; i < columns.count; i++)
        if (strcmp(names[i], name) == 0)
            return row[i];
    fail_msg("no column '%s'", name);
    return NAN;
}

static void a_kind_needs_neither_activation_nor_columns(void **state)
{
    (void)state;
    const struct layer_config config = parsed_config("dense:batch_size=4,inputs=264,pass=train");
    assert_float_equal(plain_value(ENCODING_PAPER, &config, "inputs"), 264, 0);
    assert_float_equal(plain_value(ENCODING_PAPER, &config, "batch_size"), 4, 0);
    assert_float_equal(plain_value(ENCODING_PAPER, &config, "pass=train"), 1, 0);
    assert_float_equal(plain_value(ENCODING_PAPER, &config, "activation=relu"), 0, 0);
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "log_output_bytes"),
                       log2(4 * 4 * 264), 1e-6);
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "activation=none"), 1, 0);
}

/* 264 in tiles of 32: 288. 264 x 4 x 264 products, 5 of them: 3 x 1 tiles of 128 x 32 each. */
static void columns_of_features_and_work_follow(void **state)
{
    (void)state;
    struct layer_config config = parsed_config("dense:batch_size=4,inputs=264,pass=train");
    static const struct {
        const char *name;
        double value;
    } columns[] = {
        {"log_batch_size", 2},
        {"is_train*log_batch_size", 2},
        {"batch_size%4==0", 1},
        {"batch_size%8==0", 0},
        {"inputs%8==0", 1},
        {"inputs%16==0", 0},
        {"ramp_batch_size_8", 0.5},
        {"ramp_inputs_256", 1},
        {"log_quantised_inputs_8", 0},
        {"log_waves_forward", 0},
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, columns[i].name),
                           columns[i].value, 0);
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "log_quantised_inputs_32"),
                       log2(288. / 264), 1e-6);
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "log_padded_flops_forward_128x32"),
                       log2(2. * 5 * 4 * 3 * 128 * 32 * 9), 1e-5);
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "log_wave_tail_forward_128x32"),
                       log2(160. / 135), 1e-6); /* 135 tiles on 80 units */
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "log_padded_flops_forward_2_128x64"),
                       log2(2. * 264 * 128 * 64), 1e-5);
    config.pass = PASS_FORWARD;
    assert_float_equal(plain_value(ENCODING_PHYSICAL, &config, "is_train*log_batch_size"), 0, 0);
}

/* Names are those of the smallest config: a row of another length would be taken for another. */
static void every_config_has_the_same_columns(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain;
        sample_domain_default(&domain, (enum layer_kind)kind);
        for (uint32_t i = 0; i < 500; i++) {
            struct layer_config config;
            enum stratum stratum;
            assert_int_equal(sample_draw(&config, &stratum, &domain, 6, i, NULL), STATUS_OK);
            for (int encoding = 0; encoding < choice_encoding.count; encoding++) {
                struct columns columns = {.count = 0};
                encode_columns(&columns, encoding, layer_descriptors[kind], &config, true, NULL);
                assert_int_equal(columns.count,
                                 encode_column_count(encoding, (enum layer_kind)kind, true));
            }
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_rows_are_as_coded),
        cmocka_unit_test(every_column_has_its_own_name),
        cmocka_unit_test(physical_columns_by_hand),
        cmocka_unit_test(useful_taps_equal_a_count),
        cmocka_unit_test(useful_taps_of_dilated_kernels_equal_a_count),
        cmocka_unit_test(columns_of_other_convolutions),
        cmocka_unit_test(hardware_columns),
        cmocka_unit_test(rows_are_finite_everywhere),
        cmocka_unit_test(names_of_columns_are_pinned),
        cmocka_unit_test(values_of_columns_are_pinned),
        cmocka_unit_test(a_kind_needs_neither_activation_nor_columns),
        cmocka_unit_test(columns_of_features_and_work_follow),
        cmocka_unit_test(every_config_has_the_same_columns),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
