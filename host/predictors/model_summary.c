#include "predictors/model_summary.h"

#include "base/mapped_file.h"
#include "predictors/model_content.h"
#include "predictors/predictor_mlp.h"
#include "predictors/training_facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double maximum_flops_of(const struct mlp_kind *known, enum layer_kind kind)
{
    const int flops = ranges_find(kind, "log_flops");
    return flops < 0 ? NAN : expm1(known->ranges[flops].high);
}

bool model_summarise(struct model_summary *summary, const struct model *model, enum layer_kind kind)
{
    const struct training_facts *facts = model->predictor->facts;
    *summary = (struct model_summary){
        .encoding = "", .preset = "", .interval_level = NAN, .maximum_flops = NAN};
    if (!model->predictor->type->knows(model->predictor, kind))
        return false;
    if (model->predictor->type != &predictor_mlp)
        return true;
    const struct mlp_predictor *mlp = (const struct mlp_predictor *)model->predictor;
    const struct mlp_kind *known = &mlp->kinds[kind];
    *summary = (struct model_summary){.held_out = facts ? facts->kinds[kind].held_out
                                                        : held_out_errors_of(NULL),
                                      .net_count = known->net_count,
                                      .column_count = known->shape.widths[0],
                                      .encoding = choice_name(&choice_encoding, mlp->encoding),
                                      .preset = mlp->preset,
                                      .interval_level = mlp->interval_level,
                                      .maximum_flops = maximum_flops_of(known, kind)};
    size_t length = 0, size = sizeof summary->shape;
    for (int i = 0; i <= known->shape.layer_count && length < size; i++)
        length += (size_t)snprintf(summary->shape + length, size - length, i ? "-%d" : "%d",
                                   known->shape.widths[i]);
    return true;
}

bool model_recognise(const char *path)
{
    struct mapped_file file;
    if (mapped_file_open(&file, path, NULL) != STATUS_OK)
        return false;
    bool is_model = file.size >= sizeof MODEL_FORMAT_NAME - 1 &&
                    memcmp(file.bytes, MODEL_FORMAT_NAME, sizeof MODEL_FORMAT_NAME - 1) == 0;
    mapped_file_close(&file);
    return is_model;
}
