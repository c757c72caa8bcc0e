#include "data/row_sources.h"

#include "base/text.h"

#include <string.h>

bool row_source_is_listed(const char *list, const struct device_info *device)
{
    const size_t length = strlen(device->source);
    for (const char *at = list; at && length > 0; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, device->source, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    }
    return false;
}

/* The sources of the devices, each once. */
static void list_sources(char *text, size_t size, const struct dataset_rows *rows)
{
    text[0] = '\0';
    for (int i = 0; i < rows->device_count; i++) {
        const char *source = rows->devices[i].source;
        bool is_new = *source;
        for (int k = 0; k < i; k++)
            is_new = is_new && strcmp(rows->devices[k].source, source) != 0;
        if (is_new)
            text_list_add(text, size, ", ", "%s", source);
    }
}

static enum status check_name(void *payload, const char *name, struct error *error)
{
    char known[300];
    const struct dataset_rows *rows = payload;
    for (int i = 0; i < rows->device_count; i++)
        if (*name && strcmp(rows->devices[i].source, name) == 0)
            return STATUS_OK;
    list_sources(known, sizeof known, rows);
    FAIL(error, STATUS_USAGE, "--exclude-source: no rows of source '%.60s'", name);
    return HINT(error, STATUS_USAGE, "the rows have %s", *known ? known : "no source");
}

enum status row_sources_check(const char *list, const struct dataset_rows *rows,
                              struct error *error)
{
    return list ? each_item(list, check_name, (void *)rows, error) : STATUS_OK;
}

enum status row_sources_exclude(struct dataset_rows *rows, const char *list, struct error *error)
{
    size_t kept = 0;
    if (!list)
        return STATUS_OK;
    TRY(row_sources_check(list, rows, error));
    for (size_t i = 0; i < rows->count; i++)
        if (!row_source_is_listed(list, &rows->devices[rows->rows[i].device]))
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
    return STATUS_OK;
}
