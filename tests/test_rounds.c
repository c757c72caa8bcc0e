/* Rounds of a sweep joined to one row a config. */
#include "bench/rounds.h"
#include "dataset_files.h"
#include "test.h"

#include <math.h>

static struct measurement round_of(int64_t draw, int32_t round, double median_ms)
{
    struct measurement row = sample_row(draw);
    row.outcome = OUTCOME_OK;
    row.round = round;
    row.median_ms = median_ms;
    row.q25_ms = 0.9 * median_ms;
    row.q75_ms = 1.2 * median_ms;
    row.ci_ms = 0.1 * median_ms;
    row.minimum_ms = 0.5 * median_ms;
    row.maximum_ms = 2 * median_ms;
    row.eager_ms = NAN;
    row.pressure_percent = 10 * round;
    return row;
}

static struct measurement failed_round(int64_t draw, int32_t round, enum outcome outcome)
{
    struct measurement row = sample_row(draw);
    measurement_fail(&row, &row.config, outcome, &measure_options_default);
    row.draw = draw;
    row.round = round;
    return row;
}

static void near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12 * fabs(wanted)))
        fail_msg("%.17g is not %.17g", value, wanted);
}

static void three_rounds_are_the_fastest(void **state)
{
    (void)state;
    struct measurement rows[] = {round_of(4, 0, 5), round_of(4, 1, 2), round_of(4, 2, 4)};
    size_t count = 3;
    rows[0].outcome = OUTCOME_CAPPED;
    rows[1].eager_ms = 7;
    rounds_combine(rows, &count);
    assert_int_equal(count, 1);
    near(rows[0].median_ms, 2);
    near(rows[0].q25_ms, 1.8);
    near(rows[0].q75_ms, 2.4);
    near(rows[0].ci_ms, 0.2);
    near(rows[0].eager_ms, 7);
    near(rows[0].pressure_percent, 10);
    near(rows[0].minimum_ms, 1);
    near(rows[0].maximum_ms, 10);
    near(rows[0].spread_percent, 75);
    near(rows[0].measuring_ms, 3 * 66);
    near(rows[0].warmup_ms, 3 * 20);
    near(rows[0].setup_ms, 3 * 3);
    assert_int_equal(rows[0].sample_count, 33);
    assert_int_equal(rows[0].dropped_count, 6);
    assert_int_equal(rows[0].round_count, 3);
    assert_int_equal(rows[0].round, 2);
    assert_int_equal(rows[0].outcome, OUTCOME_OK); /* the best */
}

static void two_rounds_are_the_faster(void **state)
{
    (void)state;
    struct measurement rows[] = {round_of(0, 0, 3), round_of(0, 1, 5)};
    near(rounds_spread_percent(rows, 2), 50);
    assert_true(isnan(rounds_spread_percent(rows, 1)));
    size_t count = 2;
    rounds_combine(rows, &count);
    assert_int_equal(count, 1);
    near(rows[0].median_ms, 3);
    near(rows[0].spread_percent, 50);
}

static void one_round_stays_as_it_is(void **state)
{
    (void)state;
    const struct measurement before = round_of(1, 0, 3);
    struct measurement row = before;
    size_t count = 1;
    rounds_combine(&row, &count);
    assert_int_equal(count, 1);
    assert_true(isnan(row.spread_percent));
    assert_memory_equal(&row, &before, sizeof row);
    count = 0;
    rounds_combine(NULL, &count);
    assert_int_equal(count, 0);
}

static void failed_rounds_do_not_count(void **state)
{
    (void)state;
    struct measurement rows[] = {failed_round(2, 0, OUTCOME_CRASHED), round_of(2, 1, 4),
                                 failed_round(2, 2, OUTCOME_TIMEOUT)};
    size_t count = 3;
    rounds_combine(rows, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].outcome, OUTCOME_OK);
    assert_int_equal(rows[0].round_count, 1);
    near(rows[0].median_ms, 4);
    assert_true(isnan(rows[0].spread_percent));
}

static void nothing_but_failures_is_the_last_one(void **state)
{
    (void)state;
    struct measurement rows[] = {failed_round(2, 1, OUTCOME_TIMEOUT),
                                 failed_round(2, 0, OUTCOME_CRASHED)};
    size_t count = 2;
    rounds_combine(rows, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].outcome, OUTCOME_TIMEOUT);
    assert_true(isnan(rows[0].median_ms));
}

