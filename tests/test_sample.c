/* Draws of layer configs: repeatable, valid, inside the domain, distributed as promised. */
#include "base/hash.h"
#include "base/text.h"
#include "kinds/reference.h"
#include "layers/describe.h"
#include "layers/sample.h"
#include "layers/sample_table.h"
#include "layers/sample_transform.h"
#include "parsed_config.h"
#include "pins.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sample_domain default_domain(enum layer_kind kind)
{
    struct sample_domain domain;
    sample_domain_default(&domain, kind);
    return domain;
}

static void set(struct sample_domain *domain, const char *text)
{
    struct error error;
    bool applied = false;
    if (sample_domain_set(domain, text, &applied, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    assert_true(applied);
}

static struct layer_config draw(const struct sample_domain *domain, uint64_t seed, uint32_t index,
                                enum stratum *stratum)
{
    struct layer_config config;
    struct error error;
    if (sample_draw(&config, stratum, domain, seed, index, &error) != STATUS_OK)
        fail_msg("draw %u: %s", index, error.message);
    return config;
}

static struct layer_config draw_any(const struct sample_domain *domain, uint64_t seed,
                                    uint32_t index)
{
    enum stratum stratum;
    return draw(domain, seed, index, &stratum);
}

/* ---- the sequence ---- */

/* A change of the kinds' `draws` changes what every seed means: datasets of old and new no longer
 * share configs. */
static void sequence_is_pinned(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain = default_domain((enum layer_kind)kind);
        for (uint32_t index = 0; index < DRAW_COUNT; index++) {
            enum stratum stratum;
            struct layer_config config = draw(&domain, 1, index, &stratum);
            char text[512];
            int length = snprintf(text, sizeof text, "%s ", choice_name(&choice_stratum, stratum));
            describe_config(text + length, sizeof text - (size_t)length, &config);
            const char *wanted = kind_references[kind]->draws[index];
            if (!wanted || strcmp(text, wanted) != 0)
                fail_msg("draw %u is %s", index, text);
        }
    }
}

static uint64_t hash_of_draws(uint64_t hash, const struct sample_domain *domain)
{
    for (uint32_t index = 0; index < 1000; index++) {
        enum stratum stratum;
        const struct layer_config config = draw(domain, 11, index, &stratum);
        const uint64_t words[] = {(uint64_t)stratum, layer_hash(&config)};
        for (int byte = 0; byte < 16; byte++) { /* the same on every machine */
            const unsigned char eight = (unsigned char)(words[byte / 8] >> 8 * (byte % 8));
            hash = hash_bytes(hash, &eight, 1);
        }
    }
    return hash;
}

/* Every stratum alone, the mixture, and narrowed ranges, where lists of real shapes and the paper's
 * ranges are cut. */
static uint64_t hash_of_domain(struct sample_domain domain)
{
    static const char *const sets[] = {
        "image_size=20..300", "channels=20..5000", "batch_size=3..40",   "inputs=100..5000",
        "padding=same,valid", "elements=9..99999", "channels_in=5..700", "optimizer=none,adam"};
    uint64_t hash = HASH_SEED;
    for (domain.stratum = -1; domain.stratum <= STRATUM_UNIFORM; domain.stratum++)
        hash = hash_of_draws(hash, &domain);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        bool applied;
        assert_int_equal(sample_domain_set(&domain, sets[i], &applied, NULL), STATUS_OK);
    }
    for (domain.stratum = -1; domain.stratum <= STRATUM_UNIFORM; domain.stratum++)
        hash = hash_of_draws(hash, &domain);
    return hash;
}

static uint64_t hash_of_strata(enum layer_kind kind)
{
    return hash_of_domain(default_domain(kind));
}

static uint64_t hash_of_first_strata(enum layer_kind kind)
{
    struct sample_domain domain = default_domain(kind);
    domain.is_first = true;
    return hash_of_domain(domain);
}

/* The six pinned draws per kind show a change; these eight thousand leave none unseen. */
static void thousands_of_draws_are_pinned(void **state)
{
    (void)state;
    static const struct pin pins[] = {{"dense", UINT64_C(0x5a2dca9b3c992d45)},
                                      {"conv2d", UINT64_C(0x9a63101fa2fed46c)},
                                      {"pool2d", UINT64_C(0x2ae45d7f4b33715c)},
                                      {"batch_norm", UINT64_C(0x636d47654c5029ba)},
                                      {"binary", UINT64_C(0x173743aad60b4fa5)}};
    assert_pinned(pins, sizeof pins / sizeof *pins, hash_of_strata);
}

