/* The layer table: the one source of truth about layer kinds.
 *
 * A kind is a struct of int32_t members and a descriptor: a table of features (one row per member)
 * and its work (work.h). Sampler, HDF5 type, encoder, --help, --set, CSV columns and tests derive
 * from the features; costs, memory and the baselines from the work. To add a kind: one line at the
 * end of LAYER_KINDS and one struct (layer_config.h), one kind_<kind>.c, one benchmark file per
 * backend. A member without a feature row fails a static assertion.
 */
#ifndef EPOCHCAST_LAYERS_LAYER_H
#define EPOCHCAST_LAYERS_LAYER_H

#include "base/choice.h"
#include "base/error.h"
#include "layers/layer_config.h"
#include "layers/work.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_LIST(X)                                                                               \
    X(UNIT_NONE, "")                                                                               \
    X(UNIT_ROWS, "rows")                                                                           \
    X(UNIT_PIXELS, "pixels")                                                                       \
    X(UNIT_CHANNELS, "channels")                                                                   \
    X(UNIT_NEURONS, "neurons")                                                                     \
    X(UNIT_ELEMENTS, "elements")
enum unit { UNIT_LIST(CHOICE_ENUMERATOR) };
const char *unit_name(enum unit unit); /* "": it has none */

enum distribution {
    DISTRIBUTION_CHOICE,      /* uniform over the names of `choice` */
    DISTRIBUTION_LOG_UNIFORM, /* integers of [minimum, maximum] in the log-uniform stratum */
    DISTRIBUTION_UNIFORM,     /* integers of [minimum, maximum], uniform in every stratum */
};

/* What real networks and the paper draw of a feature; a later sweep of the same seed draws the
 * same only while these stay. */
enum { SAMPLE_SHAPE_LIMIT = 32 };
struct sample_shapes {
    int32_t values[SAMPLE_SHAPE_LIMIT]; /* a more usual one stands more often; ended by 0 */
    int32_t paper_minimum, paper_maximum;
    bool is_side;     /* of an image: the paper divides by it the maximum of later features.. */
    bool is_per_side; /* ..that say so */
    bool has_usual;   /* of a choice: three in four real layers have `usual` */
    int32_t usual;
    /* Of a feature with `since` above 1: of so many in a hundred log-uniform draws the value is
     * drawn; it is `missing` in all others, unless --set has a say. */
    int32_t rare_percent;
};

/* Names of the columns that a number has where its kind has no `encode` (encode_generic.c). */
enum { COLUMN_DIVISORS = 4, COLUMN_TILES = 3, COLUMN_RAMPS = 3 };
struct feature_columns {
    const char *log, *train_log; /* "log_inputs", "is_train*log_inputs" */
    const char *divisible[COLUMN_DIVISORS], *quantised[COLUMN_TILES], *ramp[COLUMN_RAMPS];
};

/* Of a feature that says something only where an earlier one, a number or a choice, has at
 * least a value. */
struct feature_condition {
    size_t offset; /* of that one's int32_t in struct layer_config */
    int32_t minimum;
    const char *text; /* where that is: "statistics group" */
};

/* One row per member. minimum and maximum are the bounds that every input is checked against
 * (command line, CSV, HDF5); [sample_minimum, sample_maximum] (0, 0: the bounds) is what a
 * sweep draws. A feature that a released kind gets later has `since` above 1 and stands last:
 * files without its column mean `missing`, and a config with that value has the hash that it
 * had without it. */
struct feature {
    const char *name, *help;
    size_t offset; /* of the int32_t in struct layer_config */
    enum unit unit;
    enum distribution distribution;
    int32_t minimum, maximum;
    int32_t sample_minimum, sample_maximum;
    const struct choice *choice; /* NULL for numbers; else minimum = 0, maximum = count - 1 */
    const struct feature_columns *columns; /* of a number */
    const struct sample_shapes *shapes;    /* NULL: nothing known, log-uniform in their place */
    bool is_fixed;   /* a sweep draws `minimum` alone unless it is told otherwise */
    int since;       /* schema that brought it: 1 (or 0) the first, 2, ... */
    int32_t missing; /* since > 1: value in files of earlier schemas */
    /* NULL: it always says something; elsewhere it is `missing`, whatever is drawn. */
    const struct feature_condition *condition;
    /* Name of the feature whose value `missing` stands for, or NULL: the hash takes that value
     * for `missing`, too. */
    const char *stands_for;
};
/* Where it says nothing it need not be given. */
static inline bool feature_is_optional(const struct feature *feature)
{
    return feature->since > 1 || feature->condition;
}

struct columns;
/* A layer with what is counted by hand: tests hold the kind to it, and take it for an example.
 */
struct layer_case {
    const char *text; /* describe.h */
    struct cost cost;
    uint64_t hash; /* layer_hash */
};

