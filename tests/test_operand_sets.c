/* How many sets of operands a layer takes turns on, and in which order. */
#include "bench/operand_sets.h"
#include "scripted_device.h"

enum { MIB = 1 << 20, LOG_LIMIT = 4096 };

/* ---- how many ---- */

static void sets_fill_the_cache_three_times(void **state)
{
    (void)state;
    static const struct {
        int64_t operand_bytes, cache_bytes, free_bytes;
        int count;
    } cases[] = {
        {INT64_C(1) * MIB, INT64_C(32) * MIB, INT64_C(8) << 30, 96},
        {INT64_C(10) * MIB, INT64_C(32) * MIB, INT64_C(8) << 30, 10}, /* rounded up */
        {INT64_C(48) * MIB, INT64_C(32) * MIB, INT64_C(8) << 30, 2},
        {INT64_C(96) * MIB, INT64_C(32) * MIB, INT64_C(8) << 30, 1}, /* exceeds it by itself */
        {INT64_C(4) << 30, INT64_C(32) * MIB, INT64_C(8) << 30, 1},
        {1, INT64_C(32) * MIB, INT64_C(8) << 30, OPERAND_SET_LIMIT},
        {INT64_C(1) * MIB, 0, INT64_C(8) << 30, 96}, /* unknown: as 32 MiB */
        {INT64_C(1) * MIB, -1, INT64_C(8) << 30, 96},
        {0, INT64_C(32) * MIB, INT64_C(8) << 30, 1}, /* unknown operands */
        {INT64_C(10) * MIB, INT64_C(1) << 30, INT64_C(8) << 30, OPERAND_SET_LIMIT},
        {INT64_C(1) * MIB, INT64_MAX, INT64_C(8) << 30, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct operand_room room = {cases[i].cache_bytes, cases[i].free_bytes};
        assert_int_equal(operand_set_count(cases[i].operand_bytes, &room), cases[i].count);
    }
}

/* Further sets take at most half of what is free. */
static void sets_leave_room_in_the_arena(void **state)
{
    (void)state;
    static const struct {
        int64_t free_bytes;
        int count;
    } cases[] = {{0, 1}, {-1, 1}, {MIB, 1}, {2 * MIB, 2}, {20 * MIB, 11}, {1024 * MIB, 96}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct operand_room room = {INT64_C(32) * MIB, cases[i].free_bytes};
        assert_int_equal(operand_set_count(MIB, &room), cases[i].count);
    }
}

/* ---- in which order ---- */

/* Each phase finds what the phase before has left on that set, since that phase's last turn. */
static void phases_follow_each_other_on_every_set(void **state)
{
    (void)state;
    for (int count = 1; count <= 40; count++) {
        int turns[40][OPERAND_PHASE_COUNT] = {{0}};
        for (int call = 0; call < 5 * count; call++)
            for (int phase = 0; phase < OPERAND_PHASE_COUNT; phase++) {
                const int set = operand_set_of(call, phase, count);
                assert_in_range(set, 0, count - 1);
                turns[set][phase]++;
                if (phase > 0)
                    assert_true(turns[set][phase - 1] >= 1);
            }
        for (int set = 0; set < count; set++)
            assert_true(turns[set][0] == 5 && turns[set][1] >= 4 && turns[set][2] >= 4);
    }
}

static void phases_work_on_sets_a_third_apart(void **state)
{
    (void)state;
    for (int64_t call = 6; call < 30; call++) {
        assert_int_equal(operand_set_of(call, 0, 9), call % 9);
        assert_int_equal(operand_set_of(call, 1, 9), (call - 3) % 9);
        assert_int_equal(operand_set_of(call, 2, 9), (call - 6) % 9);
    }
    assert_int_equal(operand_set_of(4, 2, 9), 1); /* the backward pass has only got so far */
    assert_int_equal(operand_set_of(1, 2, 9), 1);
    assert_int_equal(operand_set_of(INT64_MAX, 0, 9), INT64_MAX % 9);
}

/* ---- measuring ---- */

struct turning {
    struct scripted scripted;
    struct operand_room room;
    int64_t operand_bytes;
    int sets, count;
    int set[LOG_LIMIT], phases[LOG_LIMIT];
};

static enum status turning_prepare(struct plan **plan, struct device *device,
                                   const struct layer_config *config, struct plan *const *inputs,
                                   enum outcome *outcome, struct error *error);

static enum status turning_enqueue(struct plan *plan, int phases, struct error *error)
{
    struct turning *turning = (struct turning *)((struct scripted_plan *)plan)->device;
    if (turning->count < LOG_LIMIT) {
        turning->set[turning->count] = plan->set;
        turning->phases[turning->count++] = phases;
    }
    return enqueue(plan, phases, error);
}

static enum status turning_replicate(struct plan *plan, int count, struct error *error)
{
    struct turning *turning = (struct turning *)((struct scripted_plan *)plan)->device;
    turning->sets = count;
    return count == 7 ? FAIL(error, STATUS_OUT_OF_MEMORY, "scripted") : STATUS_OK;
}

static const struct bench turning_bench = {.prepare = turning_prepare,
                                           .enqueue = turning_enqueue,
                                           .replicate = turning_replicate,
                                           .release = release};

static enum status turning_prepare(struct plan **plan, struct device *device,
                                   const struct layer_config *config, struct plan *const *inputs,
                                   enum outcome *outcome, struct error *error)
{
    TRY(prepare(plan, device, config, inputs, outcome, error));
    (*plan)->bench = &turning_bench;
    (*plan)->operand_bytes = ((struct turning *)device)->operand_bytes;
    return STATUS_OK;
}

static void turning_room(struct device *device, struct operand_room *room)
{
    *room = ((struct turning *)device)->room;
}

static const struct backend turning_backend = {
    .name = "turning",
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .flush_cache = flush_cache,
    .room = turning_room,
    .reset = reset,
    .bench = {[LAYER_DENSE] = &turning_bench},
};

static double millisecond(int index)
{
    (void)index;
    return 1;
}

/* A device whose cache `sets` sets fill three times. */
static struct turning *turning_device(int sets)
{
    struct turning *turning = calloc(1, sizeof *turning);
    assert_non_null(turning);
    turning->scripted = scripted_device(millisecond);
    turning->scripted.base.backend = &turning_backend;
    turning->room = (struct operand_room){INT64_C(32) * MIB, INT64_C(8) << 30};
    turning->operand_bytes = (INT64_C(96) * MIB + sets - 1) / sets;
    return turning;
}

static struct measurement measured_in(struct turning *turning, int32_t cache, int32_t pass)
{
    struct error error = {0};
    struct measure_options options = measure_options_default;
    struct measurement row;
    struct layer_config config = dense;
    config.pass = pass;
    config.optimizer = pass == PASS_TRAIN ? OPTIMIZER_ADAM : OPTIMIZER_NONE;
    options.cache = cache;
    if (measure_config(&row, &turning->scripted.base, &config, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(row.cache, cache);
    assert_int_equal(turning->scripted.live_plans, 0);
    return row;
}

static void forward_calls_take_turns(void **state)
{
    (void)state;
    struct turning *turning = turning_device(6);
    measured_in(turning, CACHE_STEP, PASS_FORWARD);
    assert_int_equal(turning->sets, 6);
    assert_true(turning->count > 6);
    for (int i = 0; i < turning->count; i++) {
        assert_int_equal(turning->set[i], i % 6);
        assert_int_equal(turning->phases[i], PHASE_FORWARD);
    }
    free(turning);
}

/* A call is one forward, one backward pass and one update. */
static void training_calls_take_turns_by_phase(void **state)
{
    (void)state;
    struct turning *turning = turning_device(6);
    const struct measurement row = measured_in(turning, CACHE_STEP, PASS_TRAIN);
    assert_near(row.median_ms, 3);
    assert_int_equal(turning->count % 3, 0);
    for (int i = 0; i < turning->count; i++) {
        assert_int_equal(turning->phases[i], 1 << i % 3);
        assert_int_equal(turning->set[i], operand_set_of(i / 3, i % 3, 6));
    }
    free(turning);
}

static void other_states_have_one_set(void **state)
{
    (void)state;
    static const int32_t others[] = {CACHE_HOT, CACHE_COLD};
    for (int i = 0; i < 2; i++) {
        struct turning *turning = turning_device(6);
        measured_in(turning, others[i], PASS_TRAIN);
        assert_int_equal(turning->sets, 0);
        for (int j = 0; j < turning->count; j++) {
            assert_int_equal(turning->set[j], 0);
            assert_int_equal(turning->phases[j], PHASE_FORWARD | PHASE_BACKWARD | PHASE_UPDATE);
        }
        assert_int_equal(turning->scripted.flushes > 0, others[i] == CACHE_COLD);
        free(turning);
    }
}

static void a_layer_above_the_cache_has_one_set(void **state)
{
    (void)state;
    struct turning *turning = turning_device(1);
    measured_in(turning, CACHE_STEP, PASS_TRAIN);
    assert_int_equal(turning->sets, 0);
    free(turning);
}

static void sets_that_do_not_fit_are_an_outcome(void **state)
{
    (void)state;
    struct turning *turning = turning_device(7);
    assert_int_equal(measured_in(turning, CACHE_STEP, PASS_TRAIN).outcome, OUTCOME_OUT_OF_MEMORY);
    free(turning);
}

/* Without a list of sets a backend measures as before, and says so by nothing but the row's cache.
 */
static void a_backend_without_sets_measures_on_one(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(millisecond);
    struct measure_options options = measure_options_default;
    options.cache = CACHE_STEP;
    assert_near(measured(&scripted, &options).median_ms, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_fill_the_cache_three_times),
        cmocka_unit_test(sets_leave_room_in_the_arena),
        cmocka_unit_test(phases_follow_each_other_on_every_set),
        cmocka_unit_test(phases_work_on_sets_a_third_apart),
        cmocka_unit_test(forward_calls_take_turns),
        cmocka_unit_test(training_calls_take_turns_by_phase),
        cmocka_unit_test(other_states_have_one_set),
        cmocka_unit_test(a_layer_above_the_cache_has_one_set),
        cmocka_unit_test(sets_that_do_not_fit_are_an_outcome),
        cmocka_unit_test(a_backend_without_sets_measures_on_one),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
