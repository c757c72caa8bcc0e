#include "cli/network_choice.h"

#include "layers/sample.h"

static enum status add_optimizer(void *payload, const char *name, struct error *error)
{
    struct network_choice *choice = payload;
    int optimizer = choice_find(&choice_optimizer, name);
    if (optimizer < 0) {
        const char *nearest = nearest_name(choice_optimizer.names, choice_optimizer.count, name);
        FAIL(error, STATUS_USAGE, "unknown optimizer '%.60s'", name);
        return error_hint(error, nearest ? "did you mean '%s'?" : "none, sgd, momentum, ... adam",
                          nearest),
               STATUS_USAGE;
    }
    if (choice->optimizer_count == OPTIMIZER_COUNT)
        return FAIL(error, STATUS_USAGE, "more than %d optimizers", OPTIMIZER_COUNT);
    choice->optimizers[choice->optimizer_count++] = optimizer;
    return STATUS_OK;
}

static enum status read_optimizers(struct network_choice *choice, const struct settings *settings,
                                   struct error *error)
{
    choice->pass = settings->pass;
    if (settings->pass == PASS_FORWARD && settings->optimizer)
        return FAIL(error, STATUS_USAGE, "--optimizer goes with --pass train");
    const char *names = settings->optimizer            ? settings->optimizer
                        : settings->pass == PASS_TRAIN ? "sgd"
                                                       : "none";
    return cli_each_item(names, add_optimizer, choice, error);
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

enum status network_choice_load(struct network_choice *choice, const struct settings *settings,
                                struct error *error)
{
    *choice = (struct network_choice){.batch_count = 0};
    if (!settings->model)
        return FAIL(error, STATUS_USAGE, "a forecast needs --model MODEL.h5");
    TRY(read_optimizers(choice, settings, error));
    TRY(read_batch_sizes(choice, settings, error));
    TRY(network_load(&choice->network, settings->operands[0], error));
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
