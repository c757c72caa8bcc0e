/* Which config comes next. */
#include "bench/rounds.h"
#include "sweep/visit_queue.h"
#include "test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { VISIT_LIMIT = 4000 };

/* A sweep that is played: what was visited, and the times that each visit finds. */
struct play {
    struct visit_queue queue;
    struct visit visits[VISIT_LIMIT];
    int count;
    double spent_s, visit_s;
};

static struct visit_queue_options options_of(int64_t samples, double budget_s)
{
    return (struct visit_queue_options){.samples = samples,
                                        .time_budget_s = budget_s,
                                        .rounds = 3,
                                        .target_percent = 2,
                                        .seed = 11};
}

/* Every fifth config has no time, from its second visit on; the higher the position, the wider the
 * rounds. */
static struct measurement found(const struct visit *visit)
{
    const bool is_failed = visit->position % 5 == 4 && visit->round > 0;
    return (struct measurement){
        .outcome = is_failed ? OUTCOME_CRASHED : OUTCOME_OK,
        .round = visit->round,
        .round_count = 1,
        .median_ms = is_failed ? NAN : 1 + 0.01 * (double)visit->position * (visit->round % 2)};
}

static void note(struct visit_queue *queue, const struct visit *visit)
{
    const struct measurement row = found(visit);
    assert_int_equal(visit_queue_note(queue, visit->position, &row, NULL), STATUS_OK);
}

static bool step(struct play *play)
{
    struct visit *visit = &play->visits[play->count];
    if (play->count == VISIT_LIMIT || !visit_queue_next(visit, &play->queue, play->spent_s))
        return false;
    note(&play->queue, visit);
    play->count++;
    play->spent_s += play->visit_s;
    return true;
}

static void begin(struct play *play, const struct visit_queue_options *options)
{
    memset(play, 0, sizeof *play);
    visit_queue_begin(&play->queue, options);
}

static void play_to_end(struct play *play)
{
    while (step(play))
        ;
    assert_true(play->count < VISIT_LIMIT);
}

/* How often (position, round) was visited. */
static int times_visited(const struct play *play, int64_t position, int round)
{
    int times = 0;
    for (int i = 0; i < play->count; i++)
        times += play->visits[i].position == position && play->visits[i].round == round;
    return times;
}

static void rounds_are_complete(void **state)
{
    enum { SAMPLES = 100 };
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(SAMPLES, 0);
    begin(&play, &options);
    play_to_end(&play);
    for (int i = 0; i < SAMPLES; i++) { /* round 0 in order */
        assert_int_equal(play.visits[i].position, i);
        assert_int_equal(play.visits[i].round, 0);
    }
    int moved = 0;
    for (int i = SAMPLES; i < play.count; i++)
        moved += play.visits[i].position != (i - SAMPLES) % SAMPLES;
    assert_true(moved > SAMPLES); /* the others in other orders */
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(times_visited(&play, i, 1), 1);
        assert_int_equal(times_visited(&play, i, 2), i % 5 == 4 ? 0 : 1); /* failed: left alone */
    }
    assert_int_equal(play.count, SAMPLES + SAMPLES + 80);
    assert_int_equal(visit_queue_config_count(&play.queue), SAMPLES);
    assert_true(visit_queue_done(&play.queue, 0) > 0.99);
    visit_queue_free(&play.queue);
}

/* A config whose one call takes longer than the rounds of others. */
static void slow_configs_are_visited_once(void **state)
{
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(20, 1e6);
    begin(&play, &options);
    while (play.count < VISIT_LIMIT && visit_queue_next(&play.visits[play.count], &play.queue, 0)) {
        const struct visit *visit = &play.visits[play.count++];
        const struct measurement row = {.outcome = visit->position % 4 ? OUTCOME_CAPPED
                                                                       : OUTCOME_SLOW,
                                        .round_count = 1,
                                        .median_ms = 1 + visit->round};
        assert_int_equal(visit_queue_note(&play.queue, visit->position, &row, NULL), STATUS_OK);
    }
    assert_true(play.count > 3 * 15 + 5 && play.count < VISIT_LIMIT); /* others are refined, too */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(times_visited(&play, i, 0), 1);
        assert_int_equal(times_visited(&play, i, 1), i % 4 ? 1 : 0);
    }
    visit_queue_free(&play.queue);
}

