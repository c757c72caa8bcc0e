#include "predictors/member.h"

#include "base/text.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers of each type ---- */

#define NUMBER_ACCESS(name, type)                                                                  \
    static double get_##name(const void *at)                                                       \
    {                                                                                              \
        return (double)*(const type *)at;                                                          \
    }                                                                                              \
    static void set_##name(void *at, double value)                                                 \
    {                                                                                              \
        *(type *)at = (type)value;                                                                 \
    }
NUMBER_ACCESS(int32, int32_t)
NUMBER_ACCESS(uint64, uint64_t)
NUMBER_ACCESS(float, float)
NUMBER_ACCESS(double, double)
NUMBER_ACCESS(bool, bool)

static const struct {
    size_t size;
    double (*get)(const void *at);
    void (*set)(void *at, double value);
    bool is_whole;
} numbers[] = {
    [MEMBER_INT32] = {sizeof(int32_t), get_int32, set_int32, true},
    [MEMBER_UINT64] = {sizeof(uint64_t), get_uint64, set_uint64, true},
    [MEMBER_FLOAT] = {sizeof(float), get_float, set_float, false},
    [MEMBER_DOUBLE] = {sizeof(double), get_double, set_double, false},
    [MEMBER_BOOL] = {sizeof(bool), get_bool, set_bool, true},
    [MEMBER_CHOICE] = {sizeof(int32_t), get_int32, set_int32, true},
    [MEMBER_TEXT] = {0},
    [MEMBER_WIDTHS] = {sizeof(int32_t), get_int32, set_int32, true},
};

size_t member_size(enum member_type type)
{
    return numbers[type].size;
}

void *member_at(void *object, const struct member *member, size_t index)
{
    const size_t stride = member->stride > 0 ? member->stride : numbers[member->type].size;
    return (char *)object + member->offset + index * stride;
}

static const void *const_at(const void *object, const struct member *member, size_t index)
{
    return member_at((void *)(uintptr_t)object, member, index);
}

/* Number `index` of the member; those of a wide uint64_t are rounded. */
static double member_get(const void *object, const struct member *member, size_t index)
{
    return numbers[member->type].get(const_at(object, member, index));
}

/* ---- bounds ---- */

static double low_of(const struct member *member)
{
    return member->type == MEMBER_CHOICE || member->type == MEMBER_BOOL ? 0
           : member->low == member->high                                ? -DBL_MAX
                                                                        : member->low;
}

static double high_of(const struct member *member)
{
    return member->type == MEMBER_CHOICE ? member->choice->count - 1
           : member->type == MEMBER_BOOL ? 1
           : member->low == member->high ? DBL_MAX
                                         : member->high;
}

static bool is_inside(const struct member *member, double value)
{
    return value >= low_of(member) && value <= high_of(member); /* false for NaN */
}

/* Number of used numbers; count + 1 if the widths claim more than there is room for. */
static size_t used_count(const void *object, const struct member *member)
{
    if (member->type != MEMBER_WIDTHS)
        return member->count > 0 ? member->count : 1;
    const double used = get_int32(const_at(object, member, member->count));
    return used >= 0 && used < (double)member->count ? (size_t)used : member->count + 1;
}

static bool is_sound(const void *object, const struct member *member)
{
    if (member->type == MEMBER_TEXT)
        return memchr(const_at(object, member, 0), '\0', member->count) != NULL;
    const size_t count = used_count(object, member);
    if (member->type == MEMBER_WIDTHS && count > member->count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_inside(member, member_get(object, member, i)))
            return false;
    return true;
}

const struct member *members_fault(const void *object, const struct member *members, int count)
{
    for (int i = 0; i < count; i++)
        if (!is_sound(object, &members[i]))
            return &members[i];
    return NULL;
}

/* "1..64", "below 16 widths of 1..4096". */
static void bounds_text(char *text, size_t size, const struct member *member)
{
    size_t used = 0;
    text[0] = '\0';
    if (member->type == MEMBER_WIDTHS)
        used = (size_t)snprintf(text, size, "0..%zu widths of ", member->count - 1);
    snprintf(text + used, size - used, "%g..%g", low_of(member), high_of(member));
}

