/* Whatever a command line holds: cli_parse returns OK or STATUS_USAGE with a message, and what it
 * accepted is within the option's bounds. First byte: the command; then arguments, ended by NUL.
 */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENT_LIMIT = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct command *pick_command(uint8_t number)
{
    int count = 0;
    while (commands[count])
        count++;
    return commands[number % count];
}

static void check_bounds(const struct settings *settings, const struct option *option)
{
    const char *at = (const char *)settings + option->offset;
    double value = NAN;
    if (option->type == OPTION_INTEGER && *(const int64_t *)at != -1)
        value = (double)*(const int64_t *)at;
    if (option->type == OPTION_NUMBER || option->type == OPTION_DURATION ||
        option->type == OPTION_SIZE)
        value = *(const double *)at;
    if (value < option->minimum || value > option->maximum || isinf(value))
        abort();
    if (option->type == OPTION_CHOICE &&
        (*(const int32_t *)at < 0 || *(const int32_t *)at >= option->choice->count))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size), *arguments[ARGUMENT_LIMIT];
    int count = 0;
    if (!text)
        abort();
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    for (size_t at = 0; at < size && count < ARGUMENT_LIMIT; at += strlen(text + at) + 1)
        arguments[count++] = text + at;

    struct settings settings = settings_default;
    struct error error = {.status = STATUS_OK};
    enum status status = cli_parse(&settings, pick_command(bytes[0]), count, arguments, &error);
    if (status != STATUS_OK && (status != STATUS_USAGE || !error.message[0]))
        abort();
    for (int i = 0; status == STATUS_OK && i < option_count; i++)
        check_bounds(&settings, &options[i]);
    free(text);
    return 0;
}