static void draws_do_not_depend_on_order(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct layer_config forwards[COUNT];
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain = default_domain((enum layer_kind)kind);
        for (uint32_t i = 0; i < COUNT; i++)
            forwards[i] = draw_any(&domain, 42, i);
        for (uint32_t i = COUNT; i-- > 0;) {
            struct layer_config again = draw_any(&domain, 42, i);
            assert_memory_equal(&again, &forwards[i], sizeof again);
        }
    }
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int distinct_count(uint64_t *hashes, int count)
{
    int distinct = 0;
    qsort(hashes, (size_t)count, sizeof *hashes, compare_hashes);
    for (int i = 0; i < count; i++)
        distinct += i == 0 || hashes[i] != hashes[i - 1];
    return distinct;
}

/* Shards are ranges or strides of the index: no index gives another's config, nor another seed's.
 */
static void indices_and_seeds_give_other_configs(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    uint64_t hashes[2 * COUNT];
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct layer_config first = draw_any(&domain, 1, i), second = draw_any(&domain, 2, i);
        hashes[i] = layer_hash(&first);
        hashes[COUNT + i] = layer_hash(&second);
    }
    assert_true(distinct_count(hashes, 2 * COUNT) > 2 * COUNT * 99 / 100);
}

static void extreme_seeds_and_indices_draw(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_POOL2D);
    struct layer_config last = draw_any(&domain, UINT64_MAX, UINT32_MAX);
    struct layer_config first = draw_any(&domain, 0, 0);
    assert_true(layer_is_valid(&last) && layer_is_valid(&first));
}

/* ---- what a draw may be ---- */

/* The sizes of a network's layer may be beyond the ranges of other draws. */
static bool is_form(const struct layer_config *config)
{
    if (layer_descriptors[config->kind]->form_count > 0 && config->kind != LAYER_CONV2D)
        return true;
    return config->kind == LAYER_CONV2D &&
           (config->as.conv2d.image_width || config->as.conv2d.kernel_width ||
            config->as.conv2d.groups > 1 || config->as.conv2d.dilation > 1);
}

static void assert_inside(const struct layer_config *config, const struct sample_domain *domain,
                          enum stratum stratum)
{
    struct error error;
    if (layer_check(config, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct cost cost = layer_cost(config);
    assert_true((double)cost.memory_bytes <= domain->memory_limit_bytes);
    assert_true(cost.flops <= domain->flops_limit);
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const bool is_drawn = stratum != STRATUM_REALISTIC || !is_form(config);
        if (is_drawn && feature_applies(feature, config))
            assert_in_range(layer_get(config, feature), domain->range[i].minimum,
                            domain->range[i].maximum);
    }
}

static void draws_are_valid_and_within_limits(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain = default_domain((enum layer_kind)kind);
        for (uint32_t i = 0; i < 2000; i++) {
            enum stratum stratum;
            struct layer_config config = draw(&domain, 7, i, &stratum);
            assert_int_equal(config.kind, kind);
            assert_inside(&config, &domain, stratum);
        }
        domain.memory_limit_bytes = 1 << 20;
        domain.flops_limit = 1e6;
        for (uint32_t i = 0; i < 500; i++) {
            enum stratum stratum;
            struct layer_config config = draw(&domain, 7, i, &stratum);
            assert_inside(&config, &domain, stratum);
        }
    }
}

static void pass_and_optimizer_agree(void **state)
{
    (void)state;
    int optimizers[OPTIMIZER_COUNT] = {0}, forwards = 0;
    struct sample_domain domain = default_domain(LAYER_DENSE);
    struct sample_domain pools = default_domain(LAYER_POOL2D);
    for (uint32_t i = 0; i < 2000; i++) {
        struct layer_config config = draw_any(&domain, 3, i);
        forwards += config.pass == PASS_FORWARD;
        optimizers[config.optimizer]++;
        if (config.pass == PASS_FORWARD)
            assert_int_equal(config.optimizer, OPTIMIZER_NONE);
        assert_int_equal(draw_any(&pools, 3, i).optimizer, OPTIMIZER_NONE);
    }
    assert_in_range(forwards, 800, 1200);
    assert_int_equal(optimizers[OPTIMIZER_ADAMW], 0); // seeds mean what they meant before it
    for (int i = 0; i <= OPTIMIZER_ADAM; i++)         // 1000 training steps over 7, each 143
        assert_in_range(optimizers[i] - (i ? 0 : forwards), 90, 200);
}

