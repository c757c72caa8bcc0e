#include "cli/network_choice.h"

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

static void add_step(struct network_choice *choice, int32_t pass, int32_t optimizer)
{
    choice->steps[choice->step_count++] = (struct step_choice){pass, optimizer};
}

static enum status read_steps(struct network_choice *choice, const struct settings *settings,
                              struct error *error)
{
    struct names passes = {.choice = &choice_pass}, optimizers = {.choice = &choice_optimizer};
    bool trains = false;
    TRY(cli_each_item(settings->passes ? settings->passes : "train", add_name, &passes, error));
    TRY(cli_each_item(settings->optimizer ? settings->optimizer : "sgd", add_name, &optimizers,
                      error));
    for (int i = 0; i < passes.count; i++) {
        if (passes.values[i] == PASS_FORWARD)
            add_step(choice, PASS_FORWARD, OPTIMIZER_NONE);
        trains |= passes.values[i] == PASS_TRAIN;
        for (int j = 0; passes.values[i] == PASS_TRAIN && j < optimizers.count; j++)
            add_step(choice, PASS_TRAIN, optimizers.values[j]);
    }
    if (!trains && settings->optimizer)
        return FAIL(error, STATUS_USAGE, "--optimizer goes with --pass train");
    return STATUS_OK;
}

static enum status read_batch_sizes(struct network_choice *choice, const struct settings *settings,
                                    struct error *error)
{
    const char *text = settings->batch ? settings->batch : "1";
    TRY(parse_int_list(choice->batch_sizes, BATCH_LIMIT, &choice->batch_count, true, NULL, text,
                       error));
    const struct feature *feature = layer_feature_find(LAYER_DENSE, "batch_size");
    for (int i = 0; i < choice->batch_count; i++)
        if (choice->batch_sizes[i] < feature->minimum || choice->batch_sizes[i] > feature->maximum)
            return FAIL(error, STATUS_USAGE, "--batch: %d is outside %d..%d",
                        choice->batch_sizes[i], feature->minimum, feature->maximum);
    return STATUS_OK;
}

enum status read_dimensions(struct dimension_sizes *sizes, const struct settings *settings,
                            struct error *error)
{
    *sizes = (struct dimension_sizes){.count = 0};
    for (int i = 0; i < settings->dimension.count; i++)
        TRY(dimension_sizes_add(sizes, settings->dimension.list[i], error));
    return STATUS_OK;
}

enum status network_choice_load(struct network_choice *choice, struct dimension_sizes *sizes,
                                const struct settings *settings, struct error *error)
{
    const char *name = settings->operands[0];
    *choice = (struct network_choice){.batch_count = 0};
    if (!settings->model)
        return FAIL(error, STATUS_USAGE, "a forecast needs --model MODEL.h5");
    TRY(read_steps(choice, settings, error));
    TRY(read_batch_sizes(choice, settings, error));
    TRY(sizes ? network_load_sized(&choice->network, name, sizes, error)
              : network_load_with(&choice->network, name, settings->dimension.list,
                                  settings->dimension.count, error));
    enum status status = model_load(&choice->model, settings->model, error);
    if (status != STATUS_OK)
        network_free(&choice->network);
    return status;
}

void network_choice_free(struct network_choice *choice)
{
    network_free(&choice->network);
    model_free(&choice->model);
}
