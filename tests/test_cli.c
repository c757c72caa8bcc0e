/* The option parser and its tables. What commands print is tested by tests/cli. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/train_notes.h"
#include "data/import.h"
#include "forecast/parallel.h"
#include "layers/encode_plan.h"
#include "predictors/predictor.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses the words of `line`, which stays alive as long as *settings is used. */
static enum status parse(struct settings *settings, const struct command *command, char *line,
                         struct error *error)
{
    char *words[400], *rest;
    int count = 0;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    *settings = settings_default;
    *error = (struct error){.status = STATUS_OK};
    return cli_parse(settings, command, count, words, error);
}

static void options_are_read_in_every_form(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    char line[] = "--configs 20 -s 7 --device=fake --time-budget=5m --dry-run --cache cold "
                  "--cap-ms 1.5e2 -o jsonl --quiet";
    assert_int_equal(parse(&settings, &command_sweep, line, &error), STATUS_OK);
    assert_int_equal(settings.configs, 20);
    assert_int_equal(settings.seed, 7);
    assert_string_equal(settings.device, "fake");
    assert_float_equal(settings.time_budget_s, 300, 0);
    assert_true(settings.dry_run && settings.quiet && !settings.overwrite);
    assert_int_equal(settings.cache, 1);
    assert_float_equal(settings.cap_ms, 150, 0);
    assert_int_equal(settings.format, TABLE_JSONL);
}

/* Old spellings: --form, and --format with what import calls a dialect. */
static void old_spellings_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int32_t format, dialect;
    } cases[] = {
        {"--format json x.csv", TABLE_JSON, IMPORT_AUTO},
        {"--form=csv x.csv", TABLE_CSV, IMPORT_AUTO},
        {"--dialect justus2018 x.csv", TABLE_TEXT, IMPORT_JUSTUS2018},
        {"--format justus2018 x.csv", TABLE_TEXT, IMPORT_JUSTUS2018},
        {"--format=epochcast --form jsonl x.csv", TABLE_JSONL, IMPORT_EPOCHCAST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct error error;
        char line[80];
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(parse(&settings, &command_import, line, &error), STATUS_OK);
        assert_int_equal(settings.format, cases[i].format);
        assert_int_equal(settings.dialect, cases[i].dialect);
    }
    struct settings settings;
    struct error error;
    char line[] = "--samples 20", typo[] = "--smples 20";
    assert_int_equal(parse(&settings, &command_sweep, line, &error), STATUS_OK);
    assert_int_equal(settings.configs, 20);
    assert_int_equal(parse(&settings, &command_sweep, typo, &error), STATUS_USAGE);
    assert_string_equal(error.hint, "did you mean '--configs'?");
}

static void training_says_what_memory_it_takes(void **state)
{
    (void)state;
    char text[NOTE_LIMIT];
    assert_string_equal(train_memory_note(text, 100000, 9e7, 8LL << 30), "");
    assert_string_equal(train_memory_note(text, 100000, 9e7, 0), ""); // unknown
    assert_string_equal(train_memory_note(text, 2000000, 1.8e9, 8LL << 30),
                        "note: training on 2 M rows takes about 1.68 GiB of memory\n");
    assert_string_equal(train_memory_note(text, 10000000, 9e9, 0),
                        "note: training on 10 M rows takes about 8.38 GiB of memory\n");
    assert_string_equal(train_memory_note(text, 10000000, 9e9, 4LL << 30),
                        "warning: training on 10 M rows takes about 8.38 GiB of memory, of which "
                        "4 GiB are free; --layer KIND trains one kind at a time\n");
    assert_true(*train_memory_note(text, 100000, 9e7, 50000000)); // a small container
}

