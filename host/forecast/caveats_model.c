/* Caveats of the model: how well its kinds are learnt. */
#include "forecast/caveats_parts.h"
#include "predictors/rivals.h"
#include "predictors/training_facts.h"

#include <math.h>
#include <string.h>

/* Kinds whose layers the predictor forecasts with an interval. */
static void find_kinds(bool has_interval[LAYER_KIND_COUNT], const struct subject *subject)
{
    memset(has_interval, 0, LAYER_KIND_COUNT * sizeof *has_interval);
    for (int i = 0; i < subject->network->layer_count; i++) {
        const struct prediction *layer = &subject->forecasts[0]->layers[i];
        if (layer->covered && !isnan(layer->high_ms) &&
            !network_layer_is_operator(&subject->network->layers[i]))
            has_interval[subject->network->layers[i].config.kind] = true;
    }
}

/* Errors on rows that were left out of the training, and of a simpler predictor that is better. */
void caveats_add_errors(struct caveats *caveats, const struct subject *subject)
{
    bool has_interval[LAYER_KIND_COUNT];
    struct caveat *caveat = NULL;
    find_kinds(has_interval, subject);
    for (int kind = 0; kind < LAYER_KIND_COUNT && subject->predictor->facts; kind++) {
        const struct kind_facts *facts = &subject->predictor->facts->kinds[kind];
        const struct held_out_errors *errors = &facts->held_out;
        const int rival = rivals_better(errors, facts->rivals);
        if (!has_interval[kind] || errors->count == 0)
            continue;
        if (!caveat)
            caveat = caveats_add(caveats, CAVEAT_ERRORS);
        char text[HELD_OUT_TEXT_SIZE];
        caveat_text(caveat, "%s%s %s",
                    *caveat->text ? ", " : "mean error on rows left out of the training: ",
                    layer_descriptors[kind]->name, held_out_text(text, errors));
        if (rival >= 0)
            caveat_text(caveat, " (%s %.3g %%)", rival_types[rival]->name,
                        facts->rivals[rival].mape_percent);
    }
}

/* Kinds whose layers have an interval from few rows. */
void caveats_add_few_rows(struct caveats *caveats, const struct subject *subject)
{
    bool has_interval[LAYER_KIND_COUNT];
    struct caveat *caveat = NULL;
    find_kinds(has_interval, subject);
    for (int kind = 0; kind < LAYER_KIND_COUNT && subject->predictor->facts; kind++) {
        const struct kind_facts *facts = &subject->predictor->facts->kinds[kind];
        const size_t judged = facts->held_out.count > 0 ? facts->held_out.count
                                                        : (size_t)facts->test_rows;
        if (!has_interval[kind] || judged >= INTERVAL_ROWS_MINIMUM)
            continue;
        if (!caveat)
            caveat = caveats_add(caveats, CAVEAT_FEW_ROWS);
        caveat_text(caveat, "%s%s (%zu)",
                    *caveat->text ? ", " : "few rows: ", layer_descriptors[kind]->name, judged);
    }
    if (caveat)
        caveat_text(caveat, ": wide intervals");
}
