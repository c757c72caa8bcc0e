#include "cli/report_chapters.h"

#include "bench/device_identity.h"
#include "cli/evaluation_table.h"
#include "cli/show.h"
#include "pictures/draw.h"

#include <math.h>
#include <stdio.h>

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
        draw_dataset(&picture, &rows);
        status = end_picture(page, &picture, STATUS_OK,
                             "Measured rows: time by work, and the uncertainty of each time.",
                             error);
    }
    dataset_rows_free(&rows);
    return status;
}

/* ---- models ---- */

static enum status put_scatter(struct page *page, const struct row_forecasts *forecasts,
                               const struct model *model, const struct evaluation *errors,
                               const struct dataset_rows *rows, struct error *error)
{
    struct evaluated_list points = {.count = 0};
    struct picture picture;
    const struct evaluation_drawing drawing = {
        .points = &points, .errors = errors, .rows = rows, .what = "rows"};
    TRY(picture_create(&picture, PICTURE_INLINE, error));
    enum status status = evaluated_add(&points, model->predictor->type->name, -1, forecasts, rows,
                                       error);
    if (status == STATUS_OK)
        status = draw_evaluation(&picture, &drawing, error);
    evaluated_free(&points);
    return end_picture(page, &picture, status,
                       "Predicted over measured time; points on the line are exact.", error);
}

static enum status put_errors(struct page *page, const struct row_forecasts *forecasts,
                              const struct model *model, const struct dataset_rows *rows,
                              struct error *error)
{
    struct evaluation evaluation;
    struct table *table;
    TRY(evaluate_forecasts(&evaluation, forecasts, model->predictor->type, rows, EVALUATION_PASS,
                           error));
    enum status status = evaluation_table(&table, &evaluation, false, error);
    if (status == STATUS_OK)
        status = end_table(page, table, error);
    if (status == STATUS_OK)
        status = put_scatter(page, forecasts, model, &evaluation, rows, error);
    evaluation_free(&evaluation);
    return status;
}

static enum status put_accuracy(struct page *page, const struct model *model,
                                const struct dataset_rows *rows, int split, struct error *error)
{
    struct row_forecasts forecasts;
    char note[160];
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
                         int split, struct error *error)
{
    const struct show_sink sink = sink_of(page);
    struct model model;
    TRY(model_load(&model, path, error));
    page_chapter(page, "model", path);
    enum status status = show_model_to(&sink, &model, error);
    if (status == STATUS_OK && rows)
        status = put_accuracy(page, &model, rows, split, error);
    model_free(&model);
    return status;
}

/* ---- networks ---- */

enum { FORECAST_COLUMNS = 20 };

struct columns {
    struct table_column list[FORECAST_COLUMNS];
    int count;
    bool devices, epochs, training, cost, energy; /* columns shown besides the batch's time */
};

static void add_column(struct columns *columns, bool is_shown, const char *title,
                       enum unit_scale scale)
{
    if (is_shown)
        columns->list[columns->count++] = (struct table_column){.name = title, .scale = scale};
}

static struct columns columns_of(const struct forecast_request *request)
{
    const struct forecast_options *common = &request->common;
    const bool has_watts = !isnan(request->devices[0].watts);
    struct columns columns = {.devices = request->device_count > 1,
                              .epochs = common->dataset_size > 0,
                              .training = common->dataset_size > 0 && common->epochs > 0,
                              .cost = !isnan(request->devices[0].price_per_hour) ||
                                      !isnan(common->price_per_kwh),
                              .energy = has_watts};
    add_column(&columns, columns.devices, "device", SCALE_NONE);
    add_column(&columns, true, "batch", SCALE_NONE);
    add_column(&columns, true, "pass", SCALE_NONE);
    add_column(&columns, true, "optimizer", SCALE_NONE);
    add_column(&columns, true, "time", SCALE_MS);
    add_column(&columns, true, "low", SCALE_MS);
    add_column(&columns, true, "high", SCALE_MS);
    add_column(&columns, columns.epochs, "epoch", SCALE_S);
    add_column(&columns, columns.epochs && columns.cost, "epoch cost", SCALE_MONEY);
    add_column(&columns, columns.epochs && columns.energy, "epoch energy", SCALE_KWH);
    add_column(&columns, columns.training, "total", SCALE_S);
    add_column(&columns, columns.training && columns.cost, "cost", SCALE_MONEY);
    add_column(&columns, columns.training && columns.energy, "energy", SCALE_KWH);
    add_column(&columns, true, "memory", SCALE_BYTES);
    add_column(&columns, true, "fits", SCALE_NONE);
    return columns;
}

