/* Import of the CSV that other programs write: separators, marks, decimal commas, spellings of the
 * header, licences; and of files that are no CSV. Each variant of one table gives the same rows. */
#include "data/import_internal.h"
#include "data/row_columns.h"
#include "data/row_sources.h"
#include "dataset_files.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static struct folder folder;
static struct error error;
static char licence[64]; /* of the rows imported last */
static struct import_left_out left_out;

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static enum status import_bytes(const char *bytes, size_t size, const struct import_map *map)
{
    struct dataset *dataset;
    struct importer *importer;
    int64_t rows;
    const struct file_name csv = in_folder(&folder, "t.csv"), to = in_folder(&folder, "t.h5");
    const struct dataset_header header = {.seed = 0};
    const struct import_options options = {.device_name = "V100", .map = map};
    write_bytes(csv.text, bytes, size);
    SUCCEEDS(dataset_create(&dataset, to.text, &header, true, false, &error));
    SUCCEEDS(importer_create(&importer, dataset, &options, &error));
    enum status status = importer_read(importer, csv.text, &rows, &error);
    left_out = *importer_left_out(importer);
    snprintf(licence, sizeof licence, "%s", importer_licence(importer));
    dataset_set_licence(dataset, licence);
    if (status == STATUS_OK)
        status = dataset_finish(dataset, &error);
    importer_free(importer);
    dataset_close(dataset);
    return status;
}

static enum status import_text(const char *text)
{
    return import_bytes(text, strlen(text), NULL);
}

/* ---- variants of one table ---- */

#define OURS "layer,batch_size,inputs,outputs,use_bias,median_ms\n"
#define ROWS "dense,32,1024,10,yes,0.25\ndense,1,7,5,no,1.5e-3\n"

static void check_two_rows(const char *text)
{
    struct dataset_rows rows;
    const struct file_name from = in_folder(&folder, "t.h5");
    const char *const path = from.text;
    if (import_text(text) != STATUS_OK)
        fail_msg("'%s': %s (%s)", text, error.message, error.hint);
    SUCCEEDS(dataset_read(&rows, &path, 1, &error));
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].config.batch_size, 32);
    assert_int_equal(rows.rows[0].config.as.dense.inputs, 1024);
    assert_int_equal(rows.rows[0].config.as.dense.outputs, 10);
    assert_int_equal(rows.rows[0].config.as.dense.use_bias, SWITCH_YES);
    assert_true(rows.rows[0].median_ms == 0.25);
    assert_int_equal(rows.rows[1].config.as.dense.use_bias, SWITCH_NO);
    assert_true(rows.rows[1].median_ms == 1.5e-3);
    dataset_rows_free(&rows);
}

