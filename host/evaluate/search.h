/* Hyper-parameter search: random recipes, ranked by successive halving (Jamieson & Talwalkar 2016):
 * all are trained for a short time, the best third for three times as long, and so on up to the
 * preset's epochs. Recipes of a rung train side by side. The score is the error on the test split;
 * validation rows are never touched. */
#ifndef EPOCHCAST_EVALUATE_SEARCH_H
#define EPOCHCAST_EVALUATE_SEARCH_H

#include "predictors/mlp_options.h"

struct search_trial {
    struct mlp_options options; /* with the epochs of the last rung that it reached */
    double mape_percent;        /* of the test split, geometric mean over the kinds */
    double rmse_ms;             /* the same */
    double seconds;             /* training time of its nets, over all rungs */
    int32_t rung;               /* the last that it reached, from 0 */
};

struct search {
    struct search_trial *trials; /* best first */
    int count;
};

/* Tries `count` recipes: `base` itself and count - 1 with 1-6 hidden layers, their width and
 * taper, activation, dropout, L2, loss, learning rate, beta2, weight decay and batch size drawn at
 * random by base->seed. One net each, no fine-tuning. A recipe that diverges ranks last. */
enum status search_run(struct search *search, const struct dataset_rows *rows,
                       const struct mlp_options *base, int count, struct error *error);
void search_free(struct search *search);

/* The recipe of a trial, to be trained in full: base with the trial's choices. */
struct mlp_options search_recipe(const struct search_trial *trial, const struct mlp_options *base);

#endif
