/* Finds the command, runs it, reports. The only place that prints errors. */
#include "base/text.h"
#include "cli/cli.h"

#include "cli/operands.h"
#include "cli/option_rules.h"
#include "cli/output_check.h"
#include "cli/provenance.h"

#include <hdf5.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {&command_devices, &command_sweep,    &command_import,
                                          &command_merge,   &command_export,   &command_show,
                                          &command_train,   &command_evaluate, &command_predict,
                                          &command_verify,  &command_report,   NULL};

volatile sig_atomic_t cli_interrupted;

struct signal_waiter {
    sigset_t signals;
    sem_t runs;
    const char *unit, *kept;
};

/* Waits for the signals that every other thread blocks; the second one ends the program. Both are
 * announced at once: the unit at hand may take long. */
static void *wait_for_signals(void *payload)
{
    struct signal_waiter *waiter = payload;
    const sigset_t *signals = &waiter->signals;
    int number;
    sem_post(&waiter->runs);
    while (sigwait(signals, &number) == 0) {
        if (cli_interrupted) {
            term_line(stderr, "epochcast: ended in the middle; %s", waiter->kept);
            _exit(STATUS_INTERRUPTED);
        }
        cli_interrupted = 1;
        term_line(stderr, "epochcast: stopping after this %s; %s ends now", waiter->unit,
                  number == SIGINT ? "Ctrl-C again" : "a second signal");
    }
    return NULL;
}

/* A thread instead of a handler: a handler's frame on the stack of a thread that runs oneDNN's
 * generated code corrupted the heap (oneDNN 2.6 sgemm, interrupted training with two threads). */
void cli_catch_signals(const char *unit, const char *kept)
{
    static struct signal_waiter waiter;
    pthread_t thread;
    waiter.unit = unit;
    waiter.kept = kept;
    sigemptyset(&waiter.signals);
    sigaddset(&waiter.signals, SIGINT);
    sigaddset(&waiter.signals, SIGTERM);
    sem_init(&waiter.runs, 0, 0);
    pthread_sigmask(SIG_BLOCK, &waiter.signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, &waiter) != 0) {
        pthread_sigmask(SIG_UNBLOCK, &waiter.signals, NULL);
        return;
    }
    pthread_detach(thread);
    /* A starting thread may hold locks, and a forked child would wait for them. */
    while (sem_wait(&waiter.runs) != 0)
        ;
}

static enum status unknown_command(const char *name, struct error *error)
{
    const char *names[32];
    int count = 0;
    for (; commands[count]; count++)
        names[count] = commands[count]->name;
    FAIL(error, STATUS_USAGE, "unknown command '%.60s'", name);
    const char *nearest = nearest_name(names, count, name);
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '%s'?", nearest);
    return HINT(error, STATUS_USAGE, "'epochcast --help' lists the commands");
}

/* "sweep help", unless a file is called so. */
static bool asks_for_help(int count, char *const *arguments)
{
    return count == 1 && strcmp(arguments[0], "help") == 0 && access("help", F_OK) != 0;
}

static enum status run_command(const struct command *command, int count, char *const *arguments,
                               struct settings *settings, struct error *error)
{
    if (asks_for_help(count, arguments)) {
        cli_help(stdout, command, false);
        return STATUS_OK;
    }
    TRY(cli_parse(settings, command, count, arguments, error));
    if (settings->help || settings->brief_help) {
        cli_help(stdout, command, !settings->help);
        return STATUS_OK;
    }
    TRY(option_rules_check(settings, command, error));
    operands_once(settings, command);
    TRY(outputs_check(settings, command, error));
    return command->run(settings, error);
}

/* Options that take the place of a command. */
static bool print_document(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
        print_version(stdout);
    else if (argc == 2 && strcmp(argv[1], "--man") == 0)
        cli_manual(stdout);
    else if (argc == 3 && strcmp(argv[1], "--completion") == 0 && strcmp(argv[2], "bash") == 0)
        cli_completion(stdout);
    else
        return false;
    return true;
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    if (strcmp(name, command_worker.name) == 0) /* started by a sweep, not by users */
        return &command_worker;
    return NULL;
}

static enum status help(const char *name, struct error *error)
{
    const struct command *command = name ? find_command(name) : NULL;
    if (name && !command)
        return unknown_command(name, error);
    if (command)
        cli_help(stdout, command, false);
    else
        cli_overview(stdout);
    return STATUS_OK;
}

static enum status dispatch(int argc, char **argv, struct settings *settings, struct error *error)
{
    if (argc < 2) {
        cli_overview(stderr);
        return STATUS_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc > 2 ? argv[2] : NULL, error);
    if (print_document(argc, argv))
        return STATUS_OK;
    if (strcmp(name, "--completion") == 0) {
        FAIL(error, STATUS_USAGE, "--completion supports only bash");
        return HINT(error, STATUS_USAGE, "source <(epochcast --completion bash)");
    }
    const struct command *command = find_command(name);
    return command ? run_command(command, argc - 2, argv + 2, settings, error)
                   : unknown_command(name, error);
}

/* Output must have been written: a full disk is an error. */
static enum status flush_output(enum status status, struct error *error)
{
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK)
        return FAIL(error, STATUS_FAILED, "cannot write the output: %s",
                    errno ? strerror(errno) : "write error");
    return status;
}

static void report(const struct error *error, bool verbose)
{
    if (!error->message[0])
        return;
    fprintf(stderr, "%sepochcast:%s %s\n", term_style(stderr, TERM_ERROR), term_plain(stderr),
            error->message);
    if (error->hint[0])
        term_message(stderr, "hint: %s\n", error->hint);
    if (verbose && error->file)
        fprintf(stderr, "at: %s:%d\n", error->file, error->line);
}

/* The command line as typed, cut at `size`. */
static void join_arguments(char *text, size_t size, int argc, char **argv)
{
    size_t length = (size_t)snprintf(text, size, "epochcast");
    for (int i = 1; i < argc && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, " %s", argv[i]);
}

int cli_main(int argc, char **argv)
{
    struct settings settings = settings_default;
    struct error error = {0};
    char command_line[1024];
    join_arguments(command_line, sizeof command_line, argc, argv);
    settings.command_line = command_line;
    // every file is closed where it was opened; the library's exit handler crashes on one whose
    // close has failed, as on a full disk
    H5dont_atexit();
    enum status status = flush_output(dispatch(argc, argv, &settings, &error), &error);
    if (status != STATUS_OK)
        report(&error, settings.verbose);
    return (int)status;
}

enum status cli_layer_kind(enum layer_kind *kind, const char *name, struct error *error)
{
    const char *names[LAYER_KIND_COUNT];
    int found = layer_kind_find(name);
    if (found >= 0) {
        *kind = (enum layer_kind)found;
        return STATUS_OK;
    }
    for (int i = 0; i < LAYER_KIND_COUNT; i++)
        names[i] = layer_descriptors[i]->name;
    FAIL(error, STATUS_USAGE, "unknown layer '%.60s'", name);
    const char *nearest = nearest_name(names, LAYER_KIND_COUNT, name);
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '%s'?", nearest);
    return HINT(error, STATUS_USAGE, "'epochcast show layers' lists them");
}

enum status cli_print_table(struct table *table, enum table_format format, struct error *error)
{
    enum status status = table_print(table, stdout, format, error);
    table_free(table);
    return status;
}
