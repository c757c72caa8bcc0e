#include "pictures/device_names.h"
#include "pictures/forecast_panels.h"

/* ---- uses of memory ---- */

static const struct use {
    const char *name;
    size_t offset;
} uses[] = {
    {"parameters", offsetof(struct network_memory, parameters_bytes)},
    {"gradients", offsetof(struct network_memory, gradients_bytes)},
    {"optimizer", offsetof(struct network_memory, optimizer_bytes)},
    {"activations", offsetof(struct network_memory, activations_bytes)},
    {"workspace", offsetof(struct network_memory, workspace_bytes)},
};
enum { USE_COUNT = sizeof uses / sizeof *uses };

static double bytes_of(const struct network_memory *memory, int use)
{
    return (double)*(const int64_t *)((const char *)memory + uses[use].offset);
}

/* ---- which forecasts have a bar ---- */

/* The last batch sizes of a step, as many as there is place for. */
static int batches_per_step(const struct forecast_grid *all)
{
    const struct network_selection *selection = &all->request->selection;
    const int place = BAR_LIMIT / selection->step_count;
    return selection->batch_count < place ? selection->batch_count : place;
}

int memory_bar_count(const struct forecast_grid *all)
{
    return all->request->selection.step_count * batches_per_step(all);
}

/* Memory does not depend on the device. */
static const struct forecast *forecast_of(const struct forecast_grid *all, int bar)
{
    const int per_step = batches_per_step(all);
    const int first_batch = all->request->selection.batch_count - per_step;
    return &grid_row(all, 0, bar / per_step, 0, first_batch + bar % per_step)->forecast;
}

/* ---- the panel ---- */

/* Data block $memory: place, ends of the uses from 0 on, the sum as a text. */
static void put_data(struct picture *picture, const struct forecast_grid *all)
{
    fputs("$memory << EOD\n", picture->script);
    for (int bar = 0; bar < memory_bar_count(all); bar++) {
        const struct network_memory *memory = &forecast_of(all, bar)->memory;
        char text[HUMAN_TEXT_SIZE];
        double end = 0;
        fprintf(picture->script, "%d 0", bar);
        for (int use = 0; use < USE_COUNT; use++) {
            end += bytes_of(memory, use);
            fprintf(picture->script, " %.9g", end);
        }
        fprintf(picture->script, " \"%s\"\n",
                human_text(text, SCALE_BYTES, (double)memory->total_bytes, 3));
    }
    fputs("EOD\n", picture->script);
}

static double most_bytes(const struct forecast_grid *all)
{
    double most = 0;
    for (int bar = 0; bar < memory_bar_count(all); bar++)
        most = fmax(most, (double)forecast_of(all, bar)->memory.total_bytes);
    return most;
}

static bool is_repeated(const struct forecast_request *request, int device)
{
    for (int i = 0; i < device; i++)
        if (request->devices[i].memory_bytes == request->devices[device].memory_bytes)
            return true;
    return false;
}

/* "V100, P100: 16 GiB", the devices with as much memory as `device` */
static void name_limit(char *text, size_t size, const struct forecast_request *request, int device)
{
    const int64_t bytes = request->devices[device].memory_bytes;
    const struct device_info *devices[NAMED_DEVICES];
    char human[HUMAN_TEXT_SIZE];
    int count = 0;
    for (int i = device; i < request->device_count; i++)
        if (request->devices[i].memory_bytes == bytes && count++ < NAMED_DEVICES)
            devices[count - 1] = request->devices[i].info;
    const size_t used = name_devices(text, size, devices, count);
    snprintf(text + used, size - used, ": %s", human_text(human, SCALE_BYTES, (double)bytes, 3));
}

/* A line at a device's memory; those of equal memory share it. */
static void mark_limits(struct picture *picture, const struct forecast_grid *all, double end)
{
    const struct forecast_request *request = all->request;
    for (int i = 0, line = 0; i < request->device_count; i++) {
        const double bytes = (double)request->devices[i].memory_bytes;
        char text[256];
        if (!(bytes > 0) || bytes > end || is_repeated(request, i))
            continue;
        name_limit(text, sizeof text, request, i);
        fprintf(picture->script,
                "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead front dt 2 lw 1.5 "
                "lc rgb '#000000'\nset label ",
                bytes, bytes);
        picture_text(picture, text);
        fprintf(picture->script, " at %.9g, graph 1 right front offset -0.7,%.3g\n", bytes,
                -0.8 - 1.2 * line++);
    }
}

static void name_bars(struct picture *picture, const struct forecast_grid *all)
{
    fputs("set ytics (", picture->script);
    for (int bar = 0; bar < memory_bar_count(all); bar++) {
        const struct forecast *forecast = forecast_of(all, bar);
        char step[STEP_NAME_SIZE], name[80];
        step_name(step, forecast->pass, forecast->optimizer);
        snprintf(name, sizeof name, "%s, batch %d", step, forecast->device_batch_size);
        fputs(bar ? ", " : "", picture->script);
        picture_tic_text(picture, name);
        fprintf(picture->script, " %d", bar);
    }
    fputs(")\nset ytics scale 0\nset grid noytics\n", picture->script);
}

static void plot_uses(struct picture *picture)
{
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    for (int use = 0; use < USE_COUNT; use++) {
        const int start = 2 + use, end = 3 + use;
        fputs(use ? ", " : "plot ", picture->script);
        if (is_drawn)
            fprintf(picture->script,
                    "$memory using %d:1:%d:%d:($1-0.36):($1+0.36) with boxxyerror fs solid 0.85 "
                    "noborder",
                    start, start, end);
        else
            fprintf(picture->script, "$memory using %d:1:($%d-$%d):(0) with vectors nohead", start,
                    end, start);
        fprintf(picture->script, " lc rgb %s title '%s'", picture_colour(use), uses[use].name);
    }
    if (is_drawn)
        fprintf(picture->script, ", $memory using %d:1:%d with labels left offset 0.4,0 notitle",
                2 + USE_COUNT, 3 + USE_COUNT);
    fputc('\n', picture->script);
}

void draw_memory(struct picture *picture, const struct forecast_grid *all)
{
    static const double limit_share = 3;
    const double most = most_bytes(all);
    double end = 1.2 * most;
    for (int i = 0; i < all->request->device_count; i++) {
        const double bytes = (double)all->request->devices[i].memory_bytes;
        if (bytes <= limit_share * most)
            end = fmax(end, 1.05 * bytes);
    }
    picture_panel(picture, "memory of one device, by use", "memory", "");
    picture_linear_axis(picture, 'x', end, SCALE_BYTES);
    fprintf(picture->script, "set yrange [%d.5:-0.5]\n", memory_bar_count(all) - 1);
    name_bars(picture, all);
    mark_limits(picture, all, end);
    put_data(picture, all);
    plot_uses(picture);
}
