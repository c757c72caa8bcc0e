#include "cli/show.h"

#include "data/audit.h"

enum { SHOWN_VIOLATIONS = 1000 };

struct listing {
    struct table *table;
    int count;
};

static void list_violation(void *payload, const char *where, const char *what)
{
    struct listing *listing = payload;
    if (listing->count++ >= SHOWN_VIOLATIONS)
        return;
    table_string(listing->table, where);
    table_string(listing->table, what);
}

static enum status print_listing(struct listing *listing, const struct audit_report *report,
                                 const char *path, enum table_format format, struct error *error)
{
    if (format == TABLE_TEXT && report->violations == 0) {
        const long long rows = report->rows, devices = report->devices, canaries = report->canaries;
        printf("%s follows the format: %lld row%s, %lld device%s, %lld %s\n", path, rows,
               rows == 1 ? "" : "s", devices, devices == 1 ? "" : "s", canaries,
               canaries == 1 ? "canary" : "canaries");
        table_free(listing->table);
        return STATUS_OK;
    }
    TRY(cli_print_table(listing->table, format, error));
    if (report->violations == 0)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "'%s' violates the format in %lld places", path,
         (long long)report->violations);
    return HINT(error, STATUS_BAD_FILE, "datasets/README.md describes the format");
}

enum status show_check(const char *path, enum table_format format, struct error *error)
{
    static const struct table_column columns[] = {{.name = "where"}, {.name = "what"}};
    struct listing listing = {.count = 0};
    struct audit_report report;
    TRY(table_create(&listing.table, columns, 2, error));
    const enum status status = dataset_audit(&report, path, list_violation, &listing, error);
    if (status == STATUS_OK)
        return print_listing(&listing, &report, path, format, error);
    table_free(listing.table);
    return status;
}
