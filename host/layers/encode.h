/* Layer config (+ device) -> row of floats for a predictor. Two encodings: `paper` (the raw
 * features of Justus et al. 2018 as coded: batch, matrix^2, kernel^2, channels, padding, stride,
 * bias, one-hots) and `physical` (logarithms of sizes, FLOPs, bytes, GEMM dimensions, quantisation,
 * flags: derived from the layer table and its cost functions). Every column has a name; a model
 * file stores the list.
 */
#ifndef EPOCHCAST_LAYERS_ENCODE_H
#define EPOCHCAST_LAYERS_ENCODE_H

#include "layers/layer.h"

#define ENCODING_LIST(X) X(ENCODING_PAPER, "paper") X(ENCODING_PHYSICAL, "physical")
enum encoding { ENCODING_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_encoding;

/* The hardware side of a row; taken from struct device_info. Zero or NaN: unknown. */
struct encode_hardware {
    double bandwidth_gbps, core_count, clock_mhz, peak_gflops;
};

enum { ENCODE_COLUMN_LIMIT = 768 };

/* Number of columns; with_hardware adds the columns that tell devices apart. */
int encode_column_count(enum encoding encoding, enum layer_kind kind, bool with_hardware);
/* Name of a column, such as "log_flops" or "activation=relu". Borrowed, static or interned. */
const char *encode_column_name(enum encoding encoding, enum layer_kind kind, bool with_hardware,
                               int column);
/* All of them, at most ENCODE_COLUMN_LIMIT; returns their number. */
int encode_column_names(const char **names, enum encoding encoding, enum layer_kind kind,
                        bool with_hardware);
/* Fills row[0..column_count). hardware may be NULL without with_hardware (the physical encoding
 * then uses 80 units for wave quantisation). Never NaN or infinite. */
void encode_row(float *row, enum encoding encoding, const struct layer_config *config,
                bool with_hardware, const struct encode_hardware *hardware);

#endif
