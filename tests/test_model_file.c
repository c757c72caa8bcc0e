#include "base/clock.h"
#include "base/hash.h"
#include "predictor_calls.h"
#include "predictors/model_content.h"
#include "predictors/predictor_mlp.h"
#include "synthetic_rows.h"
#include "test.h"

#include <dirent.h>
#include <hdf5.h>
#include <inttypes.h>
#include <unistd.h>

enum { ENVELOPE_BYTES = 512 };

static const enum layer_kind kinds[] = {LAYER_DENSE, LAYER_POOL2D};

/* One fitted model and its file, shared by the tests, which write to `broken`. */
struct fixture {
    char folder[256], path[300], broken[300];
    struct dataset_rows rows;
    struct model model;
    unsigned char *bytes;
    size_t size;
};

static unsigned char *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void write_all(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    *state = &fixture;
    const char *parent = getenv("TMPDIR");
    snprintf(fixture.folder, sizeof fixture.folder, "%s/epochcast-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(fixture.path, sizeof fixture.path, "%s/model.h5", fixture.folder);
    snprintf(fixture.broken, sizeof fixture.broken, "%s/broken.h5", fixture.folder);

    const struct device_info devices[] = {synthetic_device("slow", 50, 5),
                                          synthetic_device("fast", 200, 20)};
    synthetic_rows_create(&fixture.rows, 400, kinds, 2, devices, 2, 0.1);
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 50;
    options.ensemble = 2;
    options.folds = 0;
    struct error error = {0};
    if (predictor_mlp.fit(&fixture.model.predictor, &fixture.rows, &options.base, NULL, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    snprintf(fixture.model.provenance, sizeof fixture.model.provenance, "a test, \xc2\xb5s");
    fixture.model.devices = fixture.rows.devices;
    fixture.model.device_count = 2;
    if (model_save(&fixture.model, fixture.path, false, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    fixture.bytes = read_all(fixture.path, &fixture.size);
    print_message("model file: %zu bytes\n", fixture.size);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fixture->model.devices = NULL; /* the rows own them */
    model_free(&fixture->model);
    synthetic_rows_free(&fixture->rows);
    free(fixture->bytes);
    unlink(fixture->path);
    unlink(fixture->broken);
    return rmdir(fixture->folder); /* fails when a temporary file was left */
}

/* Puts the right length and hash on bytes that a test has changed. */
static void seal(unsigned char *bytes, size_t size, int version)
{
    memset(bytes, 0, ENVELOPE_BYTES);
    snprintf((char *)bytes, ENVELOPE_BYTES,
             "epochcast model\nversion %d\nbytes %zu\nhash %016" PRIx64 "\n", version, size,
             hash_bytes(HASH_SEED, bytes + ENVELOPE_BYTES, size - ENVELOPE_BYTES));
}

/* Seals a file that a test has changed through HDF5. */
static void reseal(const char *path)
{
    size_t size;
    unsigned char *bytes = read_all(path, &size);
    seal(bytes, size, MODEL_FORMAT_VERSION);
    write_all(path, bytes, size);
    free(bytes);
}

static void assert_refused(const char *path, const char *message)
{
    struct model model;
    struct error error = {0};
    assert_int_equal(model_load(&model, path, &error), STATUS_BAD_FILE);
    if (!strstr(error.message, message))
        fail_msg("'%s' lacks '%s'", error.message, message);
    assert_null(model.predictor);
    assert_null(model.devices);
}

static void loaded_model_predicts_the_same_bits(void **state)
{
    const struct fixture *fixture = *state;
    struct model loaded;
    struct error error = {0};
    if (model_load(&loaded, fixture->path, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(loaded.provenance, fixture->model.provenance);
    assert_int_equal(loaded.device_count, 2);
    assert_string_equal(loaded.devices[1].name, "fast");
    assert_true(loaded.devices[1].peak_gflops == 200);
    assert_true(isnan(loaded.devices[1].measured_copy_gbps));
    for (size_t i = 0; i < fixture->rows.count; i++)
        for (int device = 0; device < 2; device++) {
            struct prediction a, b;
            memset(&a, 0, sizeof a);
            memset(&b, 0, sizeof b);
            const struct layer_config *config = &fixture->rows.rows[i].config;
            predict_configs(&a, fixture->model.predictor, config, 1, &fixture->rows.devices[device],
                            NULL);
            predict_configs(&b, loaded.predictor, config, 1, &loaded.devices[device], NULL);
            assert_true(a.covered && b.covered && a.extrapolates == b.extrapolates);
            assert_memory_equal(&a.median_ms, &b.median_ms, sizeof(double));
            assert_memory_equal(&a.low_ms, &b.low_ms, sizeof(double));
            assert_memory_equal(&a.high_ms, &b.high_ms, sizeof(double));
        }
    const struct layer_config conv = {.kind = LAYER_CONV2D, .batch_size = 1};
    struct prediction prediction;
    predict_configs(&prediction, loaded.predictor, &conv, 1, NULL, NULL);
    assert_false(prediction.covered);
    model_free(&loaded);
}

/* What fine-tuning starts from is stored, too. */
static void loaded_model_is_tuned_to_the_same_bits(void **state)
{
    const struct fixture *fixture = *state;
    struct mlp_options options = small_fit_options();
    struct predictor *once = NULL;
    struct model loaded;
    options.ensemble = 2;
    options.folds = 0;
    options.minimum_steps = 50;
    snprintf(options.fine_tune, sizeof options.fine_tune, "fast");
    assert_int_equal(predictor_mlp.fit(&once, &fixture->rows, &options.base, NULL, NULL),
                     STATUS_OK);
    assert_int_equal(model_load(&loaded, fixture->path, NULL), STATUS_OK);
    assert_int_equal(
        predictor_mlp.tune(loaded.predictor, &fixture->rows, &options.base, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < fixture->rows.count; i++) {
        const struct layer_config *config = &fixture->rows.rows[i].config;
        struct prediction a, b;
        predict_configs(&a, once, config, 1, &fixture->rows.devices[1], NULL);
        predict_configs(&b, loaded.predictor, config, 1, &fixture->rows.devices[1], NULL);
        assert_true(a.median_ms == b.median_ms && a.low_ms == b.low_ms);
    }
    once->type->free(once);
    model_free(&loaded);
}

static void loading_is_fast(void **state)
{
    const struct fixture *fixture = *state;
    enum { RUNS = 20 };
    const double begin_s = monotonic_s();
    for (int i = 0; i < RUNS; i++) {
        struct model loaded;
        assert_int_equal(model_load(&loaded, fixture->path, NULL), STATUS_OK);
        model_free(&loaded);
    }
    print_message("load: %.2f ms\n", (monotonic_s() - begin_s) * 1000 / RUNS);
}

static void existing_file_needs_overwrite(void **state)
{
    const struct fixture *fixture = *state;
    struct error error = {0};
    assert_int_equal(model_save(&fixture->model, fixture->path, false, &error), STATUS_USAGE);
    assert_non_null(strstr(error.message, "exists"));
    assert_int_equal(model_save(&fixture->model, fixture->path, true, &error), STATUS_OK);
}

static void unwritable_output_leaves_nothing(void **state)
{
    const struct fixture *fixture = *state;
    char path[600];
    struct error error = {0};
    snprintf(path, sizeof path, "%s/no/such/folder.h5", fixture->folder);
    assert_int_equal(model_save(&fixture->model, path, true, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "cannot create"));
    assert_int_equal(model_save(&fixture->model, fixture->folder, true, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "not a regular file"));

    DIR *folder = opendir(fixture->folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(count, 1);
    snprintf(path, sizeof path, "%s.tmp-%ld-0", fixture->folder, (long)getpid());
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Options that no type has by default: they must be stored, too. */
static struct fit_options *unusual_options(const struct predictor_type *type)
{
    struct fit_options *options;
    static const char *const unusual[][2] = {
        {"neighbours", "3"}, {"nets", "2"}, {"ridge", "1e-4"}, {"ensemble", "2"}, {"epochs", "3"}};
    assert_int_equal(fit_options_create(&options, type, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof unusual / sizeof *unusual; i++)
        (void)members_parse(options, type->options, type->option_count, unusual[i][0],
                            unusual[i][1], NULL);
    return options;
}

/* Forecasts of every row for both devices and an unseen one, before and after. */
static void assert_same_forecasts(const struct predictor *a, const struct predictor *b,
                                  const struct dataset_rows *rows)
{
    const struct device_info unseen = synthetic_device("unseen", 120, 14);
    const struct device_info *const devices[] = {&rows->devices[0], &rows->devices[1], &unseen};
    int covered = 0;
    for (size_t i = 0; i < rows->count; i++)
        for (int device = 0; device < 3; device++) {
            struct prediction before, after;
            memset(&before, 0, sizeof before);
            memset(&after, 0, sizeof after);
            predict_configs(&before, a, &rows->rows[i].config, 1, devices[device], NULL);
            predict_configs(&after, b, &rows->rows[i].config, 1, devices[device], NULL);
            assert_memory_equal(&before, &after, sizeof before);
            covered += after.covered;
        }
    assert_true(covered >= 2 * (int)rows->count);
}

/* A file with one byte changed, or without its last bytes, is refused. */
static void assert_damage_is_refused(const struct fixture *fixture, const char *path)
{
    size_t size;
    unsigned char *bytes = read_all(path, &size);
    for (size_t at = ENVELOPE_BYTES; at < size; at += size / 29 + 1) {
        struct model model;
        bytes[at] ^= 0x55;
        write_all(fixture->broken, bytes, size);
        assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_BAD_FILE);
        bytes[at] ^= 0x55;
        write_all(fixture->broken, bytes, at);
        assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_BAD_FILE);
    }
    free(bytes);
}

/* Nothing that a type has learnt may be missing: each object of the first kind, one by one. */
static void assert_objects_are_needed(const struct fixture *fixture, const char *path)
{
    size_t size;
    unsigned char *bytes = read_all(path, &size);
    for (int number = 0;; number++) {
        struct model model;
        char name[64] = "";
        write_all(fixture->broken, bytes, size);
        const hid_t file = H5Fopen(fixture->broken, H5F_ACC_RDWR, H5P_DEFAULT);
        const hid_t group = H5Gopen2(file, layer_descriptors[kinds[0]]->name, H5P_DEFAULT);
        if (number >= H5Aget_num_attrs(group) ||
            H5Aget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)number, name,
                               sizeof name, H5P_DEFAULT) < 0) {
            H5Gclose(group);
            H5Fclose(file);
            break;
        }
        H5Adelete(group, name);
        H5Gclose(group);
        H5Fclose(file);
        if (strcmp(name, "folds") == 0) /* models of earlier versions lack it */
            continue;
        reseal(fixture->broken);
        assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_BAD_FILE);
    }
    free(bytes);
}

static void every_type_is_stored(void **state)
{
    const struct fixture *fixture = *state;
    for (int i = 0; predictor_types[i]; i++) {
        const struct predictor_type *type = predictor_types[i];
        struct fit_options *options = unusual_options(type);
        struct error error = {0};
        struct model model = {.provenance = "a test"}, loaded;
        char path[300];
        snprintf(path, sizeof path, "%s/%s.h5", fixture->folder, type->name);
        assert_int_equal(type->fit(&model.predictor, &fixture->rows, options, NULL, &error),
                         STATUS_OK);
        if (model_save(&model, path, false, &error) != STATUS_OK ||
            model_load(&loaded, path, &error) != STATUS_OK)
            fail_msg("%s: %s", type->name, error.message);
        assert_ptr_equal(loaded.predictor->type, type);
        assert_int_equal(loaded.device_count, 2);
        assert_true(type->knows(loaded.predictor, kinds[0]));
        assert_same_forecasts(model.predictor, loaded.predictor, &fixture->rows);
        assert_damage_is_refused(fixture, path);
        if (type != &predictor_roofline) /* which stores nothing of a kind */
            assert_objects_are_needed(fixture, path);
        model_free(&loaded);
        model_free(&model);
        free(options);
        unlink(path);
    }
}

static void missing_and_foreign_files_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    char path[600];
    snprintf(path, sizeof path, "%s/missing.h5", fixture->folder);
    assert_refused(path, "missing.h5");
    write_all(fixture->broken, "name,layer\n", 11);
    assert_refused(fixture->broken, "is a CSV file, not a model");
    write_all(fixture->broken, "", 0);
    assert_refused(fixture->broken, "is empty, not a model");
    H5Fclose(H5Fcreate(fixture->broken, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    assert_refused(fixture->broken, "is an HDF5 file of another program, not a model");
}

static void newer_version_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    unsigned char *bytes = malloc(fixture->size);
    memcpy(bytes, fixture->bytes, fixture->size);
    seal(bytes, fixture->size, MODEL_FORMAT_VERSION + 1);
    write_all(fixture->broken, bytes, fixture->size);
    assert_refused(fixture->broken, "format version 4");
    free(bytes);
}

static void truncated_files_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    for (size_t size = 1; size < fixture->size; size += 1 + fixture->size / 97) {
        write_all(fixture->broken, fixture->bytes, size);
        assert_refused(fixture->broken, "broken.h5");
    }
    write_all(fixture->broken, fixture->bytes, fixture->size - 1);
    assert_refused(fixture->broken, "truncated");
}

static void flipped_bits_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    unsigned char *bytes = malloc(fixture->size);
    memcpy(bytes, fixture->bytes, fixture->size);
    for (uint32_t i = 0; i < 200; i++) {
        const struct philox_words words = philox(i, 0, 0, 0, 3);
        const size_t at = ENVELOPE_BYTES +
                          words.word[0] % (uint32_t)(fixture->size - ENVELOPE_BYTES);
        bytes[at] ^= (unsigned char)(1u << (words.word[1] % 8));
        write_all(fixture->broken, bytes, fixture->size);
        assert_refused(fixture->broken, "damaged");
        bytes[at] = fixture->bytes[at];
    }
    free(bytes);
}

/* Copies the model to `broken`, overwrites the first bytes of one dataset through HDF5, seals. */
static void patch_dataset(const struct fixture *fixture, const char *name, size_t offset,
                          const void *patch, size_t patch_size)
{
    write_all(fixture->broken, fixture->bytes, fixture->size);
    const hid_t file = H5Fopen(fixture->broken, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(dataset >= 0);
    /* The address counts from the end of the user block. */
    const haddr_t address = H5Dget_offset(dataset);
    assert_true(address != HADDR_UNDEF);
    H5Dclose(dataset);
    H5Fclose(file);
    unsigned char *bytes = malloc(fixture->size);
    memcpy(bytes, fixture->bytes, fixture->size);
    const size_t at = (size_t)address + offset;
    assert_true(at + patch_size <= fixture->size);
    memcpy(bytes + at, patch, patch_size);
    seal(bytes, fixture->size, MODEL_FORMAT_VERSION);
    write_all(fixture->broken, bytes, fixture->size);
    free(bytes);
}

/* Older files have a hash over bytes. */
static void older_hashes_are_read(void **state)
{
    const struct fixture *fixture = *state;
    struct model model;
    unsigned char *bytes = malloc(fixture->size);
    assert_non_null(strstr((const char *)fixture->bytes, "\nword_hash "));
    memcpy(bytes, fixture->bytes, fixture->size);
    seal(bytes, fixture->size, MODEL_FORMAT_VERSION);
    assert_non_null(strstr((const char *)bytes, "\nhash "));
    write_all(fixture->broken, bytes, fixture->size);
    assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_OK);
    model_free(&model);
    bytes[fixture->size - 1] ^= 1;
    write_all(fixture->broken, bytes, fixture->size);
    assert_refused(fixture->broken, "does not match its hash");
    memcpy(strstr((char *)bytes, "\nhash "), "\nsalt ", 6);
    write_all(fixture->broken, bytes, fixture->size);
    assert_refused(fixture->broken, "is damaged");
    free(bytes);
}

static void unknown_names_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    patch_dataset(fixture, "/dense/columns", 0, "renamed", 8);
    assert_refused(fixture->broken, "column 'renamed' of 'dense/columns'");
    const char *second = encode_column_name(ENCODING_PHYSICAL, LAYER_DENSE, true, 1);
    patch_dataset(fixture, "/dense/columns", 0, second, strlen(second) + 1);
    assert_refused(fixture->broken, "column '");
    assert_refused(fixture->broken, second);
    patch_dataset(fixture, "/dense/ranges", 0, "other", 6);
    assert_refused(fixture->broken, "range 'other' of 'dense/ranges'");
    struct model model;
    struct error error = {0};
    model_load(&model, fixture->broken, &error);
    assert_non_null(strstr(error.message, "is not known to this program"));
    assert_non_null(strstr(error.hint, "train the model again"));
}

static void impossible_values_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    const float nan_float = NAN;
    const double nan_double = NAN, negative = -1;
    patch_dataset(fixture, "/pool2d/parameters", 40, &nan_float, sizeof nan_float);
    assert_refused(fixture->broken, "impossible value of 'pool2d/parameters'");
    patch_dataset(fixture, "/dense/parameters_calibrated", 40, &nan_float, sizeof nan_float);
    assert_refused(fixture->broken, "impossible value of 'dense/parameters_calibrated'");
    patch_dataset(fixture, "/dense/intervals", 8, &negative, sizeof negative);
    assert_refused(fixture->broken, "impossible value of 'dense/intervals'");
    patch_dataset(fixture, "/dense/columns", 64, &nan_double, sizeof nan_double);
    assert_refused(fixture->broken, "impossible value of 'dense/columns'");
    patch_dataset(fixture, "/dense/ceilings", 8, &nan_double, sizeof nan_double);
    assert_refused(fixture->broken, "impossible value of 'dense/ceilings'");
    patch_dataset(fixture, "/dense/limits", 8, &nan_double, sizeof nan_double);
    assert_refused(fixture->broken, "impossible value of 'dense/limits'");
    patch_dataset(fixture, "/dense/ranges", 0, "pass", 5); /* twice: batch_size has none */
    assert_refused(fixture->broken, "impossible value of 'dense/ranges'");
}

/* Copies the model to `broken` without `dataset`, or, with values, with these in its place. */
static void replace_dataset(const struct fixture *fixture, const char *dataset, hid_t type,
                            const void *values, int rank, const hsize_t *shape)
{
    write_all(fixture->broken, fixture->bytes, fixture->size);
    const hid_t file = H5Fopen(fixture->broken, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, dataset, H5P_DEFAULT) >= 0);
    if (values) {
        const hid_t space = H5Screate_simple(rank, shape, NULL);
        const hid_t created = H5Dcreate2(file, dataset, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                         H5P_DEFAULT);
        assert_true(H5Dwrite(created, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
        H5Dclose(created);
        H5Sclose(space);
    }
    H5Fclose(file);
    reseal(fixture->broken);
}

/* Content that no model has, behind a right hash: without its parts, or with others. */
static void incomplete_content_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const parts[] = {"devices",         "dense/columns",    "dense/ranges",
                                        "dense/intervals", "dense/parameters", "dense/ceilings",
                                        "dense/limits"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        replace_dataset(fixture, parts[i], H5I_INVALID_HID, NULL, 0, NULL);
        assert_refused(fixture->broken, parts[i]);
    }
}

/* Copies the model to `broken` with another attribute of dense. */
static void replace_attribute(const struct fixture *fixture, const char *name,
                              const int32_t *values, hsize_t count)
{
    write_all(fixture->broken, fixture->bytes, fixture->size);
    const hid_t file = H5Fopen(fixture->broken, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t group = H5Gopen2(file, "dense", H5P_DEFAULT);
    const hid_t space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
    assert_true(H5Adelete(group, name) >= 0);
    const hid_t created = H5Acreate2(group, name, H5T_NATIVE_INT32, space, H5P_DEFAULT,
                                     H5P_DEFAULT);
    assert_true(H5Awrite(created, H5T_NATIVE_INT32, values) >= 0);
    H5Aclose(created);
    H5Sclose(space);
    H5Gclose(group);
    H5Fclose(file);
    reseal(fixture->broken);
}

/* Heads, folds and ceilings that do not belong to one another would be read beyond their ends. */
static void heads_folds_and_ceilings_must_fit(void **state)
{
    const struct fixture *fixture = *state;
    const struct mlp_kind *kind =
        &((const struct mlp_predictor *)fixture->model.predictor)->kinds[LAYER_DENSE];
    static const int32_t folds[] = {-1, 1, 3, INT32_MAX};
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        replace_attribute(fixture, "folds", &folds[i], 1);
        assert_refused(fixture->broken, "impossible value of 'dense/folds'");
    }
    static const int32_t heads[] = {0, -7, 1, 6, 8, 16, 17, INT32_MAX};
    const hsize_t widths = (hsize_t)kind->shape.layer_count + 1;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct mlp_shape shape = kind->shape;
        shape.widths[shape.layer_count] = heads[i];
        replace_attribute(fixture, "widths", shape.widths, widths);
        assert_refused(fixture->broken, "dense/");
    }
    enum { NETS = 2, ANCHORS = 3, DOUBLES = CEILING_HEADS + 1 };
    static const hsize_t shapes[][2] = {{NETS, ANCHORS * DOUBLES - 1},
                                        {NETS, (ANCHORS - 1) * DOUBLES},
                                        {NETS - 1, ANCHORS * DOUBLES},
                                        {NETS + 1, ANCHORS * DOUBLES},
                                        {NETS, 1000 * DOUBLES}};
    static const double values[NETS * 1000 * DOUBLES];
    assert_int_equal(kind->anchor_count, ANCHORS);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        replace_dataset(fixture, "dense/ceilings", H5T_NATIVE_DOUBLE, values, 2, shapes[i]);
        assert_refused(fixture->broken, "dense/ceilings");
        replace_dataset(fixture, "dense/limits", H5T_NATIVE_DOUBLE, values, 2, shapes[i]);
        assert_refused(fixture->broken, "dense/limits");
    }
}

