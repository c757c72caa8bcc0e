#include "base/hash.h"
#include "layers/describe.h"
#include "layers/layer.h"
#include "layers/sample.h"
#include "test.h"

#include <string.h>

static struct layer_config parse(const char *text)
{
    struct layer_config config;
    struct error error;
    if (describe_parse(&config, text, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    return config;
}

/* ---- cost, computed by hand ---- */

struct cost_case {
    const char *text;
    double flops, bytes_read, bytes_written;
    int64_t parameters, input_bytes, activation_bytes, memory_bytes;
};
static const struct cost_case cost_cases[] = {
    /* x 2x3, W 3x5, y 2x5. 2*2*3*5 = 60 FLOPs; reads 4(6 + 15) = 84; writes 4*10 = 40;
     * memory 4(6 + 15 + 10) = 124 */
    {"dense:batch_size=2,inputs=3,outputs=5", 60, 84, 40, 15, 24, 40, 124},
    /* + bias 10, relu 10: 80; reads 84 + 4*5 + 4*10 = 144; writes 40 + 40 = 80;
     * memory 4(6 + 15 + 5 + 10) = 144 */
    {"dense:batch_size=2,inputs=3,outputs=5,use_bias=yes,activation=relu", 80, 144, 80, 20, 24, 40,
     144},
    /* forward 80, 144, 80; relu backward 10, 80, 40; data 60, 4(10 + 15) = 100, 24;
     * weights 60, 4(6 + 10) = 64, 60; bias 10, 40, 20; adam 20 * 12 = 240, 4*4*20 = 320,
     * 4*3*20 = 240. FLOPs 460; reads 748; writes 464; memory 2 * 144 + 4*2*20 = 448 */
    {"dense:batch_size=2,inputs=3,outputs=5,use_bias=yes,activation=relu,pass=train,optimizer=adam",
     460, 748, 464, 20, 24, 40, 448},
    /* train without update: 3 * 60; reads 84 + 100 + 64 = 248; writes 40 + 24 + 60 = 124 */
    {"dense:batch_size=2,inputs=3,outputs=5,pass=train", 180, 248, 124, 15, 24, 40, 248},
    /* image 4, kernel 3 valid: output 2x2. x 1*2*16 = 32, W 9*2*3 = 54, y 3*4 = 12.
     * 2*4*54 = 432 FLOPs; reads 4(32 + 54) = 344; writes 48; memory 4(32 + 54 + 12) = 392 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=1", 432, 344, 48, 54,
     128, 48, 392},
    /* same, stride 2: output 2x2 too; sigmoid 4 * 12 = 48, bias 12: 492; reads 344 + 12 + 48 = 404;
     * writes 96; memory 4(32 + 54 + 3 + 12) = 404 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=2,padding=same,"
     "use_bias=yes,activation=sigmoid",
     492, 404, 96, 57, 128, 48, 404},
    /* forward 432, 344, 48; data 432, 4(12 + 54) = 264, 128; weights 432, 4(32 + 12) = 176, 216;
     * sgd 2 * 54 = 108, 4*2*54 = 432, 4*54 = 216: 1404, 1216, 608; memory 2 * 392 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=1,pass=train,"
     "optimizer=sgd",
     1404, 1216, 608, 54, 128, 48, 784},
    /* x 2*3*16 = 96, y 2*3*4 = 24: 4 * 24 = 96 FLOPs; 384 read; 96 written; memory 480 */
    {"pool2d:batch_size=2,image_size=4,kernel_size=2,channels=3,stride=2", 96, 384, 96, 0, 384, 96,
     480},
    /* max, train: + 24 FLOPs; the winners' indices 4*24 = 96 written and read; backward reads 96,
     * writes 384: 120, 576, 576; kept 96 + 96; memory 2 * 480 + 96 */
    {"pool2d:batch_size=2,image_size=4,kernel_size=2,channels=3,stride=2,pass=train", 120, 576, 576,
     0, 384, 192, 1056},
    /* average, train, tanh: 96 + 96 + 24(5 + 3) = 384; reads 384 + 96 + 192 + 96 = 768;
     * writes 96 + 96 + 96 + 384 = 672; memory 960 */
    {"pool2d:batch_size=2,image_size=4,kernel_size=2,channels=3,stride=2,pooling=average,"
     "activation=tanh,pass=train",
     384, 768, 672, 0, 384, 96, 960},
    /* x 2*3*16 = 96: 2 * 96 FLOPs; reads 4(96 + scale, shift, mean, variance 12) = 432; memory
     * 4(96 + 6 + 96) */
    {"batch_norm:batch_size=2,image_size=4,channels=3", 192, 432, 384, 6, 384, 384, 792},
    /* statistics 4 * 96, backward 9 * 96, relu 2 * 96, sgd 2 * 6: 1644. Reads: forward 432 + 384;
     * relu 384 + 768; input's gradient 4(96 + 6) + 384; scales' and shifts' 4 * 192; mean and
     * variance 24, sgd 48: 3600. Writes: 384, relu 2 * 384, data 384, parameters' gradient 24, kept
     * 24, sgd 24. memory 2 * 792 + 24 */
    {"batch_norm:batch_size=2,image_size=4,channels=3,activation=relu,pass=train,optimizer=sgd",
     1644, 3600, 1608, 6, 384, 408, 1608},
    /* two inputs of 20 */
    {"addition:batch_size=2,elements=10", 20, 160, 80, 0, 80, 80, 240},
    /* nothing runs backward; memory: three tensors, the sum's gradient, which is the inputs' */
    {"addition:batch_size=2,elements=10,pass=train", 20, 160, 80, 0, 80, 80, 320},
    /* relu 20 and 20: reads 80 and 160, writes 80 and 80; one gradient more */
    {"addition:batch_size=2,elements=10,activation=relu,pass=train", 60, 400, 240, 0, 80, 80, 400},
};

static void costs_match_hand_computed_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cost_cases / sizeof *cost_cases; i++) {
        const struct cost_case *expected = &cost_cases[i];
        const struct layer_config config = parse(expected->text);
        const struct cost cost = layer_cost(&config);
        print_message("%s\n", expected->text);
        assert_true(cost.flops == expected->flops);
        assert_true(cost.bytes_read == expected->bytes_read);
        assert_true(cost.bytes_written == expected->bytes_written);
        assert_int_equal(cost.parameter_count, expected->parameters);
        assert_int_equal(cost.input_bytes, expected->input_bytes);
        assert_int_equal(cost.activation_bytes, expected->activation_bytes);
        assert_int_equal(cost.memory_bytes, expected->memory_bytes);
    }
}

