#include "base/philox.h"
#include "child.h"
#include "data/dataset.h"
#include "data/schema.h"
#include "test.h"

#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 130 }; // two full write buffers and a rest

struct fixture {
    char folder[256], path[300], other[300];
};

static const struct dataset_header header = {.program_version = "test",
                                             .command_line = "epochcast sweep",
                                             .licence = "CC-BY-4.0",
                                             .seed = 77,
                                             .domain = "layer dense"};

static int set_up(void **state)
{
    static struct fixture fixture;
    const char *parent = getenv("TMPDIR");
    snprintf(fixture.folder, sizeof fixture.folder, "%s/epochcast-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(fixture.path, sizeof fixture.path, "%s/data.h5", fixture.folder);
    snprintf(fixture.other, sizeof fixture.other, "%s/other.h5", fixture.folder);
    *state = &fixture;
    return 0;
}

static int count_files(const char *folder, bool remove_them)
{
    int count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (remove_them)
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
    return count;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    count_files(fixture->folder, true);
    return rmdir(fixture->folder);
}

static struct device_info device_called(const char *name)
{
    struct device_info info = {.backend = "fake",
                               .device_count = 1,
                               .thread_count = 1,
                               .memory_bytes = 1 << 30,
                               .clock_mhz = NAN,
                               .bandwidth_gbps = 900,
                               .measured_copy_gbps = NAN};
    snprintf(info.name, sizeof info.name, "%s", name);
    return info;
}

/* Row i: kinds in turn, every tenth without a time. */
static struct measurement row_of(int i)
{
    struct measurement row = {.draw = i,
                              .round_count = 1,
                              .spread_percent = NAN,
                              .sample_count = 6,
                              .repeats_per_sample = 2,
                              .median_ms = 0.5 + i,
                              .ci_ms = NAN,
                              .unix_time_s = 1.7e9 + i};
    row.config.kind = (enum layer_kind)(i % LAYER_KIND_COUNT);
    row.config.batch_size = 1 + i;
    const struct layer_descriptor *descriptor = layer_descriptors[row.config.kind];
    for (int f = COMMON_FEATURE_COUNT; f < descriptor->feature_count; f++)
        layer_set(&row.config, &descriptor->features[f], descriptor->features[f].minimum);
    if (i % 10 == 9) {
        row.outcome = OUTCOME_OUT_OF_MEMORY;
        row.median_ms = NAN;
    }
    snprintf(row.algorithm, sizeof row.algorithm, "jit:%d", i);
    return row;
}

static struct dataset *create(const char *path, const char *device, int rows, bool in_place)
{
    struct error error = {0};
    struct dataset *dataset;
    const struct device_info info = device_called(device);
    int32_t index;
    assert_int_equal(dataset_create(&dataset, path, &header, false, in_place, &error), STATUS_OK);
    assert_int_equal(dataset_add_device(dataset, &info, &index, &error), STATUS_OK);
    assert_int_equal(index, 0);
    for (int i = 0; i < rows; i++) {
        const struct measurement row = row_of(i);
        assert_int_equal(dataset_append(dataset, &row, &error), STATUS_OK);
    }
    return dataset;
}

static void write_file(const char *path, const char *device, int rows)
{
    struct error error = {0};
    struct dataset *dataset = create(path, device, rows, false);
    assert_int_equal(dataset_finish(dataset, &error), STATUS_OK);
    dataset_close(dataset);
}

static struct dataset_rows read_one(const char *path)
{
    struct error error = {0};
    struct dataset_rows rows;
    enum status status = dataset_read(&rows, &path, 1, &error);
    if (status != STATUS_OK)
        fail_msg("%s", error.message);
    return rows;
}

static void expect_refused(const char *path, const char *message_part)
{
    struct error error = {0};
    struct dataset_rows rows;
    assert_int_equal(dataset_read(&rows, &path, 1, &error), STATUS_BAD_FILE);
    assert_int_equal(rows.count, 0);
    assert_null(rows.rows);
    if (!strstr(error.message, message_part))
        fail_msg("'%s' lacks '%s'", error.message, message_part);
    assert_non_null(strstr(error.message, path));
}

static void expect_row(const struct measurement *row)
{
    const struct measurement expected = row_of((int)row->draw);
    assert_memory_equal(&row->config, &expected.config, sizeof row->config);
    assert_int_equal(row->outcome, expected.outcome);
    assert_int_equal(row->sample_count, expected.sample_count);
    assert_int_equal(row->device, 0);
    assert_int_equal(isnan(row->median_ms), isnan(expected.median_ms));
    assert_true(isnan(row->median_ms) || row->median_ms == expected.median_ms);
    assert_true(isnan(row->ci_ms));
    assert_true(row->unix_time_s == expected.unix_time_s);
    assert_string_equal(row->algorithm, expected.algorithm);
}

static void rows_survive_the_file(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", ROWS);
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, ROWS);
    bool seen[ROWS] = {false};
    for (size_t i = 0; i < rows.count; i++) {
        assert_in_range(rows.rows[i].draw, 0, ROWS - 1);
        assert_false(seen[rows.rows[i].draw]);
        seen[rows.rows[i].draw] = true;
        expect_row(&rows.rows[i]);
    }
    assert_int_equal(rows.device_count, 1);
    assert_string_equal(rows.devices[0].name, "gpu");
    assert_true(isnan(rows.devices[0].clock_mhz) && rows.devices[0].bandwidth_gbps == 900);
    assert_int_equal(rows.header.seed, header.seed);
    assert_string_equal(rows.header.command_line, header.command_line);
    assert_string_equal(rows.header.domain, header.domain);
    assert_int_equal(count_files(fixture->folder, false), 1);
    dataset_rows_free(&rows);
}