/* No ceiling of a stranger's file makes a forecast that is not a number. */
static void forecasts_of_any_ceilings_are_finite(void **state)
{
    const struct fixture *fixture = *state;
    static const double thetas[] = {1e308, -1e308, 1e30, -1e30, 100};
    for (size_t i = 0; i < sizeof thetas / sizeof *thetas; i++) {
        struct model model;
        patch_dataset(fixture, "/dense/ceilings", 0, &thetas[i], sizeof thetas[i]);
        assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_OK);
        for (size_t row = 0; row < 20; row++) {
            const struct prediction prediction = predict_one(
                model.predictor, &fixture->rows.rows[row].config, &fixture->rows.devices[0]);
            assert_true(isfinite(prediction.median_ms) && prediction.median_ms > 0);
        }
        model_free(&model);
    }
}

static void nets_must_be_as_many_as_calibrated(void **state)
{
    const struct fixture *fixture = *state;
    const struct mlp_predictor *mlp = (const struct mlp_predictor *)fixture->model.predictor;
    const struct mlp_kind *kind = &mlp->kinds[LAYER_DENSE];
    const hsize_t shape[] = {1, mlp_parameter_count(&kind->shape)};
    assert_int_equal(kind->net_count, 2);
    replace_dataset(fixture, "dense/parameters_calibrated", H5T_NATIVE_FLOAT, kind->calibrated, 2,
                    shape);
    assert_refused(fixture->broken, "impossible value of 'dense/parameters_calibrated'");
}

