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

/* NaN for options that are no numbers. */
static double number_of(const struct settings *settings, const struct option *option)
{
    const char *at = (const char *)settings + option->offset;
    switch (option->type) {
    case OPTION_INTEGER:
        return (double)*(const int64_t *)at;
    case OPTION_CHOICE:
        return (double)*(const int32_t *)at;
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return *(const double *)at;
    default:
        return NAN;
    }
}

static void check_bounds(const struct settings *settings, const struct option *option)
{
    const double value = number_of(settings, option);
    const bool is_default = value == number_of(&settings_default, option); /* may mean: not given */
    const bool is_choice = option->type == OPTION_CHOICE;
    const double minimum = is_choice ? 0 : option->minimum;
    const double maximum = is_choice ? option->choice->count - 1 : option->maximum;
    if (!is_default && (value < minimum || value > maximum || isinf(value)))
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
    for (int i = 0; status == STATUS_OK && i < cli_option_count; i++)
        check_bounds(&settings, &cli_options[i]);
    free(text);
    return 0;
}
