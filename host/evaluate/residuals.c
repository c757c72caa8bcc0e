#include "evaluate/residuals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row on its way into a slice. */
struct item {
    int32_t layer;
    double order;
    char label[SLICE_LABEL_SIZE];
    size_t row; /* of the forecasts */
};

/* ---- labels ---- */

/* One way to label; payload: the feature's name. False: the row has no such label. */
typedef bool (*label_row)(struct item *item, const struct measurement *row, const char *key);

static bool label_decade(struct item *item, const struct measurement *row, const char *key)
{
    (void)key;
    item->order = floor(log10(row->median_ms));
    snprintf(item->label, sizeof item->label, "[%g, %g) ms", pow(10, item->order),
             pow(10, item->order + 1));
    return true;
}

static double noise_ms(const struct measurement *row)
{
    return row->ci_ms / 1.96;
}

static bool label_noise(struct item *item, const struct measurement *row, const char *key)
{
    (void)key;
    static const double limits[] = {0.5, 1, 2, 5, INFINITY};
    const double percent = 100 * noise_ms(row) / row->median_ms;
    int bin = 0;
    if (isnan(percent))
        return false;
    while (percent >= limits[bin] && bin < 4)
        bin++;
    item->order = bin;
    snprintf(item->label, sizeof item->label, "[%g, %g) %%", bin > 0 ? limits[bin - 1] : 0,
             limits[bin]);
    return true;
}

static bool label_algorithm(struct item *item, const struct measurement *row, const char *key)
{
    (void)key;
    snprintf(item->label, sizeof item->label, "%s", *row->algorithm ? row->algorithm : "unknown");
    return true;
}

static bool label_feature(struct item *item, const struct measurement *row, const char *key)
{
    const struct feature *feature = layer_feature_find(row->config.kind, key);
    if (!feature)
        return false;
    const int32_t value = layer_get(&row->config, feature);
    item->order = value;
    if (feature->choice)
        snprintf(item->label, sizeof item->label, "%s", choice_name(feature->choice, value));
    else
        snprintf(item->label, sizeof item->label, "%d", value);
    return true;
}

static const struct {
    const char *key;
    label_row label;
} named_labels[] = {
    {"decade", label_decade}, {"noise", label_noise}, {"algorithm", label_algorithm}};
enum { NAMED_COUNT = sizeof named_labels / sizeof *named_labels };

static bool is_feature(const char *key)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (layer_feature_find((enum layer_kind)kind, key))
            return true;
    return false;
}

static enum status find_label(label_row *label, const char *key, struct error *error)
{
    for (int i = 0; i < NAMED_COUNT; i++)
        if (strcmp(named_labels[i].key, key) == 0) {
            *label = named_labels[i].label;
            return STATUS_OK;
        }
    *label = label_feature;
    if (is_feature(key))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "cannot slice by '%.40s': rows have no such key", key);
    return HINT(error, STATUS_USAGE,
                "decade, noise, algorithm, or a feature ('epochcast show layers')");
}

/* Numbers of a wide range are cut at powers of two: 19 becomes "[16, 32)". */
static void widen(struct item *items, size_t count)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, items[i].order);
        high = fmax(high, items[i].order);
    }
    if (high - low < SLICE_SPAN_LIMIT)
        return;
    for (size_t i = 0; i < count; i++) {
        items[i].order = items[i].order < 1 ? 0 : exp2(floor(log2(items[i].order)));
        snprintf(items[i].label, sizeof items[i].label, "[%g, %g)", items[i].order,
                 fmax(1, 2 * items[i].order));
    }
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return strcmp(x->label, y->label);
}

/* ---- slices ---- */

/* Slices of the rows that a kind's items point to. */
struct work {
    const struct row_forecasts *forecasts;
    struct item *items;
    double *measured_ms, *predicted_ms, *room;
};

static double squares_of(const struct work *work, size_t begin, size_t end)
{
    double squares = 0;
    for (size_t i = begin; i < end; i++) {
        const size_t row = work->items[i].row;
        const double difference = work->forecasts->predictions[row].median_ms -
                                  work->forecasts->rows[row]->median_ms;
        squares += difference * difference;
    }
    return squares;
}

