/* Errors of predictors on measured rows, by layer kind, device and pass. */
#ifndef EPOCHCAST_EVALUATE_EVALUATE_H
#define EPOCHCAST_EVALUATE_EVALUATE_H

#include "base/stats.h"
#include "evaluate/row_forecasts.h"
#include "predictors/predictor.h"

/* Groupings of rows within their kind and device. Decades are those of interval.h. */
#define EVALUATION_LIST(X)                                                                         \
    X(EVALUATION_PASS, "pass")                                                                     \
    X(EVALUATION_DECADE, "decade")                                                                 \
    X(EVALUATION_MEASURED_DECADE, "measured-decade") X(EVALUATION_SUM, "sum")
enum evaluation_by { EVALUATION_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_evaluation;

struct evaluation_row {
    int32_t layer;            /* enum layer_kind */
    char device[64];          /* a name or "all" */
    char pass[16];            /* "all", "forward", "train" */
    char group[32];           /* "all", "forward", "0.1..1 ms", "sums of 16" */
    const char *predictor;    /* type name; borrowed */
    int32_t calibration_rows; /* rows of the device, per kind, that corrected the forecasts */
    struct stats_errors errors;
    double interval_coverage_percent; /* NaN without intervals */
};

struct evaluation {
    struct evaluation_row *rows;
    size_t count;
    size_t uncovered;    /* rows left out: of kinds or devices that the predictor does not know */
    size_t repeat_count; /* of files that were streamed: dataset.h */
};

/* split: enum split, or -1 for all. Groups: each kind x {all passes, forward, train} x each device,
 * and "all" devices when there are several; groups without rows are left out. STATUS_FAILED when no
 * group is left. */
enum status evaluate_predictor(struct evaluation *evaluation, const struct predictor *predictor,
                               const struct dataset_rows *rows, int split, struct error *error);
/* The same with another grouping: by the decade of the forecast or of the measured time, or sums
 * over neighbours in network_order (times and intervals of the sums, computed as for a network's
 * forecast). */
enum status evaluate_predictor_by(struct evaluation *evaluation, const struct predictor *predictor,
                                  const struct dataset_rows *rows, int split, enum evaluation_by by,
                                  struct error *error);
/* The same for existing forecasts. */
enum status evaluate_forecasts(struct evaluation *evaluation, const struct row_forecasts *forecasts,
                               const struct predictor_type *type, const struct dataset_rows *rows,
                               enum evaluation_by by, struct error *error);
/* Appends b's rows to a and frees b, also after a failure; a's `uncovered` stays. */
enum status evaluation_join(struct evaluation *a, struct evaluation *b, struct error *error);
void evaluation_free(struct evaluation *evaluation);

/* Fills the reports' validation members by predicting the validation split; of kinds without
 * covered rows there they stay as they are. */
enum status predictor_validate(struct fit_report *reports, const struct predictor *predictor,
                               const struct dataset_rows *rows, struct error *error);

#endif
