/* Parts of a model file that predictors share: tables of members, input columns, groups of kinds.
 */
#ifndef EPOCHCAST_PREDICTORS_MODEL_MEMBERS_H
#define EPOCHCAST_PREDICTORS_MODEL_MEMBERS_H

#include "layers/encode_plan.h"
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
/* STATUS_BAD_FILE: `name`, a `what` in the object `list`, is of another version. */
enum status model_unknown_name(const struct model_place *place, const char *what, const char *name,
                               const char *list, struct error *error);

/* Adds a text member of `size` bytes to a compound type; false: HDF5 refuses. */
bool model_insert_text(hid_t compound, const char *name, size_t offset, size_t size)
    __attribute__((warn_unused_result));

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

/* Input columns: name, mean, inverse scale. Reading makes the plan; means and inverse scales are in
 * the file's order, at most ENCODE_COLUMN_LIMIT. */
enum status model_columns_write(const struct model_place *place, const struct encode_plan *plan,
                                const double *means, const double *inverse_scales,
                                struct error *error);
enum status model_columns_read(const struct model_place *place, struct encode_plan *plan,
                               const struct encode_layout *layout, double *means,
                               double *inverse_scales, struct error *error);

/* Floats that must be finite: (rows, count). */
enum status model_floats_read(const struct model_place *place, const char *name, float *values,
                              size_t rows, size_t count, struct error *error);

#endif
