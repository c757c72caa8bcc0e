/* embedding: y[p] = table[index[p]]. */
#include "layers/reference_internal.h"

static int64_t width_of(const struct reference *reference)
{
    return reference->config.as.embedding.width;
}

static int64_t rows_of(const struct reference *reference)
{
    return reference->output_count / width_of(reference);
}

static int64_t index_at(struct reference *reference, int64_t row)
{
    return (int64_t)reference_read_one(reference, VALUE_INPUT, row);
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t width = width_of(reference);
    const int64_t at = index_at(reference, index / width) * width + index % width;
    const double value = reference_read_one(reference, VALUE_WEIGHTS, at);
    reference_add(sum, value, value);
}

/* Adds the column of the output's gradient over the rows from `first` on that have the index;
 * *is_repeated: a row before has it, too. */
static void add_rows(struct reference_sum *sum, struct reference *reference, int64_t wanted,
                     int64_t first, int64_t column, bool *is_repeated)
{
    const int64_t rows = rows_of(reference), width = width_of(reference);
    double indices[REFERENCE_BLOCK];
    int64_t places[REFERENCE_BLOCK];
    for (int64_t start = 0; start < rows; start += REFERENCE_BLOCK) {
        const int here = (int)(rows - start < REFERENCE_BLOCK ? rows - start : REFERENCE_BLOCK);
        for (int i = 0; i < here; i++)
            places[i] = start + i;
        reference_read(indices, NULL, reference, VALUE_INPUT, places, here);
        for (int i = 0; i < here; i++) {
            if ((int64_t)indices[i] != wanted)
                continue;
            *is_repeated |= start + i < first;
            if (start + i >= first)
                reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT,
                                 (start + i) * width + column, 1, 1);
        }
    }
}

/* Dense: of the table's element. Sparse: of position `index / width`, defined where the position is
 * the first of its index. */
static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    const int64_t width = width_of(reference), row = index / width;
    const bool is_sparse = reference->config.as.embedding.gradient == GRADIENT_SPARSE;
    bool is_repeated = false;
    (void)which;
    add_rows(sum, reference, is_sparse ? index_at(reference, row) : row, is_sparse ? row : 0,
             index % width, &is_repeated);
    sum->is_open = is_repeated;
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)index;
    return what == VALUE_OUTPUT ? 2 : (double)rows_of(reference);
}

const struct kind_meaning meaning_embedding = {
    .output = output, .weights_gradient = weights_gradient, .terms = terms};
