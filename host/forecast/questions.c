#include "forecast/questions.h"

#include "predictors/predictor_roofline.h"
#include "predictors/training_facts.h"

#include <math.h>
#include <stdlib.h>

void questions_free(struct questions *questions)
{
    free(questions->asked);
    free(questions->configs);
    free(questions->has_config);
}

/* True when the layer has more rows or elements than benchmarks take, but would be valid for one
 * sample. */
static bool is_too_large(const struct network_layer *layer, const struct layer_config *config,
                         const struct forecast_options *options)
{
    const struct layer_config one = network_config(layer, 1, options->pass, options->optimizer,
                                                   options->precision);
    if (layer->config.batch_size > 1 && config->batch_size > batch_size_maximum())
        return true;
    return options->batch_size > 1 && !layer_is_valid(config) && layer_is_valid(&one);
}

/* Operators, and layers that are too large, are asked about later, by their work. */
static enum status add_question(struct questions *questions, const struct network *network,
                                int layer, const struct forecast_options *options,
                                struct error *error)
{
    const struct network_layer *asked = &network->layers[layer];
    struct layer_config *config = &questions->configs[layer];
    if (network_layer_is_operator(asked))
        return STATUS_OK;
    *config = network_config(asked, options->batch_size, options->pass, options->optimizer,
                             options->precision);
    if (is_too_large(asked, config, options))
        return STATUS_OK;
    TRY(layer_check(config, error));
    questions->has_config[layer] = true;
    questions->asked[questions->count++] = (struct layer_question){.config = config};
    return STATUS_OK;
}

enum status questions_create(struct questions *questions, const struct network *network,
                             const struct forecast_options *options, struct error *error)
{
    const unsigned long count = (unsigned long)network->layer_count;
    TRY(ALLOCATE(&questions->asked, count, "questions", error));
    TRY(ALLOCATE(&questions->configs, count, "layer configs", error));
    TRY(ALLOCATE(&questions->has_config, count, "layers", error));
    for (int i = 0; i < network->layer_count; i++)
        TRY(add_question(questions, network, i, options, error));
    return STATUS_OK;
}

void questions_spread(struct prediction *layers, int layer_count, const struct questions *questions)
{
    size_t left = questions->count;
    for (int i = layer_count - 1; i >= 0; i--)
        layers[i] = questions->has_config[i] ? layers[--left]
                                             : (struct prediction){.covered = false};
}

/* From the roofline, which the time is at least. */
static struct prediction bound_of(const struct layer_question *question,
                                  const struct predictor *predictor,
                                  const struct device_info *device)
{
    const struct cost cost = question_cost(question);
    const double bound_ms = device ? roofline_cost_ms(&cost, device) : NAN;
    const struct bound_ratio ratio = bound_ratio_of(
        training_bounds(predictor, device), question->work->family, question->pass, bound_ms);
    const bool is_nothing = bound_ms == 0;
    return (struct prediction){
        .median_ms = isnan(ratio.middle) ? bound_ms : bound_ms * ratio.middle,
        .low_ms = bound_ms,
        .high_ms = is_nothing ? 0 : bound_ms * ratio.high,
        .correlation = 1,
    };
}

enum status question_ask_work(struct prediction *prediction, const struct network_layer *layer,
                              const struct predictor *predictor, const struct device_info *device,
                              const struct forecast_options *options, struct error *error)
{
    struct layer_work work;
    network_work(&work, layer, options->batch_size);
    const struct layer_question question = {
        .work = &work,
        .pass = options->pass,
        .optimizer = options->pass == PASS_TRAIN ? options->optimizer : OPTIMIZER_NONE,
        .precision = options->precision,
    };
    TRY(predictor->type->predict(prediction, predictor, &question, 1, device, error));
    if (prediction->covered)
        return STATUS_OK;
    *prediction = bound_of(&question, predictor, device);
    return STATUS_OK;
}
