#include "cli/cli.h"

const struct documented exit_codes[] = {
    {"0", "ok"},
    {"1", "failed"},
    {"2", "usage"},
    {"3", "no such device"},
    {"4", "bad file"},
    {"5", "out of memory predicted"},
    {"130", "interrupted"},
    {NULL, NULL},
};

const char cli_examples[] =
    "  epochcast sweep --time-budget 60s -O cpu.h5        time random layers of this machine\n"
    "  epochcast train cpu.h5 -O model.h5                 train on them\n"
    "  epochcast predict vgg16 --model model.h5 --batch 1..16*2\n";

static void print_option(FILE *file, const struct option *option)
{
    char left[64];
    bool brief = option->short_name == 'h';
    int length = brief ? snprintf(left, sizeof left, "  -h")
                       : snprintf(
                             left, sizeof left, "  %c%c%s --%s%s%s", option->short_name ? '-' : ' ',
                             option->short_name ? option->short_name : ' ',
                             option->short_name ? "," : " ", option->name,
                             option->argument ? " " : "", option->argument ? option->argument : "");
    fprintf(file, "%-31s ", left);
    if (length > 31)
        fprintf(file, "\n%-32s", "");
    fputs(option->help, file);
    for (int i = 0; option->choice && i < option->choice->count; i++)
        fprintf(file, "%s%s", i ? ", " : ": ", option->choice->names[i]);
    fputc('\n', file);
}

void cli_help(FILE *file, const struct command *command, bool brief)
{
    fprintf(file, "usage: epochcast %s%s%s [options]\n\n%s\n", command->name,
            *command->operands ? " " : "", command->operands, command->summary);
    if (!brief)
        fprintf(file, "\nexamples:\n%s", command->examples);
    fputs("\noptions:\n", file);
    for (int i = 0; i < cli_option_count; i++)
        if (command_takes(command, &cli_options[i]))
            print_option(file, &cli_options[i]);
}

static void print_exit_codes(FILE *file)
{
    int column = fprintf(file, "Exit codes:");
    for (const struct documented *code = exit_codes; code->name; code++) {
        char text[64];
        const int length = snprintf(text, sizeof text, "%s %s%s", code->name, code->meaning,
                                    code[1].name ? "," : ".");
        if (column + 1 + length > 90)
            column = fprintf(file, "\n%s", text) - 1;
        else
            column += fprintf(file, " %s", text);
    }
    fputc('\n', file);
}

void cli_overview(FILE *file)
{
    fputs("usage: epochcast <command> [options]\n\n"
          "Forecasts how long a neural network takes to train or run on a device.\n\n"
          "examples:\n",
          file);
    fprintf(file, "%s\ncommands:\n", cli_examples);
    for (int i = 0; commands[i]; i++)
        fprintf(file, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nRun 'epochcast <command> --help' for details; --version lists the library versions.\n"
          "--man prints the manual page, --completion bash prints a completion script.\n",
          file);
    print_exit_codes(file);
}
