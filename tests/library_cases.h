/* Several threads that load models, read networks and forecast at the same time: for the test and
 * for tests/library/races, which runs it under ThreadSanitizer. Sees the public header alone. */
#ifndef EPOCHCAST_TESTS_LIBRARY_CASES_H
#define EPOCHCAST_TESTS_LIBRARY_CASES_H

#include "library/epochcast.h"

#include <pthread.h>
#include <string.h>

enum { LIBRARY_THREADS = 6, LIBRARY_TURNS = 8 };

struct library_work {
    const char *model_path;
    const struct epochcast_model *shared_model;
    const struct epochcast_network *shared_network;
    struct epochcast_time expected; /* of shared_network at batch 4 */
    int failures;
};

/* As expected by one model and network; 0: the forecast is right. */
static int wrong_forecast(const struct epochcast_model *model,
                          const struct epochcast_network *network, struct epochcast_time expected)
{
    struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
    struct epochcast_forecast *forecast;
    options.batch_size = 4;
    if (epochcast_forecast_create(&forecast, model, network, &options, NULL) != EPOCHCAST_OK)
        return 1;
    const struct epochcast_time time = epochcast_forecast_batch_time(forecast);
    epochcast_forecast_free(forecast);
    return memcmp(&time, &expected, sizeof time) != 0;
}

static void *library_turns(void *payload)
{
    struct library_work *work = payload;
    for (int turn = 0; turn < LIBRARY_TURNS; turn++) {
        struct epochcast_model *model;
        struct epochcast_network *network;
        struct epochcast_error error;
        work->failures += wrong_forecast(work->shared_model, work->shared_network, work->expected);
        work->failures += epochcast_model_load(&model, "/no/model.h5", &error) !=
                              EPOCHCAST_BAD_FILE ||
                          !strstr(error.message, "/no/model.h5");
        if (epochcast_model_load(&model, work->model_path, &error) != EPOCHCAST_OK ||
            epochcast_network_load(&network, epochcast_network_name(work->shared_network),
                                   &error) != EPOCHCAST_OK) {
            work->failures++;
            break;
        }
        work->failures += wrong_forecast(model, network, work->expected);
        epochcast_network_free(network);
        epochcast_model_free(model);
    }
    return NULL;
}

/* Failures of all threads together; -1: a thread could not be started. */
static int library_failures_in_threads(const struct library_work *work)
{
    pthread_t threads[LIBRARY_THREADS];
    struct library_work works[LIBRARY_THREADS];
    int failures = 0, started = 0;
    for (; started < LIBRARY_THREADS; started++) {
        works[started] = *work;
        if (pthread_create(&threads[started], NULL, library_turns, &works[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        failures += works[i].failures;
    }
    return started == LIBRARY_THREADS ? failures : -1;
}

#endif