struct layer_descriptor {
    const char *name, *help;
    /* What the kind was called when its features with `since` above 1 were not yet there, or NULL:
     * it is found by either name, and a config in which those are `missing` hashes by this one. */
    const char *former_name;
    const struct feature *features; /* the common ones first */
    int feature_count;
    bool (*is_valid)(const struct layer_config *config,
                     const char **reason); /* beyond the bounds and the sizes; or NULL */
    void (*work)(struct layer_work *work, const struct layer_config *config); /* of a begun work */
    /* Whole shapes of networks, whose members depend on one another: two in five realistic
     * draws are one of them, half of these with other sizes (sample_accept.c). Their common
     * features are not read. */
    const struct layer_config *forms; /* (form_count) or NULL */
    int form_count;
    /* Makes members of a draw fit one another, which were drawn each by itself; `shape` (or
     * NULL) is what it was made of. NULL: nothing to do. */
    void (*settle)(struct layer_config *drawn, const struct layer_config *shape);
    /* Columns for predictors (encode_internal.h): of the physical encoding, beside those of any
     * layer's work, on a device of `units` (NULL: those of encode_generic.c); of the paper's
     * encoding (NULL: the features). Their number must not depend on the config. */
    void (*encode)(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units);
    void (*encode_paper)(struct columns *columns, const struct layer_config *config);
    const struct layer_case *cases; /* ended by text NULL; the last sets everything */
};

/* Rows of the features that all kinds have. */
enum common_feature {
    COMMON_BATCH_SIZE,
    COMMON_PASS,
    COMMON_OPTIMIZER,
    COMMON_PRECISION,
    COMMON_FEATURE_COUNT
};
enum { FEATURE_LIMIT = 32 };

extern const struct layer_descriptor *const layer_descriptors[LAYER_KIND_COUNT];

/* Kind called `name`, now or formerly, or -1. */
int layer_kind_find(const char *name);
const struct feature *layer_feature_find(enum layer_kind kind, const char *name); /* or NULL */

static inline int32_t layer_get(const struct layer_config *config, const struct feature *feature)
{
    return *(const int32_t *)((const char *)config + feature->offset);
}
static inline void layer_set(struct layer_config *config, const struct feature *feature,
                             int32_t value)
{
    *(int32_t *)((char *)config + feature->offset) = value;
}

/* False: the feature must be `missing` in this config. */
static inline bool feature_applies(const struct feature *feature, const struct layer_config *config)
{
    return !feature->condition ||
           *(const int32_t *)((const char *)config + feature->condition->offset) >=
               feature->condition->minimum;
}

/* A config whose features are yet to be set: zeros, those that need not be given at `missing`.
 */
void layer_begin(struct layer_config *config, enum layer_kind kind);

/* All bounds, the rules of pass and optimizer, the kind's own is_valid, the sizes of the
 * tensors. STATUS_USAGE names the feature, the value and the bound. */
enum status layer_check(const struct layer_config *config, struct error *error);
bool layer_is_valid(const struct layer_config *config);

/* What the layer does, of a whole training step, whatever the config's pass. */
void layer_work(struct layer_work *work, const struct layer_config *config);
/* Of the config's own pass. */
struct cost layer_cost(const struct layer_config *config);

/* Output side length of a window of kernel over image; pad_before is the zeros above/left,
 * pad_after below/right (may differ by one under `same`). Shared by conv2d and pool2d. */
struct window {
    int32_t output_size, pad_before, pad_after;
};
struct window window_of(int32_t image_size, int32_t kernel_size, int32_t stride, int32_t padding);

/* A window along each axis of an image: pixels, cells of the kernel, pixels that it spans. */
enum window_axis_name { AXIS_HEIGHT, AXIS_WIDTH, AXIS_COUNT };
struct window_axis {
    int32_t image, kernel, span, stride;
    struct window window;
};
struct window_axes {
    struct window_axis at[AXIS_COUNT];
};
struct window_axes conv2d_axes(const struct conv2d *conv);
struct window_axes pool2d_axes(const struct pool2d *pool);
/* Of the convolution from its output to its input: `image` is the output, `output_size` the input.
 */
struct window_axes conv_transpose2d_axes(const struct conv_transpose2d *conv);

/* Tensors that feed the layer; elements of input `index`, and of the output. */
int layer_input_count(const struct layer_config *config);
int64_t layer_input_elements(const struct layer_config *config, int index);
int64_t layer_output_elements(const struct layer_config *config);

/* Identity of a config (the features of its kind, by name and value; one with `since` above 1
 * only where its value is not `missing`): the same on every machine and across versions that
 * add kinds or features. Decides the split. */
uint64_t layer_hash(const struct layer_config *config);

#endif
