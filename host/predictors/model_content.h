/* Contents of a model file, between its envelope (model_file.c) and HDF5 (model_hdf5.c).
 *
 *   /            format, format_version, predictor: its type, provenance   (attributes)
 *   /devices     the training devices, as in a dataset's /devices/rows
 *
 *   /training/   what is known of the rows (training_facts.h)     (models of this version)
 *     level      of the bounds' high ratios                         (attribute)
 *     kinds      kind, train_rows, test_rows
 *     choices    kind, feature, value: those that train rows had
 *     bounds     device (-1: all), family, pass, decade, middle, high: measured / roofline
 *
 * The rest is the type's. `mlp`:
 *
 *   /            preset, encoding, with_hardware, fine_tuned, target_units_per_ms, interval_level,
 *                seed                                                 (attributes)
 *   /<kind>/     widths, activation, output, output_bias, floor_ms, ... (attributes)
 *     columns    (columns): name, mean, inverse_scale
 *     ranges     (features): name, low, high, seen
 *     intervals  (passes, 16): half-widths in ln of time, by decade of the forecast
 *     parameters, parameters_calibrated (nets, parameters): float
 *
 * Columns, ranges and features are matched by name, in any order: an unknown name is refused, a
 * later one that the file lacks is left out, and a config that sets it extrapolates.
 *
 * Others: /<kind>/ for a law that all devices share, else /<kind>/device_<row of /devices>/, with
 * what the law has learnt (baseline.h); `linear`: /<kind>/ with columns and weights; `nearest`:
 * features (count): name; `roofline`: nothing.
 */
#ifndef EPOCHCAST_PREDICTORS_MODEL_CONTENT_H
#define EPOCHCAST_PREDICTORS_MODEL_CONTENT_H

#include "predictors/model_hdf5.h"
#include "predictors/predictor.h"

#define MODEL_FORMAT_NAME "epochcast model"
/* 3: any type of predictor. 2: only `mlp`, in today's layout. */
enum { MODEL_FORMAT_VERSION = 3, MODEL_FORMAT_OLDEST = 2 };

enum status model_content_write(const struct model_place *root, const struct predictor *predictor,
                                const char *provenance, struct error *error);
/* The caller frees *predictor; it is NULL after an error. */
enum status model_content_read(const struct model_place *root, struct predictor **predictor,
                               char *provenance, size_t provenance_size, struct error *error);
/* Fills the predictor's devices; every load begins with it. Freed with the predictor, also after an
 * error. */
enum status model_devices_read(struct predictor *predictor, const struct model_place *root,
                               struct error *error);

/* The groups /<kind>/: write is called for every kind that the predictor knows, read for every kind
 * that the file has. */
enum status
model_kinds_write(const struct model_place *root, const struct predictor *predictor,
                  enum status (*write)(const struct predictor *predictor, enum layer_kind kind,
                                       const struct model_place *place, struct error *error),
                  struct error *error);
enum status model_kinds_read(const struct model_place *root, struct predictor *predictor,
                             enum status (*read)(struct predictor *predictor, enum layer_kind kind,
                                                 const struct model_place *place,
                                                 struct error *error),
                             struct error *error);

#endif
