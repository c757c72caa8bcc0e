/* A network: a list of layers. From a layer CSV (datasets/README.md), an ONNX file, or by name from
 * the catalogue.
 *
 * A layer is of a kind that benchmarks cover, or an operator that none covers: that one brings the
 * work of one sample, and forecasts follow from that: by the predictor where it can, else by the
 * device's roofline.
 *
 * CSV: one layer per line, columns name, layer (kind, or "operator"), input (names of the layers
 * that feed it, joined by ';'; empty: the one above, or the network's input for the first; "input":
 * the network's input; a '\' stands before a ';' or '\' of a name), rows (rows of the layer
 * for one sample: a dense layer that runs on every position of a sequence), tensor (names of its
 * parameters that other layers have, too: "W;b"), then any features of
 * the kinds by name, and operator (its name) with the columns of its work (operator.h). A cell that
 * does not apply stays empty; a choice's empty cell is its first name, an empty number of an
 * operator is 0. batch_size, pass, optimizer and precision are not in the file: they are asked.
 */
#ifndef EPOCHCAST_NETWORK_NETWORK_H
#define EPOCHCAST_NETWORK_NETWORK_H

#include "layers/layer.h"
#include "network/dimension.h"
#include "network/operator.h"

#include <stdio.h>

/* INPUT: of one layer. An ONNX operator that has more of them keeps the first. */
enum { NETWORK_LAYER_LIMIT = 100000, NETWORK_INPUT_LIMIT = 256 };
/* TENSOR: of a layer of a kind, weights and bias, scales and shifts, both weights and biases of a
 * recurrent layer. */
enum { NETWORK_TENSOR_LIMIT = 4 };

struct network_layer {
    char name[64];
    const int *inputs;          /* (input_count) of the network: network_input reads them */
    int input_count;            /* of a kind as many as it takes */
    struct layer_config config; /* batch_size: rows of one sample; forward, none, fp32 */
    char operator_name[32];     /* "": of config.kind; else config is all zero but for rows 1 */
    struct operator_work work;  /* of an operator */
    /* Tensors of parameters that several layers have: network->tensors[i - 1]; 0: the layer's own.
     */
    int tensors[NETWORK_TENSOR_LIMIT];
    double stored_bytes; /* of its parameters in a quantised file; 0: in the precision's type */
    double shared_count; /* of its parameters, those that an earlier layer has, too */
};

/* Of an ONNX file: which axis its samples stand on. */
struct network_batch {
    bool is_known;   /* an ONNX file */
    bool is_open;    /* the file leaves the number of samples open */
    char input[96];  /* "": no input has a batch, or it is not said which */
    int axis;        /* of that input */
    int64_t samples; /* that the shapes hold; the network is of one of them */
};

/* An operator that an ONNX file has as several nodes: "layer_norm", 25 times. */
enum { NETWORK_PATTERN_LIMIT = 16 };
struct network_pattern {
    const char *name; /* static */
    int count;
};

struct network {
    char name[64];
    struct network_batch batch;
    struct network_pattern patterns[NETWORK_PATTERN_LIMIT]; /* those that were recognised */
    int pattern_count;
    int32_t precision; /* enum precision, of most of its weights: fp32 where no file says so */
    bool is_quantised; /* most of its weights are integers: it has no backward pass */
    struct network_layer *layers;
    int layer_count;
    int *inputs; /* those of all layers, one layer's behind another's; owned */
    int input_count;
    char (*tensors)[64]; /* names of those that layers share, each once; owned */
    int tensor_count;
};

/* `text` is a path (it has a '/' or a '.' or exists as a file) or a catalogue name, looked for in
 * $EPOCHCAST_NETWORKS, then in the installation's and the source tree's datasets/networks.
 * STATUS_BAD_FILE: names line and column, or an ONNX file's node. An unknown name is STATUS_USAGE
 * and lists the nearest and all. */