static void every_variant_gives_the_same_rows(void **state)
{
    (void)state;
    static const char *const variants[] = {
        OURS ROWS,
        "\xEF\xBB\xBF" OURS ROWS,
        "layer;batch_size;inputs;outputs;use_bias;median_ms\r\n"
        "dense;32;1024;10;yes;0.25\r\ndense;1;7;5;no;1.5e-3\r\n",
        "\xEF\xBB\xBFlayer;batch_size;inputs;outputs;use_bias;median_ms\r\n"
        "dense;32;1024;10;yes;0,25\r\ndense;1;7;5;no;1,5E-03\r\n",
        "layer;batch_size;inputs;outputs;use_bias;median_ms\n"
        "dense;32;1024;10;yes;\"0,25\"\ndense;1;7;5;no;\"0,0015\"\n",
        "layer\tbatch_size\tinputs\toutputs\tuse_bias\tmedian_ms\n"
        "dense\t32\t1024\t10\tyes\t,25\ndense\t1\t7\t5\tno\t0,0015\n",
        "layer|batch_size|inputs|outputs|use_bias|median_ms\n"
        "dense|32|1024|10|yes|.25\ndense|1|7|5|no|0.0015\n",
        "sep=;\r\nlayer;batch_size;inputs;outputs;use_bias;median_ms\r\n"
        "dense;32;1024;10;yes;0,25\r\ndense;1;7;5;no;0,0015\r\n",
        "# a remark; with; semicolons\n\n" OURS ROWS,
        "layer, batch_size, inputs, outputs, use_bias, median_ms\n"
        "dense, 32, 1024, 10, yes, 0.25 \ndense , 1, 7, 5, \"no\" , 1.5e-3\n",
        "Layer,Batch Size,INPUTS,Outputs,use-bias,Median_ms\n" ROWS,
        "\"layer\";\"batch_size\";\"inputs\";\"outputs\";\"use_bias\";\"median_ms\"\n"
        "\"dense\";\"32\";\"1024\";\"10\";\"yes\";\"0.25\"\n"
        "\"dense\";\"1\";\"7\";\"5\";\"no\";\"1.5e-3\"\n",
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        check_two_rows(variants[i]);
}

static void marks_are_not_guessed(void **state)
{
    (void)state;
    static const char header[] = "layer;batch_size;inputs;outputs;median_ms\n";
    char text[300];
    // both in one file: one of the two would be thousands
    snprintf(text, sizeof text, "%sdense;1;2;3;1,234\ndense;1;2;4;0.5\n", header);
    FAILS(STATUS_BAD_FILE, ":2: column 'median_ms': '1,234' is not a finite number",
          import_text(text));
    snprintf(text, sizeof text, "%sdense;1;2;3;1.234,5\n", header);
    FAILS(STATUS_BAD_FILE, ":2: column 'median_ms'", import_text(text));
    snprintf(text, sizeof text, "%sdense;1;2;1,024;0,5\n", header);
    FAILS(STATUS_BAD_FILE, ":2: column 'outputs': '1.024' is not a whole number",
          import_text(text));
}

/* ---- headers ---- */

static void a_missing_header_is_told(void **state)
{
    (void)state;
    FAILS(STATUS_BAD_FILE, "t.csv:1: no header: '32' is no name of a column", import_text(ROWS));
    assert_non_null(strstr(error.hint, "layer"));
    FAILS(STATUS_BAD_FILE, "t.csv:1: no header: '32'", import_text("dense;32;1024;10;yes;0,25\n"));
}

static void missing_columns_are_named_with_the_nearest(void **state)
{
    (void)state;
    FAILS(STATUS_BAD_FILE, "columns 'layer', 'median_ms' are missing",
          import_text("gpu;time;size\nV100;2;3\n"));
    assert_non_null(strstr(error.hint, "the file has 'gpu', 'time', 'size'"));
    assert_non_null(strstr(error.hint, "--map FILE"));
    FAILS(STATUS_BAD_FILE, "column 'layer' is missing",
          import_text("layers,batch_size,inputs,outputs,median_ms\ndense,1,2,3,4\n"));
    assert_non_null(strstr(error.hint, "is it the file's 'layers'?"));
    FAILS(STATUS_BAD_FILE, "column 'median_ms' is missing",
          import_text("layer,batch_size,inputs,outputs,median\ndense,1,2,3,4\n"));
    assert_non_null(strstr(error.hint, "is it the file's 'median'?"));
    FAILS(STATUS_BAD_FILE, "columns 'inputs', 'outputs' are missing",
          import_text("layer,batch_size,median_ms\ndense,1,4\n"));
    FAILS(
        STATUS_BAD_FILE, "a dataset has no column 'activatoin'",
        import_text("layer,batch_size,inputs,outputs,median_ms,activatoin\ndense,1,2,3,4,relu\n"));
    assert_non_null(strstr(error.hint, "did you mean 'activation'?"));
    // the published format, by most of its names
    FAILS(STATUS_BAD_FILE, "columns 'time_max_ms', 'time_std_ms' are missing",
          import_text("batch_size,dim_input,dim_output,activation,optimizer,time_median_ms,"
                      "time_min_ms\n1,2,3,relu,none,1,1\n"));
}

/* ---- files that are no CSV ---- */

#define BYTES(text) text, sizeof text - 1

static void other_files_are_told_by_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *told;
    } files[] = {
        {BYTES("\211HDF\r\n\032\nrest"), "is an HDF5 file, not CSV"},
        {BYTES("epochcast model\0rest"), "is a model, not CSV"},
        {BYTES("PK\3\4..........................[Content_Types].xml"), "is an Excel workbook"},
        {BYTES("PK\3\4..........................model.csv"), "is a ZIP archive"},
        {BYTES("\037\213\10\0rest"), "is a gzip archive"},
        {BYTES("BZh91AY"), "is a bzip2 archive"},
        {BYTES("\3757zXZ\0"), "is an xz archive"},
        {BYTES("\050\265\057\375rest"), "is a Zstandard archive"},
        {BYTES("PAR1rest"), "is a Parquet file"},
        {BYTES("\223NUMPY\1"), "is a NumPy array"},
        {BYTES("SQLite format 3\0"), "is an SQLite database"},
        {BYTES("\10\10\022\7pytorch"), "is an ONNX model"},
        {BYTES("{\"rows\": []}"), "is JSON"},
        {BYTES("\n [1, 2]"), "is JSON"},
        {BYTES("<html>"), "is XML or HTML"},
        {BYTES("\377\376l\0a\0"), "is text in UTF-16"},
        {BYTES("\376\377\0l\0a"), "is text in UTF-16"},
        {BYTES("l\0a\0y\0e\0r\0"), "is text in UTF-16"},
        {BYTES("\377\376\0\0l\0\0\0"), "is text in UTF-32"},
        {BYTES("%PDF-1.7"), "is a PDF document"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FAILS(STATUS_BAD_FILE, files[i].told, import_bytes(files[i].bytes, files[i].size, NULL));
        assert_true(strlen(error.hint) > 0);
    }
}

