/* Presets: complete recipes of training. `paper` is Justus et al. 2018 (arXiv 1811.11880) with the
 * values of their published notebooks; `default` is the most accurate recipe that we know.
 */
#include "predictors/mlp_options.h"

#include "base/text.h"

#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct mlp_options, member)
#define WIDTHS_FOLLOWED(name)                                                                      \
    static_assert(offsetof(struct mlp_options, name##_count) ==                                    \
                      offsetof(struct mlp_options, name) +                                         \
                          sizeof(((struct mlp_options *)0)->name),                                 \
                  #name " and its count")
WIDTHS_FOLLOWED(hidden);
WIDTHS_FOLLOWED(several_hidden);

const struct member mlp_option_table[MLP_OPTION_COUNT] = {
    {"encoding", AT(encoding), .type = MEMBER_CHOICE, .choice = &choice_encoding,
     .help = "columns that the nets see"},
    {"target_units_per_ms", AT(target_units_per_ms), .type = MEMBER_DOUBLE, .low = 1e-9,
     .high = 1e9, .help = "unit of the times that are learnt"},
    {"input_limit", AT(input_limit), .type = MEMBER_DOUBLE, .low = 0, .high = 1e9,
     .help = "cut inputs to this many standard deviations; 0: never"},
    {"output_margin", AT(output_margin), .type = MEMBER_DOUBLE, .low = 0, .high = 1e9,
     .help = "highest forecast, as a multiple of the slowest training row; 0: any"},
    {"hidden", AT(hidden), .type = MEMBER_WIDTHS, .low = 1, .high = MLP_WIDTH_LIMIT,
     .count = MLP_LAYER_LIMIT, .help = "widths of the hidden layers; empty: by kind"},
    {"several_hidden", AT(several_hidden), .type = MEMBER_WIDTHS, .low = 1, .high = MLP_WIDTH_LIMIT,
     .count = MLP_LAYER_LIMIT, .help = "the same, for rows of several devices; empty: as hidden"},
    {"output", AT(output), .type = MEMBER_CHOICE, .choice = &choice_mlp_output,
     .help = "what the output unit is"},
    {"output_bias", AT(output_bias), .type = MEMBER_INT32, .low = 0, .high = 1,
     .help = "1: the output unit has a bias"},
    {"activation", AT(activation), .type = MEMBER_CHOICE, .choice = &choice_mlp_activation,
     .help = "activation of the hidden units"},
    {"step_rows", AT(step_rows), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "kinds with at least this many training rows have columns of steps (physical)"},
    {"fold_rows", AT(fold_rows), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "kinds with at most this many rows learn from all, in folds"},
    {"folds", AT(folds), .type = MEMBER_INT32, .low = 0, .high = ENSEMBLE_LIMIT,
     .help = "nets of such a kind, each of which leaves out one fold; 0: never"},
    {"learning_rate", AT(train.learning_rate), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "learning rate of the optimizer"},
    {"beta1", AT(train.beta1), .type = MEMBER_FLOAT, .low = 0, .high = 1,
     .help = "decay of the mean gradient"},
    {"beta2", AT(train.beta2), .type = MEMBER_FLOAT, .low = 0, .high = 1,
     .help = "decay of the mean squared gradient"},
    {"epsilon", AT(train.epsilon), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "added to the root of the mean squared gradient"},
    {"l2", AT(train.l2), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "L2 penalty in the loss"},
    {"weight_decay", AT(train.weight_decay), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "decoupled weight decay (AdamW)"},
    {"dropout", AT(train.dropout), .type = MEMBER_FLOAT, .low = 0, .high = 0.95,
     .help = "share of the last hidden units that is dropped"},
    {"gradient_clip", AT(train.gradient_clip), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "largest norm of a gradient; 0: any"},
    {"loss", AT(train.loss), .type = MEMBER_CHOICE, .choice = &choice_loss,
     .help = "loss of one row"},
    {"loss_scale", AT(train.loss_scale), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "scale of the log-cosh loss"},
    {"schedule", AT(train.schedule), .type = MEMBER_CHOICE, .choice = &choice_schedule,
     .help = "course of the learning rate"},
    {"halving_epochs", AT(train.halving_epochs), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "epochs from one halving to the next"},
    {"warmup_share", AT(train.warmup_share), .type = MEMBER_FLOAT, .low = 0, .high = 1,
     .help = "share of the steps that ramps up"},
    {"batch_size", AT(train.batch_size), .type = MEMBER_INT32, .low = 1, .high = INT32_MAX,
     .help = "rows of a training batch"},
    {"epochs", AT(train.epochs), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "epochs of training; 0: by kind"},
    {"patience", AT(train.patience), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "stop after this many epochs without progress; 0: never"},
    {"keep_best", AT(train.keep_best), .type = MEMBER_INT32, .low = 0, .high = 1,
     .help = "1: keep the best epoch, 0: the last"},
    {"minimum_steps", AT(minimum_steps), .type = MEMBER_INT32, .low = 0, .high = INT32_MAX,
     .help = "small data: train for at least this many steps"},
    {"ensemble", AT(ensemble), .type = MEMBER_INT32, .low = 1, .high = ENSEMBLE_LIMIT,
     .help = "nets per layer kind"},
    {"fine_tune", AT(fine_tune), .type = MEMBER_TEXT,
     .count = sizeof(((struct mlp_options *)0)->fine_tune), .help = "device to fine-tune to"},
    {"tune_rate", AT(tune_rate), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "learning rate of fine-tuning, as a share"},
    {"tune_epochs", AT(tune_epochs), .type = MEMBER_INT32, .low = 1, .high = INT32_MAX,
     .help = "epochs of fine-tuning"},
    {"last_share", AT(last_share), .type = MEMBER_FLOAT, .low = 0, .high = 1e6,
     .help = "last epochs, with the test rows, as a share of those before"},
    {"last_rate", AT(last_rate), .type = MEMBER_FLOAT, .low = 0, .high = FLT_MAX,
     .help = "learning rate of the last epochs, as a share"},
    {"seed", AT(seed), .type = MEMBER_UINT64, .low = 0, .high = 1.9e19,
     .help = "seed of all random numbers"},
    {"interval_level", AT(interval_level), .type = MEMBER_DOUBLE, .low = 1e-9, .high = 1 - 1e-9,
     .help = "coverage of the intervals"},
};

const struct mlp_options mlp_options_standard = {
    .base = {.type = &predictor_mlp},
    .preset = "default",
    .encoding = ENCODING_PHYSICAL,
    .target_units_per_ms = 1000,
    .input_limit = 5,
    .output_margin = 10,
    .several_hidden = {192, 192, 192},
    .several_hidden_count = 3,
    .output = MLP_OUTPUT_SUM,
    .output_bias = 1,
    .activation = MLP_ACTIVATION_SILU,
    .step_rows = 400,
    .fold_rows = 4000,
    .folds = 5,
    .epoch_share = 1,
    .train = {.learning_rate = 5e-3f,
              .loss = LOSS_LOG_COSH,
              .loss_scale = 0.1f,
              .beta1 = 0.9f,
              .beta2 = 0.99f,
              .epsilon = 1e-8f,
              .weight_decay = 0.3f,
              .gradient_clip = 1,
              .schedule = SCHEDULE_COSINE,
              .halving_epochs = 40,
              .warmup_share = 0.05f,
              .batch_size = 256,
              .keep_best = 1},
    .minimum_steps = 500,
    .ensemble = 1,
    .tune_rate = 0.15f,
    .tune_epochs = 15,
    .last_share = 0.25f,
    .last_rate = 0.4f,
    .seed = 1,
    .interval_level = 0.9,
    .trainer = &trainer_host,
};

static const struct mlp_options paper = {
    .base = {.type = &predictor_mlp},
    .preset = "paper",
    .encoding = ENCODING_PAPER,
    .target_units_per_ms = 1,
    .hidden = {32, 64, 128, 128},
    .hidden_count = 4,
    .several_hidden = {32, 64, 128, 128, 128, 128},
    .several_hidden_count = 6,
    .output = MLP_OUTPUT_RELU,
    .epoch_share = 1,
    .train = {.learning_rate = 0.1f,
              .beta1 = 0.9f,
              .beta2 = 0.999f,
              .epsilon = 0.1f,
              .l2 = 1e-5f,
              .dropout = 0.2f,
              .schedule = SCHEDULE_HALVING,
              .halving_epochs = 40,
              .batch_size = 128,
              .epochs = 300},
    .ensemble = 1,
    .tune_rate = 0.1f,
    .tune_epochs = 40,
    .seed = 1,
    .interval_level = 0.9,
    .trainer = &trainer_host,
};

struct mlp_recipe mlp_recipe_of(const struct mlp_options *options, enum layer_kind kind)
{
    static const int32_t narrow[] = {128, 128, 128}, wide[] = {192, 192, 192};
    static const struct mlp_recipe general = {narrow, 3, 60};
    static const struct mlp_recipe own[LAYER_KIND_COUNT] = {
        [LAYER_DENSE] = {narrow, 3, 25}, /* longer, it overfits its many step columns */
        [LAYER_CONV2D] = {wide, 3, 45},
    };
    struct mlp_recipe recipe = own[kind].hidden ? own[kind] : general;
    if (options->hidden_count > 0) {
        recipe.hidden = options->hidden;
        recipe.hidden_count = options->hidden_count;
    }
    if (options->train.epochs > 0)
        recipe.epochs = options->train.epochs;
    const double epochs = options->epoch_share * recipe.epochs;
    recipe.epochs = epochs > 1 ? (int32_t)(epochs + 0.5) : 1;
    return recipe;
}

static const struct mlp_options *const presets[] = {&mlp_options_standard, &paper};
enum { PRESET_COUNT = sizeof presets / sizeof *presets };

static enum status unknown_preset(const char *preset, struct error *error)
{
    const char *names[PRESET_COUNT];
    char list[128] = "";
    size_t used = 0;
    for (int i = 0; i < PRESET_COUNT; i++) {
        names[i] = presets[i]->preset;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                 presets[i]->preset);
    }
    FAIL(error, STATUS_USAGE, "unknown preset '%s'", preset);
    const char *nearest = nearest_name(names, PRESET_COUNT, preset);
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '%s'? presets: %s", nearest, list);
    return HINT(error, STATUS_USAGE, "presets: %s", list);
}

enum status mlp_options_preset(struct mlp_options *options, const char *preset, struct error *error)
{
    for (int i = 0; i < PRESET_COUNT; i++)
        if (strcmp(presets[i]->preset, preset) == 0) {
            *options = *presets[i];
            return STATUS_OK;
        }
    return unknown_preset(preset, error);
}
