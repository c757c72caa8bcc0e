#include "cli/sweep_request.h"

#include "base/text.h"
#include "cli/device_choice.h"
#include "cli/network_selection.h"
#include "cli/provenance.h"
#include "network/network.h"
#include "sweep/identity.h"

#include <math.h>
#include <string.h>

static const double default_budget_s = 60;

/* ---- layer kinds and --set ---- */

static enum status add_kind(void *payload, const char *name, struct error *error)
{
    struct sweep_request *request = payload;
    enum layer_kind kind;
    TRY(cli_layer_kind(&kind, name, error));
    for (int i = 0; i < request->domain_count; i++)
        if (request->domains[i].kind == kind)
            return FAIL(error, STATUS_USAGE, "layer '%s' is named twice", name);
    sample_domain_default(&request->domains[request->domain_count++], kind);
    return STATUS_OK;
}

static enum status apply_sets(struct sweep_request *request, const struct settings *settings,
                              struct error *error)
{
    for (int i = 0; i < settings->set.count; i++) {
        bool any = false;
        for (int j = 0; j < request->domain_count; j++) {
            bool applied;
            TRY(sample_domain_set(&request->domains[j], settings->set.list[i], &applied, error));
            any |= applied;
        }
        if (!any)
            return FAIL(error, STATUS_USAGE,
                        "--set %s: no layer kind of this sweep has that feature",
                        settings->set.list[i]);
    }
    return STATUS_OK;
}

/* ---- --from-networks ---- */

struct networks {
    struct sweep_request *request;
    struct dimension_sizes sizes;
};

static enum status add_network(void *payload, const char *name, struct error *error)
{
    struct networks *networks = payload;
    struct sweep_request *request = networks->request;
    struct network network;
    TRY(network_load_sized(&network, name, &networks->sizes, error));
    enum status status = STATUS_OK;
    for (int i = 0; i < network.layer_count && status == STATUS_OK; i++)
        if (!network_layer_is_operator(&network.layers[i]))
            status = sweep_templates_add(&request->templates, request->domains,
                                         request->domain_count, network.layers[i].config, error);
    network_free(&network);
    return status;
}

static enum status add_networks(struct sweep_request *request, const struct settings *settings,
                                struct error *error)
{
    struct networks networks = {.request = request};
    TRY(read_dimensions(&networks.sizes, settings, error));
    if (!settings->from_networks)
        return STATUS_OK;
    TRY(each_item(settings->from_networks, add_network, &networks, error));
    TRY(dimension_sizes_check(&networks.sizes, error));
    int kept = 0;
    for (int i = 0; i < request->domain_count; i++)
        if (request->domains[i].template_count > 0)
            request->domains[kept++] = request->domains[i];
        else if (settings->layer)
            return FAIL(error, STATUS_USAGE, "--from-networks %s: no %s layer in them",
                        settings->from_networks, layer_descriptors[request->domains[i].kind]->name);
    request->domain_count = kept;
    return kept ? STATUS_OK : FAIL(error, STATUS_USAGE, "--from-networks: no layer to measure");
}

/* ---- --shard ---- */

static enum status parse_shard(struct sweep_options *wanted, const char *text, struct error *error)
{
    char rest;
    wanted->shard_count = 1;
    wanted->shard = 1;
    if (text && (sscanf(text, "%d/%d%c", &wanted->shard, &wanted->shard_count, &rest) != 2 ||
                 wanted->shard < 1 || wanted->shard > wanted->shard_count ||
                 wanted->shard_count > 100000)) {
        FAIL(error, STATUS_USAGE, "--shard: '%.40s' is not a shard", text);
        return HINT(error, STATUS_USAGE, "use I/N with I from 1 to N, for example 1/8");
    }
    wanted->shard--;
    return STATUS_OK;
}

/* ---- options ---- */

static enum status open_active(struct sweep_request *request, const char *path, struct error *error)
{
    if (!path)
        return STATUS_OK;
    TRY(active_selection_open(&request->active, path, request->domains, request->domain_count,
                              error));
    request->options.selection = &request->active.selection;
    return STATUS_OK;
}

