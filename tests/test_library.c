/* The C library as a program meets it: linked with the shared library, beside the same questions
 * asked inside. */
#include "forecast/forecast.h"
#include "library_cases.h"
#include "test.h"
#include "version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/epochcast-library-XXXXXX";
static char model_path[64];
static struct epochcast_model *model;

#define LOADS(call)                                                                                \
    do {                                                                                           \
        struct epochcast_error error_ = {.message = "no message"};                                 \
        if ((call) != EPOCHCAST_OK)                                                                \
            fail_msg("%s", error_.message);                                                        \
    } while (0)

static int make_model(void **state)
{
    (void)state;
    char command[512];
    if (!mkdtemp(folder))
        return -1;
    snprintf(model_path, sizeof model_path, "%s/model.h5", folder);
    snprintf(command, sizeof command,
             PROGRAM " sweep --device fake --samples 300 -q -O %s/data.h5 >/dev/null && " PROGRAM
                     " train %s/data.h5 --epochs 3 --ensemble 2 -q -O %s >/dev/null",
             folder, folder, model_path);
    return system(command) == 0 && epochcast_model_load(&model, model_path, NULL) == EPOCHCAST_OK
               ? 0
               : -1;
}

static int remove_model(void **state)
{
    (void)state;
    char command[64];
    epochcast_model_free(model);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct epochcast_network *network_called(const char *name)
{
    struct epochcast_network *network;
    LOADS(epochcast_network_load(&network, name, &error_));
    return network;
}

static struct epochcast_forecast *forecast_of(const struct epochcast_network *network,
                                              const struct epochcast_options *options)
{
    struct epochcast_forecast *forecast;
    LOADS(epochcast_forecast_create(&forecast, model, network, options, &error_));
    return forecast;
}

static void a_forecast_is_that_of_the_inside(void **state)
{
    (void)state;
    struct error error;
    struct model inside;
    struct network network;
    struct forecast forecast;
    assert_int_equal(model_load(&inside, model_path, &error), STATUS_OK);
    assert_int_equal(network_load(&network, "vgg16", &error), STATUS_OK);
    const struct forecast_options asked = {
        .batch_size = 16, .pass = PASS_TRAIN, .optimizer = OPTIMIZER_ADAM, .price_per_hour = NAN};
    assert_int_equal(
        forecast_network(&forecast, &network, inside.predictor, inside.devices, &asked, &error),
        STATUS_OK);

    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    options.batch_size = 16;
    options.optimizer = "adam";
    struct epochcast_network *read = network_called("vgg16");
    struct epochcast_forecast *made = forecast_of(read, &options);
    const struct epochcast_time batch = epochcast_forecast_batch_time(made);
    assert_true(batch.ms == forecast.batch_ms && batch.low_ms == forecast.batch_low_ms &&
                batch.high_ms == forecast.batch_high_ms);
    assert_true(batch.low_ms < batch.ms && batch.ms < batch.high_ms);
    assert_int_equal(epochcast_forecast_memory_bytes(made), forecast.memory.total_bytes);
    const struct epochcast_memory memory = epochcast_forecast_memory(made);
    assert_int_equal(memory.parameters_bytes + memory.gradients_bytes + memory.optimizer_bytes +
                         memory.activations_bytes + memory.workspace_bytes,
                     forecast.memory.total_bytes);
    assert_int_equal(memory.optimizer_bytes, 2 * memory.parameters_bytes); /* adam */
    assert_true(epochcast_forecast_sample_ms(made) == forecast.batch_ms / 16);
    assert_int_equal(epochcast_forecast_fits(made), forecast.fits);
    assert_int_equal(epochcast_forecast_layer_count(made), network.layer_count);
    assert_int_equal(epochcast_network_layer_count(read), network.layer_count);
    for (size_t i = 0; i < (size_t)network.layer_count; i++) {
        assert_string_equal(epochcast_network_layer_name(read, i), network.layers[i].name);
        assert_true(epochcast_forecast_layer_time(made, i).ms == forecast.layers[i].median_ms);
        assert_true(epochcast_forecast_layer_covered(made, i));
        assert_int_equal(epochcast_forecast_layer_extrapolates(made, i),
                         forecast.layers[i].extrapolates);
    }
    assert_string_equal(epochcast_network_layer_kind(read, 0), "conv2d");
    epochcast_forecast_free(made);
    epochcast_network_free(read);
    forecast_free(&forecast);
    network_free(&network);
    model_free(&inside);
}

static void defaults_are_a_training_step_with_sgd_of_the_first_device(void **state)
{
    (void)state;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER, named = options;
    struct epochcast_network *network = network_called("lenet5");
    named.pass = "train";
    named.optimizer = "sgd";
    named.precision = "fp32";
    named.device = epochcast_model_device_name(model, 0);
    struct epochcast_forecast *a = forecast_of(network, &options);
    struct epochcast_forecast *b = forecast_of(network, &named);
    assert_true(epochcast_forecast_batch_time(a).ms == epochcast_forecast_batch_time(b).ms);
    named.pass = "forward";
    named.optimizer = NULL;
    struct epochcast_forecast *c = forecast_of(network, &named);
    assert_true(epochcast_forecast_batch_time(c).ms < epochcast_forecast_batch_time(a).ms);
    assert_true(epochcast_forecast_memory_bytes(c) < epochcast_forecast_memory_bytes(a));
    epochcast_forecast_free(a);
    epochcast_forecast_free(b);
    epochcast_forecast_free(c);
    epochcast_network_free(network);
}

/* A caller built when struct epochcast_options ended behind batch_size. */
static void an_older_caller_is_understood(void **state)
{
    (void)state;
    struct epochcast_options older = {.size = offsetof(struct epochcast_options, pass),
                                      .batch_size = 8,
                                      .pass = "not a pass",
                                      .device = "not a device"};
    struct epochcast_options now = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_network *network = network_called("lenet5");
    now.batch_size = 8;
    struct epochcast_forecast *a = forecast_of(network, &older), *b = forecast_of(network, &now);
    assert_true(epochcast_forecast_batch_time(a).ms == epochcast_forecast_batch_time(b).ms);
    epochcast_forecast_free(a);
    epochcast_forecast_free(b);
    epochcast_network_free(network);
}

static void devices_are_listed(void **state)
{
    (void)state;
    assert_int_equal(epochcast_model_device_count(model), 1);
    assert_string_equal(epochcast_model_device_name(model, 0), "fake device");
    assert_string_equal(epochcast_model_device_backend(model, 0), "fake");
    assert_true(epochcast_model_device_memory_bytes(model, 0) > 0);
    assert_null(epochcast_model_device_name(model, 1));
    assert_null(epochcast_model_device_backend(model, SIZE_MAX));
    assert_int_equal(epochcast_model_device_memory_bytes(model, 1), 0);
}

static void what_is_beyond_the_end_is_nothing(void **state)
{
    (void)state;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_network *network = network_called("lenet5");
    struct epochcast_forecast *forecast = forecast_of(network, &options);
    const size_t end = epochcast_network_layer_count(network);
    assert_null(epochcast_network_layer_name(network, end));
    assert_null(epochcast_network_layer_kind(network, end));
    assert_true(isnan(epochcast_forecast_layer_time(forecast, end).ms));
    assert_false(epochcast_forecast_layer_covered(forecast, end));
    assert_false(epochcast_forecast_layer_extrapolates(forecast, SIZE_MAX));
    epochcast_forecast_free(forecast);
    epochcast_network_free(network);
    epochcast_forecast_free(NULL);
    epochcast_network_free(NULL);
    epochcast_model_free(NULL);
}

static void the_largest_batch_fits_and_the_next_does_not(void **state)
{
    (void)state;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_network *network = network_called("vgg16");
    int32_t largest;
    LOADS(epochcast_largest_batch(&largest, model, network, &options, &error_));
    assert_in_range(largest, 1, 65535);
    for (int more = 0; more <= 1; more++) {
        options.batch_size = largest + more;
        struct epochcast_forecast *forecast = forecast_of(network, &options);
        assert_int_equal(epochcast_forecast_fits(forecast), !more);
        epochcast_forecast_free(forecast);
    }
    epochcast_network_free(network);
}

static void refuses(const struct epochcast_options *options, enum epochcast_status status,
                    const char *message, const char *hint)
{
    struct epochcast_error error = {.status = EPOCHCAST_OK};
    struct epochcast_network *network = network_called("lenet5");
    struct epochcast_forecast *forecast = (struct epochcast_forecast *)network;
    assert_int_equal(epochcast_forecast_create(&forecast, model, network, options, &error), status);
    assert_null(forecast);
    assert_int_equal(error.status, status);
    assert_non_null(strstr(error.message, message));
    assert_non_null(strstr(error.hint, hint));
    assert_int_equal(epochcast_forecast_create(&forecast, model, network, options, NULL), status);
    epochcast_network_free(network);
}

static void options_that_are_wrong_are_named(void **state)
{
    (void)state;
    const size_t size = sizeof(struct epochcast_options);
    const struct {
        struct epochcast_options options;
        enum epochcast_status status;
        const char *message, *hint;
    } cases[] = {
        {{.size = size}, EPOCHCAST_USAGE, "batch_size", ""},
        {{.size = size, .batch_size = -4}, EPOCHCAST_USAGE, "batch_size", ""},
        {{.size = size, .batch_size = 1, .pass = "back"}, EPOCHCAST_USAGE, "'back'", "forward"},
        {{.size = size, .batch_size = 1, .optimizer = "adm"}, EPOCHCAST_USAGE, "'adm'", "adam"},
        {{.size = size, .batch_size = 1, .pass = "forward", .optimizer = "sgd"},
         EPOCHCAST_USAGE,
         "'sgd' requires pass train",
         ""},
        {{.size = size, .batch_size = 1, .precision = "fp8"}, EPOCHCAST_USAGE, "'fp8'", "bf16"},
        {{.size = size, .batch_size = 1, .device = "V100"},
         EPOCHCAST_NO_DEVICE,
         "'V100'",
         "fake device"},
        {{.batch_size = 1}, EPOCHCAST_USAGE, "options.size", "EPOCHCAST_OPTIONS_INITIALIZER"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(&cases[i].options, cases[i].status, cases[i].message, cases[i].hint);
}

static void files_that_are_wrong_are_named(void **state)
{
    (void)state;
    char data_path[64], csv_path[64];
    struct epochcast_error error;
    struct epochcast_model *no_model = model;
    struct epochcast_network *no_network;
    snprintf(data_path, sizeof data_path, "%s/data.h5", folder);
    snprintf(csv_path, sizeof csv_path, "%s/bad.csv", folder);
    assert_int_equal(epochcast_model_load(&no_model, data_path, &error), EPOCHCAST_BAD_FILE);
    assert_null(no_model);
    assert_non_null(strstr(error.message, data_path));
    assert_non_null(strstr(error.hint, "epochcast train"));
    assert_int_equal(epochcast_network_load(&no_network, "vgg61", &error), EPOCHCAST_USAGE);
    assert_null(no_network);
    assert_non_null(strstr(error.hint, "vgg16"));
    FILE *file = fopen(csv_path, "w");
    fputs("name,layer,input,inputs,outputs\na,dense,,10,x\n", file);
    fclose(file);
    assert_int_equal(epochcast_network_load(&no_network, csv_path, &error), EPOCHCAST_BAD_FILE);
    assert_non_null(strstr(error.message, ":2: outputs"));
}

/* MatMul of x (batch, sequence, 4) and w (4, 2), as ONNX. */
static const char open_model[] =
    "CAg6eAoVCgF4CgF3EgF5GgJmYyIGTWF0TXVsEgFnKisIBAgCEAFCAXdKIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAWiQKAXgSHwodCAESGQoHEgViYXRjaAoKEghzZXF1ZW5jZQoCCARiCQoBeRIECgIIAUIECgAQDQ==";

static void open_dimensions_take_sizes(void **state)
{
    (void)state;
    char path[64], command[512];
    struct epochcast_error error;
    struct epochcast_network *network;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    snprintf(path, sizeof path, "%s/words.onnx", folder);
    snprintf(command, sizeof command, "echo %s | base64 -d >%s", open_model, path);
    assert_int_equal(system(command), 0);
    LOADS(epochcast_network_load_sized(&network, path, "sequence=128", &error_));
    struct epochcast_forecast *forecast = forecast_of(network, &options);
    /* w and its gradient; x and y of 128 rows, and their gradients */
    assert_int_equal(epochcast_forecast_memory_bytes(forecast), 4 * (2 * 8 + 2 * 128 * (4 + 2)));
    epochcast_forecast_free(forecast);
    epochcast_network_free(network);
    assert_int_equal(epochcast_network_load(&network, path, &error), EPOCHCAST_BAD_FILE);
    assert_null(network);
    assert_non_null(strstr(error.message, "dimension 1 ('sequence') has no size"));
    assert_non_null(strstr(error.hint, "batch (x:0, the batch), sequence (x:1)"));
    assert_int_equal(epochcast_network_load_sized(&network, path, "sequence=1,a=2", &error),
                     EPOCHCAST_USAGE);
    assert_null(network);
    assert_non_null(strstr(error.message, "no open dimension 'a'"));
    assert_int_equal(epochcast_network_load_sized(&network, "vgg16", "sequence", &error),
                     EPOCHCAST_USAGE);
    LOADS(epochcast_network_load_sized(&network, "vgg16", NULL, &error_));
    epochcast_network_free(network);
}

static void threads_share_models_and_load_their_own(void **state)
{
    (void)state;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_network *network = network_called("resnet18");
    options.batch_size = 4;
    struct epochcast_forecast *forecast = forecast_of(network, &options);
    const struct library_work work = {.model_path = model_path,
                                      .shared_model = model,
                                      .shared_network = network,
                                      .expected = epochcast_forecast_batch_time(forecast)};
    epochcast_forecast_free(forecast);
    assert_int_equal(library_failures_in_threads(&work), 0);
    epochcast_network_free(network);
}

static void the_version_is_the_project_s(void **state)
{
    (void)state;
    assert_string_equal(epochcast_version(), EPOCHCAST_VERSION);
}

/* What predict says beside the numbers: of an operator that no kind covers only a lower bound is
 * known. */
static void caveats_are_told(void **state)
{
    enum { LSTM = 11 }; /* in the file */
    (void)state;
    const struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_network *network = network_called(SOURCE_DIR "/tests/files/network.csv");
    struct epochcast_forecast *forecast = forecast_of(network, &options);
    const size_t count = epochcast_forecast_caveat_count(forecast);
    bool has_bounds = false;
    for (size_t i = 0; i < count; i++)
        has_bounds |= strcmp(epochcast_forecast_caveat_name(forecast, i), "bounds") == 0 &&
                      strstr(epochcast_forecast_caveat_text(forecast, i), "lstm x1") != NULL;
    assert_true(has_bounds);
    assert_null(epochcast_forecast_caveat_name(forecast, count));
    assert_null(epochcast_forecast_caveat_text(forecast, count));
    const struct epochcast_time lstm = epochcast_forecast_layer_time(forecast, LSTM);
    assert_true(lstm.low_ms > 0 && lstm.low_ms <= lstm.ms);
    epochcast_forecast_free(forecast);
    epochcast_network_free(network);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forecast_is_that_of_the_inside),
        cmocka_unit_test(defaults_are_a_training_step_with_sgd_of_the_first_device),
        cmocka_unit_test(an_older_caller_is_understood),
        cmocka_unit_test(devices_are_listed),
        cmocka_unit_test(what_is_beyond_the_end_is_nothing),
        cmocka_unit_test(the_largest_batch_fits_and_the_next_does_not),
        cmocka_unit_test(options_that_are_wrong_are_named),
        cmocka_unit_test(files_that_are_wrong_are_named),
        cmocka_unit_test(open_dimensions_take_sizes),
        cmocka_unit_test(threads_share_models_and_load_their_own),
        cmocka_unit_test(the_version_is_the_project_s),
        cmocka_unit_test(caveats_are_told),
    };
    return RUN_TESTS(argc, argv, tests, make_model, remove_model);
}