static void no_rows_are_rows_too(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 0);
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, 0);
    assert_int_equal(rows.device_count, 1);
    dataset_rows_free(&rows);
}

static void equal_devices_become_one(void **state)
{
    struct fixture *fixture = *state;
    char third[300];
    snprintf(third, sizeof third, "%s/third.h5", fixture->folder);
    write_file(fixture->path, "gpu", 4);
    write_file(fixture->other, "another", 5);
    write_file(third, "gpu", 6);
    const char *const paths[] = {fixture->path, fixture->other, third};
    struct error error = {0};
    struct dataset_rows rows;
    assert_int_equal(dataset_read(&rows, paths, 3, &error), STATUS_OK);
    assert_int_equal(rows.count, 11); /* four of the third file's are the first's */
    assert_int_equal(rows.repeat_count, 4);
    assert_int_equal(rows.device_count, 2);
    assert_string_equal(rows.devices[1].name, "another");
    int of_second = 0;
    for (size_t i = 0; i < rows.count; i++)
        of_second += rows.rows[i].device == 1;
    assert_int_equal(of_second, 5);
    dataset_rows_free(&rows);
}

static void existing_file_is_kept(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 3);
    struct error error = {0};
    struct dataset *dataset;
    assert_int_equal(dataset_create(&dataset, fixture->path, &header, false, true, &error),
                     STATUS_USAGE);
    assert_null(dataset);
    assert_non_null(strstr(error.message, "exists"));
    assert_non_null(strstr(error.hint, "--overwrite"));
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, 3);
    dataset_rows_free(&rows);
}

/* An import that replaces a file and fails must leave the old one. */
static void unfinished_leaves_nothing(void **state)
{
    const struct fixture *fixture = *state;
    dataset_close(create(fixture->path, "gpu", ROWS, false));
    assert_int_equal(count_files(fixture->folder, false), 0);
    write_file(fixture->path, "gpu", 3);
    struct error error = {0};
    struct dataset *dataset;
    assert_int_equal(dataset_create(&dataset, fixture->path, &header, true, false, &error),
                     STATUS_OK);
    dataset_close(dataset);
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, 3);
    dataset_rows_free(&rows);
}

static void unfinished_sweep_keeps_its_rows(void **state)
{
    const struct fixture *fixture = *state;
    dataset_close(create(fixture->path, "gpu", ROWS, true));
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, ROWS);
    dataset_rows_free(&rows);
    assert_int_equal(count_files(fixture->folder, false), 1);
}

