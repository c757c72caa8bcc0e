/* The envelope of a model file: an HDF5 file behind a user block of 512 bytes (which HDF5 skips)
 * that says what the file is, how long, and its hash. A truncated, damaged, foreign or newer file
 * is told apart before HDF5 parses a byte of it, for its library does not survive every damage.
 */
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/mapped_file.h"
#include "base/scratch_file.h"
#include "predictors/model_content.h"
#include "predictors/training_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENVELOPE_BYTES = 512 };
#define ENVELOPE_START MODEL_FORMAT_NAME "\nversion "

/* Older files have a `hash` over bytes. */
static const struct content_hash {
    const char *name;
    uint64_t (*of)(uint64_t hash, const void *bytes, size_t count);
} content_hashes[] = {{"word_hash", hash_words}, {"hash", hash_bytes}};

static uint64_t content_hash(const struct content_hash *kind, const struct mapped_file *file)
{
    return kind->of(HASH_SEED, file->bytes + ENVELOPE_BYTES, file->size - ENVELOPE_BYTES);
}

/* ---- saving ---- */

static enum status cannot(const char *what, const char *path, struct error *error)
{
    return FAIL(error, STATUS_FAILED, "cannot %s '%s': %s", what, path, strerror(errno));
}

/* Into the scratch file: HDF5 opens it by its temporary name. */
static enum status write_content(const struct model *model, const struct scratch_file *scratch,
                                 struct error *error)
{
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    errno = 0;
    const hid_t file = H5Pset_userblock(creation, ENVELOPE_BYTES) >= 0
                           ? H5Fcreate(scratch->name, H5F_ACC_TRUNC, creation, H5P_DEFAULT)
                           : H5I_INVALID_HID;
    H5Pclose(creation);
    if (file < 0)
        return cannot("create", scratch->path, error);
    const struct model_place root = {.id = file, .path = scratch->path, .prefix = ""};
    enum status status = model_content_write(&root, model->predictor, model->provenance, error);
    errno = 0;
    if (H5Fclose(file) < 0 && status == STATUS_OK)
        status = cannot("write", scratch->path, error);
    return status;
}

static enum status write_envelope(const struct scratch_file *scratch, struct error *error)
{
    struct mapped_file content;
    TRY(mapped_file_open(&content, scratch->name, error));
    char envelope[ENVELOPE_BYTES] = {0};
    const struct content_hash *kind = &content_hashes[0];
    snprintf(envelope, sizeof envelope, ENVELOPE_START "%d\nbytes %zu\n%s %016" PRIx64 "\n",
             MODEL_FORMAT_VERSION, content.size, kind->name, content_hash(kind, &content));
    mapped_file_close(&content);
    if (pwrite(scratch->descriptor, envelope, sizeof envelope, 0) != (ssize_t)sizeof envelope)
        return cannot("write", scratch->path, error);
    return STATUS_OK;
}

static enum status write_and_publish(const struct model *model, struct scratch_file *scratch,
                                     bool overwrite, struct error *error)
{
    const struct hdf5_silence silence = hdf5_silence_begin();
    enum status status = write_content(model, scratch, error);
    hdf5_silence_end(&silence);
    TRY(status);
    TRY(write_envelope(scratch, error));
    return scratch_file_publish(scratch, overwrite, error);
}

enum status model_save(const struct model *model, const char *path, bool overwrite,
                       struct error *error)
{
    struct scratch_file scratch;
    if (!model->predictor)
        return FAIL(error, STATUS_USAGE, "no predictor to store");
    TRY(scratch_file_check_destination(path, overwrite, error));
    enum status status = scratch_file_create(&scratch, path, true, error);
    if (status == STATUS_OK)
        status = write_and_publish(model, &scratch, overwrite, error);
    scratch_file_close(&scratch);
    return status;
}

/* ---- loading ---- */

static bool is_intact(const struct mapped_file *file, const char *name, uint64_t hash)
{
    for (size_t i = 0; i < sizeof content_hashes / sizeof *content_hashes; i++)
        if (strcmp(content_hashes[i].name, name) == 0)
            return content_hash(&content_hashes[i], file) == hash;
    return false;
}

