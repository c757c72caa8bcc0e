/* Parts of a model file that predictors share: tables of members, input columns, groups of kinds.
 */
#ifndef EPOCHCAST_PREDICTORS_MODEL_MEMBERS_H
#define EPOCHCAST_PREDICTORS_MODEL_MEMBERS_H

#include "predictors/member.h"
#include "predictors/model_hdf5.h"

/* One attribute per member, in both directions. Reading a value outside a member's bounds is
 * STATUS_BAD_FILE. */
enum status members_write(const struct model_place *place, const void *object,
                          const struct member *members, int count, struct error *error);
enum status members_read(const struct model_place *place, void *object,
                         const struct member *members, int count, struct error *error);

/* STATUS_BAD_FILE: the object's value is impossible. */
enum status model_bad_value(const struct model_place *place, const char *name, struct error *error);

/* A text member of `size` bytes of a compound type. */
void model_insert_text(hid_t compound, const char *name, size_t offset, size_t size);

/* The group `name` of `parent`, created or opened; model_group_close ends it. The parent must
 * outlive it. */
struct model_group {
    struct model_place place;
    char prefix[128];
};
enum status model_group_create(struct model_group *group, const struct model_place *parent,
                               const char *name, struct error *error);
enum status model_group_open(struct model_group *group, const struct model_place *parent,
                             const char *name, struct error *error);
bool model_group_exists(const struct model_place *parent, const char *name);
void model_group_close(struct model_group *group);

/* Input columns (count): name, mean, inverse scale. Reading requires these names in this order. */
enum status model_columns_write(const struct model_place *place, const char *const *names,
                                const double *means, const double *inverse_scales, int count,
                                struct error *error);
enum status model_columns_read(const struct model_place *place, const char *const *names,
                               double *means, double *inverse_scales, int count,
                               struct error *error);

/* Floats that must be finite: (rows, count). */
enum status model_floats_read(const struct model_place *place, const char *name, float *values,
                              size_t rows, size_t count, struct error *error);

#endif
