/* Export and import: every column of every row comes back, and every fault of a foreign file is
 * told by file, line and column. */
#include "base/philox.h"
#include "data/import.h"
#include "data/row_columns.h"
#include "folder_fixture.h"
#include "test.h"

/* Now a number with all its digits, now unknown. */
static double odd_number(uint32_t row, uint32_t column)
{
    const struct philox_words words = philox(row, column, 0, 0, 9);
    return words.word[0] % 4 == 0 ? NAN : (words.word[1] + 0.5) / 3e9 + words.word[2];
}

/* Every column with values of its own. */
static struct measurement odd_row(uint32_t index)
{
    struct measurement row = sample_row(index);
    for (int i = 0; i < measurement_field_count; i++) {
        const struct field *field = &measurement_fields[i];
        char *at = (char *)&row + field->offset;
        const struct philox_words words = philox(index, (uint32_t)i, 1, 0, 9);
        if (field->type == FIELD_DOUBLE)
            *(double *)at = odd_number(index, (uint32_t)i);
        if (field->type == FIELD_CHOICE)
            *(int32_t *)at = (int32_t)(words.word[0] % (uint32_t)field->choice->count);
        if (field->type == FIELD_INT32)
            *(int32_t *)at = field->minimum + (int32_t)(words.word[0] % 1000);
        if (field->type == FIELD_INT64)
            *(int64_t *)at = (int64_t)words.word[0] << 20;
        if (field->type == FIELD_TEXT)
            *at = '\0';
        if (field->type == FIELD_TEXT && index % 2)
            snprintf(at, field->size, "a \"%u\", b", words.word[0]);
    }
    row.device = (int32_t)(index % 2);
    row.cache = row.device ? CACHE_STEP : CACHE_HOT; /* the device's */
    if (measurement_is_timed(&row))
        row.median_ms = 1.0 / 3 + index;
    return row;
}

static void write_dataset(const char *path, uint32_t count)
{
    struct dataset *dataset;
    int32_t device;
    const struct dataset_header header = sample_header();
    struct device_info infos[] = {sample_device("first, \"quoted\""), sample_device("second")};
    infos[1].cache = CACHE_STEP;
    infos[1].peak_gflops = NAN;
    infos[1].measured_sgemm_gflops = 1.0 / 7;
    snprintf(infos[1].library, sizeof infos[1].library, "library 1.2");
    SUCCEEDS(dataset_create(&dataset, path, &header, true, false, &error));
    for (int i = 0; i < 2; i++)
        SUCCEEDS(dataset_add_device(dataset, &infos[i], &device, &error));
    for (uint32_t i = 0; i < count; i++) {
        const struct measurement row = odd_row(i);
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static void write_csv(const char *path, const char *from, enum layer_kind kind)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    SUCCEEDS(export_rows(file, TABLE_CSV, &from, 1, kind, &error));
    assert_int_equal(fclose(file), 0);
}

static enum status import_files(const char *to, const struct file_name *files, int count,
                                const struct import_options *options)
{
    struct dataset *dataset;
    struct importer *importer;
    int64_t rows;
    const struct dataset_header header = sample_header();
    SUCCEEDS(dataset_create(&dataset, to, &header, true, false, &error));
    SUCCEEDS(importer_create(&importer, dataset, options, &error));
    enum status status = STATUS_OK;
    for (int i = 0; i < count && status == STATUS_OK; i++)
        status = importer_read(importer, files[i].text, &rows, &error);
    if (status == STATUS_OK)
        status = dataset_finish(dataset, &error);
    importer_free(importer);
    dataset_close(dataset);
    return status;
}

static void check_same_value(const void *a, const void *b, const struct field *field)
{
    const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
    bool is_same;
    if (field->type == FIELD_TEXT)
        is_same = strcmp(x, y) == 0;
    else if (field->type == FIELD_DOUBLE)
        is_same = (isnan(*(const double *)x) && isnan(*(const double *)y)) ||
                  *(const double *)x == *(const double *)y;
    else
        is_same = memcmp(x, y, field->type == FIELD_INT64 ? 8 : 4) == 0;
    if (!is_same)
        fail_msg("column %s changed", field->name);
}

static void every_column_comes_back(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    const struct file_name from = in_folder(&folder, "from.h5"), to = in_folder(&folder, "to.h5");
    struct file_name csv[LAYER_KIND_COUNT];
    const struct import_options options = {.dialect = IMPORT_AUTO};
    const char *const paths[] = {from.text, to.text};
    struct dataset_rows before, after;
    write_dataset(from.text, ROWS);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        char name[64];
        snprintf(name, sizeof name, "%s.csv", layer_descriptors[kind]->name);
        csv[kind] = in_folder(&folder, name);
        write_csv(csv[kind].text, from.text, (enum layer_kind)kind);
    }
    SUCCEEDS(import_files(to.text, csv, LAYER_KIND_COUNT, &options));
    SUCCEEDS(dataset_read(&before, &paths[0], 1, &error));
    SUCCEEDS(dataset_read(&after, &paths[1], 1, &error));
    assert_int_equal(before.count, ROWS);
    assert_int_equal(after.count, ROWS);
    assert_int_equal(after.device_count, 2);
    for (size_t i = 0; i < ROWS; i++) {
        const struct measurement *a = &before.rows[i], *b = &after.rows[i];
        assert_memory_equal(&a->config, &b->config, sizeof a->config);
        for (int f = 0; f < measurement_field_count; f++)
            if (measurement_fields[f].offset != offsetof(struct measurement, device))
                check_same_value(a, b, &measurement_fields[f]);
        for (int f = 0; f < device_field_count; f++)
            check_same_value(&before.devices[a->device], &after.devices[b->device],
                             &device_fields[f]);
    }
    dataset_rows_free(&before);
    dataset_rows_free(&after);
}

