#include "cli/train_advice.h"

#include "base/text.h"
#include "evaluate/learning_curve.h"
#include "predictors/rivals.h"

#include <math.h>
#include <stdio.h>

enum {
    LIST_SIZE = 600,
    POOR_PERCENT = 30,    /* worse than this, or than a rival: more rows are worth it */
    GOOD_PERCENT = 10,    /* better than this is good, rivals notwithstanding */
    FEW_ROWS = 4000,      /* with more rows, more of them are not the first remedy */
    MINUTES_PER_KIND = 5, /* where rows do not say how long they took */
    LONGEST_HOURS = 24,
};

static void note_rivals(const struct fit_report *reports)
{
    char list[LIST_SIZE] = "";
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct fit_report *report = &reports[kind];
        const int rival = report->rows > 0 ? rivals_better(&report->held_out, report->rivals) : -1;
        if (rival >= 0)
            text_list_add(list, sizeof list, ", ", "%s %.3g %% (%s %.3g %%)",
                          layer_descriptors[kind]->name, report->held_out.mape_percent,
                          rival_types[rival]->name, report->rivals[rival].mape_percent);
    }
    if (*list)
        term_message(stderr, "note: a simpler predictor is nearer to held-out rows: %s\n", list);
}

static bool is_poor(const struct fit_report *report)
{
    const double percent = report->held_out.mape_percent;
    return report->rows > 0 && report->rows < FEW_ROWS && report->held_out.count > 0 &&
           percent > GOOD_PERCENT &&
           (percent > POOR_PERCENT || rivals_better(&report->held_out, report->rivals) >= 0);
}

/* The device's backend, and its threads and caches where they are not the defaults: rows of other
 * caches could not be trained on with these. */
static void describe_device(char *text, size_t size, const struct dataset_rows *rows)
{
    const struct device_info *device = rows->devices;
    text_list_add(text, size, " ", "--device %s", device->backend);
    if (device->thread_count > 1)
        text_list_add(text, size, " ", "--threads %d", device->thread_count);
    if (device->cache != CACHE_STEP)
        text_list_add(text, size, " ", "--cache %s", choice_name(&choice_cache, device->cache));
}

/* "5m", "3h", as --time-budget takes it: from a minute to LONGEST_HOURS. */
static void budget_text(char *text, size_t size, double seconds)
{
    const double minutes = fmax(1, ceil(seconds / 60));
    if (minutes < 120)
        snprintf(text, size, "%.0fm", minutes);
    else
        snprintf(text, size, "%.0fh", fmin(ceil(minutes / 60), LONGEST_HOURS));
}

static void print_advice(const struct dataset_rows *rows, const struct fit_report *reports,
                         const bool *poor, const struct learning_curve *curves,
                         const struct settings *settings)
{
    char device[120] = "", kinds[200] = "", errors[LIST_SIZE] = "", budget[24];
    double seconds = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        char error[HELD_OUT_TEXT_SIZE];
        if (!poor[kind])
            continue;
        text_list_add(kinds, sizeof kinds, ",", "%s", layer_descriptors[kind]->name);
        text_list_add(errors, sizeof errors, ", ", "%s %s", layer_descriptors[kind]->name,
                      held_out_text(error, &reports[kind].held_out));
        seconds += curves[kind].seconds > 0 ? curves[kind].seconds : 60 * MINUTES_PER_KIND;
    }
    describe_device(device, sizeof device, rows);
    budget_text(budget, sizeof budget, seconds);
    term_message(stderr, "note: large errors on held-out rows: %s\n", errors);
    /* A seed that these files are not likely to have: draws would repeat. */
    term_message(stderr,
                 "hint: to halve them, time more layers, then train on all files: "
                 "epochcast sweep %s --layer %s --time-budget %s --seed %d -O more.h5\n",
                 device, kinds, budget, settings->operand_count + 1);
}

enum status train_advise(const struct dataset_rows *rows, const struct fit_report *reports,
                         const struct mlp_options *options, const struct settings *settings,
                         struct error *error)
{
    bool poor[LAYER_KIND_COUNT];
    bool is_any = false;
    struct learning_curve curves[LAYER_KIND_COUNT];
    note_rivals(reports);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        is_any |= poor[kind] = is_poor(&reports[kind]);
    if (!is_any || rows->device_count > 1)
        return STATUS_OK;
    const struct train_progress watched = {.interrupted = &cli_interrupted};
    struct mlp_options own = *options;
    own.progress = &watched;
    const enum status status = learning_curves_measure(curves, poor, reports, rows, &own, error);
    if (status == STATUS_OK)
        print_advice(rows, reports, poor, curves, settings);
    return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}