/* A float per column and row, beside a share that all rows have. */
static void memory_of_training_grows_with_the_columns(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    struct measurement *list = calloc(ROWS, sizeof *list);
    struct dataset_rows rows = {.rows = list, .count = ROWS, .device_count = 1};
    struct encode_layout dense = {.encoding = ENCODING_PHYSICAL, .kind = LAYER_DENSE},
                         pool = {.encoding = ENCODING_PHYSICAL, .kind = LAYER_POOL2D};
    dense.with_steps = true;
    for (int i = 0; i < ROWS; i++)
        list[i].config.kind = LAYER_DENSE;
    const double all_dense = train_memory_bytes(&rows);
    for (int i = 0; i < ROWS; i++)
        list[i].config.kind = LAYER_POOL2D;
    const double columns = encode_layout_count(&dense) - encode_layout_count(&pool);
    assert_float_equal(all_dense - train_memory_bytes(&rows), 4 * columns * ROWS, 1);
    assert_true(columns > 300);
    rows.count = 10; /* too few for steps */
    const double ten_pools = train_memory_bytes(&rows);
    for (int i = 0; i < ROWS; i++)
        list[i].config.kind = LAYER_DENSE;
    assert_true(train_memory_bytes(&rows) - ten_pools < 4 * 10 * columns);
    free(list);
}

/* A command's own text of an option stands for the table's; names must be options it takes. */
static void option_texts_are_of_options_that_the_command_takes(void **state)
{
    (void)state;
    for (int i = 0; commands[i]; i++)
        for (const struct option_help *own = commands[i]->helps; own && own->option; own++) {
            const struct option *option = NULL;
            for (int j = 0; j < cli_option_count; j++)
                if (strcmp(cli_options[j].name, own->option) == 0)
                    option = &cli_options[j];
            assert_non_null(option);
            assert_true(command_takes(commands[i], option));
            assert_string_equal(option_help_of(commands[i], option).help, own->help);
            assert_true(!option->argument == !own->argument);
        }
}

/* A list of names, or none: all. An argument that names none of them is an operand. */
static void choices_are_optional_lists(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int32_t mask;
        int operands;
    } cases[] = {
        {"m.h5 d.h5", 0, 2},
        {"m.h5 d.h5 --baselines", -1, 2},
        {"m.h5 --baselines d.h5", -1, 2},
        {"m.h5 d.h5 --baselines -q", -1, 2},
        {"m.h5 d.h5 --baselines linear", 1, 2},
        {"m.h5 --baselines=roofline,linear d.h5", 3, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct error error;
        char line[80];
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(parse(&settings, &command_evaluate, line, &error), STATUS_OK);
        const int32_t all = (INT32_C(1) << choice_baseline.count) - 1;
        assert_int_equal(settings.baselines, cases[i].mask < 0 ? all : cases[i].mask);
        assert_int_equal(settings.operand_count, cases[i].operands);
    }
}

static void what_is_not_given_is_absent(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    char line[] = "data.h5";
    assert_int_equal(parse(&settings, &command_train, line, &error), STATUS_OK);
    assert_int_equal(settings.epochs, -1);
    assert_int_equal(settings.threads, -1);
    assert_true(isnan(settings.dropout) && isnan(settings.learning_rate));
    assert_null(settings.output);
    assert_int_equal(settings.seed, 1);
    assert_int_equal(settings.format, TABLE_TEXT);
    assert_int_equal(settings.all_reduce, ALL_REDUCE_RING); /* NCCL's */
}

