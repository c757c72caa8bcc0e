/* What must not happen to a dataset: rows lost to a full disk, a second writer or a kill; damage
 * that passes unseen; structure that is taken on trust. */
#include "base/philox.h"
#include "data/schema.h"
#include "dataset_files.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct folder folder;
static struct error error;

static int make_folder(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static void append_rows(struct dataset *dataset, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        const struct measurement row = sample_row(i);
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
}

static struct dataset *create(const char *path, bool overwrite, bool in_place)
{
    const struct dataset_header header = sample_header();
    const struct device_info info = sample_device("test device");
    struct dataset *dataset;
    int32_t device;
    SUCCEEDS(dataset_create(&dataset, path, &header, overwrite, in_place, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    return dataset;
}

static void write_file(const char *path, int count)
{
    struct dataset *dataset = create(path, true, false);
    append_rows(dataset, 0, count);
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static enum status read_one(struct dataset_rows *rows, const char *path)
{
    return dataset_read(rows, &path, 1, &error);
}

static size_t count_of(const char *path)
{
    struct dataset_rows rows;
    SUCCEEDS(read_one(&rows, path));
    const size_t count = rows.count;
    dataset_rows_free(&rows);
    return count;
}

static void check_row(const struct measurement *row)
{
    const struct measurement expected = sample_row(row->draw);
    assert_memory_equal(&row->config, &expected.config, sizeof expected.config);
    for (int i = 0; i < measurement_field_count; i++) {
        const struct field *field = &measurement_fields[i];
        const char *a = (const char *)row + field->offset;
        const char *b = (const char *)&expected + field->offset;
        const bool is_int32 = field->type == FIELD_INT32 || field->type == FIELD_CHOICE;
        if (field->type == FIELD_TEXT)
            assert_string_equal(a, b);
        else
            assert_memory_equal(a, b, is_int32 ? 4 : 8);
    }
}

/* ---- kills ---- */

/* A child appends and flushes without end, telling how many rows are flushed. */
static pid_t start_writer(const char *path, int *told)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        struct dataset *dataset = create(path, true, true);
        for (int i = 0;; i += 25) {
            append_rows(dataset, i, 25);
            dataset_flush(dataset, NULL);
            const int flushed = i + 25;
            if (write(ends[1], &flushed, sizeof flushed) != sizeof flushed)
                _exit(1);
        }
    }
    close(ends[1]);
    *told = ends[0];
    return child;
}

static void kill_at_any_moment_loses_no_flushed_row(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "killed.h5");
    for (uint32_t i = 0; i < 10; i++) {
        int told, flushed = 0, last;
        const pid_t child = start_writer(file.text, &told);
        assert_int_equal(read(told, &last, sizeof last), sizeof last);
        usleep(philox(i, 0, 0, 0, 5).word[0] % 60000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (flushed = last; read(told, &last, sizeof last) == sizeof last;)
            flushed = last;
        close(told);
        struct dataset_rows rows;
        SUCCEEDS(read_one(&rows, file.text));
        assert_true(rows.count >= (size_t)flushed);
        for (size_t j = 0; j < rows.count; j++)
            check_row(&rows.rows[j]);
        dataset_rows_free(&rows);
    }
    assert_int_equal(folder_count(&folder), 1);
}

/* The file of an import has no name before it is whole, so that a kill leaves nothing. */
static void killed_import_leaves_nothing(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "import.h5");
    struct dataset *dataset = create(file.text, false, false);
    append_rows(dataset, 0, 1000);
    assert_int_equal(folder_count(&folder), 0);
    dataset_close(dataset);
    assert_int_equal(folder_count(&folder), 0);
}

static void unfinished_import_keeps_the_old_file(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "import.h5");
    write_file(file.text, 5);
    struct dataset *dataset = create(file.text, true, false);
    append_rows(dataset, 0, 1000);
    dataset_close(dataset);
    assert_int_equal(count_of(file.text), 5);
}

static void file_that_appears_meanwhile_is_kept(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "race.h5");
    struct dataset *dataset = create(file.text, false, false);
    append_rows(dataset, 0, 7);
    write_file(file.text, 2);
    FAILS(STATUS_FAILED, "exists", dataset_finish(dataset, &error));
    dataset_close(dataset);
    assert_int_equal(count_of(file.text), 2);
    assert_int_equal(folder_count(&folder), 1);
}

