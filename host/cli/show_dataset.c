#include "cli/show.h"

#include "base/json.h"
#include "bench/device_identity.h"
#include "data/quality.h"

#include <math.h>
#include <string.h>

/* ---- rows of a kind and device ---- */

static const struct table_column group_columns[] = {
    {.name = "layer"},
    {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
    {.name = "rows"},
    {.name = "timed"},
    {.name = "capped", .use = COLUMN_COUNTED},
    {.name = "slow", .use = COLUMN_COUNTED},
    {.name = "out_of_memory", .title = "no memory", .use = COLUMN_COUNTED},
    {.name = "unsupported", .use = COLUMN_COUNTED},
    {.name = "train", .spare = 1},
    {.name = "test", .spare = 1},
    {.name = "validation", .spare = 1},
    {.name = "fastest_ms", .title = "fastest", .scale = SCALE_MS},
    {.name = "median_ms", .title = "median", .scale = SCALE_MS},
    {.name = "slowest_ms", .title = "slowest", .scale = SCALE_MS},
    {.name = "noise_median_percent", .title = "noise", .scale = SCALE_PERCENT},
    {.name = "noise_p90_percent", .title = "p90", .scale = SCALE_PERCENT, .spare = 2},
    {.name = "incorrect", .use = COLUMN_COUNTED},
    {.name = "source", .use = COLUMN_SEVERAL, .spare = 3}};

static void add_group(struct table *table, const struct quality_group *group, const char *layer,
                      const struct device_info *device)
{
    table_string(table, layer);
    table_string(table, device->name);
    table_integer(table, (int64_t)group->rows);
    table_integer(table, (int64_t)group->times_ms.count);
    for (int outcome = OUTCOME_CAPPED; outcome <= OUTCOME_UNSUPPORTED; outcome++)
        table_integer(table, (int64_t)group->outcomes[outcome]);
    for (int split = 0; split < SPLIT_COUNT; split++)
        table_integer(table, (int64_t)group->splits[split]);
    table_number(table, quantiles_at(&group->times_ms, 0));
    table_number(table, quantiles_at(&group->times_ms, 0.5));
    table_number(table, quantiles_at(&group->times_ms, 1));
    table_number(table, quantiles_at(&group->noise_percent, 0.5));
    table_number(table, quantiles_at(&group->noise_percent, 0.9));
    table_integer(table, (int64_t)group->outcomes[OUTCOME_INCORRECT]);
    table_string(table, device->source);
}

static enum status fill_groups(struct table *table, const struct quality *quality,
                               struct error *error)
{
    const struct dataset_rows *tables = &quality->tables;
    (void)error;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int32_t device = 0; device < tables->device_count; device++) {
            const struct quality_group *group = quality_group(quality, kind, device);
            if (group->rows)
                add_group(table, group, layer_descriptors[kind]->name, &tables->devices[device]);
        }
    return STATUS_OK;
}

/* ---- quality ---- */

static const struct table_column noise_columns[] = {
    {.name = "from_ms", .title = "from", .scale = SCALE_MS},
    {.name = "rows"},
    {.name = "ci_median_percent", .title = "noise", .scale = SCALE_PERCENT},
    {.name = "ci_p90_percent", .title = "p90", .scale = SCALE_PERCENT},
    {.name = "several_rounds", .title = "in several rounds", .use = COLUMN_COUNTED},
    {.name = "spread_median_percent", .title = "spread", .scale = SCALE_PERCENT},
    {.name = "spread_p90_percent", .title = "p90", .scale = SCALE_PERCENT}};

static enum status fill_noise(struct table *table, const struct quality *quality,
                              struct error *error)
{
    (void)error;
    for (int decade = DECADE_MINIMUM; decade <= DECADE_MAXIMUM; decade++) {
        const struct quality_noise noise = quality_noise(quality, decade);
        if (noise.rows == 0)
            continue;
        table_number(table, pow(10, decade));
        table_integer(table, (int64_t)noise.rows);
        table_number(table, noise.ci.median);
        table_number(table, noise.ci.p90);
        table_integer(table, (int64_t)noise.rounds.count);
        table_number(table, noise.rounds.median);
        table_number(table, noise.rounds.p90);
    }
    return STATUS_OK;
}

static const struct table_column outcome_columns[] = {
    {.name = "outcome"},
    {.name = "rows"},
    {.name = "percent", .title = "share", .scale = SCALE_PERCENT}};

static enum status fill_outcomes(struct table *table, const struct quality *quality,
                                 struct error *error)
{
    (void)error;
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        const size_t count = quality_outcome_count(quality, (enum outcome)outcome);
        if (count == 0)
            continue;
        table_string(table, choice_name(&choice_outcome, outcome));
        table_integer(table, (int64_t)count);
        table_number(table, 100 * (double)count / (double)quality->count);
    }
    return STATUS_OK;
}

