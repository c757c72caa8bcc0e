#include "cli/provenance.h"

#include "onednn/version.h"
#include "version.h"

#include <cJSON.h>
#include <hdf5.h>

#include <string.h>
#include <time.h>

static void fill_libraries(char *text, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    char onednn[64];
    H5get_libversion(&major, &minor, &release);
    onednn_version(onednn, sizeof onednn);
    snprintf(text, size, "HDF5 %u.%u.%u, %s", major, minor, release, onednn);
}

static void fill_time(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void print_version(FILE *file)
{
    char libraries[128];
    fill_libraries(libraries, sizeof libraries);
    fprintf(file, "epochcast %s (%s)\n%s, cJSON %s\n", EPOCHCAST_VERSION, EPOCHCAST_COMMIT,
            libraries, cJSON_Version());
}

void fill_header(struct dataset_header *header, const struct settings *settings)
{
    *header = (struct dataset_header){.seed = (uint64_t)settings->seed};
    snprintf(header->program_version, sizeof header->program_version, "epochcast %s (%s)",
             EPOCHCAST_VERSION, EPOCHCAST_COMMIT);
    snprintf(header->command_line, sizeof header->command_line, "%s", settings->command_line);
    fill_libraries(header->libraries, sizeof header->libraries);
    snprintf(header->licence, sizeof header->licence, "%s",
             settings->licence ? settings->licence : "CC-BY-4.0");
    snprintf(header->citation, sizeof header->citation, "%s",
             settings->citation ? settings->citation : "");
    fill_time(header->created, sizeof header->created);
}

void fill_model_provenance(char *text, size_t size, const struct settings *settings)
{
    char created[32];
    fill_time(created, sizeof created);
    snprintf(text, size, "epochcast %s (%s)\n%s\n%s", EPOCHCAST_VERSION, EPOCHCAST_COMMIT, created,
             settings->command_line);
}
