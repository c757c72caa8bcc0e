#include "predictors/model_content.h"

#include "data/schema.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICE_LIMIT = 4096 };

static const char calibrated_name[] = "parameters_calibrated";

/* One input column: its name, and how it is standardised. */
struct column {
    char name[64];
    double mean, inverse_scale;
};

/* A text member of `size` bytes; the caller closes the compound type. */
static void insert_text(hid_t compound, const char *name, size_t offset, size_t size)
{
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, size);
    H5Tinsert(compound, name, offset, text);
    H5Tclose(text);
}

static hid_t column_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct column));
    insert_text(type, "name", offsetof(struct column, name), sizeof(((struct column *)0)->name));
    H5Tinsert(type, "mean", offsetof(struct column, mean), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "inverse_scale", offsetof(struct column, inverse_scale), H5T_NATIVE_DOUBLE);
    return type;
}

static hid_t range_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct range));
    insert_text(type, "name", offsetof(struct range, name), sizeof(((struct range *)0)->name));
    H5Tinsert(type, "low", offsetof(struct range, low), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "high", offsetof(struct range, high), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "seen", offsetof(struct range, seen), H5T_NATIVE_UINT64);
    return type;
}

static const char *name_of_column(const struct mlp_predictor *predictor, int layer, int column)
{
    return encode_column_name((enum encoding)predictor->encoding, (enum layer_kind)layer,
                              predictor->with_hardware, column);
}

/* ---- writing ---- */

static enum status write_columns(const struct model_place *place,
                                 const struct mlp_predictor *predictor, int layer,
                                 struct error *error)
{
    const struct scaler *scaler = &predictor->kinds[layer].scaler;
    struct column columns[ENCODE_COLUMN_LIMIT] = {0};
    for (int i = 0; i < scaler->column_count; i++) {
        const char *name = name_of_column(predictor, layer, i);
        assert(strlen(name) < sizeof columns[i].name);
        strncpy(columns[i].name, name, sizeof columns[i].name - 1);
        columns[i].mean = scaler->means[i];
        columns[i].inverse_scale = scaler->inverse_scales[i];
    }
    const hid_t type = column_type();
    const enum status status = write_array(place, "columns", type, type, columns, 0,
                                           (size_t)scaler->column_count, error);
    H5Tclose(type);
    return status;
}

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

static enum status write_kind_members(const struct model_place *place,
                                      const struct mlp_predictor *predictor, int layer,
                                      struct error *error)
{
    const struct mlp_kind *kind = &predictor->kinds[layer];
    const struct mlp_shape *shape = &kind->shape;
    TRY(write_numbers(place, "widths", H5T_NATIVE_INT32, shape->widths,
                      (size_t)shape->layer_count + 1, error));
    TRY(write_text(place, "activation", choice_name(&choice_mlp_activation, shape->activation),
                   error));
    TRY(write_numbers(place, "relative_to_roofline", H5T_NATIVE_INT32, &kind->relative_to_roofline,
                      1, error));
    TRY(write_text(place, "output", choice_name(&choice_mlp_output, shape->output), error));
    TRY(write_numbers(place, "output_bias", H5T_NATIVE_INT32, &shape->output_bias, 1, error));
    TRY(write_numbers(place, "input_limit", H5T_NATIVE_DOUBLE, &kind->scaler.limit, 1, error));
    TRY(write_numbers(place, "output_limit", H5T_NATIVE_DOUBLE, &kind->output_limit, 1, error));
    TRY(write_numbers(place, "floor_ms", H5T_NATIVE_DOUBLE, &kind->floor_ms, 1, error));
    TRY(write_columns(place, predictor, layer, error));
    TRY(write_ranges(place, kind, layer, error));
    TRY(write_numbers(place, "interval_spread", H5T_NATIVE_DOUBLE, &kind->interval.spread, 1,
                      error));
    TRY(write_numbers(place, "interval_correlation", H5T_NATIVE_DOUBLE, &kind->interval.correlation,
                      1, error));
    TRY(write_array(place, "intervals", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE,
                    kind->interval.quantiles, PASS_COUNT, INTERVAL_DECADE_COUNT, error));
    TRY(write_parameters(place, "parameters", kind->parameters, kind, error));
    return kind->calibrated
               ? write_parameters(place, calibrated_name, kind->calibrated, kind, error)
               : STATUS_OK;
}