static const struct table_column canary_columns[] = {
    {.name = "canary"},
    {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
    {.name = "count"},
    {.name = "first_ms", .title = "first", .digits = 4, .scale = SCALE_MS},
    {.name = "last_ms", .title = "last", .digits = 4, .scale = SCALE_MS},
    {.name = "drift_percent", .title = "drift", .scale = SCALE_PERCENT},
    {.name = "largest_percent", .title = "largest", .scale = SCALE_PERCENT}};

static enum status fill_canary(struct table *table, const struct quality *quality,
                               struct error *error)
{
    static const char *const names[CANARY_COUNT] = {[CANARY_GEMM] = "gemm", [CANARY_COPY] = "copy"};
    (void)error;
    for (int32_t device = 0; device < quality->tables.device_count; device++)
        for (int which = 0; which < CANARY_COUNT; which++) {
            const struct quality_drift drift = quality_drift(quality, device,
                                                             (enum quality_canary)which);
            if (drift.count == 0)
                continue;
            table_string(table, names[which]);
            table_string(table, quality->tables.devices[device].name);
            table_integer(table, (int64_t)drift.count);
            table_number(table, drift.first_ms);
            table_number(table, drift.last_ms);
            table_number(table, drift.drift_percent);
            table_number(table, drift.largest_percent);
        }
    return STATUS_OK;
}

static const struct table_column pressure_columns[] = {
    {.name = "pressure_rows", .title = "rows under pressure"},
    {.name = "pressure_median_percent", .title = "slower by", .scale = SCALE_PERCENT},
    {.name = "pressure_p90_percent", .title = "p90", .scale = SCALE_PERCENT}};

static enum status fill_pressure(struct table *table, const struct quality *quality,
                                 struct error *error)
{
    const struct quality_spread pressure = quality_pressure(quality);
    (void)error;
    if (pressure.count == 0)
        return STATUS_OK;
    table_integer(table, (int64_t)pressure.count);
    table_number(table, pressure.median);
    table_number(table, pressure.p90);
    return STATUS_OK;
}

static const struct table_column warning_columns[] = {{.name = "warning"}, {.name = "advice"}};

static enum status fill_warnings(struct table *table, const struct quality *quality,
                                 struct error *error)
{
    struct quality_warning warnings[QUALITY_WARNING_LIMIT];
    const int count = quality_warnings(warnings, quality);
    (void)error;
    for (int i = 0; i < count; i++) {
        table_string(table, warnings[i].what);
        table_string(table, warnings[i].advice);
    }
    return STATUS_OK;
}

/* ---- the document ---- */

/* A table of the report: an array of that name in JSON. Only the first is printed as csv and jsonl.
 */
struct section {
    const char *key;
    const struct table_column *columns;
    int column_count;
    enum status (*fill)(struct table *table, const struct quality *quality, struct error *error);
};
#define SECTION(name, table_columns, function)                                                     \
    {                                                                                              \
        .key = name, .columns = table_columns,                                                     \
        .column_count = sizeof table_columns / sizeof *table_columns, .fill = function             \
    }
static const struct section sections[] = {
    SECTION("rows", group_columns, fill_groups),
    SECTION("noise", noise_columns, fill_noise),
    SECTION("outcomes", outcome_columns, fill_outcomes),
    SECTION("canary", canary_columns, fill_canary),
    SECTION("pressure", pressure_columns, fill_pressure),
    SECTION("warnings", warning_columns, fill_warnings),
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections };

struct labelled_text {
    const char *label, *key, *text;
};
enum { LABEL_COUNT = 10 };

static void list_texts(struct labelled_text texts[LABEL_COUNT], const struct dataset_header *header)
{
    const struct labelled_text all[LABEL_COUNT] = {
        {"written by", "program_version", header->program_version},
        {"created", "created", header->created},
        {"command", "command_line", header->command_line},
        {"libraries", "libraries", header->libraries},
        {"sampler", "sampler", header->sampler},
        {"protocol", "protocol", header->protocol},
        {"shard", "shard", header->shard},
        {"licence", "licence", header->licence},
        {"citation", "citation", header->citation},
        {"sources", "sources", header->sources},
    };
    for (int i = 0; i < LABEL_COUNT; i++)
        texts[i] = all[i];
}

void show_label(const char *label, const char *text)
{
    enum { INDENT = 12 };
    printf("%-*s", INDENT, label);
    for (const char *end; *text; text = *end ? end + 1 : end) {
        char line[1024];
        end = text + strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        table_print_wrapped(stdout, line, TABLE_WIDTH - INDENT, INDENT);
        if (*end && end[1])
            printf("%*s", INDENT, "");
    }
}

static void print_header(const struct quality *quality)
{
    struct labelled_text texts[LABEL_COUNT];
    list_texts(texts, &quality->tables.header);
    for (int i = 0; i < LABEL_COUNT; i++)
        if (*texts[i].text)
            show_label(texts[i].label, texts[i].text);
    for (int32_t i = 0; i < quality->tables.device_count; i++) {
        char label[DEVICE_LABEL_LIMIT + 40];
        device_label(label, &quality->tables.devices[i]);
        if (*quality->tables.devices[i].source)
            snprintf(label + strlen(label), sizeof label - strlen(label), ", by %s",
                     quality->tables.devices[i].source);
        show_label("device", label);
    }
    char domain[sizeof quality->tables.header.domain + 1];
    show_domain(domain, sizeof domain, quality->tables.header.domain);
    if (*domain)
        show_label("domain", domain);
    printf("%-12s%llu\n", "seed", (unsigned long long)quality->tables.header.seed);
    printf("%-12s%s\n", "state",
           quality->tables.is_growing ? "unfinished: rounds joined on reading" : "finished");
}

static void json_header(struct json *json, const struct quality *quality)
{
    struct labelled_text texts[LABEL_COUNT];
    char seed[32];
    list_texts(texts, &quality->tables.header);
    for (int i = 0; i < LABEL_COUNT; i++)
        json_string(json, texts[i].key, texts[i].text);
    json_string(json, "domain", quality->tables.header.domain);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)quality->tables.header.seed);
    json_string(json, "seed", seed); /* 64 bits: more than a JSON number keeps */
    json_bool(json, "is_growing", quality->tables.is_growing);
}