static void a_dataset_is_told(void **state)
{
    (void)state;
    int32_t dialect;
    SUCCEEDS(import_text(OURS ROWS));
    FAILS(STATUS_BAD_FILE, "is a dataset, not CSV",
          import_dialect_of(&dialect, in_folder(&folder, "t.h5").text, &error));
    assert_non_null(strstr(error.hint, "merge"));
}

/* ---- licences ---- */

#define JUSTUS                                                                                     \
    "batch_size,dim_input,dim_output,activation,optimizer,time_median_ms,time_min_ms,time_max_ms," \
    "time_std_ms\n1,2,3,relu,none,1,1,1,0\n"

static void the_licence_is_the_sources(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {OURS ROWS, ""},
        {JUSTUS, "Apache-2.0"},
        {"layer,batch_size,inputs,outputs,median_ms,licence\n"
         "dense,1,2,3,4,CC0-1.0\ndense,1,2,4,4,CC0-1.0\n",
         "CC0-1.0"},
        {"layer,batch_size,inputs,outputs,median_ms,License\n"
         "dense,1,2,3,4,CC0-1.0\ndense,1,2,4,4,CC-BY-4.0\ndense,1,2,5,4,CC0-1.0\n",
         "CC0-1.0 AND CC-BY-4.0"},
        {"layer,batch_size,inputs,outputs,median_ms,licence\n"
         "dense,1,2,3,4,CC0-1.0\ndense,1,2,4,4,\n",
         "CC0-1.0 AND NOASSERTION"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SUCCEEDS(import_text(cases[i][0]));
        assert_string_equal(licence, cases[i][1]);
    }
}

static void a_map_may_name_the_licence(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"licence = CC0-1.0\n", "CC0-1.0"}, {"licence <- terms\n", "MIT"}, {"", ""}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[300];
        struct import_map *map;
        const struct file_name path = in_folder(&folder, "t.map");
        snprintf(text, sizeof text,
                 "layer = dense\nbatch_size = 1\ninputs <- in\noutputs = 4\nmedian_ms <- t\n%s",
                 lines[i][0]);
        write_bytes(path.text, text, strlen(text));
        SUCCEEDS(import_map_load(&map, path.text, &error));
        SUCCEEDS(import_bytes(BYTES("in;t;terms\n3;0,5;MIT\n"), map));
        import_map_free(map);
        assert_string_equal(licence, lines[i][1]);
    }
}

/* ---- conditions, products, padding, devices of a map ---- */

#define CONV_MAP                                                                                   \
    "layer <- op ? conv=conv2d\nkeep <- w = h\nkeep <- op ? conv, relu\nskip <- state ? failed\n"  \
    "batch_size <- n\nimage_size <- w\nkernel_size <- k\nchannels_in <- c * groups\n"              \
    "channels_out = 4\nstride = 1\npadding <- zeros zeros\nmedian_ms <- t in us\n"                 \
    "device <- gpu\nhardware = catalogue\ndevice_source = lab\n"
