#include "predictors/training_facts.h"

#include "data/split.h"
#include "predictors/ranges.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>

static void forget_bounds(struct bound_ratios *ratios)
{
    for (int family = 0; family < WORK_FAMILY_COUNT; family++)
        for (int pass = 0; pass < PASS_COUNT; pass++)
            for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++)
                ratios->of[family][pass][decade] = (struct bound_ratio){NAN, NAN};
}

enum status training_facts_create(struct training_facts **facts, int device_count,
                                  struct error *error)
{
    struct bound_ratios *bounds;
    TRY(ALLOCATE(&bounds, (size_t)device_count + 1, "bounds", error));
    const enum status status = ALLOCATE(facts, 1, "facts of the training rows", error);
    if (status != STATUS_OK) {
        free(bounds);
        return status;
    }
    **facts = (struct training_facts){.bounds = bounds, .device_count = device_count};
    for (int i = 0; i <= device_count; i++)
        forget_bounds(&bounds[i]);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        (*facts)->kinds[kind].held_out = held_out_errors_of(NULL);
        for (int rival = 0; rival < RIVAL_COUNT; rival++)
            (*facts)->kinds[kind].rivals[rival] = held_out_errors_of(NULL);
    }
    return STATUS_OK;
}

void training_facts_free(struct training_facts *facts)
{
    if (facts)
        free(facts->bounds);
    free(facts);
}

/* ---- learning them ---- */

static void add_row(struct kind_facts *kind, const struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    const enum split split = split_of(config);
    kind->test_rows += split == SPLIT_TEST;
    if (split != SPLIT_TRAIN)
        return;
    kind->train_rows++;
    for (int i = 0; i < descriptor->feature_count; i++)
        if (descriptor->features[i].choice)
            kind->seen[i] |= UINT64_C(1) << layer_get(config, &descriptor->features[i]);
}

static void count_rows(struct training_facts *facts, const struct predictor *predictor,
                       const struct dataset_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        if (row_is_usable(row) && device_find(predictor->devices, predictor->device_count,
                                              &rows->devices[row->device]) >= 0)
            add_row(&facts->kinds[row->config.kind], &row->config);
    }
}

static void keep_errors(struct training_facts *facts, const struct fit_report *reports)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        facts->kinds[kind].held_out = held_out_errors_known(&reports[kind].held_out);
        for (int rival = 0; rival < RIVAL_COUNT; rival++)
            facts->kinds[kind].rivals[rival] = held_out_errors_known(&reports[kind].rivals[rival]);
    }
}

static enum status learn(struct training_facts *facts, const struct predictor *predictor,
                         const struct dataset_rows *rows, const struct fit_report *reports,
                         struct error *error)
{
    for (int i = 0; i <= facts->device_count; i++) {
        const struct device_info *device = i < facts->device_count ? &predictor->devices[i] : NULL;
        TRY(bound_ratios_learn(&facts->bounds[i], rows, device, facts->level, error));
    }
    count_rows(facts, predictor, rows);
    keep_errors(facts, reports);
    return STATUS_OK;
}

enum status training_facts_learn(struct predictor *predictor, const struct dataset_rows *rows,
                                 const struct fit_report reports[LAYER_KIND_COUNT], double level,
                                 struct error *error)
{
    struct training_facts *facts;
    TRY(training_facts_create(&facts, predictor->device_count, error));
    facts->level = level;
    const enum status status = learn(facts, predictor, rows, reports, error);
    if (status != STATUS_OK) {
        training_facts_free(facts);
        return status;
    }
    training_facts_free(predictor->facts);
    predictor->facts = facts;
    return STATUS_OK;
}

/* ---- asking for them ---- */

const struct bound_ratios *training_bounds(const struct predictor *predictor,
                                           const struct device_info *device)
{
    const struct training_facts *facts = predictor->facts;
    if (!facts || !device)
        return NULL;
    const int known = device_find(predictor->devices, predictor->device_count, device);
    return &facts->bounds[known >= 0 ? known : facts->device_count];
}

static uint64_t seen_in_rows(const struct predictor *predictor, enum layer_kind kind, int feature)
{
    if (predictor->type->seen)
        return predictor->type->seen(predictor, kind, feature);
    return predictor->facts ? predictor->facts->kinds[kind].seen[feature] : UINT64_MAX;
}

uint64_t training_seen(const struct predictor *predictor, enum layer_kind kind, int feature)
{
    return range_choices(feature, seen_in_rows(predictor, kind, feature));
}