/* Parses the envelope, which need not be terminated. */
static enum status envelope_check(const struct mapped_file *file, const char *path,
                                  struct error *error)
{
    char envelope[ENVELOPE_BYTES + 1] = "";
    memcpy(envelope, file->bytes, file->size < ENVELOPE_BYTES ? file->size : ENVELOPE_BYTES);
    const size_t start = strlen(ENVELOPE_START);
    if (strncmp(envelope, ENVELOPE_START, start) != 0)
        return file_kind_refuse(path, "a model", error);
    int version = 0;
    size_t bytes = 0;
    uint64_t hash = 0;
    char name[16] = "";
    const int read = sscanf(envelope + start, "%9d\nbytes %19zu\n%15s %16" SCNx64, &version, &bytes,
                            name, &hash);
    if (read >= 1 && (version < MODEL_FORMAT_OLDEST || version > MODEL_FORMAT_VERSION)) {
        FAIL(error, STATUS_BAD_FILE,
             "'%s' is a model of format version %d, this program reads %d to %d", path, version,
             MODEL_FORMAT_OLDEST, MODEL_FORMAT_VERSION);
        return HINT(error, STATUS_BAD_FILE,
                    "use the epochcast that wrote it, or train the model again");
    }
    if (read == 4 && file->size < bytes) {
        FAIL(error, STATUS_BAD_FILE, "'%s' is truncated: %zu of %zu bytes", path, file->size,
             bytes);
        return HINT(error, STATUS_BAD_FILE, "copy it again, or train the model again");
    }
    if (read == 4 && file->size == bytes && bytes > ENVELOPE_BYTES && is_intact(file, name, hash))
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "'%s' is damaged: its content does not match its hash", path);
    return HINT(error, STATUS_BAD_FILE, "copy it again, or train the model again");
}

static enum status file_check(size_t *file_bytes, const char *path, struct error *error)
{
    struct mapped_file file;
    TRY(mapped_file_open(&file, path, error));
    const enum status status = envelope_check(&file, path, error);
    *file_bytes = file.size;
    mapped_file_close(&file);
    return status;
}

static enum status read_content(struct model *model, const char *path, size_t file_bytes,
                                struct error *error)
{
    struct model_place root = {.path = path, .prefix = "", .file_bytes = file_bytes};
    root.id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (root.id < 0)
        return FAIL(error, STATUS_BAD_FILE, "HDF5 cannot open '%s'", path);
    enum status status = model_content_read(&root, &model->predictor, model->provenance,
                                            sizeof model->provenance, error);
    H5Fclose(root.id);
    return status;
}

static enum status copy_devices(struct model *model, struct error *error)
{
    const size_t count = (size_t)model->predictor->device_count;
    TRY(ALLOCATE(&model->devices, count, "devices", error));
    model->device_count = (int)count;
    memcpy(model->devices, model->predictor->devices, count * sizeof *model->devices);
    return STATUS_OK;
}

enum status model_load(struct model *model, const char *path, struct error *error)
{
    *model = (struct model){0};
    size_t file_bytes;
    TRY(file_check(&file_bytes, path, error));
    const struct hdf5_silence silence = hdf5_silence_begin();
    enum status status = read_content(model, path, file_bytes, error);
    hdf5_silence_end(&silence);
    if (status == STATUS_OK)
        status = copy_devices(model, error);
    if (status != STATUS_OK)
        model_free(model);
    return status;
}

void model_free(struct model *model)
{
    if (model->predictor) {
        training_facts_free(model->predictor->facts);
        model->predictor->type->free(model->predictor);
    }
    free(model->devices);
    *model = (struct model){0};
}

/* ---- devices ---- */

/* The device of that name; without one, the only device that this backend measured. */
static const struct device_info *named_device(const struct model *model, const char *name)
{
    const struct device_info *found = NULL;
    for (int i = 0; i < model->device_count; i++)
        if (!name || strcmp(model->devices[i].name, name) == 0)
            return &model->devices[i];
    for (int i = 0; i < model->device_count; i++)
        if (strcmp(model->devices[i].backend, name) == 0) {
            if (found)
                return NULL;
            found = &model->devices[i];
        }
    return found;
}

void model_list_devices(char *list, size_t size, const struct model *model)
{
    size_t used = 0;
    snprintf(list, size, "no device");
    for (int i = 0; i < model->device_count && used < size; i++)
        used += (size_t)snprintf(list + used, size - used, "%s'%s'", i > 0 ? ", " : "",
                                 model->devices[i].name);
}

enum status model_device(const struct device_info **device, const struct model *model,
                         const char *name, struct error *error)
{
    char list[400];
    *device = named_device(model, name);
    if (*device)
        return STATUS_OK;
    model_list_devices(list, sizeof list, model);
    FAIL(error, STATUS_NO_DEVICE, "the model does not know device '%s'", name ? name : "");
    return HINT(error, STATUS_NO_DEVICE, "it knows %s", list);
}
