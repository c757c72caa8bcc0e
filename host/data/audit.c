#include "data/audit.h"

#include "bench/device_identity.h"
#include "data/audit_internal.h"
#include "data/dataset_reader.h"
#include "data/hdf5_file.h"
#include "data/row_set.h"
#include "data/trial.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void audit_violation(struct audit *audit, const char *where, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    audit->report.violations++;
    audit->tell(audit->payload, where, what);
}

/* ---- one row ---- */

/* a <= b, where both are known. */
static bool in_order(double a, double b)
{
    return isnan(a) || isnan(b) || a <= b;
}

/* Checks relations between columns that are within their bounds; NULL: all hold. */
static const char *time_fault(const struct measurement *row)
{
    if (!measurement_is_timed(row))
        return isnan(row->median_ms) ? NULL : "a time, but an outcome without one";
    if (row->sample_count < 1)
        return "a time of no samples";
    if (!in_order(row->minimum_ms, row->median_ms) || !in_order(row->median_ms, row->maximum_ms))
        return "minimum_ms <= median_ms <= maximum_ms does not hold";
    if (!in_order(row->minimum_ms, row->q25_ms) || !in_order(row->q75_ms, row->maximum_ms))
        return "minimum_ms <= q25_ms and q75_ms <= maximum_ms do not hold";
    /* A round without quartiles may shift the quartiles against the median of all rounds. */
    if (row->round_count == 1 &&
        (!in_order(row->q25_ms, row->median_ms) || !in_order(row->median_ms, row->q75_ms)))
        return "q25_ms <= median_ms <= q75_ms does not hold";
    return NULL;
}

static const char *round_fault(const struct measurement *row, bool is_growing)
{
    if (is_growing && row->round_count != 1)
        return "rounds joined, but the file still grows";
    if (row->round + 1 < row->round_count && row->stratum != STRATUM_IMPORTED)
        return "more rounds than the last one's number allows";
    if (row->round_count == 1 && !isnan(row->spread_percent))
        return "spread_percent of one round";
    if (row->round_count > 1 && measurement_is_timed(row) && isnan(row->spread_percent))
        return "no spread_percent of several rounds";
    return NULL;
}

/* ---- all rows ---- */

static void tell_row(struct audit *audit, const struct measurement *row, const char *fault)
{
    char where[96];
    snprintf(where, sizeof where, "/%s/rows, draw %lld", layer_descriptors[row->config.kind]->name,
             (long long)row->draw);
    audit_violation(audit, where, "%s", fault);
}

static void check_row(struct audit *audit, const struct measurement *row, struct row_set *seen,
                      bool is_growing)
{
    const char *const faults[] = {time_fault(row), round_fault(row, is_growing),
                                  row_set_add(seen, row_hash(row)) ? NULL
                                                                   : "a duplicate of another row"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i])
            tell_row(audit, row, faults[i]);
}

static enum status check_rows(struct audit *audit, struct dataset_reader *reader,
                              struct error *error)
{
    struct row_set seen;
    const int64_t faulty = audit->report.violations;
    enum status status = row_set_create(&seen, reader->row_limit + reader->canary_count, error);
    for (size_t count = 1; status == STATUS_OK && count > 0;) {
        const struct measurement *rows;
        status = dataset_reader_next(reader, &rows, &count, error);
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            check_row(audit, &rows[i], &seen, reader->is_growing);
        audit->report.rows += (int64_t)count;
    }
    for (size_t i = 0; status == STATUS_OK && i < reader->canary_count; i++)
        if (!row_set_add(&seen, canary_hash(&reader->canaries[i])))
            audit_violation(audit, "/canary/rows", "row %zu is a duplicate of another", i);
    row_set_free(&seen);
    const int64_t missing = (int64_t)reader->row_limit - audit->report.rows;
    if (status == STATUS_OK && !reader->is_growing && missing > 0 &&
        audit->report.violations == faulty)
        audit_violation(audit, "/", "%lld rows at the ends of tables were never written",
                        (long long)missing);
    return status;
}

static void check_devices(struct audit *audit, const struct dataset_reader *reader)
{
    for (size_t i = 0; i < reader->device_count; i++)
        for (size_t j = 0; j < i; j++)
            if (device_find_joined(&reader->devices[i], 1, &reader->devices[j]) == 0)
                audit_violation(audit, "/devices/rows", "rows %zu and %zu are the same device", j,
                                i);
}

static void tell_fault(void *payload, const char *table, size_t row, const char *what)
{
    char where[96];
    snprintf(where, sizeof where, "%s, row %zu", table, row);
    audit_violation(payload, where, "%s", what);
}

static enum status check_file(struct audit *audit, struct dataset_reader *reader,
                              struct error *error)
{
    hid_t file;
    TRY(hdf5_file_open(&file, audit->path, error));
    audit_structure(audit, file, reader->is_growing);
    H5Fclose(file);
    if (reader->is_growing == reader->is_sealed)
        audit_violation(audit, "/", "%s",
                        reader->is_growing
                            ? "sealed, but the file still grows"
                            : "no seal: another program changed the file since it was finished");
    check_devices(audit, reader);
    audit->report.devices = (int64_t)reader->device_count;
    audit->report.canaries = (int64_t)reader->canary_count;
    return check_rows(audit, reader, error);
}

static enum status run(void *payload, struct error *error)
{
    struct audit *audit = payload;
    struct dataset_reader *reader;
    const struct dataset_reader_options options = {
        .keeps_rounds = true, .fault = tell_fault, .payload = audit};
    TRY(dataset_reader_open(&reader, audit->path, &options, error));
    const enum status status = check_file(audit, reader, error);
    dataset_reader_close(reader);
    return status;
}

enum status dataset_audit(struct audit_report *report, const char *path,
                          void (*tell)(void *payload, const char *where, const char *what),
                          void *payload, struct error *error)
{
    bool is_sealed;
    struct audit audit = {.path = path, .tell = tell, .payload = payload};
    TRY(hdf5_file_check(&is_sealed, path, error));
    if (!is_sealed)
        TRY(trial_run(run, &audit, path, error));
    const enum status status = run(&audit, error);
    *report = audit.report;
    return status;
}
