#include "sweep/identity.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* With three digits, or as many as the value needs. */
static void print_exactly(char *text, size_t size, double value)
{
    snprintf(text, size, "%.3g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, size, "%.17g", value);
}

static void describe_domains(struct dataset_header *header, const struct sweep_identity *identity)
{
    size_t length = 0, size = sizeof header->domain;
    for (int i = 0; i < identity->options->domain_count && length < size; i++) {
        const struct sample_domain *domain = &identity->options->domains[i];
        char flops[40];
        print_exactly(flops, sizeof flops, domain->flops_limit);
        length += (size_t)snprintf(
            header->domain + length, size - length, "layer %s: memory <= %.0f bytes, flops <= %s\n",
            layer_descriptors[domain->kind]->name, domain->memory_limit_bytes, flops);
    }
    for (int i = 0; i < identity->set_count && length < size; i++)
        length += (size_t)snprintf(header->domain + length, size - length, "set %s\n",
                                   identity->sets[i]);
}

static void describe_templates(struct dataset_header *header, const struct sweep_identity *identity)
{
    uint64_t hash = HASH_SEED;
    const size_t length = strlen(header->domain);
    if (!identity->networks)
        return;
    for (int i = 0; i < identity->options->domain_count; i++) {
        const struct sample_domain *domain = &identity->options->domains[i];
        hash = hash_bytes(hash, domain->templates,
                          (size_t)domain->template_count * sizeof(struct layer_config));
    }
    snprintf(header->domain + length, sizeof header->domain - length, "networks %s (%016llx)\n",
             identity->networks, (unsigned long long)hash);
}

/* The selection depends on the model: another model is another sweep. */
static void describe_selection(struct dataset_header *header, const struct sweep_identity *identity)
{
    const size_t length = strlen(header->domain);
    if (identity->options->selection)
        snprintf(header->domain + length, sizeof header->domain - length,
                 "active: least agreed on of %d draws (model %016llx)\n", SELECTION_DRAWS,
                 (unsigned long long)identity->model_hash);
}

static void describe_protocol(struct dataset_header *header, const struct sweep_identity *identity)
{
    const struct sweep_options *options = identity->options;
    snprintf(header->protocol, sizeof header->protocol,
             "rounds %d, warm-up until settled or %g ms, cap %g ms, target %g %%, cache %s%s",
             options->rounds, options->measure.warmup_ms, options->measure.cap_ms,
             100 * options->measure.relative_ci, choice_name(&choice_cache, options->measure.cache),
             identity->autotune ? ", autotune" : "");
    if (options->shard_count > 1)
        snprintf(header->shard, sizeof header->shard, "%d/%d", options->shard + 1,
                 options->shard_count);
}

static const char first_sampler[] = "sobol32-scrambled stratified v1";

bool sweep_is_first(const struct dataset_header *header)
{
    return strcmp(header->sampler, first_sampler) == 0;
}

void sweep_identity_describe(struct dataset_header *header, const struct sweep_identity *identity)
{
    snprintf(header->sampler, sizeof header->sampler, "%s",
             identity->options->domains[0].is_first ? first_sampler
                                                    : "sobol32-scrambled stratified v2");
    describe_domains(header, identity);
    describe_templates(header, identity);
    describe_selection(header, identity);
    describe_protocol(header, identity);
}

const char *sweep_difference(const struct dataset_header *a, const struct dataset_header *b)
{
    return a->seed != b->seed                    ? "seed"
           : strcmp(a->sampler, b->sampler) != 0 ? "sampler"
           : strcmp(a->domain, b->domain) != 0   ? "layers, --set or limits"
           : strcmp(a->protocol, b->protocol) != 0
               ? "protocol (--rounds, --cap-ms, --target-percent, --cache, version)"
           : strcmp(a->shard, b->shard) != 0 ? "shard"
                                             : NULL;
}