/* ---- two at a time ---- */

static bool second_opener_is_told(const char *path)
{
    struct dataset_rows rows;
    struct dataset *second;
    const struct dataset_header header = sample_header();
    return read_one(&rows, path) == STATUS_BAD_FILE &&
           strstr(error.message, "being written by another program") &&
           strstr(error.hint, "copy") &&
           dataset_create(&second, path, &header, true, true, &error) == STATUS_FAILED &&
           strstr(error.message, "being written by another program");
}

/* Forked before the file is opened: HDF5 knows what its own process has open. */
static void test_second_opener_is_told(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "busy.h5");
    int gate[2], result = -1;
    assert_int_equal(pipe(gate), 0);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        char ready;
        const bool is_told = read(gate[0], &ready, 1) == 1 && second_opener_is_told(file.text);
        if (!is_told)
            fprintf(stderr, "told: %s\n", error.message);
        _exit(is_told ? 0 : 1);
    }
    struct dataset *dataset = create(file.text, false, true);
    append_rows(dataset, 0, 60);
    assert_int_equal(write(gate[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    close(gate[0]);
    close(gate[1]);
    append_rows(dataset, 60, 60);
    dataset_close(dataset);
    assert_int_equal(count_of(file.text), 120);
}

/* ---- places that cannot be written ---- */

static void unwritable_places(void **state)
{
    (void)state;
    const struct dataset_header header = sample_header();
    const struct file_name missing = in_folder(&folder, "no/such/folder.h5");
    struct dataset *dataset;
    for (int in_place = 0; in_place < 2; in_place++) {
        FAILS(STATUS_FAILED, "No such file or directory",
              dataset_create(&dataset, missing.text, &header, false, in_place, &error));
        FAILS(STATUS_FAILED, "not a regular file",
              dataset_create(&dataset, folder.path, &header, true, in_place, &error));
        FAILS(STATUS_FAILED, "not a regular file",
              dataset_create(&dataset, "/dev/full", &header, true, in_place, &error));
    }
    assert_int_equal(folder_count(&folder), 0);
}

/* A limit on the size of files stands for a full disk. */
static struct rlimit limit_file_size(long bytes)
{
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    const struct rlimit limit = {.rlim_cur = (rlim_t)bytes, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    return old;
}

/* Appends and flushes until it fails; the number of rows that were flushed before. */
static int fill_disk(struct dataset *dataset, int first)
{
    for (int i = first; i < first + 20000; i++) {
        const struct measurement row = sample_row(i);
        if (dataset_append(dataset, &row, &error) != STATUS_OK ||
            (i % 50 == 49 && dataset_flush(dataset, &error) != STATUS_OK))
            return i - i % 50;
    }
    fail_msg("the disk never got full");
    return 0;
}

static void full_disk_loses_nothing_that_was_flushed(void **state)
{
    (void)state;
    for (int limit = 0; limit < 4; limit++) { /* fails in this or that part of HDF5's writing */
        const struct file_name file = in_folder(&folder, "full.h5");
        struct dataset *dataset = create(file.text, true, true);
        append_rows(dataset, 0, 100);
        SUCCEEDS(dataset_flush(dataset, &error));
        const struct rlimit old = limit_file_size(file_size(file.text) + 100000 + limit * 131000);
        const int flushed = fill_disk(dataset, 100);
        assert_non_null(strstr(error.message, "File too large"));
        dataset_close(dataset);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_true(count_of(file.text) >= (size_t)flushed);
    }
}

static void full_disk_while_finishing(void **state)
{
    (void)state;
    for (int in_place = 0; in_place < 2; in_place++) {
        const struct file_name file = in_folder(&folder, in_place ? "sweep.h5" : "import.h5");
        struct dataset *dataset = create(file.text, false, in_place);
        append_rows(dataset, 0, 3000);
        SUCCEEDS(dataset_flush(dataset, &error));
        const struct rlimit old = limit_file_size(30000);
        const enum status status = dataset_finish(dataset, &error);
        dataset_close(dataset);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, STATUS_FAILED);
        assert_non_null(strstr(error.message, "File too large"));
        if (in_place)
            assert_int_equal(count_of(file.text), 3000);
        else
            assert_int_equal(folder_count(&folder), 0);
    }
    assert_int_equal(folder_count(&folder), 1);
}

/* ---- structure that strangers made ---- */

static hid_t open_for_change(const char *path)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

/* Replaces /dense/rows; `row` (or NULL) is its first. */
static void replace_table(const char *path, hid_t type, hsize_t count, hid_t creation,
                          const struct measurement *row)
{
    const hsize_t unlimited = H5S_UNLIMITED;
    const bool is_chunked = H5Pget_layout(creation) == H5D_CHUNKED;
    const hid_t space = H5Screate_simple(1, &count, is_chunked ? &unlimited : NULL);
    const hid_t file = open_for_change(path), memory = schema_row_type(LAYER_DENSE, false);
    H5Ldelete(file, "/dense/rows", H5P_DEFAULT);
    const hid_t dataset = H5Dcreate2(file, "/dense/rows", type, space, H5P_DEFAULT, creation,
                                     H5P_DEFAULT);
    assert_true(dataset >= 0);
    assert_true(!row || H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) >= 0);
    H5Dclose(dataset);
    H5Tclose(memory);
    H5Sclose(space);
    H5Fclose(file);
}

static void tables_that_lie(void **state)
{
    (void)state;
    struct dataset_rows rows;
    const struct file_name file = in_folder(&folder, "lie.h5");
    const hsize_t chunk = 512, huge_chunk = 10000000;
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), type = schema_row_type(LAYER_DENSE, true);
    write_file(file.text, 3);
    replace_table(file.text, type, 3, creation, NULL);
    FAILS(STATUS_BAD_FILE, "storage", read_one(&rows, file.text));
    H5Pset_chunk(creation, 1, &chunk);
    replace_table(file.text, type, 900000000, creation, NULL); /* no chunk is there */
    FAILS(STATUS_BAD_FILE, "more rows than the file can hold", read_one(&rows, file.text));
    H5Pset_chunk(creation, 1, &huge_chunk);
    replace_table(file.text, type, 3, creation, NULL);
    FAILS(STATUS_BAD_FILE, "storage", read_one(&rows, file.text));
    H5Pset_chunk(creation, 1, &chunk);
    replace_table(file.text, H5T_NATIVE_DOUBLE, 3, creation, NULL);
    FAILS(STATUS_BAD_FILE, "columns", read_one(&rows, file.text));
    H5Pset_filter(creation, 31999, H5Z_FLAG_OPTIONAL, 0, NULL); /* a plug-in's */
    replace_table(file.text, type, 3, creation, NULL);
    FAILS(STATUS_BAD_FILE, "storage", read_one(&rows, file.text));
    H5Tclose(type);
    H5Pclose(creation);
}

