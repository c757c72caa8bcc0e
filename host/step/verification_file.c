#include "step/verification_file.h"

#include "base/mapped_file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

/* ---- what is wrong ---- */

static enum status with_hint(struct error *error)
{
    return HINT(error, STATUS_BAD_FILE,
                "epochcast verify NETWORK --model MODEL.h5 -o json >FILE.json");
}

static enum status bad_value(const char *path, int row, const char *name, const char *what,
                             struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%.300s: row %d: %s %s", path, row + 1, name, what);
    return with_hint(error);
}

/* ---- values ---- */

/* NaN: null or missing. */
static enum status read_time(double *value, const cJSON *row, const char *path, int index,
                             const char *name, double minimum, struct error *error)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
    *value = NAN;
    if (!item || cJSON_IsNull(item))
        return STATUS_OK;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || !(item->valuedouble >= minimum) ||
        item->valuedouble > 1e15)
        return bad_value(path, index, name, "is not a valid number", error);
    *value = item->valuedouble;
    return STATUS_OK;
}

static enum status read_name(int32_t *value, const struct choice *choice, const cJSON *row,
                             const char *path, int index, struct error *error)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, choice->name));
    *value = text ? choice_find(choice, text) : -1;
    return *value < 0 ? bad_value(path, index, choice->name, "is missing or unknown", error)
                      : STATUS_OK;
}

static void read_text(char *out, const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    snprintf(out, VERIFICATION_NAME_SIZE, "%s", text ? text : "");
}

/* ---- rows ---- */

/* Columns that are numbers of a row, by name. */
static const struct {
    const char *name;
    size_t offset;
    double minimum;
} columns[] = {
    {"measured_ms", offsetof(struct verification_row, step.measured_ms), 0},
    {"measured_ci_ms", offsetof(struct verification_row, step.measured_ci_ms), 0},
    {"predicted_ms", offsetof(struct verification_row, step.predicted_ms), 0},
    {"predicted_low_ms", offsetof(struct verification_row, step.predicted_low_ms), 0},
    {"predicted_high_ms", offsetof(struct verification_row, step.predicted_high_ms), 0},
    {"error_percent", offsetof(struct verification_row, error_percent), -1e15},
    {"sum_ms", offsetof(struct verification_row, sum_ms), 0},
    {"model_error_percent", offsetof(struct verification_row, model_error_percent), -1e15},
    {"sum_gap_percent", offsetof(struct verification_row, sum_gap_percent), -1e15},
};

static enum status read_baselines(struct verification_row *row,
                                  const struct verification_file *file, const cJSON *json,
                                  const char *path, int index, struct error *error)
{
    for (int i = 0; i < file->baseline_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s_ms", file->baselines[i]);
        TRY(read_time(&row->step.baselines_ms[i], json, path, index, name, 0, error));
        snprintf(name, sizeof name, "%s_error_percent", file->baselines[i]);
        TRY(read_time(&row->baseline_error_percents[i], json, path, index, name, -1e15, error));
    }
    return STATUS_OK;
}

/* Kinds beyond the limit, and "all", are left out. */
static enum status read_kinds(struct verified_step *step, const cJSON *row, const char *path,
                              int index, struct error *error)
{
    const cJSON *json;
    cJSON_ArrayForEach(json, cJSON_GetObjectItemCaseSensitive(row, "kinds"))
    {
        struct verified_kind *kind = &step->kinds[step->kind_count];
        double layers;
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "layer"));
        if (!name || strcmp(name, "all") == 0 || step->kind_count == VERIFIED_KIND_LIMIT)
            continue;
        snprintf(kind->name, sizeof kind->name, "%s", name);
        TRY(read_time(&layers, json, path, index, "layers", 0, error));
        TRY(read_time(&kind->in_place_ms, json, path, index, "in_place_ms", 0, error));
        TRY(read_time(&kind->predicted_ms, json, path, index, "predicted_ms", 0, error));
        TRY(read_time(&kind->alone_ms, json, path, index, "alone_ms", 0, error));
        kind->layer_count = layers <= INT32_MAX ? (int32_t)layers : 0;
        step->kind_count++;
    }
    return STATUS_OK;
}