static enum status write_kind(const struct model_place *root, const struct mlp_predictor *predictor,
                              int layer, struct error *error)
{
    const char *name = layer_descriptors[layer]->name;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s/", name);
    struct model_place place = {.path = root->path, .prefix = prefix};
    place.id = H5Gcreate2(root->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (place.id < 0)
        return FAIL(error, STATUS_FAILED, "cannot write group '%s' to '%s'", name, root->path);
    const enum status status = write_kind_members(&place, predictor, layer, error);
    H5Gclose(place.id);
    return status;
}

static enum status write_devices(const struct model_place *root,
                                 const struct mlp_predictor *predictor, struct error *error)
{
    const hid_t file_type = schema_device_type(true), memory_type = schema_device_type(false);
    const enum status status = write_array(root, "devices", file_type, memory_type,
                                           predictor->base.devices, 0,
                                           (size_t)predictor->base.device_count, error);
    H5Tclose(file_type);
    H5Tclose(memory_type);
    return status;
}

enum status model_content_write(const struct model_place *root,
                                const struct mlp_predictor *predictor, const char *provenance,
                                struct error *error)
{
    const int32_t version = MODEL_FORMAT_VERSION;
    TRY(write_text(root, "format", MODEL_FORMAT_NAME, error));
    TRY(write_numbers(root, "format_version", H5T_NATIVE_INT32, &version, 1, error));
    TRY(write_text(root, "predictor", predictor->base.type->name, error));
    TRY(write_text(root, "preset", predictor->preset, error));
    TRY(write_text(root, "encoding", choice_name(&choice_encoding, predictor->encoding), error));
    TRY(write_numbers(root, "with_hardware", H5T_NATIVE_INT32, &predictor->with_hardware, 1,
                      error));
    TRY(write_numbers(root, "fine_tuned", H5T_NATIVE_INT32, &predictor->fine_tuned, 1, error));
    TRY(write_numbers(root, "target_units_per_ms", H5T_NATIVE_DOUBLE,
                      &predictor->target_units_per_ms, 1, error));
    TRY(write_numbers(root, "interval_level", H5T_NATIVE_DOUBLE, &predictor->interval_level, 1,
                      error));
    TRY(write_numbers(root, "seed", H5T_NATIVE_UINT64, &predictor->seed, 1, error));
    TRY(write_text(root, "provenance", provenance, error));
    TRY(write_devices(root, predictor, error));
    for (int layer = 0; layer < LAYER_KIND_COUNT; layer++)
        if (predictor->kinds[layer].net_count > 0)
            TRY(write_kind(root, predictor, layer, error));
    return STATUS_OK;
}

/* ---- reading ---- */

static enum status bad_value(const struct model_place *place, const char *name, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "impossible value of '%s%s' in '%s'", place->prefix, name,
         place->path);
    return HINT(error, STATUS_BAD_FILE, "train the model again");
}

static enum status read_choice(const struct model_place *place, const char *name,
                               const struct choice *choice, int32_t *value, struct error *error)
{
    char text[32];
    TRY(read_text(place, name, text, sizeof text, error));
    *value = choice_find(choice, text);
    return *value < 0 ? bad_value(place, name, error) : STATUS_OK;
}

static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* The model stands on columns of this name and order; encodings may have moved on since. */
static enum status check_column(const struct model_place *place, const char *stored,
                                const char *wanted, int column, struct error *error)
{
    if (strcmp(stored, wanted) == 0)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE,
         "'%s' was trained by another version: column %d of '%scolumns' is '%.63s', this program "
         "encodes '%s'",
         place->path, column, place->prefix, stored, wanted);
    return HINT(error, STATUS_BAD_FILE, "train the model again from its dataset");
}

static enum status read_columns(const struct model_place *place, struct mlp_predictor *predictor,
                                int layer, struct error *error)
{
    struct scaler *scaler = &predictor->kinds[layer].scaler;
    struct column columns[ENCODE_COLUMN_LIMIT] = {0};
    size_t count;
    TRY(read_array_count(place, "columns", &count, ENCODE_COLUMN_LIMIT, error));
    const hid_t type = column_type();
    const enum status status = read_array(place, "columns", type, columns, 0, count, error);
    H5Tclose(type);
    TRY(status);
    const int wanted = encode_column_count((enum encoding)predictor->encoding,
                                           (enum layer_kind)layer, predictor->with_hardware);
    for (int i = 0; i < wanted || i < (int)count; i++) {
        if (i < (int)count)
            columns[i].name[sizeof columns[i].name - 1] = '\0';
        TRY(check_column(place, i < (int)count ? columns[i].name : "(none)",
                         i < wanted ? name_of_column(predictor, layer, i) : "(none)", i, error));
        scaler->means[i] = columns[i].mean;
        scaler->inverse_scales[i] = columns[i].inverse_scale;
    }
    scaler->column_count = wanted;
    if (!all_finite(scaler->means, count) || !all_finite(scaler->inverse_scales, count))
        return bad_value(place, "columns", error);
    return STATUS_OK;
}