static struct slice slice_of(const struct work *work, size_t begin, size_t end, const char *key,
                             double kind_squares)
{
    const double count = (double)(end - begin);
    struct slice slice = {
        .layer = work->items[begin].layer, .key = key, .order = work->items[begin].order};
    memcpy(slice.label, work->items[begin].label, sizeof slice.label);
    double bias = 0, noise = 0, noise_squares = 0;
    for (size_t i = begin; i < end; i++) {
        const size_t row = work->items[i].row;
        const struct measurement *measured = work->forecasts->rows[row];
        const double predicted_ms = work->forecasts->predictions[row].median_ms;
        work->measured_ms[i - begin] = measured->median_ms;
        work->predicted_ms[i - begin] = predicted_ms;
        bias += log(predicted_ms / measured->median_ms);
        noise += noise_ms(measured) / measured->median_ms;
        noise_squares += noise_ms(measured) * noise_ms(measured);
    }
    slice.errors = stats_errors(work->measured_ms, work->predicted_ms, end - begin, work->room);
    slice.bias_percent = 100 * expm1(bias / count);
    slice.squares_percent = 100 * squares_of(work, begin, end) / kind_squares;
    slice.noise_percent = 100 * noise / count;
    slice.noise_rmse_ms = sqrt(noise_squares / count);
    return slice;
}

static size_t end_of_run(const struct item *items, size_t begin, size_t count, bool whole_kind)
{
    size_t end = begin + 1;
    while (end < count && (whole_kind ? items[end].layer == items[begin].layer
                                      : compare_items(&items[end], &items[begin]) == 0))
        end++;
    return end;
}

static void add_slices(struct residuals *residuals, const struct work *work, size_t count,
                       const char *key)
{
    for (size_t kind = 0; kind < count;) {
        const size_t kind_end = end_of_run(work->items, kind, count, true);
        const double squares = squares_of(work, kind, kind_end);
        while (kind < kind_end) {
            const size_t end = end_of_run(work->items, kind, kind_end, false);
            residuals->slices[residuals->count++] = slice_of(work, kind, end, key, squares);
            kind = end;
        }
    }
}

static size_t make_items(const struct work *work, label_row label, const char *key)
{
    size_t count = 0;
    for (size_t row = 0; row < work->forecasts->count; row++) {
        struct item *item = &work->items[count];
        *item = (struct item){.layer = (int32_t)work->forecasts->rows[row]->config.kind,
                              .row = row};
        count += label(item, work->forecasts->rows[row], key);
    }
    if (label == label_feature && count > 0)
        widen(work->items, count);
    qsort(work->items, count, sizeof *work->items, compare_items);
    return count;
}

static size_t count_slices(const struct item *items, size_t count)
{
    size_t slices = 0;
    for (size_t i = 0; i < count; i = end_of_run(items, i, count, false))
        slices++;
    return slices;
}

static enum status slice_by(struct residuals *residuals, const struct work *work, const char *key,
                            struct error *error)
{
    label_row label;
    TRY(find_label(&label, key, error));
    const size_t count = make_items(work, label, key);
    void *memory;
    TRY(error_allocate(&memory, residuals->count + count_slices(work->items, count),
                       sizeof *residuals->slices, "slices", error));
    if (residuals->count > 0)
        memcpy(memory, residuals->slices, residuals->count * sizeof *residuals->slices);
    free(residuals->slices);
    residuals->slices = memory;
    add_slices(residuals, work, count, key);
    return STATUS_OK;
}

enum status residuals_create(struct residuals *residuals, const struct row_forecasts *forecasts,
                             const char *const *keys, int key_count, struct error *error)
{
    *residuals = (struct residuals){0};
    const size_t count = forecasts->count;
    struct item *items;
    double *times;
    TRY(ALLOCATE(&items, count, "slices", error));
    enum status status = ALLOCATE(&times, 3 * count, "times", error);
    const struct work work = {forecasts, items, times, times + count, times + 2 * count};
    for (int i = 0; i < key_count && status == STATUS_OK; i++)
        status = slice_by(residuals, &work, keys[i], error);
    free(items);
    free(times);
    if (status != STATUS_OK)
        residuals_free(residuals);
    return status;
}

void residuals_free(struct residuals *residuals)
{
    free(residuals->slices);
    *residuals = (struct residuals){0};
}
