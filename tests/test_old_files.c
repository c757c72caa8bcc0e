/* Files of older versions (tests/files): the program of today reads the same rows, hashes and
 * networks from them, and their models forecast what they forecast then. */
#include "base/csv.h"
#include "base/mapped_file.h"
#include "data/import.h"
#include "data/merge.h"
#include "data/split.h"
#include "folder_fixture.h"
#include "forecast/forecast.h"
#include "predictors/predictor.h"
#include "step/verification_file.h"

#include <inttypes.h>

#define OLD(name) SOURCE_DIR "/tests/files/0.1.0/" name

/* What a kind's rows of a dataset add up to. */
struct kind_sum {
    size_t rows, train_rows, test_rows;
    uint64_t hash_sum;
    double median_sum_ms;
};

static const struct {
    const char *kind;
    struct kind_sum sum;
} sweep_sums[] = {
    {"dense", {40, 31, 6, UINT64_C(0x1e8c33ddbd3fe371), 43.17669607721669}},
    {"conv2d", {40, 29, 6, UINT64_C(0x91c076f880d5273c), 345.49389421614046}},
    {"pool2d", {40, 34, 5, UINT64_C(0x0d100874c786bf35), 117.27736454837151}},
    {"batch_norm", {40, 36, 2, UINT64_C(0xd73012d8233e4a37), 206.75802633381159}},
    {"addition", {40, 34, 3, UINT64_C(0x19b380818df8f08c), 136.37674108212357}},
};

static struct kind_sum sum_of(const struct dataset_rows *rows, const char *kind)
{
    struct kind_sum sum = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        if ((int)row->config.kind != layer_kind_find(kind))
            continue;
        sum.rows++;
        sum.train_rows += split_of(&row->config) == SPLIT_TRAIN;
        sum.test_rows += split_of(&row->config) == SPLIT_TEST;
        sum.hash_sum += layer_hash(&row->config);
        sum.median_sum_ms += row->median_ms;
    }
    return sum;
}

static void rows_splits_and_hashes_stay(void **state)
{
    (void)state;
    struct dataset_rows rows;
    SUCCEEDS(dataset_read(&rows, (const char *[]){OLD("sweep.h5")}, 1, &error));
    assert_int_equal(rows.device_count, 1);
    assert_false(rows.is_growing);
    for (size_t i = 0; i < sizeof sweep_sums / sizeof *sweep_sums; i++) {
        const struct kind_sum was = sweep_sums[i].sum, is = sum_of(&rows, sweep_sums[i].kind);
        assert_int_equal(is.rows, was.rows);
        assert_int_equal(is.train_rows, was.train_rows);
        assert_int_equal(is.test_rows, was.test_rows);
        assert_true(is.hash_sum == was.hash_sum);
        assert_true(fabs(is.median_sum_ms / was.median_sum_ms - 1) < 1e-12);
    }
    dataset_rows_free(&rows);
}

static void devices_and_duplicates_of_a_merged_file_stay(void **state)
{
    (void)state;
    struct dataset_rows rows;
    const char *const paths[] = {OLD("merged.h5"), OLD("sweep.h5")};
    SUCCEEDS(dataset_read(&rows, paths, 1, &error));
    assert_int_equal(rows.device_count, 2);
    assert_int_equal(rows.count, 280);
    dataset_rows_free(&rows);
    struct merge_report report;
    const struct file_name all = in_folder(&folder, "all.h5");
    const struct dataset_header header = sample_header();
    const struct merge_options options = {.path = all.text, .header = &header};
    SUCCEEDS(merge_files(&report, paths, 2, &options, &error));
    assert_int_equal(report.rows_read, 480);
    assert_int_equal(report.duplicates, 200);
    assert_int_equal(report.devices, 2);
}

static void an_unfinished_sweep_keeps_its_rounds(void **state)
{
    (void)state;
    struct dataset_rows rows;
    SUCCEEDS(dataset_read_rounds(&rows, OLD("unfinished.h5"), &error));
    assert_true(rows.is_growing);
    assert_int_equal(rows.count, 100);
    assert_int_equal(sum_of(&rows, "conv2d").rows, rows.count);
    dataset_rows_free(&rows);
}

static void exported_rows_are_read(void **state)
{
    (void)state;
    struct dataset *dataset;
    struct importer *importer;
    int64_t count = 0;
    const struct dataset_header header = sample_header();
    const struct import_options options = {.dialect = IMPORT_EPOCHCAST};
    SUCCEEDS(dataset_create(&dataset, in_folder(&folder, "rows.h5").text, &header, false, false,
                            &error));
    SUCCEEDS(importer_create(&importer, dataset, &options, &error));
    SUCCEEDS(importer_read(importer, OLD("conv2d.csv"), &count, &error));
    assert_int_equal(count, 40);
    SUCCEEDS(importer_read(importer, OLD("dense.csv"), &count, &error));
    assert_int_equal(count, 40);
    assert_int_equal(importer_device_count(importer), 1);
    importer_free(importer);
    dataset_close(dataset);
}