static void add_forecast(struct table *table, const struct columns *columns,
                         const struct forecast_grid_row *predicted)
{
    const struct forecast *row = &predicted->forecast;
    if (columns->devices)
        table_string(table, predicted->device->info->name);
    table_integer(table, row->batch_size);
    table_string(table, choice_name(&choice_pass, row->pass));
    table_string(table, choice_name(&choice_optimizer, row->optimizer));
    table_number(table, row->batch_ms);
    table_number(table, row->batch_low_ms);
    table_number(table, row->batch_high_ms);
    if (columns->epochs)
        table_number(table, row->epoch_s);
    if (columns->epochs && columns->cost)
        table_number(table, row->epoch_cost);
    if (columns->epochs && columns->energy)
        table_number(table, row->epoch_energy_kwh);
    if (columns->training)
        table_number(table, row->total_s);
    if (columns->training && columns->cost)
        table_number(table, row->cost);
    if (columns->training && columns->energy)
        table_number(table, row->energy_kwh);
    table_integer(table, row->memory.total_bytes);
    table_string(table, row->fits ? "yes" : "no");
}

static enum status put_forecast_table(struct page *page, const struct forecast_grid *all,
                                      struct error *error)
{
    const struct columns columns = columns_of(all->request);
    struct table *table;
    TRY(table_create(&table, columns.list, columns.count, error));
    for (int i = 0; i < all->count; i++)
        add_forecast(table, &columns, &all->rows[i]);
    return end_table(page, table, error);
}

/* All that predict says of these forecasts, as sentences. */
static void put_caveats(struct page *page, const struct caveats *caveats, bool loud)
{
    for (int i = 0; i < caveats->count; i++) {
        const struct caveat *caveat = &caveats->list[i];
        char note[sizeof caveat->text + 16];
        if (caveat->is_loud != loud)
            continue;
        snprintf(note, sizeof note, "%s%s.", loud ? "Warning: " : "", caveat->text);
        if (note[0] >= 'a' && note[0] <= 'z')
            note[0] = (char)(note[0] - 'a' + 'A');
        page_note(page, note);
    }
}

/* The assumptions of epochs and costs. */
static void put_assumptions(struct page *page, const struct forecast_request *request,
                            const struct report_texts *texts)
{
    char text[32];
    const struct {
        const char *name, *value;
    } given[] = {{"price per hour", texts->price_per_hour}, {"watts", texts->watts}};
    if (request->common.dataset_size > 0) {
        snprintf(text, sizeof text, "%lld", (long long)request->common.dataset_size);
        page_text(page, "dataset size", text);
    }
    if (request->common.epochs > 0) {
        snprintf(text, sizeof text, "%d", request->common.epochs);
        page_text(page, "epochs", text);
    }
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].value)
            page_text(page, given[i].name, given[i].value);
    if (!isnan(request->common.price_per_kwh)) {
        snprintf(text, sizeof text, "%g", request->common.price_per_kwh);
        page_text(page, "price per kWh", text);
    }
}

static enum status put_forecasts(struct page *page, const struct forecast_grid *all,
                                 struct error *error)
{
    struct picture picture;
    struct caveats caveats;
    TRY(forecast_grid_caveats(&caveats, all, error));
    put_caveats(page, &caveats, true);
    TRY(put_forecast_table(page, all, error));
    put_caveats(page, &caveats, false);
    TRY(picture_create(&picture, PICTURE_INLINE, error));
    const enum status status = draw_forecasts(&picture, all, true, error);
    return end_picture(page, &picture, status,
                       "Forecasts: throughput by batch size, memory, time per layer.", error);
}

enum status report_network(struct page *page, const struct forecast_request *request,
                           const struct report_texts *texts, struct error *error)
{
    struct forecast_grid all;
    page_chapter(page, "network", request->selection.network.name);
    page_text(page, "model", texts->model);
    for (int i = 0; i < request->device_count; i++) {
        char label[DEVICE_LABEL_LIMIT];
        device_label(label, request->devices[i].info);
        page_text(page, "device", label);
    }
    put_assumptions(page, request, texts);
    TRY(forecast_grid_create(&all, request, error));
    const enum status status = put_forecasts(page, &all, error);
    forecast_grid_free(&all);
    return status;
}