/* A config counts once, by the outcome that its row in the finished file will have. */
static void configs_are_counted_as_the_file_will(void **state)
{
    (void)state;
    static const enum outcome rounds[][3] = {{OUTCOME_OK, OUTCOME_CAPPED, OUTCOME_CAPPED},
                                             {OUTCOME_CAPPED, OUTCOME_CAPPED, OUTCOME_OK},
                                             {OUTCOME_CAPPED, OUTCOME_SLOW, OUTCOME_SLOW},
                                             {OUTCOME_OK, OUTCOME_CRASHED, OUTCOME_OK},
                                             {OUTCOME_INCORRECT, OUTCOME_OK, OUTCOME_CAPPED},
                                             {OUTCOME_OK, OUTCOME_INCORRECT, OUTCOME_OK},
                                             {OUTCOME_TIMEOUT, OUTCOME_CRASHED, OUTCOME_TIMEOUT}};
    enum { CONFIGS = sizeof rounds / sizeof *rounds };
    struct visit_queue queue;
    int64_t wanted[OUTCOME_COUNT] = {0};
    const struct visit_queue_options options = options_of(CONFIGS, 0);
    visit_queue_begin(&queue, &options);
    for (int i = 0; i < CONFIGS; i++) {
        struct measurement rows[3];
        for (int round = 0; round < 3; round++) {
            rows[round] = (struct measurement){
                .outcome = (int32_t)rounds[i][round], .round = round, .round_count = 1};
            rows[round].median_ms = measurement_is_timed(&rows[round]) ? 1 + round : NAN;
            assert_int_equal(visit_queue_note(&queue, i, &rows[round], NULL), STATUS_OK);
        }
        wanted[rounds_join(rows, 3).outcome]++;
    }
    assert_int_equal(wanted[OUTCOME_OK], 3);
    assert_memory_equal(queue.outcome_count, wanted, sizeof wanted);
    visit_queue_free(&queue);
}

static void orders_differ(void **state)
{
    static struct play first, second;
    (void)state;
    struct visit_queue_options options = options_of(50, 0);
    begin(&first, &options);
    play_to_end(&first);
    options.seed++;
    begin(&second, &options);
    play_to_end(&second);
    int other_seed = 0, other_round = 0;
    for (int i = 50; i < 90; i++) {
        other_seed += first.visits[i].position != second.visits[i].position;
        other_round += first.visits[i].position != first.visits[i + 50].position;
    }
    assert_true(other_seed > 20 && other_round > 20);
    visit_queue_free(&first.queue), visit_queue_free(&second.queue);
}

static void one_round_is_enough(void **state)
{
    static struct play play;
    (void)state;
    struct visit_queue_options options = options_of(7, 0);
    options.rounds = 1;
    begin(&play, &options);
    play_to_end(&play);
    assert_int_equal(play.count, 7);
    visit_queue_free(&play.queue);
    options = options_of(0, 1); /* time alone: new configs until it is over */
    options.rounds = 1;
    begin(&play, &options);
    play.visit_s = 0.01;
    play_to_end(&play);
    assert_in_range(play.count, 100, 101);
    for (int i = 0; i < play.count; i++)
        assert_int_equal(play.visits[i].position, i);
    visit_queue_free(&play.queue);
}

/* Without a number of configs the first round has its share of the time. */
static void budget_is_shared(void **state)
{
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(0, 3);
    begin(&play, &options);
    play.visit_s = 0.01;
    play_to_end(&play);
    assert_in_range(play.count, 300, 301); /* nothing behind the budget */
    int first_round = 0;
    while (play.visits[first_round].round == 0)
        first_round++;
    assert_in_range(first_round, 99, 101);
    for (int i = 0; i < first_round; i++)
        assert_int_equal(times_visited(&play, i, 1), 1);
    struct visit visit;
    assert_false(visit_queue_next(&visit, &play.queue, 3));
    assert_true(visit_queue_done(&play.queue, 1.5) >= 0.5);
    assert_true(visit_queue_done(&play.queue, 9) <= 1);
    visit_queue_free(&play.queue);
}

/* All configs are seen before the time is looked at, where their number is given. */
static void samples_come_before_the_budget(void **state)
{
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(90, 1);
    begin(&play, &options);
    play.visit_s = 0.01;
    play_to_end(&play);
    assert_in_range(play.count, 100, 101);
    for (int i = 0; i < 90; i++)
        assert_int_equal(times_visited(&play, i, 0), 1);
    visit_queue_free(&play.queue);
}

static void time_that_is_left_goes_to_the_widest(void **state)
{
    enum { SAMPLES = 40 };
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(SAMPLES, 1e6);
    begin(&play, &options);
    play_to_end(&play);
    const int rounds = SAMPLES + SAMPLES + 32;
    assert_true(play.count > rounds);
    assert_int_equal(play.visits[rounds].position, 38); /* the widest that has times */
    for (int i = rounds + 1; i < play.count && play.visits[i].round == 3; i++)
        assert_true(play.visits[i].position < play.visits[i - 1].position);
    for (int i = rounds; i < play.count; i++) {
        const double width = 100 * (1 - 1 / (1 + 0.01 * (double)play.visits[i].position));
        assert_true(play.visits[i].position % 5 != 4);
        assert_true(width / sqrt(play.visits[i].round) > options.target_percent);
        assert_true(play.visits[i].round < ROUND_MAXIMUM);
    }
    assert_int_equal(times_visited(&play, 38, ROUND_MAXIMUM - 1), 1);
    assert_int_equal(times_visited(&play, 1, 3), 0); /* narrow from the start */
    assert_int_equal(visit_queue_config_count(&play.queue), SAMPLES);
    visit_queue_free(&play.queue);
}