static void strata_have_their_shares(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    int counts[4] = {0};
    struct sample_domain domain = default_domain(LAYER_DENSE);
    for (uint32_t i = 0; i < COUNT; i++) {
        enum stratum stratum;
        draw(&domain, 11, i, &stratum);
        counts[stratum]++;
    }
    assert_in_range(counts[STRATUM_LOG_UNIFORM], 2350, 2650); // 4 sigma: 141, 130, 113
    assert_in_range(counts[STRATUM_REALISTIC], 1360, 1640);
    assert_in_range(counts[STRATUM_UNIFORM], 880, 1120);
    assert_int_equal(counts[STRATUM_IMPORTED], 0);
}

static void default_precision_is_fixed(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(draw_any(&domain, 1, i).precision, PRECISION_FP32);
    set(&domain, "precision=fp32,bf16");
    int bf16 = 0;
    for (uint32_t i = 0; i < 200; i++)
        bf16 += draw_any(&domain, 1, i).precision == PRECISION_BF16;
    assert_in_range(bf16, 60, 140);
}

/* ---- distributions ---- */

/* Largest distance between the draws' distribution and the log-uniform one over the integers. */
static double log_uniform_distance(const int *counts, int32_t maximum, int total)
{
    double distance = 0, below = 0;
    for (int32_t value = 1; value <= maximum; value++) {
        below += counts[value];
        double wanted = log(value + 1.0) / log(maximum + 1.0);
        distance = fmax(distance, fabs(below / total - wanted));
    }
    return distance;
}

static void log_uniform_stratum_is_log_uniform(void **state)
{
    (void)state;
    enum { COUNT = 20000, MAXIMUM = 32768 };
    static int inputs[MAXIMUM + 1], outputs[MAXIMUM + 1];
    struct sample_domain domain = default_domain(LAYER_DENSE);
    domain.memory_limit_bytes = domain.flops_limit = INFINITY; // nothing is rejected
    set(&domain, "stratum=log_uniform");
    set(&domain, "batch_size=1");
    for (uint32_t i = 0; i < COUNT; i++) {
        enum stratum stratum;
        struct layer_config config = draw(&domain, 5, i, &stratum);
        assert_int_equal(stratum, STRATUM_LOG_UNIFORM);
        inputs[config.as.dense.inputs]++;
        outputs[config.as.dense.outputs]++;
    }
    double critical = 1.63 / sqrt(COUNT); // Kolmogorov-Smirnov, 1 %; a Sobol sequence does better
    assert_true(log_uniform_distance(inputs, MAXIMUM, COUNT) < critical);
    assert_true(log_uniform_distance(outputs, MAXIMUM, COUNT) < critical);
}

/* The transform uses no libm; here libm checks it. */
static void transform_agrees_with_libm(void **state)
{
    (void)state;
    for (uint32_t value = 1; value < UINT32_C(1) << 31; value += value / 7 + 1)
        assert_true(fabs(transform_log2(value) - log2(value)) < 1e-11);
    for (double exponent = 0; exponent < 31.9; exponent += 0.01)
        assert_true(fabs(transform_exp2(exponent) / exp2(exponent) - 1) < 1e-12);
    assert_int_equal(transform_log_uniform(0, 3, 17), 3);
    assert_int_equal(transform_log_uniform(UINT32_MAX, 3, 17), 17);
    assert_int_equal(transform_log_uniform(12345, 9, 9), 9);
    assert_int_equal(transform_log_uniform(UINT32_MAX, 1, 1000000), 1000000);
}

static void uniform_stratum_is_the_papers(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    set(&domain, "stratum=uniform");
    for (uint32_t i = 0; i < COUNT; i++) {
        struct layer_config config = draw_any(&domain, 5, i);
        const struct conv2d *conv = &config.as.conv2d;
        assert_in_range(config.batch_size, 1, 64);
        assert_in_range(conv->kernel_size, 1, 7);
        assert_in_range(conv->stride, 1, 4);
        assert_true((int64_t)conv->channels_in * conv->image_size <= 10000);
        assert_true((int64_t)conv->channels_out * conv->image_size <= 10000);
    }
    struct sample_domain dense = default_domain(LAYER_DENSE);
    set(&dense, "stratum=uniform");
    double mean = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct layer_config config = draw_any(&dense, 5, i);
        assert_in_range(config.as.dense.inputs, 1, 4096);
        mean += config.as.dense.inputs / (double)COUNT;
    }
    assert_true(fabs(mean - 2048.5) < 60); // sigma of the mean: 19
}

static bool is_one_of(int32_t value, const int32_t *values)
{
    for (; *values; values++)
        if (*values == value)
            return true;
    return false;
}