static void the_last_of_two_counts_and_texts_add_up(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    char line[] = "--seed 1 --set kernel_size=3 --seed 2 --set=stride=1,2";
    assert_int_equal(parse(&settings, &command_sweep, line, &error), STATUS_OK);
    assert_int_equal(settings.seed, 2);
    assert_int_equal(settings.set.count, 2);
    assert_string_equal(settings.set.list[0], "kernel_size=3");
    assert_string_equal(settings.set.list[1], "stride=1,2");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    char line[] = "a.h5 --split all -- --baselines -q -";
    assert_int_equal(parse(&settings, &command_evaluate, line, &error), STATUS_OK);
    assert_int_equal(settings.operand_count, 4);
    assert_string_equal(settings.operands[1], "--baselines");
    assert_string_equal(settings.operands[3], "-");
    assert_false(settings.baselines || settings.quiet);
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {{"60s", 60},   {"90", 90},      {"1.5m", 90},    {"2min", 120}, {"1h", 3600},
                 {"1d", 86400}, {"1h30m", 5400}, {"5 s", NAN},    {"s", NAN},    {"-1s", NAN},
                 {"0s", NAN},   {"", NAN},       {"1e300h", NAN}, {"inf", NAN},  {"nan", NAN},
                 {"5ms", NAN},  {"1h30", NAN},   {"30 1h", NAN},  {"m5", NAN},   {"1h5", NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings = settings_default;
        struct error error;
        char text[64];
        snprintf(text, sizeof text, "--time-budget=%s", cases[i].text);
        char *const arguments[] = {text};
        enum status status = cli_parse(&settings, &command_sweep, 1, arguments, &error);
        assert_int_equal(status, isnan(cases[i].seconds) ? STATUS_USAGE : STATUS_OK);
        if (status == STATUS_OK)
            assert_float_equal(settings.time_budget_s, cases[i].seconds, 0);
        else
            assert_true(isnan(settings.time_budget_s));
    }
}

static void sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double bytes;
    } cases[] = {{"16GiB", 17179869184.},
                 {"512MB", 512e6},
                 {"1.5KiB", 1536},
                 {"7", 7},
                 {"2kB", 2000},
                 {"1MiB", 1048576},
                 {"3GB", 3e9},
                 {"0", NAN},
                 {"16GIB", 17179869184.},
                 {"16G", 17179869184.},
                 {"16gb", 16e9},
                 {"2T", 0x1p41},
                 {"1GiB1", NAN},
                 {"GiB", NAN},
                 {"-1GB", NAN},
                 {"1e18GB", NAN},
                 {"nan", NAN},
                 {"4 GB", NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings = settings_default;
        struct error error;
        char text[64];
        snprintf(text, sizeof text, "--device-memory=%s", cases[i].text);
        char *const arguments[] = {text, "vgg16"};
        const enum status status = cli_parse(&settings, &command_predict, 2, arguments, &error);
        assert_int_equal(status, isnan(cases[i].bytes) ? STATUS_USAGE : STATUS_OK);
        if (status == STATUS_OK)
            assert_float_equal(settings.device_memory_bytes, cases[i].bytes, 0);
        else
            assert_true(isnan(settings.device_memory_bytes));
    }
}

/* Each is refused, with a message that has `what` in it. */
static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const struct command *command;
        const char *line, *what, *hint;
    } cases[] = {
        {&command_sweep, "--smples 3", "unknown option '--smples'", "--configs"},
        {&command_sweep, "--smples=3", "unknown option '--smples'", "--configs"},
        {&command_sweep, "--qqqqqqqqqq", "unknown option", "--help"},
        {&command_sweep, "--baselines", "unknown option", ""}, // another command's
        {&command_evaluate, "--baselines linear,nope", "unknown value 'nope'", "one of linear"},
        {&command_evaluate, "--baselines=nope", "unknown value 'nope'", "one of linear"},
        {&command_evaluate, "--baselines=", "empty item", ""},
        {&command_sweep, "-nx", "--configs: 'x' is not a whole number", ""},
        {&command_sweep, "-qv", "unknown option '-qv'", ""},
        {&command_sweep, "-o x.h5", "unknown value 'x.h5'", "-O x.h5 writes a file"},
        {&command_sweep, "-", "unexpected '-'", ""},
        {&command_sweep, "--=1", "unknown option", ""},
        {&command_sweep, "---samples 1", "unknown option", "--configs"},
        {&command_sweep, "--configs", "--configs needs a value", ""},
        {&command_sweep, "--configs 1x", "'1x' is not a whole number", ""},
        {&command_sweep, "--configs 0", "outside 1..", ""},
        {&command_sweep, "--configs -1", "outside 1..", ""},
        {&command_sweep, "--configs 9223372036854775808", "outside 1..", ""},
        {&command_sweep, "--seed -1", "outside 0..", ""},
        {&command_sweep, "--cap-ms nan", "'nan' is not a number", ""},
        {&command_sweep, "--cap-ms 5s", "'5s' is not a number", ""},
        {&command_sweep, "--dry-run=1", "--dry-run takes no value", ""},
        {&command_sweep, "--device=", "--device: ''", ""},
        {&command_sweep, "--cache warm", "unknown value 'warm'", "hot, cold"},
        {&command_import, "--format xml x.csv", "--format: unknown value 'xml'", "one of table"},
        {&command_import, "--dialect json x.csv", "--dialect: unknown value 'json'", "one of auto"},
        {&command_sweep, "--format auto", "--format: unknown value 'auto'", "one of table"},
        {&command_train, "", "train needs DATA.h5", "--help"},
        {&command_train, "a.h5 --dropout 0.96", "outside 0..0.95", ""},
        {&command_evaluate, "", "evaluate needs [MODEL.h5]", ""},
        {&command_predict, "vgg16 vgg19", "unexpected 'vgg19'", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct error error;
        char line[128];
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(parse(&settings, cases[i].command, line, &error), STATUS_USAGE);
        if (!strstr(error.message, cases[i].what) || !strstr(error.hint, cases[i].hint))
            fail_msg("%s: %s (%s)", cases[i].line, error.message, error.hint);
    }
}

