/* The `nearest` predictor in a model file. */
#include "predictors/predictor_nearest.h"

#include "data/hdf5_file.h"
#include "predictors/model_members.h"

#include <stdio.h>
#include <string.h>

static const char features_name[] = "features";

/* A point as the file has it: numbers, then choices. */
static hid_t point_type(void)
{
    const hsize_t numbers = DIMENSION_LIMIT, choices = FEATURE_LIMIT;
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct point));
    const hid_t number_array = H5Tarray_create2(H5T_NATIVE_FLOAT, 1, &numbers);
    const hid_t choice_array = H5Tarray_create2(H5T_NATIVE_UINT8, 1, &choices);
    const bool is_whole = type >= 0 && number_array >= 0 && choice_array >= 0 &&
                          H5Tinsert(type, "numbers", offsetof(struct point, numbers),
                                    number_array) >= 0 &&
                          H5Tinsert(type, "choices", offsetof(struct point, choices),
                                    choice_array) >= 0;
    H5Tclose(number_array);
    H5Tclose(choice_array);
    return hdf5_file_whole_type(type, is_whole);
}

/* A feature's name, in the order of the points' numbers and choices. */
struct feature_name {
    char text[48];
};

static hid_t feature_name_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct feature_name));
    return hdf5_file_whole_type(
        type, type >= 0 && model_insert_text(type, "name", 0, sizeof(struct feature_name)));
}

static enum status save_names(enum layer_kind kind, const struct model_place *place,
                              struct error *error)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    struct feature_name names[FEATURE_LIMIT] = {0};
    for (int i = 0; i < descriptor->feature_count; i++)
        snprintf(names[i].text, sizeof names[i].text, "%s", descriptor->features[i].name);
    const hid_t type = feature_name_type();
    const enum status status = write_array(place, features_name, type, type, names, 0,
                                           (size_t)descriptor->feature_count, error);
    H5Tclose(type);
    return status;
}

enum status nearest_save(const void *state, enum layer_kind kind, const struct model_place *place,
                         struct error *error)
{
    const struct nearest_state *nearest = state;
    TRY(save_names(kind, place, error));
    const hid_t type = point_type();
    const enum status status = write_array(place, "points", type, type, nearest->points, 0,
                                           nearest->count, error);
    H5Tclose(type);
    TRY(status);
    return write_array(place, "log_ms", H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, nearest->log_ms, 0,
                       nearest->count, error);
}

/* The kind's features that a file's points are made of, in the file's order. */
struct stored_features {
    int count, index[FEATURE_LIMIT];
};

/* Older files have no names: they have all features of the first schema. */
static void first_features(struct stored_features *stored, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++)
        if (descriptor->features[i].since <= 1)
            stored->index[stored->count++] = i;
}

static enum status load_names(struct stored_features *stored, enum layer_kind kind,
                              const struct model_place *place, struct error *error)
{
    struct feature_name names[FEATURE_LIMIT];
    size_t count;
    TRY(read_array_count(place, features_name, &count, FEATURE_LIMIT, error));
    const hid_t type = feature_name_type();
    const enum status status = read_array(place, features_name, type, names, 0, count, error);
    H5Tclose(type);
    TRY(status);
    for (size_t i = 0; i < count; i++) {
        names[i].text[sizeof names[i].text - 1] = '\0';
        const struct feature *feature = layer_feature_find(kind, names[i].text);
        if (!feature)
            return model_unknown_name(place, "feature", names[i].text, features_name, error);
        stored->index[stored->count++] = (int)(feature - layer_descriptors[kind]->features);
    }
    return STATUS_OK;
}

