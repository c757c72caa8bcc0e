/* The `mlp` predictor in a model file. */
#include "data/hdf5_file.h"
#include "predictors/model_content.h"
#include "predictors/model_members.h"
#include "predictors/predictor_mlp.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { CEILING_DOUBLES = CEILING_HEADS + 1 };
static_assert(sizeof(struct fitted_ceilings) == CEILING_DOUBLES * sizeof(double),
              "ceilings are stored as their thetas and variance");

static const char calibrated_name[] = "parameters_calibrated", folds_name[] = "folds";

#define AT(member) offsetof(struct mlp_predictor, member)
static const struct member root_members[] = {
    {"preset", AT(preset), .type = MEMBER_TEXT,
     .count = sizeof(((struct mlp_predictor *)0)->preset)},
    {"encoding", AT(encoding), .type = MEMBER_CHOICE, .choice = &choice_encoding},
    {"with_hardware", AT(with_hardware), .type = MEMBER_INT32, .low = 0, .high = 1},
    {"fine_tuned", AT(fine_tuned), .type = MEMBER_INT32, .low = 0, .high = 1},
    {"target_units_per_ms", AT(target_units_per_ms), .type = MEMBER_DOUBLE, .low = DBL_MIN,
     .high = DBL_MAX},
    {"interval_level", AT(interval_level), .type = MEMBER_DOUBLE, .low = DBL_MIN,
     .high = 1 - DBL_EPSILON},
    {"seed", AT(seed), .type = MEMBER_UINT64},
};
#undef AT

#define AT(member) offsetof(struct mlp_kind, member)
static const struct member kind_members[] = {
    {"activation", AT(shape.activation), .type = MEMBER_CHOICE, .choice = &choice_mlp_activation},
    {"relative_to_roofline", AT(relative_to_roofline), .type = MEMBER_INT32, .low = 0, .high = 1},
    {"output", AT(shape.output), .type = MEMBER_CHOICE, .choice = &choice_mlp_output},
    {"output_bias", AT(shape.output_bias), .type = MEMBER_INT32},
    {"input_limit", AT(scaler.limit), .type = MEMBER_DOUBLE, .low = 0, .high = DBL_MAX},
    {"output_limit", AT(output_limit), .type = MEMBER_DOUBLE},
    {"floor_ms", AT(floor_ms), .type = MEMBER_DOUBLE, .low = DBL_MIN, .high = DBL_MAX},
    {"interval_spread", AT(interval.spread), .type = MEMBER_DOUBLE, .low = DBL_MIN,
     .high = DBL_MAX},
    {"interval_correlation", AT(interval.correlation), .type = MEMBER_DOUBLE, .low = 0, .high = 1},
};
#undef AT
enum {
    ROOT_MEMBERS = sizeof root_members / sizeof *root_members,
    KIND_MEMBERS = sizeof kind_members / sizeof *kind_members,
};

static hid_t range_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct range));
    const bool is_whole =
        type >= 0 &&
        model_insert_text(type, "name", offsetof(struct range, name),
                          sizeof(((struct range *)0)->name)) &&
        H5Tinsert(type, "low", offsetof(struct range, low), H5T_NATIVE_DOUBLE) >= 0 &&
        H5Tinsert(type, "high", offsetof(struct range, high), H5T_NATIVE_DOUBLE) >= 0 &&
        H5Tinsert(type, "seen", offsetof(struct range, seen), H5T_NATIVE_UINT64) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

/* ---- writing ---- */

static enum status write_ranges(const struct model_place *place, const struct mlp_kind *kind,
                                int layer, struct error *error)
{
    const hid_t type = range_type();
    const size_t count = (size_t)ranges_count((enum layer_kind)layer);
    const enum status status = write_array(place, "ranges", type, type, kind->ranges, 0, count,
                                           error);
    H5Tclose(type);
    return status;
}

static enum status write_parameters(const struct model_place *place, const char *name,
                                    const float *parameters, const struct mlp_kind *kind,
                                    struct error *error)
{
    return write_array(place, name, H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, parameters,
                       (size_t)kind->net_count, mlp_parameter_count(&kind->shape), error);
}

/* Of nets with heads; folds of any. */
static enum status write_anchors(const struct model_place *place, const struct mlp_kind *kind,
                                 struct error *error)
{
    const size_t nets = (size_t)kind->net_count;
    TRY(write_numbers(place, folds_name, H5T_NATIVE_INT32, &kind->fold_count, 1, error));
    if (!kind->ceilings)
        return STATUS_OK;
    TRY(write_array(place, "limits", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, kind->limits, nets, 2,
                    error));
    return write_array(place, "ceilings", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, kind->ceilings,
                       nets, (size_t)kind->anchor_count * CEILING_DOUBLES, error);
}

