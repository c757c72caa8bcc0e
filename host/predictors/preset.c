/* Presets: complete recipes of training. `paper` is Justus et al. 2018 (arXiv 1811.11880) with the
 * values of their published notebooks; `default` is the most accurate recipe that we know.
 */
#include "predictors/predictor.h"

#include <stdio.h>
#include <string.h>

static const struct fit_options presets[] = {
    {
        .preset = "default",
        .encoding = ENCODING_PHYSICAL,
        .target_units_per_ms = 1000,
        .input_limit = 5,
        .output_margin = 10,
        .hidden = {128, 128, 128},
        .hidden_count = 3,
        .several_hidden = {192, 192, 192},
        .several_hidden_count = 3,
        .output = MLP_OUTPUT_LOG,
        .output_bias = 1,
        .activation = MLP_ACTIVATION_SILU,
        .roofline_rows = 4000,
        .train = {.learning_rate = 5e-3f,
                  .loss = LOSS_LOG_COSH,
                  .loss_scale = 0.1f,
                  .beta1 = 0.9f,
                  .beta2 = 0.99f,
                  .epsilon = 1e-8f,
                  .weight_decay = 0.1f,
                  .gradient_clip = 1,
                  .schedule = SCHEDULE_COSINE,
                  .halving_epochs = 40,
                  .warmup_share = 0.05f,
                  .batch_size = 256,
                  .epochs = 60,
                  .keep_best = 1},
        .minimum_steps = 500,
        .ensemble = 1,
        .tune_rate = 0.15f,
        .tune_epochs = 15,
        .last_share = 0.25f,
        .last_rate = 0.4f,
        .seed = 1,
        .interval_level = 0.9,
    },
    {
        .preset = "paper",
        .encoding = ENCODING_PAPER,
        .target_units_per_ms = 1,
        .hidden = {32, 64, 128, 128},
        .hidden_count = 4,
        .several_hidden = {32, 64, 128, 128, 128, 128},
        .several_hidden_count = 6,
        .output = MLP_OUTPUT_RELU,
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
    },
};
enum { PRESET_COUNT = sizeof presets / sizeof *presets };

static enum status unknown_preset(const char *preset, struct error *error)
{
    const char *names[PRESET_COUNT];
    char list[128] = "";
    for (int i = 0; i < PRESET_COUNT; i++) {
        names[i] = presets[i].preset;
        strcat(strcat(list, i > 0 ? ", " : ""), presets[i].preset);
    }
    FAIL(error, STATUS_USAGE, "unknown preset '%s'", preset);
    const char *nearest = nearest_name(names, PRESET_COUNT, preset);
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '%s'? presets: %s", nearest, list);
    return HINT(error, STATUS_USAGE, "presets: %s", list);
}

enum status fit_options_preset(struct fit_options *options, const char *preset, struct error *error)
{
    for (int i = 0; i < PRESET_COUNT; i++)
        if (strcmp(presets[i].preset, preset) == 0) {
            *options = presets[i];
            options->trainer = &trainer_host;
            return STATUS_OK;
        }
    return unknown_preset(preset, error);
}
