#include "cli/network_selection.h"

#include "base/text.h"
#include "layers/sample.h"

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
    const int value = choice_find(choice, name);
    if (value < 0) {
        const char *nearest = nearest_name(choice->names, choice->count, name);
        FAIL(error, STATUS_USAGE, "unknown %s '%.60s'", choice->name, name);
        if (nearest)
            return HINT(error, STATUS_USAGE, "did you mean '%s'?", nearest);
        return HINT(error, STATUS_USAGE, "--help lists the names");
    }
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
                       text, error));
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

void note_batch(const struct network *network, const struct settings *settings)
{
    char text[256];
    network_batch_text(text, sizeof text, network);
    if (*text && !settings->quiet)
        fprintf(stderr, "note: %s\n", text);
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
    enum status status = model_load(&selection->model, settings->model, error);
    if (status != STATUS_OK)
        network_free(&selection->network);
    return status;
}
