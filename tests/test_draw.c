/* Pictures of datasets, evaluations and verifications: which panels they get, and what stands in
 * them. */
#include "drawn_picture.h"
#include "pictures/draw.h"
#include "synthetic_rows.h"

/* Draws what the script holds, where there is a gnuplot. */
static void finish(struct picture *picture)
{
    if (gnuplot_check(&error) == STATUS_OK)
        free(rendered(picture));
    else
        picture_free(picture);
}

/* ---- verification ---- */

#define STEP(batch, pass_, optimizer_, measured, ci, predicted, low, high, first, second)          \
    {                                                                                              \
        .batch_size = (batch), .pass = (pass_), .optimizer = (optimizer_),                         \
        .measured_ms = (measured), .measured_ci_ms = (ci), .predicted_ms = (predicted),            \
        .predicted_low_ms = (low), .predicted_high_ms = (high), .baselines_ms = {                  \
            (first),                                                                               \
            (second)                                                                               \
        }                                                                                          \
    }
static const struct verified_step steps[] = {
    STEP(1, PASS_FORWARD, OPTIMIZER_NONE, 10, 0.1, 11, 9, 13, 5, 20),
    STEP(2, PASS_FORWARD, OPTIMIZER_NONE, 20, NAN, 18, NAN, NAN, 12, NAN),
    STEP(1, PASS_TRAIN, OPTIMIZER_SGD, 30, 0.2, 45, 40, 50, 9, 3),
    STEP(2, PASS_TRAIN, OPTIMIZER_SGD, 60, 0.2, 60, 40, 70, 9, 3),
    STEP(1, PASS_TRAIN, OPTIMIZER_ADAM, 40, 0.2, 40, 40, 50, 9, 3),
};

static struct verified_network verified_of(int count, int baseline_count)
{
    return (struct verified_network){.network = "net",
                                     .device = "device, 1 thread",
                                     .steps = steps,
                                     .count = count,
                                     .baselines = {"roof'line", "linear"},
                                     .baseline_count = baseline_count};
}

static void draw_verified(struct picture *picture, const struct verified_network *verified,
                          enum picture_form form)
{
    SUCCEEDS(picture_create(picture, form, &error));
    draw_verification(picture, verified);
    script_of(picture);
}

/* Every pass has its row of panels, the worst error among them. */
static void verified_passes(void **state)
{
    struct picture picture;
    (void)state;
    struct verified_network verified = verified_of(2, 1);
    draw_verified(&picture, &verified, PICTURE_SVG);
    assert_string_equal(picture.title, "net on device, 1 thread: 2 measured steps");
    assert_has(picture.text, "'forward: a whole step, measured and predicted'");
    assert_has(picture.text, "title 'forward, measured'");
    assert_has(picture.text, "title 'forward, roof’line'");
    assert_int_equal(picture.panel_count, 2);
    finish(&picture);
    verified = verified_of(5, 2);
    draw_verified(&picture, &verified, PICTURE_SVG);
    assert_has(picture.text, "'forward: error of the forecast'");
    assert_has(picture.text, "'train: error of the forecast'");
    assert_has(picture.text, "'train: compared with the baselines'");
    assert_has(picture.text, "$run1 << EOD\n1 40 0.2 40 40 50 9 3\nEOD\n");
    assert_has(picture.text, "title 'adam, measured'");
    assert_int_equal(occurrences(picture.text, "set yrange [-15:55]"), 2); /* 1.1 x 50 %: shared */
    assert_int_equal(picture.panel_count, 6);
    finish(&picture);
    draw_verified(&picture, &verified, PICTURE_TERMINAL);
    finish(&picture);
}

