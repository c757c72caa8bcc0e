/* Models and programs of different ages: what the encoder gets later orphans no model. */
#include "data/split.h"
#include "predictor_calls.h" /* before `error` of the fixture */
#include "predictors/model_content.h"
#include "predictors/predictor_mlp.h"
#include "synthetic_rows.h"

#include "folder_fixture.h"
#include "grown_dense.h"

enum { ROWS = 400 };

/* Predictors whose model files hold names of columns or features. */
static const struct trained_case {
    const struct predictor_type *type;
    enum encoding encoding; /* of mlp */
    const char *later_name; /* of a grown program, that today's does not know */
    bool knows_choices;     /* gelu is a column of its own */
    bool with_steps;        /* of mlp */
} cases[] = {
    {&predictor_mlp, ENCODING_PHYSICAL, "column 'log_groups' of 'dense/columns'", true, false},
    {&predictor_mlp, ENCODING_PHYSICAL, "column 'log_groups' of 'dense/columns'", true, true},
    {&predictor_mlp, ENCODING_PAPER, "column 'activation=gelu' of 'dense/columns'", true, false},
    {&predictor_linear, 0, "column 'activation=gelu' of 'dense/columns'", true, false},
    {&predictor_ceilings, 0, "column 'log_groups' of 'dense/columns'", true, false},
    {&predictor_nearest, 0, "feature 'groups' of 'dense/device_0/features'", false, false},
};
enum { CASES = sizeof cases / sizeof *cases };

static struct dataset_rows rows;
static struct prediction before[ROWS], after[ROWS];

static void make_rows(void)
{
    static const enum layer_kind kinds[] = {LAYER_DENSE};
    const struct device_info devices[] = {synthetic_device("slow", 50, 5),
                                          synthetic_device("fast", 200, 20)};
    synthetic_rows_create(&rows, ROWS, kinds, 1, devices, 2, 0.05);
}

static struct predictor *train_case(const struct trained_case *trained)
{
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 50;
    options.ensemble = 2;
    options.encoding = trained->encoding;
    options.step_rows = trained->with_steps ? 1 : ROWS + 1;
    return fit_with(trained->type, &rows, &options, NULL);
}

/* ---- model files, without their envelope ---- */

static struct model_place place_of(hid_t file, const char *path)
{
    return (struct model_place){
        .id = file, .path = path, .prefix = "", .file_bytes = (size_t)1 << 30};
}

static void save_content(const struct predictor *predictor, const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    const struct model_place root = place_of(file, path);
    SUCCEEDS(model_content_write(&root, predictor, "a test", &error));
    H5Fclose(file);
}

static enum status load_content(struct predictor **predictor, const char *path)
{
    char provenance[64];
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    const struct model_place root = place_of(file, path);
    const struct hdf5_silence silence = hdf5_silence_begin();
    const enum status status = model_content_read(&root, predictor, provenance, sizeof provenance,
                                                  &error);
    hdf5_silence_end(&silence);
    H5Fclose(file);
    return status;
}

static void delete_from(const char *path, const char *name)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    H5Fclose(file);
}

static void free_predictor(struct predictor *predictor)
{
    predictor->type->free(predictor);
}

static void predict_rows(struct prediction *predictions, const struct predictor *predictor)
{
    for (int i = 0; i < ROWS; i++) {
        memset(&predictions[i], 0, sizeof predictions[i]);
        const struct device_info *device = &rows.devices[rows.rows[i].device];
        SUCCEEDS(
            predict_configs(&predictions[i], predictor, &rows.rows[i].config, 1, device, &error));
        assert_true(predictions[i].covered && predictions[i].median_ms > 0);
    }
}

/* Trains with the program of the moment, leaves forecasts in `before` and the model in `path`. */
static void train_and_save(const struct trained_case *trained, const char *path)
{
    struct predictor *predictor = train_case(trained);
    predict_rows(before, predictor);
    save_content(predictor, path);
    free_predictor(predictor);
}

static void same_bits(const struct prediction *a, const struct prediction *b)
{
    for (int i = 0; i < ROWS; i++)
        assert_memory_equal(&a[i], &b[i], sizeof a[i]);
}

/* ---- old models, grown program ---- */

/* Old configs as the grown program has them. */
static void set_missing(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 2; j++)
            layer_set(&rows.rows[i].config, &grown_features[j], grown_features[j].missing);
}

/* A column that is the same in all rows would not be in the model. */
static void set_groups(void)
{
    for (int row = 0; row < ROWS; row++)
        layer_set(&rows.rows[row].config, &grown_features[0], 1 << row % 4);
}

static bool extrapolates(const struct predictor *predictor, const struct layer_config *config)
{
    const struct prediction prediction = predict_one(predictor, config, &rows.devices[0]);
    assert_true(prediction.covered && isfinite(prediction.median_ms));
    return prediction.extrapolates;
}

/* A row of the training set, inside of all ranges. */
static struct layer_config trained_config(const struct predictor *predictor)
{
    for (int i = 0; i < ROWS; i++)
        if (split_of(&rows.rows[i].config) == SPLIT_TRAIN &&
            rows.rows[i].config.as.dense.activation != ACTIVATION_NONE) {
            assert_false(extrapolates(predictor, &rows.rows[i].config));
            return rows.rows[i].config;
        }
    fail_msg("no training row");
    return rows.rows[0].config;
}

