/* The manual page, from the tables of commands and options. */
#include "cli/cli.h"

#include "version.h"

#include <string.h>

static const struct documented environment[] = {
    {"EPOCHCAST_NETWORKS", "folder of layer CSVs, searched before the catalogue"},
    {"EPOCHCAST_DEVICES", "catalogue of devices to use instead of the installed devices.csv"},
    {"EPOCHCAST_CUDA_MODULE", "CUDA module to use instead of the installed epochcast_cuda.so"},
    {"EPOCHCAST_FAKE_FAULTS", "for tests: failures of the fake device, as shares of the configs: "
                              "crash=0.01,refuse=0.02; others are hang, die, poison, "
                              "unsupported, wrong"},
    {"NO_COLOR", "if not empty: no colours"},
    {"CLICOLOR_FORCE", "if neither empty nor 0: colours, whatever the output is"},
    {"TERM", "if dumb: no colours and no progress line"},
    {"PATH", "folders searched for gnuplot, which draws pictures"},
    {"COLUMNS, LINES", "size of a picture if the terminal does not report its own"},
    {"OMP_WAIT_POLICY", "PASSIVE spares other programs on a shared machine; OpenMP's runtime "
                        "reads it before the program starts"},
    {NULL, NULL},
};

static const struct documented files[] = {
    {"*.h5", "datasets (HDF5) and models (HDF5 after a header of 512 bytes)"},
    {"PREFIX/share/epochcast/networks/*.csv", "the catalogue: one layer CSV per network"},
    {"PREFIX/lib/epochcast/epochcast_cuda.so", "module that measures and trains on NVIDIA GPUs"},
    {NULL, NULL},
};

static const struct documented words[] = {
    {"config", "one layer with all its sizes: batch size, widths, pass, optimizer, precision, ..."},
    {"round", "one visit of every config of a sweep; the label is the median of the fastest round"},
    {"sample", "one timed call, or one timed group of calls, of a config in a round; in a batch "
               "and in --dataset-size, one example of the network's training data"},
    {"row", "the result for a config: its sizes, its times, an outcome"},
    {"device", "the hardware that is measured or forecast"},
    {"backend", "the code that drives it: cpu, cuda, or fake for tests"},
    {"train, test, validation", "splits of the rows by the hash of their config: 80, 10 and 10 %. "
                                "The test split chooses the epoch and calibrates intervals (of few "
                                "rows: folds of train and test rows); the "
                                "validation split judges. Other tools often use these two words "
                                "the other way round"},
    {NULL, NULL},
};

static const struct documented outcomes[] = {
    {"ok", "timed; the interval of the median is within --target-percent"},
    {"capped", "timed; --cap-ms was reached before the interval was narrow enough"},
    {"slow", "timed once: the call took more than four times the cap"},
    {"out_of_memory, unsupported", "not timed: the device cannot run the config"},
    {"throttled", "not timed: the device lowered its clocks"},
    {"timeout, crashed", "not timed: the worker process hung or died"},
    {"incorrect", "timed, but the results were not what the layer is by definition: no times "
                  "(--check-every)"},
    {NULL, NULL},
};

/* Text for groff: without escapes and requests, with minus signs that can be copied. */
static void put(FILE *file, const char *text)
{
    bool line_starts = true;
    for (; *text; text++) {
        if (line_starts && (*text == '.' || *text == '\''))
            fputs("\\&", file);
        if (*text == '\\')
            fputs("\\e", file);
        else if (*text == '-')
            fputs("\\-", file);
        else
            fputc(*text, file);
        line_starts = *text == '\n';
    }
}

static void put_bold(FILE *file, const char *text)
{
    fputs("\\fB", file);
    put(file, text);
    fputs("\\fR", file);
}

static void put_example(FILE *file, const char *lines)
{
    fputs(".PP\n.EX\n", file);
    put(file, lines);
    fputs(".EE\n", file);
}

static void put_list(FILE *file, const char *title, const struct documented *list)
{
    fprintf(file, ".SH %s\n", title);
    for (; list->name; list++) {
        fputs(".TP\n", file);
        put_bold(file, list->name);
        fputc('\n', file);
        put(file, list->meaning);
        fputc('\n', file);
    }
}

/* ---- options ---- */

static bool is_common(const struct option *option)
{
    for (int i = 0; commands[i]; i++)
        if (!command_takes(commands[i], option))
            return false;
    return true;
}

static void put_long_name(FILE *file, const struct option *option)
{
    fputs("\\fB\\-\\-", file);
    put(file, option->name);
    fputs("\\fR", file);
}

