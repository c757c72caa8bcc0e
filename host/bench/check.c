#include "bench/check.h"

#include "base/clock.h"
#include "base/philox.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MATES = 8,  /* elements in turn that share statistics */
    USES = 256, /* of random words for one element, by result */
};

/* ---- which ---- */

bool check_is_due(const struct layer_config *config, uint64_t seed, int64_t every)
{
    const uint64_t hash = layer_hash(config);
    if (every <= 0)
        return false;
    const uint32_t word =
        philox((uint32_t)hash, (uint32_t)(hash >> 32), UINT32_MAX, PHILOX_CHECK, seed).word[0];
    return word % (uint64_t)every == 0;
}

/* One result under comparison. */
struct comparison {
    struct reference reference;
    struct plan *plan;
    enum layer_value what;
    uint64_t hash;
    int count;
    int64_t indices[CHECK_ELEMENTS];
    struct reference_element wanted[CHECK_ELEMENTS];
    float got[CHECK_ELEMENTS];
};

/* The first element and the last, where edges and rests of vectors are, then any; of statistics,
 * which are dear, several elements in turn have the same. */
static int64_t choose(const struct comparison *all, int64_t elements)
{
    const uint32_t use = (uint32_t)(all->count * USES) + (uint32_t)all->what;
    const struct philox_words words = philox((uint32_t)all->hash, (uint32_t)(all->hash >> 32), use,
                                             PHILOX_CHECK, 0);
    const uint64_t word = (uint64_t)words.word[0] << 32 | words.word[1];
    if (all->count < 2)
        return all->count == 0 ? 0 : elements - 1;
    const int64_t last = all->indices[all->count - 1];
    const int64_t mate = all->count % MATES == 0
                             ? last
                             : reference_mate(&all->reference, all->what, last, words.word[2]);
    return mate != last ? mate : (int64_t)(word % (uint64_t)elements);
}

static enum status define(struct comparison *all, int64_t elements, struct error *error)
{
    const double reads = all->reference.reads;
    for (all->count = 0; all->count < CHECK_ELEMENTS && all->count < elements; all->count++) {
        const int64_t index = choose(all, elements);
        if (reference_terms(&all->reference, all->what, index) > CHECK_READS_OF_ONE ||
            all->reference.reads - reads > CHECK_READS)
            break;
        all->indices[all->count] = index;
        TRY(reference_element(&all->wanted[all->count], &all->reference, all->what, index, error));
    }
    return STATUS_OK;
}

/* ---- how far off ---- */

static bool loses_digits(const struct plan *plan)
{
    static const char *const notes[] = {"winograd", "fft", "reduced_precision_reduction"};
    bool loses = false;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        loses |= strstr(plan->numerical_notes, notes[i]) != NULL;
    return loses;
}

static double tolerance_of(const struct reference_element *wanted, const struct comparison *all)
{
    static const struct rounding {
        double steps, stored;
    } roundings[PRECISION_COUNT] = {
        [PRECISION_FP32] = {0, 0x1p-24},       [PRECISION_TF32] = {0x1p-11, 0x1p-24},
        [PRECISION_FP16] = {0x1p-11, 0x1p-11}, [PRECISION_BF16] = {0x1p-8, 0x1p-8},
        [PRECISION_AMP] = {0x1p-11, 0x1p-11},
    };
    const struct rounding *rounding = &roundings[all->reference.config.precision];
    const double sum = 0x1p-24 * sqrt(wanted->additions) + rounding->steps;
    const double share = 4 * sum * (loses_digits(all->plan) ? 16 : 1);
    const double smallest = 0x1p-24; /* fp16 has none between 0 and this; tanh's are absolute */
    return share * wanted->size + 2 * rounding->stored * fabs(wanted->value) + smallest;
}

/* Notes the element that is off by most of its tolerance; NaN is always. */
static void compare(struct check *check, double *worst, const struct comparison *all)
{
    for (int i = 0; i < all->count; i++) {
        const struct reference_element *wanted = &all->wanted[i];
        if (wanted->is_open)
            continue;
        const double off = fabs((double)all->got[i] - wanted->value) / tolerance_of(wanted, all);
        check->is_checked = true;
        if (off <= 1 || (check->is_incorrect && !(off > *worst)))
            continue;
        check->is_incorrect = true;
        *worst = isnan(off) ? INFINITY : off;
        snprintf(check->finding, sizeof check->finding, "%s[%lld] is %.7g, by definition %.7g",
                 layer_value_names[all->what], (long long)all->indices[i], (double)all->got[i],
                 wanted->value);
    }
}

/* ---- a plan ---- */

static enum status read_plan(float *values, void *payload, enum layer_value what,
                             const int64_t *indices, int count, struct error *error)
{
    struct plan *plan = payload;
    return plan->bench->read(values, plan, what, indices, count, error);
}

static enum status compare_results(struct check *check, struct comparison *all, struct error *error)
{
    struct plan *plan = all->plan;
    double worst = 0;
    for (int what = VALUE_OUTPUT; what < VALUE_COUNT; what++) {
        const int64_t elements = layer_value_count(&all->reference.config, (enum layer_value)what);
        all->what = (enum layer_value)what;
        if (elements == 0 ||
            plan->bench->read(all->got, plan, all->what, NULL, 0, NULL) != STATUS_OK)
            continue;
        TRY(define(all, elements, error));
        TRY(plan->bench->read(all->got, plan, all->what, all->indices, all->count, error));
        compare(check, &worst, all);
    }
    return STATUS_OK;
}

static enum status check_results(struct check *check, struct plan *plan, struct device *device,
                                 const struct layer_config *config, struct error *error)
{
    struct comparison all = {.plan = plan, .hash = layer_hash(config)};
    reference_begin(&all.reference, config,
                    (struct value_source){.read = read_plan, .payload = plan},
                    device->backend->pads_alike);
    const enum status status = compare_results(check, &all, error);
    reference_end(&all.reference);
    return status;
}

enum status check_plan(struct check *check, struct plan *plan, struct device *device,
                       const struct layer_config *config, struct error *error)
{
    const double started_s = monotonic_s();
    *check = (struct check){.is_checked = false};
    if (!plan->bench->read)
        return STATUS_OK;
    plan->set = 0; /* the one that is read */
    if (phases_of(config) & PHASE_UPDATE)
        TRY(plan->bench->enqueue(plan, PHASE_FORWARD | PHASE_BACKWARD, error));
    const enum status status = check_results(check, plan, device, config, error);
    check->ms = 1e3 * (monotonic_s() - started_s);
    return status;
}
