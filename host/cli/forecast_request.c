#include "cli/forecast_request.h"

#include "base/text.h"
#include "cli/forecast_devices.h"
#include "cli/predict_framework.h"

/* ---- several devices together ---- */

static enum status read_gpus(struct forecast_request *request, const struct settings *settings,
                             struct error *error)
{
    request->is_parallel = settings->gpus != NULL;
    TRY(parse_int_list(request->gpus, GPUS_LIMIT, &request->gpus_count, true, NULL, "--gpus",
                       settings->gpus ? settings->gpus : "1", error));
    for (int i = 0; i < request->gpus_count; i++)
        if (request->gpus[i] < 1 || request->gpus[i] > PARALLEL_DEVICE_LIMIT)
            return FAIL(error, STATUS_USAGE, "--gpus: %d is outside 1..%d", request->gpus[i],
                        PARALLEL_DEVICE_LIMIT);
    struct parallel_options *parallel = &request->common.parallel;
    parallel->all_reduce = settings->all_reduce;
    parallel->scaling = settings->scaling;
    TRY(link_bytes_per_s(&parallel->link_bytes_per_s, settings->link ? settings->link : "pcie",
                         error));
    return STATUS_OK;
}

/* ---- the request ---- */

static enum status read_request(struct forecast_request *request, const struct settings *settings,
                                struct error *error)
{
    request->common = (struct forecast_options){
        .precision = precision_of(&request->selection.network, settings),
        .takes_unseen = settings->precision < 0 &&
                        request->selection.network.precision != PRECISION_FP32,
        .dataset_size = settings->dataset_size > 0 ? settings->dataset_size : 0,
        .epochs = settings->epochs > 0 ? (int32_t)settings->epochs : 0,
        .price_per_kwh = settings->price_per_kwh};
    TRY(forecast_devices_read(request, settings, error));
    TRY(framework_option(&request->framework, settings, error));
    return read_gpus(request, settings, error);
}

enum status forecast_request_load(struct forecast_request *request, struct dimension_sizes *sizes,
                                  const struct settings *settings, struct error *error)
{
    *request = (struct forecast_request){.device_count = 0};
    TRY(network_selection_load(&request->selection, sizes, settings, error));
    const enum status status = read_request(request, settings, error);
    if (status != STATUS_OK)
        forecast_request_free(request);
    return status;
}
