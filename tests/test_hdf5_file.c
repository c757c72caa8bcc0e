/* HDF5 types that cannot be made, and appending that fails. tests/failures fails every call. */
#include "test.h"

#include "data/dataset_internal.h"
#include "data/hdf5_file.h"

#include <stdlib.h>
#include <unistd.h>

static void type_of_failed_steps_is_none(void **state)
{
    (void)state;
    hdf5_file_quiet();
    const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
    assert_true(type >= 0);
    assert_int_equal(hdf5_file_whole_type(type, true), type);
    assert_true(hdf5_file_whole_type(type, false) < 0);
    assert_true(H5Iis_valid(type) <= 0);
    assert_true(hdf5_file_whole_type(H5I_INVALID_HID, true) < 0);
    assert_true(hdf5_file_text_type(0, H5T_CSET_ASCII) < 0); /* HDF5 has no texts of 0 bytes */
    const hid_t text = hdf5_file_text_type(12, H5T_CSET_UTF8);
    assert_int_equal(H5Tget_size(text), 12);
    H5Tclose(text);
}

static void columns_that_do_not_fit_have_no_type(void **state)
{
    (void)state;
    hdf5_file_quiet();
    struct schema_columns columns = schema_device_columns();
    const hid_t type = schema_columns_type(&columns, false);
    assert_true(type >= 0);
    H5Tclose(type);
    columns.fields[columns.count - 1].offset = columns.record_size; /* behind the record */
    assert_true(schema_columns_type(&columns, false) < 0);
    columns = schema_device_columns();
    columns.fields[0].size = 0; /* a text */
    assert_true(schema_columns_type(&columns, true) < 0);
}

static hsize_t stored_rows(const struct rows_table *table)
{
    const hid_t space = H5Dget_space(table->dataset);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    return (hsize_t)count;
}

static void failed_append_leaves_no_rows_of_zeros(void **state)
{
    (void)state;
    static const bool no_kind[LAYER_KIND_COUNT];
    static const struct device_info devices[2] = {{.name = "one"}, {.name = "two"}};
    struct dataset_header header = {.seed = 1};
    struct dataset_tables tables;
    char path[] = "/tmp/test_hdf5_file-XXXXXX";
    close(mkstemp(path));
    assert_true(dataset_tables_create(&tables, path, &header, false, no_kind));
    assert_true(rows_table_append(&tables.devices, 1, devices));
    const hid_t good = tables.devices.memory_type;
    tables.devices.memory_type = H5I_INVALID_HID;
    assert_false(rows_table_append(&tables.devices, 2, devices));
    assert_int_equal(stored_rows(&tables.devices), 1);
    tables.devices.memory_type = good;
    assert_true(rows_table_append(&tables.devices, 2, devices));
    assert_int_equal(stored_rows(&tables.devices), 3);
    assert_true(dataset_tables_close(&tables));
    unlink(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_of_failed_steps_is_none),
        cmocka_unit_test(columns_that_do_not_fit_have_no_type),
        cmocka_unit_test(failed_append_leaves_no_rows_of_zeros),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
