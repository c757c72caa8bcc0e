#include "sampler.h"

#include "cuda_check.h"
#include "sampler_kernel.h"
#include "sampler_words.h"

#include <assert.h>
#include <stdlib.h>

/* Attempts of one launch; and of one draw in it: few configs fit some domains. */
enum { BATCH = 1 << 16, DEPTH_LIMIT = 256 };

struct sampler {
    struct layer_config *configs; /* by index - first */
    enum stratum *strata;
    const struct sample_domain *domain;
    const struct sample_table *table;
    uint32_t first;
    uint32_t pending;             /* places that are not settled */
    struct sampler_place *places; /* of the host (BATCH) */
    struct sampler_draw *draws;
    cudaStream_t stream;
    struct sampler_job job; /* of the device */
    void *device[4];        /* the job's memory */
};

static enum status open_device(struct sampler *sampler, const struct sample_table *table,
                               struct error *error)
{
    const size_t sizes[] = {sizeof *table, BATCH * sizeof *sampler->places,
                            BATCH * sizeof *sampler->job.words * (size_t)table->feature_count,
                            BATCH * sizeof *sampler->draws};
    CUDA_TRY(error, cudaStreamCreateWithFlags(&sampler->stream, cudaStreamNonBlocking));
    for (int i = 0; i < 4; i++)
        CUDA_TRY(error, cudaMalloc(&sampler->device[i], sizes[i]));
    CUDA_TRY(error, cudaMemcpyAsync(sampler->device[0], table, sizes[0], cudaMemcpyHostToDevice,
                                    sampler->stream));
    sampler->job = (struct sampler_job){.table = sampler->device[0],
                                        .places = sampler->device[1],
                                        .words = sampler->device[2],
                                        .draws = sampler->device[3]};
    return STATUS_OK;
}

static enum status open_sampler(struct sampler *sampler, const struct sample_table *table,
                                struct error *error)
{
    TRY(ALLOCATE(&sampler->places, BATCH, "draws", error));
    TRY(ALLOCATE(&sampler->draws, BATCH, "draws", error));
    return open_device(sampler, table, error);
}

static void close_sampler(struct sampler *sampler)
{
    for (int i = 0; i < 4; i++)
        cudaFree(sampler->device[i]);
    if (sampler->stream)
        cudaStreamDestroy(sampler->stream);
    free(sampler->places);
    free(sampler->draws);
}

/* `depth` attempts of the first `count` places, into sampler->draws. */
static enum status run_attempts(struct sampler *sampler, uint32_t count, uint32_t depth,
                                struct error *error)
{
    struct sampler_job *job = &sampler->job;
    job->place_count = count;
    job->depth = depth;
    CUDA_TRY(error,
             cudaMemcpyAsync(sampler->device[1], sampler->places, count * sizeof *sampler->places,
                             cudaMemcpyHostToDevice, sampler->stream));
    CUDA_TRY(error, launch_sampler(job, sampler->stream));
    CUDA_TRY(error, cudaMemcpyAsync(sampler->draws, job->draws,
                                    (size_t)count * depth * sizeof *sampler->draws,
                                    cudaMemcpyDeviceToHost, sampler->stream));
    CUDA_TRY(error, cudaStreamSynchronize(sampler->stream));
    return STATUS_OK;
}

/* The first attempt of `draws` that is acceptable, or NULL; moves the place on. */
static struct sampler_draw *settle_place(struct sampler_place *place, struct sampler_draw *draws,
                                         uint32_t depth, const struct sampler *sampler)
{
    for (uint32_t i = 0; i < depth && place->attempt < SAMPLE_ATTEMPT_LIMIT;
         i++, place->attempt++) {
        const struct sample_attempt at = {sampler->table, sampler->domain, draws[i].stratum,
                                          place->index, place->attempt};
        if (sample_accept(&draws[i].config, &at))
            return &draws[i];
    }
    return NULL;
}

/* Takes over what `depth` attempts of the first `count` places came to; keeps the other places. */
static enum status settle_attempts(struct sampler *sampler, uint32_t count, uint32_t depth,
                                   struct error *error)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sampler->pending; i++) {
        struct sampler_place place = sampler->places[i];
        struct sampler_draw *draws = sampler->draws + (size_t)i * depth, *draw = NULL;
        if (i < count)
            draw = settle_place(&place, draws, depth, sampler);
        if (place.attempt == SAMPLE_ATTEMPT_LIMIT)
            return sample_exhausted(sampler->domain, error);
        if (draw) {
            sampler->configs[place.index - sampler->first] = draw->config;
            sampler->strata[place.index - sampler->first] = draw->stratum;
        } else {
            sampler->places[kept++] = place;
        }
    }
    sampler->pending = kept;
    return STATUS_OK;
}

/* Draws first..first + count - 1. The more attempts have failed, the more are made at once, for
 * fewer draws: a domain without configs is found out soon. */
static enum status sample_batch(struct sampler *sampler, int dimensions, uint32_t first,
                                uint32_t count, struct error *error)
{
    TRY(sampler_words(sampler->job.words, dimensions, first, count, sampler->stream, error));
    for (uint32_t i = 0; i < count; i++)
        sampler->places[i] = (struct sampler_place){.index = first + i};
    sampler->pending = count;
    for (uint32_t depth = 1; sampler->pending; depth = depth < DEPTH_LIMIT ? depth * 2 : depth) {
        uint32_t sent = sampler->pending < BATCH / depth ? sampler->pending : BATCH / depth;
        TRY(run_attempts(sampler, sent, depth, error));
        TRY(settle_attempts(sampler, sent, depth, error));
    }
    return STATUS_OK;
}

static enum status sample_all(struct sampler *sampler, const struct sample_table *table,
                              uint32_t count, struct error *error)
{
    TRY(open_sampler(sampler, table, error));
    for (uint32_t done = 0, some; done < count; done += some) {
        some = count - done < BATCH ? count - done : BATCH;
        TRY(sample_batch(sampler, table->feature_count, sampler->first + done, some, error));
    }
    return STATUS_OK;
}

enum status cuda_sample(struct layer_config *configs, enum stratum *strata,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error)
{
    assert(count == 0 || first <= UINT32_MAX - (count - 1));
    struct sampler sampler = {
        .configs = configs, .strata = strata, .domain = domain, .first = first};
    struct sample_table table;
    sample_table_make(&table, domain, seed);
    sampler.table = &table;
    enum status status = sample_all(&sampler, &table, count, error);
    close_sampler(&sampler);
    return status;
}
