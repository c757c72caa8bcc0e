#include "base/hash.h"
#include "layers/layer.h"
#include "layers/sample.h"
#include "parsed_config.h"
#include "pins.h"
#include "test.h"

#include <string.h>

/* ---- cost, computed by hand ---- */

static void check_case(const struct layer_case *expected)
{
    const struct layer_config config = parsed_config(expected->text);
    const struct cost cost = layer_cost(&config);
    print_message("%s\n", expected->text);
    assert_true(cost.flops == expected->cost.flops);
    assert_true(cost.bytes_read == expected->cost.bytes_read);
    assert_true(cost.bytes_written == expected->cost.bytes_written);
    assert_int_equal(cost.parameter_count, expected->cost.parameter_count);
    assert_int_equal(cost.input_bytes, expected->cost.input_bytes);
    assert_int_equal(cost.activation_bytes, expected->cost.activation_bytes);
    assert_int_equal(cost.memory_bytes, expected->cost.memory_bytes);
}

/* The kinds' own cases. */
static void costs_match_hand_computed_cases(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_case *cases = layer_descriptors[kind]->cases;
        assert_non_null(cases->text);
        for (int i = 0; cases[i].text; i++) {
            assert_int_equal(parsed_config(cases[i].text).kind, kind);
            check_case(&cases[i]);
        }
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

/* Of drawn configs in every precision, pass and with every optimizer that they may have, less those
 * that came later: amp and adamw. */
static uint64_t hash_of_costs(enum layer_kind kind)
{
    struct sample_domain domain;
    sample_domain_default(&domain, kind);
    uint64_t hash = HASH_SEED;
    for (uint32_t draw = 0; draw < 1000; draw++) {
        struct layer_config config;
        enum stratum stratum;
        assert_int_equal(sample_draw(&config, &stratum, &domain, 7, draw, NULL), STATUS_OK);
        for (int32_t i = 0; i < PRECISION_AMP * PASS_COUNT * OPTIMIZER_ADAMW; i++) {
            config.precision = i / (PASS_COUNT * OPTIMIZER_ADAMW);
            config.pass = i / OPTIMIZER_ADAMW % PASS_COUNT;
            config.optimizer = i % OPTIMIZER_ADAMW;
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
    static const struct pin pins[] = {{"dense", UINT64_C(0xe878f1ae9c54f8f1)},
                                      {"conv2d", UINT64_C(0xa64c210369fcf815)},
                                      {"pool2d", UINT64_C(0x1d338c2482cb44e5)},
                                      {"batch_norm", UINT64_C(0xc86c5aa154519d71)},
                                      {"binary", UINT64_C(0x3f27fb944cd55ab1)}};
    assert_pinned(pins, sizeof pins / sizeof *pins, hash_of_costs);
}

static void optimizers_move_the_arrays_they_say(void **state)
{
    (void)state;
    static const struct {
        int32_t optimizer;
        int passes, states;
    } cases[] = {{OPTIMIZER_NONE, 0, 0},     {OPTIMIZER_SGD, 3, 0},     {OPTIMIZER_MOMENTUM, 5, 1},
                 {OPTIMIZER_ADAGRAD, 5, 1},  {OPTIMIZER_RMSPROP, 5, 1}, {OPTIMIZER_ADAM, 7, 2},
                 {OPTIMIZER_ADADELTA, 7, 2}, {OPTIMIZER_ADAMW, 7, 2}};
    assert_int_equal(sizeof cases / sizeof *cases, OPTIMIZER_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t optimizer = cases[i].optimizer;
        assert_int_equal(optimizer_reads(optimizer) + optimizer_writes(optimizer), cases[i].passes);
        assert_int_equal(optimizer_state_count(optimizer), cases[i].states);
        assert_true(optimizer == OPTIMIZER_NONE || optimizer_flops_per_parameter(optimizer) > 0);
    }
}

/* amp: fp16 but for the weights, which are fp32 and cast: dense of 2 x 3 to 5, 20 parameters. */
static void amp_casts_weights(void **state)
{
    (void)state;
    struct layer_config config;
    struct error error = {0};
    assert_int_equal(
        describe_parse(
            &config,
            "dense:batch_size=2,inputs=3,outputs=5,use_bias=yes,pass=train,optimizer=sgd,"
            "precision=fp16",
            &error),
        STATUS_OK);
    const struct cost fp16 = layer_cost(&config);
    config.precision = PRECISION_AMP;
    const struct cost amp = layer_cost(&config);
    assert_true(amp.flops == fp16.flops);
    assert_true(amp.bytes_read == fp16.bytes_read + 20 * 4 + 20 * 2);       /* cast, update */
    assert_true(amp.bytes_written == fp16.bytes_written + 20 * 2 + 20 * 2); /* likewise */
    assert_int_equal(amp.memory_bytes, fp16.memory_bytes + 20 * 4);
    config.pass = PASS_FORWARD;
    config.optimizer = OPTIMIZER_NONE;
    const struct cost forward = layer_cost(&config);
    config.precision = PRECISION_FP16;
    assert_true(forward.bytes_read == layer_cost(&config).bytes_read + 20 * 4);
}

/* A table is fp32 in amp and not cast: 6 rows of 4, 10 rows in all. */
static void amp_casts_no_tables(void **state)
{
    (void)state;
    struct layer_config config;
    struct error error = {0};
    assert_int_equal(describe_parse(&config,
                                    "embedding:batch_size=2,positions=3,vocabulary=10,width=4,"
                                    "pass=train,optimizer=sgd,precision=fp16",
                                    &error),
                     STATUS_OK);
    const struct cost fp16 = layer_cost(&config);
    config.precision = PRECISION_AMP;
    const struct cost amp = layer_cost(&config);
    assert_true(amp.bytes_read == fp16.bytes_read + 2 * 40 * 2); /* update: table, gradient */
    assert_int_equal(amp.memory_bytes, fp16.memory_bytes + 2 * 40 * 2);
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
    assert_refused("conv2d:image_size=4,image_width=64,kernel_size=5", "larger than image_size");
    assert_refused("conv2d:image_size=64,image_width=4,kernel_size=5", "larger than image_width");
    assert_refused("conv2d:image_size=64,image_width=4,kernel_size=9,padding=same",
                   "twice image_width");
    assert_refused("conv2d:image_size=64,kernel_size=6,kernel_width=3,stride=5",
                   "stride is larger than 4 and than kernel_width");
    assert_refused("conv2d:image_size=8,kernel_size=3,dilation=4", "dilated kernel is larger");
    assert_refused("conv2d:image_size=4,kernel_size=3,dilation=4,padding=same", "twice the image");
    assert_refused("conv2d:channels_in=6,channels_out=8,groups=4", "groups must divide");
    assert_refused("conv2d:channels_in=8,channels_out=6,groups=4", "groups must divide");
    assert_refused("conv2d:channels_in=4,channels_out=4,groups=0", "groups: 0 is outside");
    assert_refused("conv2d:image_size=1,image_width=65536,channels_in=65536", "the input would");
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
    assert_refused("softmax:pass=train,optimizer=sgd", "no parameters");
    assert_refused("matmul:pass=train,optimizer=sgd", "no parameters");
    assert_refused("matmul:left_rows=1048576,right_columns=1048576", "the output would have");
    assert_refused("attention:pass=train,optimizer=sgd", "no parameters");
    assert_refused("attention:heads=3,key_value_heads=2",
                   "heads is no multiple of key_value_heads");
    assert_refused("attention:heads=2,key_value_heads=4",
                   "heads is no multiple of key_value_heads");
    assert_refused("attention:key_length=0", "key_length: 0 is outside 1..");
    assert_refused("attention:query_length=5,key_length=4,causal=yes", "more queries than keys");
    assert_refused("attention:heads=64,key_value_heads=1,query_length=65536,key_length=65536",
                   "the tensors of the backward pass would have");
    assert_refused("softmax:width=0", "width: 0 is outside 1..1048576");
    assert_refused("batch_norm:image_size=4096,channels=128", "the input would have");
    assert_refused("addition:batch_size=3,elements=1000000000", "the output would have");
}

static void check_names_feature_value_and_bounds(void **state)
{
    (void)state;
    struct error error;
    struct layer_config config = parsed_config("conv2d:image_size=8");
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
    parsed_config("dense:batch_size=64,inputs=25088,outputs=4096,pass=train,optimizer=adam");
    parsed_config(
        "conv2d:batch_size=64,image_size=512,kernel_size=7,channels_in=19,channels_out=19,"
        "stride=4,padding=same");
    parsed_config(
        "conv2d:batch_size=64,image_size=1,channels_in=10000,channels_out=10000,stride=4");
    /* the first of wav2vec 2.0; the last of a WaveNet's stack; DeepLab's widest */
    parsed_config("conv2d:image_size=1,image_width=16000,kernel_size=1,kernel_width=10,stride=5,"
                  "channels_out=512");
    parsed_config("conv2d:image_size=1,image_width=16000,kernel_size=1,kernel_width=2,"
                  "dilation=512,padding=same");
    parsed_config("conv2d:image_size=65,kernel_size=3,dilation=36,padding=same,stride=1");
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
    const struct layer_config conv = parsed_config(
        "conv2d:batch_size=2,image_size=5,kernel_size=3,channels_in=3,channels_out=4,"
        "pass=train");
    const struct layer_config pool = parsed_config(
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
    const struct layer_config sum = parsed_config("addition:batch_size=2,elements=5");
    const struct layer_config pool = parsed_config("pool2d:image_size=6,kernel_size=2,stride=2");
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
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_config config = parsed_config(layer_descriptors[kind]->name);
        for (int i = 0; i < layer_descriptors[kind]->feature_count; i++) {
            struct layer_config other = config;
            const struct feature *feature = &layer_descriptors[kind]->features[i];
            layer_set(&other, feature, 1);
            const bool same = memcmp(&other, &config, sizeof config) == 0 || feature->stands_for;
            assert_int_equal(layer_hash(&other) == layer_hash(&config), same);
        }
    }
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (const struct layer_case *pinned = layer_descriptors[kind]->cases; pinned->text;
             pinned++) {
            const struct layer_config config = parsed_config(pinned->text);
            if (layer_hash(&config) != pinned->hash)
                fail_msg("%s: UINT64_C(0x%016llx)", pinned->text,
                         (unsigned long long)layer_hash(&config));
        }
}

/* The width of a square is the same layer as no width. */
static void a_square_has_one_hash(void **state)
{
    (void)state;
    static const char *const same[] = {
        "conv2d:image_size=8,kernel_size=3", "conv2d:image_size=8,kernel_size=3,image_width=8",
        "conv2d:image_size=8,kernel_size=3,kernel_width=3,groups=1,dilation=1"};
    const struct layer_config square = parsed_config(same[0]);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const struct layer_config config = parsed_config(same[i]);
        assert_true(layer_hash(&config) == layer_hash(&square));
    }
    const struct layer_config other = parsed_config("conv2d:image_size=8,kernel_size=3,"
                                                    "image_width=9");
    assert_true(layer_hash(&other) != layer_hash(&square));
}

/* Each axis by itself; a dilated kernel spans more than it has cells. */
static void windows_of_both_axes(void **state)
{
    (void)state;
    const struct layer_config config = parsed_config(
        "conv2d:image_size=9,image_width=20,kernel_size=1,kernel_width=3,dilation=4,padding=same");
    const struct window_axes axes = conv2d_axes(&config.as.conv2d);
    assert_window(axes.at[AXIS_HEIGHT].window, 9, 0, 0);
    assert_window(axes.at[AXIS_WIDTH].window, 20, 4, 4);
    assert_int_equal(axes.at[AXIS_HEIGHT].span, 1);
    assert_int_equal(axes.at[AXIS_WIDTH].span, 9);
    assert_int_equal(axes.at[AXIS_WIDTH].kernel, 3);
    assert_int_equal(axes.at[AXIS_WIDTH].image, 20);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_match_hand_computed_cases),
        cmocka_unit_test(costs_of_drawn_configs_are_pinned),
        cmocka_unit_test(optimizers_move_the_arrays_they_say),
        cmocka_unit_test(amp_casts_weights),
        cmocka_unit_test(amp_casts_no_tables),
        cmocka_unit_test(windows),
        cmocka_unit_test(windows_of_both_axes),
        cmocka_unit_test(a_square_has_one_hash),
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
