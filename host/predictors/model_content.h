/* What stands in a model file, between its envelope (model_file.c) and HDF5 (model_hdf5.c).
 *
 *   /            format, format_version, predictor, preset, encoding, with_hardware,
 *                target_units_per_ms, interval_level, seed, provenance   (attributes)
 *   /devices     the training devices, as in a dataset's /devices/rows
 *   /<kind>/     widths, output, output_bias, floor_ms                   (attributes)
 *     columns    (columns): name, mean, inverse_scale
 *     ranges     (features): name, low, high, seen
 *     intervals  (16): half-widths in ln of time, by decade of the forecast
 *     parameters (nets, parameters): float
 */
#ifndef EPOCHCAST_PREDICTORS_MODEL_CONTENT_H
#define EPOCHCAST_PREDICTORS_MODEL_CONTENT_H

#include "predictors/model_hdf5.h"
#include "predictors/predictor_mlp.h"

#define MODEL_FORMAT_NAME "epochcast model"
enum { MODEL_FORMAT_VERSION = 2 };

enum status model_content_write(const struct model_place *root,
                                const struct mlp_predictor *predictor, const char *provenance,
                                struct error *error);
/* Fills an empty predictor; what it holds after an error is the caller's to free. */
enum status model_content_read(const struct model_place *root, struct mlp_predictor *predictor,
                               char *provenance, size_t provenance_size, struct error *error);

#endif