static void realistic_stratum_is_realistic(void **state)
{
    (void)state;
    static const int32_t kernels[] = {1, 2, 3, 5, 7, 11, 0}, strides[] = {1, 2, 4, 0};
    enum { COUNT = 2000 };
    int same = 0;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    set(&domain, "stratum=realistic");
    for (uint32_t i = 0; i < COUNT; i++) {
        struct layer_config config = draw_any(&domain, 5, i);
        assert_true(is_form(&config) || is_one_of(config.as.conv2d.kernel_size, kernels));
        assert_true(is_form(&config) || is_one_of(config.as.conv2d.stride, strides));
        same += config.as.conv2d.padding == PADDING_SAME;
    }
    assert_true(same > COUNT * 2 / 3);
}

/* ---- convolutions of every form ---- */

struct forms {
    int depthwise, grouped, thin, flat, dilated, oblong, plain;
};

static struct forms count_forms(struct sample_domain *domain, const char *sets, int count)
{
    struct forms forms = {0};
    set(domain, sets);
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        const struct layer_config config = draw_any(domain, 5, i);
        const struct conv2d *conv = &config.as.conv2d;
        assert_int_equal(conv->channels_in % conv->groups, 0);
        assert_int_equal(conv->channels_out % conv->groups, 0);
        assert_true(conv->image_width != conv->image_size);
        assert_true(conv->kernel_width != conv->kernel_size);
        forms.depthwise += conv->groups > 1 && conv->groups == conv->channels_in;
        forms.grouped += conv->groups > 1 && conv->groups < conv->channels_in;
        forms.thin += conv->kernel_width > 0;
        forms.flat += conv->image_size == 1 && conv->image_width > 1;
        forms.dilated += conv->dilation > 1;
        forms.oblong += conv->image_width > 0;
        forms.plain += conv->groups == 1 && conv->dilation == 1 && !conv->image_width &&
                       !conv->kernel_width;
    }
    return forms;
}

/* Each stratum stays what it was in most of its draws, the paper's in all. */
static void strata_hold_every_form_of_convolution(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    const struct forms real = count_forms(&domain, "stratum=realistic", COUNT);
    assert_in_range(real.plain, COUNT * 50 / 100, COUNT * 75 / 100);
    assert_in_range(real.depthwise, COUNT * 6 / 100, COUNT * 20 / 100);
    assert_true(real.grouped > COUNT / 50 && real.thin > COUNT / 50 && real.dilated > COUNT / 50);
    assert_true(real.flat > COUNT / 50 && real.oblong > COUNT / 20);
    const struct forms any = count_forms(&domain, "stratum=log_uniform", COUNT);
    assert_in_range(any.plain, COUNT * 60 / 100, COUNT * 85 / 100);
    assert_true(any.depthwise > COUNT / 50 && any.grouped > COUNT / 50 && any.thin > COUNT / 50);
    assert_true(any.dilated > COUNT / 50 && any.oblong > COUNT / 50);
    assert_int_equal(count_forms(&domain, "stratum=uniform", COUNT).plain, COUNT);
}

/* --set has the last word on what depends on other members, too. */
static void set_keeps_forms_inside(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    assert_int_equal(count_forms(&domain, "groups=1", 500).grouped, 0);
    set(&domain, "groups=4,32");
    set(&domain, "channels_out=64..128");
    for (uint32_t i = 0; i < 300; i++) {
        const struct layer_config config = draw_any(&domain, 1, i);
        assert_true(config.as.conv2d.groups == 4 || config.as.conv2d.groups == 32);
        assert_in_range(config.as.conv2d.channels_out, 64, 128);
    }
    struct sample_domain wide = default_domain(LAYER_CONV2D);
    set(&wide, "image_width=0..40");
    set(&wide, "kernel_width=0..0");
    for (uint32_t i = 0; i < 300; i++) {
        const struct layer_config config = draw_any(&wide, 1, i);
        assert_in_range(config.as.conv2d.image_width, 0, 40);
        assert_int_equal(config.as.conv2d.kernel_width, 0);
    }
}

/* What the first sampler drew is drawn again: by itself, and with --set. */
static void first_draws_are_squares(void **state)
{
    (void)state;
    struct sample_domain first = default_domain(LAYER_CONV2D), plain = first;
    first.is_first = true;
    set(&plain, "groups=1");
    set(&plain, "dilation=1");
    set(&plain, "image_width=0");
    set(&plain, "kernel_width=0");
    for (uint32_t i = 0; i < 1000; i++) {
        const struct layer_config config = draw_any(&first, 1, i), same = draw_any(&plain, 1, i);
        assert_false(is_form(&config));
        assert_memory_equal(&config, &same, sizeof config);
    }
    static const struct pin pins[] = {{"conv2d", UINT64_C(0xa5dc45201ddd724a)}};
    assert_pinned(pins, 1, hash_of_first_strata);
}