static enum status out_of_bounds(const struct member *member, const char *value,
                                 struct error *error)
{
    char bounds[96], names[200] = "";
    for (int i = 0; member->choice && i < member->choice->count; i++)
        text_list_add(names, sizeof names, ", ", "%s", member->choice->names[i]);
    if (member->choice)
        return FAIL(error, STATUS_USAGE, "%s = %.60s is none of %s", member->name, value, names);
    bounds_text(bounds, sizeof bounds, member);
    return FAIL(error, STATUS_USAGE, "%s = %.60s is outside %s", member->name, value, bounds);
}

enum status members_check(const void *object, const struct member *members, int count,
                          struct error *error)
{
    char value[96];
    const struct member *fault = members_fault(object, members, count);
    if (!fault)
        return STATUS_OK;
    member_text(value, sizeof value, object, fault);
    return out_of_bounds(fault, value, error);
}

/* ---- text ---- */

static enum status unknown_name(const struct member *members, int count, const char *name,
                                struct error *error)
{
    char list[1024] = "";
    size_t used = 0;
    for (int i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                 members[i].name);
    FAIL(error, STATUS_USAGE, "no option '%.60s'", name);
    return HINT(error, STATUS_USAGE, "options: %s", count > 0 ? list : "none");
}

/* NaN: not a number, or not a whole one where it must be. */
static double parse_number(const struct member *member, const char *text, const char **end)
{
    char *stop;
    const double value = strtod(text, &stop);
    *end = stop;
    if (stop == text || (numbers[member->type].is_whole && value != floor(value)))
        return NAN;
    return value;
}

static bool parse_widths(void *object, const struct member *member, const char *text)
{
    int32_t widths[64], count = 0;
    assert(member->count <= sizeof widths / sizeof *widths);
    for (const char *end; *text; text = *end == ',' ? end + 1 : end) {
        const double value = parse_number(member, text, &end);
        if (count + 1 >= (int32_t)member->count || !is_inside(member, value) ||
            (*end != ',' && *end != '\0'))
            return false;
        widths[count++] = (int32_t)value;
    }
    memcpy(member_at(object, member, 0), widths, (size_t)count * sizeof *widths);
    set_int32(member_at(object, member, member->count), count);
    return true;
}

static bool parse_value(void *object, const struct member *member, const char *text)
{
    static const char *const switch_names[] = {"no", "yes"};
    static const struct choice yes_or_no = {.names = switch_names, .count = 2};
    const struct choice *choice = member->type == MEMBER_BOOL ? &yes_or_no : member->choice;
    const char *end = "";
    if (member->type == MEMBER_WIDTHS)
        return parse_widths(object, member, text);
    if (member->type == MEMBER_TEXT) {
        const int length = snprintf(member_at(object, member, 0), member->count, "%s", text);
        return (size_t)length < member->count;
    }
    const double value = choice ? choice_find(choice, text) : parse_number(member, text, &end);
    if (!is_inside(member, value) || *end)
        return false;
    numbers[member->type].set(member_at(object, member, 0), value);
    return true;
}

enum status members_parse(void *object, const struct member *members, int count, const char *name,
                          const char *text, struct error *error)
{
    for (int i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return parse_value(object, &members[i], text) ? STATUS_OK
                                                          : out_of_bounds(&members[i], text, error);
    return unknown_name(members, count, name, error);
}

static void number_text(char *text, size_t size, const void *object, const struct member *member,
                        size_t index)
{
    const double value = member_get(object, member, index);
    if (member->type == MEMBER_BOOL)
        snprintf(text, size, "%s", value != 0 ? "yes" : "no");
    else if (member->type == MEMBER_CHOICE && is_inside(member, value))
        snprintf(text, size, "%s", choice_name(member->choice, (int)value));
    else
        snprintf(text, size, "%.7g", value);
}

void member_text(char *text, size_t size, const void *object, const struct member *member)
{
    size_t used = 0;
    text[0] = '\0';
    if (member->type == MEMBER_TEXT) {
        snprintf(text, size, "%.*s", (int)member->count, (const char *)const_at(object, member, 0));
        return;
    }
    size_t count = used_count(object, member);
    if (member->type == MEMBER_WIDTHS && count > member->count) {
        snprintf(text, size, "%g widths", get_int32(const_at(object, member, member->count)));
        return;
    }
    for (size_t i = 0; i < count && used + 2 < size; i++) {
        if (i > 0)
            text[used++] = ',';
        number_text(text + used, size - used, object, member, i);
        used += strlen(text + used);
    }
}
