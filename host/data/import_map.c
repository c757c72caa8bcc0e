#include "data/import_map.h"

#include "base/mapped_file.h"
#include "data/import_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 65536 };

/* A line being read. */
struct cursor {
    struct import_map *map;
    char *at;
    int line;
};

static enum status bad_line(const struct cursor *cursor, const char *what, const char *text,
                            struct error *error)
{
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s '%.80s'", cursor->map->path, cursor->line, what,
                text);
}

static void skip_blanks(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, " \t");
}

/* The text before the first of `ends`, without the blanks around; ended in place. */
static char *take_until(struct cursor *cursor, const char *ends, char *end)
{
    skip_blanks(cursor);
    char *start = cursor->at, *stop = start + strcspn(start, ends);
    *end = *stop;
    cursor->at = *stop ? stop + 1 : stop;
    while (stop > start && strchr(" \t", stop[-1]))
        stop--;
    *stop = '\0';
    return start;
}

/* A column's name: a word, or quoted. */
static enum status take_column(const char **column, struct cursor *cursor, struct error *error)
{
    char end;
    skip_blanks(cursor);
    const bool is_quoted = *cursor->at == '"';
    cursor->at += is_quoted;
    *column = take_until(cursor, is_quoted ? "\"" : " \t", &end);
    if (!**column)
        return bad_line(cursor, "no column after", "<-", error);
    if (is_quoted && end != '"')
        return bad_line(cursor, "a quote is never closed:", *column, error);
    return STATUS_OK;
}

/* A number, or a column's name. */
static enum status take_factor(struct import_source *source, struct cursor *cursor,
                               struct error *error)
{
    char *rest;
    const char *text;
    TRY(take_column(&text, cursor, error));
    const double factor = strtod(text, &rest);
    if (rest == text) {
        if (source->factor_count == IMPORT_FACTOR_LIMIT)
            return bad_line(cursor, "too many factors at", text, error);
        source->factors[source->factor_count++] = text;
        return STATUS_OK;
    }
    if (*rest || !isfinite(factor) || factor == 0)
        return bad_line(cursor, "not a factor:", text, error);
    source->factor *= factor;
    return STATUS_OK;
}

/* Times of a dataset are milliseconds. */
static enum status take_unit(double *factor, struct cursor *cursor, struct error *error)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}};
    char end;
    const char *text = take_until(cursor, " \t", &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, text) == 0) {
            *factor = units[i].factor;
            return STATUS_OK;
        }
    bad_line(cursor, "unknown unit", text, error);
    return HINT(error, STATUS_BAD_FILE, "use one of ns, us, ms, s, or a factor: * 0.001");
}

static enum status take_renames(struct import_source *source, struct cursor *cursor,
                                struct error *error)
{
    struct import_map *map = cursor->map;
    source->first_rename = map->rename_count;
    while (*cursor->at) {
        char end;
        char *pair = take_until(cursor, ",", &end), *equals = strchr(pair, '=');
        if (!equals != (source->use != IMPORT_VALUE))
            return bad_line(cursor, equals ? "not a value:" : "not OLD=NEW:", pair, error);
        if (map->rename_count == IMPORT_RENAME_LIMIT)
            return bad_line(cursor, "too many names at", pair, error);
        if (equals)
            *equals++ = '\0';
        map->renames[map->rename_count++] = (struct import_rename){pair, equals};
        source->rename_count++;
    }
    return STATUS_OK;
}

static enum status take_conversions(struct import_source *source, struct cursor *cursor,
                                    struct error *error)
{
    for (skip_blanks(cursor); *cursor->at; skip_blanks(cursor)) {
        char end;
        const char *word = take_until(cursor, " \t", &end);
        if (strcmp(word, "*") == 0)
            TRY(take_factor(source, cursor, error));
        else if (strcmp(word, "in") == 0)
            TRY(take_unit(&source->factor, cursor, error));
        else if (strcmp(word, "?") == 0)
            TRY(take_renames(source, cursor, error));
        else if (strcmp(word, "zeros") == 0 && strcmp(source->target, "padding") == 0)
            source->is_zeros = true;
        else
            return bad_line(cursor, "expected '*', 'in' or '?', not", word, error);
    }
    return STATUS_OK;
}

/* What stands behind the column of keep and skip: "? a, b" or "= other". */
static enum status take_condition(struct import_source *source, struct cursor *cursor,
                                  struct error *error)
{
    char end;
    const char *word = take_until(cursor, " \t", &end);
    if (strcmp(word, "?") == 0)
        TRY(take_renames(source, cursor, error));
    else if (strcmp(word, "=") == 0 && source->use == IMPORT_KEEP)
        TRY(take_column(&source->equals, cursor, error));
    if (!source->equals && source->rename_count == 0)
        return bad_line(cursor, "expected '? VALUES' behind the column, not", word, error);
    skip_blanks(cursor);
    return *cursor->at ? bad_line(cursor, "too much:", cursor->at, error) : STATUS_OK;
}

