#include "cli/caveat_notes.h"
#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/network_selection.h"
#include "cli/option_rules.h"
#include "cli/plot_option.h"
#include "cli/verify_run.h"
#include "cli/verify_summary.h"
#include "cli/verify_table.h"

#include "bench/device_identity.h"
#include "pictures/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERIFY_ROUNDS = 3 };

static enum status note_left_out(const struct network *network, int left_out,
                                 const struct settings *settings, struct error *error)
{
    char kinds[256];
    bool *is_operator;
    if (settings->quiet || !left_out)
        return STATUS_OK;
    TRY(ALLOCATE(&is_operator, (unsigned long)network->layer_count, "layers", error));
    for (int i = 0; i < network->layer_count; i++)
        is_operator[i] = network_layer_is_operator(&network->layers[i]);
    network_count_kinds(kinds, sizeof kinds, network, is_operator);
    free(is_operator);
    term_message(stderr, "note: %d of %d layers have no benchmark; left out on both sides: %s\n",
                 left_out, network->layer_count, kinds);
    return STATUS_OK;
}

/* Both sides of the comparison leave out operators that no benchmark covers. */
static enum status leave_out_operators(struct network_selection *selection,
                                       const struct settings *settings, struct error *error)
{
    struct network covered;
    TRY(network_without_operators(&covered, &selection->network, error));
    const int left_out = selection->network.layer_count - covered.layer_count;
    enum status status = note_left_out(&selection->network, left_out, settings, error);
    if (status == STATUS_OK && covered.layer_count == 0)
        status = FAIL(error, STATUS_FAILED, "network '%s': none of its %d layers has a benchmark",
                      covered.name, left_out);
    if (status != STATUS_OK) {
        network_free(&covered);
        return status;
    }
    network_free(&selection->network);
    selection->network = covered;
    selection->left_out_count = left_out;
    return STATUS_OK;
}

static struct verified_step step_of(const struct verify_row *row, const struct network *network)
{
    _Static_assert(sizeof row->baselines_ms == sizeof((struct verified_step *)0)->baselines_ms,
                   "baselines");
    struct verified_step step = {.batch_size = row->forecast.batch_size,
                                 .pass = row->forecast.pass,
                                 .optimizer = row->forecast.optimizer,
                                 .measured_ms = row->measured.step.median_ms,
                                 .measured_ci_ms = row->measured.step.ci_ms,
                                 .predicted_ms = row->forecast.batch_ms,
                                 .predicted_low_ms = row->forecast.batch_low_ms,
                                 .predicted_high_ms = row->forecast.batch_high_ms};
    memcpy(step.baselines_ms, row->baselines_ms, sizeof step.baselines_ms);
    step.kind_count = verified_kinds(step.kinds, row, network);
    return step;
}

/* Draws the steps that could be measured. */
static enum status plot_steps(const struct verification *all, const struct settings *settings,
                              struct error *error)
{
    struct picture picture;
    struct verified_step *steps;
    char device[DEVICE_LABEL_LIMIT];
    if (!settings->plot || all->count == all->too_large)
        return STATUS_OK;
    TRY(ALLOCATE(&steps, (unsigned long)all->count, "steps", error));
    device_label(device, all->known);
    struct verified_network verified = {.network = all->selection->network.name,
                                        .device = device,
                                        .steps = steps,
                                        .baseline_count = all->baselines.count};
    for (int i = 0; i < all->baselines.count; i++)
        verified.baselines[i] = all->baselines.list[i]->type->name;
    for (int i = 0; i < all->count; i++)
        if (measurement_is_timed(&all->rows[i].measured.step))
            steps[verified.count++] = step_of(&all->rows[i], &all->selection->network);
    enum status status = verified.count ? plot_begin(&picture, settings, error) : STATUS_OK;
    if (verified.count && status == STATUS_OK) {
        draw_verification(&picture, &verified);
        status = plot_end(&picture, STATUS_OK, settings, error);
    }
    free(steps);
    return status;
}

