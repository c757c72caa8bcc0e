/* A network: a list of layers. From a layer CSV (datasets/README.md), or by name from the
 * catalogue.
 *
 * CSV: one layer a line, columns name, layer (kind), input (name of the layer that feeds it; empty:
 * the one above, or the network's input for the first; "input": the network's input), then any
 * features of the kinds by name. A cell that does not apply stays empty; a choice's empty cell is
 * its first name. batch_size, pass, optimizer and precision are not in the file: they are asked.
 */
#ifndef EPOCHCAST_NETWORK_NETWORK_H
#define EPOCHCAST_NETWORK_NETWORK_H

#include "layers/layer.h"

#include <stdio.h>

enum { NETWORK_LAYER_LIMIT = 100000 };

struct network_layer {
    char name[64];
    int input;                  /* index of the feeding layer, -1: the network's input */
    struct layer_config config; /* batch_size 1, forward, none, fp32 */
};

struct network {
    char name[64];
    struct network_layer *layers;
    int layer_count;
};

/* `text` is a path (it has a '/' or a '.' or exists as a file) or a catalogue name, looked for in
 * $EPOCHCAST_NETWORKS, then in the installation's and the source tree's datasets/networks.
 * STATUS_BAD_FILE: names line and column. An unknown name is STATUS_USAGE and lists the nearest and
 * all. */
enum status network_load(struct network *network, const char *text, struct error *error);
/* The same from memory; `path` is for messages. */
enum status network_parse(struct network *network, const char *path, const char *bytes, size_t size,
                          struct error *error);
void network_free(struct network *network);
enum status network_write_csv(const struct network *network, FILE *file, struct error *error);

/* The layer's config for a batch size, pass and optimizer: kinds without parameters get optimizer
 * none. */
struct layer_config network_config(const struct network_layer *layer, int32_t batch_size,
                                   int32_t pass, int32_t optimizer, int32_t precision);

/* Names of the catalogue, sorted; *names is freed by the caller in one free(). */
enum status network_catalogue(char ***names, int *count, struct error *error);

#endif
