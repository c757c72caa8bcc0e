#include "cli/train_options.h"

#include "base/text.h"
#include "bench/backend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum status apply_hidden(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    int count;
    if (!settings->hidden)
        return STATUS_OK;
    TRY(parse_int_list(wanted->hidden, MLP_LAYER_LIMIT - 1, &count, true, NULL, "--hidden",
                       settings->hidden, error));
    wanted->hidden_count = count;
    wanted->several_hidden_count = 0; // asked for exactly
    return STATUS_OK;
}

static bool is_engine(const struct settings *settings, const char *name)
{
    return strcmp(settings->engine ? settings->engine : "auto", name) == 0;
}

static enum status apply_engine(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    wanted->trainer = &trainer_host;
    if (is_engine(settings, "auto") || is_engine(settings, "host"))
        return STATUS_OK;
    if (is_engine(settings, "cuda"))
        return backend_find("cuda")->trainer(&wanted->trainer, 0, error);
    FAIL(error, STATUS_USAGE, "unknown engine '%.40s'", settings->engine);
    return HINT(error, STATUS_USAGE, "--engine host trains on this machine's processor");
}

/* True when every row was measured on a GPU of this machine's kind. */
static bool is_measured_here(const struct dataset_rows *rows)
{
    const struct backend *cuda = backend_find("cuda");
    const struct device_options small = {.arena_bytes = 1 << 20};
    struct device *device;
    struct device_info info;
    for (int i = 0; i < rows->device_count; i++)
        if (strcmp(rows->devices[i].backend, "cuda") != 0)
            return false;
    if (rows->device_count == 0 || !cuda || device_open(&device, "cuda", &small, NULL) != STATUS_OK)
        return false;
    bool is_known = device->backend->describe(device, false, &info, NULL) == STATUS_OK;
    device_close(device);
    for (int i = 0; is_known && i < rows->device_count; i++)
        is_known = strcmp(rows->devices[i].name, info.name) == 0;
    return is_known;
}

enum status train_settle_engine(struct mlp_options *wanted, const struct dataset_rows *rows,
                                const struct settings *settings, struct error *error)
{
    if (!is_engine(settings, "auto") || !is_measured_here(rows))
        return STATUS_OK;
    return backend_find("cuda")->trainer(&wanted->trainer, 0, error);
}

static void apply_number(float *target, double value)
{
    if (!isnan(value))
        *target = (float)value;
}

/* --fit NAME=VALUE, of any type. */
static enum status apply_fit(struct fit_options *options, const struct settings *settings,
                             struct error *error)
{
    const struct predictor_type *type = options->type;
    for (int i = 0; i < settings->fit.count; i++) {
        char name[64];
        const char *text = settings->fit.list[i], *value = strchr(text, '=');
        if (!value || (size_t)(value - text) >= sizeof name)
            return FAIL(error, STATUS_USAGE, "--fit: '%.60s' is not NAME=VALUE", text);
        snprintf(name, sizeof name, "%.*s", (int)(value - text), text);
        TRY(members_parse(options, type->options, type->option_count, name, value + 1, error));
    }
    return STATUS_OK;
}

enum status train_mlp_options(struct mlp_options *wanted, const struct settings *settings,
                              struct error *error)
{
    TRY(mlp_options_preset(wanted, settings->preset ? settings->preset : "default", error));
    TRY(apply_hidden(wanted, settings, error));
    TRY(apply_engine(wanted, settings, error));
    apply_number(&wanted->train.learning_rate, settings->learning_rate);
    apply_number(&wanted->train.dropout, settings->dropout);
    apply_number(&wanted->train.l2, settings->l2);
    apply_number(&wanted->train.weight_decay, settings->weight_decay);
    if (settings->epochs > 0) {
        wanted->train.epochs = (int32_t)settings->epochs;
        wanted->minimum_steps = 0; // asked for exactly
        if (settings->model)
            wanted->tune_epochs = (int32_t)settings->epochs;
    }
    if (settings->batch_size > 0)
        wanted->train.batch_size = (int32_t)settings->batch_size;
    if (settings->ensemble > 0)
        wanted->ensemble = (int32_t)settings->ensemble;
    if (!isnan(settings->interval_percent))
        wanted->interval_level = settings->interval_percent / 100;
    if (settings->fine_tune)
        snprintf(wanted->fine_tune, sizeof wanted->fine_tune, "%s", settings->fine_tune);
    if (settings->threads > 0)
        wanted->threads = (int)settings->threads;
    wanted->seed = (uint64_t)settings->seed;
    return apply_fit(&wanted->base, settings, error);
}

/* A given option that only `mlp` takes; NULL: none. */
static const char *mlp_option_of(const struct settings *settings)
{
    const struct {
        bool is_given;
        const char *name;
    } given[] = {{settings->preset, "preset"},
                 {settings->engine, "engine"},
                 {settings->ensemble > 0, "ensemble"},
                 {settings->epochs > 0, "epochs"},
                 {settings->batch_size > 0, "batch-size"},
                 {settings->hidden, "hidden"},
                 {!isnan(settings->l2), "l2"},
                 {!isnan(settings->dropout), "dropout"},
                 {!isnan(settings->learning_rate), "learning-rate"},
                 {!isnan(settings->weight_decay), "weight-decay"},
                 {settings->fine_tune, "fine-tune"},
                 {!isnan(settings->interval_percent), "interval"},
                 {settings->search > 0, "search"},
                 {settings->model, "model"}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].is_given)
            return given[i].name;
    return NULL;
}

enum status train_baseline_options(struct fit_options **wanted, const struct predictor_type *type,
                                   const struct settings *settings, struct error *error)
{
    const char *given = mlp_option_of(settings);
    if (given)
        return FAIL(error, STATUS_USAGE, "'%s' takes no --%s: that is of mlp", type->name, given);
    TRY(fit_options_create(wanted, type, error));
    return apply_fit(*wanted, settings, error);
}
