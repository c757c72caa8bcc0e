#include "cli/output_check.h"

#include "base/scratch_file.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that the command will write. */
struct output {
    const char *path, *writer; /* command or option */
    enum file_kind kind;
    bool replaces; /* an existing file of its kind */
    bool resumes;  /* goes on with one */
};

static const char *text_of(const struct settings *settings, const struct option *option)
{
    return *(const char *const *)((const char *)settings + option->offset);
}

/* ---- inputs ---- */

static enum status differs_from(void *payload, const char *input, struct error *error)
{
    const char *output = payload;
    if (!file_is_same(input, output))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "'%s' is both an input and the output", input);
    return HINT(error, STATUS_USAGE, "choose another output name");
}

static enum status check_option(const char *output, const struct settings *settings,
                                const struct option *option, struct error *error)
{
    char *path = (char *)output;
    const bool reads = option->file == OPTION_READS || option->file == OPTION_READS_LIST;
    const char *text = reads ? text_of(settings, option) : NULL;
    if (!text)
        return STATUS_OK;
    return option->file == OPTION_READS ? differs_from(path, text, error)
                                        : each_item(text, differs_from, path, error);
}

static enum status check_inputs(const char *output, const struct settings *settings,
                                struct error *error)
{
    for (int i = 0; i < settings->operand_count; i++)
        TRY(differs_from((char *)output, settings->operands[i], error));
    for (int i = 0; i < cli_option_count; i++)
        TRY(check_option(output, settings, &cli_options[i], error));
    return STATUS_OK;
}

/* `>>data.h5` would damage an input; `>data.h5` has already emptied it. */
static enum status check_stdout(const struct settings *settings, struct error *error)
{
    struct stat written;
    if (fstat(STDOUT_FILENO, &written) != 0 || !S_ISREG(written.st_mode))
        return STATUS_OK;
    return check_inputs("/proc/self/fd/1", settings, error);
}

/* ---- files in the way ---- */

static enum status check_existing(const struct output *output, struct error *error)
{
    const enum file_kind found = file_kind_of(output->path);
    if (found == FILE_ABSENT)
        return STATUS_OK;
    if (!file_kind_is_regular(found)) {
        FAIL(error, STATUS_FAILED, "cannot write '%s': it is %s", output->path,
             file_kind_text(found));
        return HINT(error, STATUS_FAILED, "give the name of a file");
    }
    if (found != output->kind && found != FILE_EMPTY) {
        FAIL(error, STATUS_USAGE, "'%s' is %s; %s replaces only %s", output->path,
             file_kind_text(found), output->writer, file_kind_text(output->kind));
        return HINT(error, STATUS_USAGE, "choose another name, or remove that file");
    }
    return output->resumes && !output->replaces
               ? STATUS_OK
               : scratch_file_check_destination(output->path, output->replaces, error);
}

/* A file that cannot be created is known before the work, not after it. */
static enum status check_creatable(const struct output *output, struct error *error)
{
    struct scratch_file file;
    const enum status status = scratch_file_create(&file, output->path, false, error);
    scratch_file_close(&file);
    return status;
}

static enum status check_output(const struct output *output, const struct settings *settings,
                                struct error *error)
{
    TRY(check_inputs(output->path, settings, error));
    TRY(check_existing(output, error));
    return check_creatable(output, error);
}

/* ---- every option that names an output ---- */

/* A picture replaces an earlier one without --overwrite; "-" is the terminal. */
static struct output output_of(const struct settings *settings, const struct command *command,
                               const struct option *option)
{
    const char *path = text_of(settings, option);
    if (option->file == OPTION_DRAWS)
        return (struct output){.path = strcmp(path, "-") == 0 ? NULL : path,
                               .writer = "--plot",
                               .kind = FILE_PICTURE,
                               .replaces = true};
    return (struct output){.path = path,
                           .writer = command->name,
                           .kind = command->writes,
                           .replaces = settings->overwrite,
                           .resumes = command->resumes};
}

enum status outputs_check(const struct settings *settings, const struct command *command,
                          struct error *error)
{
    TRY(check_stdout(settings, error));
    for (int i = 0; i < cli_option_count && !settings->dry_run; i++) {
        const struct option *option = &cli_options[i];
        const bool writes = option->file == OPTION_WRITES || option->file == OPTION_DRAWS;
        if (!writes || !command_takes(command, option) || !text_of(settings, option))
            continue;
        const struct output output = output_of(settings, command, option);
        if (output.path)
            TRY(check_output(&output, settings, error));
    }
    return STATUS_OK;
}
