#include "layers/encode_plan.h"

#include "layers/encode_internal.h"

#include <string.h>

/* ---- names ---- */

static void encode(struct columns *columns, const struct encode_layout *layout,
                   const struct layer_config *config, const struct encode_hardware *hardware)
{
    columns->with_steps = layout->with_steps;
    encode_columns(columns, layout->encoding, layer_descriptors[layout->kind], config,
                   layout->with_hardware, hardware);
}

/* Of the full row; returns how many of them are the encoder's. */
static int full_names(const char **names, const struct encode_layout *layout)
{
    const struct layer_config config = encode_smallest(layout->kind);
    struct columns columns = {.names = names};
    encode(&columns, layout, &config, NULL);
    const int count = columns.count;
    assert(count + layout->own_count <= ENCODE_COLUMN_LIMIT);
    for (int i = 0; i < layout->own_count; i++)
        names[count + i] = layout->own_names[i];
    return count;
}

int encode_layout_count(const struct encode_layout *layout)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    return full_names(names, layout) + layout->own_count;
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

void encode_plan_drop(struct encode_plan *plan, const bool *is_constant)
{
    const char *full[ENCODE_COLUMN_LIMIT];
    bool is_used[ENCODE_COLUMN_LIMIT] = {false};
    const int count = plan->count;
    full_names(full, &plan->layout);
    plan->count = 0;
    for (int i = 0; i < count; i++) {
        const int16_t slot = plan->slots[i];
        const bool is_own = slot >= plan->encoded_count;
        if (is_constant[i] && !is_own && !is_choice_column(full[slot], plan->layout.kind))
            continue;
        is_used[slot] = true;
        plan->slots[plan->count++] = slot;
    }
    plan->is_whole = plan->is_whole && plan->count == count;
    plan->lacking_count = 0;
    note_lacking(plan, full, is_used);
}

static int create(struct encode_plan *plan, const struct encode_layout *layout,
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

int encode_plan_create(struct encode_plan *plan, const struct encode_layout *layout,
                       const char *const *names, int count)
{
    const int unknown = create(plan, layout, names, count);
    if (unknown < 0 || layout->with_steps)
        return unknown;
    struct encode_layout longer = *layout;
    longer.with_steps = true;
    const int still_unknown = create(plan, &longer, names, count);
    return still_unknown < 0 || still_unknown > unknown ? still_unknown : unknown;
}

/* ---- rows ---- */

static void encode_values(float *row, const struct encode_plan *plan,
                          const struct layer_config *config, const struct encode_hardware *hardware)
{
    struct columns columns = {.values = row};
    encode(&columns, &plan->layout, config, hardware);
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
        encode_values(older_row, plan, &older, hardware);
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
    encode_values(row, plan, config, NULL);
    return knows_row(plan, config, row, NULL);
}

bool encode_plan_row(float *inputs, const struct encode_plan *plan,
                     const struct layer_config *config, const struct encode_hardware *hardware,
                     const float *own)
{
    float full[ENCODE_COLUMN_LIMIT];
    float *row = plan->is_whole ? inputs : full;
    encode_values(row, plan, config, hardware);
    if (own)
        memcpy(row + plan->encoded_count, own, (size_t)plan->layout.own_count * sizeof *own);
    if (plan->is_whole)
        return true;
    for (int i = 0; i < plan->count; i++)
        inputs[i] = full[plan->slots[i]];
    return knows_row(plan, config, full, hardware);
}
