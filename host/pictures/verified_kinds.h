/* The panels of a verification's layers, by kind. */
#ifndef EPOCHCAST_PICTURES_VERIFIED_KINDS_H
#define EPOCHCAST_PICTURES_VERIFIED_KINDS_H

#include "pictures/picture.h"
#include "step/verified_step.h"

/* Height in points and lines of a terminal, for a step's panel. */
int verified_kinds_height(const struct verified_step *step);
int verified_kinds_lines(const struct verified_step *step);
/* Times measured within the step and alone beside the forecast ones. */
void draw_verified_kinds(struct picture *picture, const struct verified_step *step,
                         const char *title);

#endif
