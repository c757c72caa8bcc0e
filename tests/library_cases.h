/* Several threads that load models, read networks and forecast at the same time: for the test and
 * for tests/library/races, which runs it under ThreadSanitizer. Sees the public header alone. */
#ifndef EPOCHCAST_TESTS_LIBRARY_CASES_H
#define EPOCHCAST_TESTS_LIBRARY_CASES_H

#include "library/epochcast.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LIBRARY_THREADS = 6, LIBRARY_TURNS = 8 };

struct library_work {
    const char *model_path;
    const struct epochcast_model *shared_model;
    const struct epochcast_network *shared_network;
    struct epochcast_time expected; /* of shared_network at batch 4 */
    pthread_barrier_t *start;       /* where all threads meet first */
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
    pthread_barrier_wait(work->start);
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

/* Failures of all threads together. */
static int library_failures_in_threads(const struct library_work *work)
{
    pthread_t threads[LIBRARY_THREADS];
    struct library_work works[LIBRARY_THREADS];
    pthread_barrier_t start;
    int failures = 0;
    pthread_barrier_init(&start, NULL, LIBRARY_THREADS);
    for (int i = 0; i < LIBRARY_THREADS; i++) {
        works[i] = *work;
        works[i].start = &start;
        if (pthread_create(&threads[i], NULL, library_turns, &works[i]) != 0)
            abort();
    }
    for (int i = 0; i < LIBRARY_THREADS; i++) {
        pthread_join(threads[i], NULL);
        failures += works[i].failures;
    }
    pthread_barrier_destroy(&start);
    return failures;
}

#endif
