#include "cli/operands.h"

#include <stdio.h>
#include <string.h>

static bool is_repeat(const struct settings *settings, int first, int index)
{
    for (int i = first; i < index; i++)
        if (strcmp(settings->operands[i], settings->operands[index]) == 0 ||
            file_is_same(settings->operands[i], settings->operands[index]))
            return true;
    return false;
}

void operands_once(struct settings *settings, const struct command *command)
{
    int dropped = 0;
    for (int i = command->apart; i < settings->operand_count && !command->counts_repeats;) {
        if (!is_repeat(settings, command->apart, i)) {
            i++;
            continue;
        }
        if (dropped++ == 0 && !settings->quiet)
            fprintf(stderr, "note: named more than once, counted once:");
        if (!settings->quiet)
            fprintf(stderr, "%s '%s'", dropped > 1 ? "," : "", settings->operands[i]);
        settings->operand_count--;
        memmove(settings->operands + i, settings->operands + i + 1,
                (size_t)(settings->operand_count - i) * sizeof *settings->operands);
    }
    if (dropped && !settings->quiet)
        fputc('\n', stderr);
}

void note_repeats(const struct dataset_rows *rows, const struct settings *settings)
{
    if (rows->repeat_count && !settings->quiet)
        fprintf(stderr, "note: %zu row%s in more than one dataset, counted once\n",
                rows->repeat_count, rows->repeat_count == 1 ? "" : "s");
}
