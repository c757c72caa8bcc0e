#include "forecast/caveats_parts.h"

#include "forecast/choices.h"
#include "forecast/uncovered.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CAVEAT_NAME(value, text) text,
static const char *const caveat_names[] = {CAVEAT_LIST(CAVEAT_NAME)};
const struct choice choice_caveat = {
    .name = "caveat", .names = caveat_names, .count = CAVEAT_COUNT};

/* ---- texts ---- */

void caveat_text(struct caveat *caveat, const char *format, ...)
{
    const size_t used = strlen(caveat->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(caveat->text + used, sizeof caveat->text - used, format, arguments);
    va_end(arguments);
}

struct caveat *caveats_add(struct caveats *caveats, enum caveat_kind kind)
{
    struct caveat *caveat = &caveats->list[caveats->count++];
    *caveat = (struct caveat){.kind = kind};
    return caveat;
}

/* "3.1", "3.1 to 4.7" */
static void add_percent(struct caveat *caveat, double least, double most)
{
    if (most - least >= 0.05)
        caveat_text(caveat, "%.1f to ", least);
    caveat_text(caveat, "%.1f %%", most);
}

/* ---- layers that something holds of in at least one forecast ---- */

typedef bool holds_function(const struct subject *subject, const struct forecast *forecast,
                            int layer);

/* is_held (layer_count), or NULL; returns their number. */
static int find_layers(bool *is_held, const struct subject *subject, holds_function *holds)
{
    int layers = 0;
    for (int i = 0; i < subject->network->layer_count; i++) {
        bool is_found = false;
        for (int k = 0; k < subject->count; k++)
            is_found |= holds(subject, subject->forecasts[k], i);
        if (is_held)
            is_held[i] = is_found;
        layers += is_found;
    }
    return layers;
}

/* "conv2d x3, dense x1" */
static enum status add_kinds(struct caveat *caveat, const struct subject *subject,
                             holds_function *holds, struct error *error)
{
    bool *is_held;
    char kinds[256];
    TRY(ALLOCATE(&is_held, (unsigned long)subject->network->layer_count, "layers", error));
    find_layers(is_held, subject, holds);
    network_count_kinds(kinds, sizeof kinds, subject->network, is_held);
    caveat_text(caveat, "%s", kinds);
    free(is_held);
    return STATUS_OK;
}

static bool is_unknown(const struct subject *subject, const struct forecast *forecast, int layer)
{
    (void)forecast;
    return network_layer_is_unknown(&subject->network->layers[layer]);
}

static bool is_unseen(const struct subject *subject, const struct forecast *forecast, int layer)
{
    (void)subject;
    return forecast->layers[layer].is_unseen;
}

static bool has_no_high(const struct subject *subject, const struct forecast *forecast, int layer)
{
    (void)subject;
    return !forecast->layers[layer].covered && isnan(forecast->layers[layer].high_ms);
}

static bool extrapolates(const struct subject *subject, const struct forecast *forecast, int layer)
{
    (void)subject;
    return forecast->layers[layer].extrapolates;
}

static bool has_no_interval(const struct subject *subject, const struct forecast *forecast,
                            int layer)
{
    (void)subject;
    const struct prediction *own = &forecast->layers[layer];
    return own->covered && !own->is_unseen && isnan(own->high_ms);
}

/* ---- of the network ---- */

static void add_batch(struct caveats *caveats, const struct network *network)
{
    char text[256];
    network_batch_text(text, sizeof text, network);
    if (*text)
        caveat_text(caveats_add(caveats, CAVEAT_BATCH), "%s", text);
}

static enum status add_unknown(struct caveats *caveats, const struct subject *subject,
                               struct error *error)
{
    const struct forecast *none[1] = {NULL};
    const struct subject alone = {.forecasts = none, .count = 1, .network = subject->network};
    const int layers = find_layers(NULL, &alone, is_unknown);
    if (!layers)
        return STATUS_OK;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_UNKNOWN);
    caveat_text(caveat,
                "%d of %d layers have operators that are not known: counted with 0 operations, by "
                "their bytes alone: ",
                layers, subject->network->layer_count);
    return add_kinds(caveat, &alone, is_unknown, error);
}

