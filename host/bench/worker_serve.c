/* The worker's side: one device, one request after another. */
#include "base/message.h"
#include "bench/worker.h"
#include "bench/worker_messages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct drawn {
    struct layer_config configs[WORKER_DRAW_LIMIT];
    enum stratum strata[WORKER_DRAW_LIMIT];
};

struct server {
    int socket;
    struct device *device;
    struct drawn *drawn; /* allocated by the first draw */
};

static enum status draw(struct server *server, const struct request *request, struct error *error)
{
    struct sample_domain domain = request->as.draw.domain;
    if (!server->drawn)
        TRY(ALLOCATE(&server->drawn, 1, "draws", error));
    return server->device->backend->draw(server->device, server->drawn->configs,
                                         server->drawn->strata, &domain, request->as.draw.seed,
                                         request->as.draw.first, request->as.draw.count, error);
}

static bool answer(struct server *server, const struct request *request)
{
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    switch (request->kind) {
    case REQUEST_MEASURE:
        reply.status = measure_and_check(
            &reply.as.measured.row,
            request->as.measure.wants_check ? &reply.as.measured.check : NULL, server->device,
            &request->as.measure.config, &request->as.measure.options, &reply.error);
        break;
    case REQUEST_CANARY:
        reply.status = canary_measure(&reply.as.canary, server->device, &reply.error);
        break;
    case REQUEST_DRAW:
        reply.status = draw(server, request, &reply.error);
        break;
    }
    server->device->backend->reset(server->device);
    const size_t count = request->as.draw.count;
    return message_send(server->socket, &reply, sizeof reply) &&
           (request->kind != REQUEST_DRAW || reply.status != STATUS_OK ||
            (message_send(server->socket, server->drawn->configs,
                          count * sizeof *server->drawn->configs) &&
             message_send(server->socket, server->drawn->strata,
                          count * sizeof *server->drawn->strata)));
}

static enum status introduce(struct server *server, const char *device,
                             const struct device_options *options)
{
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    reply.status = device_open(&server->device, device, options, &reply.error);
    if (reply.status == STATUS_OK) {
        reply.as.device.can_draw = server->device->backend->draw != NULL;
        reply.status = server->device->backend->describe(server->device, true,
                                                         &reply.as.device.info, &reply.error);
    }
    if (!message_send(server->socket, &reply, sizeof reply))
        return STATUS_FAILED; /* the parent would wait for ever */
    return reply.status;
}

enum status worker_serve(int socket, const char *device, const struct device_options *options,
                         struct error *error)
{
    (void)error; /* the parent reports it */
    struct server server = {.socket = socket};
    struct request request;
    const enum status status = introduce(&server, device, options);
    while (status == STATUS_OK && message_receive(socket, &request, sizeof request, INFINITY) &&
           answer(&server, &request))
        ;
    free(server.drawn);
    device_close(server.device);
    return status;
}