static void links_to_other_files_are_not_followed(void **state)
{
    (void)state;
    struct dataset_rows rows;
    const struct file_name file = in_folder(&folder, "link.h5"), other = in_folder(&folder, "o.h5");
    write_file(other.text, 3);
    write_file(file.text, 3);
    const hid_t handle = open_for_change(file.text);
    H5Ldelete(handle, "/dense", H5P_DEFAULT);
    H5Lcreate_external("o.h5", "/dense", handle, "/dense", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(handle);
    FAILS(STATUS_BAD_FILE, "/dense", read_one(&rows, file.text));
}

static hid_t reversed_names(hid_t member)
{
    const hid_t reversed = H5Tenum_create(H5T_NATIVE_INT32);
    const int count = H5Tget_nmembers(member);
    for (int i = 0; i < count; i++) {
        char *name = H5Tget_member_name(member, (unsigned)(count - 1 - i));
        H5Tenum_insert(reversed, name, &i);
        H5free_memory(name);
    }
    return reversed;
}

/* A file whose lists of names stand in another order means the same. */
static void choices_are_read_by_name(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "names.h5");
    const struct measurement row = sample_row(0);
    const hsize_t chunk = 8;
    const hid_t packed = schema_row_type(LAYER_DENSE, true), plist = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t type = H5Tcreate(H5T_COMPOUND, H5Tget_size(packed));
    for (unsigned i = 0; i < (unsigned)H5Tget_nmembers(packed); i++) {
        char *name = H5Tget_member_name(packed, i);
        const hid_t member = H5Tget_member_type(packed, i);
        const bool is_choice = H5Tget_class(member) == H5T_ENUM;
        H5Tinsert(type, name, H5Tget_member_offset(packed, i),
                  is_choice ? reversed_names(member) : member);
        H5free_memory(name);
        H5Tclose(member);
    }
    H5Pset_chunk(plist, 1, &chunk);
    write_file(file.text, 2); /* a dense and a conv2d row */
    replace_table(file.text, type, 1, plist, &row);
    H5Pclose(plist);
    H5Tclose(type);
    H5Tclose(packed);
    struct dataset_rows rows;
    SUCCEEDS(read_one(&rows, file.text));
    check_row(&rows.rows[0]);
    dataset_rows_free(&rows);
}