/* Convolutions with a bias, of an ONNX file without any normalisation; 0 where one has no bias. */
static int biased_convolutions(const struct network *network)
{
    int count = 0;
    if (!network->batch.is_known)
        return 0;
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        if (strstr(network_layer_kind(layer), "norm"))
            return 0;
        if (network_layer_is_operator(layer) || layer->config.kind != LAYER_CONV2D)
            continue;
        if (layer->config.as.conv2d.use_bias != SWITCH_YES)
            return 0;
        count++;
    }
    return count;
}

static void add_folded(struct caveats *caveats, const struct subject *subject)
{
    bool trains = false;
    for (int i = 0; i < subject->count; i++)
        trains |= subject->forecasts[i]->pass == PASS_TRAIN;
    const int count = trains ? biased_convolutions(subject->network) : 0;
    if (count > 0)
        caveat_text(caveats_add(caveats, CAVEAT_FOLDED),
                    "all %d convolutions have a bias and nothing is normalised: an export for "
                    "inference folds batch norms into them, and the training step lacks these; "
                    "PyTorch keeps them with training=TrainingMode.TRAINING",
                    count);
}

/* ---- of the forecasts ---- */

/* "precision fp16 (its rows have fp32)", for all that was asked. */
static void add_asked(struct caveat *caveat, const struct subject *subject,
                      const struct forecast *forecast)
{
    const struct {
        int feature;
        int32_t value;
    } asked[] = {{COMMON_PRECISION, forecast->precision},
                 {COMMON_PASS, forecast->pass},
                 {COMMON_OPTIMIZER, forecast->optimizer}};
    const char *separator = " (";
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char seen[200];
        const struct feature *feature = &layer_descriptors[0]->features[asked[i].feature];
        const char *name = choice_name(feature->choice, asked[i].value);
        choices_seen(seen, sizeof seen, subject->network, forecast->layers, subject->predictor,
                     asked[i].feature);
        if (strstr(seen, name))
            continue;
        caveat_text(caveat, "%s%s %s; its rows have %s", separator, feature->name, name, seen);
        separator = "; ";
    }
    if (*separator == ';')
        caveat_text(caveat, ")");
}

static enum status add_unseen(struct caveats *caveats, const struct subject *subject,
                              struct error *error)
{
    const int layers = find_layers(NULL, subject, is_unseen);
    if (!layers)
        return STATUS_OK;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_UNSEEN);
    caveat->is_loud = true;
    caveat_text(caveat,
                "a guess, without an interval: %d of %d layers have choices that no training "
                "row has",
                layers, subject->network->layer_count);
    add_asked(caveat, subject, subject->forecasts[0]);
    caveat_text(caveat, ": ");
    return add_kinds(caveat, subject, is_unseen, error);
}

/* Devices without training rows. */
static void add_unmeasured(struct caveats *caveats, const struct subject *subject)
{
    int count = 0;
    for (int i = 0; i < subject->count; i++)
        count += !subject->forecasts[i]->is_measured;
    if (!count)
        return;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_DEVICE);
    caveat_text(caveat, "not measured there: ");
    if (count < subject->count)
        caveat_text(caveat, "%d of %d forecasts are of devices ", count, subject->count);
    else
        caveat_text(caveat, "forecast of a device ");
    caveat_text(caveat, "without rows in the model, from nominal figures and the rows of others");
}

static double uncovered_percent(const struct forecast *forecast)
{
    return forecast->uncovered_count ? 100 * forecast->uncovered_ms / forecast->batch_ms : 0;
}

static bool is_uncovered(const struct subject *subject, const struct forecast *forecast, int layer)
{
    (void)subject;
    return !forecast->layers[layer].covered;
}

static void add_reasons(struct caveat *caveat, const struct subject *subject,
                        const struct forecast *forecast)
{
    double ms[UNCOVERED_REASON_COUNT];
    const char *separator = " ";
    uncovered_by_reason(ms, forecast, subject->network, subject->predictor);
    for (int i = 0; i < UNCOVERED_REASON_COUNT; i++)
        if (ms[i] > 0) {
            caveat_text(caveat, "%s%.1f %% %s", separator, 100 * ms[i] / forecast->batch_ms,
                        uncovered_reason_text(i));
            separator = ", ";
        }
    caveat_text(caveat, ": ");
}

