#include "data/dataset_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_unknown_or_positive(double value)
{
    return isnan(value) || (isfinite(value) && value >= 0);
}

static const char *describe_fault(char *fault, size_t size, const char *name, double value)
{
    snprintf(fault, size, "%s = %g", name, value);
    return fault;
}

/* Counts and sizes are never negative, times and speeds never infinite; choices are in their list.
 */
static bool field_is_good(double *shown, const void *record, const struct field *field)
{
    const char *at = (const char *)record + field->offset;
    double value = 0;
    bool is_good = true;
    switch (field->type) {
    case FIELD_INT32:
        value = *(const int32_t *)at;
        is_good = value >= field->minimum;
        break;
    case FIELD_INT64:
        value = (double)*(const int64_t *)at;
        is_good = value >= field->minimum;
        break;
    case FIELD_DOUBLE:
        value = *(const double *)at;
        is_good = is_unknown_or_positive(value);
        break;
    case FIELD_CHOICE:
        value = *(const int32_t *)at;
        is_good = value >= 0 && value < field->choice->count;
        break;
    case FIELD_TEXT:
        break;
    }
    *shown = value;
    return is_good;
}

static const char *fields_fault(char *fault, size_t size, const void *record,
                                const struct field *fields, int count)
{
    double value;
    for (int i = 0; i < count; i++)
        if (!field_is_good(&value, record, &fields[i]))
            return describe_fault(fault, size, fields[i].name, value);
    return NULL;
}

const char *dataset_device_fault(char *fault, size_t size, const struct device_info *info)
{
    return fields_fault(fault, size, info, device_fields, device_field_count);
}

const char *dataset_canary_fault(char *fault, size_t size, const struct canary *canary,
                                 size_t device_count)
{
    if (fields_fault(fault, size, canary, canary_fields, canary_field_count))
        return fault;
    if ((size_t)canary->device < device_count)
        return NULL;
    return describe_fault(fault, size, "device", canary->device);
}

const char *dataset_row_fault(char *fault, size_t size, const struct measurement *row,
                              size_t device_count)
{
    struct error cause;
    if (layer_check(&row->config, &cause) != STATUS_OK) {
        snprintf(fault, size, "%s", cause.message);
        return fault;
    }
    if (fields_fault(fault, size, row, measurement_fields, measurement_field_count))
        return fault;
    if ((size_t)row->device >= device_count) {
        snprintf(fault, size, "device = %d, but there are %zu devices", row->device, device_count);
        return fault;
    }
    if (!measurement_is_timed(row))
        return NULL;
    return row->median_ms > 0 ? NULL : describe_fault(fault, size, "median_ms", row->median_ms);
}

static void clean_text(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (size_t i = 0, length = strlen(text); i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            text[i] = '?';
}

void dataset_clean_texts(void *record, const struct field *fields, int count)
{
    for (int i = 0; i < count; i++)
        if (fields[i].type == FIELD_TEXT)
            clean_text((char *)record + fields[i].offset, fields[i].size);
}

void dataset_row_rebuild(struct measurement *row, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    struct layer_config config;
    memset(&config, 0, sizeof config);
    config.kind = kind;
    for (int i = 0; i < descriptor->feature_count; i++)
        layer_set(&config, &descriptor->features[i],
                  layer_get(&row->config, &descriptor->features[i]));
    row->config = config;
}
