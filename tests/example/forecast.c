/* Forecasts a network with libepochcast: forecast MODEL.h5 NETWORK BATCH_SIZE [PASS [OPTIMIZER]] */
#include <epochcast.h>

#include <stdio.h>
#include <stdlib.h>

static int report(const struct epochcast_error *error)
{
    fprintf(stderr, "%s\n", error->message);
    if (error->hint[0])
        fprintf(stderr, "hint: %s\n", error->hint);
    return error->status;
}

static void print(const struct epochcast_forecast *forecast,
                  const struct epochcast_network *network)
{
    struct epochcast_time batch = epochcast_forecast_batch_time(forecast);
    printf("batch_ms %.17g %.17g %.17g\n", batch.ms, batch.low_ms, batch.high_ms);
    printf("memory_bytes %lld\n", (long long)epochcast_forecast_memory_bytes(forecast));
    printf("fits %d\n", epochcast_forecast_fits(forecast));
    for (size_t i = 0; i < epochcast_forecast_layer_count(forecast); i++) {
        struct epochcast_time layer = epochcast_forecast_layer_time(forecast, i);
        printf("layer %s %s %.17g %.17g %.17g\n", epochcast_network_layer_name(network, i),
               epochcast_network_layer_kind(network, i), layer.ms, layer.low_ms, layer.high_ms);
    }
}

int main(int argc, char **argv)
{
    struct epochcast_model *model = NULL;
    struct epochcast_network *network = NULL;
    struct epochcast_forecast *forecast = NULL;
    struct epochcast_error error;
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    if (argc < 4) {
        fprintf(stderr, "usage: forecast MODEL.h5 NETWORK BATCH_SIZE [PASS [OPTIMIZER]]\n");
        return EPOCHCAST_USAGE;
    }
    options.batch_size = (int)strtol(argv[3], NULL, 10);
    options.pass = argc > 4 ? argv[4] : NULL;
    options.optimizer = argc > 5 ? argv[5] : NULL;
    int status = 0;
    if (epochcast_model_load(&model, argv[1], &error) != EPOCHCAST_OK ||
        epochcast_network_load(&network, argv[2], &error) != EPOCHCAST_OK ||
        epochcast_forecast_create(&forecast, model, network, &options, &error) != EPOCHCAST_OK)
        status = report(&error);
    else
        print(forecast, network);
    epochcast_forecast_free(forecast);
    epochcast_network_free(network);
    epochcast_model_free(model);
    return status;
}