static enum status read_row(struct verification_file *file, const cJSON *json, const char *path,
                            struct error *error)
{
    const int index = file->count;
    struct verification_row *row = &file->rows[index];
    const cJSON *batch_size = cJSON_GetObjectItemCaseSensitive(json, "batch_size");
    if (!cJSON_IsObject(json))
        return bad_value(path, index, "it", "is not an object", error);
    if (!cJSON_IsNumber(batch_size) || !(batch_size->valuedouble >= 1) ||
        batch_size->valuedouble > INT32_MAX || batch_size->valueint != batch_size->valuedouble)
        return bad_value(path, index, "batch_size", "is not a whole number of at least 1", error);
    row->step.batch_size = batch_size->valueint;
    read_text(row->network, json, "network");
    TRY(read_name(&row->step.pass, &choice_pass, json, path, index, error));
    TRY(read_name(&row->step.optimizer, &choice_optimizer, json, path, index, error));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        TRY(read_time((double *)((char *)row + columns[i].offset), json, path, index,
                      columns[i].name, columns[i].minimum, error));
    if (isnan(row->step.predicted_ms))
        return bad_value(path, index, "predicted_ms", "is missing", error);
    file->has_sum |= !isnan(row->sum_ms);
    TRY(read_baselines(row, file, json, path, index, error));
    TRY(read_kinds(&row->step, json, path, index, error));
    file->count++;
    return STATUS_OK;
}

/* Baselines with a time in some row, the roofline first, as in verify. */
static void find_baselines(struct verification_file *file, const cJSON *rows,
                           const struct choice *baselines)
{
    const int roofline = choice_find(baselines, "roofline");
    for (int i = -1; i < baselines->count && file->baseline_count < VERIFIED_BASELINE_LIMIT; i++) {
        char name[80];
        const cJSON *row;
        bool has_some = false;
        if (i == roofline)
            continue;
        const char *baseline = baselines->names[i < 0 ? roofline : i];
        snprintf(name, sizeof name, "%s_ms", baseline);
        cJSON_ArrayForEach(row, rows)
            has_some |= cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(row, name));
        if (has_some)
            file->baselines[file->baseline_count++] = baseline;
    }
}

static enum status read_document(struct verification_file *file, const cJSON *document,
                                 const char *path, const struct choice *baselines,
                                 struct error *error)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(document, "rows"), *row;
    const int count = cJSON_IsArray(rows) ? cJSON_GetArraySize(rows) : 0;
    if (count < 1 || count > VERIFICATION_ROW_LIMIT) {
        FAIL(error, STATUS_BAD_FILE, "%.300s: JSON must hold 1 to %d rows of verify", path,
             VERIFICATION_ROW_LIMIT);
        return with_hint(error);
    }
    TRY(ALLOCATE(&file->rows, (unsigned long)count, "rows", error));
    read_text(file->device, document, "device_label"); /* with its threads; older files lack it */
    if (!file->device[0])
        read_text(file->device, document, "device");
    find_baselines(file, rows, baselines);
    cJSON_ArrayForEach(row, rows) TRY(read_row(file, row, path, error));
    return STATUS_OK;
}

static bool is_blank(const char *at, const char *end)
{
    while (at < end && isspace((unsigned char)*at))
        at++;
    return at == end;
}

enum status verification_parse(struct verification_file *file, const char *path, const char *bytes,
                               size_t size, const struct choice *baselines, struct error *error)
{
    const char *end = bytes;
    *file = (struct verification_file){.rows = NULL};
    if (size > VERIFICATION_BYTE_LIMIT) {
        FAIL(error, STATUS_BAD_FILE, "%.300s: %zu bytes of JSON exceed the limit of %d", path, size,
             VERIFICATION_BYTE_LIMIT);
        return HINT(error, STATUS_BAD_FILE, "verify without --layers writes less");
    }
    cJSON *document = cJSON_ParseWithLengthOpts(bytes, size, &end, false);
    if (!document || !is_blank(end, bytes + size)) {
        cJSON_Delete(document);
        FAIL(error, STATUS_BAD_FILE, "%.300s: byte %zu: no JSON", path, (size_t)(end - bytes));
        return with_hint(error);
    }
    const enum status status = read_document(file, document, path, baselines, error);
    cJSON_Delete(document);
    if (status != STATUS_OK)
        verification_file_free(file);
    return status;
}

enum status verification_file_read(struct verification_file *file, const char *path,
                                   const struct choice *baselines, struct error *error)
{
    struct mapped_file mapped;
    TRY(mapped_file_open(&mapped, path, error));
    const enum status status = verification_parse(file, path, mapped.bytes, mapped.size, baselines,
                                                  error);
    mapped_file_close(&mapped);
    return status;
}

void verification_file_free(struct verification_file *file)
{
    free(file->rows);
    *file = (struct verification_file){.rows = NULL};
}

bool file_is_json(const char *path)
{
    static const char ending[] = ".json";
    const size_t length = strlen(path), wanted = strlen(ending);
    struct mapped_file file;
    if (mapped_file_open(&file, path, NULL) != STATUS_OK)
        return false;
    const size_t looked_at = file.size < 4096 ? file.size : 4096;
    size_t at = 0;
    while (at < looked_at && isspace((unsigned char)file.bytes[at]))
        at++;
    const bool begins = at < looked_at && (file.bytes[at] == '{' || file.bytes[at] == '[');
    mapped_file_close(&file);
    return begins || (length > wanted && strcmp(path + length - wanted, ending) == 0);
}
