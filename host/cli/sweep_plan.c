#include "cli/sweep_plan.h"

#include "base/hash.h"
#include "cli/device_choice.h"
#include "cli/network_selection.h"
#include "cli/provenance.h"
#include "network/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double default_budget_s = 60;

/* ---- layer kinds and --set ---- */

static enum status add_kind(void *payload, const char *name, struct error *error)
{
    struct sweep_plan *plan = payload;
    enum layer_kind kind;
    TRY(cli_layer_kind(&kind, name, error));
    for (int i = 0; i < plan->domain_count; i++)
        if (plan->domains[i].kind == kind)
            return FAIL(error, STATUS_USAGE, "layer '%s' is named twice", name);
    sample_domain_default(&plan->domains[plan->domain_count++], kind);
    return STATUS_OK;
}

static enum status apply_sets(struct sweep_plan *plan, const struct settings *settings,
                              struct error *error)
{
    for (int i = 0; i < settings->set.count; i++) {
        bool any = false;
        for (int j = 0; j < plan->domain_count; j++) {
            bool applied;
            TRY(sample_domain_set(&plan->domains[j], settings->set.list[i], &applied, error));
            any |= applied;
        }
        if (!any)
            return FAIL(error, STATUS_USAGE, "--set %s: no layer of this sweep has that feature",
                        settings->set.list[i]);
    }
    return STATUS_OK;
}

/* ---- --from-networks ---- */

static bool knows(const struct sample_domain *domain, const struct layer_config *config)
{
    for (int i = 0; i < domain->template_count; i++)
        if (memcmp(&domain->templates[i], config, sizeof *config) == 0)
            return true;
    return false;
}