/* The times of --layers, at the largest batch size of each step. */
static void verified_layers(void **state)
{
    struct picture picture;
    struct verified_step timed[5];
    struct verified_network verified = verified_of(5, 0);
    (void)state;
    memcpy(timed, steps, sizeof timed);
    for (int i = 0; i < 5; i++) {
        timed[i].kind_count = 2;
        timed[i].kinds[0] = (struct verified_kind){"conv'2d", 13, 10 * i + 1, 10 * i + 2, NAN};
        timed[i].kinds[1] = (struct verified_kind){"dense", 3, 4, 5, i > 1 ? 6 : NAN};
    }
    verified.steps = timed;
    draw_verified(&picture, &verified, PICTURE_SVG);
    assert_has(picture.text, "'layers within the step: forward, batch size 2'");
    assert_has(picture.text, "'layers within the step: train, sgd, batch size 2'");
    assert_has(picture.text, "'layers within the step: train, adam, batch size 1'");
    assert_null(strstr(picture.text, "sgd, batch size 1'"));
    assert_has(picture.text, "'conv’2d ×13' 0, 'dense ×3' 1");
    assert_has(picture.text, "$kinds0 << EOD\n11 -0.2 \"11 ms\"\n4 0.8 \"4 ms\"\nEOD\n");
    assert_int_equal(occurrences(picture.text, "title 'measured alone'"), 2);
    assert_int_equal(picture.panel_count, 4 + 3);
    finish(&picture);
    draw_verified(&picture, &verified, PICTURE_TERMINAL);
    finish(&picture);
}

/* ---- datasets ---- */

/* Rows of up to nine devices, more than there are colours; some without a time or an interval. */
static void fill_rows(struct dataset_rows *rows, int device_count)
{
    static const enum layer_kind kinds[] = {LAYER_DENSE, LAYER_CONV2D};
    struct device_info devices[9];
    for (int i = 0; i < device_count; i++) {
        devices[i] = synthetic_device("", 1000, 100);
        snprintf(devices[i].name, sizeof devices[i].name, "d'%d `x` %%s", i);
    }
    synthetic_rows_create(rows, 4000, kinds, 2, devices, device_count, 0.1);
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].ci_ms = i % 3 ? 0.01 * rows->rows[i].median_ms : NAN;
    rows->rows[0].outcome = OUTCOME_OUT_OF_MEMORY;
    rows->rows[0].median_ms = NAN;
}

static void dataset(void **state)
{
    struct dataset_rows rows;
    struct picture picture;
    (void)state;
    for (int device_count = 1; device_count <= 9; device_count += 8) {
        fill_rows(&rows, device_count);
        SUCCEEDS(picture_create(&picture, PICTURE_SVG, &error));
        draw_dataset(&picture, &rows);
        script_of(&picture);
        assert_string_equal(picture.title,
                            device_count > 1
                                ? "d'0 `x` %s, d'1 `x` %s, d'2 `x` %s and 6 more: 3999 timed rows"
                                : "d'0 `x` %s: 3999 timed rows");
        assert_has(picture.text, "dense: 1999 timed rows, one of 2 shown");
        assert_has(picture.text, "conv2d: 2000 timed rows");
        assert_null(strstr(picture.text, "pool2d"));
        /* the noise has a legend too */
        assert_int_equal(
            occurrences(picture.text, device_count > 1 ? "title 'd’5 `x` %s'" : "title 'forward'"),
            4);
        assert_null(strstr(picture.text, "set key off"));
        assert_int_equal(strstr(picture.text, "other devices") != NULL, device_count > 1);
        assert_int_equal(picture.panel_count, 4);
        finish(&picture);
        synthetic_rows_free(&rows);
    }
}

static void datasets_without_noise_or_rows(void **state)
{
    struct dataset_rows rows;
    struct picture picture;
    (void)state;
    fill_rows(&rows, 1);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].ci_ms = rows.rows[i].config.kind == LAYER_DENSE ? NAN : rows.rows[i].ci_ms;
    SUCCEEDS(picture_create(&picture, PICTURE_SVG, &error));
    draw_dataset(&picture, &rows);
    assert_int_equal(picture.panel_count, 3);
    finish(&picture);
    synthetic_rows_free(&rows);
    rows = (struct dataset_rows){.count = 0};
    SUCCEEDS(picture_create(&picture, PICTURE_SVG, &error));
    draw_dataset(&picture, &rows);
    assert_string_equal(picture.title, "0 timed rows");
    assert_has(script_of(&picture), "set title 'no timed rows'");
    finish(&picture);
}

/* ---- evaluations ---- */

enum { FORECAST_COUNT = 100 };
struct forecast_rows {
    struct dataset_rows rows;
    const struct measurement *measured[FORECAST_COUNT];
    struct prediction predictions[FORECAST_COUNT];
    struct row_forecasts forecasts;
};

