#include "data/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text of the header, and the way to join those of several inputs. */
struct joined_text {
    size_t offset, size;
    const char *separator;
};
#define JOINED(member, text)                                                                       \
    {                                                                                              \
        .offset = offsetof(struct dataset_header, member),                                         \
        .size = sizeof((struct dataset_header *)0)->member, .separator = text                      \
    }
static const struct joined_text joined_texts[] = {
    JOINED(sampler, "; "),  JOINED(domain, "or\n"),
    JOINED(protocol, "; "), JOINED(licence, " AND "), /* SPDX syntax */
    JOINED(citation, "; "), JOINED(shard, ","),
};
static const char mixed[] = "mixed", whole[] = "1/1", unknown_licence[] = "NOASSERTION";

static bool is_listed(const char *all, const char *one, const char *separator)
{
    const size_t length = strlen(one), gap = strlen(separator);
    for (const char *at = all; at; at = strstr(at, separator), at = at ? at + gap : NULL)
        if (strncmp(at, one, length) == 0 &&
            (at[length] == '\0' || strncmp(at + length, separator, gap) == 0))
            return true;
    return false;
}

static void join(char *all, const char *one, const struct joined_text *text)
{
    const size_t length = strlen(all), gap = strlen(text->separator);
    if (strcmp(all, mixed) == 0 || is_listed(all, one, text->separator))
        return;
    if (length + gap + strlen(one) >= text->size)
        snprintf(all, text->size, "%s", mixed);
    else
        snprintf(all + length, text->size - length, "%s%s", length ? text->separator : "", one);
}

/* Draws of different seeds are not one sweep: seed becomes 0, and the sampler mentions it. */
static void join_seed(struct dataset_header *all, const struct dataset_header *one)
{
    static const struct joined_text text = JOINED(sampler, "; ");
    if (all->seed == one->seed)
        return;
    all->seed = 0;
    join(all->sampler, "mixed seeds", &text);
}

void merge_licence(struct dataset_header *all, const char *licence)
{
    static const struct joined_text text = JOINED(licence, " AND ");
    join(all->licence, *licence ? licence : unknown_licence, &text);
}

void merge_header(struct dataset_header *all, const struct dataset_header *one, int index)
{
    for (size_t i = 0; i < sizeof joined_texts / sizeof *joined_texts; i++) {
        const struct joined_text *text = &joined_texts[i];
        char *target = (char *)all + text->offset;
        const char *source = (const char *)one + text->offset;
        if (!*source && text->offset == offsetof(struct dataset_header, shard))
            source = whole;
        if (!*source && text->offset == offsetof(struct dataset_header, licence))
            source = unknown_licence; // or the other inputs' licence would count for it
        if (index == 0)
            snprintf(target, text->size, "%s", source);
        else if (*source)
            join(target, source, text);
    }
    if (index == 0)
        all->seed = one->seed;
    else
        join_seed(all, one);
}

void merge_source(struct dataset_header *all, const struct dataset_header *one, const char *path,
                  size_t row_count)
{
    static const char more[] = "and more\n";
    const size_t length = strlen(all->sources), room = sizeof all->sources - length;
    const char *slash = strrchr(path, '/');
    char line[sizeof all->sources];
    if (*one->sources)
        snprintf(line, sizeof line, "%s", one->sources);
    else
        snprintf(line, sizeof line, "%.200s: %zu rows, seed %llu%s%s, %s, %s, %s\n",
                 slash ? slash + 1 : path, row_count, (unsigned long long)one->seed,
                 *one->shard ? ", shard " : "", one->shard, one->created, one->program_version,
                 one->licence);
    if (strstr(all->sources, line))
        return;
    if (strlen(line) + sizeof more < room)
        snprintf(all->sources + length, room, "%s", line);
    else if (length < sizeof more || strcmp(all->sources + length + 1 - sizeof more, more) != 0)
        snprintf(all->sources + length, room, "%s", more);
}

/* "3/8" -> 3, 8. */
static bool parse_shard(long *index, long *count, const char *text)
{
    char *end;
    *index = strtol(text, &end, 10);
    if (end == text || *end != '/')
        return false;
    const char *second = end + 1;
    *count = strtol(second, &end, 10);
    return end != second && *end == '\0' && *index >= 1 && *index <= *count;
}

static bool has_shard(const struct dataset_header *const *headers, int count, long wanted)
{
    for (int i = 0; i < count; i++) {
        long index, of;
        if (parse_shard(&index, &of, headers[i]->shard) && index == wanted)
            return true;
    }
    return false;
}

static bool is_same_sweep(const struct dataset_header *a, const struct dataset_header *b)
{
    return a->seed == b->seed && strcmp(a->sampler, b->sampler) == 0 &&
           strcmp(a->domain, b->domain) == 0;
}

void merge_shards(struct dataset_header *all, const struct dataset_header *const *headers,
                  int count)
{
    long index, shards, other;
    if (strcmp(all->shard, whole) == 0)
        all->shard[0] = '\0';
    if (!parse_shard(&index, &shards, headers[0]->shard) || shards > count)
        return;
    for (int i = 0; i < count; i++)
        if (!is_same_sweep(headers[i], headers[0]) ||
            !parse_shard(&index, &other, headers[i]->shard) || other != shards)
            return;
    for (long i = 1; i <= shards; i++)
        if (!has_shard(headers, count, i))
            return;
    all->shard[0] = '\0';
}
