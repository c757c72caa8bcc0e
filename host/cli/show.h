/* The file kinds of `show`. */
#ifndef EPOCHCAST_CLI_SHOW_H
#define EPOCHCAST_CLI_SHOW_H

#include "cli/cli.h"
#include "network/network.h"
#include "predictors/predictor.h"

/* True for the suffixes ".h5" and ".hdf5". */
bool name_is_hdf5(const char *path);
/* True when the file begins like a model file; any other file is read as a dataset. */
bool file_is_model(const char *path);
enum status show_model(const char *path, enum table_format format, struct error *error);
/* Prints every violation of the format; STATUS_BAD_FILE when there is one. */
enum status show_check(const char *path, enum table_format format, struct error *error);
/* A network by layers, repeated blocks folded unless --all; `-o csv` is the layer CSV, which can be
 * read back. */
enum status show_network(const char *text, const struct settings *settings, struct error *error);
/* The networks that have a name. */
enum status show_catalogue(enum table_format format, struct error *error);
/* "recognised: 25 layer_norm, 12 gelu", wrapped behind `indent` columns, and as an object. */
void print_patterns(const struct network *network, int indent);
struct json;
void json_patterns(struct json *json, const struct network *network);
/* The catalogue of devices. */
enum status show_devices(enum table_format format, struct error *error);
enum status show_dataset(const char *path, enum table_format format, struct error *error);

/* Receives the output of show, for another printer: labelled texts, then the tables with rows. */
struct show_sink {
    void *payload;
    void (*text)(void *payload, const char *label, const char *text);
    enum status (*table)(void *payload, const struct table *table, struct error *error);
};
enum status show_dataset_to(const struct show_sink *sink, const char *path, struct error *error);
enum status show_model_to(const struct show_sink *sink, const struct model *model,
                          struct error *error);

/* Prints a labelled text; of several lines, each is wrapped below the first. */
void show_label(const char *label, const char *text);
/* A dataset's `domain` for people: limits that all kinds share stand once. */
void show_domain(char *text, size_t size, const char *domain);

#endif