static uint64_t hash_cost(uint64_t hash, const struct cost *cost)
{
    const int64_t members[] = {
        (int64_t)cost->flops,  (int64_t)cost->bytes_read, (int64_t)cost->bytes_written,
        cost->parameter_count, cost->input_bytes,         cost->activation_bytes,
        cost->memory_bytes};
    return hash_bytes(hash, members, sizeof members);
}

/* Of drawn configs in every precision, pass and with every optimizer that they may have. */
static uint64_t hash_of_costs(enum layer_kind kind)
{
    struct sample_domain domain;
    sample_domain_default(&domain, kind);
    uint64_t hash = HASH_SEED;
    for (uint32_t draw = 0; draw < 1000; draw++) {
        struct layer_config config;
        enum stratum stratum;
        assert_int_equal(sample_draw(&config, &stratum, &domain, 7, draw, NULL), STATUS_OK);
        for (int32_t i = 0; i < PRECISION_COUNT * PASS_COUNT * OPTIMIZER_COUNT; i++) {
            config.precision = i / (PASS_COUNT * OPTIMIZER_COUNT);
            config.pass = i / OPTIMIZER_COUNT % PASS_COUNT;
            config.optimizer = i % OPTIMIZER_COUNT;
            const struct cost cost = layer_cost(&config);
            if (layer_is_valid(&config))
                hash = hash_cost(hash, &cost);
        }
    }
    return hash;
}

/* Baselines, encoder and the fake device's labels stand on these figures. */
static void costs_of_drawn_configs_are_pinned(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        uint64_t hash;
    } pins[] = {{"dense", UINT64_C(0xe878f1ae9c54f8f1)},
                {"conv2d", UINT64_C(0x40516c10c547d771)},
                {"pool2d", UINT64_C(0x1d338c2482cb44e5)},
                {"batch_norm", UINT64_C(0xc86c5aa154519d71)},
                {"addition", UINT64_C(0x0e5455ee0362d0b1)}};
    int wrong = 0;
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
        const uint64_t hash = hash_of_costs((enum layer_kind)layer_kind_find(pins[i].kind));
        if (hash != pins[i].hash)
            print_message("%s: 0x%016llx\n", pins[i].kind, (unsigned long long)hash);
        wrong += hash != pins[i].hash;
    }
    assert_int_equal(wrong, 0);
}

