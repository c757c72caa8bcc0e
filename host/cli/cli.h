/* The command line: one table of options, one of commands. An option means the same in every
 * command; parsing, --help, suggestions and the documentation derive from the tables. */
#ifndef EPOCHCAST_CLI_CLI_H
#define EPOCHCAST_CLI_CLI_H

#include "base/choice.h"
#include "base/error.h"
#include "base/file_kind.h"
#include "base/table.h"
#include "base/term.h"
#include "layers/layer.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPERAND_LIMIT = 256, REPEAT_LIMIT = 64, OPTION_LIMIT = 128 };

/* An option that may be repeated; texts are borrowed from argv. */
struct texts {
    const char *list[REPEAT_LIMIT];
    int count;
};

/* Values of every option. Texts are borrowed from argv, NULL when not given; optional numbers start
 * as NaN, optional integers as -1. */
struct settings {
    bool given[OPTION_LIMIT]; /* options on the command line, in the table's order */
    const char *operands[OPERAND_LIMIT];
    int operand_count;
    const char *command_line; /* as typed, for provenance */

    int32_t help, brief_help, quiet, verbose, overwrite, dry_run, layers, no_measure, autotune,
        encoded, forecasts, all, check, memory, sum;
    int32_t baselines; /* bit i: choice_baseline's name i */
    int32_t format, cache, dialect, split, precision, group, all_reduce, scaling; /* choices */
    const char *output, *device, *layer, *model, *device_name, *preset, *engine, *hidden, *batch,
        *optimizer, *licence, *citation, *shard, *from_networks, *active, *hold_out_device,
        *calibrate_rows, *by, *map, *fine_tune, *predictor, *device_from, *passes, *price_per_hour,
        *watts, *gpus, *link, *plot, *batch_axis, *framework, *exclude_source;
    struct texts set, dimension, fit;
    int64_t batch_in_file; /* 0: not given */
    int64_t configs, seed, rounds, check_every, ensemble, epochs, batch_size, threads, dataset_size,
        search;
    double time_budget_s, timeout_s, cap_ms, target_percent, learning_rate, dropout, l2,
        weight_decay, price_per_kwh, device_memory_bytes, interval_percent, max_flops,
        max_memory_bytes;
};
extern const struct settings settings_default;

enum option_type {
    OPTION_FLAG,
    OPTION_INTEGER,
    OPTION_NUMBER,
    OPTION_TEXT,
    OPTION_TEXTS,    /* may be repeated: a struct texts */
    OPTION_DURATION, /* "60s", "5m", "1h", plain seconds */
    OPTION_SIZE,     /* "16GiB", "512MB", plain bytes */
    OPTION_CHOICE,
    OPTION_CHOICES, /* names, separated by commas; no value: all; stored as an int32_t with one bit
                       each */
};

/* Role of the files in an option's text. */
enum option_file {
    OPTION_NO_FILE,
    OPTION_READS,
    OPTION_READS_LIST, /* separated by commas */
    OPTION_WRITES,
    OPTION_DRAWS, /* a picture; "-": in the terminal */
};

struct option {
    const char *name; /* without the dashes */
    char short_name;  /* 0: none */
    enum option_type type;
    size_t offset; /* in struct settings */
    const char *argument, *help;
    double minimum, maximum;     /* numbers and integers */
    const struct choice *choice; /* its values; for a text, the values of its items */
    enum option_file file;
};
extern const struct option cli_options[];
extern const int cli_option_count;

/* Argument and text of an option for one command, where the text of the table is too general for
 * it. */
struct option_help {
    const char *option, *argument, *help;
};

struct command {
    const char *name, *summary, *operands, *examples;
    const struct option_help *helps; /* ended by a NULL option; NULL: none */
    const char *const *options;      /* names, ended by NULL; the common ones are added */
    int operand_minimum, operand_maximum;
    enum file_kind writes; /* kind of the --output file */
    bool resumes;          /* goes on with an existing --output */
    int apart;             /* first operands that are of another kind than the rest */
    bool counts_repeats;   /* reports operands that it meets again itself */
    /* Writes the document to stdout. */
    enum status (*run)(const struct settings *settings, struct error *error);
};
extern const struct command *const commands[]; /* ended by NULL */

extern const struct command command_devices, command_sweep, command_worker, command_import,
    command_merge, command_export, command_show, command_train, command_evaluate, command_predict,
    command_verify, command_report;

/* Reads arguments (without program and command name) into *settings. STATUS_USAGE names the option,
 * with the nearest known one as hint. */
enum status cli_parse(struct settings *settings, const struct command *command, int count,
                      char *const *arguments, struct error *error);
bool command_takes(const struct command *command, const struct option *option);
/* Argument and text of an option, as this command's help shows them. */
struct option_help option_help_of(const struct command *command, const struct option *option);
void cli_help(FILE *file, const struct command *command, bool brief);
void cli_overview(FILE *file);

/* The manual page (groff's man macros) and bash's completion, from the same tables. */
void cli_manual(FILE *file);
void cli_completion(FILE *file);
struct documented {
    const char *name, *meaning;
};
extern const struct documented exit_codes[]; /* ended by a NULL name */
extern const char cli_examples[];            /* of the whole program */

/* The whole program: finds the command, runs it, reports on stderr; returns the exit code. */
int cli_main(int argc, char **argv);

/* Set by SIGINT and SIGTERM after cli_catch_signals; a second signal ends the program at once. Both
 * print a line: `unit` is what the command still completes ("layer"), `kept` what stays after a
 * sudden end ("no model was written"). */
extern volatile sig_atomic_t cli_interrupted;
void cli_catch_signals(const char *unit, const char *kept);

/* Kind called `name`; STATUS_USAGE with the nearest name for an unknown one. */
enum status cli_layer_kind(enum layer_kind *kind, const char *name, struct error *error);

/* Prints the table on stdout and frees it. */
enum status cli_print_table(struct table *table, enum table_format format, struct error *error);

#endif