/* Forecasts of `factor` times what was measured. */
static void fill_forecasts(struct forecast_rows *all, double factor)
{
    fill_rows(&all->rows, 2);
    all->forecasts = (struct row_forecasts){
        .count = FORECAST_COUNT, .rows = all->measured, .predictions = all->predictions};
    for (size_t i = 0; i < FORECAST_COUNT; i++) {
        all->measured[i] = &all->rows.rows[i + 1];
        all->predictions[i] = (struct prediction){.median_ms = factor *
                                                               all->rows.rows[i + 1].median_ms};
    }
}

static void draw_errors(struct picture *picture, const struct evaluation_drawing *drawing)
{
    SUCCEEDS(picture_create(picture, PICTURE_SVG, &error));
    SUCCEEDS(draw_evaluation(picture, drawing, &error));
    script_of(picture);
}

static void scatter(void **state)
{
    struct forecast_rows all;
    struct picture picture;
    struct evaluated_list points = {.count = 0};
    const struct evaluation_drawing drawing = {
        .points = &points, .rows = &all.rows, .what = "rows of the test split"};
    (void)state;
    fill_forecasts(&all, 1.5);
    SUCCEEDS(evaluated_add(&points, "mlp", -1, &all.forecasts, &all.rows, &error));
    SUCCEEDS(evaluated_add(&points, "linear", -1, &all.forecasts, &all.rows, &error));
    assert_int_equal(points.count, 1); /* the chosen predictor alone */
    draw_errors(&picture, &drawing);
    assert_string_equal(picture.title, "d'0 `x` %s, d'1 `x` %s: 100 rows of the test split");
    assert_has(picture.text, "'dense: error 50.0 % median, 50.0 % p90, 50 rows'");
    assert_has(picture.text, "title 'd’1 `x` %s'");
    assert_int_equal(picture.panel_count, 2);
    const char *range = strstr(picture.text, "set xrange ");
    char shared[80];
    snprintf(shared, sizeof shared, "%.*s", (int)strcspn(range, "\n"), range);
    assert_int_equal(occurrences(picture.text, shared), 2); /* the panels have the same axes */
    finish(&picture);
    for (size_t i = 0; i < FORECAST_COUNT; i++) /* most of them far beyond what is measured */
        all.predictions[i].median_ms = i < 10 ? all.measured[i]->median_ms : i % 2 ? 1e9 : -1;
    SUCCEEDS(evaluated_add(&points, "mlp", 50, &all.forecasts, &all.rows, &error));
    SUCCEEDS(evaluated_add(&points, "mlp", 50, &all.forecasts, &all.rows, &error));
    assert_int_equal(points.count, 2);
    assert_int_equal(points.list[1].count, 2 * FORECAST_COUNT);
    draw_errors(&picture, &drawing);
    assert_has(picture.text, "'conv2d, mlp + 50 rows: ");
    assert_int_equal(occurrences(picture.text, "; 90 beyond"), 2);
    assert_int_equal(picture.panel_count, 4);
    finish(&picture);
    evaluated_free(&points);
    synthetic_rows_free(&all.rows);
}

static struct evaluation_row error_row(enum layer_kind kind, const char *predictor,
                                       const char *device, const char *group, double median_percent)
{
    struct evaluation_row row = {.layer = kind,
                                 .predictor = predictor,
                                 .errors = {.count = 9,
                                            .median_ape_percent = median_percent,
                                            .p90_ape_percent = 3 * median_percent},
                                 .interval_coverage_percent = 88};
    snprintf(row.device, sizeof row.device, "%s", device);
    snprintf(row.group, sizeof row.group, "%s", group);
    return row;
}