static void killed_writer_loses_no_flushed_row(void **state)
{
    const struct fixture *fixture = *state;
    pid_t child = fork();
    if (child == 0) {
        struct dataset *dataset = create(fixture->path, "gpu", ROWS, true);
        dataset_flush(dataset, NULL);
        raise(SIGKILL);
    }
    int wait_status;
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, ROWS);
    for (size_t i = 0; i < rows.count; i++)
        expect_row(&rows.rows[i]);
    dataset_rows_free(&rows);
}

/* Appends until the file may not grow: 0 when the error came as it should. */
static int append_to_full_disk(const char *path)
{
    const struct rlimit limit = {.rlim_cur = 60000, .rlim_max = 60000};
    struct error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    struct dataset *dataset = create(path, "gpu", 0, true);
    setrlimit(RLIMIT_FSIZE, &limit);
    enum status status = STATUS_OK;
    for (int i = 0; i < 5000 && status == STATUS_OK; i++) {
        const struct measurement row = row_of(i);
        status = dataset_append(dataset, &row, &error);
    }
    bool is_told = status == STATUS_FAILED && strstr(error.message, path) && *error.hint;
    return is_told ? 0 : 1;
}

static void full_disk_is_an_error(void **state)
{
    const struct fixture *fixture = *state;
    pid_t child = fork();
    if (child == 0)
        _exit(append_to_full_disk(fixture->path));
    assert_child_succeeds(child);
}

static void missing_folder_is_an_error(void **state)
{
    (void)state;
    struct error error = {0};
    struct dataset *dataset;
    assert_int_equal(dataset_create(&dataset, "/no/such/folder/x.h5", &header, false, true, &error),
                     STATUS_FAILED);
    assert_null(dataset);
    assert_non_null(strstr(error.message, "/no/such/folder/x.h5"));
}

static void foreign_files_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    expect_refused(fixture->path, "");
    FILE *file = fopen(fixture->path, "w");
    fputs("not HDF5 at all\n", file);
    fclose(file);
    expect_refused(fixture->path, "is a text file, not a dataset");
    H5Fclose(H5Fcreate(fixture->other, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    expect_refused(fixture->other, "is an HDF5 file of another program, not a dataset");
}

static void truncated_files_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", ROWS);
    FILE *file = fopen(fixture->path, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    for (long length = size - 1; length > 0; length -= 1 + size / 20) {
        assert_int_equal(truncate(fixture->path, length), 0);
        expect_refused(fixture->path, "");
    }
}

static void set_word(const char *path, const char *name, uint64_t value)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &value) >= 0);
    H5Aclose(attribute);
    H5Fclose(file);
}

static void other_versions_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 4);
    write_file(fixture->other, "gpu", 4);
    set_word(fixture->path, "format_version", SCHEMA_VERSION + 1);
    expect_refused(fixture->path, "version 2");
    set_word(fixture->other, "schema_hash_dense", 1);
    expect_refused(fixture->other, "dense");
}

/* As a program wrote it that had three kinds: no word of later ones. */
static void files_of_fewer_kinds_are_read(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 3);
    hid_t file = H5Fopen(fixture->path, H5F_ACC_RDWR, H5P_DEFAULT);
    for (int kind = 3; kind < LAYER_KIND_COUNT; kind++) {
        char word[64];
        snprintf(word, sizeof word, "schema_hash_%s", layer_descriptors[kind]->name);
        assert_true(H5Adelete(file, word) >= 0);
    }
    assert_int_equal(H5Lexists(file, "/batch_norm", H5P_DEFAULT), 0);
    H5Fclose(file);
    struct dataset_rows rows = read_one(fixture->path);
    assert_int_equal(rows.count, 3);
    for (size_t i = 0; i < rows.count; i++)
        expect_row(&rows.rows[i]);
    dataset_rows_free(&rows);
}

/* Writes `row` over the first one of its kind, as a damaged file would hold it. */
static void expect_row_refused(const char *path, const struct measurement *row, const char *what)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t table = H5Dopen2(file, "/dense/rows", H5P_DEFAULT);
    hid_t type = schema_row_type(LAYER_DENSE, false), space = H5Dget_space(table);
    const hsize_t first = 0, one = 1;
    hid_t memory = H5Screate_simple(1, &one, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &one, NULL);
    assert_true(H5Dwrite(table, type, memory, space, H5P_DEFAULT, row) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(table);
    H5Fclose(file);
    expect_refused(path, what);
}

