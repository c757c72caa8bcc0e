#include "data/schema.h"

#include "base/hash.h"

#include <string.h>

#define OF_ROW(member)         .name = #member, .offset = offsetof(struct measurement, member)
#define OF_DEVICE(member)      .name = #member, .offset = offsetof(struct device_info, member)
#define TEXT_OF(owner, member) .type = FIELD_TEXT, .size = sizeof((struct owner *)0)->member

const struct field measurement_fields[] = {
    {OF_ROW(draw), .unit = "1", .help = "index of the draw, or line of the import",
     .type = FIELD_INT64},
    {OF_ROW(device), .unit = "1", .help = "row of /devices/rows", .type = FIELD_INT32},
    {OF_ROW(stratum), .unit = "1", .help = "part of the sampling mixture", .type = FIELD_CHOICE,
     .choice = &choice_stratum},
    {OF_ROW(outcome), .unit = "1",
     .help = "what became of the config; ok, capped and slow have times", .type = FIELD_CHOICE,
     .choice = &choice_outcome},
    {OF_ROW(sample_count), .unit = "1", .help = "samples that the median is of",
     .type = FIELD_INT32},
    {OF_ROW(repeats_per_sample), .unit = "1", .help = "calls in one sample", .type = FIELD_INT32},
    {OF_ROW(dropped_count), .unit = "1", .help = "disturbed samples left out", .type = FIELD_INT32},
    {OF_ROW(median_ms), .unit = "ms", .help = "median time of one call of the whole pass",
     .type = FIELD_DOUBLE},
    {OF_ROW(minimum_ms), .unit = "ms", .help = "fastest sample", .type = FIELD_DOUBLE},
    {OF_ROW(maximum_ms), .unit = "ms", .help = "slowest sample", .type = FIELD_DOUBLE},
    {OF_ROW(q25_ms), .unit = "ms", .help = "lower quartile", .type = FIELD_DOUBLE},
    {OF_ROW(q75_ms), .unit = "ms", .help = "upper quartile", .type = FIELD_DOUBLE},
    {OF_ROW(ci_ms), .unit = "ms", .help = "half-width of the 95 % interval of the median",
     .type = FIELD_DOUBLE},
    {OF_ROW(setup_ms), .unit = "ms", .help = "preparing the layer, not part of the times",
     .type = FIELD_DOUBLE},
    {OF_ROW(warmup_ms), .unit = "ms", .help = "warm-up", .type = FIELD_DOUBLE},
    {OF_ROW(measuring_ms), .unit = "ms", .help = "wall time of all samples", .type = FIELD_DOUBLE},
    {OF_ROW(workspace_bytes), .unit = "bytes", .help = "scratch memory", .type = FIELD_INT64},
    {OF_ROW(unix_time_s), .unit = "s", .help = "when it was measured", .type = FIELD_DOUBLE},
    {OF_ROW(algorithm), .unit = "1", .help = "implementation that the library chose",
     TEXT_OF(measurement, algorithm)},
};
const int measurement_field_count = sizeof measurement_fields / sizeof *measurement_fields;

