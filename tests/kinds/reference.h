/* What a layer means, of whole tensors: a training step over plain arrays (rows of the batch,
 * channels, pixels), every element by layers/reference.h, and the optimizers. For the tests of the
 * backends.
 *
 * A kind has one file here, kinds/<kind>.c, with a struct kind_reference called reference_<kind>:
 * cases. Sizes follow from the kind's work (layers/work.h).
 */
#ifndef EPOCHCAST_TESTS_KINDS_REFERENCE_H
#define EPOCHCAST_TESTS_KINDS_REFERENCE_H

#include "layers/reference.h"

enum { DRAW_COUNT = 6 };

/* One training step. Operands are the caller's to set (malloc; step_free frees them), results are
 * the step's. What the work lacks has size 0 and stays NULL among the operands. */
struct step {
    struct layer_config config;
    bool pads_alike; /* windows with a stride above 1: as many zeros before as after */
    int input_count, weights_count;  /* up to VALUE_FAMILY of each are looked at */
    size_t input_size[VALUE_FAMILY]; /* elements, as the others */
    size_t weights_size[VALUE_FAMILY], weights_gradient_size[VALUE_FAMILY];
    size_t output_size, bias_size;
    bool is_index[VALUE_FAMILY]; /* the input */
    float *input[VALUE_FAMILY], *weights[VALUE_FAMILY], *bias, *output_gradient;
    float *mean, *variance; /* given statistics; NULL: those of the batch */
    double *output;
    /* Of inputs, NULL: indices have none, and what shares the first's has no other. NaN
     * among weights': nobody says what the element is. */
    double *input_gradient[VALUE_FAMILY], *weights_gradient[VALUE_FAMILY], *bias_gradient;
};

struct kind_reference {
    /* Configs of a training step without an optimizer. The first is the kind's example. */
    const struct layer_config *cases;
    int case_count;
    /* Those whose results 16 bits leave comparable. */
    const struct layer_config *narrow_cases;
    int narrow_case_count;
    bool wants_distinct_inputs; /* nobody says which of two equal inputs wins */
    /* What seed 1 draws first: stratum and layer text. */
    const char *draws[DRAW_COUNT];
};

#define DECLARE_REFERENCE(KIND, kind) extern const struct kind_reference reference_##kind;
LAYER_KINDS(DECLARE_REFERENCE)

extern const struct kind_reference *const kind_references[LAYER_KIND_COUNT];

/* One case: TRAINED(CONV2D, conv2d, batch, members of struct conv2d in their order). */
#define TRAINED(KIND, kind_, batch, ...)                                                           \
    {                                                                                              \
        .kind = LAYER_##KIND, .batch_size = (batch), .pass = PASS_TRAIN, .as.kind_ = {             \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define CASES(array) .cases = (array), .case_count = (int)(sizeof(array) / sizeof *(array))
#define NARROW_CASES(array)                                                                        \
    .narrow_cases = (array), .narrow_case_count = (int)(sizeof(array) / sizeof *(array))

/* The kind's first case. */
struct layer_config reference_example(enum layer_kind kind);

/* ---- a step ---- */

double *zeros(size_t count); /* the caller frees */

/* Allocates the results. */
void step_begin(struct step *step, const struct layer_config *config);
void step_forward(struct step *step);
/* From step->output, be it computed or measured. */
void step_backward(struct step *step);
void step_free(struct step *step);

/* ---- optimizers ---- */

/* A parameter, its gradient and its state. */
struct element {
    double w, g, s0, s1;
};

/* After one update by the rules' own text. */
struct element updated(struct element e, int optimizer);

#endif