/* Half of the shapes get other sizes, and depthwise ones stay depthwise. */
static void depthwise_templates_stay_depthwise(void **state)
{
    (void)state;
    const struct layer_config template = parsed_config(
        "conv2d:image_size=28,kernel_size=3,channels_in=192,channels_out=384,groups=192,"
        "padding=same,stride=1");
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    int jittered = 0;
    domain.templates = &template;
    domain.template_count = 1;
    for (uint32_t i = 0; i < 300; i++) {
        const struct layer_config config = draw_any(&domain, 1, i);
        assert_int_equal(config.as.conv2d.groups, config.as.conv2d.channels_in);
        assert_int_equal(config.as.conv2d.channels_out, 2 * config.as.conv2d.channels_in);
        jittered += config.as.conv2d.channels_in != 192;
    }
    assert_in_range(jittered, 90, 180);
}

/* ---- --set ---- */

static void set_narrows_every_stratum(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    set(&domain, "kernel_size=5,3");
    set(&domain, "conv2d.image_size=7..30");
    set(&domain, "batch_size=1..8*2");
    set(&domain, "activation=tanh,none");
    set(&domain, "pass=train");
    set(&domain, "optimizer=adam,sgd");
    bool seen[9] = {false};
    for (uint32_t i = 0; i < 500; i++) {
        struct layer_config config = draw_any(&domain, 1, i);
        int32_t kernel = config.as.conv2d.kernel_size, activation = config.as.conv2d.activation;
        assert_true(kernel == 3 || kernel == 5);
        assert_in_range(config.as.conv2d.image_size, 7, 30);
        assert_true(config.batch_size == 1 || config.batch_size == 2 || config.batch_size == 4 ||
                    config.batch_size == 8);
        assert_true(activation == ACTIVATION_TANH || activation == ACTIVATION_NONE);
        assert_int_equal(config.pass, PASS_TRAIN);
        assert_true(config.optimizer == OPTIMIZER_ADAM || config.optimizer == OPTIMIZER_SGD);
        seen[config.batch_size] = seen[kernel] = true;
    }
    assert_true(seen[1] && seen[2] && seen[4] && seen[8] && seen[3] && seen[5]);
}

/* An optimizer demands train; a kind without parameters has none whatever is demanded. */
static void set_optimizer_leaves_forward_out(void **state)
{
    (void)state;
    struct sample_domain dense = default_domain(LAYER_DENSE), pool = default_domain(LAYER_POOL2D);
    set(&dense, "optimizer=adam");
    set(&pool, "optimizer=adam");
    for (uint32_t i = 0; i < 200; i++) {
        struct layer_config config = draw_any(&dense, 1, i);
        assert_int_equal(config.pass, PASS_TRAIN);
        assert_int_equal(config.optimizer, OPTIMIZER_ADAM);
        assert_int_equal(draw_any(&pool, 1, i).optimizer, OPTIMIZER_NONE);
    }
}

static void set_marks_and_sorts_its_feature(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_DENSE);
    set(&domain, "inputs=64,16,32");
    const struct layer_descriptor *descriptor = layer_descriptors[LAYER_DENSE];
    for (int i = 0; i < descriptor->feature_count; i++) {
        bool is_inputs = strcmp(descriptor->features[i].name, "inputs") == 0;
        assert_int_equal(domain.range[i].is_set, is_inputs);
        assert_int_equal(domain.range[i].value_count, is_inputs ? 3 : 0);
        if (is_inputs)
            assert_memory_equal(domain.range[i].values, ((int32_t[]){16, 32, 64}), 12);
    }
    set(&domain, "inputs=5..9"); // the last word counts
    for (uint32_t i = 0; i < 50; i++)
        assert_in_range(draw_any(&domain, 1, i).as.dense.inputs, 5, 9);
}

static void set_of_another_kind_is_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"kernel_size=3", "conv2d.kernel_size=3",
                                        "conv2d.batch_size=3", "pool2d.stratum=uniform"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sample_domain domain = default_domain(LAYER_DENSE), before = domain;
        struct error error;
        bool applied = true;
        assert_int_equal(sample_domain_set(&domain, texts[i], &applied, &error), STATUS_OK);
        assert_false(applied);
        assert_memory_equal(&domain, &before, sizeof domain);
    }
}

