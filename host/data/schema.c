#include "data/schema.h"

#include "base/hash.h"
#include "data/hdf5_file.h"

#include <string.h>

#define OF_ROW(member)         .name = #member, .offset = offsetof(struct measurement, member)
#define OF_DEVICE(member)      .name = #member, .offset = offsetof(struct device_info, member)
#define OF_CANARY(member)      .name = #member, .offset = offsetof(struct canary, member)
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
    {OF_ROW(cache), .unit = "1", .help = "how a call found its operands: step, hot or cold",
     .type = FIELD_CHOICE, .choice = &choice_cache},
    {OF_ROW(round), .unit = "1", .help = "visit of the config, from 0; of several the last",
     .type = FIELD_INT32},
    {OF_ROW(round_count), .unit = "1", .help = "visits that the row is of", .type = FIELD_INT32,
     .minimum = 1},
    {OF_ROW(spread_percent), .unit = "%",
     .help = "slowest less fastest median of the visits, of the median; NaN: one visit",
     .type = FIELD_DOUBLE},
    {OF_ROW(sample_count), .unit = "1", .help = "samples taken, over all visits",
     .type = FIELD_INT32},
    {OF_ROW(repeats_per_sample), .unit = "1", .help = "calls in one sample", .type = FIELD_INT32},
    {OF_ROW(dropped_count), .unit = "1", .help = "disturbed samples left out", .type = FIELD_INT32},
    {OF_ROW(median_ms), .unit = "ms",
     .help = "one call of the whole pass: median of the fastest visit", .type = FIELD_DOUBLE},
    {OF_ROW(minimum_ms), .unit = "ms", .help = "fastest sample", .type = FIELD_DOUBLE},
    {OF_ROW(maximum_ms), .unit = "ms", .help = "slowest sample", .type = FIELD_DOUBLE},
    {OF_ROW(q25_ms), .unit = "ms", .help = "lower quartile", .type = FIELD_DOUBLE},
    {OF_ROW(q75_ms), .unit = "ms", .help = "upper quartile", .type = FIELD_DOUBLE},
    {OF_ROW(ci_ms), .unit = "ms", .help = "half-width of the 95 % interval of the median",
     .type = FIELD_DOUBLE},
    {OF_ROW(eager_ms), .unit = "ms",
     .help = "one call when the host enqueues call by call; NaN: so were the samples, a cold "
             "cache, or above 1 ms",
     .type = FIELD_DOUBLE},
    {OF_ROW(setup_ms), .unit = "ms", .help = "preparing the layer, not part of the times",
     .type = FIELD_DOUBLE},
    {OF_ROW(warmup_ms), .unit = "ms", .help = "sum of the calls that are no samples",
     .type = FIELD_DOUBLE},
    {OF_ROW(measuring_ms), .unit = "ms",
     .help = "sum of all samples, dropped and eager ones included", .type = FIELD_DOUBLE},
    {OF_ROW(workspace_bytes), .unit = "bytes", .help = "scratch memory", .type = FIELD_INT64},
    {OF_ROW(unix_time_s), .unit = "s", .help = "when it was measured, seconds since 1970 UTC",
     .type = FIELD_DOUBLE},
    {OF_ROW(timing), .unit = "1", .help = "what the samples are of", .type = FIELD_CHOICE,
     .choice = &choice_timing},
    {OF_ROW(sm_clock_mhz), .unit = "MHz", .help = "clock after the samples; NaN unknown",
     .type = FIELD_DOUBLE},
    {OF_ROW(temperature_c), .unit = "degrees Celsius", .help = "after the samples; NaN unknown",
     .type = FIELD_DOUBLE},
    {OF_ROW(clock_events), .unit = "1", .help = "NVML's bit mask of what held the clock back",
     .type = FIELD_INT64},
    {OF_ROW(pressure_percent), .unit = "%",
     .help = "share of the time in which some task waited for a processor; NaN unknown",
     .type = FIELD_DOUBLE},
    {OF_ROW(engine), .unit = "1", .help = "the algorithm's number in its library; -1 none",
     .type = FIELD_INT32, .minimum = -1},
    {OF_ROW(algorithm), .unit = "1", .help = "implementation that the library chose",
     TEXT_OF(measurement, algorithm)},
    {OF_ROW(numerical_notes), .unit = "1", .help = "what the library says of its arithmetic",
     TEXT_OF(measurement, numerical_notes)},
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
    {OF_DEVICE(processor), .unit = "1", .help = "CPU: vendor, family, model, stepping",
     TEXT_OF(device_info, processor), .since = 2},
    {OF_DEVICE(microarchitecture), .unit = "1", .help = "CPU: name of the microarchitecture",
     TEXT_OF(device_info, microarchitecture), .since = 2},
    {OF_DEVICE(l1d_bytes), .unit = "bytes", .help = "CPU: first-level data cache; 0 unknown",
     .type = FIELD_INT64, .since = 2},
    {OF_DEVICE(l2_bytes), .unit = "bytes", .help = "CPU: second-level cache; 0 unknown",
     .type = FIELD_INT64, .since = 2},
    {OF_DEVICE(l3_bytes), .unit = "bytes", .help = "CPU: third-level cache; 0 unknown",
     .type = FIELD_INT64, .since = 2},
    {OF_DEVICE(socket_count), .unit = "1", .help = "CPU: sockets of the machine; 0 unknown",
     .type = FIELD_INT32, .since = 2},
    {OF_DEVICE(machine_core_count), .unit = "1", .help = "CPU: cores of the machine; 0 unknown",
     .type = FIELD_INT32, .since = 2},
    {OF_DEVICE(cache), .unit = "1", .help = "of its rows: how a call found its operands",
     .type = FIELD_CHOICE, .choice = &choice_cache, .since = 3},
    {OF_DEVICE(instance), .unit = "1",
     .help = "above 1: number among the devices of one name, which ends with it",
     .type = FIELD_INT32, .since = 2},
    {OF_DEVICE(source), .unit = "1", .help = "imported rows: the collection that they come from",
     TEXT_OF(device_info, source), .since = 2},
};
const int device_field_count = sizeof device_fields / sizeof *device_fields;

