#include "sweep/templates.h"

#include <stdlib.h>
#include <string.h>

static bool knows(const struct sample_domain *domain, const struct layer_config *config)
{
    for (int i = 0; i < domain->template_count; i++)
        if (memcmp(&domain->templates[i], config, sizeof *config) == 0)
            return true;
    return false;
}

enum status sweep_templates_add(struct sweep_templates *templates, struct sample_domain *domains,
                                int domain_count, struct layer_config config, struct error *error)
{
    struct sample_domain *domain = NULL;
    config.batch_size = 1; /* batches are drawn */
    for (int i = 0; i < domain_count; i++)
        if (domains[i].kind == config.kind)
            domain = &domains[i];
    if (!domain || knows(domain, &config))
        return STATUS_OK;
    struct layer_config **owned = &templates->of_kind[config.kind];
    struct layer_config *grown = realloc(*owned,
                                         ((size_t)domain->template_count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for the layers of the networks");
    *owned = grown;
    grown[domain->template_count++] = config;
    domain->templates = grown;
    return STATUS_OK;
}

void sweep_templates_free(struct sweep_templates *templates)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        free(templates->of_kind[kind]);
    *templates = (struct sweep_templates){.of_kind = {NULL}};
}