/* From a share on that makes the forecast for a good part not the model's, the reasons are said. */
static enum status add_bounds(struct caveats *caveats, const struct subject *subject,
                              struct error *error)
{
    enum { LOUD_PERCENT = 20 };
    const struct forecast *most = subject->forecasts[0];
    double least_percent = 100;
    const int layers = find_layers(NULL, subject, is_uncovered);
    if (!layers)
        return STATUS_OK;
    for (int i = 0; i < subject->count; i++) {
        const double percent = uncovered_percent(subject->forecasts[i]);
        least_percent = fmin(least_percent, percent);
        if (percent > uncovered_percent(most))
            most = subject->forecasts[i];
    }
    struct caveat *caveat = caveats_add(caveats, CAVEAT_BOUNDS);
    caveat->is_loud = uncovered_percent(most) > LOUD_PERCENT;
    if (caveat->is_loud) {
        caveat_text(caveat,
                    "%.1f %% of the time is not the model's forecast but at least the "
                    "roofline:",
                    uncovered_percent(most));
        add_reasons(caveat, subject, most);
    } else {
        caveat_text(caveat, "the model does not cover %d of %d layers (", layers,
                    subject->network->layer_count);
        add_percent(caveat, least_percent, uncovered_percent(most));
        caveat_text(caveat, " of the time, at least the roofline): ");
    }
    return add_kinds(caveat, subject, is_uncovered, error);
}

static enum status add_no_high(struct caveats *caveats, const struct subject *subject,
                               struct error *error)
{
    const int layers = find_layers(NULL, subject, has_no_high);
    if (!layers)
        return STATUS_OK;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_NO_HIGH);
    caveat_text(caveat, "no upper bound for %d of %d layers: %s: ", layers,
                subject->network->layer_count,
                subject->predictor->facts
                    ? "the model has too few rows of layers that do the same sort of work"
                    : "the model is of an earlier version, train it again");
    return add_kinds(caveat, subject, has_no_high, error);
}

static void add_extrapolations(struct caveats *caveats, const struct subject *subject)
{
    enum { NAMES_SHOWN = 4 };
    const struct network *network = subject->network;
    const int layers = find_layers(NULL, subject, extrapolates);
    int shown = 0;
    if (!layers)
        return;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_EXTRAPOLATES);
    caveat_text(caveat, "beyond the range of the training rows: %d of %d layers:", layers,
                network->layer_count);
    for (int i = 0; i < network->layer_count && shown < NAMES_SHOWN; i++) {
        int count = 0;
        for (int k = 0; k < subject->count; k++)
            count += subject->forecasts[k]->layers[i].extrapolates;
        if (!count)
            continue;
        caveat_text(caveat, "%s %s", shown++ ? "," : "", network->layers[i].name);
        if (count < subject->count)
            caveat_text(caveat, " (%d of %d forecasts)", count, subject->count);
    }
    if (shown < layers)
        caveat_text(caveat, ", ...");
}

static enum status add_no_interval(struct caveats *caveats, const struct subject *subject,
                                   struct error *error)
{
    const int layers = find_layers(NULL, subject, has_no_interval);
    if (!layers)
        return STATUS_OK;
    struct caveat *caveat = caveats_add(caveats, CAVEAT_NO_INTERVAL);
    const struct predictor_type *type = subject->predictor->type;
    caveat_text(caveat, "no interval for %d of %d layers: ", layers, subject->network->layer_count);
    caveat_text(caveat,
                type->tune ? "the model had no test rows of their kinds: "
                           : "predictor '%s' gives none: ",
                type->name);
    return add_kinds(caveat, subject, has_no_interval, error);
}

/* ---- all of them ---- */

enum status caveats_of_network(struct caveats *caveats, const struct network *network,
                               struct error *error)
{
    const struct subject subject = {.network = network};
    caveats->count = 0;
    add_batch(caveats, network);
    return add_unknown(caveats, &subject, error);
}

enum status caveats_of(struct caveats *caveats, const struct forecast *const *forecasts, int count,
                       const struct network *network, const struct predictor *predictor,
                       struct error *error)
{
    const struct subject subject = {forecasts, count, network, predictor};
    TRY(caveats_of_network(caveats, network, error));
    add_folded(caveats, &subject);
    TRY(add_unseen(caveats, &subject, error));
    add_unmeasured(caveats, &subject);
    TRY(add_bounds(caveats, &subject, error));
    TRY(add_no_high(caveats, &subject, error));
    add_extrapolations(caveats, &subject);
    caveats_add_errors(caveats, &subject);
    caveats_add_few_rows(caveats, &subject);
    return add_no_interval(caveats, &subject, error);
}
