/* The file kinds of `show`. */
#ifndef EPOCHCAST_CLI_SHOW_H
#define EPOCHCAST_CLI_SHOW_H

#include "cli/cli.h"
#include "predictors/predictor.h"

/* By its name: ".h5", ".hdf5". */
bool name_is_hdf5(const char *path);
/* True when the file begins as a model file does; anything else is taken for a dataset. */
bool file_is_model(const char *path);
enum status show_model(const char *path, enum table_format format, struct error *error);
/* Every violation of the format; STATUS_BAD_FILE when there is one. */
enum status show_check(const char *path, enum table_format format, struct error *error);
enum status show_dataset(const char *path, enum table_format format, struct error *error);

/* What show prints, for who prints it otherwise: labelled texts, then the tables that have rows. */
struct show_sink {
    void *payload;
    void (*text)(void *payload, const char *label, const char *text);
    enum status (*table)(void *payload, const struct table *table, struct error *error);
};
enum status show_dataset_to(const struct show_sink *sink, const char *path, struct error *error);
enum status show_model_to(const struct show_sink *sink, const struct model *model,
                          struct error *error);

#endif
