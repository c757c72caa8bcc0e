#include "predictors/bounds.h"

#include "data/split.h"
#include "predictors/predictor_roofline.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>

/* Rows of other bins count together as so many of the bin. */
enum { POOLED_ROWS = 10 };

struct sample {
    double ratio;
    int decade;
};

static int compare_samples(const void *a, const void *b)
{
    const double x = ((const struct sample *)a)->ratio, y = ((const struct sample *)b)->ratio;
    return (x > y) - (x < y);
}

/* The family of every kind that the rows have: all layers of a kind do the same sort of work. */
static void find_families(int *families, const struct dataset_rows *rows)
{
    struct layer_work work;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        families[kind] = -1;
    for (size_t i = 0; i < rows->count; i++) {
        const struct layer_config *config = &rows->rows[i].config;
        if (families[config->kind] >= 0)
            continue;
        layer_work(&work, config);
        families[config->kind] = (int)work.family;
    }
}

static bool is_of(const struct measurement *row, int32_t pass, const struct device_info *device,
                  const struct device_info *own)
{
    return row->config.pass == pass && row_is_usable(row) &&
           (!device || device_find(device, 1, own) >= 0) &&
           split_of(&row->config) != SPLIT_VALIDATION;
}

/* The rows of the kinds of a family, sorted. */
static size_t collect(struct sample *samples, const struct dataset_rows *rows,
                      const struct device_info *device, const int *families, int family,
                      int32_t pass)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        const struct device_info *own = &rows->devices[row->device];
        if (families[row->config.kind] != family || !is_of(row, pass, device, own))
            continue;
        const double bound_ms = roofline_ms(&row->config, own);
        if (isfinite(bound_ms) && bound_ms > 0)
            samples[count++] = (struct sample){.ratio = row->median_ms / bound_ms,
                                               .decade = interval_decade(bound_ms)};
    }
    qsort(samples, count, sizeof *samples, compare_samples);
    return count;
}

/* Of sorted samples. */
static double quantile(const struct sample *samples, size_t count, int decade, double level)
{
    const double pooled = POOLED_ROWS / (double)count;
    double total = POOLED_ROWS, passed = 0;
    for (size_t i = 0; i < count; i++)
        total += samples[i].decade == decade;
    for (size_t i = 0; i < count; i++) {
        passed += pooled + (samples[i].decade == decade);
        if (passed >= level * total)
            return fmax(1, samples[i].ratio);
    }
    return fmax(1, samples[count - 1].ratio);
}

static void learn(struct bound_ratio *ratios, const struct sample *samples, size_t count,
                  double level)
{
    for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++)
        ratios[decade] = count < INTERVAL_ROWS_MINIMUM
                             ? (struct bound_ratio){NAN, NAN}
                             : (struct bound_ratio){
                                   quantile(samples, count, decade, 0.5),
                                   quantile(samples, count, decade, (1 + level) / 2)};
}

enum status bound_ratios_learn(struct bound_ratios *ratios, const struct dataset_rows *rows,
                               const struct device_info *device, double level, struct error *error)
{
    struct sample *samples;
    int families[LAYER_KIND_COUNT];
    find_families(families, rows);
    TRY(ALLOCATE(&samples, rows->count, "ratios to the roofline", error));
    for (int family = 0; family < WORK_FAMILY_COUNT; family++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            const size_t count = collect(samples, rows, device, families, family, pass);
            learn(ratios->of[family][pass], samples, count, level);
        }
    free(samples);
    return STATUS_OK;
}

struct bound_ratio bound_ratio_of(const struct bound_ratios *ratios, enum work_family family,
                                  int32_t pass, double bound_ms)
{
    if (!ratios || !(bound_ms > 0))
        return (struct bound_ratio){NAN, NAN};
    return ratios->of[family][pass][interval_decade(bound_ms)];
}
