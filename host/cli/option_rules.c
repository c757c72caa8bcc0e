#include "cli/option_rules.h"

#include <string.h>

/* For every command that takes both options. */
struct rule {
    const char *option, *other;
};

static const struct rule needs[] = {
    {"epochs", "dataset-size"},
    {"price-per-hour", "dataset-size"},
    {"watts", "dataset-size"},
    {"price-per-kwh", "watts"},
    {"link", "gpus"},
    {"all-reduce", "gpus"},
    {"scaling", "gpus"},
    {"device-from", "device"},
    {"dimension", "from-networks"},
    {"model", "fine-tune"},
    {"calibrate-rows", "hold-out-device"},
    {"preset", "hold-out-device"},
    {"epochs", "hold-out-device"},
    {"ensemble", "hold-out-device"},
    {"seed", "hold-out-device"},
    {"threads", "hold-out-device"},
};

static const struct rule excludes[] = {
    {"hold-out-device", "by"},    {"hold-out-device", "forecasts"},
    {"hold-out-device", "group"}, {"by", "forecasts"},
    {"by", "baselines"},          {"by", "group"},
    {"forecasts", "baselines"},   {"forecasts", "group"},
    {"map", "dialect"},           {"check", "plot"},
    {"model", "hidden"},          {"model", "ensemble"},
    {"model", "search"},
};

static const struct option *find(const char *name)
{
    for (int i = 0; i < cli_option_count; i++)
        if (strcmp(cli_options[i].name, name) == 0)
            return &cli_options[i];
    assert(!"an option of the table");
    return NULL;
}

bool option_is_given(const struct settings *settings, const char *name)
{
    return settings->given[find(name) - cli_options];
}

const char *option_first_given(const struct settings *settings, const char *const *names)
{
    for (; *names; names++)
        if (option_is_given(settings, *names))
            return *names;
    return NULL;
}

/* The rule is about two options of the command, and the first is given. */
static bool applies(const struct rule *rule, const struct settings *settings,
                    const struct command *command)
{
    return option_is_given(settings, rule->option) && command_takes(command, find(rule->option)) &&
           command_takes(command, find(rule->other));
}

static enum status check_needs(const struct rule *rule, const struct settings *settings,
                               struct error *error)
{
    if (option_is_given(settings, rule->other))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "--%s requires --%s", rule->option, rule->other);
    return HINT(error, STATUS_USAGE, "add --%s %s", rule->other, find(rule->other)->argument);
}

static enum status check_excludes(const struct rule *rule, const struct settings *settings,
                                  struct error *error)
{
    if (!option_is_given(settings, rule->other))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "--%s cannot be combined with --%s", rule->option, rule->other);
    return HINT(error, STATUS_USAGE, "leave out one of them");
}

enum status option_rules_check(const struct settings *settings, const struct command *command,
                               struct error *error)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (applies(&needs[i], settings, command))
            TRY(check_needs(&needs[i], settings, error));
    for (size_t i = 0; i < sizeof excludes / sizeof *excludes; i++)
        if (applies(&excludes[i], settings, command))
            TRY(check_excludes(&excludes[i], settings, error));
    return STATUS_OK;
}
