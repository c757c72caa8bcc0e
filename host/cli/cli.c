#include "cli/cli.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const common_options[] = {"help",    "brief-help", "quiet",
                                             "verbose", "format",     NULL};

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool command_takes(const struct command *command, const struct option *option)
{
    return is_listed(common_options, option->name) || is_listed(command->options, option->name);
}

struct option_help option_help_of(const struct command *command, const struct option *option)
{
    for (const struct option_help *own = command->helps; own && own->option; own++)
        if (strcmp(own->option, option->name) == 0)
            return *own;
    return (struct option_help){option->name, option->argument, option->help};
}

static const struct option *find_option(const struct command *command, const char *name,
                                        size_t length, char short_name)
{
    for (int i = 0; i < cli_option_count; i++) {
        const struct option *option = &cli_options[i];
        bool is_it = short_name ? option->short_name == short_name
                                : strlen(option->name) == length &&
                                      strncmp(option->name, name, length) == 0;
        if (is_it && command_takes(command, option))
            return option;
    }
    return NULL;
}

/* Spellings of earlier versions, hidden from help. If a spelling is another option's name today, it
 * is the alias when the value is not valid for that option. */
static const struct {
    const char *name, *option;
} aliases[] = {
    {"form", "format"}, {"format", "dialect"}, {"samples", "configs"}, {"license", "licence"}};

static bool accepts(const struct option *option, const char *value)
{
    return option->type != OPTION_CHOICE || (value && choice_find(option->choice, value) >= 0);
}

/* `option` (or NULL), unless its long name is an alias that fits better. value: or NULL. */
static const struct option *resolve_alias(const struct option *option,
                                          const struct command *command, const char *name,
                                          size_t length, const char *value)
{
    if (option && (!value || accepts(option, value)))
        return option;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        const char *now = aliases[i].option;
        if (strlen(aliases[i].name) != length || strncmp(aliases[i].name, name, length) != 0)
            continue;
        const struct option *meant = find_option(command, now, strlen(now), 0);
        if (meant && (!option || accepts(meant, value)))
            return meant;
    }
    return option;
}

static const char *name_of_today(const struct command *command, const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].name, name) == 0 && !find_option(command, name, strlen(name), 0))
            return aliases[i].option;
    return name;
}

static enum status unknown_option(const struct command *command, const char *text,
                                  struct error *error)
{
    const char *names[OPTION_LIMIT + sizeof aliases / sizeof *aliases];
    int count = 0;
    for (int i = 0; i < cli_option_count; i++)
        if (command_takes(command, &cli_options[i]))
            names[count++] = cli_options[i].name;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (find_option(command, aliases[i].option, strlen(aliases[i].option), 0))
            names[count++] = aliases[i].name;
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    FAIL(error, STATUS_USAGE, "unknown option '%s'", name);
    const char *nearest = nearest_name(names, count, name + strspn(name, "-"));
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '--%s'?", name_of_today(command, nearest));
    return HINT(error, STATUS_USAGE, "'epochcast %s --help' lists the options", command->name);
}

static enum status bad_value(const struct option *option, const char *text, const char *what,
                             struct error *error)
{
    return FAIL(error, STATUS_USAGE, "--%s: '%.100s' is not %s", option->name, text, what);
}

static enum status out_of_bounds(const struct option *option, const char *text, struct error *error)
{
    return FAIL(error, STATUS_USAGE, "--%s: %.60s is outside %.12g..%.12g", option->name, text,
                option->minimum, option->maximum);
}

static enum status set_integer(int64_t *target, const struct option *option, const char *text,
                               struct error *error)
{
    const char *end;
    int64_t value;
    const bool fits = parse_whole_number(&value, &end, text);
    if (end == text || *end)
        return bad_value(option, text, "a whole number", error);
    if (!fits || (double)value < option->minimum || (double)value > option->maximum)
        return out_of_bounds(option, text, error);
    *target = value;
    return STATUS_OK;
}

struct scale {
    const char *name;
    double factor;
};