/* Seconds; 0: no limit, until --configs are done. */
static double budget_of(const struct settings *settings)
{
    if (!isnan(settings->time_budget_s))
        return settings->time_budget_s;
    return settings->configs > 0 ? 0 : default_budget_s;
}

static enum status fill_options(struct sweep_request *request, const struct settings *settings,
                                struct error *error)
{
    request->options = (struct sweep_options){
        .domains = request->domains,
        .domain_count = request->domain_count,
        .samples = settings->configs > 0 ? settings->configs : 0,
        .time_budget_s = budget_of(settings),
        .rounds = settings->rounds > 0 ? (int)settings->rounds : SWEEP_ROUNDS,
        .check_every = settings->check_every,
        .seed = (uint64_t)settings->seed,
        .measure = measure_options_of(settings),
    };
    return parse_shard(&request->options, settings->shard, error);
}

/* ---- limits ---- */

static void apply_limits(struct sample_domain *domains, const struct sweep_request *request,
                         const struct settings *settings, const struct sweep_limits *limits)
{
    const struct sweep_limits asked = {settings->max_memory_bytes, settings->max_flops};
    sweep_limits_apply(domains, request->domain_count, limits);
    sweep_limits_apply(domains, request->domain_count, &asked);
}

static enum status try_draws(const struct sample_domain *domains, int count, uint64_t seed,
                             struct error *error)
{
    for (int i = 0; i < count; i++) {
        struct layer_config config;
        enum stratum stratum;
        TRY(sample_draw(&config, &stratum, &domains[i], seed, 0, error));
    }
    return STATUS_OK;
}

/* Reports a domain that is impossible on any device before one is opened. */
static enum status try_without_limits(const struct sweep_request *request,
                                      const struct settings *settings, struct error *error)
{
    static const struct sweep_limits none = {INFINITY, INFINITY};
    struct sample_domain domains[LAYER_KIND_COUNT];
    memcpy(domains, request->domains, sizeof domains);
    apply_limits(domains, request, settings, &none);
    return try_draws(domains, request->domain_count, request->options.seed, error);
}

static void describe(struct sweep_request *request, const struct settings *settings)
{
    const struct sweep_identity identity = {.options = &request->options,
                                            .sets = settings->set.list,
                                            .set_count = settings->set.count,
                                            .networks = settings->from_networks,
                                            .model_hash = request->active.hash,
                                            .autotune = settings->autotune};
    sweep_identity_describe(&request->header, &identity);
}

enum status sweep_request_limit(struct sweep_request *request, const struct settings *settings,
                                const struct sweep_limits *limits, struct error *error)
{
    apply_limits(request->domains, request, settings, limits);
    describe(request, settings);
    return try_draws(request->domains, request->domain_count, request->options.seed, error);
}

/* ---- all of it ---- */

static enum status fill(struct sweep_request *request, const struct settings *settings,
                        struct error *error)
{
    static const struct sweep_limits unchanged = {NAN, NAN};
    if (settings->layer)
        TRY(each_item(settings->layer, add_kind, request, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT && !settings->layer; kind++)
        TRY(add_kind(request, layer_descriptors[kind]->name, error));
    TRY(apply_sets(request, settings, error));
    TRY(add_networks(request, settings, error));
    TRY(fill_options(request, settings, error));
    TRY(try_without_limits(request, settings, error));
    apply_limits(request->domains, request, settings, &unchanged);
    TRY(open_active(request, settings->active, error));
    fill_header(&request->header, settings);
    describe(request, settings);
    return STATUS_OK;
}

enum status sweep_request_make(struct sweep_request *request, const struct settings *settings,
                               struct error *error)
{
    memset(request, 0, sizeof *request);
    const enum status status = fill(request, settings, error);
    if (status != STATUS_OK)
        sweep_request_free(request);
    return status;
}

void sweep_request_free(struct sweep_request *request)
{
    sweep_templates_free(&request->templates);
    active_selection_close(&request->active);
}