static const struct {
    const char *text, *message, *hint;
} bad_sets[] = {
    {"kernel_size", "is not feature=values", ""},
    {"kernel_size=", "is not feature=values", ""},
    {"=3", "no layer kind has a feature ''", ""},
    {"kernel_sise=3", "no layer kind has a feature 'kernel_sise'", "'kernel_size'"},
    {"nothing_like_it=3", "no layer kind has a feature", "epochcast show layers"},
    {"conv3d.kernel_size=3", "unknown layer 'conv3d'", ""},
    {"kernel_size=x", "is not a list of whole numbers", "1..64*2"},
    {"kernel_size=1.5", "is not a list of whole numbers", ""},
    {"kernel_size=3,", "is not a list of whole numbers", ""},
    {"kernel_size=3,,5", "is not a list of whole numbers", ""},
    {"kernel_size=3;5", "unexpected ';5'", ""},
    {"kernel_size=99999999999999999999", "is not within", ""},
    {"kernel_size=0", "kernel_size=0 is outside 1..64", ""},
    {"kernel_size=3,65", "kernel_size=65 is outside 1..64", ""},
    {"kernel_size=0..3", "kernel_size=0 is outside 1..64", ""},
    {"kernel_size=-1", "kernel_size=-1 is outside 1..64", ""},
    {"kernel_size=5..3", "the range is empty", ""},
    {"kernel_size=1,2..3", "a range cannot be part of a list", ""},
    {"kernel_size=1..3,5", "a range cannot be part of a list", ""},
    {"kernel_size=1..64*1", "a factor is at least 2", ""},
    {"kernel_size=0..64*2", "its range starts at 1", ""},
    {"activation=rulu", "unknown value 'rulu'", "'relu'"},
    {"activation=relu,,tanh", "unknown value ''", ""},
    {"activation=1", "unknown value '1'", ""},
    {"stratum=imported", "use one of log_uniform, realistic, uniform", ""},
    {"stratum=other", "use one of log_uniform, realistic, uniform", ""},
};

static void assert_set_refused(const char *text, const char *message, const char *hint)
{
    struct sample_domain domain = default_domain(LAYER_CONV2D), before = domain;
    struct error error;
    bool applied = true;
    assert_int_equal(sample_domain_set(&domain, text, &applied, &error), STATUS_USAGE);
    assert_false(applied);
    if (!strstr(error.message, message) || !strstr(error.hint, hint))
        fail_msg("'%s': '%s' (%s)", text, error.message, error.hint);
    assert_memory_equal(&domain, &before, sizeof domain);
}

static void bad_sets_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_sets / sizeof *bad_sets; i++)
        assert_set_refused(bad_sets[i].text, bad_sets[i].message, bad_sets[i].hint);
}

static void long_sets_are_refused(void **state)
{
    (void)state;
    char text[2000];
    size_t used = (size_t)snprintf(text, sizeof text, "kernel_size=3");
    for (int i = 1; i < 65; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ",3");
    assert_set_refused(text, "names more than 64 values", "");
    used = (size_t)snprintf(text, sizeof text, "activation=none");
    for (int i = 1; i < 65; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", i % 2 ? ",no" : ",none");
    assert_set_refused(text, "is not feature=values", ""); // longer than any sensible one
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_set_refused(text, "is not feature=values", "");
}

static void lists_are_parsed(void **state)
{
    (void)state;
    struct error error;
    int32_t values[8];
    int count;
    bool is_range;
    assert_int_equal(
        parse_int_list(values, 8, &count, true, &is_range, "--batch", "1..4,9,2..8*2", &error),
        STATUS_OK);
    assert_int_equal(count, 8);
    assert_memory_equal(values, ((int32_t[]){1, 2, 3, 4, 9, 2, 4, 8}), sizeof values);
    assert_false(is_range);
    assert_int_equal(
        parse_int_list(values, 8, &count, false, &is_range, "--batch", "1..1000000", &error),
        STATUS_OK);
    assert_true(is_range);
    assert_int_equal(count, 2);
    assert_int_equal(values[1], 1000000);
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch", "3", &error),
                     STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch", "1..9", &error),
                     STATUS_USAGE);
    assert_non_null(strstr(error.message, "more than 8 values"));
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch",
                                    "1..2147483647*2147483647", &error),
                     STATUS_OK);
    assert_int_equal(values[1], INT32_MAX);
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch", "", &error),
                     STATUS_USAGE);
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch", "1..", &error),
                     STATUS_USAGE);
    assert_int_equal(
        parse_int_list(values, 8, &count, false, &is_range, "--batch", "1..1e3", &error),
        STATUS_OK);
    assert_true(is_range && values[1] == 1000);
    assert_int_equal(parse_int_list(values, 8, &count, true, NULL, "--batch", "2e2,1e0", &error),
                     STATUS_OK);
    assert_int_equal(values[0], 200);
    assert_int_equal(values[1], 1);
}