static enum status read_ranges(const struct model_place *place, struct mlp_kind *kind, int layer,
                               struct error *error)
{
    struct range wanted[RANGE_LIMIT];
    ranges_begin(wanted, (enum layer_kind)layer);
    const int count = ranges_count((enum layer_kind)layer);
    const hid_t type = range_type();
    const enum status status = read_array(place, "ranges", type, kind->ranges, 0, (size_t)count,
                                          error);
    H5Tclose(type);
    TRY(status);
    for (int i = 0; i < count; i++) {
        if (strncmp(kind->ranges[i].name, wanted[i].name, sizeof wanted[i].name) != 0 ||
            isnan(kind->ranges[i].low) || isnan(kind->ranges[i].high))
            return bad_value(place, "ranges", error);
    }
    return STATUS_OK;
}

static enum status read_shape(const struct model_place *place, struct mlp_shape *shape,
                              int column_count, struct error *error)
{
    size_t width_count;
    TRY(read_attribute_count(place, "widths", &width_count, MLP_LAYER_LIMIT + 1, error));
    if (width_count < 2)
        return bad_value(place, "widths", error);
    TRY(read_numbers(place, "widths", H5T_NATIVE_INT32, shape->widths, width_count, error));
    shape->layer_count = (int32_t)width_count - 1;
    TRY(read_choice(place, "activation", &choice_mlp_activation, &shape->activation, error));
    TRY(read_choice(place, "output", &choice_mlp_output, &shape->output, error));
    TRY(read_numbers(place, "output_bias", H5T_NATIVE_INT32, &shape->output_bias, 1, error));
    if (mlp_shape_check(shape, NULL) != STATUS_OK || shape->widths[0] != column_count)
        return bad_value(place, "widths", error);
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
        return bad_value(place, name, error);
    TRY(ALLOCATE(parameters, stored, name, error));
    TRY(read_array(place, name, H5T_NATIVE_FLOAT, *parameters, stored / count, count, error));
    for (size_t i = 0; i < stored; i++)
        if (!isfinite((*parameters)[i]))
            return bad_value(place, name, error);
    *net_count = (int32_t)(stored / count);
    return STATUS_OK;
}

static enum status read_nets(const struct model_place *place, struct mlp_kind *kind,
                             struct error *error)
{
    int32_t calibrated_count = 0;
    TRY(read_parameters(place, "parameters", &kind->parameters, &kind->net_count, &kind->shape,
                        error));
    if (H5Lexists(place->id, calibrated_name, H5P_DEFAULT) <= 0)
        return STATUS_OK;
    TRY(read_parameters(place, calibrated_name, &kind->calibrated, &calibrated_count, &kind->shape,
                        error));
    return calibrated_count == kind->net_count ? STATUS_OK
                                               : bad_value(place, calibrated_name, error);
}

/* (passes, decades); files of before passes had their own quantiles hold (decades) for all. */
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
        if (!isfinite(quantiles[i]) || quantiles[i] < 0)
            return bad_value(place, "intervals", error);
    return STATUS_OK;
}

static enum status read_interval(const struct model_place *place, struct interval *interval,
                                 struct error *error)
{
    TRY(read_numbers(place, "interval_spread", H5T_NATIVE_DOUBLE, &interval->spread, 1, error));
    if (!isfinite(interval->spread) || interval->spread <= 0)
        return bad_value(place, "interval_spread", error);
    TRY(read_numbers(place, "interval_correlation", H5T_NATIVE_DOUBLE, &interval->correlation, 1,
                     error));
    if (!(interval->correlation >= 0 && interval->correlation <= 1))
        return bad_value(place, "interval_correlation", error);
    return read_quantiles(place, interval, error);
}

static enum status read_kind_members(const struct model_place *place,
                                     struct mlp_predictor *predictor, int layer,
                                     struct error *error)
{
    struct mlp_kind *kind = &predictor->kinds[layer];
    TRY(read_columns(place, predictor, layer, error));
    TRY(read_ranges(place, kind, layer, error));
    TRY(read_shape(place, &kind->shape, kind->scaler.column_count, error));
    TRY(read_numbers(place, "relative_to_roofline", H5T_NATIVE_INT32, &kind->relative_to_roofline,
                     1, error));
    if (kind->relative_to_roofline < 0 || kind->relative_to_roofline > 1)
        return bad_value(place, "relative_to_roofline", error);
    TRY(read_numbers(place, "input_limit", H5T_NATIVE_DOUBLE, &kind->scaler.limit, 1, error));
    if (!(kind->scaler.limit >= 0 && isfinite(kind->scaler.limit)))
        return bad_value(place, "input_limit", error);
    TRY(read_numbers(place, "output_limit", H5T_NATIVE_DOUBLE, &kind->output_limit, 1, error));
    if (!isfinite(kind->output_limit))
        return bad_value(place, "output_limit", error);
    TRY(read_numbers(place, "floor_ms", H5T_NATIVE_DOUBLE, &kind->floor_ms, 1, error));
    if (!isfinite(kind->floor_ms) || kind->floor_ms <= 0)
        return bad_value(place, "floor_ms", error);
    TRY(read_interval(place, &kind->interval, error));
    return read_nets(place, kind, error);
}

