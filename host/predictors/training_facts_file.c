/* The group `training` of a model file: tables with a name in every column, so that later versions
 * may add kinds, features, values and families.
 */
#include "data/hdf5_file.h"
#include "predictors/model_members.h"
#include "predictors/rivals.h"
#include "predictors/training_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char group_name[] = "training", level_name[] = "level";

/* ---- rows of the tables ---- */

struct kind_row {
    char kind[32];
    int64_t train_rows, test_rows;
};
struct choice_row {
    char kind[32], feature[48], value[32]; /* a train row had it */
};
struct error_row {
    char kind[32], predictor[16]; /* predictor "": that of the model */
    int64_t rows;
    double mape_percent, standard_error_percent, rmsle;
};
struct bound_row {
    int32_t device; /* of /devices; -1: of all */
    char family[16], pass[16];
    int32_t decade;
    double middle, high;
};

static hid_t kind_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct kind_row));
    const bool is_whole = model_insert_text(type, "kind", offsetof(struct kind_row, kind),
                                            sizeof(((struct kind_row *)0)->kind)) &&
                          H5Tinsert(type, "train_rows", offsetof(struct kind_row, train_rows),
                                    H5T_NATIVE_INT64) >= 0 &&
                          H5Tinsert(type, "test_rows", offsetof(struct kind_row, test_rows),
                                    H5T_NATIVE_INT64) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

static hid_t choice_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct choice_row));
    const bool is_whole = model_insert_text(type, "kind", offsetof(struct choice_row, kind),
                                            sizeof(((struct choice_row *)0)->kind)) &&
                          model_insert_text(type, "feature", offsetof(struct choice_row, feature),
                                            sizeof(((struct choice_row *)0)->feature)) &&
                          model_insert_text(type, "value", offsetof(struct choice_row, value),
                                            sizeof(((struct choice_row *)0)->value));
    return hdf5_file_whole_type(type, is_whole);
}

static hid_t error_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct error_row));
    const bool is_whole =
        model_insert_text(type, "kind", offsetof(struct error_row, kind),
                          sizeof(((struct error_row *)0)->kind)) &&
        model_insert_text(type, "predictor", offsetof(struct error_row, predictor),
                          sizeof(((struct error_row *)0)->predictor)) &&
        H5Tinsert(type, "rows", offsetof(struct error_row, rows), H5T_NATIVE_INT64) >= 0 &&
        H5Tinsert(type, "mape_percent", offsetof(struct error_row, mape_percent),
                  H5T_NATIVE_DOUBLE) >= 0 &&
        H5Tinsert(type, "standard_error_percent",
                  offsetof(struct error_row, standard_error_percent), H5T_NATIVE_DOUBLE) >= 0 &&
        H5Tinsert(type, "rmsle", offsetof(struct error_row, rmsle), H5T_NATIVE_DOUBLE) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

static hid_t bound_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct bound_row));
    const bool is_whole =
        H5Tinsert(type, "device", offsetof(struct bound_row, device), H5T_NATIVE_INT32) >= 0 &&
        model_insert_text(type, "family", offsetof(struct bound_row, family),
                          sizeof(((struct bound_row *)0)->family)) &&
        model_insert_text(type, "pass", offsetof(struct bound_row, pass),
                          sizeof(((struct bound_row *)0)->pass)) &&
        H5Tinsert(type, "decade", offsetof(struct bound_row, decade), H5T_NATIVE_INT32) >= 0 &&
        H5Tinsert(type, "middle", offsetof(struct bound_row, middle), H5T_NATIVE_DOUBLE) >= 0 &&
        H5Tinsert(type, "high", offsetof(struct bound_row, high), H5T_NATIVE_DOUBLE) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

