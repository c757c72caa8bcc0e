#include "cli/verify_summary.h"

#include "base/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct verify_errors verify_row_errors(const struct verify_row *row)
{
    return verify_errors_of(row->forecast.batch_ms, row->sum_ms, row->measured.step.median_ms);
}

double verify_baseline_error(const struct verify_row *row, int baseline)
{
    return verify_errors_of(row->baselines_ms[baseline], NAN, row->measured.step.median_ms)
        .error_percent;
}

/* SUM: separately measured layers against the step; MODEL: the forecast; else a baseline's number.
 */
enum { SUMMARY_SUM = -2, SUMMARY_MODEL = -1 };

static double summarised_error(const struct verify_row *row, int which)
{
    if (which == SUMMARY_SUM)
        return verify_row_errors(row).sum_gap_percent;
    return which == SUMMARY_MODEL ? verify_row_errors(row).error_percent
                                  : verify_baseline_error(row, which);
}

/* False when nothing was measured. */
static bool summarise(struct error_summary *summary, double *scratch,
                      const struct verification *all, int which)
{
    size_t count = 0;
    for (int i = 0; i < all->count; i++) {
        const double error_percent = fabs(summarised_error(&all->rows[i], which));
        if (!isnan(error_percent))
            scratch[count++] = error_percent;
    }
    if (count == 0)
        return false;
    stats_sort(scratch, count);
    *summary = (struct error_summary){
        .name = which == SUMMARY_SUM     ? "sum_of_layers"
                : which == SUMMARY_MODEL ? all->selection->model.predictor->type->name
                                         : all->baselines.list[which]->type->name,
        .median_percent = stats_quantile(scratch, count, 0.5),
        .worst_percent = scratch[count - 1],
    };
    return true;
}

enum status verify_summarise(struct error_summary *summaries, int *count,
                             const struct verification *all, struct error *error)
{
    void *scratch;
    *count = 0;
    TRY(error_allocate(&scratch, (size_t)all->count, sizeof(double), "errors", error));
    if (summarise(&summaries[*count], scratch, all, SUMMARY_MODEL))
        ++*count;
    for (int which = SUMMARY_SUM; which < all->baselines.count; which++)
        if (which != SUMMARY_MODEL && summarise(&summaries[*count], scratch, all, which))
            ++*count;
    free(scratch);
    return STATUS_OK;
}

enum status print_verify_summary(const struct verification *all, struct error *error)
{
    struct error_summary summaries[BASELINE_LIMIT + 2];
    int count;
    TRY(verify_summarise(summaries, &count, all, error));
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s: median absolute error %.1f %%, worst %.1f %%\n", summaries[i].name,
                summaries[i].median_percent, summaries[i].worst_percent);
    return STATUS_OK;
}
