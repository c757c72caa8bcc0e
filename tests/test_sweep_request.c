/* What a sweep is to measure: from its options, and from networks. */
#include "cli/sweep_request.h"
#include "dataset_files.h"
#include "network/network.h"
#include "test.h"

#include <math.h>

static enum status make(struct sweep_request *request, const char *const *arguments,
                        struct error *error)
{
    struct settings settings = settings_default;
    int count = 0;
    while (arguments[count])
        count++;
    TRY(cli_parse(&settings, &command_sweep, count, (char *const *)arguments, error));
    return sweep_request_make(request, &settings, error);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct layer_config draw(const struct sample_domain *domain, uint32_t index)
{
    struct error error;
    struct layer_config config;
    enum stratum stratum;
    SUCCEEDS(sample_draw(&config, &stratum, domain, 1, index, &error));
    assert_int_equal(stratum, domain->template_count > 0 ? STRATUM_NETWORK : stratum);
    return config;
}

/* Largest factor by which a feature of the shape differs; infinite where one must not. */
static double factor_between(const struct layer_config *config, const struct layer_config *shape,
                             bool *keeps_alignment)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    double largest = 1;
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const double value = layer_get(config, feature), wanted = layer_get(shape, feature);
        if (value == wanted)
            continue;
        if (feature->choice || wanted < 12)
            return INFINITY; /* kernels, strides, colours, choices: as in the network */
        *keeps_alignment &= layer_get(shape, feature) % 8 != 0 ||
                            layer_get(config, feature) % 8 == 0;
        largest = fmax(largest, fmax(value / wanted, wanted / value));
    }
    return largest;
}

/* How the config differs from the template that is nearest. */
static double nearest_factor(const struct layer_config *config, const struct sample_domain *domain)
{
    double nearest = INFINITY;
    bool is_aligned = false;
    for (int i = 0; i < domain->template_count; i++) {
        bool keeps_alignment = true;
        const double factor = factor_between(config, &domain->templates[i], &keeps_alignment);
        is_aligned |= factor <= 1.4 && keeps_alignment;
        nearest = fmin(nearest, factor);
    }
    assert_true(is_aligned);
    return nearest;
}

static void shapes_are_those_of_the_networks(void **state)
{
    enum { DRAWS = 1000 };
    (void)state;
    struct error error;
    struct sweep_request request;
    SUCCEEDS(make(&request, ARGUMENTS("--from-networks", "vgg16,resnet50"), &error));
    assert_int_equal(request.domain_count, 5); /* the kinds that are in one of them */
    for (int i = 0; i < request.domain_count; i++) {
        int exact = 0, batches[2] = {0, 0};
        for (uint32_t index = 0; index < DRAWS; index++) {
            const struct layer_config config = draw(&request.domains[i], index);
            const double factor = nearest_factor(&config, &request.domains[i]);
            assert_true(factor <= 1.4);
            exact += factor == 1;
            batches[config.batch_size > 8]++;
        }
        assert_in_range(exact, DRAWS * 4 / 10, DRAWS * 7 / 10); /* half, and jitters of nothing */
        assert_true(batches[0] > 0 && batches[1] > 0);          /* batches are drawn all the same */
    }
    sweep_request_free(&request);
}

/* Every layer of the network that fits the domain's limits comes as it is. */
static void every_layer_of_the_network_comes(void **state)
{
    (void)state;
    struct error error;
    struct sweep_request request;
    SUCCEEDS(make(&request, ARGUMENTS("--from-networks", "lenet5"), &error));
    for (int i = 0; i < request.domain_count; i++)
        for (int j = 0; j < request.domains[i].template_count; j++) {
            bool is_seen = false;
            for (uint32_t index = 0; index < 300 && !is_seen; index++) {
                const struct layer_config config = draw(&request.domains[i], index);
                bool keeps_alignment = true;
                is_seen = factor_between(&config, &request.domains[i].templates[j],
                                         &keeps_alignment) == 1;
            }
            assert_true(is_seen);
        }
    sweep_request_free(&request);
}

