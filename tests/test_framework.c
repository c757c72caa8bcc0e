/* Factors of a framework: the file that scripts/bench truth writes, and times by hand. */
#include "folder_fixture.h"
#include "forecast/framework.h"
#include "test.h"

#include <math.h>

#define HEADER                                                                                     \
    "framework,version,device,pass,optimizer,factor,update_ns_per_parameter,spread_factor,fitted_" \
    "networks\n"

static enum status load(struct framework **framework, const char *text)
{
    const struct file_name name = in_folder(&folder, "pytorch.csv");
    FILE *file = fopen(name.text, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return framework_load(framework, name.text, &error);
}

static void lines_are_read(void **state)
{
    (void)state;
    struct framework *framework;
    assert_int_equal(load(&framework,
                          "# a remark\n" HEADER
                          "PyTorch,2.15.0,AMD EPYC,forward,none,1.25,0,1.5,alexnet;vgg11\n"
                          "PyTorch,2.15.0,AMD EPYC,train,adam,1.5,2,1.2,alexnet\n"),
                     STATUS_OK);
    assert_int_equal(framework->count, 2);
    assert_string_equal(framework->lines[0].name, "PyTorch");
    assert_string_equal(framework->lines[0].version, "2.15.0");
    assert_string_equal(framework->lines[0].networks, "alexnet;vgg11");
    assert_int_equal(framework->lines[1].pass, PASS_TRAIN);
    assert_int_equal(framework->lines[1].optimizer, OPTIMIZER_ADAM);
    assert_true(framework->lines[1].update_ns == 2);
    struct forecast forecast = {.pass = PASS_TRAIN, .optimizer = OPTIMIZER_ADAM};
    assert_ptr_equal(framework_find(framework, "AMD EPYC", &forecast), &framework->lines[1]);
    assert_null(framework_find(framework, "Xeon", &forecast));
    forecast.optimizer = OPTIMIZER_SGD;
    assert_null(framework_find(framework, "AMD EPYC", &forecast));
    framework_free(framework);
}

static void columns_may_be_missing_or_more(void **state)
{
    (void)state;
    struct framework *framework;
    assert_int_equal(load(&framework,
                          "judged_steps,pass,optimizer,spread_factor,factor,device,framework\n"
                          "9,forward,none,1,2,cpu,PyTorch\n"),
                     STATUS_OK);
    assert_true(framework->lines[0].update_ns == 0);
    assert_string_equal(framework->lines[0].version, "");
    framework_free(framework);
}

static void faults_name_the_line(void **state)
{
    (void)state;
    static const char good[] = "PyTorch,2,cpu,forward,none,1.2,0,1.1,\n";
    static const struct {
        const char *lines, *message;
    } cases[] = {
        {"PyTorch,2,cpu,forward,none,x,0,1.1,\n", ":2"},
        {"PyTorch,2,cpu,forward,none,0,0,1.1,\n", ":2: factor = 0 is outside"},
        {"PyTorch,2,cpu,forward,none,-1,0,1.1,\n", ":2: factor = -1 is outside"},
        {"PyTorch,2,cpu,forward,none,1e9,0,1.1,\n", ":2: factor"},
        {"PyTorch,2,cpu,forward,none,1.2,-3,1.1,\n", ":2: update_ns_per_parameter = -3"},
        {"PyTorch,2,cpu,forward,none,1.2,0,0.9,\n", ":2: spread_factor = 0.9"},
        {"PyTorch,2,cpu,sideways,none,1.2,0,1.1,\n", ":2: pass: unknown value 'sideways'"},
        {"PyTorch,2,cpu,train,lion,1.2,0,1.1,\n", ":2: optimizer: unknown value 'lion'"},
        {"PyTorch,2,cpu,train\n", ":2: 4 fields, the header has 9"},
        {"", "no factors"},
    };
    char text[1000];
    struct framework *framework;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, HEADER "%s", cases[i].lines);
        assert_int_equal(load(&framework, text), STATUS_BAD_FILE);
        assert_null(framework);
        if (!strstr(error.message, cases[i].message))
            fail_msg("'%s' lacks '%s'", error.message, cases[i].message);
    }
    snprintf(text, sizeof text, HEADER "%s%s", good, good);
    assert_int_equal(load(&framework, text), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, ":3: device, pass and optimizer are there twice"));
    assert_int_equal(load(&framework, "framework,device,pass,factor\nPyTorch,cpu,forward,1\n"),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "column 'spread_factor' is missing"));
    assert_int_equal(load(&framework, ""), STATUS_BAD_FILE);
    assert_int_equal(framework_load(&framework, "/nowhere/pytorch.csv", &error), STATUS_BAD_FILE);
    assert_null(framework);
}

static void more_lines_than_there_is_room(void **state)
{
    (void)state;
    const struct file_name name = in_folder(&folder, "pytorch.csv");
    struct framework *framework;
    FILE *file = fopen(name.text, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    for (int i = 0; i <= FRAMEWORK_LINE_LIMIT; i++)
        fprintf(file, "PyTorch,2,cpu %d,forward,none,1.2,0,1.1,\n", i);
    fclose(file);
    assert_int_equal(framework_load(&framework, name.text, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "more than"));
}

static void assert_near(double a, double b)
{
    if (!(fabs(a / b - 1) < 1e-12))
        fail_msg("%.17g is not %.17g", a, b);
}

/* 10 ms of computation, 2 ms of communication, a million parameters. */
static const struct forecast example = {.batch_ms = 12,
                                        .batch_low_ms = 7,
                                        .batch_high_ms = 22,
                                        .communication_ms = 2,
                                        .memory.parameters_bytes = 4000000};

static void times_by_hand(void **state)
{
    (void)state;
    const struct framework_line line = {.factor = 1.5, .update_ns = 3, .spread_factor = 1};
    const struct framework_time time = framework_time_of(&line, &example);
    assert_near(time.update_ms, 3);
    assert_near(time.ms, 1.5 * 10 + 3 + 2);
    assert_near(time.low_ms, 18 / 2. + 2); /* no spread: as far as the forecast's own bounds */
    assert_near(time.high_ms, 18 * 2. + 2);
}

static void intervals_widen_by_the_spread(void **state)
{
    (void)state;
    struct framework_line line = {.factor = 1, .spread_factor = 2};
    const struct framework_time time = framework_time_of(&line, &example);
    assert_near(time.high_ms, 10 * exp(sqrt(2) * log(2)) + 2);
    assert_near(time.low_ms, 10 * exp(-sqrt(2) * log(2)) + 2);
    struct forecast forecast = example;
    forecast.batch_low_ms = 1; /* below 0 without communication */
    assert_near(framework_time_of(&line, &forecast).low_ms, 2);
    forecast.batch_high_ms = NAN;
    assert_true(isnan(framework_time_of(&line, &forecast).high_ms));
    assert_true(isnan(framework_time_of(NULL, &forecast).ms));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(lines_are_read),
        TEST(columns_may_be_missing_or_more),
        TEST(faults_name_the_line),
        TEST(more_lines_than_there_is_room),
        cmocka_unit_test(times_by_hand),
        cmocka_unit_test(intervals_widen_by_the_spread),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
