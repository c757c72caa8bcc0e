/* Domains that draw around the layers of networks: their templates. */
#ifndef EPOCHCAST_SWEEP_TEMPLATES_H
#define EPOCHCAST_SWEEP_TEMPLATES_H

#include "base/error.h"
#include "layers/sample.h"

/* Owns the `templates` of the domains. Zeroed: empty. */
struct sweep_templates {
    struct layer_config *of_kind[LAYER_KIND_COUNT];
};

/* Makes the layer a template of its kind's domain, once for all batch sizes; a layer without a
 * domain is left out. */
enum status sweep_templates_add(struct sweep_templates *templates, struct sample_domain *domains,
                                int domain_count, struct layer_config config, struct error *error);
void sweep_templates_free(struct sweep_templates *templates);

#endif
