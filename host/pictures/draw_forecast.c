#include "pictures/device_names.h"
#include "pictures/draw.h"
#include "pictures/forecast_panels.h"

#include <stdlib.h>
#include <string.h>

enum { ACROSS_LIMIT = 3, STEP_PANELS = 6, LAYER_PANELS = 6, CURVE_HEIGHT = 400 };

/* Panels, row by row. */
struct panel_plan;
struct panel {
    void (*draw)(struct picture *picture, const struct panel_plan *plan, const struct panel *panel);
    struct curve_panel curves; /* of curves and comparisons */
    const struct bars *bars;   /* of layers */
    int device, step;          /* of layers */
};

enum { PANEL_LIMIT = 64 };
struct panel_plan {
    const struct forecast_grid *all;
    struct panel panels[PANEL_LIMIT];
    int panel_count;
    struct picture_row rows[PICTURE_ROW_LIMIT];
    int row_count;
    bool is_row_open;    /* the next panel may stand beside the last one */
    struct bars *layers; /* (LAYER_PANELS) */
};

/* ---- the panels ---- */

static void draw_quantity(struct picture *picture, const struct panel_plan *plan,
                          const struct panel *panel)
{
    draw_curves(picture, plan->all, &panel->curves);
}

static void draw_comparison(struct picture *picture, const struct panel_plan *plan,
                            const struct panel *panel)
{
    struct bars bars;
    const enum forecast_quantity quantity = panel->curves.quantity;
    comparison_bars(&bars, plan->all, quantity);
    draw_bars(picture, &bars, quantity_title(plan->all, quantity),
              quantity == QUANTITY_COST ? "cost" : "time, with interval");
}

static void draw_memory_of(struct picture *picture, const struct panel_plan *plan,
                           const struct panel *panel)
{
    (void)panel;
    draw_memory(picture, plan->all);
}

static void draw_layers(struct picture *picture, const struct panel_plan *plan,
                        const struct panel *panel)
{
    const struct forecast_request *request = plan->all->request;
    const char *device = request->device_count > 1 ? request->devices[panel->device].info->name
                                                   : "";
    const struct forecast_grid_row *row = grid_row(plan->all, panel->device, panel->step, 0,
                                                   grid_largest_batch(plan->all));
    draw_layer_bars(picture, panel->bars, &row->forecast, &request->selection.network, device);
}

/* ---- planning ---- */

static void end_row(struct panel_plan *plan)
{
    plan->is_row_open = false;
}

static void add_panel(struct panel_plan *plan, const struct panel *added, int height, int lines)
{
    if (!plan->is_row_open || plan->rows[plan->row_count - 1].panels == ACROSS_LIMIT)
        plan->rows[plan->row_count++] = (struct picture_row){.panels = 0};
    struct picture_row *row = &plan->rows[plan->row_count - 1];
    plan->is_row_open = true;
    row->panels++;
    row->height = height > row->height ? height : row->height;
    row->lines = lines > row->lines ? lines : row->lines;
    plan->panels[plan->panel_count++] = *added;
}

/* One panel with a curve per step; of several devices one panel per step. */
static void add_curves(struct panel_plan *plan, enum forecast_quantity quantity, bool by_gpus)
{
    const struct forecast_request *request = plan->all->request;
    const int steps = request->device_count > 1 ? request->selection.step_count : 1;
    for (int i = 0; i < steps && i < STEP_PANELS; i++) {
        const int step = request->device_count > 1 ? i : -1;
        const struct panel panel = {.draw = draw_quantity, .curves = {quantity, by_gpus, step}};
        add_panel(plan, &panel, CURVE_HEIGHT, 0);
    }
}

static void add_comparison(struct panel_plan *plan, enum forecast_quantity quantity)
{
    const struct forecast_request *request = plan->all->request;
    const int asked = request->device_count * request->selection.step_count;
    const int count = asked < BAR_LIMIT ? asked : BAR_LIMIT;
    const struct panel panel = {.draw = draw_comparison, .curves = {.quantity = quantity}};
    add_panel(plan, &panel, bars_height(count), bars_lines(count));
}

/* One quantity by batch size and by number of devices; of a single forecast per device and step as
 * bars. Quantities stand beside each other, unless each has a panel per step. */
static void plan_quantity(struct panel_plan *plan, enum forecast_quantity quantity)
{
    const struct forecast_request *request = plan->all->request;
    const bool has_batches = request->selection.batch_count > 1, has_gpus = request->gpus_count > 1,
               is_compared = request->device_count * request->selection.step_count > 1,
               has_rows = request->device_count > 1 && request->selection.step_count > 1;
    if (has_batches)
        add_curves(plan, quantity, false);
    if (has_rows)
        end_row(plan);
    if (has_gpus)
        add_curves(plan, quantity, true);
    if (!has_batches && !has_gpus && is_compared)
        add_comparison(plan, quantity == QUANTITY_THROUGHPUT ? QUANTITY_TIME : quantity);
    if (has_rows)
        end_row(plan);
}