static enum status find_features(struct stored_features *stored, enum layer_kind kind,
                                 const struct model_place *place, struct error *error)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    uint32_t present = 0;
    if (H5Lexists(place->id, features_name, H5P_DEFAULT) != 0)
        TRY(load_names(stored, kind, place, error));
    else
        first_features(stored, kind);
    for (int i = 0; i < stored->count; i++)
        present |= UINT32_C(1) << stored->index[i];
    for (int i = 0; i < descriptor->feature_count; i++)
        if (descriptor->features[i].since <= 1 && (present >> i & 1) == 0)
            return model_bad_value(place, features_name, error);
    return STATUS_OK;
}

static bool has_finite_points(const struct nearest_state *nearest)
{
    for (size_t row = 0; row < nearest->count; row++)
        for (int i = 0; i < nearest->number_count; i++)
            if (!isfinite(nearest->points[row].numbers[i]))
                return false;
    return true;
}

/* Numbers and choices of a point, as the file has them and as point_of has them. */
struct point_map {
    int number_count, choice_count; /* of the file */
    int numbers[DIMENSION_LIMIT], choices[FEATURE_LIMIT];
    struct point missing; /* a point of today whose features are all at `missing`; unscaled */
    int today_number_count, today_choice_count;
};

static void map_create(struct point_map *map, const struct stored_features *stored,
                       enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    *map = (struct point_map){0};
    for (int i = 0; i < stored->count; i++) {
        const int place = nearest_place(descriptor, stored->index[i]);
        if (descriptor->features[stored->index[i]].choice)
            map->choices[map->choice_count++] = place;
        else
            map->numbers[map->number_count++] = place;
    }
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        if (feature->choice)
            map->missing.choices[map->today_choice_count++] = (uint8_t)feature->missing;
        else
            map->missing.numbers[map->today_number_count++] = nearest_log(feature->missing);
    }
    for (int i = 0; i < DIMENSION_LIMIT - FEATURE_LIMIT; i++) /* FLOPs and bytes */
        map->numbers[map->number_count++] = map->today_number_count++;
}

/* Numbers that the file lacks are alike in all rows: their deviation is that of learn_scales. */
static void map_points(struct nearest_state *nearest, const struct point_map *map)
{
    double deviations[DIMENSION_LIMIT] = {0};
    for (int i = 0; i < map->today_number_count; i++)
        deviations[i] = 1;
    for (int i = 0; i < map->number_count; i++)
        deviations[map->numbers[i]] = nearest->inverse_deviations[i];
    for (size_t row = 0; row < nearest->count; row++) {
        struct point point = map->missing;
        for (int i = 0; i < map->number_count; i++)
            point.numbers[map->numbers[i]] = nearest->points[row].numbers[i];
        for (int i = 0; i < map->choice_count; i++)
            point.choices[map->choices[i]] = nearest->points[row].choices[i];
        nearest->points[row] = point;
    }
    memcpy(nearest->inverse_deviations, deviations, sizeof deviations);
    nearest->number_count = map->today_number_count;
    nearest->choice_count = map->today_choice_count;
}

enum status nearest_load(void *state, enum layer_kind kind, const struct model_place *place,
                         struct error *error)
{
    struct nearest_state *nearest = state;
    struct stored_features stored = {0};
    struct point_map map;
    TRY(find_features(&stored, kind, place, error));
    map_create(&map, &stored, kind);
    if (nearest->number_count != map.number_count || nearest->choice_count != map.choice_count)
        return model_bad_value(place, "numbers", error);
    TRY(read_array_count(place, "log_ms", &nearest->count, ROW_LIMIT, error));
    TRY(ALLOCATE(&nearest->points, nearest->count, "neighbours", error));
    TRY(ALLOCATE(&nearest->log_ms, nearest->count, "neighbours", error));
    const hid_t type = point_type();
    const enum status status = read_array(place, "points", type, nearest->points, 0, nearest->count,
                                          error);
    H5Tclose(type);
    TRY(status);
    if (!has_finite_points(nearest))
        return model_bad_value(place, "points", error);
    map_points(nearest, &map);
    nearest_find_lacking(nearest, kind);
    return model_floats_read(place, "log_ms", nearest->log_ms, 0, nearest->count, error);
}