static enum status add_template(struct sweep_plan *plan, struct layer_config config,
                                struct error *error)
{
    struct sample_domain *domain = NULL;
    config.batch_size = 1; /* batches are drawn */
    for (int i = 0; i < plan->domain_count; i++)
        if (plan->domains[i].kind == config.kind)
            domain = &plan->domains[i];
    if (!domain || knows(domain, &config))
        return STATUS_OK;
    struct layer_config **templates = &plan->templates[config.kind];
    struct layer_config *grown = realloc(*templates,
                                         ((size_t)domain->template_count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for the layers of the networks");
    *templates = grown;
    grown[domain->template_count++] = config;
    domain->templates = grown;
    return STATUS_OK;
}

struct networks {
    struct sweep_plan *plan;
    struct dimension_sizes sizes;
};

static enum status add_network(void *payload, const char *name, struct error *error)
{
    struct networks *networks = payload;
    struct network network;
    enum status status = network_load_sized(&network, name, &networks->sizes, error);
    TRY(status);
    for (int i = 0; i < network.layer_count && status == STATUS_OK; i++)
        if (!network_layer_is_operator(&network.layers[i]))
            status = add_template(networks->plan, network.layers[i].config, error);
    network_free(&network);
    return status;
}

static enum status add_networks(struct sweep_plan *plan, const struct settings *settings,
                                struct error *error)
{
    struct networks networks = {.plan = plan};
    TRY(read_dimensions(&networks.sizes, settings, error));
    if (!settings->from_networks && settings->dimension.count > 0)
        return FAIL(error, STATUS_USAGE, "--dimension goes with --from-networks");
    if (!settings->from_networks)
        return STATUS_OK;
    TRY(cli_each_item(settings->from_networks, add_network, &networks, error));
    TRY(dimension_sizes_check(&networks.sizes, error));
    int kept = 0;
    for (int i = 0; i < plan->domain_count; i++)
        if (plan->domains[i].template_count > 0)
            plan->domains[kept++] = plan->domains[i];
        else if (settings->layer)
            return FAIL(error, STATUS_USAGE, "--from-networks %s: no %s layer in them",
                        settings->from_networks, layer_descriptors[plan->domains[i].kind]->name);
    plan->domain_count = kept;
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
        return HINT(error, STATUS_USAGE, "1/8 to 8/8 are the shards of eight");
    }
    wanted->shard--;
    return STATUS_OK;
}

/* ---- the header: what makes two sweeps the same ---- */

static void describe_domain(struct dataset_header *header, const struct sweep_plan *plan,
                            const struct settings *settings)
{
    snprintf(header->sampler, sizeof header->sampler, "sobol32-scrambled stratified v1");
    size_t length = 0, size = sizeof header->domain;
    for (int i = 0; i < plan->domain_count && length < size; i++)
        length += (size_t)snprintf(header->domain + length, size - length,
                                   "layer %s: memory <= %.0f bytes, flops <= %.3g\n",
                                   layer_descriptors[plan->domains[i].kind]->name,
                                   plan->domains[i].memory_limit_bytes,
                                   plan->domains[i].flops_limit);
    for (int i = 0; i < settings->set.count && length < size; i++)
        length += (size_t)snprintf(header->domain + length, size - length, "set %s\n",
                                   settings->set.list[i]);
}

static enum status open_active(struct sweep_plan *plan, const char *path, struct error *error)
{
    if (!path)
        return STATUS_OK;
    TRY(active_choice_open(&plan->active, path, plan->domains, plan->domain_count, error));
    plan->options.choice = &plan->active.choice;
    return STATUS_OK;
}

static void describe_templates(struct dataset_header *header, const struct sweep_plan *plan,
                               const char *networks)
{
    uint64_t hash = HASH_SEED;
    const size_t length = strlen(header->domain);
    if (!networks)
        return;
    for (int i = 0; i < plan->domain_count; i++)
        hash = hash_bytes(hash, plan->domains[i].templates,
                          (size_t)plan->domains[i].template_count * sizeof(struct layer_config));
    snprintf(header->domain + length, sizeof header->domain - length, "networks %s (%016llx)\n",
             networks, (unsigned long long)hash);
}

/* The choice depends on the model: another one makes another sweep. */
static void describe_active(struct dataset_header *header, const struct sweep_plan *plan)
{
    const size_t length = strlen(header->domain);
    if (plan->options.choice)
        snprintf(header->domain + length, sizeof header->domain - length,
                 "active: least agreed on of %d draws (model %016llx)\n", CHOICE_DRAWS,
                 (unsigned long long)plan->active.hash);
}

static void fill_protocol(struct dataset_header *header, const struct sweep_options *wanted,
                          const struct settings *settings)
{
    snprintf(header->protocol, sizeof header->protocol,
             "rounds %d, warm-up until settled or %g ms, cap %g ms, target %g %%, cache %s%s",
             wanted->rounds, wanted->measure.warmup_ms, wanted->measure.cap_ms,
             100 * wanted->measure.relative_ci, choice_name(&choice_cache, settings->cache),
             settings->autotune ? ", autotune" : "");
    if (wanted->shard_count > 1)
        snprintf(header->shard, sizeof header->shard, "%d/%d", wanted->shard + 1,
                 wanted->shard_count);
}

/* Seconds; 0: as long as --samples takes. */
static double budget_of(const struct settings *settings)
{
    if (!isnan(settings->time_budget_s))
        return settings->time_budget_s;
    return settings->samples > 0 ? 0 : default_budget_s;
}

static enum status fill_options(struct sweep_plan *plan, const struct settings *settings,
                                struct error *error)
{
    plan->options = (struct sweep_options){
        .domains = plan->domains,
        .domain_count = plan->domain_count,
        .samples = settings->samples > 0 ? settings->samples : 0,
        .time_budget_s = budget_of(settings),
        .rounds = settings->rounds > 0 ? (int)settings->rounds : SWEEP_ROUNDS,
        .seed = (uint64_t)settings->seed,
        .measure = measure_options_of(settings),
    };
    return parse_shard(&plan->options, settings->shard, error);
}

/* An impossible domain is told now, not after the device was opened. */
static enum status try_draws(const struct sweep_plan *plan, struct error *error)
{
    for (int i = 0; i < plan->domain_count; i++) {
        struct layer_config config;
        enum stratum stratum;
        TRY(sample_draw(&config, &stratum, &plan->domains[i], plan->options.seed, 0, error));
    }
    return STATUS_OK;
}

static enum status fill(struct sweep_plan *plan, const struct settings *settings,
                        struct error *error)
{
    if (settings->layer)
        TRY(cli_each_item(settings->layer, add_kind, plan, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT && !settings->layer; kind++)
        TRY(add_kind(plan, layer_descriptors[kind]->name, error));
    TRY(apply_sets(plan, settings, error));
    TRY(add_networks(plan, settings, error));
    TRY(fill_options(plan, settings, error));
    TRY(open_active(plan, settings->active, error));
    fill_header(&plan->header, settings);
    describe_domain(&plan->header, plan, settings);
    describe_templates(&plan->header, plan, settings->from_networks);
    describe_active(&plan->header, plan);
    fill_protocol(&plan->header, &plan->options, settings);
    return try_draws(plan, error);
}

enum status sweep_plan_make(struct sweep_plan *plan, const struct settings *settings,
                            struct error *error)
{
    memset(plan, 0, sizeof *plan);
    const enum status status = fill(plan, settings, error);
    if (status != STATUS_OK)
        sweep_plan_free(plan);
    return status;
}

void sweep_plan_free(struct sweep_plan *plan)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        free(plan->templates[kind]);
        plan->templates[kind] = NULL;
    }
    active_choice_close(&plan->active);
}