static void too_many_are_refused(void **state)
{
    (void)state;
    char *arguments[OPERAND_LIMIT + 1], text[] = "--set=stride=1", file[] = "x.h5";
    struct settings settings = settings_default;
    struct error error;
    for (int i = 0; i <= OPERAND_LIMIT; i++)
        arguments[i] = text;
    assert_int_equal(cli_parse(&settings, &command_sweep, REPEAT_LIMIT, arguments, &error),
                     STATUS_OK);
    assert_int_equal(settings.set.count, REPEAT_LIMIT);
    settings = settings_default;
    assert_int_equal(cli_parse(&settings, &command_sweep, REPEAT_LIMIT + 1, arguments, &error),
                     STATUS_USAGE);
    for (int i = 0; i <= OPERAND_LIMIT; i++)
        arguments[i] = file;
    settings = settings_default;
    assert_int_equal(cli_parse(&settings, &command_train, OPERAND_LIMIT, arguments, &error),
                     STATUS_OK);
    settings = settings_default;
    assert_int_equal(cli_parse(&settings, &command_train, OPERAND_LIMIT + 1, arguments, &error),
                     STATUS_USAGE);
}

static void help_needs_no_operands(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    char line[] = "--help", brief[] = "-h";
    assert_int_equal(parse(&settings, &command_predict, line, &error), STATUS_OK);
    assert_true(settings.help && !settings.brief_help);
    assert_int_equal(parse(&settings, &command_predict, brief, &error), STATUS_OK);
    assert_true(settings.brief_help && !settings.help);
}

static const struct option *option_called(const char *name)
{
    for (int i = 0; i < cli_option_count; i++)
        if (strcmp(cli_options[i].name, name) == 0)
            return &cli_options[i];
    return NULL;
}

static void every_option_of_a_command_exists(void **state)
{
    (void)state;
    for (int i = 0; commands[i]; i++)
        for (const char *const *name = commands[i]->options; *name; name++)
            if (!option_called(*name))
                fail_msg("%s takes an unknown option %s", commands[i]->name, *name);
}

static void every_option_is_complete_unique_and_taken(void **state)
{
    (void)state;
    for (int i = 0; i < cli_option_count; i++) {
        const struct option *option = &cli_options[i];
        bool taken = false;
        assert_ptr_equal(option_called(option->name), option);
        assert_true(option->help && *option->help);
        assert_int_equal(option->type == OPTION_FLAG, option->argument == NULL);
        assert_true((option->type != OPTION_CHOICE && option->type != OPTION_CHOICES) ||
                    option->choice);
        assert_true(!option->choice || option->type == OPTION_CHOICE ||
                    option->type == OPTION_CHOICES || option->type == OPTION_TEXT);
        for (int j = 0; j < i; j++)
            assert_false(option->short_name && option->short_name == cli_options[j].short_name);
        for (int j = 0; commands[j]; j++)
            taken |= command_takes(commands[j], option);
        assert_true(taken);
    }
}

