/* race_check MODEL.h5 NETWORK: what library_cases.h does, without the shared library between. */
#include "library_cases.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct epochcast_model *model;
    struct epochcast_network *network;
    struct epochcast_forecast *forecast;
    struct epochcast_error error;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    options.batch_size = 4;
    if (argc != 3 || epochcast_model_load(&model, argv[1], &error) != EPOCHCAST_OK ||
        epochcast_network_load(&network, argv[2], &error) != EPOCHCAST_OK ||
        epochcast_forecast_create(&forecast, model, network, &options, &error) != EPOCHCAST_OK)
        return fprintf(stderr, "%s\n", error.message), 2;
    const struct library_work work = {.model_path = argv[1],
                                      .shared_model = model,
                                      .shared_network = network,
                                      .expected = epochcast_forecast_batch_time(forecast)};
    const int failures = library_failures_in_threads(&work);
    epochcast_forecast_free(forecast);
    epochcast_network_free(network);
    epochcast_model_free(model);
    printf("%d failures\n", failures);
    return failures != 0;
}