/* One dot plot per kind, on one axis; of several devices the rows of all. */
static void errors_by_predictor(void **state)
{
    static const char mlp[] = "mlp", linear[] = "lin'ear";
    struct evaluation_row rows[] = {
        error_row(LAYER_DENSE, mlp, "all", "all", 2),
        error_row(LAYER_DENSE, mlp, "all", "forward", 77),
        error_row(LAYER_DENSE, mlp, "d'0", "all", 78),
        error_row(LAYER_CONV2D, mlp, "all", "all", 4),
        error_row(LAYER_DENSE, linear, "all", "all", 20),
        error_row(LAYER_CONV2D, linear, "all", "all", 0),
    };
    const struct evaluation errors = {.rows = rows, .count = sizeof rows / sizeof *rows};
    struct forecast_rows all;
    struct evaluated_list points = {.count = 0};
    const struct evaluation_drawing drawing = {
        .points = &points, .errors = &errors, .rows = &all.rows, .what = "rows"};
    struct picture picture;
    (void)state;
    fill_forecasts(&all, 1);
    draw_errors(&picture, &drawing);
    assert_has(picture.text, "'dense: error by predictor'");
    assert_has(picture.text, "'conv2d: error by predictor'");
    assert_has(picture.text, "set ytics ('mlp' 0, 'lin’ear' 1)");
    assert_has(picture.text, "$dots << EOD\n2 0 6 nan\n20 1 60 nan\nEOD\n");
    assert_has(picture.text, "$dots << EOD\n4 0 12 nan\n0.1 1 0.1 nan\nEOD\n"); /* no log of 0 */
    assert_int_equal(occurrences(picture.text, "set xrange [0.0769231:78]"), 2);
    assert_int_equal(picture.panel_count, 2);
    assert_string_equal(picture.note, "");
    finish(&picture);
    synthetic_rows_free(&all.rows);
}

static void errors_by_group(void **state)
{
    static const char mlp[] = "mlp";
    struct evaluation_row rows[] = {
        error_row(LAYER_DENSE, mlp, "d'0", "all", 2),
        error_row(LAYER_DENSE, mlp, "d'0", "0.1..1 ms", 3),
        error_row(LAYER_DENSE, mlp, "d'0", "1..10 ms", 4),
    };
    const struct evaluation errors = {.rows = rows, .count = sizeof rows / sizeof *rows};
    struct forecast_rows all;
    struct evaluated_list points = {.count = 0};
    const struct evaluation_drawing drawing = {
        .points = &points, .errors = &errors, .rows = &all.rows, .what = "rows"};
    struct picture picture;
    (void)state;
    fill_forecasts(&all, 1);
    SUCCEEDS(evaluated_add(&points, mlp, -1, &all.forecasts, &all.rows, &error));
    draw_errors(&picture, &drawing);
    assert_has(picture.text, "'dense: error'");
    assert_has(picture.text, "'dense: coverage'");
    assert_has(picture.text, "set ytics ('0.1..1 ms, d’0' 0");
    assert_has(picture.text, "4 1 12 88\n");
    assert_int_equal(picture.panel_count, 2 + 2); /* and the scatter */
    finish(&picture);
    evaluated_free(&points);
    synthetic_rows_free(&all.rows);
}

/* More slices than a panel has lines, more keys than there are panels: a note says so. */
static void errors_by_slice(void **state)
{
    enum { SLICES = 60, KEYS = 30 };
    static struct slice slices[SLICES + KEYS];
    static char keys[KEYS][16];
    const struct residuals residuals = {.slices = slices, .count = SLICES + KEYS};
    struct forecast_rows all;
    struct evaluated_list points = {.count = 0};
    const struct evaluation_drawing drawing = {
        .points = &points, .slices = &residuals, .rows = &all.rows, .what = "rows"};
    struct picture picture;
    (void)state;
    for (int i = 0; i < SLICES + KEYS; i++) {
        slices[i] = (struct slice){.layer = LAYER_DENSE, .key = "inputs"};
        slices[i].errors.median_ape_percent = slices[i].errors.p90_ape_percent = i + 1;
        snprintf(slices[i].label, sizeof slices[i].label, "[%d, %d)", i, i + 1);
        if (i >= SLICES) {
            snprintf(keys[i - SLICES], sizeof *keys, "key%d", i);
            slices[i].key = keys[i - SLICES];
        }
    }
    fill_forecasts(&all, 1);
    draw_errors(&picture, &drawing);
    assert_has(picture.text, "'dense: error by inputs'");
    assert_has(picture.text, "'[3, 4)' 3");
    assert_string_equal(picture.note, "not drawn: 27 more lines of errors");
    finish(&picture);
    synthetic_rows_free(&all.rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verified_passes), cmocka_unit_test(verified_layers),
        cmocka_unit_test(dataset),         cmocka_unit_test(datasets_without_noise_or_rows),
        cmocka_unit_test(scatter),         cmocka_unit_test(errors_by_predictor),
        cmocka_unit_test(errors_by_group), cmocka_unit_test(errors_by_slice),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
