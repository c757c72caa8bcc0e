#include "data/schema.h"
#include "test.h"

#include <string.h>

/* Bytes of a struct that a table accounts for; no byte twice. */
static size_t bytes_covered(unsigned char *covered, const struct field *fields, int count)
{
    static const size_t sizes[] = {
        [FIELD_INT32] = 4, [FIELD_INT64] = 8, [FIELD_DOUBLE] = 8, [FIELD_CHOICE] = 4};
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        const size_t size = fields[i].type == FIELD_TEXT ? fields[i].size : sizes[fields[i].type];
        for (size_t byte = 0; byte < size; byte++)
            assert_int_equal(covered[fields[i].offset + byte]++, 0);
        total += size;
    }
    return total;
}

/* A member that is added to a struct without a row in the table would be lost in every file. */
static void tables_cover_their_structs(void **state)
{
    (void)state;
    unsigned char row[sizeof(struct measurement)] = {0}, device[sizeof(struct device_info)] = {0};
    const size_t own_bytes = sizeof row - offsetof(struct measurement, outcome);
    assert_in_range(bytes_covered(row, measurement_fields, measurement_field_count), own_bytes - 7,
                    own_bytes); /* but for padding */
    assert_in_range(bytes_covered(device, device_fields, device_field_count), sizeof device - 7,
                    sizeof device);
}

static void every_column_says_unit_and_help(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct field fields[SCHEMA_FIELD_LIMIT];
        const int count = schema_row_fields(fields, (enum layer_kind)kind);
        assert_int_equal(count, layer_descriptors[kind]->feature_count + measurement_field_count);
        for (int i = 0; i < count; i++) {
            assert_true(*fields[i].name && *fields[i].unit && *fields[i].help);
            for (int j = 0; j < i; j++)
                assert_string_not_equal(fields[i].name, fields[j].name);
        }
    }
}

static void check_member(hid_t type, const char *name, H5T_class_t class, size_t offset)
{
    const int index = H5Tget_member_index(type, name);
    assert_true(index >= 0);
    assert_int_equal(H5Tget_member_class(type, (unsigned)index), class);
    assert_int_equal(H5Tget_member_offset(type, (unsigned)index), offset);
}

static void memory_type_is_the_struct(void **state)
{
    (void)state;
    const hid_t type = schema_row_type(LAYER_CONV2D, false);
    assert_int_equal(H5Tget_size(type), sizeof(struct measurement));
    check_member(type, "batch_size", H5T_INTEGER, offsetof(struct layer_config, batch_size));
    check_member(type, "activation", H5T_ENUM, offsetof(struct layer_config, as.conv2d.activation));
    check_member(type, "median_ms", H5T_FLOAT, offsetof(struct measurement, median_ms));
    check_member(type, "algorithm", H5T_STRING, offsetof(struct measurement, algorithm));
    H5Tclose(type);
}

static void file_types_have_no_gaps(void **state)
{
    (void)state;
    const hid_t types[] = {schema_row_type(LAYER_DENSE, true), schema_device_type(true)};
    for (size_t i = 0; i < 2; i++) {
        size_t sum = 0;
        for (int j = 0; j < H5Tget_nmembers(types[i]); j++) {
            const hid_t member = H5Tget_member_type(types[i], (unsigned)j);
            sum += H5Tget_size(member);
            H5Tclose(member);
        }
        assert_int_equal(H5Tget_size(types[i]), sum);
        H5Tclose(types[i]);
    }
}

static void choices_are_stored_by_name(void **state)
{
    (void)state;
    const hid_t type = schema_row_type(LAYER_DENSE, true);
    const int index = H5Tget_member_index(type, "optimizer");
    const hid_t member = H5Tget_member_type(type, (unsigned)index);
    int32_t value = -1;
    assert_int_equal(H5Tget_nmembers(member), OPTIMIZER_COUNT);
    assert_true(H5Tenum_valueof(member, "adam", &value) >= 0);
    assert_int_equal(value, OPTIMIZER_ADAM);
    H5Tclose(member);
    H5Tclose(type);
}

static void hash_tells_kinds_apart(void **state)
{
    (void)state;
    assert_true(schema_hash(LAYER_DENSE) != schema_hash(LAYER_CONV2D));
    assert_true(schema_hash(LAYER_CONV2D) != schema_hash(LAYER_POOL2D));
    assert_true(schema_hash(LAYER_DENSE) == schema_hash(LAYER_DENSE));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_cover_their_structs),
        cmocka_unit_test(every_column_says_unit_and_help),
        cmocka_unit_test(memory_type_is_the_struct),
        cmocka_unit_test(file_types_have_no_gaps),
        cmocka_unit_test(choices_are_stored_by_name),
        cmocka_unit_test(hash_tells_kinds_apart),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
