#include "predictors/model_content.h"

#include "data/schema.h"
#include "predictors/model_members.h"
#include "predictors/training_facts.h"

#include <stdlib.h>
#include <string.h>

enum { DEVICE_LIMIT = 4096 };

static enum status write_devices(const struct model_place *root, const struct predictor *predictor,
                                 struct error *error)
{
    const hid_t file_type = schema_device_type(true), memory_type = schema_device_type(false);
    const enum status status = write_array(root, "devices", file_type, memory_type,
                                           predictor->devices, 0, (size_t)predictor->device_count,
                                           error);
    H5Tclose(file_type);
    H5Tclose(memory_type);
    return status;
}

enum status model_content_write(const struct model_place *root, const struct predictor *predictor,
                                const char *provenance, struct error *error)
{
    const int32_t version = MODEL_FORMAT_VERSION;
    TRY(write_text(root, "format", MODEL_FORMAT_NAME, error));
    TRY(write_numbers(root, "format_version", H5T_NATIVE_INT32, &version, 1, error));
    TRY(write_text(root, "predictor", predictor->type->name, error));
    TRY(write_text(root, "provenance", provenance, error));
    TRY(write_devices(root, predictor, error));
    TRY(training_facts_save(predictor, root, error));
    return predictor->type->save(predictor, root, error);
}

static void terminate_texts(struct device_info *device)
{
    for (int i = 0; i < device_field_count; i++)
        if (device_fields[i].type == FIELD_TEXT)
            ((char *)device)[device_fields[i].offset + device_fields[i].size - 1] = '\0';
}

/* Columns that an older file lacks stay zero: unknown. */
enum status model_devices_read(struct predictor *predictor, const struct model_place *root,
                               struct error *error)
{
    size_t count;
    TRY(read_array_count(root, "devices", &count, DEVICE_LIMIT, error));
    TRY(ALLOCATE(&predictor->devices, count, "devices", error));
    predictor->device_count = (int)count;
    const hid_t type = schema_device_type(false);
    const enum status status = read_array(root, "devices", type, predictor->devices, 0, count,
                                          error);
    H5Tclose(type);
    for (size_t i = 0; i < count; i++)
        terminate_texts(&predictor->devices[i]);
    return status;
}

enum status
model_kinds_write(const struct model_place *root, const struct predictor *predictor,
                  enum status (*write)(const struct predictor *predictor, enum layer_kind kind,
                                       const struct model_place *place, struct error *error),
                  struct error *error)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct model_group group;
        if (!predictor->type->knows(predictor, (enum layer_kind)kind))
            continue;
        TRY(model_group_create(&group, root, layer_descriptors[kind]->name, error));
        const enum status status = write(predictor, (enum layer_kind)kind, &group.place, error);
        model_group_close(&group);
        TRY(status);
    }
    return STATUS_OK;
}

/* Of the kind's group, now or formerly; NULL: there is none. */
static const char *stored_name(const struct model_place *root, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    if (model_group_exists(root, descriptor->name))
        return descriptor->name;
    return descriptor->former_name && model_group_exists(root, descriptor->former_name)
               ? descriptor->former_name
               : NULL;
}

enum status model_kinds_read(const struct model_place *root, struct predictor *predictor,
                             enum status (*read)(struct predictor *predictor, enum layer_kind kind,
                                                 const struct model_place *place,
                                                 struct error *error),
                             struct error *error)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct model_group group;
        const char *name = stored_name(root, (enum layer_kind)kind);
        if (!name)
            continue;
        TRY(model_group_open(&group, root, name, error));
        const enum status status = read(predictor, (enum layer_kind)kind, &group.place, error);
        model_group_close(&group);
        TRY(status);
    }
    return STATUS_OK;
}

static enum status check_format(const struct model_place *root, struct error *error)
{
    char text[64];
    int32_t version;
    TRY(read_text(root, "format", text, sizeof text, error));
    TRY(read_numbers(root, "format_version", H5T_NATIVE_INT32, &version, 1, error));
    if (strcmp(text, MODEL_FORMAT_NAME) != 0)
        return model_bad_value(root, "format", error);
    if (version < MODEL_FORMAT_OLDEST || version > MODEL_FORMAT_VERSION)
        return model_bad_value(root, "format_version", error);
    return STATUS_OK;
}

enum status model_content_read(const struct model_place *root, struct predictor **predictor,
                               char *provenance, size_t provenance_size, struct error *error)
{
    char name[64];
    TRY(check_format(root, error));
    TRY(read_text(root, "predictor", name, sizeof name, error));
    TRY(read_text(root, "provenance", provenance, provenance_size, error));
    const struct predictor_type *type = predictor_find(name);
    if (!type)
        return model_bad_value(root, "predictor", error);
    TRY(type->load(predictor, root, error));
    const enum status status = training_facts_load(*predictor, root, error);
    if (status == STATUS_OK)
        return STATUS_OK;
    training_facts_free((*predictor)->facts);
    type->free(*predictor);
    *predictor = NULL;
    return status;
}
