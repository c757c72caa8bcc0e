/* Importing published measurements: every row of the real files, and every fault of a bad one. */
#include "data/import.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DENSE_HEADER                                                                               \
    "batch_size,dim_input,dim_output,activation,optimizer,time_median_ms,time_min_ms,time_max_ms," \
    "time_std_ms\n"
#define CONV_HEADER                                                                                \
    "batch_size,image_size,kernel_size,channels_in,channels_out,stride,padding,use_bias,"          \
    "activation,optimizer,time_median_ms,time_min_ms,time_max_ms,time_std_ms\n"

static char folder[] = "/tmp/epochcast-import-XXXXXX", csv_path[64], h5_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(csv_path, sizeof csv_path, "%s/rows.csv", folder);
    snprintf(h5_path, sizeof h5_path, "%s/rows.h5", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(csv_path);
    unlink(h5_path);
    return rmdir(folder);
}

static enum status import_file(int64_t *count, const char *path, const char *device_name,
                               struct error *error)
{
    struct dataset *dataset;
    struct importer *importer;
    const struct dataset_header header = {.seed = 0};
    const struct import_options options = {.dialect = IMPORT_JUSTUS2018,
                                           .device_name = device_name};
    assert_int_equal(dataset_create(&dataset, h5_path, &header, true, false, error), STATUS_OK);
    assert_int_equal(importer_create(&importer, dataset, &options, error), STATUS_OK);
    enum status status = importer_read(importer, path, count, error);
    importer_free(importer);
    if (status == STATUS_OK)
        status = dataset_finish(dataset, error);
    dataset_close(dataset);
    return status;
}

static enum status import_text(int64_t *count, const char *text, struct error *error)
{
    unlink(h5_path);
    FILE *file = fopen(csv_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return import_file(count, csv_path, "V100", error);
}

static void rows_arrive(void **state)
{
    (void)state;
    int64_t count;
    struct error error = {0};
    struct dataset_rows rows;
    assert_int_equal(import_text(&count,
                                 CONV_HEADER "5,260,1,17,24,3,1,1,relu,none,0.5,0.4,0.6,0.03\n"
                                             "34,467,7,4,6,2,0,0,none,adadelta,28.4,28.3,28.5,0\n",
                                 &error),
                     STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(dataset_read(&rows, (const char *[]){h5_path}, 1, &error), STATUS_OK);
    assert_int_equal(rows.count, 2);
    const struct measurement *row = &rows.rows[0];
    assert_int_equal(row->config.pass, PASS_FORWARD);
    assert_int_equal(row->config.as.conv2d.padding, PADDING_SAME);
    assert_int_equal(row->config.as.conv2d.use_bias, SWITCH_YES);
    assert_int_equal(row->config.as.conv2d.activation, ACTIVATION_RELU);
    assert_true(row->median_ms == 0.5 && row->minimum_ms == 0.4 && row->maximum_ms == 0.6);
    assert_int_equal(row->sample_count, 5);
    assert_int_equal(rows.rows[1].config.optimizer, OPTIMIZER_ADADELTA);
    assert_int_equal(rows.rows[1].config.pass, PASS_TRAIN);
    assert_string_equal(rows.devices[0].name, "V100");
    assert_true(rows.devices[0].bandwidth_gbps == 900);
    dataset_rows_free(&rows);
}

struct fault {
    const char *text, *told;
};

static void faults_name_line_and_column(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {"", "empty"},
        {DENSE_HEADER, "no rows"},
        {"batch_size,dim_input\n1,2\n",
         "columns 'dim_output', 'activation', 'optimizer', 'time_median_ms', "
         "'time_min_ms', 'time_max_ms', 'time_std_ms' are missing"},
        {DENSE_HEADER "1,2,3,relu,none,nan,1,1,0\n", ":2: column 'time_median_ms'"},
        {DENSE_HEADER "1,2,3,relu,none,-1,1,1,0\n", ":2: column 'time_median_ms'"},
        {DENSE_HEADER "1,2,3,relu,none,0,1,1,0\n", ":2: column 'time_median_ms'"},
        {DENSE_HEADER "1,2,3,relu,none,inf,1,1,0\n", ":2: column 'time_median_ms'"},
        {DENSE_HEADER "1,2,3,relu,none,1,1,1,0\n0,2,3,relu,none,1,1,1,0\n",
         ":3: column 'batch_size'"},
        {DENSE_HEADER "1,2,99999999999,relu,none,1,1,1,0\n", ":2: column 'dim_output'"},
        {DENSE_HEADER "1,2,3,swish,none,1,1,1,0\n", ":2: column 'activation'"},
        {DENSE_HEADER "1,2,3,relu,none,1\n", ":2: column 'time_min_ms'"},
        {DENSE_HEADER "1,2,3,\"relu,none,1,1,1,0\n", ":2: a quote"},
        {CONV_HEADER "1,2,5,1,1,1,0,0,relu,none,1,1,1,0\n", ":2: conv2d: kernel_size"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        int64_t count;
        struct error error = {0};
        assert_int_equal(import_text(&count, faults[i].text, &error), STATUS_BAD_FILE);
        if (!strstr(error.message, faults[i].told))
            fail_msg("case %zu: '%s' lacks '%s'", i, error.message, faults[i].told);
        assert_int_not_equal(access(h5_path, F_OK), 0);
    }
}

static void unknown_device(void **state)
{
    (void)state;
    struct device_info info;
    struct error error = {0};
    assert_int_equal(import_known_device(&info, "A100", &error), STATUS_USAGE);
    assert_non_null(strstr(error.hint, "1080Ti"));
}

static void every_published_row(void **state)
{
    (void)state;
    static const char *const devices[] = {"V100", "P100", "1080Ti", "M60", "K80", "K40"};
    static const char *const kinds[] = {"conv2d", "dense"};
    int64_t total = 0;
    if (access(SHARED_DIR "/data/justus2018", R_OK) != 0) {
        print_message("skipped: no published measurements beside the checkout\n");
        skip();
    }
    for (int i = 0; i < 12; i++) {
        char path[512];
        int64_t count;
        struct error error = {0};
        snprintf(path, sizeof path, SHARED_DIR "/data/justus2018/justus2018-%s-%s.csv",
                 kinds[i / 6], devices[i % 6]);
        if (import_file(&count, path, devices[i % 6], &error) != STATUS_OK)
            fail_msg("%s", error.message);
        total += count;
    }
    assert_int_equal(total, 292500);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_arrive),
        cmocka_unit_test(faults_name_line_and_column),
        cmocka_unit_test(unknown_device),
        cmocka_unit_test(every_published_row),
    };
    return RUN_TESTS(argc, argv, tests, make_folder, remove_folder);
}