static void set_goes_before_the_networks(void **state)
{
    (void)state;
    struct error error;
    struct sweep_request request;
    SUCCEEDS(make(&request,
                  ARGUMENTS("--layer", "conv2d", "--from-networks", "vgg16", "--set",
                            "image_size=31", "--set", "batch_size=2"),
                  &error));
    for (uint32_t index = 0; index < 50; index++) {
        const struct layer_config config = draw(&request.domains[0], index);
        assert_int_equal(config.as.conv2d.image_size, 31);
        assert_int_equal(config.batch_size, 2);
        assert_int_equal(config.as.conv2d.kernel_size, 3);
    }
    sweep_request_free(&request);
}

/* What the header says of two sweeps differs where their draws or their measuring do. */
static void headers_tell_sweeps_apart(void **state)
{
    static const char *const others[][4] = {
        {"--set", "batch_size=1", NULL}, {"--from-networks", "vgg16", NULL},
        {"--layer", "dense", NULL},      {"--seed", "2", NULL},
        {"--cap-ms", "7", NULL},         {"--rounds", "2", NULL},
        {"--shard", "1/2", NULL},        {"--cache", "cold", NULL}};
    (void)state;
    struct error error;
    struct sweep_request request, again, other;
    SUCCEEDS(make(&request, ARGUMENTS("-n", "10"), &error));
    SUCCEEDS(make(&again, ARGUMENTS("-n", "20"), &error)); /* may grow */
    assert_string_equal(request.header.domain, again.header.domain);
    assert_string_equal(request.header.protocol, again.header.protocol);
    assert_string_equal(request.header.shard, again.header.shard);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        SUCCEEDS(make(&other, others[i], &error));
        assert_true(request.header.seed != other.header.seed ||
                    strcmp(request.header.domain, other.header.domain) != 0 ||
                    strcmp(request.header.protocol, other.header.protocol) != 0 ||
                    strcmp(request.header.shard, other.header.shard) != 0);
        sweep_request_free(&other);
    }
    sweep_request_free(&request), sweep_request_free(&again);
}

static void nonsense_is_refused(void **state)
{
    static const char *const wrong[][5] = {
        {"--shard", "0/2", NULL},
        {"--shard", "3/2", NULL},
        {"--shard", "1", NULL},
        {"--shard", "1/2x", NULL},
        {"--shard", "-1/-2", NULL},
        {"--shard", "1/1000000", NULL},
        {"--layer", "dense,dense", NULL},
        {"--layer", "dense", "--set", "kernel_size=3", NULL},
        {"--from-networks", "vgg99", NULL},
        {"--from-networks", "vgg16,", NULL},
        {"--timeout", "-1", NULL},
        {"--rounds", "10", NULL},
        {"--rounds", "0", NULL},
    };
    (void)state;
    struct error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sweep_request request;
        FAILS(STATUS_USAGE, "", make(&request, wrong[i], &error));
        assert_true(strlen(error.message) > 0);
    }
}

static void kinds_that_no_network_has_are_told(void **state)
{
    (void)state;
    struct error error;
    struct sweep_request request;
    const struct folder folder = folder_make();
    const struct file_name name = in_folder(&folder, "small.csv");
    FILE *file = fopen(name.text, "w");
    assert_non_null(file);
    fputs("name,layer,inputs,outputs\na,dense,10,5\n", file);
    fclose(file);
    SUCCEEDS(make(&request, ARGUMENTS("--from-networks", name.text), &error));
    assert_int_equal(request.domain_count, 1);
    assert_int_equal(request.domains[0].kind, LAYER_DENSE);
    assert_int_equal(request.domains[0].template_count, 1);
    sweep_request_free(&request);
    FAILS(STATUS_USAGE, "no conv2d layer",
          make(&request, ARGUMENTS("--layer", "conv2d", "--from-networks", name.text), &error));
    folder_remove(&folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_those_of_the_networks),
        cmocka_unit_test(every_layer_of_the_network_comes),
        cmocka_unit_test(set_goes_before_the_networks),
        cmocka_unit_test(headers_tell_sweeps_apart),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(kinds_that_no_network_has_are_told),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
