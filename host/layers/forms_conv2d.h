/* Convolutions of networks whose members depend on one another: depthwise, grouped, of thin
 * kernels, 1-D, dilated, of images that are no squares. */
#ifndef EPOCHCAST_LAYERS_FORMS_CONV2D_H
#define EPOCHCAST_LAYERS_FORMS_CONV2D_H

#include "layers/layer.h"

enum { CONV2D_FORM_COUNT = 88 };
extern const struct layer_config conv2d_forms[CONV2D_FORM_COUNT];

#endif