/* What computes wrong results is not timed by its other rounds. */
static void an_incorrect_round_voids_the_others(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 3; wrong++) {
        struct measurement rows[] = {round_of(2, 0, 5), round_of(2, 1, 4), round_of(2, 2, 6)};
        size_t count = 3;
        rows[wrong] = failed_round(2, wrong, OUTCOME_INCORRECT);
        rounds_combine(rows, &count);
        assert_int_equal(count, 1);
        assert_int_equal(rows[0].outcome, OUTCOME_INCORRECT);
        assert_true(isnan(rows[0].median_ms));
    }
}

/* Rounds lie far apart in a file, in any order: sorted by kind, device, cache, draw. */
static void rounds_find_each_other(void **state)
{
    enum { DRAWS = 30, ROUNDS = 3 };
    (void)state;
    struct measurement rows[DRAWS * ROUNDS];
    size_t count = 0;
    for (int i = 0; i < DRAWS * ROUNDS; i++) {
        const int shuffled = i * 37 % (DRAWS * ROUNDS);
        rows[count++] = round_of(shuffled % DRAWS, shuffled / DRAWS, 1 + shuffled % DRAWS);
    }
    rounds_combine(rows, &count);
    assert_int_equal(count, DRAWS);
    for (size_t i = 0; i < count; i++) {
        const struct measurement wanted = sample_row(rows[i].draw);
        assert_memory_equal(&rows[i].config, &wanted.config, sizeof wanted.config);
        assert_int_equal(rows[i].round_count, ROUNDS);
        near(rows[i].median_ms, 1 + (double)rows[i].draw);
        if (i > 0)
            assert_true(rows[i - 1].config.kind < rows[i].config.kind ||
                        (rows[i - 1].config.kind == rows[i].config.kind &&
                         rows[i - 1].draw < rows[i].draw));
    }
}

static void what_differs_stays_apart(void **state)
{
    (void)state;
    struct measurement rows[] = {round_of(0, 0, 1), round_of(0, 1, 2), round_of(0, 2, 3),
                                 round_of(0, 3, 4)};
    size_t count = 4;
    rows[1].device = 1;
    rows[2].cache = CACHE_COLD;
    rows[3].config.batch_size++;
    rounds_combine(rows, &count);
    assert_int_equal(count, 4);
}

/* A finished sweep that goes on holds joined rows; their spread is known no longer from medians. */
static void joined_rows_keep_their_spread(void **state)
{
    (void)state;
    struct measurement joined = round_of(3, 2, 4);
    joined.round_count = 3;
    joined.spread_percent = 30;
    struct measurement rows[] = {joined, joined, round_of(3, 3, 4.4)};
    size_t count = 1;
    rounds_combine(rows, &count);
    near(rows[0].spread_percent, 30);
    assert_int_equal(rows[0].round_count, 3);
    count = 2;
    rounds_combine(rows + 1, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[1].round_count, 4);
    near(rows[1].spread_percent, 30);
    near(rows[1].median_ms, 4);
}

/* More rounds than a sweep makes, as a stranger's file may hold. */
static void hundreds_of_rounds_fit(void **state)
{
    enum { ROUNDS = 300 };
    (void)state;
    struct measurement rows[ROUNDS];
    size_t count = ROUNDS;
    for (int i = 0; i < ROUNDS; i++)
        rows[i] = round_of(0, i, 1 + i % 2);
    rounds_combine(rows, &count);
    assert_int_equal(count, 1);
    near(rows[0].median_ms, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_rounds_are_the_fastest),
        cmocka_unit_test(two_rounds_are_the_faster),
        cmocka_unit_test(one_round_stays_as_it_is),
        cmocka_unit_test(failed_rounds_do_not_count),
        cmocka_unit_test(nothing_but_failures_is_the_last_one),
        cmocka_unit_test(an_incorrect_round_voids_the_others),
        cmocka_unit_test(rounds_find_each_other),
        cmocka_unit_test(what_differs_stays_apart),
        cmocka_unit_test(joined_rows_keep_their_spread),
        cmocka_unit_test(hundreds_of_rounds_fit),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
