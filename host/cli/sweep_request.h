/* The request of a sweep, from the command line. */
#ifndef EPOCHCAST_CLI_SWEEP_REQUEST_H
#define EPOCHCAST_CLI_SWEEP_REQUEST_H

#include "cli/cli.h"
#include "evaluate/active_selection.h"
#include "sweep/limits.h"
#include "sweep/sweep.h"
#include "sweep/templates.h"

struct sweep_request {
    struct sample_domain domains[LAYER_KIND_COUNT];
    int domain_count;
    struct sweep_templates templates; /* of --from-networks; domains borrow them */
    struct active_selection active;   /* of --active */
    struct sweep_options options;     /* borrows domains; nothing done, no progress yet */
    struct dataset_header header;
};

/* With the limits of one processor thread where options do not give them. STATUS_USAGE: unknown
 * layers, features, networks, values, shards. */
enum status sweep_request_make(struct sweep_request *request, const struct settings *settings,
                               struct error *error);
/* Takes these limits where options do not give them, of the device or of the file that is resumed,
 * and describes the sweep in the header. STATUS_USAGE: they leave no config. */
enum status sweep_request_limit(struct sweep_request *request, const struct settings *settings,
                                const struct sweep_limits *limits, struct error *error);
void sweep_request_free(struct sweep_request *request);

#endif