const struct field canary_fields[] = {
    {OF_CANARY(unix_time_s), .unit = "s", .help = "when it was measured, seconds since 1970 UTC",
     .type = FIELD_DOUBLE},
    {OF_CANARY(device), .unit = "1", .help = "row of /devices/rows", .type = FIELD_INT32},
    {OF_CANARY(gemm_ms), .unit = "ms", .help = "dense layer of 512 x 512, batch 128, forward",
     .type = FIELD_DOUBLE},
    {OF_CANARY(copy_ms), .unit = "ms", .help = "1 x 1 pooling of 4 MiB, forward",
     .type = FIELD_DOUBLE},
    {OF_CANARY(pressure_percent), .unit = "%",
     .help = "share of the time in which some task waited for a processor; NaN unknown",
     .type = FIELD_DOUBLE},
};
const int canary_field_count = sizeof canary_fields / sizeof *canary_fields;

static struct field field_of_feature(const struct feature *feature)
{
    return (struct field){.name = feature->name,
                          .unit = feature->unit == UNIT_NONE ? "1" : unit_name(feature->unit),
                          .help = feature->help,
                          .type = feature->choice ? FIELD_CHOICE : FIELD_INT32,
                          .offset = offsetof(struct measurement, config) + feature->offset,
                          .choice = feature->choice,
                          .since = feature->since,
                          .missing = feature->missing};
}

int schema_row_fields(struct field fields[SCHEMA_FIELD_LIMIT], enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    int count = 0;
    for (int i = 0; i < descriptor->feature_count; i++)
        fields[count++] = field_of_feature(&descriptor->features[i]);
    for (int i = 0; i < measurement_field_count; i++)
        fields[count++] = measurement_fields[i];
    return count;
}