/* Messages name the option, what is wrong with the list, and how lists look. */
static void bad_lists_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"3px", "size: '3px' is not a list of whole numbers"},
        {"1..7px", "size: '1..7px' is not a list of whole numbers"},
        {"100000000000", "size: '100000000000': 100000000000 is not within"},
        {"1e99", "size: '1e99': 1e99 is not within"},
        {"1e", "size: '1e' is not a list"},
        {"56..7", "size: '56..7': the range is empty"},
        {"1,2..7", "size: '1,2..7': a range cannot be part of a list"},
        {"4..64*1", "size: '4..64*1': a factor is at least 2"},
        {"1,,2", "size: '1,,2' is not a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        int32_t values[8];
        int count;
        bool is_range;
        assert_int_equal(
            parse_int_list(values, 8, &count, false, &is_range, "size", cases[i].text, &error),
            STATUS_USAGE);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s", error.message);
    }
}

static void domain_without_configs_fails(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    set(&domain, "image_size=3");
    set(&domain, "kernel_size=7");
    set(&domain, "padding=valid");
    struct layer_config config;
    enum stratum stratum;
    struct error error;
    assert_int_equal(sample_draw(&config, &stratum, &domain, 1, 0, &error), STATUS_USAGE);
    assert_non_null(strstr(error.message, "conv2d: no valid config"));
    assert_non_null(strstr(error.hint, "--set"));
    struct sample_domain small = default_domain(LAYER_DENSE);
    small.memory_limit_bytes = 3;
    assert_int_equal(sample_draw(&config, &stratum, &small, 1, 0, &error), STATUS_USAGE);
    assert_non_null(strstr(error.hint, "memory"));
}

/* ---- the table ---- */

/* The table's row of a feature, and its values. */
static const struct sampled_feature *plan_row(const int32_t **values,
                                              const struct sample_table *table, const char *name)
{
    const struct feature *feature = layer_feature_find(table->kind, name);
    assert_non_null(feature);
    const struct sampled_feature *row =
        &table->feature[feature - layer_descriptors[table->kind]->features];
    assert_int_equal(row->offset, feature->offset);
    *values = table->values + row->first_value;
    return row;
}

static void plan_has_the_domains_numbers(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_CONV2D);
    set(&domain, "image_size=28..56");
    set(&domain, "kernel_size=5,3");
    struct sample_table table;
    sample_table_make(&table, &domain, 9);
    assert_int_equal(table.kind, LAYER_CONV2D);
    assert_int_equal(table.feature_count, layer_descriptors[LAYER_CONV2D]->feature_count);
    assert_int_equal(table.seed, 9);
    const int32_t *values;
    const struct sampled_feature *image = plan_row(&values, &table, "image_size");
    assert_true(image->is_side && !image->is_choice && !image->is_per_side);
    assert_int_equal(image->minimum, 28);
    assert_int_equal(image->maximum, 56);
    assert_int_equal(image->paper_maximum, 512);
    assert_int_equal(image->explicit_count, 0);
    assert_int_equal(image->realistic_count, 7);
    assert_memory_equal(values, ((int32_t[]){28, 28, 32, 32, 55, 56, 56}), 28);
    const struct sampled_feature *kernel = plan_row(&values, &table, "kernel_size");
    assert_int_equal(kernel->explicit_count, 2);
    assert_memory_equal(values, ((int32_t[]){3, 5}), 8);
    assert_true(plan_row(&values, &table, "channels_in")->is_per_side);
    assert_true(plan_row(&values, &table, "padding")->has_usual);
    assert_false(plan_row(&values, &table, "use_bias")->has_usual);
    assert_true(plan_row(&values, &table, "use_bias")->is_choice);
}

