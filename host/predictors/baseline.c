#include "predictors/baseline.h"

#include "predictors/model_content.h"
#include "predictors/model_members.h"
#include "predictors/operator_answer.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct baseline {
    struct predictor base;
    const struct baseline_law *law;
    int slot_count; /* devices, or 1 when the law shares them */
    bool *fitted;   /* (slot_count, LAYER_KIND_COUNT) */
    char *states;   /* (slot_count, LAYER_KIND_COUNT, law->state_size) */
};

static void *state_at(const struct baseline *baseline, int slot, int kind)
{
    return baseline->states + (size_t)(slot * LAYER_KIND_COUNT + kind) * baseline->law->state_size;
}

static bool *fitted_at(const struct baseline *baseline, int slot, int kind)
{
    return &baseline->fitted[slot * LAYER_KIND_COUNT + kind];
}

/* Row of the training devices that `device` is, or -1. */
static int slot_of(const struct baseline *baseline, const struct device_info *device)
{
    if (baseline->law->shares_devices)
        return 0;
    return device_find(baseline->base.devices, baseline->base.device_count, device);
}

/* ---- fitting ---- */

/* The training rows of one kind that go into `slot`; returns their number. */
static size_t collect(struct baseline_row *collected, const struct baseline *baseline, int slot,
                      const struct dataset_rows *rows, const struct row_selection *selection)
{
    size_t count = 0;
    for (size_t i = 0; i < selection->count[SPLIT_TRAIN]; i++) {
        const struct measurement *row = &rows->rows[selection->rows[SPLIT_TRAIN][i]];
        const struct device_info *device = &rows->devices[row->device];
        if (slot_of(baseline, device) == slot)
            collected[count++] = (struct baseline_row){
                .config = &row->config, .device = device, .measured_ms = row->median_ms};
    }
    return count;
}

static enum status fit_slots(struct baseline *baseline, int kind, const struct dataset_rows *rows,
                             const struct row_selection *selection, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, selection->count[SPLIT_TRAIN], sizeof(struct baseline_row),
                       "training rows", error));
    enum status status = STATUS_OK;
    for (int slot = 0; slot < baseline->slot_count && status == STATUS_OK; slot++) {
        const size_t count = collect(memory, baseline, slot, rows, selection);
        if (count > 0)
            status = baseline->law->fit(state_at(baseline, slot, kind),
                                        fitted_at(baseline, slot, kind), memory, count, error);
    }
    free(memory);
    return status;
}

static enum status fit_kinds(struct baseline *baseline, const struct dataset_rows *rows,
                             struct fit_report *reports, struct error *error)
{
    struct kinds_checked checked = {.has_enough = false};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct row_selection selection;
        bool is_enough = true;
        TRY(row_selection_create(&selection, rows, (enum layer_kind)kind, error));
        const size_t train_rows = selection.count[SPLIT_TRAIN];
        enum status status = STATUS_OK;
        if (!baseline->law->takes_few_rows)
            row_selection_note(&is_enough, &checked, &selection, (enum layer_kind)kind);
        if (is_enough)
            status = fit_slots(baseline, kind, rows, &selection, error);
        row_selection_free(&selection);
        TRY(status);
        if (reports)
            reports[kind] = baseline_report(kind, is_enough ? train_rows : 0);
    }
    return kinds_checked_end(&checked, error);
}

struct fit_report baseline_report(int kind, size_t train_rows)
{
    return (struct fit_report){.kind = kind,
                               .rows = train_rows,
                               .train_rmsle = NAN,
                               .test_rmsle = NAN,
                               .validation_rmse_ms = NAN,
                               .validation_mape_percent = NAN};
}

static void begin_states(struct baseline *baseline, const struct fit_options *options)
{
    for (int slot = 0; baseline->law->begin && slot < baseline->slot_count; slot++)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            baseline->law->begin(state_at(baseline, slot, kind), options);
}

static enum status allocate_slots(struct baseline *baseline, struct error *error)
{
    baseline->slot_count = baseline->law->shares_devices ? 1 : baseline->base.device_count;
    const unsigned long count = (unsigned long)baseline->slot_count * LAYER_KIND_COUNT;
    TRY(ALLOCATE(&baseline->fitted, count, "predictor", error));
    TRY(error_allocate((void **)&baseline->states, count, baseline->law->state_size, "predictor",
                       error));
    return STATUS_OK;
}