const struct field device_fields[] = {
    {OF_DEVICE(name), .unit = "1", .help = "as the device names itself",
     TEXT_OF(device_info, name)},
    {OF_DEVICE(backend), .unit = "1", .help = "cpu, cuda, fake or import",
     TEXT_OF(device_info, backend)},
    {OF_DEVICE(technology), .unit = "1", .help = "architecture", TEXT_OF(device_info, technology)},
    {OF_DEVICE(connectivity), .unit = "1", .help = "link to the host",
     TEXT_OF(device_info, connectivity)},
    {OF_DEVICE(library), .unit = "1", .help = "library that did the work",
     TEXT_OF(device_info, library)},
    {OF_DEVICE(device_count), .unit = "1", .help = "devices used together", .type = FIELD_INT32},
    {OF_DEVICE(thread_count), .unit = "1", .help = "host threads that measured",
     .type = FIELD_INT32},
    {OF_DEVICE(memory_bytes), .unit = "bytes", .help = "memory", .type = FIELD_INT64},
    {OF_DEVICE(cache_bytes), .unit = "bytes", .help = "last-level cache; 0 unknown",
     .type = FIELD_INT64},
    {OF_DEVICE(clock_mhz), .unit = "MHz", .help = "nominal clock", .type = FIELD_DOUBLE},
    {OF_DEVICE(bandwidth_gbps), .unit = "GB/s", .help = "nominal memory bandwidth",
     .type = FIELD_DOUBLE},
    {OF_DEVICE(core_count), .unit = "1", .help = "cores", .type = FIELD_DOUBLE},
    {OF_DEVICE(peak_gflops), .unit = "GFLOP/s", .help = "nominal fp32 peak", .type = FIELD_DOUBLE},
    {OF_DEVICE(measured_copy_gbps), .unit = "GB/s", .help = "measured copy, reads plus writes",
     .type = FIELD_DOUBLE},
    {OF_DEVICE(measured_sgemm_gflops), .unit = "GFLOP/s", .help = "measured matrix product",
     .type = FIELD_DOUBLE},
    {OF_DEVICE(measured_call_latency_us), .unit = "us", .help = "measured empty library call",
     .type = FIELD_DOUBLE},
};
const int device_field_count = sizeof device_fields / sizeof *device_fields;

static hid_t enum_type(const struct choice *choice)
{
    hid_t type = H5Tenum_create(H5T_NATIVE_INT32);
    for (int32_t value = 0; value < choice->count; value++)
        H5Tenum_insert(type, choice->names[value], &value);
    return type;
}

static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    return type;
}

static hid_t field_type_of(const struct field *field)
{
    switch (field->type) {
    case FIELD_INT32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case FIELD_INT64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case FIELD_DOUBLE:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case FIELD_TEXT:
        return text_type(field->size);
    case FIELD_CHOICE:
        return enum_type(field->choice);
    }
    return H5I_INVALID_HID;
}

static void insert_member(hid_t compound, const char *name, size_t offset, hid_t member)
{
    H5Tinsert(compound, name, offset, member);
    H5Tclose(member);
}

static void insert_fields(hid_t compound, const struct field *fields, int count)
{
    for (int i = 0; i < count; i++)
        insert_member(compound, fields[i].name, fields[i].offset, field_type_of(&fields[i]));
}

static hid_t finished(hid_t compound, bool packed)
{
    if (packed && H5Tpack(compound) < 0) {
        H5Tclose(compound);
        return H5I_INVALID_HID;
    }
    return compound;
}

hid_t schema_row_type(enum layer_kind kind, bool packed)
{
    hid_t compound = H5Tcreate(H5T_COMPOUND, sizeof(struct measurement));
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        hid_t member = feature->choice ? enum_type(feature->choice) : H5Tcopy(H5T_NATIVE_INT32);
        insert_member(compound, feature->name,
                      offsetof(struct measurement, config) + feature->offset, member);
    }
    insert_fields(compound, measurement_fields, measurement_field_count);
    return finished(compound, packed);
}

hid_t schema_device_type(bool packed)
{
    hid_t compound = H5Tcreate(H5T_COMPOUND, sizeof(struct device_info));
    insert_fields(compound, device_fields, device_field_count);
    return finished(compound, packed);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_choice(uint64_t hash, const struct choice *choice)
{
    for (int i = 0; choice && i < choice->count; i++)
        hash = hash_text(hash, choice->names[i]);
    return hash;
}

static uint64_t hash_fields(uint64_t hash, const struct field *fields, int count)
{
    for (int i = 0; i < count; i++) {
        hash = hash_text(hash_text(hash, fields[i].name), fields[i].unit);
        hash = hash_bytes(hash, &(unsigned char){(unsigned char)fields[i].type}, 1);
        hash = hash_choice(hash, fields[i].choice);
    }
    return hash;
}

uint64_t schema_hash(enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    uint64_t hash = hash_text(HASH_SEED, descriptor->name);
    for (int i = 0; i < descriptor->feature_count; i++) {
        hash = hash_text(hash, descriptor->features[i].name);
        hash = hash_choice(hash, descriptor->features[i].choice);
    }
    hash = hash_fields(hash, measurement_fields, measurement_field_count);
    return hash_fields(hash, device_fields, device_field_count);
}
