/* Merging: every measurement once, every device once, canaries and headers carried over; whatever
 * goes wrong is told and leaves nothing behind. */
#include "data/compact_file.h"
#include "data/merge.h"
#include "data/row_set.h"
#include "data/schema.h"
#include "folder_fixture.h"
#include "test.h"

#include <signal.h>
#include <sys/resource.h>

/* Rows first..first + count - 1 of the sample, in a file; every 20th with a canary before. */
static void write_file(const char *path, const char *device_name, int first, int count,
                       const struct dataset_header *header, bool finish)
{
    struct dataset *dataset;
    int32_t device;
    const struct device_info info = sample_device(device_name);
    SUCCEEDS(dataset_create(&dataset, path, header, true, !finish, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    for (int i = first; i < first + count; i++) {
        const struct measurement row = sample_row(i);
        const struct canary canary = {
            .unix_time_s = 1e9 + i, .gemm_ms = 1, .copy_ms = 2, .pressure_percent = 3};
        if (i % 20 == 0)
            SUCCEEDS(dataset_add_canary(dataset, &canary, &error));
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    if (finish)
        SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static enum status merge_into(struct merge_report *report, const char *to, const char *const *from,
                              int count, bool overwrite)
{
    static const struct dataset_header given = {.program_version = "merger",
                                                .command_line = "epochcast merge"};
    const struct merge_options options = {.path = to, .overwrite = overwrite, .header = &given};
    error = (struct error){.message = "no message"};
    return merge_files(report, from, count, &options, &error);
}

static void read_all(struct dataset_rows *rows, const char *path)
{
    SUCCEEDS(dataset_read(rows, &path, 1, &error));
}

static int compare_draws(const void *a, const void *b)
{
    const int64_t x = ((const struct measurement *)a)->draw,
                  y = ((const struct measurement *)b)->draw;
    return (x > y) - (x < y);
}

/* The draws are exactly 0..count - 1, as sample_row has them. */
static void check_draws(struct dataset_rows *rows, size_t count)
{
    assert_int_equal(rows->count, count);
    qsort(rows->rows, rows->count, sizeof *rows->rows, compare_draws);
    for (size_t i = 0; i < count; i++) {
        const struct measurement expected = sample_row((int64_t)i);
        assert_int_equal(rows->rows[i].draw, i);
        assert_memory_equal(&rows->rows[i].config, &expected.config, sizeof expected.config);
        assert_true(rows->rows[i].median_ms == expected.median_ms);
        assert_string_equal(rows->rows[i].algorithm, expected.algorithm);
    }
}

/* Two machines that a cloud calls by one name are two devices, and the caller is told. */
static char noted[512];
static void take_note(const char *text)
{
    snprintf(noted + strlen(noted), sizeof noted - strlen(noted), "%s\n", text);
}

/* canary_ms: 0: no canaries. */
static void write_device(const char *path, double sgemm_gflops, double copy_gbps, int draw,
                         double canary_ms)
{
    struct dataset *dataset;
    int32_t device;
    const struct dataset_header header = sample_header();
    struct device_info info = sample_device("AMD EPYC");
    info.measured_sgemm_gflops = sgemm_gflops;
    info.measured_copy_gbps = copy_gbps;
    SUCCEEDS(dataset_create(&dataset, path, &header, true, false, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    for (int i = 0; canary_ms > 0 && i < 3; i++) {
        const struct canary canary = {.unix_time_s = 1e9 + 100 * draw + i,
                                      .gemm_ms = canary_ms * (1 + i),
                                      .copy_ms = canary_ms * (3 - i),
                                      .pressure_percent = NAN};
        SUCCEEDS(dataset_add_canary(dataset, &canary, &error));
    }
    const struct measurement row = sample_row(draw);
    SUCCEEDS(dataset_append(dataset, &row, &error));
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

/* Rates are measured once, at the start; canaries throughout: a machine that was busy for a moment
 * stays one device. */
static void canaries_tell_a_busy_machine_from_another(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           c = in_folder(&folder, "c.h5"), all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text, b.text, c.text};
    struct merge_report report;
    struct dataset_rows rows;
    write_device(a.text, 101, 22, 0, 1);
    write_device(b.text, 44, 8, 6, 1.1);   /* busy when it began */
    write_device(c.text, 400, 100, 12, 4); /* another */
    SUCCEEDS(merge_into(&report, all.text, from, 3, false));
    assert_int_equal(report.devices, 2);
    read_all(&rows, all.text);
    for (size_t i = 0; i < rows.count; i++)
        assert_int_equal(rows.rows[i].device, rows.rows[i].draw == 12);
    assert_true(rows.devices[0].measured_sgemm_gflops == 101);
    dataset_rows_free(&rows);
}

static void machines_of_one_name_stay_apart(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           c = in_folder(&folder, "c.h5"), all = in_folder(&folder, "all.h5"),
                           more = in_folder(&folder, "more.h5");
    const char *const from[] = {a.text, b.text, c.text}, *const again[] = {all.text, b.text};
    const struct dataset_header given = {.program_version = "merger"};
    struct merge_options options = {.path = all.text, .header = &given, .note = take_note};
    struct merge_report report;
    struct dataset_rows rows;
    write_device(a.text, 101, 22, 0, 0);
    write_device(b.text, 400, 100, 6, 1);
    write_device(c.text, 95, 25, 12, 0); /* the first machine on another day */
    noted[0] = '\0';
    SUCCEEDS(merge_files(&report, from, 3, &options, &error));
    assert_int_equal(report.devices, 2);
    assert_string_equal(noted, "'AMD EPYC (2)' is another device than 'AMD EPYC', "
                               "or the machine was busy during one of the sweeps: "
                               "measured_sgemm_gflops 400 against 101, "
                               "measured_copy_gbps 100 against 22\n");
    options.path = more.text;
    SUCCEEDS(merge_files(&report, again, 2, &options, &error));
    assert_int_equal(report.devices, 2);
    assert_int_equal(report.duplicates, 1);
    read_all(&rows, more.text);
    assert_int_equal(rows.count, 3);
    for (size_t i = 0; i < rows.count; i++)
        assert_string_equal(rows.devices[rows.rows[i].device].name,
                            rows.rows[i].draw == 6 ? "AMD EPYC (2)" : "AMD EPYC");
    dataset_rows_free(&rows);
}

static void every_measurement_once(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text, b.text, a.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    struct dataset_rows rows;
    write_file(a.text, "one", 0, 200, &header, true);
    write_file(b.text, "one", 150, 151, &header, true);
    SUCCEEDS(merge_into(&report, all.text, from, 3, false));
    assert_int_equal(report.rows_read, 551);
    assert_int_equal(report.duplicates, 250);
    assert_int_equal(report.rows, 301);
    assert_int_equal(report.devices, 1);
    assert_int_equal(report.canaries, 16);
    read_all(&rows, all.text);
    check_draws(&rows, 301);
    assert_int_equal(rows.device_count, 1);
    assert_int_equal(rows.canary_count, 16);
    assert_int_equal(rows.header.seed, header.seed);
    assert_string_equal(rows.header.sampler, header.sampler);
    assert_string_equal(rows.header.program_version, "merger");
    assert_non_null(strstr(rows.header.sources, "a.h5: 200 rows"));
    assert_non_null(strstr(rows.header.sources, "b.h5: 151 rows"));
    assert_false(rows.is_growing);
    dataset_rows_free(&rows);
    assert_int_equal(folder_count(&folder), 3);
}

/* Reading counts as merging does: unfinished, finished and merged files of the same rows together.
 */
static void files_read_together_count_once(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           c = in_folder(&folder, "c.h5"), two = in_folder(&folder, "two.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const merged[] = {a.text, b.text};
    const char *const from[] = {c.text, a.text, b.text, two.text, all.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    struct dataset_rows rows;
    write_file(a.text, "one", 0, 200, &header, true);
    write_file(b.text, "one", 150, 151, &header, true);
    write_file(c.text, "one", 0, 200, &header, true);
    write_file(two.text, "two", 0, 30, &header, true);
    SUCCEEDS(merge_into(&report, all.text, merged, 2, false));
    SUCCEEDS(dataset_read(&rows, from, 5, &error));
    assert_int_equal(rows.device_count, 2);
    assert_int_equal(rows.count, 301 + 30);
    assert_int_equal(rows.repeat_count, 200 + 50 + 301);
    dataset_rows_free(&rows);
    read_all(&rows, all.text);
    assert_int_equal(rows.repeat_count, 0);
    check_draws(&rows, 301);
    dataset_rows_free(&rows);
}

/* The same rows of another device, or of another moment, are no duplicates. */
static void other_devices_are_kept_apart(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text, b.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    struct dataset_rows rows;
    write_file(a.text, "one", 0, 30, &header, true);
    write_file(b.text, "two", 0, 30, &header, true);
    SUCCEEDS(merge_into(&report, all.text, from, 2, false));
    assert_int_equal(report.duplicates, 0);
    read_all(&rows, all.text);
    assert_int_equal(rows.device_count, 2);
    assert_int_equal(rows.canary_count, 4);
    size_t of_second = 0;
    for (size_t i = 0; i < rows.count; i++)
        of_second += strcmp(rows.devices[rows.rows[i].device].name, "two") == 0;
    assert_int_equal(of_second, 30);
    dataset_rows_free(&rows);
}

static void what_makes_a_duplicate(void **state)
{
    (void)state;
    const struct measurement row = sample_row(4);
    struct measurement other = row;
    struct row_set set;
    assert_int_equal(row_hash(&row), row_hash(&other));
    other.median_ms = 99; /* the time tells it apart already */
    assert_int_equal(row_hash(&row), row_hash(&other));
    other.unix_time_s = NAN;
    const uint64_t imported = row_hash(&other);
    other.median_ms = 98;
    assert_int_not_equal(imported, row_hash(&other));
    other = row;
    other.unix_time_s += 1e-3;
    assert_int_not_equal(row_hash(&row), row_hash(&other));
    other = row;
    other.cache = CACHE_COLD;
    assert_int_not_equal(row_hash(&row), row_hash(&other));
    other = row;
    other.draw++;
    assert_int_not_equal(row_hash(&row), row_hash(&other));
    other = row;
    other.device++;
    assert_int_not_equal(row_hash(&row), row_hash(&other));
    other = row;
    other.config.batch_size++;
    assert_int_not_equal(row_hash(&row), row_hash(&other));
    SUCCEEDS(row_set_create(&set, 1000, &error));
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(row_set_add(&set, i << 50 | i)); /* crowded in a few slots; 0 too */
    for (uint64_t i = 0; i < 1000; i++)
        assert_false(row_set_add(&set, i << 50 | i));
    row_set_free(&set);
}

/* The rounds of a sweep that was killed are joined. */
static void unfinished_input(void **state)
{
    (void)state;
    enum { CONFIGS = 40, ROUNDS = 3 };
    const struct file_name a = in_folder(&folder, "a.h5"), all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text};
    const struct dataset_header header = sample_header();
    const struct device_info info = sample_device("one");
    struct dataset *dataset;
    struct merge_report report;
    struct dataset_rows rows;
    int32_t device;
    SUCCEEDS(dataset_create(&dataset, a.text, &header, true, true, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    for (int i = 0; i < CONFIGS * ROUNDS; i++) {
        struct measurement row = sample_row(i % CONFIGS);
        row.round = i / CONFIGS;
        row.median_ms += (row.round != 1) * 0.25; /* the second is the fastest */
        row.unix_time_s += i;
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    dataset_close(dataset);
    SUCCEEDS(merge_into(&report, all.text, from, 1, false));
    assert_int_equal(report.unfinished, 1);
    assert_int_equal(report.rows, CONFIGS);
    read_all(&rows, all.text);
    assert_int_equal(rows.count, CONFIGS);
    for (size_t i = 0; i < rows.count; i++) {
        const struct measurement *row = &rows.rows[i];
        assert_int_equal(row->round_count, ROUNDS);
        assert_true(row->median_ms == sample_row(row->draw).median_ms);
        assert_true(row->spread_percent > 0);
    }
    dataset_rows_free(&rows);
}

/* ---- headers ---- */

static void test_headers(void **state)
{
    (void)state;
    struct dataset_header all = {.seed = 0}, one = sample_header(), two = sample_header();
    merge_header(&all, &one, 0);
    merge_header(&all, &one, 1);
    assert_int_equal(all.seed, one.seed);
    assert_string_equal(all.licence, "CC-BY-4.0");
    two.seed = 5;
    snprintf(two.licence, sizeof two.licence, "CC0-1.0");
    snprintf(two.citation, sizeof two.citation, "B");
    snprintf(two.protocol, sizeof two.protocol, "cap 50 ms");
    merge_header(&all, &two, 2);
    merge_header(&all, &one, 3);
    assert_int_equal(all.seed, 0);
    assert_string_equal(all.sampler, "by hand; mixed seeds");
    assert_string_equal(all.licence, "CC-BY-4.0 AND CC0-1.0");
    assert_string_equal(all.citation, "B");
    assert_string_equal(all.protocol, "cap 50 ms");
    memset(two.citation, 'x', sizeof two.citation - 1);
    merge_header(&all, &two, 4);
    assert_string_equal(all.citation, "mixed");
}

static void many_sources_are_cut_at_a_line(void **state)
{
    (void)state;
    struct dataset_header all = {.seed = 0}, one = sample_header();
    for (int i = 0; i < 300; i++) {
        char path[64];
        snprintf(path, sizeof path, "/some/where/file-%d.h5", i);
        merge_source(&all, &one, path, (size_t)i);
    }
    const size_t length = strlen(all.sources);
    assert_true(length < sizeof all.sources);
    assert_string_equal(all.sources + length - 9, "and more\n");
    assert_int_equal(strncmp(all.sources, "file-0.h5: 0 rows", 17), 0);
}

static void check_shards(const char *expected, const char *const *shards, int count)
{
    struct dataset_header headers[4], all = {.seed = 0};
    const struct dataset_header *list[4];
    for (int i = 0; i < count; i++) {
        headers[i] = sample_header();
        snprintf(headers[i].shard, sizeof headers[i].shard, "%s", shards[i]);
        merge_header(&all, &headers[i], i);
        list[i] = &headers[i];
    }
    merge_shards(&all, list, count);
    assert_string_equal(all.shard, expected);
}

static void test_shards(void **state)
{
    (void)state;
    check_shards("", (const char *const[]){"2/3", "1/3", "3/3"}, 3);
    check_shards("", (const char *const[]){"", ""}, 2);
    check_shards("1/3,3/3", (const char *const[]){"1/3", "3/3"}, 2);
    check_shards("1/2,2/3,3/3", (const char *const[]){"1/2", "2/3", "3/3"}, 3);
    check_shards("1/1,1/2", (const char *const[]){"", "1/2"}, 2);
}

/* ---- what goes wrong ---- */

static void change_schema(const char *path)
{
    uint64_t word = 1;
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(file, "schema_hash_conv2d", H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &word) >= 0);
    H5Aclose(attribute);
    H5Fclose(file);
}

static void other_schemas_are_refused(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text, b.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    write_file(a.text, "one", 0, 30, &header, true);
    write_file(b.text, "one", 30, 30, &header, true);
    change_schema(b.text);
    FAILS(STATUS_BAD_FILE, "b.h5': the columns of conv2d belong to another version",
          merge_into(&report, all.text, from, 2, false));
    assert_int_equal(file_size(all.text), -1);
}

static void damaged_input_keeps_the_old_result(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), b = in_folder(&folder, "b.h5"),
                           all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text, b.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    struct dataset_rows rows;
    write_file(a.text, "one", 0, 30, &header, true);
    write_file(b.text, "one", 30, 30, &header, true);
    write_file(all.text, "old", 0, 7, &header, true);
    assert_int_equal(truncate(b.text, file_size(b.text) - 100), 0);
    FAILS(STATUS_BAD_FILE, "b.h5", merge_into(&report, all.text, from, 2, true));
    FAILS(STATUS_USAGE, "exists", merge_into(&report, all.text, from, 1, false));
    read_all(&rows, all.text);
    assert_int_equal(rows.count, 7);
    dataset_rows_free(&rows);
    assert_int_equal(folder_count(&folder), 3);
}

static void places_that_cannot_be_written(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"),
                           nowhere = in_folder(&folder, "no/such/all.h5");
    const char *const from[] = {a.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    write_file(a.text, "one", 0, 30, &header, true);
    FAILS(STATUS_FAILED, "No such file or directory",
          merge_into(&report, nowhere.text, from, 1, false));
    FAILS(STATUS_FAILED, "not a regular file", merge_into(&report, folder.path, from, 1, true));
    assert_int_equal(folder_count(&folder), 1);
}

/* A limit on the size of files stands for a full disk. */
static void full_disk_leaves_nothing(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text};
    const struct dataset_header header = sample_header();
    struct merge_report report;
    struct rlimit old;
    write_file(a.text, "one", 0, 30000, &header, true);
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t bytes = 4096; bytes < (rlim_t)file_size(a.text); bytes *= 5) {
        const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        const enum status status = merge_into(&report, all.text, from, 1, false);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, STATUS_FAILED);
        assert_non_null(strstr(error.message, "File too large"));
        assert_int_equal(folder_count(&folder), 1);
    }
    SUCCEEDS(merge_into(&report, all.text, from, 1, false));
    assert_int_equal(report.rows, 30000);
}

/* The folder is gone when the file is whole. */
static void vanished_folder(void **state)
{
    (void)state;
    const struct file_name inner = in_folder(&folder, "inner"),
                           result = in_folder(&folder, "inner/all.h5");
    const struct dataset_header header = sample_header();
    struct compact_file *compact;
    assert_int_equal(mkdir(inner.text, 0700), 0);
    SUCCEEDS(compact_file_create(&compact, result.text, &header, &error));
    for (int i = 0; i < 100; i++) {
        const struct measurement row = sample_row(i);
        SUCCEEDS(compact_file_append(compact, &row, 1, &error));
    }
    assert_int_equal(rmdir(inner.text), 0); /* nothing stands in it meanwhile */
    FAILS(STATUS_FAILED, "No such file or directory", compact_file_publish(compact, false, &error));
    compact_file_close(compact);
}

static void interrupted_merge_leaves_nothing(void **state)
{
    (void)state;
    const struct file_name a = in_folder(&folder, "a.h5"), all = in_folder(&folder, "all.h5");
    const char *const from[] = {a.text};
    const volatile sig_atomic_t interrupted = 1;
    const struct dataset_header header = sample_header();
    const struct merge_options options = {
        .path = all.text, .header = &header, .interrupted = &interrupted};
    struct merge_report report;
    write_file(a.text, "one", 0, 300, &header, true);
    FAILS(STATUS_INTERRUPTED, "interrupted", merge_files(&report, from, 1, &options, &error));
    assert_int_equal(folder_count(&folder), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(machines_of_one_name_stay_apart),
        TEST(canaries_tell_a_busy_machine_from_another),
        TEST(every_measurement_once),
        TEST(files_read_together_count_once),
        TEST(other_devices_are_kept_apart),
        TEST(what_makes_a_duplicate),
        TEST(unfinished_input),
        TEST(test_headers),
        TEST(many_sources_are_cut_at_a_line),
        TEST(test_shards),
        TEST(other_schemas_are_refused),
        TEST(damaged_input_keeps_the_old_result),
        TEST(places_that_cannot_be_written),
        TEST(full_disk_leaves_nothing),
        TEST(vanished_folder),
        TEST(interrupted_merge_leaves_nothing),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
