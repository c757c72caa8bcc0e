/* Pictures of forecasts: which panels a grid gets, and what stands in them. */
#include "drawn_grid.h"

/* ---- panels ---- */

static void devices_and_steps(void **state)
{
    struct grid *grid = grid_of((struct shape){5, 3, 3, 1, 9});
    struct picture picture;
    (void)state;
    draw(&picture, grid, false);
    assert_string_equal(picture.title, "net on d'0, d'1, d'2");
    assert_has(picture.text, "set title 'throughput: forward'");
    assert_has(picture.text, "set title 'throughput: train, sgd'");
    assert_has(picture.text, "set title 'throughput: train, adam'");
    assert_has(picture.text, "memory of one device"); /* some do not fit */
    assert_has(picture.text, "'layers, d’0, forward, batch size 256: ");
    assert_has(picture.text, "'layers, d’1, train, adam, batch size 256: ");
    assert_int_equal(picture.panel_count, 3 + 1 + 6);
    assert_string_equal(picture.note,
                        "not drawn: layers of 3 more forecasts, from d'2 (forward) on");
    assert_has(picture.text, "not drawn: layers of 3 more");
    assert_int_equal(occurrences(picture.text, "$curve2 using 1:2 with linespoints"), 3);
    assert_has(picture.text, "title 'd’2'");
    finish(&picture, grid);
}

static void one_device(void **state)
{
    struct grid *grid = grid_of((struct shape){5, 1, 3, 1, 5});
    struct picture picture;
    (void)state;
    draw(&picture, grid, true);
    assert_has(picture.text, "set title 'throughput'");
    assert_has(picture.text, "set title 'time of a step'");
    assert_has(picture.text, "title 'train, adam'");
    assert_has(picture.text, "'layers, train, sgd, batch size 16: 15 ms'");
    assert_int_equal(picture.panel_count, 2 + 1 + 3);
    assert_string_equal(picture.note, "");
    /* batch 4 takes 12 ms, 10.8 to 14.4 */
    assert_has(picture.text, "4 333.333333 370.37037 277.777778 95.2380952\n");
    assert_null(strstr(picture.text, "does not fit"));
    finish(&picture, grid);
}

static void gpus_and_cost(void **state)
{
    struct grid *grid = grid_of((struct shape){5, 2, 1, 4, 1});
    struct picture picture;
    (void)state;
    give_costs(grid);
    draw(&picture, grid, false);
    assert_has(picture.text, "set title 'throughput: forward, batch size 1'");
    assert_has(picture.text, "set title 'cost of an epoch: forward, batch size 1'");
    assert_has(picture.text, "title 'without communication'");
    assert_int_equal(picture.panel_count, 1 + 1 + 2);
    /* 8 devices: 10.5 + 7 ms for 8 samples; 8 times one device's 95.2 */
    assert_has(picture.text, "8 457.142857 507.936508 380.952381 761.904762\n");
    assert_has(picture.text, "8 35 31.5 42 "); /* the cost */
    finish(&picture, grid);
}

static void batches_and_gpus_and_cost(void **state)
{
    struct grid *grid = grid_of((struct shape){5, 2, 3, 2, 3});
    struct picture picture;
    (void)state;
    give_costs(grid);
    grid->rows[0].forecast.epoch_cost = NAN; /* one that is unknown: none is drawn */
    draw(&picture, grid, false);
    assert_has(picture.text, "'throughput: train, adam, 1 GPU'");
    assert_has(picture.text, "'throughput: train, adam, batch size 4'");
    assert_null(strstr(picture.text, "cost"));
    assert_int_equal(picture.panel_count, 3 + 3 + 6);
    picture_free(&picture);
    give_costs(grid);
    draw(&picture, grid, false);
    assert_int_equal(picture.panel_count, 3 + 3 + 3 + 3 + 6);
    finish(&picture, grid);
}

static void single_forecasts_are_compared(void **state)
{
    struct grid *grid = grid_of((struct shape){5, 2, 2, 1, 1});
    struct picture picture;
    (void)state;
    give_costs(grid);
    draw(&picture, grid, false);
    assert_has(picture.text, "'d’1: train, sgd' 3");
    assert_has(picture.text, "21 3 18.9 25.2 \"21 ms\"\n"); /* $bars: place 3 from above */
    assert_has(picture.text, "set title 'cost of an epoch'");
    assert_int_equal(picture.panel_count, 2 + 4);
    finish(&picture, grid);
    grid = grid_of((struct shape){5, 1, 1, 1, 1});
    draw(&picture, grid, false);
    assert_int_equal(picture.panel_count, 1); /* nothing to compare */
    finish(&picture, grid);
}