static void plan_knows_the_strata(void **state)
{
    (void)state;
    static const struct {
        int32_t stratum;
        uint32_t ends[2];
    } cases[] = {{-1, {50, 80}},
                 {STRATUM_LOG_UNIFORM, {100, 100}},
                 {STRATUM_REALISTIC, {0, 100}},
                 {STRATUM_UNIFORM, {0, 0}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample_domain domain = default_domain(LAYER_DENSE);
        domain.stratum = cases[i].stratum;
        struct sample_table table;
        sample_table_make(&table, &domain, 1);
        assert_int_equal(table.log_uniform_end, cases[i].ends[0]);
        assert_int_equal(table.realistic_end, cases[i].ends[1]);
        for (uint32_t index = 0; index < 200 && cases[i].stratum >= 0; index++)
            assert_int_equal(sample_stratum(&table, index), cases[i].stratum);
    }
}

/* Every feature of the domain's range, whatever the words; nothing else is set. */
static void assert_transform_inside(const struct sample_domain *domain, uint32_t word)
{
    uint32_t words[2 * FEATURE_LIMIT];
    struct sample_table table;
    sample_table_make(&table, domain, 1);
    for (int i = 0; i < 2 * FEATURE_LIMIT; i++)
        words[i] = i % 2 ? ~word : word;
    for (int stratum = STRATUM_LOG_UNIFORM; stratum <= STRATUM_UNIFORM; stratum++) {
        struct layer_config config, wanted = {.kind = domain->kind};
        memset(&config, 0xAA, sizeof config);
        sample_transform_attempt(&config, (enum stratum)stratum, &table, words, 2);
        for (int i = 0; i < table.feature_count; i++) {
            const struct feature *feature = &layer_descriptors[domain->kind]->features[i];
            int32_t value = layer_get(&config, feature);
            if (feature_applies(feature, &config))
                assert_in_range(value, domain->range[i].minimum, domain->range[i].maximum);
            else
                assert_int_equal(value, feature->missing);
            layer_set(&wanted, feature, value);
        }
        assert_memory_equal(&config, &wanted, sizeof config);
    }
}

static void transforms_stay_inside(void **state)
{
    (void)state;
    static const uint32_t words[] = {0, 1, UINT32_MAX / 4 * 3, 0x7FFFFFFF, UINT32_MAX};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            struct sample_domain domain = default_domain((enum layer_kind)kind);
            assert_transform_inside(&domain, words[i]);
            set(&domain, "batch_size=3..5000");
            assert_transform_inside(&domain, words[i]);
            set(&domain, "batch_size=7..7");
            assert_transform_inside(&domain, words[i]);
        }
}

/* No value of real networks and none of the paper's lies inside: the range alone counts. */
static void lists_outside_the_range_do_not_matter(void **state)
{
    (void)state;
    struct sample_domain domain = default_domain(LAYER_DENSE);
    set(&domain, "inputs=30000..30010");
    for (int stratum = STRATUM_LOG_UNIFORM; stratum <= STRATUM_UNIFORM; stratum++) {
        bool seen[11] = {false};
        domain.stratum = stratum;
        for (uint32_t i = 0; i < 300; i++) {
            int32_t inputs = draw_any(&domain, 1, i).as.dense.inputs;
            assert_in_range(inputs, 30000, 30010);
            seen[inputs - 30000] = true;
        }
        for (int i = 0; i < 11; i++)
            assert_true(seen[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_is_pinned),
        cmocka_unit_test(thousands_of_draws_are_pinned),
        cmocka_unit_test(draws_do_not_depend_on_order),
        cmocka_unit_test(indices_and_seeds_give_other_configs),
        cmocka_unit_test(extreme_seeds_and_indices_draw),
        cmocka_unit_test(draws_are_valid_and_within_limits),
        cmocka_unit_test(pass_and_optimizer_agree),
        cmocka_unit_test(strata_have_their_shares),
        cmocka_unit_test(default_precision_is_fixed),
        cmocka_unit_test(log_uniform_stratum_is_log_uniform),
        cmocka_unit_test(transform_agrees_with_libm),
        cmocka_unit_test(uniform_stratum_is_the_papers),
        cmocka_unit_test(realistic_stratum_is_realistic),
        cmocka_unit_test(strata_hold_every_form_of_convolution),
        cmocka_unit_test(set_keeps_forms_inside),
        cmocka_unit_test(first_draws_are_squares),
        cmocka_unit_test(depthwise_templates_stay_depthwise),
        cmocka_unit_test(set_narrows_every_stratum),
        cmocka_unit_test(set_optimizer_leaves_forward_out),
        cmocka_unit_test(set_marks_and_sorts_its_feature),
        cmocka_unit_test(set_of_another_kind_is_left_alone),
        cmocka_unit_test(bad_sets_are_refused),
        cmocka_unit_test(long_sets_are_refused),
        cmocka_unit_test(lists_are_parsed),
        cmocka_unit_test(bad_lists_are_explained),
        cmocka_unit_test(domain_without_configs_fails),
        cmocka_unit_test(plan_has_the_domains_numbers),
        cmocka_unit_test(plan_knows_the_strata),
        cmocka_unit_test(transforms_stay_inside),
        cmocka_unit_test(lists_outside_the_range_do_not_matter),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