static void optimizers_move_the_arrays_they_say(void **state)
{
    (void)state;
    static const struct {
        int32_t optimizer;
        int passes, states;
    } cases[] = {{OPTIMIZER_NONE, 0, 0},    {OPTIMIZER_SGD, 3, 0},     {OPTIMIZER_MOMENTUM, 5, 1},
                 {OPTIMIZER_ADAGRAD, 5, 1}, {OPTIMIZER_RMSPROP, 5, 1}, {OPTIMIZER_ADAM, 7, 2},
                 {OPTIMIZER_ADADELTA, 7, 2}};
    assert_int_equal(sizeof cases / sizeof *cases, OPTIMIZER_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t optimizer = cases[i].optimizer;
        assert_int_equal(optimizer_reads(optimizer) + optimizer_writes(optimizer), cases[i].passes);
        assert_int_equal(optimizer_state_count(optimizer), cases[i].states);
        assert_true(optimizer == OPTIMIZER_NONE || optimizer_flops_per_parameter(optimizer) > 0);
    }
}

/* ---- windows ---- */

static void assert_window(struct window window, int output_size, int pad_before, int pad_after)
{
    assert_int_equal(window.output_size, output_size);
    assert_int_equal(window.pad_before, pad_before);
    assert_int_equal(window.pad_after, pad_after);
}

static void windows(void **state)
{
    (void)state;
    assert_window(window_of(224, 3, 1, PADDING_SAME), 224, 1, 1);
    assert_window(window_of(224, 7, 2, PADDING_SAME), 112, 2, 3); /* 111*2 + 7 - 224 = 5 */
    assert_window(window_of(224, 1, 2, PADDING_SAME), 112, 0, 0); /* windows leave gaps */
    assert_window(window_of(5, 2, 1, PADDING_SAME), 5, 0, 1);
    assert_window(window_of(227, 11, 4, PADDING_VALID), 55, 0, 0);
    assert_window(window_of(55, 3, 2, PADDING_VALID), 27, 0, 0);
    assert_window(window_of(2, 3, 1, PADDING_VALID), 0, 0, 0); /* not valid; still a number */
}

/* By exhaustion: same padding covers the image, and no window lies on padding alone. */
static void same_padding_covers_the_image(void **state)
{
    (void)state;
    for (int image = 1; image <= 20; image++)
        for (int kernel = 1; kernel <= 2 * image; kernel++)
            for (int stride = 1; stride <= 5; stride++) {
                const struct window window = window_of(image, kernel, stride, PADDING_SAME);
                const int last = (window.output_size - 1) * stride - window.pad_before;
                assert_int_equal(window.output_size, (image + stride - 1) / stride);
                assert_true(last < image && last + kernel <= image + window.pad_after);
                assert_true(window.pad_before < kernel);
                assert_in_range(window.pad_after - window.pad_before, 0, 1);
            }
}

/* ---- validity ---- */

static void assert_refused(const char *text, const char *part_of_message)
{
    struct layer_config config;
    struct error error;
    assert_int_equal(describe_parse(&config, text, &error), STATUS_USAGE);
    if (!strstr(error.message, part_of_message))
        fail_msg("'%s' does not mention '%s'", error.message, part_of_message);
}

static void impossible_configs_are_refused_with_a_reason(void **state)
{
    (void)state;
    assert_refused("conv2d:image_size=4,kernel_size=5", "kernel_size is larger than image_size");
    assert_refused("conv2d:image_size=4,kernel_size=9,padding=same", "twice image_size");
    assert_refused("pool2d:image_size=4,kernel_size=5", "kernel_size is larger than image_size");
    assert_refused("conv2d:image_size=64,kernel_size=3,stride=5", "stride");
    assert_refused("dense:batch_size=65536,inputs=32768", "the input would have");
    assert_refused("dense:batch_size=65536,outputs=32768", "the output would have");
    assert_refused("dense:inputs=65536,outputs=32768", "the weights would have");
    assert_refused("conv2d:image_size=4096,channels_in=128", "the input would have");
    assert_refused("conv2d:image_size=4096,channels_out=128", "the output would have");
    assert_refused("conv2d:channels_in=65536,channels_out=32768", "the weights would have");
    assert_refused("pool2d:image_size=4096,channels=128", "the input would have");
    assert_refused("dense:optimizer=adam", "pass forward");
    assert_refused("pool2d:pass=train,optimizer=sgd", "no parameters");
    assert_refused("addition:pass=train,optimizer=sgd", "no parameters");
    assert_refused("batch_norm:image_size=4096,channels=128", "the input would have");
    assert_refused("addition:batch_size=3,elements=1000000000", "the output would have");
}