/* A table: its rows from the facts, or into them. */
struct facts_table {
    const char *name;
    size_t row_size, limit; /* limit: rows of a table that are read */
    hid_t (*type)(void);
    /* Writes the rows, where there is room for them (not NULL); returns their number. */
    size_t (*list)(void *rows, const struct training_facts *facts);
    /* STATUS_BAD_FILE: a name that is not known, or an impossible value. */
    enum status (*take)(struct training_facts *facts, void *rows, size_t count,
                        const struct model_place *place, struct error *error);
};

/* ---- kinds ---- */

static size_t list_kinds(void *memory, const struct training_facts *facts)
{
    struct kind_row *rows = memory;
    size_t count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct kind_facts *known = &facts->kinds[kind];
        if (known->train_rows == 0)
            continue;
        if (rows) {
            rows[count] = (struct kind_row){.train_rows = known->train_rows,
                                            .test_rows = known->test_rows};
            snprintf(rows[count].kind, sizeof rows->kind, "%s", layer_descriptors[kind]->name);
        }
        count++;
    }
    return count;
}

static enum status take_kinds(struct training_facts *facts, void *memory, size_t count,
                              const struct model_place *place, struct error *error)
{
    struct kind_row *rows = memory;
    for (size_t i = 0; i < count; i++) {
        rows[i].kind[sizeof rows[i].kind - 1] = '\0';
        const int kind = layer_kind_find(rows[i].kind);
        if (kind < 0)
            return model_unknown_name(place, "kind", rows[i].kind, "kinds", error);
        if (rows[i].train_rows < 0 || rows[i].test_rows < 0)
            return model_bad_value(place, "kinds", error);
        facts->kinds[kind].train_rows = rows[i].train_rows;
        facts->kinds[kind].test_rows = rows[i].test_rows;
    }
    return STATUS_OK;
}

/* ---- choices ---- */

static size_t list_values(struct choice_row *rows, enum layer_kind kind, int index, uint64_t seen)
{
    const struct feature *feature = &layer_descriptors[kind]->features[index];
    size_t count = 0;
    for (int value = 0; feature->choice && value < feature->choice->count; value++) {
        if (!(seen >> value & 1))
            continue;
        if (rows) {
            rows[count] = (struct choice_row){.kind = ""};
            snprintf(rows[count].kind, sizeof rows->kind, "%s", layer_descriptors[kind]->name);
            snprintf(rows[count].feature, sizeof rows->feature, "%s", feature->name);
            snprintf(rows[count].value, sizeof rows->value, "%s",
                     choice_name(feature->choice, value));
        }
        count++;
    }
    return count;
}

static size_t list_choices(void *memory, const struct training_facts *facts)
{
    struct choice_row *rows = memory;
    size_t count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < layer_descriptors[kind]->feature_count; i++)
            count += list_values(rows ? rows + count : NULL, (enum layer_kind)kind, i,
                                 facts->kinds[kind].seen[i]);
    return count;
}

static enum status take_choices(struct training_facts *facts, void *memory, size_t count,
                                const struct model_place *place, struct error *error)
{
    struct choice_row *rows = memory;
    for (size_t i = 0; i < count; i++) {
        rows[i].kind[sizeof rows[i].kind - 1] = '\0';
        rows[i].feature[sizeof rows[i].feature - 1] = '\0';
        rows[i].value[sizeof rows[i].value - 1] = '\0';
        const int kind = layer_kind_find(rows[i].kind);
        if (kind < 0)
            return model_unknown_name(place, "kind", rows[i].kind, "choices", error);
        const struct feature *feature = layer_feature_find((enum layer_kind)kind, rows[i].feature);
        if (!feature || !feature->choice)
            return model_unknown_name(place, "feature", rows[i].feature, "choices", error);
        const int value = choice_find(feature->choice, rows[i].value);
        if (value < 0)
            return model_unknown_name(place, "value", rows[i].value, "choices", error);
        facts->kinds[kind].seen[feature - layer_descriptors[kind]->features] |= UINT64_C(1)
                                                                                << value;
    }
    return STATUS_OK;
}

/* ---- errors ---- */