enum status network_load(struct network *network, const char *text, struct error *error);
/* The same with sizes for what an ONNX model leaves open, besides the batch; dimension_sizes_check
 * then tells of those that no network had. `sizes` may be NULL. */
enum status network_load_sized(struct network *network, const char *text,
                               struct dimension_sizes *sizes, struct error *error);
/* The same for one network, which must have all of them: texts as dimension_sizes_add takes them.
 */
enum status network_load_with(struct network *network, const char *text, const char *const *sizes,
                              int size_count, struct error *error);
/* A layer CSV from memory; `path` is for messages. */
enum status network_parse(struct network *network, const char *path, const char *bytes, size_t size,
                          struct error *error);
/* An ONNX model from memory; its external data is looked for beside `path`. `sizes` may be NULL. */
enum status network_read_onnx(struct network *network, struct dimension_sizes *sizes,
                              const char *path, const char *bytes, size_t size,
                              struct error *error);
void network_free(struct network *network);
enum status network_write_csv(const struct network *network, FILE *file, struct error *error);

/* "dense", "conv2d", ...; of an operator its name. */
const char *network_layer_kind(const struct network_layer *layer);
static inline bool network_layer_is_operator(const struct network_layer *layer)
{
    return layer->operator_name[0] != '\0';
}
/* The layer that gives input i, as an index; -1: the network's input, or not known. */
static inline int network_input(const struct network_layer *layer, int i)
{
    return i < layer->input_count ? layer->inputs[i] : -1;
}
/* Elements of the input and the output of one sample. */
double network_layer_input_count(const struct network_layer *layer);
double network_layer_output_count(const struct network_layer *layer);

/* A layer's config for a batch size, pass and optimizer: its rows times the batch size, limited to
 * INT32_MAX; kinds without parameters get optimizer none. Not for operators. */
struct layer_config network_config(const struct network_layer *layer, int32_t batch_size,
                                   int32_t pass, int32_t optimizer, int32_t precision);
/* What a layer or operator does at a batch size; what that costs. Parameters that an earlier layer
 * has, too, are not counted again. */
void network_work(struct layer_work *work, const struct network_layer *layer, int32_t batch_size);
struct cost network_cost(const struct network_layer *layer, int32_t batch_size, int32_t pass,
                         int32_t optimizer, int32_t precision);

/* Elements of tensor i of a layer of a kind. */
double network_tensor_elements(const struct network_layer *layer, int i);
/* Adds the name of a tensor that layers share; *number is what layers have in `tensors`. */
enum status network_tensor_add(struct network *network, const char *name, int *number,
                               struct error *error);
/* The layer has this tensor as its i-th; `is_again`: an earlier layer has it, too. */
void network_tensor_share(struct network_layer *layer, int i, int number, bool is_again);

/* The layers without the operators; a layer that an operator fed takes what fed the operator. */
enum status network_without_operators(struct network *covered, const struct network *network,
                                      struct error *error);

/* "batch_normalization x53, add x16": the layers for which is_wanted[i], by kind, the most frequent
 * first; ends in ", ..." where size bytes do not hold all. */
void network_count_kinds(char *text, size_t size, const struct network *network,
                         const bool *is_wanted);

/* Whether the program knows nothing of the operator but its tensors: its operations count as 0. */
bool network_layer_is_unknown(const struct network_layer *layer);

/* Inputs of layers that hold another number of values than the layer before gives, and the first of
 * them as a text: "'f6' takes 121 values, 'c5' gives 120". A layer CSV may be wrong; an ONNX model
 * may do something between two layers that is none itself. */
int network_misfits(char *text, size_t size, const struct network *network);

/* "nets/vgg16.csv" -> "vgg16" */
void network_name(struct network *network, const char *path);

/* "the batch is axis 0 of 'x', 8 samples in the file"; empty for a network that no ONNX file is.
 */
void network_batch_text(char *text, size_t size, const struct network *network);

/* Names of the catalogue, sorted; *names is freed by the caller in one free(). */
enum status network_catalogue(char ***names, int *count, struct error *error);

#endif
