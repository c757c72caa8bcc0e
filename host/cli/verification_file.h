/* What `verify -o json` printed, read back. The file may come from a stranger: its size, its rows
 * and every value are bounded, texts are data.
 */
#ifndef EPOCHCAST_CLI_VERIFICATION_FILE_H
#define EPOCHCAST_CLI_VERIFICATION_FILE_H

#include "pictures/draw.h"

enum {
    VERIFICATION_BYTE_LIMIT = 4 * 1024 * 1024,
    VERIFICATION_ROW_LIMIT = 4096,
    VERIFICATION_NAME_SIZE = 128
};

struct verification_row {
    char network[VERIFICATION_NAME_SIZE];
    int32_t pass;
    struct verified_step step; /* NaN where the file has null or nothing; rivals as below */
    double error_percent, sum_ms, model_error_percent, sum_gap_percent;
    double rival_error_percents[VERIFIED_RIVAL_LIMIT];
};

struct verification_file {
    char device[VERIFICATION_NAME_SIZE];      /* may be empty */
    const char *rivals[VERIFIED_RIVAL_LIMIT]; /* baselines that some row has; static names */
    int rival_count;
    bool has_sum;
    struct verification_row *rows;
    int count; /* >= 1 */
};

/* True when the file begins as JSON does, or is named so; a missing one is not. */
bool file_is_json(const char *path);
/* STATUS_BAD_FILE names the byte or the row. verification_file_free releases. */
enum status verification_file_read(struct verification_file *file, const char *path,
                                   struct error *error);
/* The same from memory; `path` is for messages. */
enum status verification_parse(struct verification_file *file, const char *path, const char *bytes,
                               size_t size, struct error *error);
void verification_file_free(struct verification_file *file);

#endif