static void help_has_every_option_and_examples_first(void **state)
{
    (void)state;
    for (int i = 0; commands[i]; i++) {
        char *text;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        assert_non_null(file);
        cli_help(file, commands[i], false);
        fclose(file);
        const char *examples = strstr(text, "\nexamples:"), *list = strstr(text, "\noptions:");
        assert_true(examples && list && examples < list);
        for (int j = 0; j < cli_option_count; j++) {
            char wanted[80];
            bool is_brief = cli_options[j].short_name == 'h';
            snprintf(wanted, sizeof wanted, is_brief ? " -h " : " --%s ", cli_options[j].name);
            assert_int_equal(strstr(list, wanted) != NULL,
                             command_takes(commands[i], &cli_options[j]));
        }
        free(text);
    }
}

/* An example that the parser refuses teaches a mistake. */
static void every_example_parses(void **state)
{
    (void)state;
    for (int i = 0; commands[i]; i++) {
        char text[4000], *rest = text, *line;
        assert_true(strlen(commands[i]->examples) < sizeof text);
        snprintf(text, sizeof text, "%s", commands[i]->examples);
        for (char *fold; (fold = strstr(text, "\\\n"));)
            memset(fold, ' ', 2);
        while ((line = strsep(&rest, "\n"))) {
            struct settings settings;
            struct error error;
            char start[80];
            if (!*line)
                continue;
            snprintf(start, sizeof start, "  epochcast %s", commands[i]->name);
            assert_int_equal(strncmp(line, start, strlen(start)), 0);
            line[strcspn(line, ">")] = '\0'; // the shell's part
            if (parse(&settings, commands[i], line + strlen(start), &error) != STATUS_OK)
                fail_msg("%s: %s", commands[i]->name, error.message);
        }
    }
}

struct collected {
    char text[64];
    int count;
};

static enum status collect(void *payload, const char *item, struct error *error)
{
    struct collected *all = payload;
    size_t length = strlen(all->text);
    if (strcmp(item, "stop") == 0)
        return FAIL(error, STATUS_FAILED, "stopped");
    snprintf(all->text + length, sizeof all->text - length, "[%s]", item);
    all->count++;
    return STATUS_OK;
}

static void items_are_handed_out_one_by_one(void **state)
{
    (void)state;
    struct collected all = {.count = 0};
    struct error error;
    assert_int_equal(each_item("a,bc,d", collect, &all, &error), STATUS_OK);
    assert_string_equal(all.text, "[a][bc][d]");
    assert_int_equal(each_item("a,,b", collect, &all, &error), STATUS_USAGE);
    assert_int_equal(each_item("", collect, &all, &error), STATUS_USAGE);
    assert_int_equal(each_item("a,", collect, &all, &error), STATUS_USAGE);
    all = (struct collected){.count = 0};
    assert_int_equal(each_item("a,stop,b", collect, &all, &error), STATUS_FAILED);
    assert_int_equal(all.count, 1);
}

static void layers_are_found_by_name(void **state)
{
    (void)state;
    enum layer_kind kind;
    struct error error;
    assert_int_equal(cli_layer_kind(&kind, "pool2d", &error), STATUS_OK);
    assert_int_equal(kind, LAYER_POOL2D);
    assert_int_equal(cli_layer_kind(&kind, "pool3d", &error), STATUS_USAGE);
    assert_string_equal(error.hint, "did you mean 'pool2d'?");
    assert_int_equal(cli_layer_kind(&kind, "transformer", &error), STATUS_USAGE);
    assert_non_null(strstr(error.hint, "show layers"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_in_every_form),
        cmocka_unit_test(old_spellings_are_understood),
        cmocka_unit_test(training_says_what_memory_it_takes),
        cmocka_unit_test(memory_of_training_grows_with_the_columns),
        cmocka_unit_test(option_texts_are_of_options_that_the_command_takes),
        cmocka_unit_test(choices_are_optional_lists),
        cmocka_unit_test(what_is_not_given_is_absent),
        cmocka_unit_test(the_last_of_two_counts_and_texts_add_up),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(every_option_of_a_command_exists),
        cmocka_unit_test(every_option_is_complete_unique_and_taken),
        cmocka_unit_test(help_has_every_option_and_examples_first),
        cmocka_unit_test(every_example_parses),
        cmocka_unit_test(items_are_handed_out_one_by_one),
        cmocka_unit_test(layers_are_found_by_name),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
