#include "cli/train_search.h"

#include "base/text.h"
#include "evaluate/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTHS_SIZE = 12 * MLP_LAYER_LIMIT + 8 };

/* In the syntax of --hidden. */
static void hidden_text(char text[WIDTHS_SIZE], const struct mlp_options *recipe)
{
    text[0] = '\0';
    for (int i = 0; i < recipe->hidden_count; i++)
        text_list_add(text, WIDTHS_SIZE, ",", "%d", recipe->hidden[i]);
}

static void add_trial(struct table *table, const struct search_trial *trial, int rank)
{
    const struct mlp_options *recipe = &trial->options;
    const struct train_options *train = &recipe->train;
    char hidden[WIDTHS_SIZE];
    hidden_text(hidden, recipe);
    table_integer(table, rank);
    table_string(table, hidden);
    table_string(table, choice_name(&choice_mlp_activation, recipe->activation));
    table_number(table, train->dropout);
    table_number(table, train->l2);
    table_number(table, train->weight_decay);
    table_string(table, choice_name(&choice_loss, train->loss));
    table_number(table, train->loss == LOSS_LOG_COSH ? train->loss_scale : NAN);
    table_number(table, train->learning_rate);
    table_number(table, train->beta2);
    table_integer(table, train->batch_size);
    table_number(table, train->epochs > 0 ? train->epochs : NAN); /* 0: by kind */
    table_number(table, trial->mape_percent);
    table_number(table, trial->rmse_ms);
    table_number(table, trial->seconds);
}

static enum status print_ranking(const struct search *search, enum table_format format,
                                 struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "rank"},
        {.name = "hidden"},
        {.name = "activation"},
        {.name = "dropout", .digits = 3},
        {.name = "l2", .digits = 3, .spare = 1},
        {.name = "weight_decay", .digits = 3, .title = "decay"},
        {.name = "loss"},
        {.name = "loss_scale", .digits = 3, .title = "scale", .spare = 2},
        {.name = "learning_rate", .digits = 3, .title = "rate"},
        {.name = "beta2", .digits = 4, .spare = 3},
        {.name = "batch_size", .title = "batch"},
        {.name = "epochs"},
        {.name = "test_mape_percent", .title = "test MAPE", .scale = SCALE_PERCENT},
        {.name = "test_rmse_ms", .title = "test RMSE", .scale = SCALE_MS, .spare = 1},
        {.name = "seconds", .title = "time", .scale = SCALE_S, .spare = 2}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < search->count; i++)
        add_trial(table, &search->trials[i], i + 1);
    return cli_print_table(table, format, error);
}

enum status train_search(struct mlp_options *wanted, const struct dataset_rows *rows,
                         int recipe_count, enum table_format format, struct error *error)
{
    struct search search;
    TRY(search_run(&search, rows, wanted, recipe_count, error));
    const enum status status = print_ranking(&search, format, error);
    *wanted = search_recipe(&search.trials[0], wanted);
    search_free(&search);
    return status;
}
