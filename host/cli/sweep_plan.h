/* What a sweep is to measure, from the command line. */
#ifndef EPOCHCAST_CLI_SWEEP_PLAN_H
#define EPOCHCAST_CLI_SWEEP_PLAN_H

#include "cli/cli.h"
#include "evaluate/active_choice.h"
#include "sweep/sweep.h"

struct sweep_plan {
    struct sample_domain domains[LAYER_KIND_COUNT];
    int domain_count;
    struct layer_config *templates[LAYER_KIND_COUNT]; /* of --from-networks; domains borrow them */
    struct active_choice active;                      /* of --active */
    struct sweep_options options; /* borrows domains; nothing done, no progress yet */
    struct dataset_header header;
};

/* STATUS_USAGE: unknown layers, features, networks, values, shards. */
enum status sweep_plan_make(struct sweep_plan *plan, const struct settings *settings,
                            struct error *error);
void sweep_plan_free(struct sweep_plan *plan);

#endif
