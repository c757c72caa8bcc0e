/* Reads the output of `verify -o json`. The file is not trusted: its size, its rows and every value
 * are bounded, texts are data. */
#ifndef EPOCHCAST_STEP_VERIFICATION_FILE_H
#define EPOCHCAST_STEP_VERIFICATION_FILE_H

#include "base/choice.h"
#include "base/error.h"
#include "step/verified_step.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    VERIFICATION_BYTE_LIMIT = 4 * 1024 * 1024,
    VERIFICATION_ROW_LIMIT = 4096,
    VERIFICATION_NAME_SIZE = 128
};

struct verification_row {
    char network[VERIFICATION_NAME_SIZE];
    struct verified_step step; /* NaN where the file has null or no value; baselines as below */
    double error_percent, sum_ms, model_error_percent, sum_gap_percent;
    double baseline_error_percents[VERIFIED_BASELINE_LIMIT];
};

struct verification_file {
    char device[VERIFICATION_NAME_SIZE];            /* may be empty */
    const char *baselines[VERIFIED_BASELINE_LIMIT]; /* baselines that some row has; static names */
    int baseline_count;
    bool has_sum;
    struct verification_row *rows;
    int count; /* >= 1 */
};

/* True when the file begins like JSON or has its suffix; false for a missing file. */
bool file_is_json(const char *path);
/* `baselines`: names to look for. STATUS_BAD_FILE names the byte or the row. verification_file_free
 * releases. */
enum status verification_file_read(struct verification_file *file, const char *path,
                                   const struct choice *baselines, struct error *error);
/* The same from memory; `path` is for messages. */
enum status verification_parse(struct verification_file *file, const char *path, const char *bytes,
                               size_t size, const struct choice *baselines, struct error *error);
void verification_file_free(struct verification_file *file);

#endif
