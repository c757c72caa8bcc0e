#include "cli/report_columns.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A name that ends in '*' stands for all that begin so. */
static const struct {
    const char *name, *meaning;
} meanings[] = {
    /* datasets */
    {"rows", "configs that were measured, timed or not"},
    {"timed", "rows that have a time"},
    {"capped", "timed rows that met the time cap before their interval was narrow enough"},
    {"slow", "rows given up because one call takes longer than the cap"},
    {"out_of_memory", "configs that the device's memory does not hold"},
    {"unsupported", "configs that the device's library does not compute"},
    {"train", "timed rows that a model learns from"},
    {"test", "timed rows that choose the best epoch and calibrate the intervals"},
    {"validation", "timed rows that judge: training never sees them"},
    {"fastest_ms", "the shortest time of a call"},
    {"median_ms", "half of the rows take less"},
    {"slowest_ms", "the longest time of a call"},
    {"from_ms", "rows from this time on, up to the next line's"},
    {"ci_median_percent", "half-width of a time's 95 % interval, in percent of the time: median"},
    {"ci_p90_percent", "the same for the 90th of 100 rows"},
    {"several_rounds", "rows timed in several rounds"},
    {"spread_median_percent", "difference between a row's rounds: median"},
    {"spread_p90_percent", "the same for the 90th of 100 rows"},
    {"outcome", "how a measurement ended"},
    {"canary", "a fixed computation, repeated during the sweep: it shows when the machine changes"},
    {"first_ms", "its time at the beginning"},
    {"last_ms", "its time at the end"},
    {"drift_percent", "how much slower it is at the end"},
    {"largest_percent", "the largest deviation from its first time"},
    {"pressure_rows", "rows timed while other programs waited for the processors"},
    {"pressure_median_percent", "share of time in which others waited: median"},
    {"pressure_p90_percent", "the same for the 90th of 100 rows"},
    /* models */
    {"nets", "neural networks whose forecasts are averaged"},
    {"shape", "inputs, neurons of each layer, outputs"},
    {"encoding", "how a config becomes the network's inputs"},
    {"columns", "number of inputs"},
    {"interval_percent", "share of measurements that the intervals should cover"},
    {"maximum_flops", "work of the largest layer that the model learnt from"},
    {"preset", "set of options that training began with"},
    {"held_out_rows", "rows left out of the training that its errors are of"},
    {"held_out_mape_percent", "mean absolute relative error of these rows"},
    {"held_out_standard_error_percent", "standard error of that mean"},
    /* accuracy */
    {"predictor", "what forecasts"},
    {"calibration_rows", "rows of the device that corrected the forecasts"},
    {"count", "number of rows"},
    {"group", "the rows of a pass or decade"},
    {"rmse_ms", "root of the mean squared error"},
    {"mae_ms", "mean absolute error"},
    {"mape_percent", "mean absolute relative error; a few large ones dominate it"},
    {"median_ape_percent", "half of the rows have a smaller relative error"},
    {"p90_ape_percent", "90 of 100 rows have a smaller relative error"},
    {"r2", "share of the times' variance that the forecasts explain; 1 is best"},
    {"rmsle", "root mean squared error of ln(1 + ms): the loss that training minimises"},
    {"interval_coverage_percent", "share of the rows within the interval of their forecast"},
    /* forecasts */
    {"batch", "samples of a step on one device"},
    {"batch_size", "samples of a step on one device"},
    {"pass", "forward: inference; train: forward, backward and update"},
    {"optimizer", "rule of the update"},
    {"time", "forecast time of a step"},
    {"low", "lower end of its interval"},
    {"high", "upper end of its interval"},
    {"epoch", "time of all samples once"},
    {"epoch cost", "its price"},
    {"epoch energy", "its energy"},
    {"total", "time of all epochs"},
    {"cost", "their price"},
    {"energy", "their energy"},
    {"memory", "counted memory of one device; its libraries need more"},
    {"fits", "whether the device's memory holds it"},
    /* verification */
    {"measured_ms", "time of a whole step, measured"},
    {"predicted_ms", "its forecast"},
    {"predicted_low_ms", "lower end of the forecast's interval"},
    {"predicted_high_ms", "upper end of the forecast's interval"},
    {"error_percent", "forecast less measured, in percent of measured"},
    {"sum_ms", "sum of its layers, each measured alone"},
    {"model_error_percent", "error of the layers' forecasts, against the layers measured alone"},
    {"sum_gap_percent", "error of adding up layers, even with perfect forecasts"},
    {"error of *", "error of this baseline's forecast of the step"},
};

static bool matches(const char *pattern, const char *name)
{
    const size_t length = strlen(pattern);
    return pattern[length - 1] == '*' ? strncmp(pattern, name, length - 1) == 0
                                      : strcmp(pattern, name) == 0;
}

const char *column_meaning(const char *name)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (matches(meanings[i].name, name))
            return meanings[i].meaning;
    return NULL;
}