static void put_option_name(FILE *file, const struct option *option)
{
    if (option->short_name)
        fprintf(file, "\\fB\\-%c\\fR", option->short_name);
    if (option->short_name == 'h')
        return;
    fputs(option->short_name ? ", " : "", file);
    put_long_name(file, option);
    if (!option->argument)
        return;
    fputs(" \\fI", file);
    put(file, option->argument);
    fputs("\\fR", file);
}

static void put_commands_of(FILE *file, const struct option *option)
{
    const char *separator = " Used by ";
    for (int i = 0; commands[i] && !is_common(option); i++)
        if (command_takes(commands[i], option)) {
            fputs(separator, file);
            put_bold(file, commands[i]->name);
            separator = ", ";
        }
    fputs(is_common(option) ? " Used by every command.\n" : ".\n", file);
}

static void put_option(FILE *file, const struct option *option)
{
    fputs(".TP\n", file);
    put_option_name(file, option);
    fputc('\n', file);
    put(file, option->help);
    for (int i = 0; option->choice && i < option->choice->count; i++) {
        fputs(i ? ", " : ": ", file);
        put_bold(file, option->choice->names[i]);
    }
    fputc('.', file);
    put_commands_of(file, option);
}

/* ---- commands ---- */

static void put_command(FILE *file, const struct command *command)
{
    const char *separator = ".PP\nOptions: ";
    fprintf(file, ".SS %s\n", command->name);
    fprintf(file, ".B epochcast %s\n", command->name);
    put(file, command->operands);
    fputs(*command->operands ? "\n[options]\n.PP\n" : "[options]\n.PP\n", file);
    put(file, command->summary);
    fputs(".\n", file);
    for (int i = 0; i < cli_option_count; i++)
        if (command_takes(command, &cli_options[i]) && !is_common(&cli_options[i])) {
            fputs(separator, file);
            put_long_name(file, &cli_options[i]);
            separator = ", ";
        }
    fputs(*separator == ',' ? ".\n" : "", file);
    for (const struct option_help *own = command->helps; own && own->option; own++) {
        fputs(".TP\n\\fB\\-\\-", file);
        put(file, own->option);
        fprintf(file, "\\fR%s\\fI", own->argument ? " " : "");
        put(file, own->argument ? own->argument : "");
        fputs("\\fR\n", file);
        put(file, own->help);
        fputs(".\n", file);
    }
    put_example(file, command->examples);
}

void cli_manual(FILE *file)
{
    fputs(
        ".TH EPOCHCAST 1 \"\" \"epochcast " EPOCHCAST_VERSION "\" \"User Commands\"\n"
        ".SH NAME\n"
        "epochcast \\- forecasts how long a neural network takes to train or run on a device\n"
        ".SH SYNOPSIS\n"
        ".B epochcast\n.I command\n[operands] [options]\n.br\n"
        ".B epochcast\n\\-\\-help | \\-\\-version | \\-\\-man | \\-\\-completion bash\n"
        ".SH DESCRIPTION\n"
        "epochcast times random layers of neural networks on a device, trains a small network on\n"
        "the times, and uses it to forecast whole networks: per layer, batch and epoch, in time,\n"
        "memory and money, each with an interval.\n"
        "Each command writes its document to standard output and everything else to standard\n"
        "error.\n"
        ".SH EXAMPLES\n",
        file);
    put_example(file, cli_examples);
    fputs(".SH COMMANDS\n", file);
    for (int i = 0; commands[i]; i++)
        put_command(file, commands[i]);
    fputs(".SH OPTIONS\nWhere a command gives an option a narrower meaning, its section says so.\n",
          file);
    for (int i = 0; i < cli_option_count; i++)
        put_option(file, &cli_options[i]);
    fputs(
        ".SH RESUMING\n"
        "A sweep that was interrupted, killed or stopped by a full disk keeps its rows. The same\n"
        "command continues it; a higher --configs or a longer --time-budget extends it. Another\n"
        "seed, device or set of layers is another sweep, and refused. The file of an unfinished\n"
        "sweep can be shown, trained on and exported once the sweep has stopped.\n"
        ".SH FILES OF OTHERS\n"
        "import reads what export writes. For other CSV files --map names a text file with one\n"
        "line per column of epochcast:\n",
        file);
    put_example(file, "layer      =  dense               # the same in every row\n"
                      "inputs     <- in_features         # name of the foreign column\n"
                      "median_ms  <- latency in us       # in another unit: ns, us, ms, s\n");
    put_list(file, "OUTCOMES OF A ROW", outcomes);
    put_list(file, "WORDS", words);
    put_list(file, "EXIT STATUS", exit_codes);
    put_list(file, "ENVIRONMENT", environment);
    put_list(file, "FILES", files);
    fputs(".SH SEE ALSO\n.BR gnuplot (1),\n.BR h5dump (1),\n.BR sbatch (1)\n", file);
}