/* Only narrow ones are left: new configs, through all rounds. */
static void more_time_takes_more_configs(void **state)
{
    static struct play play;
    (void)state;
    struct visit_queue_options options = options_of(0, 10);
    options.target_percent = 1000; /* nothing is wide */
    begin(&play, &options);
    play.visit_s = 0.01;
    play_to_end(&play);
    assert_in_range(play.count, 1000, 1001);
    const int64_t configs = visit_queue_config_count(&play.queue);
    assert_true(configs > 334);
    for (int64_t i = 0; i < 330; i++)
        assert_int_equal(times_visited(&play, i, 1), 1);
    int64_t again = 0;
    for (int64_t i = 0; i < configs; i++)
        again += times_visited(&play, i, 0) != 1;
    assert_int_equal(again, 0);
    visit_queue_free(&play.queue);
}

/* What was not noted is visited, what was noted is not: from every prefix of an undisturbed sweep.
 */
static void resume_visits_the_rest(void **state)
{
    enum { SAMPLES = 20 };
    static struct play whole, rest;
    (void)state;
    const struct visit_queue_options options = options_of(SAMPLES, 0);
    begin(&whole, &options);
    play_to_end(&whole);
    for (int cut = 0; cut <= whole.count; cut++) {
        begin(&rest, &options);
        for (int i = 0; i < cut; i++)
            note(&rest.queue, &whole.visits[i]);
        play_to_end(&rest);
        assert_int_equal(rest.count, whole.count - cut);
        for (int i = 0; i < rest.count; i++) { /* and in the same order */
            assert_int_equal(rest.visits[i].position, whole.visits[cut + i].position);
            assert_int_equal(rest.visits[i].round, whole.visits[cut + i].round);
        }
        visit_queue_free(&rest.queue);
    }
    visit_queue_free(&whole.queue);
}

/* A power cut may keep what was written later: rows of any subset. */
static void holes_are_filled(void **state)
{
    enum { SAMPLES = 30 };
    static struct play whole, rest;
    (void)state;
    const struct visit_queue_options options = options_of(SAMPLES, 0);
    begin(&whole, &options);
    play_to_end(&whole);
    for (int stride = 2; stride < 7; stride++) {
        int noted = 0;
        begin(&rest, &options);
        for (int i = 0; i < SAMPLES; i++)
            if (i % stride) {
                note(&rest.queue, &whole.visits[i]);
                noted++;
            }
        play_to_end(&rest);
        assert_int_equal(noted + rest.count, whole.count);
        for (int i = 0; i < SAMPLES; i++) {
            assert_int_equal(times_visited(&rest, i, 0), i % stride ? 0 : 1);
            assert_int_equal(times_visited(&rest, i, 1), 1);
        }
        visit_queue_free(&rest.queue);
    }
    visit_queue_free(&whole.queue);
}

static void joined_rows_are_all_their_rounds(void **state)
{
    static struct play play;
    (void)state;
    const struct visit_queue_options options = options_of(10, 0);
    const struct measurement joined = {.round_count = 3, .median_ms = 1};
    begin(&play, &options);
    for (int i = 0; i < 8; i++)
        assert_int_equal(visit_queue_note(&play.queue, i, &joined, NULL), STATUS_OK);
    play_to_end(&play);
    for (int i = 0; i < play.count; i++)
        assert_in_range(play.visits[i].position, 8, 9);
    assert_int_equal(play.count, 5); /* 8: three rounds; 9 fails in its second */
    visit_queue_free(&play.queue);
}

/* More samples than before: the new ones come first, then all their rounds. */
static void a_finished_sweep_can_grow(void **state)
{
    static struct play play;
    (void)state;
    struct visit_queue_options options = options_of(20, 0);
    begin(&play, &options);
    play_to_end(&play);
    static struct play grown;
    options.samples = 30;
    begin(&grown, &options);
    for (int i = 0; i < play.count; i++)
        note(&grown.queue, &play.visits[i]);
    play_to_end(&grown);
    assert_int_equal(grown.visits[0].position, 20);
    assert_int_equal(grown.count, 10 + 10 + 8);
    visit_queue_free(&play.queue), visit_queue_free(&grown.queue);
}

static void used_budget_is_used(void **state)
{
    (void)state;
    struct visit_queue queue;
    struct visit visit;
    const struct visit_queue_options options = options_of(100, 5);
    visit_queue_begin(&queue, &options);
    assert_false(visit_queue_next(&visit, &queue, 5));
    assert_true(visit_queue_next(&visit, &queue, 4.9));
    visit_queue_free(&queue);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_are_complete),
        cmocka_unit_test(slow_configs_are_visited_once),
        cmocka_unit_test(orders_differ),
        cmocka_unit_test(configs_are_counted_as_the_file_will),
        cmocka_unit_test(one_round_is_enough),
        cmocka_unit_test(budget_is_shared),
        cmocka_unit_test(samples_come_before_the_budget),
        cmocka_unit_test(time_that_is_left_goes_to_the_widest),
        cmocka_unit_test(more_time_takes_more_configs),
        cmocka_unit_test(resume_visits_the_rest),
        cmocka_unit_test(holes_are_filled),
        cmocka_unit_test(joined_rows_are_all_their_rounds),
        cmocka_unit_test(a_finished_sweep_can_grow),
        cmocka_unit_test(used_budget_is_used),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
