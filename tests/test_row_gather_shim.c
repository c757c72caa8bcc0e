/* The kernels of embedding, run in the shim: rows by index and the table's gradient, against plain
 * loops, in every storage type.
 */
#include "row_gather.h"
#include "stored_array.h"

/* Few rows and many that occur often and not; widths in packs of 16 bytes and not, and of several
 * warps. */
static const struct {
    int64_t rows, width, vocabulary;
} shapes[] = {{1, 1, 1},      {5, 7, 3},        {16, 8, 2},  {17, 33, 1},
              {40, 64, 1000}, {100, 32, 40},    {333, 5, 2}, {64, 70, 64},
              {1000, 16, 3},  {48, 4, 1 << 20}, {31, 9, 31}, {256, 100, 256}};

struct table {
    struct row_gather gather;
    struct row_groups groups;
    int32_t *indices, *owners;
    struct array values, y_gradient;
};

static void *allocate(int64_t bytes)
{
    void *memory;
    assert_int_equal(cudaMalloc(&memory, (size_t)bytes), cudaSuccess);
    return memory;
}

/* Tables are fp32 in amp. */
static int32_t table_precision(int32_t precision)
{
    return precision == PRECISION_AMP ? PRECISION_FP32 : precision;
}

static struct table make_table(int64_t rows, int64_t width, int64_t vocabulary, int32_t precision)
{
    struct table table = {.indices = allocate(rows * 4), .owners = allocate(rows * 4)};
    table.gather = (struct row_gather){.rows = rows,
                                       .width = width,
                                       .vocabulary = vocabulary,
                                       .indices = table.indices,
                                       .precision = precision};
    table.values = make_array((size_t)(vocabulary * width), 1, table_precision(precision));
    table.y_gradient = make_array((size_t)(rows * width), 2, precision);
    assert_int_equal(launch_indices(table.indices, rows, (int32_t)vocabulary, 3, 5, NULL),
                     cudaSuccess);
    struct row_groups *groups = &table.groups;
    groups->counted = allocate(rows * 4);
    groups->sorted = allocate(rows * 4);
    groups->positions = allocate(rows * 4);
    groups->partial = allocate(row_gather_partial(&table.gather) * 4);
    assert_int_equal(row_gather_sort_bytes(&groups->sort_bytes, &table.gather), cudaSuccess);
    groups->sort_workspace = allocate(groups->sort_bytes);
    assert_int_equal(launch_count_up(groups->counted, rows, NULL), cudaSuccess);
    return table;
}

static void free_table(struct table *table)
{
    void *const all[] = {
        table->indices,          table->owners,         table->values.data,
        table->y_gradient.data,  table->groups.counted, table->groups.sorted,
        table->groups.positions, table->groups.partial, table->groups.sort_workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cudaFree(all[i]);
}

static void check_forward(const struct table *table)
{
    const int64_t rows = table->gather.rows, width = table->gather.width;
    struct array y = make_array((size_t)(rows * width), 4, table->gather.precision);
    assert_int_equal(launch_row_gather(y.data, table->values.data, &table->gather, NULL),
                     cudaSuccess);
    const double share = table->gather.precision == PRECISION_AMP ? rounding[PRECISION_AMP] : 0;
    for (int64_t i = 0; i < rows * width; i++) {
        const int64_t from = table->indices[i / width] * width + i % width;
        const double wanted = at(&table->values, (size_t)from);
        assert_true(fabs(at(&y, (size_t)i) - wanted) <= share * fabs(wanted) + share * 1e-4);
    }
    cudaFree(y.data);
}

/* The sum over the rows of an index; *size: of their sizes. */
static double sum_of(double *size, const struct table *table, int64_t index, int64_t column)
{
    double sum = 0;
    *size = 0;
    for (int64_t row = 0; row < table->gather.rows; row++)
        if (table->indices[row] == index) {
            const double g = at(&table->y_gradient, (size_t)(row * table->gather.width + column));
            sum += g;
            *size += fabs(g);
        }
    return sum;
}

static void assert_sum(const struct table *table, const struct array *gradient, int64_t row,
                       int64_t index)
{
    const int64_t width = table->gather.width;
    for (int64_t column = 0; column < width; column += 1 + width / 9) {
        double size;
        const double sum = sum_of(&size, table, index, column);
        const double got = at(gradient, (size_t)(row * width + column));
        if (!(fabs(got - sum) <=
              1e-6 * size + rounding[table_precision(table->gather.precision)] * fabs(sum)))
            fail_msg("row %d, column %d: got %g, expected %g", (int)row, (int)column, got, sum);
    }
}

static void check_dense(const struct table *table)
{
    const int64_t vocabulary = table->gather.vocabulary, width = table->gather.width;
    struct array gradient = make_array((size_t)(vocabulary * width), 6,
                                       table_precision(table->gather.precision));
    assert_int_equal(launch_row_scatter(gradient.data, NULL, table->y_gradient.data, &table->gather,
                                        &table->groups, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < vocabulary; row += 1 + vocabulary / 500)
        assert_sum(table, &gradient, row, row);
    for (int64_t row = 0; row < table->gather.rows; row++)
        assert_sum(table, &gradient, table->indices[row], table->indices[row]);
    cudaFree(gradient.data);
}

static bool is_first(const struct table *table, int64_t row)
{
    for (int64_t before = 0; before < row; before++)
        if (table->indices[before] == table->indices[row])
            return false;
    return true;
}

/* Sums stand at the first of equal indices; the other rows are left as they are. */
static void check_sparse(const struct table *table)
{
    const int64_t rows = table->gather.rows, width = table->gather.width;
    struct array gradient = make_array((size_t)(rows * width), 6,
                                       table_precision(table->gather.precision));
    struct array before = make_array((size_t)(rows * width), 6,
                                     table_precision(table->gather.precision));
    assert_int_equal(launch_row_scatter(gradient.data, table->owners, table->y_gradient.data,
                                        &table->gather, &table->groups, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < rows; row++)
        if (is_first(table, row)) {
            assert_int_equal(table->owners[row], table->indices[row]);
            assert_sum(table, &gradient, row, table->indices[row]);
        } else {
            assert_int_equal(table->owners[row], -1);
            for (int64_t i = row * width; i < (row + 1) * width; i++)
                assert_true(at(&gradient, (size_t)i) == at(&before, (size_t)i));
        }
    cudaFree(gradient.data);
    cudaFree(before.data);
}

static void rows_are_gathered_and_scattered(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct table table = make_table(shapes[i].rows, shapes[i].width, shapes[i].vocabulary,
                                            precision);
            check_forward(&table);
            check_dense(&table);
            check_sparse(&table);
            free_table(&table);
        }
}

static void indices_are_below_their_bound(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    int32_t *indices = allocate(COUNT * 4), seen[7] = {0};
    assert_int_equal(launch_indices(indices, COUNT, 7, 3, 5, NULL), cudaSuccess);
    for (int i = 0; i < COUNT; i++) {
        assert_in_range(indices[i], 0, 6);
        seen[indices[i]]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], COUNT / 7 - 150, COUNT / 7 + 150);
    cudaFree(indices);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_gathered_and_scattered),
        cmocka_unit_test(indices_are_below_their_bound),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