static void later_values_extrapolate(const struct predictor *predictor, bool knows_choices)
{
    const struct layer_config known = trained_config(predictor);
    struct layer_config config = known;
    layer_set(&config, &grown_features[0], 8);
    assert_true(extrapolates(predictor, &config));
    config = known;
    config.as.dense.activation = APPENDED_GELU;
    if (knows_choices)
        assert_true(extrapolates(predictor, &config));
}

static void old_models_forecast_the_same(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5"),
                           copy = in_folder(&folder, "copy.h5");
    for (int i = 0; i < CASES; i++) {
        struct predictor *loaded, *again;
        dense_of_schema(1);
        make_rows();
        train_and_save(&cases[i], file.text);
        dense_grows();
        set_missing();
        SUCCEEDS(load_content(&loaded, file.text));
        predict_rows(after, loaded);
        same_bits(before, after);
        later_values_extrapolate(loaded, cases[i].knows_choices);
        save_content(loaded, copy.text);
        SUCCEEDS(load_content(&again, copy.text));
        predict_rows(after, again);
        same_bits(before, after);
        later_values_extrapolate(again, cases[i].knows_choices);
        free_predictor(loaded);
        free_predictor(again);
        synthetic_rows_free(&rows);
    }
}

/* Columns of a grown program say nothing of a feature that its model was trained with. */
static void grown_models_know_their_features(void **state)
{
    (void)state;
    dense_grows();
    for (int i = 0; i < CASES; i++) {
        make_rows();
        set_missing();
        set_groups();
        struct predictor *predictor = train_case(&cases[i]);
        struct layer_config config = trained_config(predictor);
        layer_set(&config, &grown_features[0], 2);
        assert_false(extrapolates(predictor, &config));
        free_predictor(predictor);
        synthetic_rows_free(&rows);
    }
}

static void old_models_are_tuned_with_their_own_columns(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5"),
                           copy = in_folder(&folder, "copy.h5");
    struct predictor *predictor, *loaded;
    struct mlp_options options = small_fit_options();
    snprintf(options.fine_tune, sizeof options.fine_tune, "fast");
    options.tune_epochs = 2;
    dense_of_schema(1);
    make_rows();
    train_and_save(&cases[0], file.text);
    dense_grows();
    set_missing();
    SUCCEEDS(load_content(&predictor, file.text));
    const int columns = ((struct mlp_predictor *)predictor)->kinds[LAYER_DENSE].plan.count;
    SUCCEEDS(predictor_mlp.tune(predictor, &rows, &options.base, NULL, &error));
    for (int i = 0; i < ROWS; i++)
        rows.rows[i].device = 1;
    predict_rows(before, predictor);
    save_content(predictor, copy.text);
    SUCCEEDS(load_content(&loaded, copy.text));
    assert_int_equal(((struct mlp_predictor *)loaded)->kinds[LAYER_DENSE].plan.count, columns);
    predict_rows(after, loaded);
    same_bits(before, after);
    free_predictor(predictor);
    free_predictor(loaded);
    synthetic_rows_free(&rows);
}

/* Files of `nearest` had no names at first. */
static void unnamed_features_are_those_of_the_first_schema(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5");
    struct predictor *loaded;
    dense_of_schema(1);
    make_rows();
    train_and_save(&cases[CASES - 1], file.text);
    delete_from(file.text, "dense/device_0/features");
    delete_from(file.text, "dense/device_1/features");
    dense_grows();
    set_missing();
    SUCCEEDS(load_content(&loaded, file.text));
    predict_rows(after, loaded);
    same_bits(before, after);
    free_predictor(loaded);
    synthetic_rows_free(&rows);
}

/* ---- grown models, program of today ---- */

static void later_names_are_refused_by_name(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "new.h5");
    struct predictor *loaded;
    for (int i = 0; i < CASES; i++) {
        dense_grows();
        make_rows();
        set_missing();
        set_groups();
        train_and_save(&cases[i], file.text);
        dense_of_schema(1);
        FAILS(STATUS_BAD_FILE, cases[i].later_name, load_content(&loaded, file.text));
        assert_non_null(strstr(error.message, "is not known to this program"));
        assert_non_null(strstr(error.message, file.text));
        synthetic_rows_free(&rows);
    }
}

/* ---- another order ---- */

/* Sums in another order differ in their last bits. */
static void assert_near(double a, double b)
{
    if (!(fabs(a / b - 1) < 1e-6) && !(isnan(a) && isnan(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

static void order_of_names_does_not_matter(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "old.h5");
    for (int i = 0; i < CASES; i++) {
        struct predictor *loaded;
        dense_is_backwards();
        make_rows();
        train_and_save(&cases[i], file.text);
        dense_of_schema(1);
        SUCCEEDS(load_content(&loaded, file.text));
        predict_rows(after, loaded);
        for (int row = 0; row < ROWS; row++) {
            assert_near(after[row].median_ms, before[row].median_ms);
            assert_near(after[row].low_ms, before[row].low_ms);
            assert_int_equal(after[row].extrapolates, before[row].extrapolates);
        }
        free_predictor(loaded);
        synthetic_rows_free(&rows);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(old_models_forecast_the_same),
        TEST(grown_models_know_their_features),
        TEST(old_models_are_tuned_with_their_own_columns),
        TEST(unnamed_features_are_those_of_the_first_schema),
        TEST(later_names_are_refused_by_name),
        TEST(order_of_names_does_not_matter),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