static void sixty_four_devices(void **state)
{
    struct grid *grid = grid_of((struct shape){1, 64, 3, 1, 2});
    struct picture picture;
    (void)state;
    draw(&picture, grid, true);
    assert_has(picture.note, "curves of 57 more devices, from d'7 on");
    assert_has(picture.note, "layers of 186 more forecasts");
    assert_string_equal(picture.title, "net on d'0, d'1, d'2 and 61 more");
    picture_free(&picture);
    grid->request.selection.batch_count = 1; /* the first rows, as another grid */
    draw(&picture, grid, true);
    assert_has(picture.note, "bars of 152 more forecasts");
    finish(&picture, grid);
}

/* ---- curves ---- */

static void knees(void **state)
{
    struct grid *grid = grid_of((struct shape){2, 1, 1, 1, 9});
    struct picture picture;
    (void)state;
    /* throughput b / (10 + b / 2): 1.856 at 256; 90 % of it is 1.67, passed between 64 and 128 */
    draw(&picture, grid, false);
    assert_has(picture.text, "$knees << EOD\n128 1729.72973\nEOD\n");
    assert_has(picture.text, "$large0 << EOD\n64 ");
    assert_has(picture.text, "title '90 % of the highest'");
    assert_int_equal(occurrences(picture.text, "title 'does not fit in memory'"), 2); /* and time */
    finish(&picture, grid);
}

/* Dense layers whose memory network_largest_batch knows. */
static void memory_limit(void **state)
{
    struct grid *grid = grid_of((struct shape){1, 1, 1, 1, 9});
    struct picture picture;
    char wanted[80];
    (void)state;
    grid->layers[0].config = (struct layer_config){
        .kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 1000, .outputs = 1000}};
    grid->request.devices[0].memory_bytes = 4500000;
    const int64_t largest = forecast_grid_largest_batch(&grid->request, &grid->rows[0]);
    assert_in_range(largest, 2, 255);
    snprintf(wanted, sizeof wanted, "set arrow from first %d, graph 0 to first %d, graph 1 nohead",
             (int)largest, (int)largest);
    draw(&picture, grid, false);
    assert_has(picture.text, wanted);
    assert_has(picture.text, "title 'largest that fits'");
    finish(&picture, grid);
}

static void intervals_without_end(void **state)
{
    struct grid *grid = grid_of((struct shape){2, 1, 1, 1, 4});
    struct picture picture;
    (void)state;
    grid->rows[1].forecast.batch_low_ms = -3;
    grid->rows[2].forecast.batch_low_ms = grid->rows[2].forecast.batch_high_ms = NAN;
    draw(&picture, grid, false);
    assert_null(strstr(picture.text, "inf"));
    assert_has(picture.text, "4 333.333333 nan nan");
    finish(&picture, grid);
}

/* ---- bars ---- */

static void bounds_and_extrapolations(void **state)
{
    struct grid *grid = grid_of((struct shape){4, 1, 1, 1, 1});
    struct picture picture;
    (void)state;
    draw(&picture, grid, false);
    assert_null(strstr(picture.text, "roofline"));
    assert_null(strstr(picture.text, "beyond the range"));
    picture_free(&picture);
    grid->predictions[1].covered = false; /* a bound without an upper end */
    grid->predictions[1].low_ms = grid->predictions[1].high_ms = NAN;
    grid->predictions[2].covered = false; /* and with one */
    grid->predictions[2].low_ms = 3;
    grid->predictions[2].high_ms = 9;
    snprintf(grid->layers[2].operator_name, sizeof grid->layers[2].operator_name, "softmax");
    grid->predictions[0].is_unseen = true;
    grid->predictions[3].extrapolates = true;
    draw(&picture, grid, false);
    assert_has(picture.text, "2 1 nan nan \"≥ 2 ms\"\n");
    assert_has(picture.text, "3 2 3 9 \"≥ 3 ms\"\n");
    assert_has(picture.text, "4 3 3.5 5 \"4 ms *\"\n");
    assert_has(picture.text, "1 0 0.5 2 \"1 ms *\"\n");
    assert_int_equal(occurrences(picture.text, "fs pattern 4 border title '"), 3); /* and a key */
    assert_has(picture.text, "title 'roofline (at least)'");
    assert_has(picture.text, "title 'beyond the range of the training rows'");
    assert_has(picture.text, "title 'operators'");
    /* the value stands at the bar's end, not at that of its interval */
    assert_has(picture.text, "'' using 1:($2-0.08):5 with labels left");
    finish(&picture, grid);
}

static void forty_layers_have_names(void **state)
{
    struct grid *grid = grid_of((struct shape){BAR_LIMIT, 1, 1, 1, 1});
    struct picture picture;
    (void)state;
    draw(&picture, grid, false);
    assert_int_equal(occurrences(picture.text, "'layer’"), BAR_LIMIT);
    assert_has(picture.text, "set title 'layers, forward, batch size 1: 820 ms'");
    finish(&picture, grid);
}

