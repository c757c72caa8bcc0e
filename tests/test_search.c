#include "data/split.h"
#include "evaluate/search.h"
#include "predictors/predictor_mlp.h"
#include "synthetic_rows.h"
#include "test.h"

#include <math.h>

static const enum layer_kind dense_only[] = {LAYER_DENSE};

static struct mlp_options tiny_options(void)
{
    struct mlp_options options = small_fit_options();
    options.train.epochs = 9;
    options.minimum_steps = 180;
    options.seed = 5;
    options.folds = 0;
    return options;
}

static void rows_create(struct dataset_rows *rows)
{
    const struct device_info device = synthetic_device("one", 100, 10);
    synthetic_rows_create(rows, 400, dense_only, 1, &device, 1, 0.05);
}

static void recipes_are_ranked(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    const struct mlp_options base = tiny_options();
    struct search search, again;
    assert_int_equal(search_run(&search, &rows, &base, 9, NULL), STATUS_OK);
    assert_int_equal(search.count, 9);
    int reached[3] = {0}, base_count = 0;
    for (int i = 0; i < 9; i++) {
        const struct search_trial *trial = &search.trials[i];
        assert_in_range(trial->options.hidden_count, 1, 6);
        assert_in_range(trial->rung, 0, 2);
        reached[trial->rung]++;
        base_count += trial->options.train.learning_rate == base.train.learning_rate;
        if (i > 0 && trial->rung == trial[-1].rung)
            assert_true(trial->mape_percent >= trial[-1].mape_percent);
        if (i > 0)
            assert_true(trial->rung <= trial[-1].rung);
    }
    assert_int_equal(reached[0], 6); /* 9 of 9, 3 of 9, 1 of 9 go through the rungs */
    assert_int_equal(reached[1], 2);
    assert_int_equal(reached[2], 1);
    assert_int_equal(base_count, 1);
    assert_int_equal(search.trials[0].options.train.epochs, 9);
    assert_int_equal(search_run(&again, &rows, &base, 9, NULL), STATUS_OK);
    for (int i = 0; i < 9; i++)
        assert_true(search.trials[i].mape_percent == again.trials[i].mape_percent);
    const struct mlp_options recipe = search_recipe(&search.trials[8], &base);
    assert_int_equal(recipe.train.epochs, 9);
    assert_int_equal(recipe.minimum_steps, 180);
    assert_true(search.trials[8].options.last_share == 0); /* its test rows rank it */
    assert_true(base.last_share > 0 && recipe.last_share == base.last_share);
    assert_int_equal(recipe.hidden_count, search.trials[8].options.hidden_count);
    search_free(&again);
    search_free(&search);
    synthetic_rows_free(&rows);
}

/* The ranking does not see validation rows: with other times there, it is the same. */
static void validation_rows_do_not_count(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    const struct mlp_options base = tiny_options();
    struct search searches[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(search_run(&searches[i], &rows, &base, 3, NULL), STATUS_OK);
        for (size_t row = 0; row < rows.count; row++)
            if (split_of(&rows.rows[row].config) == SPLIT_VALIDATION)
                rows.rows[row].median_ms *= 1000;
    }
    for (int i = 0; i < 3; i++)
        assert_true(searches[0].trials[i].mape_percent == searches[1].trials[i].mape_percent);
    search_free(&searches[0]);
    search_free(&searches[1]);
    synthetic_rows_free(&rows);
}

static void diverging_recipes_rank_last(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    struct mlp_options base = tiny_options();
    base.train.learning_rate = 1e30f; /* the base alone */
    base.train.gradient_clip = 0;
    struct search search;
    assert_int_equal(search_run(&search, &rows, &base, 4, NULL), STATUS_OK);
    assert_true(search.trials[0].options.train.learning_rate < 1);
    assert_true(isinf(search.trials[3].mape_percent));
    search_free(&search);
    rows.count = 10;
    struct error error = {0};
    assert_int_equal(search_run(&search, &rows, &base, 4, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "too few rows"));
    assert_null(search.trials);
    synthetic_rows_free(&rows);
}

/* Recipes side by side learn what each would alone, and one that diverges leaves the others. */
static void side_by_side_is_alone(void **state)
{
    (void)state;
    enum { COUNT = 3 };
    struct dataset_rows rows;
    rows_create(&rows);
    struct mlp_options options[COUNT];
    struct mlp_fitting fittings[COUNT];
    for (int i = 0; i < COUNT; i++) {
        options[i] = tiny_options();
        options[i].seed += (uint64_t)i;
        options[i].hidden[0] += 8 * i;
        fittings[i] = (struct mlp_fitting){.rows = &rows, .options = &options[i]};
    }
    options[1].train.learning_rate = 1e30f;
    options[1].train.gradient_clip = 0;
    assert_int_equal(mlp_predictors_fit(fittings, COUNT, NULL), STATUS_OK);
    assert_int_equal(fittings[1].status, STATUS_FAILED);
    assert_non_null(strstr(fittings[1].error.message, "not finite"));
    assert_null(fittings[1].predictor);
    for (int i = 0; i < COUNT; i += 2) {
        struct predictor *alone;
        assert_int_equal(fittings[i].status, STATUS_OK);
        assert_int_equal(predictor_mlp.fit(&alone, &rows, &options[i].base, NULL, NULL), STATUS_OK);
        const struct mlp_kind *a = &((struct mlp_predictor *)alone)->kinds[LAYER_DENSE];
        const struct mlp_kind *b =
            &((struct mlp_predictor *)fittings[i].predictor)->kinds[LAYER_DENSE];
        assert_int_equal(a->net_count, b->net_count);
        assert_memory_equal(a->parameters, b->parameters,
                            (size_t)a->net_count * mlp_parameter_count(&a->shape) * sizeof(float));
        assert_non_null(a->calibrated); /* last_share: the second training, too */
        alone->type->free(alone);
        fittings[i].predictor->type->free(fittings[i].predictor);
    }
    synthetic_rows_free(&rows);
}

/* A kind of few rows does not rank, and refuses nothing. */
static void kinds_of_few_rows_do_not_rank(void **state)
{
    (void)state;
    static const enum layer_kind two_kinds[] = {LAYER_DENSE, LAYER_POOL2D};
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct mlp_options base = tiny_options();
    struct dataset_rows rows;
    struct search search;
    size_t kept = 0, pools = 0;
    synthetic_rows_create(&rows, 400, two_kinds, 2, &device, 1, 0.05);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].config.kind == LAYER_DENSE || pools++ < 5)
            rows.rows[kept++] = rows.rows[i];
    rows.count = kept;
    assert_int_equal(search_run(&search, &rows, &base, 2, NULL), STATUS_OK);
    assert_true(isfinite(search.trials[0].mape_percent));
    search_free(&search);
    struct error error = {0};
    rows.count = 6;
    assert_int_equal(search_run(&search, &rows, &base, 2, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "too few rows of"));
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipes_are_ranked),
        cmocka_unit_test(validation_rows_do_not_count),
        cmocka_unit_test(diverging_recipes_rank_last),
        cmocka_unit_test(side_by_side_is_alone),
        cmocka_unit_test(kinds_of_few_rows_do_not_rank),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
