/* Provenance of a written file: versions, command line, time. */
#ifndef EPOCHCAST_CLI_PROVENANCE_H
#define EPOCHCAST_CLI_PROVENANCE_H

#include "cli/cli.h"
#include "data/dataset.h"

void print_version(FILE *file);
/* Fills everything except sampler and domain. */
void fill_header(struct dataset_header *header, const struct settings *settings);
void fill_model_provenance(char *text, size_t size, const struct settings *settings);

#endif