/* ---- damage ---- */

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct bytes load(const char *path)
{
    struct bytes bytes = {.size = (size_t)file_size(path)};
    FILE *in = fopen(path, "rb");
    bytes.data = malloc(bytes.size);
    if (!in || !bytes.data || fread(bytes.data, 1, bytes.size, in) != bytes.size)
        abort();
    fclose(in);
    return bytes;
}

static void store(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0)
        abort();
}

/* A bit, a byte, four bytes, or the end cut off. */
static size_t damage(unsigned char *copy, size_t size, uint32_t index)
{
    const struct philox_words words = philox(index, 0, 0, 0, 77);
    const size_t at = words.word[0] % size;
    const unsigned char value = (unsigned char)words.word[2];
    switch (words.word[1] % 4) {
    case 0:
        copy[at] ^= (unsigned char)(1u << (value % 8));
        return size;
    case 1:
        copy[at] = value;
        return size;
    case 2:
        memset(copy + at, value % 2 ? 0xff : 0, size - at < 4 ? size - at : 4);
        return size;
    default:
        return at;
    }
}

static void read_damaged(const struct bytes *bytes, unsigned char *copy, uint32_t index,
                         bool is_sealed)
{
    const struct file_name file = in_folder(&folder, "damaged.h5");
    struct dataset_rows rows;
    memcpy(copy, bytes->data, bytes->size);
    store(file.text, copy, damage(copy, bytes->size, index));
    error = (struct error){.status = STATUS_OK};
    const enum status status = read_one(&rows, file.text);
    if (status != STATUS_OK) {
        assert_true(status == STATUS_BAD_FILE && strlen(error.message) > 0);
        assert_null(rows.rows);
        return;
    }
    for (size_t i = 0; is_sealed && i < rows.count; i++)
        check_row(&rows.rows[i]); /* a byte replaced by itself, or the seal's own mark */
    dataset_rows_free(&rows);
}

static void read_all_damaged(const char *path, uint32_t first, uint32_t count, bool is_sealed)
{
    const struct bytes bytes = load(path);
    unsigned char *copy = malloc(bytes.size);
    for (uint32_t i = first; i < first + count; i++)
        read_damaged(&bytes, copy, i, is_sealed);
    free(copy);
    free(bytes.data);
}

static void no_damage_to_a_finished_file_passes_unseen(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "good.h5");
    write_file(file.text, 30);
    read_all_damaged(file.text, 0, 400, true);
}

static void damage_to_a_growing_file_is_survived(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "good.h5");
    struct dataset *dataset = create(file.text, false, true);
    append_rows(dataset, 0, 60);
    dataset_close(dataset);
    read_all_damaged(file.text, 1000, 100, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(kill_at_any_moment_loses_no_flushed_row),
        TEST(killed_import_leaves_nothing),
        TEST(unfinished_import_keeps_the_old_file),
        TEST(file_that_appears_meanwhile_is_kept),
        TEST(test_second_opener_is_told),
        TEST(unwritable_places),
        TEST(full_disk_loses_nothing_that_was_flushed),
        TEST(full_disk_while_finishing),
        TEST(tables_that_lie),
        TEST(links_to_other_files_are_not_followed),
        TEST(choices_are_read_by_name),
        TEST(no_damage_to_a_finished_file_passes_unseen),
        TEST(damage_to_a_growing_file_is_survived),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