#define CONV_HEADER "op,state,n,w,h,k,c,groups,zeros,t,gpu\n"

static enum status import_with(const char *map_text, const char *csv)
{
    struct import_map *map;
    const struct file_name path = in_folder(&folder, "t.map");
    write_bytes(path.text, map_text, strlen(map_text));
    const enum status status = import_map_load(&map, path.text, &error);
    if (status != STATUS_OK)
        return status;
    const enum status imported = import_bytes(csv, strlen(csv), map);
    import_map_free(map);
    return imported;
}

static void check_conv_rows(const struct dataset_rows *rows)
{
    assert_int_equal(rows->count, 3);
    assert_int_equal(rows->rows[0].config.as.conv2d.channels_in, 6);
    assert_int_equal(rows->rows[0].config.as.conv2d.padding, PADDING_SAME);
    assert_int_equal(rows->rows[1].config.as.conv2d.padding, PADDING_VALID);
    assert_int_equal(rows->rows[2].config.as.conv2d.padding, PADDING_SAME);
    assert_true(rows->rows[0].median_ms == 0.25);
    assert_int_equal(rows->device_count, 2);
    assert_string_equal(rows->devices[0].name, "V100 SXM2 16GB");
    assert_string_equal(rows->devices[0].source, "lab");
    assert_string_equal(rows->devices[0].technology, "Volta");
    assert_true(rows->devices[0].core_count == 5120 && rows->devices[0].bandwidth_gbps == 900);
    assert_string_equal(rows->devices[1].name, "T4");
}

static void rows_that_no_kind_covers_are_counted(void **state)
{
    (void)state;
    struct dataset_rows rows;
    const struct file_name from = in_folder(&folder, "t.h5");
    const char *const path = from.text;
    setenv("EPOCHCAST_DEVICES", SOURCE_DIR "/datasets/devices.csv", 1);
    if (import_with(CONV_MAP,
                    CONV_HEADER "conv,done,2,8,8,3,3,2,1,250,Tesla V100-SXM2-16GB\n"
                                "conv,done,2,8,8,3,3,2,0,250,v100\n"
                                "conv,done,2,8,8,1,3,2,0,250,T4\n"
                                "conv,done,2,8,9,3,3,2,1,250,v100\n"   /* not square */
                                "conv,failed,2,8,8,3,3,2,1,250,v100\n" /* skipped */
                                "pool,done,2,8,8,3,3,2,1,250,v100\n"   /* not kept */
                                "relu,done,2,8,8,3,3,2,1,250,v100\n"   /* no kind */
                                "conv,done,2,8,8,5,3,2,1,250,v100\n"   /* neither same nor valid */
                                "conv,done,2,9999,9999,3,3,2,1,250,v100\n"
                                "conv,done,2,2,2,3,3,2,0,250,v100\n" /* no output */
                                "conv,done,2,8,8,3,3,2,1,,v100\n") != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    assert_int_equal(left_out.by_rule, 3);
    assert_int_equal(left_out.of_no_kind, 1);
    assert_int_equal(left_out.of_size, 3);
    assert_int_equal(left_out.without_time, 1);
    assert_non_null(strstr(left_out.first, "t.csv:9"));
    SUCCEEDS(dataset_read(&rows, &path, 1, &error));
    check_conv_rows(&rows);
    SUCCEEDS(row_sources_exclude(&rows, NULL, &error));
    FAILS(STATUS_USAGE, "'other'", row_sources_exclude(&rows, "lab,other", &error));
    FAILS(STATUS_USAGE, "'la'", row_sources_exclude(&rows, "la", &error));
    assert_int_equal(rows.count, 3);
    SUCCEEDS(row_sources_exclude(&rows, "lab", &error));
    assert_int_equal(rows.count, 0);
    dataset_rows_free(&rows);
    unsetenv("EPOCHCAST_DEVICES");
}

static void faults_of_a_map_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *map, *csv, *fault;
    } cases[] = {
        {"keep = x\n", "", ":1: expected '<- COLUMN ? VALUES'"},
        {"keep <- x\n", "", ":1: expected '? VALUES'"},
        {"keep <- x ? a=b\n", "", ":1: not a value:"},
        {"skip <- x = y\n", "", ":1: expected '? VALUES'"},
        {"hardware = nothing\n", "", ":1: expected 'hardware = catalogue'"},
        {"inputs <- n zeros\n", "", "expected '*', 'in' or '?'"},
        {"inputs <- n ? a\n", "", "not OLD=NEW"},
        {CONV_MAP, CONV_HEADER "conv,done,2,8,8,3,3,2,1,250,V200\n",
         "the catalogue has no device 'V200'"},
        {CONV_MAP, CONV_HEADER "conv,done,2,8,8,3,3,two,1,250,V100\n",
         "has a factor that is no number"},
        {CONV_MAP, "op,state,n,w,h,k,c,zeros,t,gpu\nconv,done,2,8,8,3,3,1,250,V100\n",
         "column 'groups' is missing"},
        {CONV_MAP, "op,n,w,h,k,c,groups,zeros,t,gpu\nconv,2,8,8,3,3,2,1,250,V100\n",
         "column 'state' is missing"},
        {CONV_MAP, CONV_HEADER "conv,failed,2,8,8,3,3,2,1,250,V100\n", "every row was left out"},
    };
    setenv("EPOCHCAST_DEVICES", SOURCE_DIR "/datasets/devices.csv", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(import_with(cases[i].map, cases[i].csv), STATUS_BAD_FILE);
        if (!strstr(error.message, cases[i].fault))
            fail_msg("'%s' does not say '%s'", error.message, cases[i].fault);
    }
    unsetenv("EPOCHCAST_DEVICES");
}