/* Files older than the intervals per pass. */
static void older_intervals_serve_every_pass(void **state)
{
    const struct fixture *fixture = *state;
    const hsize_t shape[] = {INTERVAL_DECADE_COUNT};
    double quantiles[INTERVAL_DECADE_COUNT];
    for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++)
        quantiles[decade] = 1 + decade;
    replace_dataset(fixture, "dense/intervals", H5T_NATIVE_DOUBLE, quantiles, 1, shape);
    struct model model;
    assert_int_equal(model_load(&model, fixture->broken, NULL), STATUS_OK);
    const struct interval *interval =
        &((const struct mlp_predictor *)model.predictor)->kinds[LAYER_DENSE].interval;
    for (int pass = 0; pass < PASS_COUNT; pass++)
        assert_memory_equal(interval->quantiles[pass], quantiles, sizeof quantiles);
    model_free(&model);
}

static void devices_are_found_by_name(void **state)
{
    const struct fixture *fixture = *state;
    const struct device_info *device;
    struct error error = {0};
    assert_int_equal(model_device(&device, &fixture->model, NULL, &error), STATUS_OK);
    assert_string_equal(device->name, "slow");
    assert_int_equal(model_device(&device, &fixture->model, "fast", &error), STATUS_OK);
    assert_string_equal(device->name, "fast");
    assert_int_equal(model_device(&device, &fixture->model, "none", &error), STATUS_NO_DEVICE);
    assert_non_null(strstr(error.hint, "'slow', 'fast'"));
    assert_null(device);
}