static void check_names_feature_value_and_bounds(void **state)
{
    (void)state;
    struct error error;
    struct layer_config config = parse("conv2d:image_size=8");
    config.as.conv2d.stride = 17;
    assert_int_equal(layer_check(&config, &error), STATUS_USAGE);
    assert_string_equal(error.message, "conv2d: stride = 17 is outside 1..16");
    config.as.conv2d.stride = 0;
    assert_false(layer_is_valid(&config));
    config.as.conv2d.stride = INT32_MIN;
    assert_false(layer_is_valid(&config));
    config.kind = LAYER_KIND_COUNT;
    assert_int_equal(layer_check(&config, &error), STATUS_USAGE);
}

/* Layers that exist must be inside: VGG's dense layer, the published data's largest shapes. */
static void known_layers_are_inside_the_bounds(void **state)
{
    (void)state;
    parse("dense:batch_size=64,inputs=25088,outputs=4096,pass=train,optimizer=adam");
    parse("conv2d:batch_size=64,image_size=512,kernel_size=7,channels_in=19,channels_out=19,"
          "stride=4,padding=same");
    parse("conv2d:batch_size=64,image_size=1,channels_in=10000,channels_out=10000,stride=4");
    const struct feature *inputs = layer_feature_find(LAYER_DENSE, "inputs");
    const struct feature *image = layer_feature_find(LAYER_CONV2D, "image_size");
    assert_in_range(25088, inputs->sample_minimum, inputs->sample_maximum);
    assert_in_range(227, image->sample_minimum, image->sample_maximum);
}

/* ---- the table ---- */

static void feature_tables_are_sound(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_descriptor *descriptor = layer_descriptors[kind];
        assert_int_equal(layer_kind_find(descriptor->name), kind);
        assert_in_range(descriptor->feature_count, COMMON_FEATURE_COUNT + 1, FEATURE_LIMIT);
        for (int i = 0; i < descriptor->feature_count; i++) {
            const struct feature *feature = &descriptor->features[i];
            assert_ptr_equal(layer_feature_find((enum layer_kind)kind, feature->name), feature);
            assert_true(feature->help && *feature->help);
            assert_true(feature->minimum <= feature->maximum);
            assert_true(feature->sample_minimum >= feature->minimum || !feature->sample_maximum);
            assert_true(feature->sample_maximum <= feature->maximum);
            assert_int_equal(feature->distribution == DISTRIBUTION_CHOICE, feature->choice != NULL);
            if (feature->choice)
                assert_int_equal(feature->maximum, feature->choice->count - 1);
            for (int j = 0; j < i; j++) /* no two rows for one member */
                assert_int_not_equal(descriptor->features[j].offset, feature->offset);
        }
    }
    assert_int_equal(layer_kind_find("dens"), -1);
    assert_null(layer_feature_find(LAYER_DENSE, "stride"));
}

static void counts(void **state)
{
    (void)state;
    const struct layer_config conv = parse(
        "conv2d:batch_size=2,image_size=5,kernel_size=3,channels_in=3,channels_out=4,"
        "pass=train");
    const struct layer_config pool = parse(
        "pool2d:batch_size=2,image_size=6,kernel_size=2,channels=3,stride=2,pass=train");
    assert_int_equal(layer_input_elements(&conv, 0), 2 * 3 * 25);
    assert_int_equal(layer_output_elements(&conv), 2 * 4 * 9);
    assert_int_equal(layer_input_elements(&pool, 0), 2 * 3 * 36);
    assert_int_equal(layer_output_elements(&pool), 2 * 3 * 9);
}

/* Tensors are named data: what feeds a layer, what training keeps. */
static void works_name_their_tensors(void **state)
{
    (void)state;
    const struct layer_config sum = parse("addition:batch_size=2,elements=5");
    const struct layer_config pool = parse("pool2d:image_size=6,kernel_size=2,stride=2");
    assert_int_equal(layer_input_count(&sum), 2);
    assert_int_equal(layer_input_elements(&sum, 1), 10);
    assert_int_equal(layer_input_elements(&sum, 2), 0);
    assert_int_equal(layer_input_count(&pool), 1);
    struct layer_work work;
    layer_work(&work, &pool);
    const struct layer_tensor *winners = work_find(&work, TENSOR_KEPT, 0);
    assert_string_equal(winners->name, "winners");
    assert_int_equal(winners->storage, STORAGE_INT32);
    assert_true(winners->count == 9);
    assert_null(work_find(&work, TENSOR_KEPT, 1));
    assert_null(work_find(&work, TENSOR_WEIGHTS, 0));
}

/* A kind that does not exist: 64 inputs of different sizes and storage, no activation. Indices have
 * no gradient, a product's FLOPs follow from its sides. */