static enum status read_kind(const struct model_place *root, struct mlp_predictor *predictor,
                             int layer, struct error *error)
{
    const char *name = layer_descriptors[layer]->name;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s/", name);
    struct model_place place = {
        .path = root->path, .prefix = prefix, .file_bytes = root->file_bytes};
    place.id = H5Gopen2(root->id, name, H5P_DEFAULT);
    if (place.id < 0)
        return FAIL(error, STATUS_BAD_FILE, "cannot read group '%s' in '%s'", name, root->path);
    const enum status status = read_kind_members(&place, predictor, layer, error);
    H5Gclose(place.id);
    return status;
}

static void terminate_texts(struct device_info *device)
{
    device->name[sizeof device->name - 1] = '\0';
    device->backend[sizeof device->backend - 1] = '\0';
    device->technology[sizeof device->technology - 1] = '\0';
    device->connectivity[sizeof device->connectivity - 1] = '\0';
    device->library[sizeof device->library - 1] = '\0';
}

static enum status read_devices(const struct model_place *root, struct mlp_predictor *predictor,
                                struct error *error)
{
    size_t count;
    TRY(read_array_count(root, "devices", &count, DEVICE_LIMIT, error));
    TRY(ALLOCATE(&predictor->base.devices, count, "devices", error));
    predictor->base.device_count = (int32_t)count;
    const hid_t type = schema_device_type(false);
    const enum status status = read_array(root, "devices", type, predictor->base.devices, 0, count,
                                          error);
    H5Tclose(type);
    for (size_t i = 0; i < count; i++)
        terminate_texts(&predictor->base.devices[i]);
    return status;
}

static enum status check_format(const struct model_place *root, struct error *error)
{
    char text[64];
    int32_t version;
    TRY(read_text(root, "format", text, sizeof text, error));
    TRY(read_numbers(root, "format_version", H5T_NATIVE_INT32, &version, 1, error));
    if (strcmp(text, MODEL_FORMAT_NAME) != 0)
        return bad_value(root, "format", error);
    if (version != MODEL_FORMAT_VERSION)
        return bad_value(root, "format_version", error);
    TRY(read_text(root, "predictor", text, sizeof text, error));
    return strcmp(text, predictor_mlp.name) == 0 ? STATUS_OK : bad_value(root, "predictor", error);
}

static enum status read_root(const struct model_place *root, struct mlp_predictor *predictor,
                             struct error *error)
{
    TRY(read_text(root, "preset", predictor->preset, sizeof predictor->preset, error));
    TRY(read_choice(root, "encoding", &choice_encoding, &predictor->encoding, error));
    TRY(read_numbers(root, "with_hardware", H5T_NATIVE_INT32, &predictor->with_hardware, 1, error));
    predictor->with_hardware = predictor->with_hardware != 0;
    TRY(read_numbers(root, "seed", H5T_NATIVE_UINT64, &predictor->seed, 1, error));
    TRY(read_numbers(root, "fine_tuned", H5T_NATIVE_INT32, &predictor->fine_tuned, 1, error));
    if (predictor->fine_tuned < 0 || predictor->fine_tuned > 1)
        return bad_value(root, "fine_tuned", error);
    TRY(read_numbers(root, "target_units_per_ms", H5T_NATIVE_DOUBLE,
                     &predictor->target_units_per_ms, 1, error));
    if (!isfinite(predictor->target_units_per_ms) || predictor->target_units_per_ms <= 0)
        return bad_value(root, "target_units_per_ms", error);
    TRY(read_numbers(root, "interval_level", H5T_NATIVE_DOUBLE, &predictor->interval_level, 1,
                     error));
    if (!(predictor->interval_level > 0 && predictor->interval_level < 1))
        return bad_value(root, "interval_level", error);
    return read_devices(root, predictor, error);
}

enum status model_content_read(const struct model_place *root, struct mlp_predictor *predictor,
                               char *provenance, size_t provenance_size, struct error *error)
{
    int known_count = 0;
    TRY(check_format(root, error));
    TRY(read_root(root, predictor, error));
    TRY(read_text(root, "provenance", provenance, provenance_size, error));
    for (int layer = 0; layer < LAYER_KIND_COUNT; layer++)
        if (H5Lexists(root->id, layer_descriptors[layer]->name, H5P_DEFAULT) > 0) {
            TRY(read_kind(root, predictor, layer, error));
            known_count++;
        }
    if (known_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "'%s' holds no layer kind that this program knows",
                    root->path);
    return STATUS_OK;
}