static size_t list_errors(void *memory, const struct training_facts *facts)
{
    struct error_row *rows = memory;
    size_t count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int rival = -1; rival < RIVAL_COUNT; rival++) {
            const struct kind_facts *known = &facts->kinds[kind];
            const struct held_out_errors *errors = rival < 0 ? &known->held_out
                                                             : &known->rivals[rival];
            if (errors->count == 0)
                continue;
            if (rows) {
                rows[count] = (struct error_row){
                    .rows = (int64_t)errors->count,
                    .mape_percent = errors->mape_percent,
                    .standard_error_percent = errors->standard_error_percent,
                    .rmsle = errors->rmsle};
                snprintf(rows[count].kind, sizeof rows->kind, "%s", layer_descriptors[kind]->name);
                snprintf(rows[count].predictor, sizeof rows->predictor, "%s",
                         rival < 0 ? "" : rival_types[rival]->name);
            }
            count++;
        }
    return count;
}

/* A predictor that this program does not compare with is left out. */
static struct held_out_errors *errors_of(struct kind_facts *facts, const char *predictor)
{
    if (!*predictor)
        return &facts->held_out;
    for (int rival = 0; rival < RIVAL_COUNT; rival++)
        if (strcmp(rival_types[rival]->name, predictor) == 0)
            return &facts->rivals[rival];
    return NULL;
}

static enum status take_errors(struct training_facts *facts, void *memory, size_t count,
                               const struct model_place *place, struct error *error)
{
    struct error_row *rows = memory;
    for (size_t i = 0; i < count; i++) {
        struct error_row *row = &rows[i];
        row->kind[sizeof row->kind - 1] = row->predictor[sizeof row->predictor - 1] = '\0';
        const int kind = layer_kind_find(row->kind);
        if (kind < 0)
            return model_unknown_name(place, "kind", row->kind, "errors", error);
        if (row->rows < 1 || !(row->mape_percent >= 0) || !(row->rmsle >= 0) ||
            row->standard_error_percent < 0) /* NaN of one row */
            return model_bad_value(place, "errors", error);
        struct held_out_errors *errors = errors_of(&facts->kinds[kind], row->predictor);
        if (errors)
            *errors = (struct held_out_errors){(size_t)row->rows, row->mape_percent,
                                               row->standard_error_percent, row->rmsle};
    }
    return STATUS_OK;
}

/* ---- bounds ---- */

static size_t list_bounds_of(struct bound_row *rows, const struct bound_ratios *ratios, int device)
{
    size_t count = 0;
    for (int family = 0; family < WORK_FAMILY_COUNT; family++)
        for (int pass = 0; pass < PASS_COUNT; pass++)
            for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++) {
                const struct bound_ratio ratio = ratios->of[family][pass][decade];
                if (isnan(ratio.high))
                    continue;
                if (rows) {
                    rows[count] = (struct bound_row){.device = device,
                                                     .decade = decade,
                                                     .middle = ratio.middle,
                                                     .high = ratio.high};
                    snprintf(rows[count].family, sizeof rows->family, "%s",
                             choice_name(&choice_work_family, family));
                    snprintf(rows[count].pass, sizeof rows->pass, "%s",
                             choice_name(&choice_pass, pass));
                }
                count++;
            }
    return count;
}

static size_t list_bounds(void *memory, const struct training_facts *facts)
{
    struct bound_row *rows = memory;
    size_t count = 0;
    for (int i = 0; i <= facts->device_count; i++)
        count += list_bounds_of(rows ? rows + count : NULL, &facts->bounds[i],
                                i < facts->device_count ? i : -1);
    return count;
}

