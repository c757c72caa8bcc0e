#include "evaluate/row_source.h"

#include "data/row_sources.h"
#include "data/split.h"
#include "evaluate/evaluator.h"
#include "predictors/row_selection.h"

#include <stdlib.h>

static bool is_wanted(const struct row_source *source, const struct dataset_rows *tables,
                      const struct dataset_block *block, size_t i)
{
    const struct measurement *row = &block->rows[i];
    return (!source->keeps || source->keeps(source->filter, &row->config)) &&
           !row_source_is_listed(source->excluded,
                                 &tables->devices[block->device_map[row->device]]);
}

static bool is_evaluated(const struct row_source *source, const struct dataset_rows *tables,
                         const struct dataset_block *block, size_t i)
{
    const struct measurement *row = &block->rows[i];
    return is_wanted(source, tables, block, i) && row_is_usable(row) &&
           (source->split < 0 || (int)split_of(&row->config) == source->split);
}

static struct measurement *add_row(struct dataset_rows *rows, const struct dataset_block *block,
                                   size_t i)
{
    struct measurement *row = &rows->rows[rows->count++];
    *row = block->rows[i];
    row->device = block->device_map[row->device];
    return row;
}

/* ---- into memory ---- */

struct collection {
    const struct row_source *source;
    struct dataset_rows kept; /* rows alone */
    size_t room;
    bool all_splits;
};

static enum status make_room(struct collection *collection, struct error *error)
{
    if (collection->kept.count < collection->room)
        return STATUS_OK;
    const size_t room = collection->room ? 2 * collection->room : 1024;
    void *rows = realloc(collection->kept.rows, room * sizeof(struct measurement));
    if (!rows)
        return FAIL(error, STATUS_FAILED, "no memory for %zu rows", room);
    collection->kept.rows = rows;
    collection->room = room;
    return STATUS_OK;
}

static enum status collect_block(void *payload, const struct dataset_rows *tables,
                                 const struct dataset_block *block, struct error *error)
{
    struct collection *collection = payload;
    for (size_t i = 0; i < block->count; i++)
        if (collection->all_splits ? is_wanted(collection->source, tables, block, i)
                                   : is_evaluated(collection->source, tables, block, i)) {
            TRY(make_room(collection, error));
            add_row(&collection->kept, block, i);
        }
    return STATUS_OK;
}

enum status row_source_read(struct dataset_rows *rows, const struct row_source *source,
                            bool all_splits, struct error *error)
{
    struct collection collection = {.source = source, .all_splits = all_splits};
    const struct dataset_visitor visitor = {
        .block = collect_block, .payload = &collection, .skips = source->skips};
    const enum status status = dataset_visit(rows, source->paths, source->path_count, &visitor,
                                             error);
    if (status != STATUS_OK) {
        free(collection.kept.rows);
        return status;
    }
    rows->rows = collection.kept.rows;
    rows->count = collection.kept.count;
    return STATUS_OK;
}

/* ---- piece by piece ---- */

enum { PIECE_ROWS = 8192 };

struct stream {
    const struct row_source *source;
    const struct predictor *predictor;
    struct evaluator *evaluator;
    struct dataset_rows piece; /* (PIECE_ROWS) rows that wait for their forecasts */
};

static enum status evaluate_piece(struct stream *stream, const struct dataset_rows *tables,
                                  struct error *error)
{
    struct row_forecasts forecasts;
    stream->piece.devices = tables->devices;
    stream->piece.device_count = tables->device_count;
    TRY(row_forecasts_create(&forecasts, stream->predictor, &stream->piece, -1, error));
    const enum status status = evaluator_add(stream->evaluator, &forecasts, error);
    row_forecasts_free(&forecasts);
    stream->piece.count = 0;
    return status;
}

static enum status stream_block(void *payload, const struct dataset_rows *tables,
                                const struct dataset_block *block, struct error *error)
{
    struct stream *stream = payload;
    for (size_t i = 0; i < block->count; i++) {
        if (!is_evaluated(stream->source, tables, block, i))
            continue;
        add_row(&stream->piece, block, i);
        if (stream->piece.count == PIECE_ROWS)
            TRY(evaluate_piece(stream, tables, error));
    }
    return STATUS_OK;
}

static enum status stream_rest(void *payload, const struct dataset_rows *tables,
                               struct error *error)
{
    struct stream *stream = payload;
    return stream->piece.count > 0 ? evaluate_piece(stream, tables, error) : STATUS_OK;
}

static enum status evaluate_stream(struct evaluation *evaluation, struct stream *stream,
                                   struct error *error)
{
    struct dataset_rows tables;
    const struct row_source *source = stream->source;
    const struct dataset_visitor visitor = {
        .block = stream_block, .end = stream_rest, .payload = stream, .skips = source->skips};
    TRY(ALLOCATE(&stream->piece.rows, PIECE_ROWS, "rows", error));
    TRY(dataset_visit(&tables, source->paths, source->path_count, &visitor, error));
    const enum status status = evaluator_finish(
        evaluation, stream->evaluator, stream->predictor->type->name, tables.devices, error);
    evaluation->repeat_count = tables.repeat_count;
    dataset_rows_free(&tables);
    return status;
}

enum status row_source_evaluate(struct evaluation *evaluation, const struct predictor *predictor,
                                const struct row_source *source, enum evaluation_by by,
                                struct error *error)
{
    struct stream stream = {.source = source, .predictor = predictor};
    *evaluation = (struct evaluation){0};
    TRY(evaluator_create(&stream.evaluator, by, error));
    enum status status = evaluate_stream(evaluation, &stream, error);
    if (status == STATUS_OK && evaluation->count == 0)
        status = evaluation_of_none(predictor, evaluator_row_count(stream.evaluator), source->split,
                                    error);
    evaluator_free(stream.evaluator);
    free(stream.piece.rows);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}
