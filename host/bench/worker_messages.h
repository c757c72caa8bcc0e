/* Messages between parent and worker: structs of one program, sent as they are. */
#ifndef EPOCHCAST_BENCH_WORKER_MESSAGES_H
#define EPOCHCAST_BENCH_WORKER_MESSAGES_H

#include "bench/canary.h"

enum { WORKER_DRAW_LIMIT = 4096 };

enum request_kind { REQUEST_MEASURE, REQUEST_CANARY, REQUEST_DRAW };

struct request {
    enum request_kind kind;
    union {
        struct {
            struct layer_config config;
            struct measure_options options;
            bool wants_check;
        } measure;
        struct {
            struct sample_domain domain; /* its pointers are not valid in the other process */
            uint64_t seed;
            uint32_t first, count;
        } draw;
    } as;
};

/* Answers every request; the first one describes the device and needs no request. After a
 * successful draw, its configs and strata follow. */
struct reply {
    enum status status;
    struct error error; /* its file is not valid here */
    union {
        struct {
            struct device_info info;
            bool can_draw;
        } device;
        struct {
            struct measurement row;
            struct check check;
        } measured;
        struct canary canary;
    } as;
};

#endif
