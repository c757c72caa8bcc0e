#include "cli/verify_table.h"

#include "base/json.h"
#include "base/stats.h"
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields of a row, for the table and for JSON ---- */

enum { FIELD_LIMIT = 20 + 2 * BASELINE_LIMIT };

struct field {
    char name[48];
    const char *text; /* NULL: a number */
    double number;
    int digits; /* 0: a whole number */
};

struct fields {
    struct field list[FIELD_LIMIT];
    struct table_column columns[FIELD_LIMIT]; /* of create_table */
    int count;
};

static struct field *add_field(struct fields *fields, const char *name, const char *suffix)
{
    struct field *field = &fields->list[fields->count++];
    *field = (struct field){.text = NULL};
    snprintf(field->name, sizeof field->name, "%s%s", name, suffix);
    return field;
}

static void add_text(struct fields *fields, const char *name, const char *text)
{
    add_field(fields, name, "")->text = text;
}

static void add_number(struct fields *fields, const char *name, const char *suffix, double number,
                       int digits)
{
    struct field *field = add_field(fields, name, suffix);
    field->number = number;
    field->digits = digits;
}

static struct verify_errors errors_of(const struct verify_row *row)
{
    return verify_errors_of(row->forecast.batch_ms, row->sum_ms, row->measured.step.median_ms);
}

static double baseline_error_percent(const struct verify_row *row, int baseline)
{
    return verify_errors_of(row->baselines_ms[baseline], NAN, row->measured.step.median_ms)
        .error_percent;
}

static void add_step(struct fields *fields, const struct forecast *forecast)
{
    add_number(fields, "batch_size", "", forecast->batch_size, 0);
    add_text(fields, "pass", choice_name(&choice_pass, forecast->pass));
    add_text(fields, "optimizer", choice_name(&choice_optimizer, forecast->optimizer));
}

static void row_fields(struct fields *fields, const struct verification *all,
                       const struct verify_row *row)
{
    const struct verify_errors errors = errors_of(row);
    fields->count = 0;
    add_text(fields, "network", all->selection->network.name);
    add_step(fields, &row->forecast);
    add_number(fields, "measured_ms", "", row->measured.step.median_ms, 4);
    add_number(fields, "measured_ci_ms", "", row->measured.step.ci_ms, 3);
    add_number(fields, "predicted_ms", "", row->forecast.batch_ms, 4);
    add_number(fields, "predicted_low_ms", "", row->forecast.batch_low_ms, 4);
    add_number(fields, "predicted_high_ms", "", row->forecast.batch_high_ms, 4);
    add_number(fields, "error_percent", "", errors.error_percent, 3);
    add_number(fields, all->baselines.list[0]->type->name, "_ms", row->baselines_ms[0], 4);
    add_number(fields, "layers_left_out", "", all->selection->left_out_count, 0);
    add_number(fields, "rounds", "", row->measured.step.round_count, 0);
    add_number(fields, "spread_percent", "", row->measured.step.spread_percent, 3);
    if (all->has_sum) {
        add_number(fields, "sum_ms", "", row->sum_ms, 4);
        add_number(fields, "model_error_percent", "", errors.model_error_percent, 3);
        add_number(fields, "sum_gap_percent", "", errors.sum_gap_percent, 3);
    }
    for (int i = 0; i < all->baselines.count; i++) {
        const char *name = all->baselines.list[i]->type->name;
        if (i > 0)
            add_number(fields, name, "_ms", row->baselines_ms[i], 4);
        add_number(fields, name, "_error_percent", baseline_error_percent(row, i), 3);
    }
}

static void table_fields(struct table *table, const struct fields *fields)
{
    for (int i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        if (field->text)
            table_string(table, field->text);
        else if (field->digits)
            table_number(table, field->number);
        else
            table_integer(table, (int64_t)field->number);
    }
}

static void json_fields(struct json *json, const struct fields *fields)
{
    for (int i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        if (field->text)
            json_string(json, field->name, field->text);
        else if (field->digits)
            json_number(json, field->name, field->number);
        else
            json_integer(json, field->name, (int64_t)field->number);
    }
}

/* Creates a table with the columns of `fields`, which must outlive it. */
static enum status create_table(struct table **table, struct fields *fields, struct error *error)
{
    for (int i = 0; i < fields->count; i++)
        fields->columns[i] = (struct table_column){.name = fields->list[i].name,
                                                   .digits = fields->list[i].digits};
    return table_create(table, fields->columns, fields->count, error);
}

/* ---- layer kinds ---- */

struct kind_sums {
    const char *name;
    int layers;
    double measured_ms, predicted_ms, alone_ms;
};

static void add_layer(struct kind_sums *sums, const struct verify_row *row, int layer)
{
    sums->layers++;
    sums->measured_ms += row->measured.in_place_ms[layer];
    sums->predicted_ms += row->forecast.layers[layer].median_ms;
    sums->alone_ms += row->measured.alone_ms ? row->measured.alone_ms[layer] : NAN;
}

/* The kinds that occur, then all: at most LAYER_KIND_COUNT + 1. */
static int sum_kinds(struct kind_sums *kinds, const struct verify_row *row,
                     const struct network *network)
{
    struct kind_sums sums[LAYER_KIND_COUNT + 1] = {0};
    int count = 0;
    for (int i = 0; i < network->layer_count; i++) {
        add_layer(&sums[network->layers[i].config.kind], row, i);
        add_layer(&sums[LAYER_KIND_COUNT], row, i);
    }
    for (int kind = 0; kind <= LAYER_KIND_COUNT; kind++)
        if (sums[kind].layers > 0) {
            kinds[count] = sums[kind];
            kinds[count++].name = kind < LAYER_KIND_COUNT ? layer_descriptors[kind]->name : "all";
        }
    return count;
}

