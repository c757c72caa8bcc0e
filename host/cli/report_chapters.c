#include "cli/report_chapters.h"

#include "cli/evaluation_table.h"
#include "cli/network_choice.h"
#include "cli/show.h"
#include "pictures/draw.h"

#include <stdlib.h>

static const char default_batch_sizes[] = "1..32*2";

static void put_text(void *page, const char *label, const char *text)
{
    page_text(page, label, text);
}

static enum status put_table(void *page, const struct table *table, struct error *error)
{
    return page_table(page, table, error);
}

static struct show_sink sink_of(struct page *page)
{
    return (struct show_sink){.payload = page, .text = put_text, .table = put_table};
}

/* Puts a table on the page and frees it. */
static enum status end_table(struct page *page, struct table *table, struct error *error)
{
    const enum status status = page_table(page, table, error);
    table_free(table);
    return status;
}

/* Puts a picture on the page, unless drawing it failed, and frees it. */
static enum status end_picture(struct page *page, struct picture *picture, enum status status,
                               const char *caption, struct error *error)
{
    if (status == STATUS_OK)
        status = page_picture(page, picture, caption, error);
    picture_free(picture);
    return status;
}

/* ---- datasets ---- */

enum status report_dataset(struct page *page, const char *path, struct error *error)
{
    const struct show_sink sink = sink_of(page);
    struct dataset_rows rows;
    struct picture picture;
    page_chapter(page, "dataset", path);
    TRY(show_dataset_to(&sink, path, error));
    TRY(dataset_read(&rows, &path, 1, error));
    enum status status = picture_create(&picture, PICTURE_INLINE, error);
    if (status == STATUS_OK) {
        draw_dataset(&picture, &rows, "");
        status = end_picture(page, &picture, STATUS_OK,
                             "What was measured: time by work, and how sure each time is.", error);
    }
    dataset_rows_free(&rows);
    return status;
}

/* ---- models ---- */

static enum status put_errors(struct page *page, const struct row_forecasts *forecasts,
                              const struct model *model, const struct dataset_rows *rows,
                              struct error *error)
{
    struct evaluation evaluation;
    struct table *table;
    struct picture picture;
    TRY(evaluate_forecasts(&evaluation, forecasts, model->predictor->type, rows, EVALUATION_PASS,
                           error));
    enum status status = evaluation_table(&table, &evaluation, false, error);
    if (status == STATUS_OK)
        status = end_table(page, table, error);
    evaluation_free(&evaluation);
    TRY(status);
    TRY(picture_create(&picture, PICTURE_INLINE, error));
    status = draw_evaluation(&picture, forecasts, rows, "", error);
    return end_picture(page, &picture, status,
                       "Predicted over measured time; a point on the line is exact.", error);
}

static enum status put_accuracy(struct page *page, const struct model *model,
                                const struct dataset_rows *rows, const struct settings *settings,
                                struct error *error)
{
    struct row_forecasts forecasts;
    char note[160];
    const int split = settings->split < SPLIT_COUNT ? settings->split : -1;
    TRY(row_forecasts_create(&forecasts, model->predictor, rows, split, error));
    snprintf(note, sizeof note, "Accuracy on %zu of %zu timed rows%s%s%s.", forecasts.count,
             forecasts.row_count, split < 0 ? "" : " of the ",
             split < 0 ? "" : choice_name(&choice_split, split), split < 0 ? "" : " split");
    page_note(page, note);
    const enum status status = forecasts.count > 0
                                   ? put_errors(page, &forecasts, model, rows, error)
                                   : STATUS_OK;
    row_forecasts_free(&forecasts);
    return status;
}

enum status report_model(struct page *page, const char *path, const struct dataset_rows *rows,
                         const struct settings *settings, struct error *error)
{
    const struct show_sink sink = sink_of(page);
    struct model model;
    TRY(model_load(&model, path, error));
    page_chapter(page, "model", path);
    enum status status = show_model_to(&sink, &model, error);
    if (status == STATUS_OK && rows)
        status = put_accuracy(page, &model, rows, settings, error);
    model_free(&model);
    return status;
}

/* ---- networks ---- */

struct forecasts {
    struct forecast *rows;
    int count;
};