static void plan_quantities(struct panel_plan *plan)
{
    const struct forecast_request *request = plan->all->request;
    plan_quantity(plan, QUANTITY_THROUGHPUT);
    if (request->device_count == 1 && request->selection.batch_count > 1)
        add_curves(plan, QUANTITY_TIME, false);
    if (grid_has_cost(plan->all))
        plan_quantity(plan, QUANTITY_COST);
    end_row(plan);
}

static void plan_memory(struct panel_plan *plan)
{
    const int count = memory_bar_count(plan->all);
    const struct panel panel = {.draw = draw_memory_of};
    add_panel(plan, &panel, bars_height(count), bars_lines(count));
    end_row(plan);
}

static enum status plan_layers(struct panel_plan *plan, struct error *error)
{
    const struct forecast_request *request = plan->all->request;
    const int steps = request->selection.step_count, count = request->device_count * steps;
    for (int i = 0; i < count && i < LAYER_PANELS; i++) {
        const struct forecast_grid_row *row = grid_row(plan->all, i / steps, i % steps, 0,
                                                       grid_largest_batch(plan->all));
        struct bars *bars = &plan->layers[i];
        TRY(layer_bars(bars, &row->forecast, &request->selection.network, error));
        const struct panel panel = {
            .draw = draw_layers, .bars = bars, .device = i / steps, .step = i % steps};
        add_panel(plan, &panel, bars_height(bars->count), bars_lines(bars->count));
    }
    return STATUS_OK;
}

/* ---- what is left out ---- */

static void note_devices(struct picture *picture, const struct forecast_request *request)
{
    if (request->device_count > PICTURE_COLOURS)
        picture_note(picture, "not drawn: curves of %d more devices, from %.60s on",
                     request->device_count - PICTURE_COLOURS,
                     request->devices[PICTURE_COLOURS].info->name);
}

static void note_steps(struct picture *picture, const struct forecast_request *request)
{
    char name[STEP_NAME_SIZE];
    const struct step_selection *steps = request->selection.steps;
    if (request->device_count == 1)
        return;
    for (int i = STEP_PANELS; i < request->selection.step_count; i++) {
        step_name(name, steps[i].pass, steps[i].optimizer);
        picture_note(picture, "not drawn: curves of %s", name);
    }
}

static void note_comparison(struct picture *picture, const struct forecast_request *request)
{
    const int count = request->device_count * request->selection.step_count;
    if (request->selection.batch_count == 1 && request->gpus_count == 1 && count > BAR_LIMIT)
        picture_note(picture, "not drawn: bars of %d more forecasts", count - BAR_LIMIT);
}

static void note_layers(struct picture *picture, const struct forecast_request *request)
{
    const int steps = request->selection.step_count, count = request->device_count * steps;
    char name[STEP_NAME_SIZE];
    if (count <= LAYER_PANELS)
        return;
    const struct step_selection *step = &request->selection.steps[LAYER_PANELS % steps];
    step_name(name, step->pass, step->optimizer);
    picture_note(picture, "not drawn: layers of %d more forecasts, from %.60s (%s) on",
                 count - LAYER_PANELS, request->devices[LAYER_PANELS / steps].info->name, name);
}

/* ---- drawing ---- */

static int widest_row(const struct panel_plan *plan)
{
    int widest = 1;
    for (int i = 0; i < plan->row_count; i++)
        widest = plan->rows[i].panels > widest ? plan->rows[i].panels : widest;
    return widest;
}

/* "vgg16 on AMD EPYC, 1 thread", "vgg16 on V100, P100, K80" */
static void name_picture(char *title, size_t size, const struct forecast_request *request)
{
    const struct device_info *devices[NAMED_DEVICES];
    for (int i = 0; i < request->device_count && i < NAMED_DEVICES; i++)
        devices[i] = request->devices[i].info;
    const size_t used = (size_t)snprintf(title, size, "%.63s on ", request->selection.network.name);
    name_devices(title + used, size - used, devices, request->device_count);
}

static enum status draw_plan(struct picture *picture, struct panel_plan *plan, bool with_memory,
                             struct error *error)
{
    static const int widths[] = {0, 760, 560, 480};
    const struct forecast_request *request = plan->all->request;
    char title[PICTURE_TEXT_SIZE];
    plan_quantities(plan);
    if (with_memory)
        plan_memory(plan);
    TRY(plan_layers(plan, error));
    note_devices(picture, request);
    note_steps(picture, request);
    note_comparison(picture, request);
    note_layers(picture, request);
    name_picture(title, sizeof title, request);
    const int across = widest_row(plan);
    picture_layout(picture, across * widths[across], plan->rows, plan->row_count, title);
    for (int i = 0; i < plan->panel_count; i++)
        plan->panels[i].draw(picture, plan, &plan->panels[i]);
    return STATUS_OK;
}

enum status draw_forecasts(struct picture *picture, const struct forecast_grid *all,
                           bool with_memory, struct error *error)
{
    struct panel_plan plan = {.all = all};
    TRY(ALLOCATE(&plan.layers, LAYER_PANELS, "picture", error));
    const enum status status = draw_plan(picture, &plan, with_memory || all->too_large > 0, error);
    free(plan.layers);
    return status;
}
