/* A run of the CUDA trainer: nets side by side from their first weights to their results. The
 * device scores epochs, keeps the best parameters and decides when to stop; the host stays one
 * epoch ahead and reads the states behind. Runs have streams of their own: several may be under
 * way.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_RUN_H
#define EPOCHCAST_CUDA_TRAINER_RUN_H

#include "trainer_graph.h"

enum { RUN_NET_LIMIT = 256, RUN_IN_FLIGHT = 2 };

/* What the runs of one fit share. */
struct cuda_fit {
    const struct train_job *jobs;
    struct train_result *results;
    int job_count;
    const struct train_progress *progress;
    double epochs_done, epochs_total; /* of all jobs */
    struct cuda_train_data *data;     /* (job_count): the first job of each data set has it */
    int *restarts;                    /* (job_count): so often the output died */
    bool *waits;                      /* (job_count): is to be trained, by no run yet */
};

struct train_run {
    struct cuda_fit *fit;
    int count, left;            /* nets, those still training */
    int numbers[RUN_NET_LIMIT]; /* of their jobs */
    bool is_trained[RUN_NET_LIMIT], has_ended[RUN_NET_LIMIT];
    const struct train_job *jobs[RUN_NET_LIMIT];
    const struct cuda_train_data *data[RUN_NET_LIMIT];
    cudaStream_t stream;
    struct cuda_nets nets;
    struct epoch_graph graph;
    struct train_state *states; /* (RUN_IN_FLIGHT, count), page-locked: after recent epochs */
    cudaEvent_t copied[RUN_IN_FLIGHT];
    int32_t launched, taken; /* epochs */
    double started_s;
};

/* Begins a run of job `first`, which waits, and of the others that wait, fit beside it and find
 * room on the device; they wait no longer. Free the run also after an error. */
enum status train_run_begin(struct train_run *run, struct cuda_fit *fit, int first,
                            struct error *error);
/* Looks for the end of the next epoch, or waits for it; *taken tells whether it has come. Nets
 * whose output died wait again, for another run. When none is left the results are there. */
enum status train_run_advance(struct train_run *run, bool wait, bool *taken, struct error *error);
void train_run_free(struct train_run *run);

#endif