static void impossible_rows_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 4);
    const struct measurement good = row_of(0);
    struct measurement row = good;
    row.config.batch_size = 0;
    expect_row_refused(fixture->path, &row, "batch_size");
    row = good, row.config.as.dense.inputs = INT32_MAX;
    expect_row_refused(fixture->path, &row, "inputs");
    row = good, row.config.optimizer = 99;
    expect_row_refused(fixture->path, &row, "optimizer");
    row = good, row.outcome = 99;
    expect_row_refused(fixture->path, &row, "outcome");
    row = good, row.stratum = -5;
    expect_row_refused(fixture->path, &row, "stratum");
    row = good, row.device = 1;
    expect_row_refused(fixture->path, &row, "device");
    const double times[] = {NAN, INFINITY, -1, 0};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        row = good, row.median_ms = times[i];
        expect_row_refused(fixture->path, &row, "median_ms");
    }
}

/* A table that claims 900 million rows must be refused before memory is asked for. */
static void more_rows_than_bytes_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 4);
    hid_t file = H5Fopen(fixture->path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t table = H5Dopen2(file, "/dense/rows", H5P_DEFAULT);
    const hsize_t rows = 900000000;
    assert_true(H5Dset_extent(table, &rows) >= 0);
    H5Dclose(table);
    H5Fclose(file);
    expect_refused(fixture->path, "more rows");
}

/* One bad file among good ones: nothing is returned. */
static void one_bad_file_spoils_all(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", 4);
    const char *const paths[] = {fixture->path, "/no/such.h5"};
    struct error error = {0};
    struct dataset_rows rows;
    assert_int_equal(dataset_read(&rows, paths, 2, &error), STATUS_BAD_FILE);
    assert_null(rows.rows);
    assert_non_null(strstr(error.message, "/no/such.h5"));
}

/* Proposal for tests/test_dataset.c (needs its fixture, write_file, ROWS; and base/philox.h). */
static void damaged_bytes_are_survived(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture->path, "gpu", ROWS);
    FILE *file = fopen(fixture->path, "r+b");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const uint32_t size = (uint32_t)ftell(file);
    for (uint32_t i = 0; i < 200; i++) {
        struct philox_words words = philox(i, 0, 0, PHILOX_NOISE, 1);
        const long at = words.word[0] % size;
        fseek(file, at, SEEK_SET);
        const int original = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(original ^ (int)(1 + words.word[1] % 255), file);
        fflush(file);
        const char *path = fixture->path;
        struct dataset_rows rows;
        enum status status = dataset_read(&rows, &path, 1, NULL);
        assert_true(status == STATUS_OK || status == STATUS_BAD_FILE);
        if (status == STATUS_OK)
            dataset_rows_free(&rows);
        fseek(file, at, SEEK_SET);
        fputc(original, file);
        fflush(file);
    }
    fclose(file);
}
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(rows_survive_the_file),
        WITH_FOLDER(damaged_bytes_are_survived),
        WITH_FOLDER(no_rows_are_rows_too),
        WITH_FOLDER(equal_devices_become_one),
        WITH_FOLDER(existing_file_is_kept),
        WITH_FOLDER(unfinished_leaves_nothing),
        WITH_FOLDER(unfinished_sweep_keeps_its_rows),
        WITH_FOLDER(killed_writer_loses_no_flushed_row),
        WITH_FOLDER(full_disk_is_an_error),
        WITH_FOLDER(missing_folder_is_an_error),
        WITH_FOLDER(foreign_files_are_refused),
        WITH_FOLDER(truncated_files_are_refused),
        WITH_FOLDER(other_versions_are_refused),
        WITH_FOLDER(files_of_fewer_kinds_are_read),
        WITH_FOLDER(impossible_rows_are_refused),
        WITH_FOLDER(more_rows_than_bytes_are_refused),
        WITH_FOLDER(one_bad_file_spoils_all),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