static enum status make_table(struct table **table, const struct section *section,
                              const struct quality *quality, struct error *error)
{
    TRY(table_create(table, section->columns, section->column_count, error));
    const enum status status = section->fill(*table, quality, error);
    if (status != STATUS_OK)
        table_free(*table);
    return status;
}

static enum status section_to(const struct show_sink *sink, const struct section *section,
                              const struct quality *quality, struct error *error)
{
    struct table *table;
    enum status status = STATUS_OK;
    TRY(make_table(&table, section, quality, error));
    if (table_row_count(table) > 0)
        status = sink->table(sink->payload, table, error);
    table_free(table);
    return status;
}

enum status show_dataset_to(const struct show_sink *sink, const char *path, struct error *error)
{
    struct quality quality;
    struct labelled_text texts[LABEL_COUNT];
    TRY(quality_read(&quality, path, error));
    enum status status = STATUS_OK;
    list_texts(texts, &quality.tables.header);
    for (int i = 0; i < LABEL_COUNT; i++)
        if (*texts[i].text)
            sink->text(sink->payload, texts[i].label, texts[i].text);
    for (int i = 0; status == STATUS_OK && i < SECTION_COUNT; i++)
        status = section_to(sink, &sections[i], &quality, error);
    quality_free(&quality);
    return status;
}

static enum status print_text(const struct quality *quality, enum table_format format,
                              struct error *error)
{
    print_header(quality);
    for (int i = 0; i < SECTION_COUNT; i++) {
        struct table *table;
        TRY(make_table(&table, &sections[i], quality, error));
        if (table_row_count(table) == 0) {
            table_free(table);
            continue;
        }
        printf("\n");
        TRY(cli_print_table(table, format, error));
    }
    return STATUS_OK;
}

static enum status print_json(const struct quality *quality, struct error *error)
{
    struct json json;
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    json_header(&json, quality);
    for (int i = 0; i < SECTION_COUNT; i++) {
        struct table *table;
        TRY(make_table(&table, &sections[i], quality, error));
        table_print_array(table, &json, sections[i].key);
        table_free(table);
    }
    json_close(&json, '}');
    json_end(&json);
    return STATUS_OK;
}

static enum status print_quality(const struct quality *quality, enum table_format format,
                                 struct error *error)
{
    struct table *table;
    if (format == TABLE_TEXT)
        return print_text(quality, format, error);
    if (format == TABLE_JSON)
        return print_json(quality, error);
    TRY(make_table(&table, &sections[0], quality, error));
    return cli_print_table(table, format, error);
}

enum status show_dataset(const char *path, enum table_format format, struct error *error)
{
    struct quality quality;
    TRY(quality_read(&quality, path, error));
    enum status status = print_quality(&quality, format, error);
    quality_free(&quality);
    return status;
}
