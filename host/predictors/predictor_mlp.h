/* Internals of the `mlp` predictor, shared by fitting (predictor_mlp.c and the files that it
 * calls), forecasting (predictor_mlp_forecast.c) and storing (predictor_mlp_file.c).
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_MLP_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_MLP_H

#include "layers/encode_plan.h"
#include "predictors/fitted_ceilings.h"
#include "predictors/interval.h"
#include "predictors/mlp_options.h"
#include "predictors/ranges.h"
#include "trainer/scaler.h"

#define OUTPUT_UNLIMITED 1e30

/* The trained nets of one layer kind. */
struct mlp_kind {
    int32_t net_count;      /* 0: not fitted */
    struct mlp_shape shape; /* of every net */
    float *parameters;      /* (net_count, mlp_parameter_count(&shape)) */
    /* The nets as they were when their intervals were calibrated, before they learnt from the test
     * rows: their spread makes the intervals, and fine-tuning starts from them, so that it can
     * calibrate again. NULL: parameters. */
    float *calibrated;
    struct encode_plan plan; /* the nets' inputs */
    struct scaler scaler;
    struct range ranges[RANGE_LIMIT];
    struct interval interval;
    /* 0: all nets have learnt from all training rows. Else net k has not learnt from the rows of
     * fold k (fold_of), among the training and test rows; as many as nets. */
    int32_t fold_count;
    /* Output "sum": what a net's heads are added to, by training device and, last, of all devices
     * together; and how far ln t' may be from ln f. */
    int32_t anchor_count;             /* training devices + 1 */
    struct fitted_ceilings *ceilings; /* (net_count, anchor_count) */
    double *limits;                   /* (net_count, 2): lowest, highest ln t' - ln f */
    int32_t relative_to_roofline;     /* models of earlier versions: the output is added to
                                         mlp_offset */
    double output_limit; /* upper bound of the nets' output, which has no meaning far beyond the
                            training rows */
    double floor_ms;     /* no forecast is below: half of the fastest row, if there are enough */
};

struct mlp_predictor {
    struct predictor base;
    char preset[16];
    int32_t encoding;      /* enum encoding */
    int32_t with_hardware; /* the training devices differ: the encoding tells them apart */
    double target_units_per_ms;
    int32_t fine_tuned; /* to base.devices[0], the only one that it covers */
    double interval_level;
    uint64_t seed;
    struct mlp_kind kinds[LAYER_KIND_COUNT];
};

/* Rows to be forecast. Borrowed. */
struct mlp_rows {
    size_t count;
    const float *inputs; /* (count, columns), encoded and scaled */
    /* Output "sum": */
    const double *log_ceilings; /* (count, CEILING_HEADS): ln T */
    const int32_t *anchors;     /* (count): index of a row's device among kind->ceilings */
    const int32_t *folds; /* (count): only the net that has not learnt from this fold is asked;
                             NULL: all nets are */
    /* Other outputs: */
    const double *offsets; /* (count): mlp_offset */
};

/* Forecasts: the nets' mean ln(1 + t') (ln t' for output "sum"), back in ms, between kind->floor_ms
 * and a finite limit. spreads: its standard deviation over the nets as calibrated. */
enum status mlp_kind_forecast(double *predicted_ms, double *spreads, const struct mlp_rows *rows,
                              const struct mlp_kind *kind, double target_units_per_ms,
                              struct error *error);

/* f of a net, ln ms, for a row's ln T; offsets (CEILING_HEADS), unless NULL: what its heads are
 * added to. */
double mlp_anchor(float *offsets, const struct mlp_kind *kind, size_t net, int32_t anchor,
                  const double *log_ceilings);
/* Of a device: its index in the predictor's devices, or theirs together. */
int32_t mlp_anchor_of(const struct mlp_predictor *predictor, const struct device_info *device);

/* The part that the nets need not learn: ln(1 + t) of the roofline in target units, on the training
 * device equal to `device`, else on `device` itself; 0 when the kind does not learn relative to it,
 * or when the device has no rates. With few rows this is most of the forecast. */
double mlp_offset(const struct mlp_predictor *predictor, const struct layer_config *config,
                  const struct device_info *device);

/* Hardware columns of a row: those of its device if the training devices differ, else always those
 * of the training device, so that a nominal clock that varies between runs does not change a
 * forecast. */
struct encode_hardware mlp_hardware(const struct mlp_predictor *predictor,
                                    const struct device_info *device);

/* predictor_type.save and .load of `mlp`. */
enum status mlp_predictor_save(const struct predictor *predictor, const struct model_place *root,
                               struct error *error);
enum status mlp_predictor_load(struct predictor **predictor, const struct model_place *root,
                               struct error *error);

/* The columns that the encoder of this program has for a kind. */
struct encode_layout mlp_layout(const struct mlp_predictor *predictor, enum layer_kind kind);

void mlp_kind_free(struct mlp_kind *kind);
void mlp_predictor_free(struct predictor *predictor);

/* predictor_type.predict and .tune of `mlp`. */
enum status mlp_predictor_predict(struct prediction *predictions, const struct predictor *predictor,
                                  const struct layer_question *questions, size_t count,
                                  const struct device_info *device, struct error *error);
enum status mlp_predictor_tune(struct predictor *predictor, const struct dataset_rows *rows,
                               const struct fit_options *options, struct fit_report *reports,
                               struct error *error);

/* One of several fits side by side. */
struct mlp_fitting {
    const struct dataset_rows *rows;
    const struct mlp_options *options;
    struct fit_report *reports; /* as of predictor_type.fit */
    /* out: */
    struct predictor *predictor; /* freed by the caller; NULL when it failed */
    enum status status;
    struct error error;
};

/* Fits all: their nets are the jobs of one call of the trainer (that of the first's options, as
 * threads and progress are), each the same as if fitted alone. A failed fit or training sets only
 * its own status; an error of the whole call leaves no predictor. last_share is above 0 in all
 * options or in none. */
enum status mlp_predictors_fit(struct mlp_fitting *fittings, int count, struct error *error);

#endif
