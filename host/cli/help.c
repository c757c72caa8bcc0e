#include "cli/cli.h"

#include <string.h>

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

const char cli_examples[] = "  epochcast sweep --time-budget 5m -O cpu.h5\n"
                            "  epochcast train cpu.h5 -O model.h5\n"
                            "  epochcast predict vgg16 --model model.h5 --batch '1..16*2'\n";

enum { TEXT_COLUMN = 28, LINE_WIDTH = 80 };

/* "examples:" of its own line. */
static void put_heading(FILE *file, const char *text)
{
    fprintf(file, "%s%s:%s", term_style(file, TERM_HEADING), text, term_plain(file));
}

/* Words from `column` on; later lines begin at TEXT_COLUMN. Returns the column where it ends. */
static int put_words(FILE *file, const char *text, int column)
{
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (column > TEXT_COLUMN && column + 1 + length > LINE_WIDTH)
            column = fprintf(file, "\n%*s", TEXT_COLUMN, "") - 1;
        if (column > TEXT_COLUMN)
            column += fprintf(file, " ");
        column += fprintf(file, "%.*s", length, text);
        text += length + (text[length] == ' ');
    }
    return column;
}

static int put_choices(FILE *file, const struct choice *choice, int column)
{
    column += fprintf(file, ":");
    for (int i = 0; i < choice->count; i++) {
        char word[80];
        snprintf(word, sizeof word, "%s%s", choice->names[i], i + 1 < choice->count ? "," : "");
        column = put_words(file, word, column);
    }
    return column;
}

static void print_option(FILE *file, const struct command *command, const struct option *option)
{
    const struct option_help texts = option_help_of(command, option);
    int column = option->short_name ? fprintf(file, "  -%c", option->short_name)
                                    : fprintf(file, "    ");
    if (option->short_name != 'h')
        column += fprintf(file, "%s --%s", option->short_name ? "," : " ", option->name);
    if (texts.argument)
        column += fprintf(file, " %s", texts.argument);
    if (column >= TEXT_COLUMN)
        column = fprintf(file, "\n") - 1;
    column += fprintf(file, "%*s", TEXT_COLUMN - column, "");
    column = put_words(file, texts.help, column);
    if (option->choice)
        put_choices(file, option->choice, column);
    fputc('\n', file);
}

void cli_help(FILE *file, const struct command *command, bool brief)
{
    put_heading(file, "usage");
    fprintf(file, " epochcast %s%s%s [options]\n\n%s\n\n", command->name,
            *command->operands ? " " : "", command->operands, command->summary);
    if (!brief) {
        put_heading(file, "examples");
        fprintf(file, "\n%s\n", command->examples);
    }
    put_heading(file, "options");
    fputc('\n', file);
    for (int i = 0; i < cli_option_count; i++)
        if (command_takes(command, &cli_options[i]))
            print_option(file, command, &cli_options[i]);
}

static void print_exit_codes(FILE *file)
{
    put_heading(file, "Exit codes");
    int column = (int)strlen("Exit codes:");
    for (const struct documented *code = exit_codes; code->name; code++) {
        char text[64];
        const int length = snprintf(text, sizeof text, "%s %s%s", code->name, code->meaning,
                                    code[1].name ? "," : ".");
        if (column + 1 + length > LINE_WIDTH)
            column = fprintf(file, "\n%s", text) - 1;
        else
            column += fprintf(file, " %s", text);
    }
    fputc('\n', file);
}

void cli_overview(FILE *file)
{
    put_heading(file, "usage");
    fputs(" epochcast <command> [options]\n\n"
          "Forecasts how long a neural network takes to train or run on a device.\n\n",
          file);
    put_heading(file, "examples");
    fprintf(file, "\n%s\n", cli_examples);
    put_heading(file, "commands");
    fputc('\n', file);
    for (int i = 0; commands[i]; i++)
        fprintf(file, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nRun 'epochcast help <command>' for details; --version lists the library versions.\n"
          "--man prints the manual page, --completion bash prints a completion script.\n",
          file);
    print_exit_codes(file);
}