/* Among the network's operators are some that are called as a kind may be one day. */
static const struct {
    const char *kind;
    double step_flops; /* of a training step of batch 4 */
} layers[] = {{"conv2d", 5310144},    {"batch_norm", 557184}, {"pool2d", 40960},
              {"conv2d", 14207040},   {"binary", 24576},      {"concat", 0},
              {"layer_norm", 163968}, {"matmul", 1572864},    {"softmax", 73728},
              {"embedding", 66048},   {"dense", 3203200},     {"lstm", 12846080},
              {"dense", 266340}};
enum { LAYERS = sizeof layers / sizeof *layers };

static void layers_and_operators_cost_the_same(void **state)
{
    (void)state;
    struct network old;
    SUCCEEDS(network_load(&old, OLD("network.csv"), &error));
    assert_int_equal(old.layer_count, LAYERS);
    for (int i = 0; i < LAYERS; i++) {
        assert_string_equal(network_layer_kind(&old.layers[i]), layers[i].kind);
        const struct cost cost = network_cost(&old.layers[i], 4, PASS_TRAIN, OPTIMIZER_SGD,
                                              PRECISION_FP32);
        assert_true(cost.flops == layers[i].step_flops);
    }
    network_free(&old);
}

/* Columns of `predict --layers -o csv` of that version. */
enum { FIELD_NAME = 2, FIELD_MS = 4, FIELD_LOW_MS, FIELD_HIGH_MS, FIELD_EXTRAPOLATES };

/* Cells have 9 digits; an empty one is NaN. */
static void assert_near(const struct csv *csv, int field, double value)
{
    const char *text = csv->field[field];
    const double was = text[0] ? strtod(text, NULL) : NAN;
    if (!(fabs(value / was - 1) < 1e-6) && !(isnan(value) && isnan(was)))
        fail_msg("line %d, field %d: %.9g was %s", csv->line, field + 1, value, text);
}

static void assert_forecasts(const struct forecast *forecast, const struct network *network,
                             const char *path)
{
    static struct csv csv;
    struct mapped_file file;
    bool more;
    SUCCEEDS(mapped_file_open(&file, path, &error));
    csv_begin(&csv, path, file.bytes, file.size);
    SUCCEEDS(csv_next(&csv, &more, &error)); /* names of the columns */
    for (int i = 0; i < network->layer_count; i++) {
        const struct prediction *layer = &forecast->layers[i];
        SUCCEEDS(csv_next(&csv, &more, &error));
        assert_true(more);
        assert_string_equal(csv.field[FIELD_NAME], network->layers[i].name);
        assert_near(&csv, FIELD_MS, layer->median_ms);
        /* that version did not call the roofline a lower bound */
        assert_near(&csv, FIELD_LOW_MS, layer->covered ? layer->low_ms : NAN);
        assert_true(layer->covered || layer->low_ms == layer->median_ms);
        assert_near(&csv, FIELD_HIGH_MS, layer->high_ms);
        assert_string_equal(csv.field[FIELD_EXTRAPOLATES], layer->extrapolates ? "yes" : "no");
    }
    SUCCEEDS(csv_next(&csv, &more, &error));
    assert_false(more);
    mapped_file_close(&file);
}

static void check_model(const char *model_path, const char *forecasts_path, int device_count)
{
    struct network old;
    struct model model;
    struct forecast forecast;
    const struct device_info *device;
    const struct forecast_options options = {
        .batch_size = 4, .pass = PASS_TRAIN, .optimizer = OPTIMIZER_SGD, .price_per_hour = NAN};
    SUCCEEDS(network_load(&old, OLD("network.csv"), &error));
    SUCCEEDS(model_load(&model, model_path, &error));
    assert_int_equal(model.device_count, device_count);
    SUCCEEDS(model_device(&device, &model, "fake device", &error));
    SUCCEEDS(forecast_network(&forecast, &old, model.predictor, device, &options, &error));
    assert_forecasts(&forecast, &old, forecasts_path);
    forecast_free(&forecast);
    model_free(&model);
    network_free(&old);
}

static void a_model_of_two_devices_forecasts_the_same(void **state)
{
    (void)state;
    check_model(OLD("model.h5"), OLD("model-forecasts.csv"), 2);
}

static void the_papers_model_forecasts_the_same(void **state)
{
    (void)state;
    check_model(OLD("paper.h5"), OLD("paper-forecasts.csv"), 1);
}

static void a_verification_is_read(void **state)
{
    (void)state;
    struct verification_file file;
    SUCCEEDS(verification_file_read(&file, OLD("verified.json"), &choice_baseline, &error));
    assert_int_equal(file.count, 2);
    assert_string_equal(file.device, "fake device");
    assert_string_equal(file.rows[1].network, "network");
    assert_int_equal(file.rows[1].step.pass, PASS_TRAIN);
    assert_true(file.rows[1].step.measured_ms > 0);
    verification_file_free(&file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_splits_and_hashes_stay),
        TEST(devices_and_duplicates_of_a_merged_file_stay),
        TEST(an_unfinished_sweep_keeps_its_rounds),
        TEST(exported_rows_are_read),
        TEST(layers_and_operators_cost_the_same),
        TEST(a_model_of_two_devices_forecasts_the_same),
        TEST(the_papers_model_forecasts_the_same),
        TEST(a_verification_is_read),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
