#include "cli/verify_table.h"

#include "base/json.h"
#include "bench/device_identity.h"
#include "cli/caveat_notes.h"
#include "cli/cli.h"
#include "cli/predict_text.h"
#include "cli/verify_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields of a row, for the table and for JSON ---- */

enum { FIELD_LIMIT = 20 + 2 * BASELINE_LIMIT };

struct field {
    char name[48];
    const char *text; /* NULL: a number */
    double number;
    bool is_whole;
};

struct fields {
    struct field list[FIELD_LIMIT];
    struct table_column columns[FIELD_LIMIT]; /* for people; their names are those of `list` */
    int count;
};

static struct field *add_field(struct fields *fields, struct table_column column,
                               const char *suffix)
{
    struct field *field = &fields->list[fields->count];
    *field = (struct field){.text = NULL};
    snprintf(field->name, sizeof field->name, "%s%s", column.name, suffix);
    fields->columns[fields->count++] = column;
    return field;
}

static void add_text(struct fields *fields, struct table_column column, const char *text)
{
    add_field(fields, column, "")->text = text;
}

static void add_count(struct fields *fields, struct table_column column, int64_t count)
{
    struct field *field = add_field(fields, column, "");
    field->number = (double)count;
    field->is_whole = true;
}

static void add_number(struct fields *fields, struct table_column column, double number)
{
    add_field(fields, column, "")->number = number;
}

static struct table_column time_column(const char *name, const char *title, int spare)
{
    return (struct table_column){
        .name = name, .title = title, .scale = SCALE_MS, .digits = 4, .spare = spare};
}

static struct table_column percent_column(const char *name, const char *title, int spare)
{
    return (struct table_column){
        .name = name, .title = title, .scale = SCALE_PERCENT, .spare = spare};
}

static void add_step(struct fields *fields, const struct forecast *forecast)
{
    add_count(fields, (struct table_column){.name = "batch_size", .title = "batch"},
              forecast->batch_size);
    add_text(fields, (struct table_column){.name = "pass", .use = COLUMN_SEVERAL},
             choice_name(&choice_pass, forecast->pass));
    add_text(fields, (struct table_column){.name = "optimizer", .use = COLUMN_SEVERAL},
             choice_name(&choice_optimizer, forecast->optimizer));
}

/* Its time is for programs: people see its error. */
static void add_baseline_time(struct fields *fields, const char *name, double ms)
{
    add_field(fields, (struct table_column){.name = name, .use = COLUMN_RAW}, "_ms")->number = ms;
}

static void add_baseline_error(struct fields *fields, const char *name, double percent)
{
    add_field(fields, percent_column(name, name, 1), "_error_percent")->number = percent;
}

static void row_fields(struct fields *fields, const struct verification *all,
                       const struct verify_row *row)
{
    const struct verify_errors errors = verify_row_errors(row);
    fields->count = 0;
    add_text(fields, (struct table_column){.name = "network", .use = COLUMN_SEVERAL},
             all->selection->network.name);
    add_step(fields, &row->forecast);
    add_number(fields, time_column("measured_ms", "measured", 0), row->measured.step.median_ms);
    add_number(fields, time_column("measured_ci_ms", "+-", 5), row->measured.step.ci_ms);
    add_number(fields, time_column("predicted_ms", "forecast", 0), row->forecast.batch_ms);
    add_number(fields, time_column("predicted_low_ms", "low", 3), row->forecast.batch_low_ms);
    add_number(fields, time_column("predicted_high_ms", "high", 3), row->forecast.batch_high_ms);
    add_number(fields, percent_column("error_percent", "error", 0), errors.error_percent);
    add_baseline_time(fields, all->baselines.list[0]->type->name, row->baselines_ms[0]);
    add_count(fields, (struct table_column){.name = "layers_left_out", .use = COLUMN_RAW},
              all->selection->left_out_count);
    add_count(fields, (struct table_column){.name = "rounds", .use = COLUMN_SEVERAL},
              row->measured.step.round_count);
    add_number(fields, percent_column("spread_percent", "spread", 4),
               row->measured.step.spread_percent);
    if (all->has_sum) {
        add_number(fields, time_column("sum_ms", "sum", 2), row->sum_ms);
        add_number(fields, percent_column("model_error_percent", "model error", 0),
                   errors.model_error_percent);
        add_number(fields, percent_column("sum_gap_percent", "sum gap", 0), errors.sum_gap_percent);
    }
    for (int i = 0; i < all->baselines.count; i++) {
        const char *name = all->baselines.list[i]->type->name;
        if (i > 0)
            add_baseline_time(fields, name, row->baselines_ms[i]);
        add_baseline_error(fields, name, verify_baseline_error(row, i));
    }
}

