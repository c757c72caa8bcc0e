#include "onednn/speed.h"

#include "base/clock.h"
#include "base/term.h"
#include "onednn/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURNS = 5,
    TURN_LIMIT = 50,
    GEMM_SIZE = 1024,
    GEMM_COUNT = GEMM_SIZE * GEMM_SIZE,
    LATENCY_CALLS = 1000
};

/* The fastest of TURNS turns, and of those that fit into 0.15 s: on a busy machine one of many is
 * undisturbed, and rates tell machines apart. */
static bool goes_on(int turn, double began_s)
{
    return turn < TURNS || (turn < TURN_LIMIT && monotonic_s() - began_s < 0.15);
}

static double copy_gbps(char *to, const char *from, size_t bytes, int thread_count)
{
    const double began_s = monotonic_s();
    double best_s = INFINITY;
    size_t share = bytes / (size_t)thread_count;
    for (int turn = 0; goes_on(turn, began_s); turn++) {
        double started_s = monotonic_s();
#pragma omp parallel for num_threads(thread_count)
        for (int i = 0; i < thread_count; i++)
            memcpy(to + (size_t)i * share, from + (size_t)i * share, share);
        best_s = fmin(best_s, monotonic_s() - started_s);
    }
    return 2 * (double)bytes / best_s / 1e9;
}

static double sgemm_gflops(const float *a, const float *b, float *c)
{
    const double n = GEMM_SIZE, began_s = monotonic_s();
    double best_s = INFINITY;
    for (int turn = 0; goes_on(turn, began_s); turn++) {
        double started_s = monotonic_s();
        if (sgemm_row_major(false, false, GEMM_SIZE, GEMM_SIZE, GEMM_SIZE, 1, a, GEMM_SIZE, b,
                            GEMM_SIZE, 0, c, GEMM_SIZE) != 0)
            return NAN;
        best_s = fmin(best_s, monotonic_s() - started_s);
    }
    return 2 * n * n * n / best_s / 1e9;
}

/* relu of 16 numbers. */
static enum status add_tiny_step(struct cpu_plan *plan, struct error *error)
{
    const dnnl_dim_t count = 16;
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 1, &count, dnnl_f32, error));
    TRY(cpu_tensor_create(&plan->tensor[CPU_OUTPUT], plan, layout, 1, error));
    return cpu_activation_forward(plan, ACTIVATION_RELU, error);
}

static enum status time_tiny_step(double *latency_us, struct cpu_plan *plan, struct error *error)
{
    double best_s = INFINITY;
    TRY(add_tiny_step(plan, error));
    for (int turn = 0; turn < TURNS; turn++) {
        double started_s = monotonic_s();
        for (int i = 0; i < LATENCY_CALLS; i++)
            TRY(cpu_plan_enqueue(&plan->base, PHASE_FORWARD, error));
        best_s = fmin(best_s, (monotonic_s() - started_s) / LATENCY_CALLS);
    }
    *latency_us = 1e6 * best_s;
    return STATUS_OK;
}

static enum status measure_latency(double *latency_us, struct cpu_device *cpu, struct error *error)
{
    const struct layer_config config = {.kind = LAYER_DENSE, .precision = PRECISION_FP32};
    enum outcome outcome;
    struct cpu_plan *plan;
    TRY(cpu_plan_create(&plan, &cpu->base, &config, &outcome, error));
    enum status status = time_tiny_step(latency_us, plan, error);
    cpu_plan_release(&plan->base);
    cpu->base.backend->reset(&cpu->base);
    return status;
}

enum status cpu_measure_speed(struct device_info *info, struct cpu_device *cpu, struct error *error)
{
    TRY(measure_latency(&info->measured_call_latency_us, cpu, error));
    size_t bytes = cpu->flush_bytes;
    float *buffer;
    TRY(error_allocate((void **)&buffer, 2, bytes, "bandwidth buffers", error));
    for (size_t i = 0; i < 2 * bytes / sizeof *buffer; i++)
        buffer[i] = cpu->noise[i % CPU_NOISE_COUNT];
    info->measured_sgemm_gflops = sgemm_gflops(buffer, buffer + GEMM_COUNT,
                                               buffer + 2 * GEMM_COUNT);
    info->measured_copy_gbps = copy_gbps((char *)buffer, (char *)buffer + bytes, bytes,
                                         cpu->thread_count);
    free(buffer);
    return STATUS_OK;
}
