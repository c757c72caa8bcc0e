#include "layers/encode_plan.h"

#include <assert.h>
#include <string.h>

/* ---- names ---- */

/* Of the full row; returns how many of them are the encoder's. */
static int full_names(const char **names, const struct encode_layout *layout)
{
    const int count = encode_column_names(names, layout->encoding, layout->kind,
                                          layout->with_hardware);
    assert(count + layout->own_count <= ENCODE_COLUMN_LIMIT);
    for (int i = 0; i < layout->own_count; i++)
        names[count + i] = layout->own_names[i];
    return count;
}

void encode_plan_names(const char **names, const struct encode_plan *plan)
{
    const char *full[ENCODE_COLUMN_LIMIT];
    full_names(full, &plan->layout);
    for (int i = 0; i < plan->count; i++)
        names[i] = full[plan->slots[i]];
}

/* True for "feature=name", a name of the feature's choice. Later features are told by their
 * `missing`, as numbers are. */
static bool is_choice_column(const char *column, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const size_t length = strlen(feature->name);
        if (strncmp(column, feature->name, length) == 0 && column[length] == '=')
            return feature->choice && feature->since <= 1 &&
                   choice_find(feature->choice, column + length + 1) >= 0;
    }
    return false;
}

/* ---- plans ---- */

void encode_plan_whole(struct encode_plan *plan, const struct encode_layout *layout)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    *plan = (struct encode_plan){.layout = *layout, .is_whole = true};
    plan->encoded_count = full_names(names, layout);
    plan->count = plan->encoded_count + layout->own_count;
    for (int i = 0; i < plan->count; i++)
        plan->slots[i] = (int16_t)i;
}

/* Slot of the name, or -1. Files of today have it at `guess`. */
static int find_slot(const char *const *names, int count, const char *name, int guess)
{
    if (guess < count && strcmp(names[guess], name) == 0)
        return guess;
    for (int slot = 0; slot < count; slot++)
        if (strcmp(names[slot], name) == 0)
            return slot;
    return -1;
}

static void note_lacking(struct encode_plan *plan, const char *const *full, const bool *is_used)
{
    for (int slot = 0; slot < plan->encoded_count; slot++)
        if (!is_used[slot])
            plan->lacking[plan->lacking_count++] = (struct lacking_slot){
                .slot = (int16_t)slot,
                .is_choice = is_choice_column(full[slot], plan->layout.kind)};
}

int encode_plan_create(struct encode_plan *plan, const struct encode_layout *layout,
                       const char *const *names, int count)
{
    const char *full[ENCODE_COLUMN_LIMIT];
    bool is_used[ENCODE_COLUMN_LIMIT] = {false};
    *plan = (struct encode_plan){.layout = *layout, .count = count};
    plan->encoded_count = full_names(full, layout);
    const int full_count = plan->encoded_count + layout->own_count;
    plan->is_whole = count == full_count;
    for (int i = 0; i < count; i++) {
        const int slot = find_slot(full, full_count, names[i], i);
        if (slot < 0 || is_used[slot])
            return i;
        is_used[slot] = true;
        plan->slots[i] = (int16_t)slot;
        plan->is_whole = plan->is_whole && slot == i;
    }
    note_lacking(plan, full, is_used);
    return -1;
}

/* ---- rows ---- */

static void encode(float *row, const struct encode_plan *plan, const struct layer_config *config,
                   const struct encode_hardware *hardware)
{
    encode_row(row, plan->layout.encoding, config, plan->layout.with_hardware, hardware);
}

/* Makes the config what a program without its later features meant. False: it is that already. */
static bool make_older(struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    bool has_changed = false;
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        if (feature->since <= 1 || layer_get(config, feature) == feature->missing)
            continue;
        layer_set(config, feature, feature->missing);
        has_changed = true;
    }
    return has_changed;
}

/* encode_plan_knows of a config whose encoded row is `row`. */
static bool knows_row(const struct encode_plan *plan, const struct layer_config *config,
                      const float *row, const struct encode_hardware *hardware)
{
    float older_row[ENCODE_COLUMN_LIMIT];
    struct layer_config older = *config;
    const bool is_later = plan->lacking_count > 0 && make_older(&older);
    if (is_later)
        encode(older_row, plan, &older, hardware);
    for (int i = 0; i < plan->lacking_count; i++) {
        const struct lacking_slot lacking = plan->lacking[i];
        if ((lacking.is_choice && row[lacking.slot] != 0) ||
            (is_later && row[lacking.slot] != older_row[lacking.slot]))
            return false;
    }
    return true;
}

bool encode_plan_knows(const struct encode_plan *plan, const struct layer_config *config)
{
    float row[ENCODE_COLUMN_LIMIT];
    if (plan->lacking_count == 0)
        return true;
    encode(row, plan, config, NULL);
    return knows_row(plan, config, row, NULL);
}

bool encode_plan_row(float *inputs, const struct encode_plan *plan,
                     const struct layer_config *config, const struct encode_hardware *hardware,
                     const float *own)
{
    float full[ENCODE_COLUMN_LIMIT];
    float *row = plan->is_whole ? inputs : full;
    encode(row, plan, config, hardware);
    if (own)
        memcpy(row + plan->encoded_count, own, (size_t)plan->layout.own_count * sizeof *own);
    if (plan->is_whole)
        return true;
    for (int i = 0; i < plan->count; i++)
        inputs[i] = full[plan->slots[i]];
    return knows_row(plan, config, full, hardware);
}