/* Prints the document, then the steps that did not fit. */
static enum status print_all(const struct verification *all, const struct settings *settings,
                             struct error *error)
{
    struct caveats caveats;
    TRY(verification_caveats(&caveats, all, error));
    if (!settings->quiet)
        print_caveats(&caveats, true);
    TRY(print_verification(all, settings->format, settings->layers, &caveats, error));
    if (!settings->quiet) {
        TRY(print_verify_summary(all, error));
        print_caveats(&caveats, false);
    }
    TRY(plot_steps(all, settings, error));
    if (!all->too_large)
        return STATUS_OK;
    FAIL(error, STATUS_OUT_OF_MEMORY, "%d of %d steps do not fit %s", all->too_large, all->count,
         all->known->name);
    return HINT(error, STATUS_OUT_OF_MEMORY,
                "'epochcast predict --memory' names the largest batch that fits");
}

static struct verification_options options_of(const struct settings *settings)
{
    const struct verify_rounds_options rounds = {
        .round_count = settings->rounds > 0 ? (int)settings->rounds : VERIFY_ROUNDS,
        .measure = measure_options_of(settings),
        .step_cap_ms = isnan(settings->cap_ms) ? VERIFY_STEP_CAP_MS : settings->cap_ms,
        .has_layers_in_place = settings->layers,
        .has_layers_alone = settings->sum};
    return (struct verification_options){.precision = settings->precision < 0 ? PRECISION_FP32
                                                                              : settings->precision,
                                         .cache = settings->cache,
                                         .baselines = settings->baselines,
                                         .datasets = settings->operands + 1,
                                         .dataset_count = settings->operand_count - 1,
                                         .rounds = rounds,
                                         .quiet = settings->quiet};
}

static enum status verify_on(struct device *device, const struct network_selection *selection,
                             const struct settings *settings, struct error *error)
{
    struct verification all;
    const struct verification_options wanted = options_of(settings);
    TRY(verification_create(&all, selection, device, &wanted, error));
    const enum status status = print_all(&all, settings, error);
    verification_free(&all);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct network_selection selection;
    struct device *device;
    if (settings->operand_count > 1 && !option_is_given(settings, "baselines")) {
        FAIL(error, STATUS_USAGE, "'%.200s' is not used: rows are for --baselines",
             settings->operands[1]);
        return HINT(error, STATUS_USAGE, "add --baselines, or leave it out");
    }
    TRY(plot_check(settings, error));
    TRY(network_selection_load(&selection, NULL, settings, error));
    enum status status = leave_out_operators(&selection, settings, error);
    if (status == STATUS_OK) {
        cli_note_threads(settings);
        status = open_device(&device, settings, error);
    }
    if (status == STATUS_OK) {
        status = verify_on(device, &selection, settings, error);
        device_close(device);
    }
    network_selection_free(&selection);
    return status;
}

static const char *const takes[] = {
    "dimension", "batch-axis", "batch-in-file", "model",          "device", "batch",     "pass",
    "optimizer", "threads",    "cap-ms",        "target-percent", "seed",   "precision", "autotune",
    "layers",    "sum",        "baselines",     "plot",           "rounds", "cache",     NULL};
static const struct option_help helps[] = {
    {"rounds", "N", "rounds over all steps, each in its own order (default: 3)"},
    {"cap-ms", "MS", "time limit of the timed work per step (default: 100)"},
    {"cache", "STATE",
     "how the layers of --sum find their operands: as within a step, hot or cold (default: as the "
     "model's rows)"},
    {"layers", NULL, "also time each layer within the step; one row per kind"},
    {NULL, NULL, NULL}};
const struct command command_verify = {
    .name = "verify",
    .summary = "run a network's step for real and compare it with the forecast",
    .operands = "NETWORK [DATA.h5...] --model MODEL.h5",
    .examples =
        "  epochcast verify vgg16 --model model.h5 --device cpu --batch 1,4,16\n"
        "  epochcast verify resnet18 --model model.h5 --pass forward,train --batch '1..16*2'\n"
        "  epochcast verify vgg11 --model model.h5 --optimizer sgd,adam --layers --sum\n"
        "  epochcast verify vgg11 cpu.h5 --model model.h5 --baselines linear,paleo\n"
        "  epochcast verify vgg16 --model model.h5 -o json >verified.json\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .apart = 1,
    .run = run,
};