static void shipped_maps_are_read(void **state)
{
    (void)state;
    static const char folder_name[] = SOURCE_DIR "/datasets/maps";
    DIR *maps = opendir(folder_name);
    int count = 0;
    assert_non_null(maps);
    for (const struct dirent *entry; (entry = readdir(maps));) {
        char path[4096];
        struct import_map *map;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder_name, entry->d_name);
        if (import_map_load(&map, path, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_true(map->has_catalogue);
        assert_non_null(import_map_source(map, "device_source"));
        assert_non_null(import_map_source(map, ROW_COLUMN_LICENCE));
        import_map_free(map);
        count++;
    }
    closedir(maps);
    assert_true(count >= 15);
}

/* What export writes, import reads, with the licence. */
static void the_licence_survives_export(void **state)
{
    (void)state;
    const struct file_name from = in_folder(&folder, "t.h5"), csv = in_folder(&folder, "out.csv");
    const char *const path = from.text;
    struct dataset_rows rows;
    SUCCEEDS(import_text("layer,batch_size,inputs,outputs,median_ms,licence\n"
                         "dense,1,2,3,4,ODbL-1.0\n"));
    FILE *file = fopen(csv.text, "w+");
    assert_non_null(file);
    SUCCEEDS(export_rows(file, TABLE_CSV, &path, 1, LAYER_DENSE, &error));
    rewind(file);
    static char text[8192];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    SUCCEEDS(import_text(text));
    SUCCEEDS(dataset_read(&rows, &path, 1, &error));
    assert_string_equal(rows.header.licence, "ODbL-1.0");
    dataset_rows_free(&rows);
}

static int make(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int clean(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_gives_the_same_rows),
        cmocka_unit_test(marks_are_not_guessed),
        cmocka_unit_test(a_missing_header_is_told),
        cmocka_unit_test(missing_columns_are_named_with_the_nearest),
        cmocka_unit_test(other_files_are_told_by_their_kind),
        cmocka_unit_test(a_dataset_is_told),
        cmocka_unit_test(the_licence_is_the_sources),
        cmocka_unit_test(a_map_may_name_the_licence),
        cmocka_unit_test(rows_that_no_kind_covers_are_counted),
        cmocka_unit_test(faults_of_a_map_are_named),
        cmocka_unit_test(shipped_maps_are_read),
        cmocka_unit_test(the_licence_survives_export),
    };
    return RUN_TESTS(argc, argv, tests, make, clean);
}