/* ---- maps ---- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static enum status import_mapped(const char *map_text, const char *csv_text)
{
    struct import_map *map;
    const struct file_name csv = in_folder(&folder, "theirs.csv"),
                           map_file = in_folder(&folder, "theirs.map"),
                           to = in_folder(&folder, "mapped.h5");
    write_text(map_file.text, map_text);
    write_text(csv.text, csv_text);
    const enum status status = import_map_load(&map, map_file.text, &error);
    if (status != STATUS_OK)
        return status;
    const struct import_options options = {.map = map, .device_name = "their device"};
    const enum status imported = import_files(to.text, &csv, 1, &options);
    import_map_free(map);
    return imported;
}

#define MAP                                                                                        \
    "# theirs\n"                                                                                   \
    "layer = dense\n"                                                                              \
    "batch_size = 32\n"                                                                            \
    "  inputs<-in\r\n"                                                                             \
    "outputs <- \"out features\" * 1000\n"                                                         \
    "use_bias <- bias ? True=yes,False=no\n"                                                       \
    "median_ms <- latency in us\n"                                                                 \
    "maximum_ms <- worst * 1000\n"                                                                 \
    "device_clock_mhz = 1500\n"
#define HEADING "note,in,out features,bias,latency,worst\n"

static void test_map(void **state)
{
    (void)state;
    struct dataset_rows rows;
    const struct file_name to = in_folder(&folder, "mapped.h5");
    const char *path = to.text;
    SUCCEEDS(import_mapped(MAP, HEADING "x,7,2,True,1500,0.25\ny,8,3,False,12,\n"));
    SUCCEEDS(dataset_read(&rows, &path, 1, &error));
    assert_int_equal(rows.count, 2);
    const struct measurement *row = rows.rows;
    assert_int_equal(row[0].config.kind, LAYER_DENSE);
    assert_int_equal(row[0].config.batch_size, 32);
    assert_int_equal(row[0].config.as.dense.inputs, 7);
    assert_int_equal(row[0].config.as.dense.outputs, 2000);
    assert_int_equal(row[0].config.as.dense.use_bias, SWITCH_YES);
    assert_int_equal(row[1].config.as.dense.use_bias, SWITCH_NO);
    assert_true(row[0].median_ms == 1500 * 1e-3 && row[0].maximum_ms == 250);
    assert_true(isnan(row[1].maximum_ms) && isnan(row[0].ci_ms));
    assert_int_equal(row[0].draw, 2);
    assert_int_equal(row[0].stratum, STRATUM_IMPORTED);
    assert_string_equal(rows.devices[0].name, "their device");
    assert_true(rows.devices[0].clock_mhz == 1500 && isnan(rows.devices[0].bandwidth_gbps));
    dataset_rows_free(&rows);
}

struct fault {
    const char *map, *csv, *told;
};

static void faults_of_maps(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {"", "", "theirs.map: no lines"},
        {"# only this\n", "", "no lines"},
        {"layer = dense\nouputs = 3\n", "", "theirs.map:2: a dataset has no column 'ouputs'"},
        {"layer = dense\nlayer = dense\n", "", "theirs.map:2: more than one line for 'layer'"},
        {"layer dense\n", "", "theirs.map:1: expected"},
        {"layer <\n", "", "theirs.map:1: expected"},
        {"layer <- \n", "", "theirs.map:1: no column"},
        {"layer <- \"a b\n", "", "theirs.map:1: a quote"},
        {"median_ms <- t in weeks\n", "", "theirs.map:1: unknown unit 'weeks'"},
        {"median_ms <- t * 1x\n", "", "theirs.map:1: not a factor: '1x'"},
        {"median_ms <- t * 0\n", "", "theirs.map:1: not a factor"},
        {"median_ms <- t us\n", "", "theirs.map:1: expected '*', 'in' or '?'"},
        {"use_bias <- t ? yes\n", "", "theirs.map:1: not OLD=NEW"},
        {MAP, "", "theirs.csv: the file is empty"},
        {MAP, HEADING, "theirs.csv: no rows"},
        {MAP, "in,bias,latency,worst\n7,True,1,1\n", "theirs.csv: column 'out features'"},
        {"layer = dense\ninputs = 3\noutputs = 4\n", "a\n1\n", "column 'batch_size' is missing"},
        {"inputs = 3\n", "a\n1\n", "column 'layer' is missing"},
        {"layer = lstm\n", "a\n1\n", "theirs.map:1: layer: 'lstm' is not a layer kind"},
        {MAP, HEADING "x,7,2,True,,\n", "theirs.csv: every row was left out"},
        {MAP, HEADING "x,7,2,True,-5,\n", "theirs.csv: every row was left out"},
        {MAP, HEADING "x,7,2,True,0,\n", "theirs.csv: every row was left out"},
        {MAP, HEADING "x,7,2,True,fast,\n", "theirs.csv:2: column 'latency': 'fast'"},
        {MAP, HEADING "x,7,2,True,inf,\n", "theirs.csv:2: column 'latency': 'inf'"},
        {MAP, HEADING "x,7,2,Maybe,5,\n", "theirs.csv:2: column 'bias': 'Maybe'"},
        {MAP, HEADING "x,7.5,2,True,5,\n", "theirs.csv:2: column 'in': '7.5'"},
        {MAP, HEADING "x,7,0.0005,True,5,\n", "theirs.csv:2: column 'out features'"},
        {MAP, HEADING "x,7,2\n", "theirs.csv:2: column 'bias'"},
        {MAP, HEADING "x,7,2,True,5,6,7\n", "theirs.csv:2: 7 columns"},
        {MAP "pass = train\noptimizer = addam\n", HEADING "x,7,2,True,5,6\n",
         "theirs.map:11: optimizer: 'addam'"},
        {MAP "optimizer = adam\n", HEADING "x,7,2,True,5,6\n", "every row was left out"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        error = (struct error){.message = "no message"};
        assert_int_equal(import_mapped(faults[i].map, faults[i].csv), STATUS_BAD_FILE);
        if (!strstr(error.message, faults[i].told))
            fail_msg("case %zu: '%s' lacks '%s'", i, error.message, faults[i].told);
        assert_int_equal(file_size(in_folder(&folder, "mapped.h5").text), -1);
    }
}

static void faults_of_exported_files(void **state)
{
    (void)state;
    static const char *const faults[][2] = {
        {"layer,batch_size,inputs,outputs,median_ms\ndense,1,2,3,4\n", ":2: no device"},
        {"layer,batch_size,inputs,median_ms,device\ndense,1,2,4,x\n", "column 'outputs'"},
        {"layer,batch_size,inputs,outputs,median_ms,note\n", "no column 'note'"},
        {"layer,batch_size,inputs,inputs,median_ms\n", "column 'inputs' appears twice"},
        {"layer,batch_size,inputs,outputs,median_ms,device\ndanse,1,2,3,4,x\n",
         ":2: column 'layer': 'danse'"},
        {"layer,batch_size,inputs,outputs,median_ms,device,device_count\ndense,1,2,3,4,x,-1\n",
         ":2: column 'device_count': '-1'"},
    };
    const struct file_name csv = in_folder(&folder, "ours.csv"), to = in_folder(&folder, "to.h5");
    const struct import_options options = {.dialect = IMPORT_AUTO};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        write_text(csv.text, faults[i][0]);
        assert_int_equal(import_files(to.text, &csv, 1, &options), STATUS_BAD_FILE);
        if (!strstr(error.message, faults[i][1]))
            fail_msg("case %zu: '%s' lacks '%s'", i, error.message, faults[i][1]);
        assert_int_equal(file_size(to.text), -1);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(every_column_comes_back),
        TEST(test_map),
        TEST(faults_of_maps),
        TEST(faults_of_exported_files),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
