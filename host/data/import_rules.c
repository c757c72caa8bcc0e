/* Conditions of a map, products of columns, padding told by its zeros. */
#include "data/import_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status find(int *field, const char *name, const struct import_source *source,
                        const struct import_map *map, const char *const *header, int header_count,
                        const char *path, struct error *error)
{
    for (*field = 0; *field < header_count; ++*field)
        if (strcmp(header[*field], name) == 0)
            return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%s: column '%.80s' is missing", path, name);
    return HINT(error, STATUS_BAD_FILE, "%s:%d refers to it", map->path, source->line);
}

enum status import_rules_begin(struct import_rules *rules, const struct import_map *map,
                               const char *const *header, int header_count, const char *path,
                               struct error *error)
{
    rules->map = map;
    for (int i = 0; map && i < map->source_count; i++) {
        const struct import_source *source = &map->sources[i];
        if (source->use != IMPORT_VALUE)
            TRY(find(&rules->field[i], source->column, source, map, header, header_count, path,
                     error));
        if (source->equals)
            TRY(find(&rules->equals[i], source->equals, source, map, header, header_count, path,
                     error));
        for (int k = 0; k < source->factor_count; k++)
            TRY(find(&rules->factors[i][k], source->factors[k], source, map, header, header_count,
                     path, error));
    }
    return STATUS_OK;
}

/* "" where the line is short. */
static const char *text_at(const struct csv *csv, int field)
{
    return field < csv->field_count ? csv->field[field] : "";
}

static bool has_value(const struct import_map *map, const struct import_source *source,
                      const char *text)
{
    for (int i = 0; i < source->rename_count; i++)
        if (strcmp(map->renames[source->first_rename + i].from, text) == 0)
            return true;
    return false;
}

static bool holds(const struct import_rules *rules, int index, const struct csv *csv)
{
    const struct import_source *source = &rules->map->sources[index];
    const char *text = text_at(csv, rules->field[index]);
    if (source->equals)
        return strcmp(text, text_at(csv, rules->equals[index])) == 0;
    return has_value(rules->map, source, text) == (source->use == IMPORT_KEEP);
}

bool import_rules_keep(const struct import_rules *rules, const struct csv *csv)
{
    for (int i = 0; rules->map && i < rules->map->source_count; i++)
        if (rules->map->sources[i].use != IMPORT_VALUE && !holds(rules, i, csv))
            return false;
    return true;
}

double import_rules_factor(const struct import_rules *rules, const struct import_source *source,
                           const struct csv *csv)
{
    double factor = source->factor;
    const int *fields = rules->factors[source - rules->map->sources];
    for (int i = 0; i < source->factor_count; i++) {
        char *end;
        const char *text = text_at(csv, fields[i]);
        factor *= strtod(text, &end);
        if (end == text || *end)
            return NAN;
    }
    return factor;
}

bool import_zeros(struct layer_config *config, const struct feature *padding, const char *text)
{
    char *end;
    const long zeros = strtol(text, &end, 10);
    const struct feature *kernel = layer_feature_find(config->kind, "kernel_size");
    if (end == text || *end || !kernel)
        return false;
    const bool is_same = 2 * zeros == layer_get(config, kernel) - 1;
    layer_set(config, padding, is_same ? PADDING_SAME : PADDING_VALID);
    return is_same || zeros == 0;
}
