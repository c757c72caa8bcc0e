/* Temporary folders, and datasets of known content, for tests. */
#ifndef EPOCHCAST_TESTS_DATASET_FILES_H
#define EPOCHCAST_TESTS_DATASET_FILES_H

#include "data/dataset.h"
#include "layers/describe.h"
#include "test.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUCCEEDS(call)                                                                             \
    do {                                                                                           \
        error = (struct error){.message = "no message"};                                           \
        if ((call) != STATUS_OK)                                                                   \
            fail_msg("%s: %s (%s)", #call, error.message, error.hint);                             \
    } while (0)
/* The call fails with the status, and its message holds the text. */
#define FAILS(wanted, text, call)                                                                  \
    do {                                                                                           \
        error = (struct error){.message = "no message"};                                           \
        const enum status failed_ = (call);                                                        \
        if (failed_ != (wanted) || !strstr(error.message, (text)))                                 \
            fail_msg("%s: status %d, '%s'", #call, (int)failed_, error.message);                   \
    } while (0)

struct folder {
    char path[200];
};

static inline struct folder folder_make(void)
{
    struct folder folder;
    const char *base = getenv("TMPDIR");
    snprintf(folder.path, sizeof folder.path, "%s/epochcast-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder.path))
        abort();
    return folder;
}

struct file_name {
    char text[512];
};

static inline struct file_name in_folder(const struct folder *folder, const char *name)
{
    struct file_name file;
    snprintf(file.text, sizeof file.text, "%s/%s", folder->path, name);
    return file;
}

static inline int folder_count(const struct folder *folder)
{
    int count = 0;
    DIR *directory = opendir(folder->path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static inline void folder_remove(const struct folder *folder)
{
    DIR *directory = opendir(folder->path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            unlink(in_folder(folder, entry->d_name).text);
    closedir(directory);
    rmdir(folder->path);
}

static inline long file_size(const char *path)
{
    struct stat now;
    return stat(path, &now) == 0 ? (long)now.st_size : -1;
}

static inline struct dataset_header sample_header(void)
{
    return (struct dataset_header){.program_version = "epochcast 0.0.0 (test)",
                                   .command_line = "epochcast sweep --layer dense",
                                   .licence = "CC-BY-4.0",
                                   .sampler = "by hand",
                                   .seed = UINT64_C(0xfedcba9876543210)};
}

static inline struct device_info sample_device(const char *name)
{
    struct device_info info = {.backend = "fake",
                               .device_count = 1,
                               .thread_count = 1,
                               .memory_bytes = INT64_C(7) << 30,
                               .clock_mhz = 1000,
                               .bandwidth_gbps = 50,
                               .measured_copy_gbps = NAN};
    snprintf(info.name, sizeof info.name, "%s", name);
    return info;
}

/* The kind's case that sets everything. */
static inline struct layer_config full_example(enum layer_kind kind)
{
    struct layer_config config;
    const struct layer_case *last = layer_descriptors[kind]->cases;
    while (last[1].text)
        last++;
    if (describe_parse(&config, last->text, NULL) != STATUS_OK)
        abort();
    return config;
}

/* A row of each kind in turn; every field has a value of its own. */
static inline struct measurement sample_row(int64_t draw)
{
    struct measurement row = {.outcome = OUTCOME_CAPPED,
                              .stratum = STRATUM_REALISTIC,
                              .draw = draw,
                              .round_count = 1,
                              .spread_percent = NAN,
                              .sample_count = 11,
                              .repeats_per_sample = 4,
                              .dropped_count = 2,
                              .median_ms = 1.5 + (double)draw,
                              .minimum_ms = 1.25 + (double)draw,
                              .maximum_ms = 2.5 + (double)draw,
                              .q25_ms = 1.375,
                              .q75_ms = 1.75,
                              .ci_ms = 0.0625,
                              .setup_ms = 3,
                              .warmup_ms = 20,
                              .measuring_ms = 66,
                              .workspace_bytes = 4096,
                              .unix_time_s = 1.5e9};
    row.config = full_example((enum layer_kind)(draw % LAYER_KIND_COUNT));
    row.config.batch_size = 1 + (int32_t)(draw % 60);
    snprintf(row.algorithm, sizeof row.algorithm, "algorithm %lld", (long long)draw);
    return row;
}

#endif