enum status baseline_fit(struct predictor **out, const struct baseline_law *law,
                         const struct dataset_rows *rows, const struct fit_options *options,
                         struct fit_report *reports, struct error *error)
{
    struct baseline *baseline;
    *out = NULL;
    TRY(fit_options_check(&options, law->type, error));
    TRY(ALLOCATE(&baseline, 1, "predictor", error));
    *baseline = (struct baseline){.base.type = law->type, .law = law};
    enum status status = training_devices(&baseline->base.devices, &baseline->base.device_count,
                                          rows, error);
    if (status == STATUS_OK)
        status = allocate_slots(baseline, error);
    if (status == STATUS_OK) {
        begin_states(baseline, options);
        status = fit_kinds(baseline, rows, reports, error);
    }
    if (status == STATUS_OK)
        *out = &baseline->base;
    else
        baseline_free(&baseline->base);
    return status;
}

void baseline_free(struct predictor *predictor)
{
    struct baseline *baseline = (struct baseline *)predictor;
    if (!baseline)
        return;
    if (baseline->law->release && baseline->states)
        for (int slot = 0; slot < baseline->slot_count; slot++)
            for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
                baseline->law->release(state_at(baseline, slot, kind));
    free(baseline->fitted);
    free(baseline->states);
    free(baseline->base.devices);
    free(baseline);
}

/* ---- forecasting ---- */

/* Makes *state the one of a device without rows. False: no training device knows the kind. */
static bool transfer(void *state, const void **states, struct device_info *devices,
                     const struct baseline *baseline, int kind, const struct device_info *target)
{
    int count = 0;
    for (int slot = 0; slot < baseline->slot_count; slot++)
        if (*fitted_at(baseline, slot, kind)) {
            states[count] = state_at(baseline, slot, kind);
            devices[count++] = baseline->base.devices[slot];
        }
    if (count > 0)
        baseline->law->transfer(state, states, devices, count, target);
    return count > 0;
}

/* states[LAYER_KIND_COUNT]: what forecasts each kind on the device, NULL where nothing can. *memory
 * holds those that had to be made. */
static enum status find_states(const void **states, void **memory, const struct baseline *baseline,
                               const struct device_info *device, struct error *error)
{
    const int slot = slot_of(baseline, device);
    const bool is_new = slot < 0 && baseline->law->transfer;
    const size_t size = baseline->law->state_size, slots = (size_t)baseline->slot_count;
    TRY(error_allocate(
        memory, 1, LAYER_KIND_COUNT * size + slots * (sizeof(struct device_info) + sizeof(void *)),
        "predictor", error));
    struct device_info *devices = *memory;
    const void **known = (const void **)(devices + slots);
    char *made = (char *)(known + slots);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++, made += size) {
        states[kind] = NULL;
        if (slot >= 0 && *fitted_at(baseline, slot, kind))
            states[kind] = state_at(baseline, slot, kind);
        else if (is_new && transfer(made, known, devices, baseline, kind, device))
            states[kind] = made;
    }
    return STATUS_OK;
}

/* NaN: not covered. */
static double answer_ms(const struct baseline_law *law, const void *const *states,
                        const struct layer_question *question, const struct device_info *device)
{
    const struct layer_config *config = question->config;
    if (!config)
        return law->takes_operators ? operator_ms(law, states, question, device) : NAN;
    if (!states[config->kind])
        return NAN;
    struct layer_work work;
    const struct layer_question asked = question_of(config, &work);
    return law->forecast_ms(states[config->kind], &asked, device);
}

static struct prediction answer(const struct baseline_law *law, const void *const *states,
                                const struct layer_question *question,
                                const struct device_info *device)
{
    const struct layer_config *config = question->config;
    const double ms = answer_ms(law, states, question, device);
    return (struct prediction){
        .median_ms = ms,
        .low_ms = NAN,
        .high_ms = NAN,
        .extrapolates = !isnan(ms) && config && law->extrapolates &&
                        law->extrapolates(states[config->kind], config),
        .covered = !isnan(ms),
    };
}

