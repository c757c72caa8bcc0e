#include "predictors/ceiling_heads.h"

#include <math.h>

static double bytes_of(const struct cost *cost)
{
    return cost->bytes_read + cost->bytes_written;
}

void ceiling_heads(double *log_ms, const struct layer_question *question,
                   const struct device_rates *rates, const struct ceiling_scale *scale)
{
    const struct layer_work *work = question->work;
    const int32_t pass = question->pass, precision = question->precision;
    const struct cost all = question_cost(question);
    const struct cost both = cost_of_work(work, pass, OPTIMIZER_NONE, precision);
    const struct cost forward = cost_of_work(work, PASS_FORWARD, OPTIMIZER_NONE, precision);
    const double flops_per_ms = rates->gflops * 1e6, bytes_per_ms = rates->gbps * 1e6;
    const struct {
        double amount, per_ms;
    } work_of[] = {
        [HEAD_FORWARD_COMPUTE] = {forward.flops, flops_per_ms},
        [HEAD_FORWARD_MEMORY] = {bytes_of(&forward), bytes_per_ms},
        [HEAD_BACKWARD_COMPUTE] = {both.flops - forward.flops, flops_per_ms},
        [HEAD_BACKWARD_MEMORY] = {bytes_of(&both) - bytes_of(&forward), bytes_per_ms},
        [HEAD_UPDATE_MEMORY] = {bytes_of(&all) - bytes_of(&both), bytes_per_ms},
        [HEAD_FORWARD_FIXED] = {scale->fixed_ms, 1},
        [HEAD_TRAIN_FIXED] = {pass == PASS_TRAIN ? scale->fixed_ms : 0, 1},
    };
    for (int i = 0; i < CEILING_HEADS; i++)
        log_ms[i] = work_of[i].amount > 0 ? log(work_of[i].amount / work_of[i].per_ms)
                                          : scale->absent_log;
}
