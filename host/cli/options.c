#include "cli/cli.h"

#include "data/import.h"

#include <math.h>

static const char *const cache_names[] = {"hot", "cold"};
static const struct choice choice_cache = {.name = "cache", .names = cache_names, .count = 2};
static const char *const split_names[] = {"train", "test", "validation", "all"};
static const struct choice choice_split_or_all = {
    .name = "split", .names = split_names, .count = 4};

const struct settings settings_default = {
    .split = SPLIT_VALIDATION,
    .pass = PASS_TRAIN,
    .samples = -1,
    .seed = 1,
    .ensemble = -1,
    .epochs = -1,
    .batch_size = -1,
    .threads = -1,
    .dataset_size = -1,
    .time_budget_s = NAN,
    .cap_ms = NAN,
    .target_percent = NAN,
    .learning_rate = NAN,
    .dropout = NAN,
    .l2 = NAN,
    .weight_decay = NAN,
    .price_per_hour = NAN,
};

#define AT(member) .offset = offsetof(struct settings, member)

const struct option options[] = {
    {"help", 0, OPTION_FLAG, AT(help), NULL, "this text, with examples", 0, 0, NULL},
    {"brief-help", 'h', OPTION_FLAG, AT(brief_help), NULL, "usage and options alone", 0, 0, NULL},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress on stderr", 0, 0, NULL},
    {"verbose", 'v', OPTION_FLAG, AT(verbose), NULL, "errors name the source line", 0, 0, NULL},
    {"form", 'o', OPTION_CHOICE, AT(form), "FORM", "of the output on stdout", 0, 0,
     &choice_table_format},
    {"output", 'O', OPTION_TEXT, AT(output), "FILE", "file to write", 0, 0, NULL},
    {"overwrite", 0, OPTION_FLAG, AT(overwrite), NULL, "replace FILE when it exists", 0, 0, NULL},
    {"device", 'd', OPTION_TEXT, AT(device), "NAME",
     "device to measure or to forecast for (default: the first there is)", 0, 0, NULL},
    {"layer", 'l', OPTION_TEXT, AT(layer), "KINDS",
     "layer kinds, separated by commas (default: all)", 0, 0, NULL},
    {"samples", 'n', OPTION_INTEGER, AT(samples), "N", "configs to measure", 1, 1e9, NULL},
    {"time-budget", 't', OPTION_DURATION, AT(time_budget_s), "TIME",
     "stop after 60s, 5m, 1h (default: 60s when --samples is not given)", 0.001, 1e8, NULL},
    {"seed", 's', OPTION_INTEGER, AT(seed), "N", "of every random number (default: 1)", 0, 9e15,
     NULL},
    {"set", 0, OPTION_TEXTS, AT(set), "FEATURE=VALUES",
     "draw only these: 3,5 or 1..64 or 1..64*2; repeatable", 0, 0, NULL},
    {"threads", 0, OPTION_INTEGER, AT(threads), "N",
     "threads of the device, or of training (default: 1, training: all cores)", 1, 4096, NULL},
    {"cap-ms", 0, OPTION_NUMBER, AT(cap_ms), "MS", "timed work per config (default: 100)", 0.001,
     1e7, NULL},
    {"target-percent", 0, OPTION_NUMBER, AT(target_percent), "P",
     "half-width of the median's interval to reach (default: 2)", 0.01, 100, NULL},
    {"cache", 0, OPTION_CHOICE, AT(cache), "STATE", "caches before each sample (default: hot)", 0,
     0, &choice_cache},
    {"dry-run", 0, OPTION_FLAG, AT(dry_run), NULL, "print the plan and the first draws", 0, 0,
     NULL},
    {"licence", 0, OPTION_TEXT, AT(licence), "SPDX", "of the data (default: CC-BY-4.0)", 0, 0,
     NULL},
    {"citation", 0, OPTION_TEXT, AT(citation), "TEXT", "how the data is to be cited", 0, 0, NULL},
    {"no-measure", 0, OPTION_FLAG, AT(no_measure), NULL, "nominal features only", 0, 0, NULL},
    {"format", 0, OPTION_CHOICE, AT(format), "FORMAT", "of the CSV files", 0, 0,
     &choice_import_format},
    {"device-name", 0, OPTION_TEXT, AT(device_name), "NAME", "device that the rows come from", 0, 0,
     NULL},
    {"preset", 'p', OPTION_TEXT, AT(preset), "NAME",
     "default, or paper: the recipe of Justus et al. 2018", 0, 0, NULL},
    {"engine", 0, OPTION_TEXT, AT(engine), "NAME", "auto or host", 0, 0, NULL},
    {"ensemble", 0, OPTION_INTEGER, AT(ensemble), "K", "nets per layer kind (default: 1)", 1, 64,
     NULL},
    {"epochs", 'e', OPTION_INTEGER, AT(epochs), "N", "epochs of training", 1, 1e6, NULL},
    {"batch-size", 0, OPTION_INTEGER, AT(batch_size), "N", "rows of a training batch", 1, 65536,
     NULL},
    {"learning-rate", 0, OPTION_NUMBER, AT(learning_rate), "X", "of the optimizer", 1e-9, 100,
     NULL},
    {"dropout", 0, OPTION_NUMBER, AT(dropout), "X", "after the last hidden layer", 0, 0.95, NULL},
    {"l2", 0, OPTION_NUMBER, AT(l2), "X", "L2 penalty in the loss", 0, 100, NULL},
    {"weight-decay", 0, OPTION_NUMBER, AT(weight_decay), "X", "decoupled (AdamW)", 0, 100, NULL},
    {"hidden", 0, OPTION_TEXT, AT(hidden), "WIDTHS", "of the hidden layers: 32,64,128,128", 0, 0,
     NULL},
    {"split", 0, OPTION_CHOICE, AT(split), "SPLIT", "rows to evaluate (default: validation)", 0, 0,
     &choice_split_or_all},
    {"baselines", 0, OPTION_FLAG, AT(baselines), NULL, "beside linear regression and roofline", 0,
     0, NULL},
    {"model", 'm', OPTION_TEXT, AT(model), "MODEL.h5", "trained model", 0, 0, NULL},
    {"batch", 'b', OPTION_TEXT, AT(batch), "LIST", "batch sizes: 1,2,4 or 1..64*2 (default: 1)", 0,
     0, NULL},
    {"pass", 0, OPTION_CHOICE, AT(pass), "PASS", "of the network (default: train)", 0, 0,
     &choice_pass},
    {"optimizer", 0, OPTION_TEXT, AT(optimizer), "NAMES",
     "of a training step, separated by commas (default: sgd)", 0, 0, NULL},
    {"dataset-size", 0, OPTION_INTEGER, AT(dataset_size), "ROWS", "of one epoch", 1, 1e15, NULL},
    {"price-per-hour", 0, OPTION_NUMBER, AT(price_per_hour), "X", "of the device", 0, 1e6, NULL},
    {"layers", 0, OPTION_FLAG, AT(layers), NULL, "a row per layer in the table", 0, 0, NULL},
};
const int option_count = sizeof options / sizeof *options;
