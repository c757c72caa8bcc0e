/* Files and programs of different ages: what a kind gets later orphans no file. */
#include "data/audit.h"
#include "data/import.h"
#include "data/merge.h"
#include "data/row_columns.h"
#include "data/split.h"
#include "network/network.h"

#include "folder_fixture.h"
#include "grown_dense.h"

enum { ROWS = 6 };

static int32_t grown_value(const struct layer_config *config, int which)
{
    return layer_get(config, &grown_features[which]);
}

static void set_grown(struct layer_config *config, int which, int32_t value)
{
    layer_set(config, &grown_features[which], value);
}

/* A row that passes `show --check`, as the program of the moment measures it. */
static struct measurement good_row(int64_t draw)
{
    struct measurement row = sample_row(draw);
    row.q25_ms = row.minimum_ms;
    row.q75_ms = row.maximum_ms;
    return row;
}

static struct measurement dense_row(int i)
{
    return good_row((int64_t)i * LAYER_KIND_COUNT);
}

static struct dataset *begin_file(const char *path, bool is_sweep)
{
    struct dataset *dataset;
    int32_t device;
    const struct dataset_header header = sample_header();
    const struct device_info info = sample_device("one");
    SUCCEEDS(dataset_create(&dataset, path, &header, true, is_sweep, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    return dataset;
}

/* Rows `first` to `first` + ROWS - 1 of dense and one of conv2d. */
static void write_file(const char *path, int first, bool finish)
{
    struct dataset *dataset = begin_file(path, !finish);
    const struct measurement other = good_row(1);
    for (int i = first; i < first + ROWS; i++) {
        const struct measurement row = dense_row(i);
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    SUCCEEDS(dataset_append(dataset, &other, &error));
    if (finish)
        SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

/* One dense row. */
static void write_row(const char *path, const struct measurement *row)
{
    struct dataset *dataset = begin_file(path, false);
    SUCCEEDS(dataset_append(dataset, row, &error));
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static struct dataset_rows read_file(const char *path)
{
    struct dataset_rows rows;
    SUCCEEDS(dataset_read(&rows, &path, 1, &error));
    return rows;
}

static const struct measurement *find_draw(const struct dataset_rows *rows, int i)
{
    for (size_t row = 0; row < rows->count; row++)
        if (rows->rows[row].draw == (int64_t)i * LAYER_KIND_COUNT)
            return &rows->rows[row];
    fail_msg("no row %d", i);
    return NULL;
}

static void fail_violation(void *payload, const char *where, const char *what)
{
    (void)payload;
    fail_msg("%s: %s", where, what);
}

static void passes_audit(const char *path)
{
    struct audit_report report;
    SUCCEEDS(dataset_audit(&report, path, fail_violation, NULL, &error));
    assert_true(report.rows > 0);
}

/* ---- hashes ---- */

static void new_features_leave_hashes_and_split(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        dense_of_schema(1);
        struct layer_config config = dense_row(i).config;
        const uint64_t hash = layer_hash(&config);
        const enum split split = split_of(&config);
        dense_of_schema(3);
        config = dense_row(i).config;
        assert_int_equal(grown_value(&config, 0), 1);
        assert_int_equal(grown_value(&config, 1), PADDING_SAME);
        assert_true(layer_hash(&config) == hash);
        assert_int_equal(split_of(&config), split);
        set_grown(&config, 0, 2);
        const uint64_t grouped = layer_hash(&config);
        assert_true(grouped != hash);
        set_grown(&config, 1, PADDING_VALID);
        assert_true(layer_hash(&config) != hash && layer_hash(&config) != grouped);
    }
}

/* ---- old files, new program ---- */

/* Every row of `path` is the one that the program of today measures, later features at the values
 * that the file means. */
static void expect_old_rows(const char *path)
{
    struct dataset_rows rows = read_file(path);
    assert_int_equal(rows.count, ROWS + 1);
    for (int i = 0; i < ROWS; i++) {
        const struct measurement wanted = dense_row(i);
        const struct measurement *row = find_draw(&rows, i);
        assert_memory_equal(&row->config, &wanted.config, sizeof wanted.config);
        assert_string_equal(row->algorithm, wanted.algorithm);
        assert_true(row->median_ms == wanted.median_ms);
    }
    dataset_rows_free(&rows);
    passes_audit(path);
}

static void old_files_are_read(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5"), cut = in_folder(&folder, "cut.h5");
    for (int written = 1; written <= 3; written++) {
        dense_of_schema(written);
        write_file(file.text, 0, true);
        write_file(cut.text, 0, false); /* as a killed sweep leaves it */
        for (int schema = written; schema <= 3; schema++) {
            dense_of_schema(schema);
            expect_old_rows(file.text);
            expect_old_rows(cut.text);
        }
    }
}

static void set_schema_hash(const char *path, uint64_t word)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(file, "schema_hash_dense", H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &word) >= 0);
    H5Aclose(attribute);
    H5Fclose(file);
}

/* Same names, but the file says that they meant something else. */
static void old_files_with_other_units_are_refused(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5");
    const char *path = file.text;
    struct dataset_rows rows;
    dense_of_schema(1);
    write_file(path, 0, true);
    dense_of_schema(2);
    set_schema_hash(path, schema_hash(LAYER_DENSE)); /* of columns that the file does not have */
    FAILS(STATUS_BAD_FILE, "columns of dense", dataset_read(&rows, &path, 1, &error));
}

/* ---- new files, old program ---- */

static void newer_files_are_refused_by_the_column(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "new.h5"), cut = in_folder(&folder, "cut.h5");
    const char *const paths[] = {file.text, cut.text};
    struct dataset_rows rows;
    for (int written = 2; written <= 3; written++) {
        dense_of_schema(written);
        write_file(file.text, 0, true);
        write_file(cut.text, 0, false);
        dense_of_schema(written - 1);
        for (int i = 0; i < 2; i++) {
            FAILS(STATUS_BAD_FILE, grown_features[written - 2].name,
                  dataset_read(&rows, &paths[i], 1, &error));
            assert_non_null(strstr(error.message, "/dense/rows"));
            assert_non_null(strstr(error.hint, sample_header().program_version));
        }
    }
}

/* ---- both ages ---- */

static void both_ages_are_one_file_when_merged(void **state)
{
    (void)state;
    const struct file_name old = in_folder(&folder, "old.h5"), new = in_folder(&folder, "new.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {old.text, new.text};
    const struct dataset_header header = {.program_version = "merger"};
    const struct merge_options options = {.path = all.text, .header = &header};
    struct merge_report report;
    dense_of_schema(1);
    write_file(old.text, 0, true);
    dense_of_schema(2);
    struct measurement grouped = dense_row(ROWS);
    set_grown(&grouped.config, 0, 8);
    write_row(new.text, &grouped);
    SUCCEEDS(merge_files(&report, from, 2, &options, &error));
    passes_audit(all.text);
    struct dataset_rows rows = read_file(all.text);
    assert_int_equal(rows.count, ROWS + 2);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(grown_value(&find_draw(&rows, i)->config, 0), 1);
    assert_int_equal(grown_value(&find_draw(&rows, ROWS)->config, 0), 8);
    dataset_rows_free(&rows);
}

/* A measurement that an old file and a new copy of it hold is one. */
static void a_row_of_both_ages_is_one_measurement(void **state)
{
    (void)state;
    const struct file_name old = in_folder(&folder, "old.h5"), new = in_folder(&folder, "new.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {old.text, new.text};
    const struct dataset_header header = {.program_version = "merger"};
    const struct merge_options options = {.path = all.text, .header = &header};
    struct merge_report report;
    dense_of_schema(1);
    write_file(old.text, 0, true);
    dense_of_schema(3);
    write_file(new.text, 0, true);
    SUCCEEDS(merge_files(&report, from, 2, &options, &error));
    assert_int_equal(report.duplicates, ROWS + 1);
    expect_old_rows(all.text);
}

static void old_sweeps_are_resumed(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "sweep.h5");
    struct dataset *dataset;
    struct dataset_rows done;
    dense_of_schema(1);
    write_file(file.text, 0, false);
    dense_of_schema(2);
    SUCCEEDS(dataset_read_rounds(&done, file.text, &error));
    SUCCEEDS(dataset_resume(&dataset, file.text, &done, &error));
    dataset_rows_free(&done);
    struct measurement grouped = dense_row(ROWS);
    set_grown(&grouped.config, 0, 4);
    SUCCEEDS(dataset_append(dataset, &grouped, &error));
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
    passes_audit(file.text);
    struct dataset_rows rows = read_file(file.text);
    assert_int_equal(rows.count, ROWS + 2);
    assert_int_equal(grown_value(&find_draw(&rows, 0)->config, 0), 1);
    assert_int_equal(grown_value(&find_draw(&rows, ROWS)->config, 0), 4);
    dataset_rows_free(&rows);
}

static void export_dense(const char *csv, const char *dataset)
{
    FILE *file = fopen(csv, "w");
    assert_non_null(file);
    SUCCEEDS(export_rows(file, TABLE_CSV, &dataset, 1, LAYER_DENSE, &error));
    fclose(file);
}

static void import_csv(const char *to, const char *csv)
{
    int64_t count;
    struct dataset *dataset;
    struct importer *importer;
    const struct dataset_header header = sample_header();
    const struct import_options options = {.dialect = IMPORT_EPOCHCAST};
    SUCCEEDS(dataset_create(&dataset, to, &header, true, false, &error));
    SUCCEEDS(importer_create(&importer, dataset, &options, &error));
    SUCCEEDS(importer_read(importer, csv, &count, &error));
    SUCCEEDS(dataset_finish(dataset, &error));
    importer_free(importer);
    dataset_close(dataset);
}

/* Exported by either program, imported by the later one. */
static void old_files_are_exported_and_old_exports_imported(void **state)
{
    (void)state;
    const struct file_name old = in_folder(&folder, "old.h5"), csv = in_folder(&folder, "rows.csv"),
                           copy = in_folder(&folder, "copy.h5");
    dense_of_schema(1);
    write_file(old.text, 0, true);
    for (int schema = 1; schema <= 3; schema++) {
        dense_of_schema(schema);
        export_dense(csv.text, old.text);
        dense_of_schema(3);
        import_csv(copy.text, csv.text);
        struct dataset_rows rows = read_file(copy.text);
        assert_int_equal(rows.count, ROWS);
        for (int i = 0; i < ROWS; i++) {
            const struct measurement wanted = dense_row(i);
            assert_memory_equal(&find_draw(&rows, i)->config, &wanted.config, sizeof wanted.config);
        }
        dataset_rows_free(&rows);
    }
}

/* A layer CSV without the columns of later features means their old values; one with them is read
 * as it is; what the kind had from the first must still be there. */
static void old_networks_are_read(void **state)
{
    (void)state;
    static const char old[] = "name,layer,inputs,outputs\na,dense,8,4\n",
                      new[] = "name,layer,inputs,outputs,groups,padding\na,dense,8,4,2,valid\n",
                      short_of[] = "name,layer,inputs,groups\na,dense,8,2\n";
    struct network network;
    dense_of_schema(3);
    SUCCEEDS(network_parse(&network, "old.csv", old, strlen(old), &error));
    assert_int_equal(grown_value(&network.layers[0].config, 0), 1);
    assert_int_equal(grown_value(&network.layers[0].config, 1), PADDING_SAME);
    assert_int_equal(network.layers[0].config.batch_size, 1);
    network_free(&network);
    SUCCEEDS(network_parse(&network, "new.csv", new, strlen(new), &error));
    assert_int_equal(grown_value(&network.layers[0].config, 0), 2);
    assert_int_equal(grown_value(&network.layers[0].config, 1), PADDING_VALID);
    network_free(&network);
    assert_int_equal(network_parse(&network, "short.csv", short_of, strlen(short_of), &error),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "outputs: missing"));
}

/* ---- names of choices ---- */

static void names_mean_the_same_in_a_longer_list(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5"), cut = in_folder(&folder, "cut.h5");
    dense_of_schema(1);
    const int32_t number = dense_row(0).config.as.dense.activation;
    assert_int_not_equal(number, ACTIVATION_NONE);
    write_file(file.text, 0, true);
    write_file(cut.text, 0, false);
    dense_appends_gelu();
    assert_int_equal(dense_row(0).config.as.dense.activation, number);
    expect_old_rows(file.text);
    expect_old_rows(cut.text);
}

/* HDF5 1.14 would read other names. */
static void shorter_lists_in_another_order_are_refused(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5");
    const char *path = file.text;
    struct dataset_rows rows;
    dense_of_schema(1);
    write_file(path, 0, true);
    dense_learns_gelu();
    FAILS(STATUS_BAD_FILE, "'relu' the number 1 instead of 2",
          dataset_read(&rows, &path, 1, &error));
}

static void unknown_names_are_refused_by_name(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "new.h5");
    const char *path = file.text;
    struct dataset_rows rows;
    dense_of_schema(1);
    dense_learns_gelu();
    struct measurement row = dense_row(0);
    row.config.as.dense.activation = choice_find(&longer_activation, "gelu");
    write_row(path, &row);
    passes_audit(path);
    dense_of_schema(1);
    FAILS(STATUS_BAD_FILE, "'activation' has the name 'gelu'",
          dataset_read(&rows, &path, 1, &error));
    assert_non_null(strstr(error.hint, sample_header().program_version));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(new_features_leave_hashes_and_split),
        TEST(old_files_are_read),
        TEST(old_files_with_other_units_are_refused),
        TEST(newer_files_are_refused_by_the_column),
        TEST(both_ages_are_one_file_when_merged),
        TEST(a_row_of_both_ages_is_one_measurement),
        TEST(old_sweeps_are_resumed),
        TEST(old_files_are_exported_and_old_exports_imported),
        TEST(old_networks_are_read),
        TEST(names_mean_the_same_in_a_longer_list),
        TEST(shorter_lists_in_another_order_are_refused),
        TEST(unknown_names_are_refused_by_name),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