/* sweep and verify take --device cpu: so does predict, if the model has one device of it. */
static void devices_are_found_by_their_backend(void **state)
{
    const struct fixture *fixture = *state;
    struct device_info devices[3] = {
        {.name = "AMD EPYC", .backend = "cpu"},
        {.name = "V100", .backend = "cuda"},
        {.name = "cpu", .backend = "cuda"},
    };
    struct model model = fixture->model;
    const struct device_info *device;
    model.devices = devices;
    model.device_count = 2;
    assert_int_equal(model_device(&device, &model, "cpu", NULL), STATUS_OK);
    assert_ptr_equal(device, &devices[0]);
    assert_int_equal(model_device(&device, &model, "cuda", NULL), STATUS_OK);
    assert_ptr_equal(device, &devices[1]);
    model.device_count = 3; // a name comes first; two of one backend: neither
    assert_int_equal(model_device(&device, &model, "cpu", NULL), STATUS_OK);
    assert_ptr_equal(device, &devices[2]);
    assert_int_equal(model_device(&device, &model, "cuda", NULL), STATUS_NO_DEVICE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loaded_model_predicts_the_same_bits),
        cmocka_unit_test(loaded_model_is_tuned_to_the_same_bits),
        cmocka_unit_test(loading_is_fast),
        cmocka_unit_test(existing_file_needs_overwrite),
        cmocka_unit_test(unwritable_output_leaves_nothing),
        cmocka_unit_test(every_type_is_stored),
        cmocka_unit_test(missing_and_foreign_files_are_refused),
        cmocka_unit_test(newer_version_is_refused),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(flipped_bits_are_refused),
        cmocka_unit_test(older_hashes_are_read),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(incomplete_content_is_refused),
        cmocka_unit_test(heads_folds_and_ceilings_must_fit),
        cmocka_unit_test(forecasts_of_any_ceilings_are_finite),
        cmocka_unit_test(nets_must_be_as_many_as_calibrated),
        cmocka_unit_test(older_intervals_serve_every_pass),
        cmocka_unit_test(devices_are_found_by_name),
        cmocka_unit_test(devices_are_found_by_their_backend),
    };
    return RUN_TESTS(argc, argv, tests, set_up, tear_down);
}