enum status baseline_predict(struct prediction *predictions, const struct predictor *predictor,
                             const struct layer_question *questions, size_t count,
                             const struct device_info *device, struct error *error)
{
    const struct baseline *baseline = (const struct baseline *)predictor;
    const void *states[LAYER_KIND_COUNT];
    void *memory;
    if (!device)
        device = &baseline->base.devices[0];
    TRY(find_states(states, &memory, baseline, device, error));
    for (size_t i = 0; i < count; i++) {
        predictions[i] = answer(baseline->law, states, &questions[i], device);
    }
    free(memory);
    return STATUS_OK;
}

bool baseline_knows(const struct predictor *predictor, enum layer_kind kind)
{
    const struct baseline *baseline = (const struct baseline *)predictor;
    for (int slot = 0; slot < baseline->slot_count; slot++)
        if (*fitted_at(baseline, slot, kind))
            return true;
    return false;
}

/* ---- model files ---- */

static enum status save_state(const struct baseline *baseline, int slot, int kind,
                              const struct model_place *place, struct error *error)
{
    const struct baseline_law *law = baseline->law;
    const void *state = state_at(baseline, slot, kind);
    TRY(members_write(place, state, law->members, law->member_count, error));
    return law->save ? law->save(state, (enum layer_kind)kind, place, error) : STATUS_OK;
}

static enum status load_state(struct baseline *baseline, int slot, int kind,
                              const struct model_place *place, struct error *error)
{
    const struct baseline_law *law = baseline->law;
    void *state = state_at(baseline, slot, kind);
    TRY(members_read(place, state, law->members, law->member_count, error));
    if (law->load)
        TRY(law->load(state, (enum layer_kind)kind, place, error));
    *fitted_at(baseline, slot, kind) = true;
    return STATUS_OK;
}

static void slot_name(char name[24], int slot)
{
    snprintf(name, 24, "device_%d", slot);
}

static enum status save_kind(const struct predictor *predictor, enum layer_kind kind,
                             const struct model_place *place, struct error *error)
{
    const struct baseline *baseline = (const struct baseline *)predictor;
    if (baseline->law->shares_devices)
        return save_state(baseline, 0, kind, place, error);
    for (int slot = 0; slot < baseline->slot_count; slot++) {
        struct model_group group;
        char name[24];
        if (!*fitted_at(baseline, slot, kind))
            continue;
        slot_name(name, slot);
        TRY(model_group_create(&group, place, name, error));
        const enum status status = save_state(baseline, slot, kind, &group.place, error);
        model_group_close(&group);
        TRY(status);
    }
    return STATUS_OK;
}

static enum status load_kind(struct predictor *predictor, enum layer_kind kind,
                             const struct model_place *place, struct error *error)
{
    struct baseline *baseline = (struct baseline *)predictor;
    if (baseline->law->shares_devices)
        return load_state(baseline, 0, kind, place, error);
    for (int slot = 0; slot < baseline->slot_count; slot++) {
        struct model_group group;
        char name[24];
        slot_name(name, slot);
        if (!model_group_exists(place, name))
            continue;
        TRY(model_group_open(&group, place, name, error));
        const enum status status = load_state(baseline, slot, kind, &group.place, error);
        model_group_close(&group);
        TRY(status);
    }
    return STATUS_OK;
}

enum status baseline_save(const struct predictor *predictor, const struct model_place *root,
                          struct error *error)
{
    return model_kinds_write(root, predictor, save_kind, error);
}

enum status baseline_load(struct predictor **out, const struct baseline_law *law,
                          const struct model_place *root, struct error *error)
{
    struct baseline *baseline;
    TRY(ALLOCATE(&baseline, 1, "predictor", error));
    *baseline = (struct baseline){.base.type = law->type, .law = law};
    enum status status = model_devices_read(&baseline->base, root, error);
    if (status == STATUS_OK)
        status = allocate_slots(baseline, error);
    if (status == STATUS_OK)
        status = model_kinds_read(root, &baseline->base, load_kind, error);
    if (status == STATUS_OK)
        *out = &baseline->base;
    else
        baseline_free(&baseline->base);
    return status;
}