/* 42 layers: 14 convolutions of 1, 4, ... 40 ms, 12 operators (known by bounds), 16 dense ones. */
static void many_layers_are_grouped(void **state)
{
    struct grid *grid = grid_of((struct shape){42, 1, 1, 1, 1});
    struct picture picture;
    (void)state;
    for (int i = 0; i < 36; i += 3) {
        snprintf(grid->layers[i + 1].operator_name, sizeof grid->layers[i + 1].operator_name,
                 "gelu");
        grid->predictions[i + 1].covered = false;
        grid->predictions[i + 1].low_ms = grid->predictions[i + 1].median_ms;
    }
    grid->predictions[41].extrapolates = true;
    for (int i = 0; i < 42; i++)
        grid->predictions[i].correlation = i % 3 ? 0 : 1;
    draw(&picture, grid, false);
    assert_has(picture.text, "set title '42 layers by kind, forward, batch size 1: 903 ms'");
    /* the slowest first: 380 ms of dense layers, 287 of convolutions, 222 of operators */
    assert_has(picture.text, "set ytics ('dense ×16' 0, 'conv2d ×14' 1, 'gelu ×12' 2)");
    /* correlated: half-widths are added up, 14 x 0.5 and 14 x 1; else their squares */
    assert_has(picture.text, "287 1 280 301 \"287 ms\"\n");
    assert_has(picture.text, "394 0 392 398 \"394 ms *\"\n");
    assert_has(picture.text, "222 2 222 234 \"≥ 222 ms\"\n");
    finish(&picture, grid);
}

/* Layers of the same config have the same error, even where errors of a kind are independent. */
static void equal_layers_err_alike(void **state)
{
    struct grid *grid = grid_of((struct shape){48, 1, 1, 1, 1});
    struct picture picture;
    (void)state;
    for (int i = 0; i < 48; i++)
        grid->layers[i].config = grid->layers[0].config;
    draw(&picture, grid, false);
    assert_has(picture.text, "1176 0 1152 1224 \"1.18 s\"\n");
    finish(&picture, grid);
}

static void more_kinds_than_bars(void **state)
{
    struct grid *grid = grid_of((struct shape){LAYER_LIMIT, 1, 1, 1, 1});
    struct picture picture;
    (void)state;
    for (int i = 0; i < LAYER_LIMIT; i++)
        snprintf(grid->layers[i].operator_name, sizeof grid->layers[i].operator_name, "kind%03d",
                 i);
    draw(&picture, grid, false);
    assert_has(picture.text, "'other kinds' 0");
    assert_int_equal(occurrences(picture.text, "×1' "), BAR_LIMIT - 1);
    assert_has(picture.text, ": 45.2 s'"); /* 1 + 2 + ... + 300 ms: none is lost */
    finish(&picture, grid);
}

/* ---- forms ---- */

static void all_forms(void **state)
{
    (void)state;
    need_gnuplot();
    for (int form = PICTURE_SVG; form <= PICTURE_TERMINAL; form++) {
        struct grid *grid = grid_of((struct shape){50, 3, 3, 2, 8});
        struct picture picture;
        give_costs(grid);
        SUCCEEDS(picture_create(&picture, (enum picture_form)form, &error));
        SUCCEEDS(draw_forecasts(&picture, &grid->all, true, &error));
        const int panels = picture.panel_count;
        char *text = rendered(&picture);
        if (form == PICTURE_INLINE) {
            assert_int_equal(occurrences(text, "<svg"), panels);
            assert_int_equal(occurrences(text, "<title>net on d&#39;0, d&#39;1, d&#39;2</title>"),
                             panels);
        }
        if (form == PICTURE_SVG)
            assert_int_equal(occurrences(text, "<svg"), 1);
        if (form <= PICTURE_INLINE) {
            assert_null(strstr(text, "Gnuplot<"));
            assert_null(strstr(text, "gnuplot_plot_1<"));
        }
        free(text);
        free(grid);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_and_steps),
        cmocka_unit_test(one_device),
        cmocka_unit_test(gpus_and_cost),
        cmocka_unit_test(batches_and_gpus_and_cost),
        cmocka_unit_test(single_forecasts_are_compared),
        cmocka_unit_test(sixty_four_devices),
        cmocka_unit_test(knees),
        cmocka_unit_test(memory_limit),
        cmocka_unit_test(intervals_without_end),
        cmocka_unit_test(bounds_and_extrapolations),
        cmocka_unit_test(forty_layers_have_names),
        cmocka_unit_test(many_layers_are_grouped),
        cmocka_unit_test(equal_layers_err_alike),
        cmocka_unit_test(more_kinds_than_bars),
        cmocka_unit_test(all_forms),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