/* Units that may follow a number of the type, in any case; the name of a value, for messages. */
static const struct number_form {
    const struct scale *units; /* ended by NULL */
    bool is_sum;               /* "1h30m" */
    const char *what;
} number_forms[] = {
    [OPTION_NUMBER] = {(const struct scale[]){{"", 1}, {NULL, 0}}, false, "a number"},
    [OPTION_DURATION] =
        {(const struct scale[]){
             {"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}},
         true, "a time such as 60s, 5m, 1h30m or 1d"},
    [OPTION_SIZE] = {(const struct scale[]){{"", 1},
                                            {"B", 1},
                                            {"kB", 1e3},
                                            {"MB", 1e6},
                                            {"GB", 1e9},
                                            {"TB", 1e12},
                                            {"K", 0x1p10},
                                            {"M", 0x1p20},
                                            {"G", 0x1p30},
                                            {"T", 0x1p40},
                                            {"KiB", 0x1p10},
                                            {"MiB", 0x1p20},
                                            {"GiB", 0x1p30},
                                            {"TiB", 0x1p40},
                                            {NULL, 0}},
                     false, "a size such as 16GiB, 16G (the same), 512MB or bytes"},
};

/* NaN: there is no such unit. */
static double unit_factor(const struct scale *units, const char *text, size_t length)
{
    for (const struct scale *unit = units; unit->name; unit++)
        if (strlen(unit->name) == length && strncasecmp(unit->name, text, length) == 0)
            return unit->factor;
    return NAN;
}

/* NaN: not of the form. */
static double read_number(const struct number_form *form, const char *text)
{
    double sum = 0;
    const char *const start = text;
    do {
        char *end;
        const double value = strtod(text, &end);
        const size_t length = form->is_sum ? strcspn(end, "+-.0123456789") : strlen(end);
        if (end == text || (length == 0 && (text != start || *end)))
            return NAN;
        sum += value * unit_factor(form->units, end, length);
        text = end + length;
    } while (*text);
    return sum;
}

static enum status set_number(double *target, const struct option *option, const char *text,
                              struct error *error)
{
    const struct number_form *form = &number_forms[option->type];
    const double value = read_number(form, text);
    if (!isfinite(value))
        return bad_value(option, text, form->what, error);
    if (value < option->minimum || value > option->maximum)
        return out_of_bounds(option, text, error);
    *target = value;
    return STATUS_OK;
}

static enum status set_choice(int32_t *target, const struct option *option, const char *text,
                              struct error *error)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", option->name);
    return choice_read(target, option->choice, name, text, error);
}

struct choices {
    int32_t *mask;
    const struct option *option;
};

static enum status add_choice(void *payload, const char *name, struct error *error)
{
    const struct choices *choices = payload;
    int32_t value;
    TRY(set_choice(&value, choices->option, name, error));
    *choices->mask |= INT32_C(1) << value;
    return STATUS_OK;
}

/* Without a text: all. */
static enum status set_choices(int32_t *mask, const struct option *option, const char *text,
                               struct error *error)
{
    *mask = 0;
    if (text)
        return each_item(text, add_choice, &(struct choices){mask, option}, error);
    *mask = (INT32_C(1) << option->choice->count) - 1;
    return STATUS_OK;
}

/* True when an item of the list `text` is a name of the option's: then it is its value, not an
 * operand. */
static bool names_choice(const struct option *option, const char *text)
{
    for (; *text; text += strspn(text, ",")) {
        const size_t length = strcspn(text, ",");
        for (int i = 0; i < option->choice->count; i++)
            if (strlen(option->choice->names[i]) == length &&
                strncmp(option->choice->names[i], text, length) == 0)
                return true;
        text += length;
    }
    return false;
}

static enum status append_text(struct texts *texts, const struct option *option, const char *text,
                               struct error *error)
{
    if (texts->count == REPEAT_LIMIT)
        return FAIL(error, STATUS_USAGE, "--%s: given more than %d times", option->name,
                    REPEAT_LIMIT);
    texts->list[texts->count++] = text;
    return STATUS_OK;
}

static enum status set_value(struct settings *settings, const struct option *option,
                             const char *text, struct error *error)
{
    void *target = (char *)settings + option->offset;
    settings->given[option - cli_options] = true;
    switch (option->type) {
    case OPTION_FLAG:
        *(int32_t *)target = 1;
        return STATUS_OK;
    case OPTION_INTEGER:
        return set_integer(target, option, text, error);
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return set_number(target, option, text, error);
    case OPTION_CHOICE:
        return set_choice(target, option, text, error);
    case OPTION_CHOICES:
        return set_choices(target, option, text, error);
    case OPTION_TEXTS:
        return append_text(target, option, text, error);
    case OPTION_TEXT:
        break;
    }
    if (!*text)
        return bad_value(option, text, "a text", error);
    *(const char **)target = text;
    return STATUS_OK;
}

/* "-x value", or "-xvalue" of an option that takes one: then *attached is the value. */
static const struct option *find_short_option(const char **attached, const struct command *command,
                                              const char *name)
{
    const struct option *option = find_option(command, name, 1, *name);
    if (!option || !name[1])
        return option;
    *attached = name + 1;
    return option->type == OPTION_FLAG ? NULL : option;
}

/* "-o x.h5" of somebody who means the output file. */
static enum status set_option(struct settings *settings, const struct command *command,
                              const struct option *option, const char *text, struct error *error)
{
    const enum status status = set_value(settings, option, text, error);
    if (status != STATUS_OK && option->short_name == 'o' && strchr(text, '.') &&
        is_listed(command->options, "output"))
        return HINT(error, status, "-O %.80s writes a file", text);
    return status;
}

/* "--name=value", "--name value", "-x value", "-xvalue"; *used: arguments taken. */
static enum status parse_option(int *used, struct settings *settings, const struct command *command,
                                int count, char *const *arguments, struct error *error)
{
    const char *text = arguments[0];
    bool is_long = text[1] == '-';
    const char *name = text + (is_long ? 2 : 1);
    size_t length = strcspn(name, "=");
    const char *attached = is_long && name[length] == '=' ? name + length + 1 : NULL;
    const struct option *option = is_long ? find_option(command, name, length, 0)
                                          : find_short_option(&attached, command, name);
    if (is_long)
        option = resolve_alias(option, command, name, length,
                               attached    ? attached
                               : count > 1 ? arguments[1]
                                           : NULL);
    if (!option)
        return unknown_option(command, text, error);
    *used = 1;
    if (option->type == OPTION_FLAG && attached)
        return FAIL(error, STATUS_USAGE, "--%s takes no value", option->name);
    if (option->type == OPTION_CHOICES && !attached) {
        const bool is_given = count > 1 && names_choice(option, arguments[1]);
        *used = is_given ? 2 : 1;
        return set_value(settings, option, is_given ? arguments[1] : NULL, error);
    }
    if (option->type == OPTION_FLAG || attached)
        return set_option(settings, command, option, attached ? attached : "", error);
    if (count < 2)
        return FAIL(error, STATUS_USAGE, "--%s needs a value: %s", option->name,
                    option_help_of(command, option).argument);
    *used = 2;
    return set_option(settings, command, option, arguments[1], error);
}

static enum status add_operand(struct settings *settings, const char *text, struct error *error)
{
    if (settings->operand_count == OPERAND_LIMIT)
        return FAIL(error, STATUS_USAGE, "more than %d operands", OPERAND_LIMIT);
    settings->operands[settings->operand_count++] = text;
    return STATUS_OK;
}

static enum status check_operands(const struct settings *settings, const struct command *command,
                                  struct error *error)
{
    if (settings->operand_count < command->operand_minimum) {
        FAIL(error, STATUS_USAGE, "%s needs %s", command->name, command->operands);
        return HINT(error, STATUS_USAGE, "see 'epochcast %s --help'", command->name);
    }
    if (settings->operand_count > command->operand_maximum)
        return FAIL(error, STATUS_USAGE, "%s: unexpected '%.80s'", command->name,
                    settings->operands[command->operand_maximum]);
    return STATUS_OK;
}

enum status cli_parse(struct settings *settings, const struct command *command, int count,
                      char *const *arguments, struct error *error)
{
    bool only_operands = false;
    for (int i = 0; i < count;) {
        const char *text = arguments[i];
        int used = 1;
        if (!only_operands && strcmp(text, "--") == 0)
            only_operands = true;
        else if (!only_operands && text[0] == '-' && text[1])
            TRY(parse_option(&used, settings, command, count - i, arguments + i, error));
        else
            TRY(add_operand(settings, text, error));
        i += used;
    }
    if (settings->help || settings->brief_help)
        return STATUS_OK;
    return check_operands(settings, command, error);
}