static enum status forecast_all(struct forecasts *all, const struct network_choice *choice,
                                const struct device_info *device, const struct settings *settings,
                                struct error *error)
{
    for (int i = 0; i < choice->step_count * choice->batch_count; i++) {
        const struct step_choice *step = &choice->steps[i / choice->batch_count];
        const struct forecast_options wanted = {
            .batch_size = choice->batch_sizes[i % choice->batch_count],
            .pass = step->pass,
            .optimizer = step->optimizer,
            .precision = settings->precision,
            .price_per_hour = NAN,
            .watts = NAN,
            .price_per_kwh = NAN};
        TRY(forecast_network(&all->rows[i], &choice->network, choice->model.predictor, device,
                             &wanted, error));
        all->count++;
    }
    return STATUS_OK;
}

static enum status put_forecast_table(struct page *page, const struct forecasts *all,
                                      struct error *error)
{
    static const struct table_column columns[] = {
        {"batch_size", 0},   {"pass", 0},          {"optimizer", 0},    {"batch_ms", 4},
        {"batch_low_ms", 4}, {"batch_high_ms", 4}, {"memory_bytes", 0}, {"fits", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < all->count; i++) {
        const struct forecast *row = &all->rows[i];
        table_integer(table, row->batch_size);
        table_string(table, choice_name(&choice_pass, row->pass));
        table_string(table, choice_name(&choice_optimizer, row->optimizer));
        table_number(table, row->batch_ms);
        table_number(table, row->batch_low_ms);
        table_number(table, row->batch_high_ms);
        table_integer(table, row->memory.total_bytes);
        table_string(table, row->fits ? "yes" : "no");
    }
    return end_table(page, table, error);
}

static enum status note_roofline(struct page *page, const struct forecast *forecast,
                                 const struct network *network, struct error *error)
{
    char kinds[256], note[512];
    if (!forecast->uncovered_count)
        return STATUS_OK;
    TRY(forecast_uncovered_kinds(kinds, sizeof kinds, forecast, network, error));
    snprintf(note, sizeof note,
             "The model does not cover %d of %d layers; they are forecast by the roofline: %s.",
             forecast->uncovered_count, network->layer_count, kinds);
    page_note(page, note);
    return STATUS_OK;
}

static enum status put_forecasts(struct page *page, const struct forecasts *all,
                                 const struct network *network, const char *device,
                                 struct error *error)
{
    struct picture picture;
    int drawn = 0; /* those of the first pass */
    while (drawn < all->count && all->rows[drawn].pass == all->rows[0].pass)
        drawn++;
    TRY(note_roofline(page, &all->rows[0], network, error));
    TRY(put_forecast_table(page, all, error));
    TRY(picture_create(&picture, PICTURE_INLINE, error));
    const enum status status = draw_forecasts(&picture, all->rows, drawn, network, device, error);
    return end_picture(page, &picture, status,
                       "Forecast time of each layer, and of a batch by its size.", error);
}

static enum status put_network(struct page *page, const struct network_choice *choice,
                               const struct settings *settings, struct error *error)
{
    const struct device_info *device;
    struct forecasts all = {0};
    TRY(model_device(&device, &choice->model, settings->device, error));
    TRY(error_allocate((void **)&all.rows, (size_t)(choice->batch_count * choice->step_count),
                       sizeof *all.rows, "forecasts", error));
    page_text(page, "device", device->name);
    enum status status = forecast_all(&all, choice, device, settings, error);
    if (status == STATUS_OK)
        status = put_forecasts(page, &all, &choice->network, device->name, error);
    for (int i = 0; i < all.count; i++)
        forecast_free(&all.rows[i]);
    free(all.rows);
    return status;
}

enum status report_network(struct page *page, const char *network, const char *model,
                           struct dimension_sizes *sizes, const struct settings *settings,
                           struct error *error)
{
    struct network_choice choice;
    struct settings asked = *settings;
    asked.operands[0] = network;
    asked.model = model;
    asked.batch = settings->batch ? settings->batch : default_batch_sizes;
    TRY(network_choice_load(&choice, sizes, &asked, error));
    page_chapter(page, "network", choice.network.name);
    page_text(page, "model", model);
    const enum status status = put_network(page, &choice, &asked, error);
    network_choice_free(&choice);
    return status;
}