static void table_fields(struct table *table, const struct fields *fields)
{
    for (int i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        if (field->text)
            table_string(table, field->text);
        else if (!field->is_whole)
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
        else if (!field->is_whole)
            json_number(json, field->name, field->number);
        else
            json_integer(json, field->name, (int64_t)field->number);
    }
}

/* Creates a table with the columns of `fields`, which must outlive it. */
static enum status create_table(struct table **table, struct fields *fields, struct error *error)
{
    for (int i = 0; i < fields->count; i++)
        fields->columns[i].name = fields->list[i].name;
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

int verified_kinds(struct verified_kind *kinds, const struct verify_row *row,
                   const struct network *network)
{
    _Static_assert((int)LAYER_KIND_COUNT <= (int)VERIFIED_KIND_LIMIT, "kinds");
    struct kind_sums sums[LAYER_KIND_COUNT + 1];
    const int count = row->measured.in_place_ms ? sum_kinds(sums, row, network) - 1 : 0;
    for (int i = 0; i < count; i++) { /* the last one: all kinds */
        kinds[i] = (struct verified_kind){.layer_count = sums[i].layers,
                                          .in_place_ms = sums[i].measured_ms,
                                          .predicted_ms = sums[i].predicted_ms,
                                          .alone_ms = sums[i].alone_ms};
        snprintf(kinds[i].name, sizeof kinds[i].name, "%s", sums[i].name);
    }
    return count;
}

static void kind_fields(struct fields *fields, const struct kind_sums *kind, bool has_sum)
{
    const struct verify_errors errors = verify_errors_of(kind->predicted_ms, kind->alone_ms,
                                                         kind->measured_ms);
    add_text(fields, (struct table_column){.name = "layer"}, kind->name);
    add_count(fields, (struct table_column){.name = "layers"}, kind->layers);
    add_number(fields, time_column("in_place_ms", "in place", 0), kind->measured_ms);
    add_number(fields, time_column("predicted_ms", "forecast", 0), kind->predicted_ms);
    add_number(fields, percent_column("error_percent", "error", 0), errors.error_percent);
    if (!has_sum)
        return;
    add_number(fields, time_column("alone_ms", "alone", 1), kind->alone_ms);
    add_number(fields, percent_column("model_error_percent", "model error", 0),
               errors.model_error_percent);
    add_number(fields, percent_column("sum_gap_percent", "sum gap", 0), errors.sum_gap_percent);
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

/* ---- documents ---- */

static void print_head(const struct verification *all)
{
    char label[DEVICE_LABEL_LIMIT];
    const struct network_selection *selection = all->selection;
    device_label(label, all->known);
    print_network_head(&selection->network);
    const int rounds = all->rows[0].measured.step.round_count;
    printf("device    %s; %s; times are of %d round%s\n", label,
           choice_name(&choice_precision, all->precision), rounds, rounds == 1 ? "" : "s");
    print_steps_head(selection, false);
    putchar('\n');
}

static enum status print_rows(const struct verification *all, enum table_format format,
                              struct error *error)
{
    struct table *table = NULL;
    struct fields fields, columns;
    if (format == TABLE_TEXT)
        print_head(all);
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

static enum status print_json(const struct verification *all, const struct caveats *caveats,
                              struct error *error)
{
    struct json json;
    char label[DEVICE_LABEL_LIMIT];
    struct fields fields;
    struct error_summary summaries[BASELINE_LIMIT + 2];
    int count;
    TRY(verify_summarise(summaries, &count, all, error));
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    device_label(label, all->known);
    json_string(&json, "device", all->known->name);
    json_string(&json, "device_label", label);
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
    json_caveats(&json, caveats);
    json_close(&json, '}');
    json_end(&json);
    return STATUS_OK;
}

enum status print_verification(const struct verification *all, enum table_format format,
                               bool with_kinds, const struct caveats *caveats, struct error *error)
{
    if (format == TABLE_JSON)
        return print_json(all, caveats, error);
    if (!with_kinds)
        return print_rows(all, format, error);
    if (format == TABLE_TEXT) {
        TRY(print_rows(all, format, error));
        putchar('\n');
    }
    return print_kinds(all, format, error);
}