static hid_t choice_type(const struct choice *choice)
{
    const hid_t type = H5Tenum_create(H5T_NATIVE_INT32);
    bool is_whole = type >= 0;
    for (int32_t value = 0; value < choice->count && is_whole; value++)
        is_whole = H5Tenum_insert(type, choice->names[value], &value) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

hid_t schema_field_type(const struct field *field)
{
    switch (field->type) {
    case FIELD_INT32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case FIELD_INT64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case FIELD_DOUBLE:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case FIELD_TEXT:
        return hdf5_file_text_type(field->size, H5T_CSET_ASCII);
    case FIELD_CHOICE:
        return choice_type(field->choice);
    }
    return H5I_INVALID_HID;
}

static struct schema_columns columns_of(const struct field *fields, int count, size_t record_size)
{
    struct schema_columns columns = {.count = count, .record_size = record_size};
    memcpy(columns.fields, fields, (size_t)count * sizeof *fields);
    return columns;
}

struct schema_columns schema_row_columns(enum layer_kind kind)
{
    struct schema_columns columns = {.record_size = sizeof(struct measurement)};
    columns.count = schema_row_fields(columns.fields, kind);
    return columns;
}

struct schema_columns schema_device_columns(void)
{
    return columns_of(device_fields, device_field_count, sizeof(struct device_info));
}

struct schema_columns schema_canary_columns(void)
{
    return columns_of(canary_fields, canary_field_count, sizeof(struct canary));
}

hid_t schema_columns_type(const struct schema_columns *columns, bool packed)
{
    const hid_t compound = H5Tcreate(H5T_COMPOUND, columns->record_size);
    bool is_ok = compound >= 0;
    for (int i = 0; i < columns->count && is_ok; i++) {
        const struct field *field = &columns->fields[i];
        const hid_t member = schema_field_type(field);
        is_ok = member >= 0 && H5Tinsert(compound, field->name, field->offset, member) >= 0;
        if (member >= 0)
            H5Tclose(member);
    }
    return hdf5_file_whole_type(compound, is_ok && (!packed || H5Tpack(compound) >= 0));
}

hid_t schema_row_type(enum layer_kind kind, bool packed)
{
    const struct schema_columns columns = schema_row_columns(kind);
    return schema_columns_type(&columns, packed);
}

hid_t schema_device_type(bool packed)
{
    const struct schema_columns columns = schema_device_columns();
    return schema_columns_type(&columns, packed);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_columns(uint64_t hash, const struct schema_columns *columns)
{
    for (int i = 0; i < columns->count; i++) {
        const struct field *field = &columns->fields[i];
        const unsigned char type[] = {(unsigned char)field->type, (unsigned char)field->size};
        hash = hash_text(hash_text(hash, field->name), field->unit);
        hash = hash_bytes(hash, type, sizeof type);
        hash = hash_text(hash, field->choice ? field->choice->name : "");
    }
    return hash;
}

uint64_t schema_hash_of(const char *kind_name, const struct schema_columns *rows,
                        const struct schema_columns *devices)
{
    const uint64_t hash = hash_text(HASH_SEED, kind_name);
    return hash_columns(hash_columns(hash, rows), devices);
}

uint64_t schema_hash(enum layer_kind kind)
{
    const struct schema_columns rows = schema_row_columns(kind), devices = schema_device_columns();
    return schema_hash_of(layer_descriptors[kind]->name, &rows, &devices);
}

const char *schema_kind_name(hid_t file, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    const bool has_former = descriptor->former_name &&
                            H5Lexists(file, descriptor->name, H5P_DEFAULT) == 0 &&
                            H5Lexists(file, descriptor->former_name, H5P_DEFAULT) > 0;
    return has_former ? descriptor->former_name : descriptor->name;
}
