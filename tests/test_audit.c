/* show --check: a good file passes, and every promise that is broken is named. */
#include "data/audit.h"
#include "data/hdf5_file.h"
#include "data/schema.h"
#include "folder_fixture.h"
#include "test.h"

static char told[8192]; /* of the last audit, a line each */

static void tell(void *payload, const char *where, const char *what)
{
    const size_t length = strlen(told);
    (void)payload;
    snprintf(told + length, sizeof told - length, "%s: %s\n", where, what);
}

static int64_t audit(const char *path)
{
    struct audit_report report;
    told[0] = '\0';
    SUCCEEDS(dataset_audit(&report, path, tell, NULL, &error));
    return report.violations;
}

static void expect(const char *path, const char *text)
{
    if (audit(path) == 0 || !strstr(told, text))
        fail_msg("'%s' lacks '%s'", told, text);
}

/* A row that keeps every promise. */
static struct measurement good_row(int64_t draw)
{
    struct measurement row = sample_row(draw);
    row.q25_ms = row.minimum_ms + 0.125;
    row.q75_ms = row.median_ms + 0.5;
    return row;
}

static void write_rows(const char *path, const struct measurement *rows, int count, bool finish,
                       const char *second_device)
{
    struct dataset *dataset;
    int32_t device;
    const struct dataset_header header = sample_header();
    const struct device_info first = sample_device("one"), second = sample_device(second_device);
    SUCCEEDS(dataset_create(&dataset, path, &header, true, !finish, &error));
    SUCCEEDS(dataset_add_device(dataset, &first, &device, &error));
    SUCCEEDS(dataset_add_device(dataset, &second, &device, &error));
    for (int i = 0; i < 2; i++) {
        const struct canary canary = {.unix_time_s = 1e9 + i, .gemm_ms = 1, .copy_ms = 1};
        SUCCEEDS(dataset_add_canary(dataset, &canary, &error));
    }
    for (int i = 0; i < count; i++)
        SUCCEEDS(dataset_append(dataset, &rows[i], &error));
    if (finish)
        SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

enum { GOOD_ROWS = 6 * LAYER_KIND_COUNT }; /* six per kind */

static void write_good(const char *path, bool finish)
{
    struct measurement rows[GOOD_ROWS];
    for (int i = 0; i < GOOD_ROWS; i++)
        rows[i] = good_row(i);
    rows[3].outcome = OUTCOME_CRASHED;
    rows[3].median_ms = NAN;
    write_rows(path, rows, GOOD_ROWS, finish, "two");
}

static void good_files_pass(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "data.h5");
    struct audit_report report;
    for (int finish = 0; finish < 2; finish++) {
        write_good(file.text, finish);
        if (audit(file.text) != 0)
            fail_msg("%s", told);
        SUCCEEDS(dataset_audit(&report, file.text, tell, NULL, &error));
        assert_int_equal(report.rows, GOOD_ROWS);
        assert_int_equal(report.devices, 2);
        assert_int_equal(report.canaries, 2);
    }
}

static void expect_of_row(const struct measurement *row, const char *text)
{
    const struct file_name file = in_folder(&folder, "data.h5");
    const struct measurement rows[] = {good_row(3), *row};
    write_rows(file.text, rows, 2, true, "two");
    expect(file.text, text);
}