static void a_work_without_a_config_has_a_cost(void **state)
{
    (void)state;
    struct layer_work work;
    work_begin(&work);
    double inputs = 0;
    for (int i = 1; i < LAYER_INPUT_LIMIT; i++, inputs += i - 1)
        work_tensor(&work, TENSOR_INPUT, "part", i);
    work_add_tensor(
        &work, (struct layer_tensor){.name = "indices", .storage = STORAGE_INT32, .count = 100});
    work_tensor(&work, TENSOR_OUTPUT, "y", 50);
    work_tensor(&work, TENSOR_WEIGHTS, "weights", 7);
    work_tensor(&work, TENSOR_BIAS, "nothing", 0);
    work_product(&work, WORK_FORWARD,
                 (struct work_operation){.rows = 2, .depth = 3, .columns = 5, .batch = 4});
    work_stream(&work, WORK_BACKWARD_DATA, (struct work_operation){.flops = 11, .written = 1});
    assert_int_equal(work_tensor_count(&work, TENSOR_INPUT), LAYER_INPUT_LIMIT);
    const struct cost forward = cost_of_work(&work, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP16);
    assert_true(forward.flops == 2 * 4 * 2 * 3 * 5);
    assert_true(forward.bytes_read == 2 * (inputs + 7) + 4 * 100);
    assert_true(forward.bytes_written == 2 * 50);
    assert_int_equal(forward.input_bytes, 2 * 1);
    assert_int_equal(forward.memory_bytes, 2 * (inputs + 50 + 7) + 400);
    const struct cost train = cost_of_work(&work, PASS_TRAIN, OPTIMIZER_NONE, PRECISION_FP16);
    assert_true(train.flops == forward.flops + 11);
    assert_true(train.bytes_read == forward.bytes_read + 2 * (50 + 7));
    assert_true(train.bytes_written == forward.bytes_written + 2 * (inputs + 1));
    assert_int_equal(train.memory_bytes, forward.memory_bytes + 2 * (inputs + 50 + 7));
    const char *reason = NULL;
    assert_true(work_fits(&work, &reason));
    work_tensor(&work, TENSOR_KEPT, "scores", 0x1p31);
    assert_false(work_fits(&work, &reason));
    assert_non_null(strstr(reason, "backward pass"));
}

/* The hash decides the split: its values are part of the file format. */
static void hash_is_stable_and_sees_every_feature(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t hash;
    } hashes[] = {
        {"conv2d:image_size=28,channels_in=3,channels_out=5,stride=1",
         UINT64_C(0x058ca9bd444ef3fd)},
        {"pool2d:image_size=28,kernel_size=2,channels=3,stride=2", UINT64_C(0xd30e69737c78a6f6)},
        {"batch_norm:image_size=28,channels=3", UINT64_C(0xdb309f5906dfbe7c)},
        {"addition:elements=28", UINT64_C(0x611d4033c96a8b09)},
    };
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_config config = parse(layer_descriptors[kind]->name);
        for (int i = 0; i < layer_descriptors[kind]->feature_count; i++) {
            struct layer_config other = config;
            layer_set(&other, &layer_descriptors[kind]->features[i], 1);
            const bool same = memcmp(&other, &config, sizeof config) == 0;
            assert_int_equal(layer_hash(&other) == layer_hash(&config), same);
        }
    }
    const struct layer_config dense = parse("dense:batch_size=7,inputs=11,outputs=13");
    assert_true(layer_hash(&dense) == UINT64_C(0xd6c3a848476e3fad));
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        const struct layer_config config = parse(hashes[i].text);
        if (layer_hash(&config) != hashes[i].hash)
            fail_msg("%s: 0x%016llx", hashes[i].text, (unsigned long long)layer_hash(&config));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_match_hand_computed_cases),
        cmocka_unit_test(costs_of_drawn_configs_are_pinned),
        cmocka_unit_test(optimizers_move_the_arrays_they_say),
        cmocka_unit_test(windows),
        cmocka_unit_test(same_padding_covers_the_image),
        cmocka_unit_test(impossible_configs_are_refused_with_a_reason),
        cmocka_unit_test(check_names_feature_value_and_bounds),
        cmocka_unit_test(known_layers_are_inside_the_bounds),
        cmocka_unit_test(feature_tables_are_sound),
        cmocka_unit_test(counts),
        cmocka_unit_test(works_name_their_tensors),
        cmocka_unit_test(a_work_without_a_config_has_a_cost),
        cmocka_unit_test(hash_is_stable_and_sees_every_feature),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
