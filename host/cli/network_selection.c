#include "cli/network_selection.h"

#include "base/text.h"
#include "cli/caveat_notes.h"
#include "layers/sample.h"

#include <stdlib.h>

/* Names of a choice, each once. */
struct names {
    const struct choice *choice;
    int32_t values[OPTIMIZER_COUNT];
    int count;
};

static enum status add_name(void *payload, const char *name, struct error *error)
{
    struct names *names = payload;
    const struct choice *choice = names->choice;
    int32_t value;
    char option[40];
    snprintf(option, sizeof option, "--%s", choice->name);
    TRY(choice_read(&value, choice, option, name, error));
    for (int i = 0; i < names->count; i++)
        if (names->values[i] == value)
            return FAIL(error, STATUS_USAGE, "--%s: '%s' twice", choice->name, name);
    names->values[names->count++] = value;
    return STATUS_OK;
}

static void add_step(struct network_selection *selection, int32_t pass, int32_t optimizer)
{
    selection->steps[selection->step_count++] = (struct step_selection){pass, optimizer};
}

static enum status read_steps(struct network_selection *selection, const struct settings *settings,
                              struct error *error)
{
    struct names passes = {.choice = &choice_pass}, optimizers = {.choice = &choice_optimizer};
    bool trains = false;
    TRY(each_item(settings->passes ? settings->passes : "train", add_name, &passes, error));
    TRY(each_item(settings->optimizer ? settings->optimizer : "sgd", add_name, &optimizers, error));
    for (int i = 0; i < passes.count; i++) {
        if (passes.values[i] == PASS_FORWARD)
            add_step(selection, PASS_FORWARD, OPTIMIZER_NONE);
        trains |= passes.values[i] == PASS_TRAIN;
        for (int j = 0; passes.values[i] == PASS_TRAIN && j < optimizers.count; j++)
            add_step(selection, PASS_TRAIN, optimizers.values[j]);
    }
    if (!trains && settings->optimizer)
        return FAIL(error, STATUS_USAGE, "--optimizer requires --pass train");
    return STATUS_OK;
}

static enum status read_batch_sizes(struct network_selection *selection,
                                    const struct settings *settings, struct error *error)
{
    const char *text = settings->batch ? settings->batch : "1";
    TRY(parse_int_list(selection->batch_sizes, BATCH_LIMIT, &selection->batch_count, true, NULL,
                       "--batch", text, error));
    const struct feature *feature = layer_feature_find(LAYER_DENSE, "batch_size");
    for (int i = 0; i < selection->batch_count; i++)
        if (selection->batch_sizes[i] < feature->minimum ||
            selection->batch_sizes[i] > feature->maximum)
            return FAIL(error, STATUS_USAGE, "--batch: %d is outside %d..%d",
                        selection->batch_sizes[i], feature->minimum, feature->maximum);
    return STATUS_OK;
}

enum status read_dimensions(struct dimension_sizes *sizes, const struct settings *settings,
                            struct error *error)
{
    *sizes = (struct dimension_sizes){.batch_axis = settings->batch_axis,
                                      .batch_in_file = settings->batch_in_file};
    for (int i = 0; i < settings->dimension.count; i++)
        TRY(dimension_sizes_add(sizes, settings->dimension.list[i], error));
    return STATUS_OK;
}

enum status load_only_network(struct network *network, const char *name,
                              const struct settings *settings, struct error *error)
{
    struct dimension_sizes sizes;
    TRY(read_dimensions(&sizes, settings, error));
    TRY(network_load_sized(network, name, &sizes, error));
    const enum status status = dimension_sizes_check(&sizes, error);
    if (status != STATUS_OK)
        network_free(network);
    return status;
}

void note_misfits(const struct network *network, const struct settings *settings)
{
    char first[256];
    if (settings->quiet || network->batch.is_known)
        return;
    const int count = network_misfits(first, sizeof first, network);
    if (count > 0)
        term_message(stderr, "note: %s%s: sizes of layers do not fit in %d place%s\n", first,
                     count > 1 ? ", ..." : "", count, count > 1 ? "s" : "");
}

enum status note_network(const struct network *network, const struct settings *settings,
                         struct error *error)
{
    struct caveats caveats;
    if (settings->quiet)
        return STATUS_OK;
    TRY(caveats_of_network(&caveats, network, error));
    print_caveats(&caveats, false);
    return STATUS_OK;
}

int32_t precision_of(const struct network *network, const struct settings *settings)
{
    if (settings->precision >= 0)
        return settings->precision;
    if (!settings->quiet && network->precision != PRECISION_FP32)
        term_message(stderr, "note: in %s, as the file's weights are; --precision says otherwise\n",
                     choice_name(&choice_precision, network->precision));
    return network->precision;
}

/* A quantised network has no backward pass. */
static void choose_pass(struct network_selection *selection, const struct settings *settings)
{
    if (settings->passes || settings->optimizer || !selection->network.is_quantised)
        return;
    if (!settings->quiet)
        term_message(stderr, "note: the forward pass, as the file's weights are quantised; --pass "
                             "says otherwise\n");
    selection->step_count = 0;
    add_step(selection, PASS_FORWARD, OPTIMIZER_NONE);
}

enum status network_selection_load(struct network_selection *selection,
                                   struct dimension_sizes *sizes, const struct settings *settings,
                                   struct error *error)
{
    const char *name = settings->operands[0];
    *selection = (struct network_selection){.batch_count = 0};
    if (!settings->model)
        return FAIL(error, STATUS_USAGE, "a forecast needs --model MODEL.h5");
    TRY(read_steps(selection, settings, error));
    TRY(read_batch_sizes(selection, settings, error));
    TRY(sizes ? network_load_sized(&selection->network, name, sizes, error)
              : load_only_network(&selection->network, name, settings, error));
    note_misfits(&selection->network, settings);
    choose_pass(selection, settings);
    enum status status = model_load(&selection->model, settings->model, error);
    if (status != STATUS_OK)
        network_free(&selection->network);
    return status;
}
