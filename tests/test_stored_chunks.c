/* Rows unpacked by our threads are those that HDF5 unpacks, and only tables of our form are. */
#include "data/compact_file.h"
#include "data/dataset_reader.h"
#include "data/hdf5_file.h"
#include "data/stored_table.h"

#include "folder_fixture.h"

enum { CHUNK = 8192, ROWS = 3 * CHUNK + 17 };

static struct measurement row_of(int i)
{
    struct measurement row = sample_row((int64_t)i * LAYER_KIND_COUNT); /* dense */
    snprintf(row.algorithm, sizeof row.algorithm, "jit:%d", i);
    return row;
}

static void write_rows(const char *path)
{
    struct compact_file *file;
    const struct dataset_header header = sample_header();
    const struct device_info device = sample_device("one");
    SUCCEEDS(compact_file_create(&file, path, &header, &error));
    SUCCEEDS(compact_file_set_devices(file, &device, 1, &error));
    for (int i = 0; i < ROWS; i++) {
        const struct measurement row = row_of(i);
        SUCCEEDS(compact_file_append(file, &row, 1, &error));
    }
    SUCCEEDS(compact_file_publish(file, true, &error));
    compact_file_close(file);
}

static void write_once(struct file_name *file)
{
    *file = in_folder(&folder, "rows.h5");
    if (access(file->text, F_OK) != 0)
        write_rows(file->text);
}

/* As HDF5 reads them. */
static void read_plain(struct measurement *rows, hid_t dataset)
{
    const hid_t type = schema_row_type(LAYER_DENSE, false);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
    H5Tclose(type);
}

static void rows_are_those_of_hdf5(void **state)
{
    (void)state;
    struct file_name file;
    hid_t hdf5;
    struct stored_chunks *chunks;
    struct measurement *ours = calloc(ROWS, sizeof *ours), *theirs = calloc(ROWS, sizeof *theirs);
    const struct schema_columns columns = schema_row_columns(LAYER_DENSE);
    write_once(&file);
    SUCCEEDS(hdf5_file_open(&hdf5, file.text, &error));
    const hid_t dataset = H5Dopen2(hdf5, "/dense/rows", H5P_DEFAULT);
    read_plain(theirs, dataset);
    SUCCEEDS(stored_chunks_open(&chunks, dataset, ROWS, &columns, &error));
    assert_non_null(chunks);
    assert_true(stored_chunks_at_once(chunks) >= 1);
    assert_true(stored_chunks_read(chunks, 0, ROWS, ours));
    assert_memory_equal(ours, theirs, ROWS * sizeof *ours);
    memset(ours, 0, ROWS * sizeof *ours); /* a part: from the second chunk into the third */
    assert_true(stored_chunks_read(chunks, CHUNK, CHUNK + 3, ours));
    assert_memory_equal(ours, theirs + CHUNK, (CHUNK + 3) * sizeof *ours);
    assert_true(ours[CHUNK + 3].sample_count == 0);
    assert_false(stored_chunks_read(chunks, 5, 1, ours)); /* not the beginning of a chunk */
    stored_chunks_close(chunks);
    H5Dclose(dataset);
    H5Fclose(hdf5);
    free(ours);
    free(theirs);
}

/* A table of ROWS empty rows with these filters. */
static hid_t make_table(hid_t hdf5, bool shuffle, bool deflate)
{
    const hsize_t rows = ROWS, chunk = CHUNK;
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), type = schema_row_type(LAYER_DENSE, true),
                space = H5Screate_simple(1, &rows, NULL);
    H5Pset_chunk(creation, 1, &chunk);
    if (shuffle)
        H5Pset_shuffle(creation);
    if (deflate)
        H5Pset_deflate(creation, 4);
    const hid_t dataset = H5Dcreate_anon(hdf5, type, space, creation, H5P_DEFAULT);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(creation);
    assert_true(dataset >= 0);
    return dataset;
}

static struct stored_chunks *open_table(hid_t dataset)
{
    struct stored_chunks *chunks;
    const struct schema_columns columns = schema_row_columns(LAYER_DENSE);
    SUCCEEDS(stored_chunks_open(&chunks, dataset, ROWS, &columns, &error));
    return chunks;
}

static void other_filters_are_left_to_hdf5(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "other.h5");
    const hid_t hdf5 = H5Fcreate(file.text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int filters = 0; filters < 3; filters++) {
        const hid_t dataset = make_table(hdf5, filters & 1, filters & 2);
        assert_null(open_table(dataset));
        H5Dclose(dataset);
    }
    H5Fclose(hdf5);
}

static void expect_unread(struct stored_chunks *chunks)
{
    static struct measurement rows[CHUNK];
    assert_non_null(chunks);
    assert_false(stored_chunks_read(chunks, 0, CHUNK, rows));
    stored_chunks_close(chunks);
}

/* Never written, not deflated, too short when inflated, longer than any packed chunk. */
static void odd_chunks_are_refused(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "odd.h5");
    const hid_t hdf5 = H5Fcreate(file.text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t dataset = make_table(hdf5, true, true), type = schema_row_type(LAYER_DENSE, true);
    const hsize_t first = 0;
    const size_t chunk_bytes = CHUNK * H5Tget_size(type);
    static const unsigned char empty[] = {0x78, 0x9c, 3, 0, 0, 0, 0, 1}; /* deflated: no bytes */
    unsigned char *bytes = calloc(2, chunk_bytes);
    expect_unread(open_table(dataset));
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, 100, bytes) >= 0);
    expect_unread(open_table(dataset));
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, sizeof empty, empty) >= 0);
    expect_unread(open_table(dataset));
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, 2 * chunk_bytes, bytes) >= 0);
    expect_unread(open_table(dataset));
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 3, &first, chunk_bytes, bytes) >= 0);
    expect_unread(open_table(dataset)); /* filters 0 and 1 were skipped */
    H5Tclose(type);
    H5Dclose(dataset);
    H5Fclose(hdf5);
    free(bytes);
}

static void skipped_kinds_are_not_read(void **state)
{
    (void)state;
    struct file_name file;
    struct dataset_reader *reader;
    const struct measurement *rows;
    size_t count, read = 0;
    struct dataset_reader_options options = {.keeps_rounds = false};
    write_once(&file);
    SUCCEEDS(dataset_reader_open(&reader, file.text, &options, &error));
    assert_int_equal(reader->row_limit, ROWS);
    for (count = 1; count > 0; read += count)
        SUCCEEDS(dataset_reader_next(reader, &rows, &count, &error));
    dataset_reader_close(reader);
    assert_int_equal(read, ROWS);
    options.skips[LAYER_DENSE] = true;
    SUCCEEDS(dataset_reader_open(&reader, file.text, &options, &error));
    assert_int_equal(reader->row_limit, 0);
    SUCCEEDS(dataset_reader_next(reader, &rows, &count, &error));
    assert_int_equal(count, 0);
    dataset_reader_close(reader);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_hdf5),
        cmocka_unit_test(other_filters_are_left_to_hdf5),
        cmocka_unit_test(odd_chunks_are_refused),
        cmocka_unit_test(skipped_kinds_are_not_read),
    };
    return RUN_TESTS(argc, argv, tests, make_folder, remove_folder);
}
