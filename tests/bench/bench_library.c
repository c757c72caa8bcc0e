/* How long one forecast of a network takes in the C library: bench_library MODEL.h5 NETWORK
 * [BATCH_SIZE]. Prints a line of JSON; microseconds of one call, the model and the network loaded.
 */
#include "base/clock.h"
#include "library/epochcast.h"

#include "base/stats.h"
#include "base/term.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 200, WARM_UP = 20 };

static int fail(const struct epochcast_error *error)
{
    fprintf(stderr, "bench_library: %s\n", error->message);
    return error->status;
}

/* Sorted times of RUNS calls. */
static enum epochcast_status time_forecasts(double *runs_us, const struct epochcast_model *model,
                                            const struct epochcast_network *network,
                                            const struct epochcast_options *options,
                                            struct epochcast_error *error)
{
    for (int run = -WARM_UP; run < RUNS; run++) {
        struct epochcast_forecast *forecast;
        const double started_s = monotonic_s();
        const enum epochcast_status status = epochcast_forecast_create(&forecast, model, network,
                                                                       options, error);
        if (status != EPOCHCAST_OK)
            return status;
        epochcast_forecast_free(forecast);
        if (run >= 0)
            runs_us[run] = 1e6 * (monotonic_s() - started_s);
    }
    stats_sort(runs_us, RUNS);
    return EPOCHCAST_OK;
}

int main(int argc, char **argv)
{
    struct epochcast_model *model;
    struct epochcast_network *network;
    struct epochcast_error error;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    double runs_us[RUNS];
    if (argc < 3) {
        fprintf(stderr, "usage: bench_library MODEL.h5 NETWORK [BATCH_SIZE]\n");
        return EPOCHCAST_USAGE;
    }
    options.batch_size = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 32;
    if (epochcast_model_load(&model, argv[1], &error) != EPOCHCAST_OK ||
        epochcast_network_load(&network, argv[2], &error) != EPOCHCAST_OK ||
        time_forecasts(runs_us, model, network, &options, &error) != EPOCHCAST_OK)
        return fail(&error);
    printf("{\"network\": \"%s\", \"layers\": %zu, \"batch_size\": %d, \"runs\": %d, "
           "\"median_us\": %.1f, \"minimum_us\": %.1f, \"p95_us\": %.1f}\n",
           epochcast_network_name(network), epochcast_network_layer_count(network),
           (int)options.batch_size, RUNS, stats_quantile(runs_us, RUNS, 0.5), runs_us[0],
           stats_quantile(runs_us, RUNS, 0.95));
    epochcast_network_free(network);
    epochcast_model_free(model);
    return 0;
}