static enum status write_kind(const struct predictor *predictor, enum layer_kind layer,
                              const struct model_place *place, struct error *error)
{
    const struct mlp_kind *kind = &((const struct mlp_predictor *)predictor)->kinds[layer];
    TRY(write_numbers(place, "widths", H5T_NATIVE_INT32, kind->shape.widths,
                      (size_t)kind->shape.layer_count + 1, error));
    TRY(members_write(place, kind, kind_members, KIND_MEMBERS, error));
    TRY(model_columns_write(place, &kind->plan, kind->scaler.means, kind->scaler.inverse_scales,
                            error));
    TRY(write_ranges(place, kind, layer, error));
    TRY(write_array(place, "intervals", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE,
                    kind->interval.quantiles, PASS_COUNT, INTERVAL_DECADE_COUNT, error));
    TRY(write_parameters(place, "parameters", kind->parameters, kind, error));
    TRY(write_anchors(place, kind, error));
    return kind->calibrated
               ? write_parameters(place, calibrated_name, kind->calibrated, kind, error)
               : STATUS_OK;
}

enum status mlp_predictor_save(const struct predictor *predictor, const struct model_place *root,
                               struct error *error)
{
    TRY(members_write(root, predictor, root_members, ROOT_MEMBERS, error));
    return model_kinds_write(root, predictor, write_kind, error);
}

/* ---- reading ---- */

static enum status place_ranges(const struct model_place *place, struct range *ranges, int layer,
                                struct range *stored, size_t stored_count, struct error *error)
{
    ranges_begin_stored(ranges, (enum layer_kind)layer);
    for (size_t i = 0; i < stored_count; i++) {
        stored[i].name[sizeof stored[i].name - 1] = '\0';
        const int at = ranges_find((enum layer_kind)layer, stored[i].name);
        if (at < 0)
            return model_unknown_name(place, "range", stored[i].name, "ranges", error);
        ranges[at] = stored[i];
    }
    for (int i = 0; i < ranges_count((enum layer_kind)layer); i++)
        if (isnan(ranges[i].low) || isnan(ranges[i].high))
            return model_bad_value(place, "ranges", error);
    return STATUS_OK;
}

static enum status read_ranges(const struct model_place *place, struct mlp_kind *kind, int layer,
                               struct error *error)
{
    struct range stored[RANGE_LIMIT];
    size_t count;
    TRY(read_array_count(place, "ranges", &count, RANGE_LIMIT, error));
    const hid_t type = range_type();
    const enum status status = read_array(place, "ranges", type, stored, 0, count, error);
    H5Tclose(type);
    TRY(status);
    return place_ranges(place, kind->ranges, layer, stored, count, error);
}

static enum status read_shape(const struct model_place *place, struct mlp_kind *kind,
                              struct error *error)
{
    struct mlp_shape *shape = &kind->shape;
    size_t width_count;
    TRY(read_attribute_count(place, "widths", &width_count, MLP_LAYER_LIMIT + 1, error));
    if (width_count < 2)
        return model_bad_value(place, "widths", error);
    TRY(read_numbers(place, "widths", H5T_NATIVE_INT32, shape->widths, width_count, error));
    shape->layer_count = (int32_t)width_count - 1;
    if (mlp_shape_check(shape, NULL) != STATUS_OK || shape->widths[0] != kind->scaler.column_count)
        return model_bad_value(place, "widths", error);
    return STATUS_OK;
}

/* As many nets as the file holds; the caller owns *parameters, also after a failure. */
static enum status read_parameters(const struct model_place *place, const char *name,
                                   float **parameters, int32_t *net_count,
                                   const struct mlp_shape *shape, struct error *error)
{
    const size_t count = mlp_parameter_count(shape);
    size_t stored;
    TRY(read_array_count(place, name, &stored, place->file_bytes / sizeof(float), error));
    if (stored % count != 0 || stored / count > ENSEMBLE_LIMIT)
        return model_bad_value(place, name, error);
    TRY(ALLOCATE(parameters, stored, name, error));
    TRY(model_floats_read(place, name, *parameters, stored / count, count, error));
    *net_count = (int32_t)(stored / count);
    return STATUS_OK;
}

static enum status read_nets(const struct model_place *place, struct mlp_kind *kind,
                             struct error *error)
{
    int32_t calibrated_count = 0;
    TRY(read_parameters(place, "parameters", &kind->parameters, &kind->net_count, &kind->shape,
                        error));
    if (H5Lexists(place->id, calibrated_name, H5P_DEFAULT) == 0)
        return STATUS_OK;
    TRY(read_parameters(place, calibrated_name, &kind->calibrated, &calibrated_count, &kind->shape,
                        error));
    return calibrated_count == kind->net_count ? STATUS_OK
                                               : model_bad_value(place, calibrated_name, error);
}