static void faults_of_rows(void **state)
{
    (void)state;
    struct measurement good = good_row(LAYER_KIND_COUNT); /* dense */
    good.draw = 5;
    struct measurement row = good;
    row.minimum_ms = row.median_ms + 0.1;
    expect_of_row(&row, "/dense/rows, draw 5: minimum_ms <= median_ms <= maximum_ms");
    row = good;
    row.maximum_ms = row.median_ms - 0.1;
    expect_of_row(&row, "minimum_ms <= median_ms <= maximum_ms");
    row = good;
    row.q25_ms = row.minimum_ms - 0.1;
    expect_of_row(&row, "minimum_ms <= q25_ms");
    row = good;
    row.q25_ms = row.median_ms + 0.1;
    expect_of_row(&row, "q25_ms <= median_ms <= q75_ms");
    row = good;
    row.sample_count = 0;
    expect_of_row(&row, "a time of no samples");
    row = good;
    row.outcome = OUTCOME_TIMEOUT;
    expect_of_row(&row, "a time, but an outcome without one");
    row = good;
    row.spread_percent = 3;
    expect_of_row(&row, "spread_percent of one round");
    row = good;
    row.round_count = 3;
    row.round = 2;
    expect_of_row(&row, "no spread_percent of several rounds");
    row.spread_percent = 3;
    row.round = 1;
    expect_of_row(&row, "more rounds than");
    row = good_row(3);
    const struct file_name file = in_folder(&folder, "data.h5");
    const struct measurement twice[] = {row, good, row};
    struct dataset *dataset;
    const struct dataset_header header = sample_header();
    const struct device_info info = sample_device("one");
    int32_t device;
    SUCCEEDS(dataset_create(&dataset, file.text, &header, true, false, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    for (int i = 0; i < 3; i++)
        SUCCEEDS(dataset_append(dataset, &twice[i], &error));
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
    expect(file.text, "draw 3: a duplicate of another row");
    write_rows(file.text, &good, 1, true, "one");
    expect(file.text, "/devices/rows: rows 0 and 1 are the same device");
}

/* ---- structure ---- */

static hid_t open_for_change(const char *path)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void faults_of_structure(void **state)
{
    (void)state;
    const struct file_name path = in_folder(&folder, "data.h5");
    static const char *const attributes[] = {"seed", "licence", "sources", "shard"};
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        char text[80];
        write_good(path.text, true);
        const hid_t file = open_for_change(path.text);
        assert_true(H5Adelete(file, attributes[i]) >= 0);
        H5Fclose(file);
        snprintf(text, sizeof text, "/: attribute '%s' is missing", attributes[i]);
        expect(path.text, text);
    }
    expect(path.text, "/: no seal");
    write_good(path.text, true);
    const hid_t file = open_for_change(path.text);
    assert_true(hdf5_file_write_text(file, "colour", "green"));
    const hid_t group = H5Gcreate2(file, "/more", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    const hid_t rows = H5Dopen2(file, "/conv2d/rows", H5P_DEFAULT);
    H5Adelete(rows, "stride.help");
    H5Adelete(rows, "padding.names");
    H5Adelete(rows, "median_ms.unit");
    assert_true(hdf5_file_write_text(rows, "median_ms.unit", "us"));
    H5Dclose(rows);
    H5Fclose(file);
    expect(path.text, "/: attribute 'colour' is not part of the format");
    expect(path.text, "/: object 'more' is not part of the format");
    expect(path.text, "/conv2d/rows: attribute 'stride.help' is missing");
    expect(path.text, "/conv2d/rows: attribute 'padding.names' is missing");
    expect(path.text, "/conv2d/rows: attribute 'median_ms.unit' is 'us', not 'ms'");
    assert_int_equal(audit(path.text), 6);
}

static void several_faulty_rows_are_all_named(void **state)
{
    (void)state;
    const struct file_name path = in_folder(&folder, "data.h5");
    const hid_t type = schema_row_type(LAYER_DENSE, false);
    struct measurement rows[10];
    write_good(path.text, true);
    const hid_t file = open_for_change(path.text);
    const hid_t dataset = H5Dopen2(file, "/dense/rows", H5P_DEFAULT);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
    rows[2].device = 7;
    rows[4].config.as.dense.inputs = -3;
    rows[5].outcome = 99;
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
    H5Dclose(dataset);
    H5Fclose(file);
    H5Tclose(type);
    expect(path.text, "/dense/rows, row 2: device = 7");
    expect(path.text, "/dense/rows, row 4: ");
    assert_non_null(strstr(told, "inputs"));
    expect(path.text, "/dense/rows, row 5: outcome");
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    struct audit_report report;
    const struct file_name path = in_folder(&folder, "data.h5");
    FAILS(STATUS_BAD_FILE, "No such file", dataset_audit(&report, path.text, tell, NULL, &error));
    write_good(path.text, true);
    assert_int_equal(truncate(path.text, file_size(path.text) - 30), 0);
    FAILS(STATUS_BAD_FILE, "damaged", dataset_audit(&report, path.text, tell, NULL, &error));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(good_files_pass),           TEST(faults_of_rows),
        TEST(faults_of_structure),       TEST(several_faulty_rows_are_all_named),
        TEST(files_that_cannot_be_read),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