static enum status take_hardware(struct cursor *cursor, char sign, struct error *error)
{
    char end;
    const char *text = take_until(cursor, "", &end);
    if (sign != '=' || strcmp(text, "catalogue") != 0)
        return bad_line(cursor, "expected 'hardware = catalogue', not", text, error);
    cursor->map->has_catalogue = true;
    return STATUS_OK;
}

static enum import_use use_of(const char *target)
{
    return strcmp(target, "keep") == 0   ? IMPORT_KEEP
           : strcmp(target, "skip") == 0 ? IMPORT_SKIP
                                         : IMPORT_VALUE;
}

static enum status check_target(const struct cursor *cursor, const char *target,
                                struct error *error)
{
    const struct import_map *map = cursor->map;
    if (use_of(target) != IMPORT_VALUE)
        return STATUS_OK;
    for (int i = 0; i < map->source_count; i++)
        if (strcmp(map->sources[i].target, target) == 0)
            return bad_line(cursor, "more than one line for", target, error);
    if (import_column_exists(target))
        return STATUS_OK;
    bad_line(cursor, "a dataset has no column", target, error);
    return import_column_hint(target, "datasets/README.md lists the columns", error);
}

static enum status read_line(struct cursor *cursor, struct error *error)
{
    char end;
    struct import_map *map = cursor->map;
    const char *target = take_until(cursor, " \t=<", &end);
    if (end == ' ' || end == '\t') {
        skip_blanks(cursor);
        end = *cursor->at;
        cursor->at += end != '\0';
    }
    if (end != '=' && !(end == '<' && *cursor->at++ == '-'))
        return bad_line(cursor, "expected 'COLUMN = VALUE' or 'COLUMN <- THEIRS' at", target,
                        error);
    if (strcmp(target, "hardware") == 0)
        return take_hardware(cursor, end, error);
    TRY(check_target(cursor, target, error));
    if (map->source_count == IMPORT_MAP_LIMIT)
        return bad_line(cursor, "too many lines at", target, error);
    struct import_source *source = &map->sources[map->source_count++];
    *source = (struct import_source){
        .target = target, .use = use_of(target), .factor = 1, .line = cursor->line};
    if (end == '=' && source->use != IMPORT_VALUE)
        return bad_line(cursor, "expected '<- COLUMN ? VALUES' behind", target, error);
    if (end == '=') {
        source->constant = take_until(cursor, "", &end);
        return STATUS_OK;
    }
    TRY(take_column(&source->column, cursor, error));
    if (source->use != IMPORT_VALUE)
        return take_condition(source, cursor, error);
    return take_conversions(source, cursor, error);
}

static enum status read_lines(struct import_map *map, struct error *error)
{
    struct cursor cursor = {.map = map};
    for (char *rest = map->text, *line; (line = strsep(&rest, "\n"));) {
        cursor.line++;
        line[strcspn(line, "\r")] = '\0';
        cursor.at = line;
        skip_blanks(&cursor);
        if (*cursor.at && *cursor.at != '#')
            TRY(read_line(&cursor, error));
    }
    if (map->source_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: no lines", map->path);
    return STATUS_OK;
}

static enum status copy_text(struct import_map *map, const char *path, struct error *error)
{
    struct mapped_file file;
    map->path = strdup(path);
    if (!map->path)
        return FAIL(error, STATUS_FAILED, "no memory");
    TRY(mapped_file_open(&file, path, error));
    enum status status = STATUS_OK;
    if (file.size > TEXT_LIMIT || (file.size && memchr(file.bytes, '\0', file.size)))
        status = FAIL(error, STATUS_BAD_FILE, "'%s' is not a map: a text of at most %d bytes", path,
                      TEXT_LIMIT);
    else
        map->text = strndup(file.bytes, file.size);
    mapped_file_close(&file);
    if (status == STATUS_OK && !map->text)
        return FAIL(error, STATUS_FAILED, "no memory");
    return status;
}

enum status import_map_load(struct import_map **out, const char *path, struct error *error)
{
    struct import_map *map;
    *out = NULL;
    TRY(ALLOCATE(&map, 1, "map", error));
    enum status status = copy_text(map, path, error);
    if (status == STATUS_OK)
        status = read_lines(map, error);
    if (status == STATUS_OK)
        *out = map;
    else
        import_map_free(map);
    return status;
}

void import_map_free(struct import_map *map)
{
    if (!map)
        return;
    free(map->path);
    free(map->text);
    free(map);
}