static void kind_fields(struct fields *fields, const struct kind_sums *kind, bool has_sum)
{
    const struct verify_errors errors = verify_errors_of(kind->predicted_ms, kind->alone_ms,
                                                         kind->measured_ms);
    add_text(fields, "layer", kind->name);
    add_number(fields, "layers", "", kind->layers, 0);
    add_number(fields, "in_place_ms", "", kind->measured_ms, 4);
    add_number(fields, "predicted_ms", "", kind->predicted_ms, 4);
    add_number(fields, "error_percent", "", errors.error_percent, 3);
    if (!has_sum)
        return;
    add_number(fields, "alone_ms", "", kind->alone_ms, 4);
    add_number(fields, "model_error_percent", "", errors.model_error_percent, 3);
    add_number(fields, "sum_gap_percent", "", errors.sum_gap_percent, 3);
}

static enum status print_kinds(const struct verification *all, enum table_format format,
                               struct error *error)
{
    struct table *table = NULL;
    struct fields fields, columns = {.count = 0};
    for (int i = 0; i < all->count; i++) {
        struct kind_sums kinds[LAYER_KIND_COUNT + 1];
        const struct verify_row *row = &all->rows[i];
        const int count = row->measured.in_place_ms
                              ? sum_kinds(kinds, row, &all->selection->network)
                              : 0;
        for (int k = 0; k < count; k++) {
            fields.count = 0;
            add_step(&fields, &row->forecast);
            kind_fields(&fields, &kinds[k], all->has_sum);
            if (!table) {
                columns = fields;
                TRY(create_table(&table, &columns, error));
            }
            table_fields(table, &fields);
        }
    }
    return table ? cli_print_table(table, format, error) : STATUS_OK;
}

/* ---- summary ---- */

struct error_summary {
    const char *name;
    double median_percent, worst_percent; /* absolute */
};

/* SUM: separately measured layers against the step; MODEL: the forecast; else a baseline's number.
 */
enum { SUMMARY_SUM = -2, SUMMARY_MODEL = -1 };

static double summarised_error(const struct verify_row *row, int which)
{
    if (which == SUMMARY_SUM)
        return errors_of(row).sum_gap_percent;
    return which == SUMMARY_MODEL ? errors_of(row).error_percent
                                  : baseline_error_percent(row, which);
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

/* summaries (BASELINE_LIMIT + 2) */
static enum status summarise_all(struct error_summary *summaries, int *count,
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
    TRY(summarise_all(summaries, &count, all, error));
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s: median absolute error %.1f %%, worst %.1f %%\n", summaries[i].name,
                summaries[i].median_percent, summaries[i].worst_percent);
    return STATUS_OK;
}

/* ---- documents ---- */

static enum status print_rows(const struct verification *all, enum table_format format,
                              struct error *error)
{
    struct table *table = NULL;
    struct fields fields, columns;
    row_fields(&columns, all, &all->rows[0]);
    TRY(create_table(&table, &columns, error));
    for (int i = 0; i < all->count; i++) {
        row_fields(&fields, all, &all->rows[i]);
        table_fields(table, &fields);
    }
    return cli_print_table(table, format, error);
}

static void json_layers(struct json *json, const struct verify_row *row,
                        const struct network *network)
{
    struct kind_sums kinds[LAYER_KIND_COUNT + 1];
    const int count = sum_kinds(kinds, row, network);
    json_open(json, "kinds", '[');
    for (int i = 0; i < count; i++) {
        struct fields fields = {.count = 0};
        kind_fields(&fields, &kinds[i], row->measured.alone_ms != NULL);
        json_open(json, NULL, '{');
        json_fields(json, &fields);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "layers", '[');
    for (int i = 0; i < network->layer_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "name", network->layers[i].name);
        json_string(json, "layer", network_layer_kind(&network->layers[i]));
        json_number(json, "in_place_ms", row->measured.in_place_ms[i]);
        json_number(json, "predicted_ms", row->forecast.layers[i].median_ms);
        if (row->measured.alone_ms)
            json_number(json, "alone_ms", row->measured.alone_ms[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static enum status print_json(const struct verification *all, struct error *error)
{
    struct json json;
    struct fields fields;
    struct error_summary summaries[BASELINE_LIMIT + 2];
    int count;
    TRY(summarise_all(summaries, &count, all, error));
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    json_string(&json, "device", all->known->name);
    json_open(&json, "rows", '[');
    for (int i = 0; i < all->count; i++) {
        row_fields(&fields, all, &all->rows[i]);
        json_open(&json, NULL, '{');
        json_fields(&json, &fields);
        if (all->rows[i].measured.in_place_ms)
            json_layers(&json, &all->rows[i], &all->selection->network);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_open(&json, "summary", '[');
    for (int i = 0; i < count; i++) {
        json_open(&json, NULL, '{');
        json_string(&json, "predictor", summaries[i].name);
        json_number(&json, "median_absolute_error_percent", summaries[i].median_percent);
        json_number(&json, "worst_error_percent", summaries[i].worst_percent);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    json_end(&json);
    return STATUS_OK;
}

enum status print_verification(const struct verification *all, enum table_format format,
                               bool with_kinds, struct error *error)
{
    if (format == TABLE_JSON)
        return print_json(all, error);
    if (!with_kinds)
        return print_rows(all, format, error);
    if (format == TABLE_TEXT) {
        TRY(print_rows(all, format, error));
        putchar('\n');
    }
    return print_kinds(all, format, error);
}
