#include "pictures/evaluation_dots.h"

#include <stdlib.h>
#include <string.h>

/* ---- panels ---- */

/* The panel of that title and form, which may be new; NULL: no place. */
static struct error_panel *panel_of(struct error_panels *panels, const char *title,
                                    bool is_coverage)
{
    for (int i = 0; i < panels->count; i++)
        if (strcmp(panels->list[i].title, title) == 0 && panels->list[i].is_coverage == is_coverage)
            return &panels->list[i];
    if (panels->count == ERROR_PANEL_LIMIT)
        return NULL;
    struct error_panel *panel = &panels->list[panels->count++];
    snprintf(panel->title, sizeof panel->title, "%s", title);
    panel->is_coverage = is_coverage;
    return panel;
}

static void add_line(struct error_panels *panels, const char *title, bool is_coverage,
                     const char *name, const struct stats_errors *errors, double coverage_percent)
{
    struct error_panel *panel = panel_of(panels, title, is_coverage);
    struct dot *dot = panel ? dots_add(&panel->dots) : NULL;
    if (!dot) {
        panels->left_out_count++;
        return;
    }
    snprintf(dot->name, sizeof dot->name, "%s", name);
    dot->median_percent = errors->median_ape_percent;
    dot->p90_percent = errors->p90_ape_percent;
    dot->coverage_percent = coverage_percent;
}

/* ---- rows of an evaluation ---- */

/* The rows of all devices stand for those of each, where there are such. */
static bool is_shown_device(const struct evaluation *evaluation, const struct evaluation_row *row)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct evaluation_row *other = &evaluation->rows[i];
        if (strcmp(other->device, "all") == 0 && other->predictor == row->predictor &&
            other->calibration_rows == row->calibration_rows)
            return strcmp(row->device, "all") == 0;
    }
    return true;
}

static bool is_whole(const struct evaluation_row *row)
{
    return strcmp(row->group, "all") == 0 || strncmp(row->group, "sums", 4) == 0;
}

static bool is_pass(const struct evaluation_row *row)
{
    return choice_find(&choice_pass, row->group) >= 0;
}

/* Rows of several devices in one panel name theirs. */
static void name_device(char *name, size_t size, const struct evaluation_drawing *drawing,
                        const struct evaluation_row *row)
{
    const size_t used = strlen(name);
    if (drawing->rows->device_count > 1 && strcmp(row->device, "all") != 0)
        snprintf(name + used, size - used, ", %.63s", row->device);
}

/* "mlp", "mlp + 50 rows, V100" */
static void name_predictor(char *name, size_t size, const struct evaluation_drawing *drawing,
                           const struct evaluation_row *row)
{
    const size_t used = (size_t)snprintf(name, size, "%s", row->predictor);
    if (drawing->is_calibrated)
        snprintf(name + used, size - used, " + %d rows", row->calibration_rows);
    name_device(name, size, drawing, row);
}

/* One panel per kind: a line per predictor. */
static void add_predictors(struct error_panels *panels, const struct evaluation_drawing *drawing)
{
    const struct evaluation *errors = drawing->errors;
    for (size_t i = 0; i < errors->count; i++) {
        const struct evaluation_row *row = &errors->rows[i];
        char title[DOT_NAME_SIZE], name[DOT_NAME_SIZE];
        if (!is_whole(row) || !is_shown_device(errors, row))
            continue;
        snprintf(title, sizeof title, "%s: error by predictor",
                 layer_descriptors[row->layer]->name);
        name_predictor(name, sizeof name, drawing, row);
        add_line(panels, title, false, name, &row->errors, NAN);
    }
}

/* Two panels per kind: a line per group of the chosen predictor, errors and coverage. */
static void add_groups(struct error_panels *panels, const struct evaluation_drawing *drawing)
{
    const struct evaluation *errors = drawing->errors;
    for (size_t i = 0; i < errors->count; i++) {
        const struct evaluation_row *row = &errors->rows[i];
        char title[DOT_NAME_SIZE], name[DOT_NAME_SIZE];
        if (is_whole(row) || is_pass(row) || row->predictor != errors->rows[0].predictor ||
            !is_shown_device(errors, row))
            continue;
        snprintf(name, sizeof name, "%s", row->group);
        name_device(name, sizeof name, drawing, row);
        snprintf(title, sizeof title, "%s: error", layer_descriptors[row->layer]->name);
        add_line(panels, title, false, name, &row->errors, NAN);
        snprintf(title, sizeof title, "%s: coverage", layer_descriptors[row->layer]->name);
        if (isfinite(row->interval_coverage_percent))
            add_line(panels, title, true, name, &row->errors, row->interval_coverage_percent);
        panels->across = 2;
    }
}

/* One panel per kind and key: a line per slice. */
static void add_slices(struct error_panels *panels, const struct residuals *slices)
{
    for (size_t i = 0; i < slices->count; i++) {
        const struct slice *slice = &slices->slices[i];
        char title[DOT_NAME_SIZE];
        snprintf(title, sizeof title, "%s: error by %.60s", layer_descriptors[slice->layer]->name,
                 slice->key);
        add_line(panels, title, false, slice->label, &slice->errors, NAN);
    }
}

/* ---- all of them ---- */

static bool has_several_predictors(const struct evaluation *errors)
{
    for (size_t i = 1; i < errors->count; i++)
        if (errors->rows[i].predictor != errors->rows[0].predictor ||
            errors->rows[i].calibration_rows != errors->rows[0].calibration_rows)
            return true;
    return false;
}

static void measure(struct error_panels *panels)
{
    int most = 0;
    for (int i = 0; i < panels->count; i++) {
        const struct error_panel *panel = &panels->list[i];
        most = panel->dots.count > most ? panel->dots.count : most;
        if (!panel->is_coverage)
            dots_range(&panels->range, &panel->dots);
    }
    panels->height = dots_height(most);
    panels->lines = dots_lines(most);
}

enum status error_panels_create(struct error_panels **panels,
                                const struct evaluation_drawing *drawing, struct error *error)
{
    TRY(ALLOCATE(panels, 1, "picture", error));
    (*panels)->range = PICTURE_RANGE_NONE;
    (*panels)->across = 3;
    if (drawing->errors && drawing->errors->count > 0) {
        add_groups(*panels, drawing); /* pairs of panels: first */
        if (has_several_predictors(drawing->errors) || drawing->points->count == 0)
            add_predictors(*panels, drawing);
    }
    if (drawing->slices)
        add_slices(*panels, drawing->slices);
    measure(*panels);
    return STATUS_OK;
}

void draw_error_panels(struct picture *picture, const struct error_panels *panels)
{
    for (int i = 0; i < panels->count; i++) {
        const struct error_panel *panel = &panels->list[i];
        if (panel->is_coverage)
            draw_coverages(picture, &panel->dots, panel->title);
        else
            draw_dots(picture, &panel->dots, panel->title, panels->range);
    }
}