static enum status take_bounds(struct training_facts *facts, void *memory, size_t count,
                               const struct model_place *place, struct error *error)
{
    struct bound_row *rows = memory;
    for (size_t i = 0; i < count; i++) {
        struct bound_row *row = &rows[i];
        row->family[sizeof row->family - 1] = row->pass[sizeof row->pass - 1] = '\0';
        const int family = choice_find(&choice_work_family, row->family);
        const int pass = choice_find(&choice_pass, row->pass);
        if (family < 0)
            return model_unknown_name(place, "family", row->family, "bounds", error);
        if (pass < 0)
            return model_unknown_name(place, "pass", row->pass, "bounds", error);
        if (row->device < -1 || row->device >= facts->device_count || row->decade < 0 ||
            row->decade >= INTERVAL_DECADE_COUNT || !(row->middle >= 1) ||
            !(row->high >= row->middle && isfinite(row->high)))
            return model_bad_value(place, "bounds", error);
        struct bound_ratios *ratios =
            &facts->bounds[row->device < 0 ? facts->device_count : row->device];
        ratios->of[family][pass][row->decade] = (struct bound_ratio){row->middle, row->high};
    }
    return STATUS_OK;
}

static const struct facts_table tables[] = {
    {"kinds", sizeof(struct kind_row), 1024, kind_type, list_kinds, take_kinds},
    {"choices", sizeof(struct choice_row), 65536, choice_type, list_choices, take_choices},
    {"errors", sizeof(struct error_row), 4096, error_type, list_errors, take_errors},
    {"bounds", sizeof(struct bound_row), 1 << 20, bound_type, list_bounds, take_bounds},
};

/* ---- the group ---- */

/* An empty table is left out. */
static enum status save_table(const struct facts_table *table, const struct training_facts *facts,
                              const struct model_place *place, struct error *error)
{
    void *rows;
    const size_t count = table->list(NULL, facts);
    if (count == 0)
        return STATUS_OK;
    TRY(error_allocate(&rows, count, table->row_size, "facts of the training rows", error));
    table->list(rows, facts);
    const hid_t type = table->type();
    const enum status status = write_array(place, table->name, type, type, rows, 0, count, error);
    H5Tclose(type);
    free(rows);
    return status;
}

static enum status load_table(const struct facts_table *table, struct training_facts *facts,
                              const struct model_place *place, struct error *error)
{
    void *rows;
    size_t count;
    if (!model_group_exists(place, table->name))
        return STATUS_OK;
    TRY(read_array_count(place, table->name, &count, table->limit, error));
    TRY(error_allocate(&rows, count, table->row_size, "facts of the training rows", error));
    const hid_t type = table->type();
    enum status status = read_array(place, table->name, type, rows, 0, count, error);
    H5Tclose(type);
    if (status == STATUS_OK)
        status = table->take(facts, rows, count, place, error);
    free(rows);
    return status;
}

enum status training_facts_save(const struct predictor *predictor, const struct model_place *root,
                                struct error *error)
{
    const struct training_facts *facts = predictor->facts;
    struct model_group group;
    if (!facts)
        return STATUS_OK;
    TRY(model_group_create(&group, root, group_name, error));
    enum status status = write_numbers(&group.place, level_name, H5T_NATIVE_DOUBLE, &facts->level,
                                       1, error);
    for (size_t i = 0; i < sizeof tables / sizeof *tables && status == STATUS_OK; i++)
        status = save_table(&tables[i], facts, &group.place, error);
    model_group_close(&group);
    return status;
}

static enum status load(struct training_facts *facts, const struct model_place *place,
                        struct error *error)
{
    TRY(read_numbers(place, level_name, H5T_NATIVE_DOUBLE, &facts->level, 1, error));
    if (!(facts->level > 0 && facts->level < 1))
        return model_bad_value(place, level_name, error);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        TRY(load_table(&tables[i], facts, place, error));
    return STATUS_OK;
}

enum status training_facts_load(struct predictor *predictor, const struct model_place *root,
                                struct error *error)
{
    struct model_group group;
    if (!model_group_exists(root, group_name))
        return STATUS_OK;
    TRY(training_facts_create(&predictor->facts, predictor->device_count, error));
    TRY(model_group_open(&group, root, group_name, error));
    const enum status status = load(predictor->facts, &group.place, error);
    model_group_close(&group);
    return status;
}
