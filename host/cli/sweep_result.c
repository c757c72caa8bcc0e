#include "cli/sweep_result.h"

#include <math.h>

enum status sweep_result_print(const struct sweep_report *report, const struct settings *settings,
                               struct error *error)
{
#define VISITS_OF(value, text)  {.name = text, .use = COLUMN_RAW},
#define CONFIGS_OF(value, text) {.name = "configs_" text, .title = text, .use = COLUMN_COUNTED},
    static const struct table_column columns[] = {
        {.name = "rows", .title = "rounds"},
        {.name = "configs", .use = COLUMN_RAW},
        OUTCOME_LIST(VISITS_OF){.name = "seconds", .title = "time", .scale = SCALE_S},
        {.name = "rows_per_minute", .title = "rounds/min", .scale = SCALE_NUMBER},
        {.name = "measuring_percent", .title = "measuring", .scale = SCALE_PERCENT},
        {.name = "warmup_percent", .title = "warm-up", .scale = SCALE_PERCENT, .spare = 1},
        {.name = "setup_percent", .title = "setup", .scale = SCALE_PERCENT, .spare = 1},
        {.name = "canary_percent", .title = "canary", .scale = SCALE_PERCENT, .spare = 3},
        {.name = "other_percent", .title = "other", .scale = SCALE_PERCENT, .spare = 2},
        {.name = "launch_gap_percent", .title = "launch gap", .scale = SCALE_PERCENT, .spare = 2},
        OUTCOME_LIST(CONFIGS_OF){.name = "checked", .use = COLUMN_COUNTED, .spare = 1},
        {.name = "check_percent", .title = "checks", .scale = SCALE_PERCENT, .spare = 3}};
#undef VISITS_OF
#undef CONFIGS_OF
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    if (settings->format == TABLE_TEXT) // each config has a row, however often it was visited
        printf("%s: %lld rows, one per config\n\n", settings->output, (long long)report->configs);
    double spent_s = report->measuring_s + report->warmup_s + report->setup_s + report->canary_s +
                     report->check_s;
    double percent = 100 / fmax(report->seconds, spent_s); // the fake device only simulates time
    table_integer(table, report->rows);
    table_integer(table, report->configs);
    for (int outcome = OUTCOME_OK; outcome < OUTCOME_COUNT; outcome++)
        table_integer(table, report->outcome_count[outcome]);
    table_number(table, report->seconds);
    table_number(table, 60 * (double)report->rows / report->seconds);
    table_number(table, percent * report->measuring_s);
    table_number(table, percent * report->warmup_s);
    table_number(table, percent * report->setup_s);
    table_number(table, percent * report->canary_s);
    table_number(table, fmax(0, 100 - percent * spent_s));
    table_number(table, report->eager_ms > 0
                            ? 100 * fmax(0, 1 - report->sampled_ms / report->eager_ms)
                            : NAN); // percent of an eager call's time
    for (int outcome = OUTCOME_OK; outcome < OUTCOME_COUNT; outcome++)
        table_integer(table, report->config_count[outcome]);
    table_integer(table, report->checked);
    table_number(table, report->checked > 0 ? percent * report->check_s : NAN);
    return cli_print_table(table, settings->format, error);
}

enum status sweep_result_judge(const struct sweep_report *report, const struct settings *settings,
                               struct error *error)
{
    if (report->incorrect == 0)
        return STATUS_OK;
    if (report->incorrect < report->checked) {
        fprintf(stderr,
                "warning: %lld of %lld checked configs have wrong results; their rows have no "
                "times, outcome incorrect\n",
                (long long)report->incorrect, (long long)report->checked);
        return STATUS_OK;
    }
    FAIL(error, STATUS_FAILED, "the results of all %lld checked configs are wrong",
         (long long)report->checked);
    return HINT(error, STATUS_FAILED,
                "the device or its library computes wrongly: do not use '%s'; --check-every 1 "
                "checks every config",
                settings->output);
}
