/* sweep --active: measures, of several draws, the one that a model is least sure of (uncertainty
 * sampling). Sweep, train, sweep --active and so on is the co-evolution of model and data of Pinel
 * et al. 2020. */
#ifndef EPOCHCAST_EVALUATE_ACTIVE_SELECTION_H
#define EPOCHCAST_EVALUATE_ACTIVE_SELECTION_H

#include "predictors/predictor.h"
#include "sweep/sweep.h"

struct active_selection {
    struct model model;
    uint64_t hash; /* of the file */
    struct sweep_selection selection;
};

/* Loads the model of `path`. STATUS_USAGE: it is not an ensemble, or lacks one of the domains'
 * kinds. */
enum status active_selection_open(struct active_selection *active, const char *path,
                                  const struct sample_domain *domains, int domain_count,
                                  struct error *error);
void active_selection_close(struct active_selection *active);

/* Disagreement of the ensemble's nets; infinite where the model forecasts nothing. It is not the
 * interval: the interval is also wide where labels are noisy, and more labels would not narrow it.
 */
double forecast_doubt(const struct prediction *prediction);

#endif