static bool are_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* For nets with heads: of every training device, and of all together. */
static enum status read_anchors(const struct model_place *place, struct mlp_kind *kind,
                                int device_count, struct error *error)
{
    const size_t nets = (size_t)kind->net_count, anchors = (size_t)device_count + 1;
    if (H5Aexists(place->id, folds_name) > 0) /* models of earlier versions lack it */
        TRY(read_numbers(place, folds_name, H5T_NATIVE_INT32, &kind->fold_count, 1, error));
    if (kind->fold_count != 0 && kind->fold_count != kind->net_count)
        return model_bad_value(place, folds_name, error);
    if (kind->shape.output != MLP_OUTPUT_SUM)
        return STATUS_OK;
    kind->anchor_count = device_count + 1;
    if (kind->shape.widths[kind->shape.layer_count] != CEILING_HEADS)
        return model_bad_value(place, "widths", error);
    TRY(ALLOCATE(&kind->ceilings, nets * anchors, "ceilings", error));
    TRY(ALLOCATE(&kind->limits, nets * 2, "limits", error));
    TRY(read_array(place, "limits", H5T_NATIVE_DOUBLE, kind->limits, nets, 2, error));
    if (!are_finite(kind->limits, nets * 2))
        return model_bad_value(place, "limits", error);
    TRY(read_array(place, "ceilings", H5T_NATIVE_DOUBLE, kind->ceilings, nets,
                   anchors * CEILING_DOUBLES, error));
    return are_finite(kind->ceilings[0].theta, nets * anchors * CEILING_DOUBLES)
               ? STATUS_OK
               : model_bad_value(place, "ceilings", error);
}

/* (passes, decades); older files store one set of quantiles for all passes. */
static enum status read_quantiles(const struct model_place *place, struct interval *interval,
                                  struct error *error)
{
    enum { COUNT = PASS_COUNT * INTERVAL_DECADE_COUNT };
    double *const quantiles = interval->quantiles[0];
    size_t stored;
    TRY(read_array_count(place, "intervals", &stored, COUNT, error));
    const bool is_shared = stored == INTERVAL_DECADE_COUNT;
    TRY(read_array(place, "intervals", H5T_NATIVE_DOUBLE, quantiles, is_shared ? 0 : PASS_COUNT,
                   INTERVAL_DECADE_COUNT, error));
    for (int pass = 1; is_shared && pass < PASS_COUNT; pass++)
        memcpy(interval->quantiles[pass], quantiles, sizeof interval->quantiles[pass]);
    for (int i = 0; i < COUNT; i++)
        if (isinf(quantiles[i]) || quantiles[i] < 0) /* NaN: no interval */
            return model_bad_value(place, "intervals", error);
    return STATUS_OK;
}

static enum status read_kind(struct predictor *base, enum layer_kind layer,
                             const struct model_place *place, struct error *error)
{
    struct mlp_predictor *predictor = (struct mlp_predictor *)base;
    struct mlp_kind *kind = &predictor->kinds[layer];
    const struct encode_layout layout = mlp_layout(predictor, layer);
    TRY(model_columns_read(place, &kind->plan, &layout, kind->scaler.means,
                           kind->scaler.inverse_scales, error));
    kind->scaler.column_count = kind->plan.count;
    TRY(read_ranges(place, kind, layer, error));
    TRY(members_read(place, kind, kind_members, KIND_MEMBERS, error));
    TRY(read_shape(place, kind, error));
    TRY(read_quantiles(place, &kind->interval, error));
    TRY(read_nets(place, kind, error));
    return read_anchors(place, kind, predictor->base.device_count, error);
}

static enum status read_content(struct predictor *predictor, const struct model_place *root,
                                struct error *error)
{
    bool knows_some = false;
    TRY(model_devices_read(predictor, root, error));
    TRY(members_read(root, predictor, root_members, ROOT_MEMBERS, error));
    TRY(model_kinds_read(root, predictor, read_kind, error));
    for (int layer = 0; layer < LAYER_KIND_COUNT; layer++)
        knows_some |= predictor->type->knows(predictor, (enum layer_kind)layer);
    if (!knows_some)
        return FAIL(error, STATUS_BAD_FILE, "'%s' holds no layer kind that this program knows",
                    root->path);
    return STATUS_OK;
}

enum status mlp_predictor_load(struct predictor **out, const struct model_place *root,
                               struct error *error)
{
    struct mlp_predictor *predictor;
    TRY(ALLOCATE(&predictor, 1, "predictor", error));
    predictor->base.type = &predictor_mlp;
    const enum status status = read_content(&predictor->base, root, error);
    if (status == STATUS_OK)
        *out = &predictor->base;
    else
        mlp_predictor_free(&predictor->base);
    return status;
}
