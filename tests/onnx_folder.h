/* A folder of ONNX models that a script makes, and networks read from it; without python3-onnx the
 * tests are skipped. */
#ifndef EPOCHCAST_TESTS_ONNX_FOLDER_H
#define EPOCHCAST_TESTS_ONNX_FOLDER_H

#include "base/mapped_file.h"
#include "base/philox.h"
#include "network/onnx_operators.h"
#include "onnx_check.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_onnx.XXXXXX";
static bool has_models;

static inline void need_models(void)
{
    if (has_models)
        return;
    print_message("no python3-onnx: scripts/setup --test\n");
    skip();
}

static inline void path_of(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", folder, name);
}

static inline enum status load_status(struct network *network, const char *name,
                                      struct error *error)
{
    char path[512];
    path_of(path, name);
    *error = (struct error){.hint = ""};
    return network_load(network, path, error);
}

static inline struct network load(const char *name)
{
    struct network network;
    struct error error;
    if (load_status(&network, name, &error) != STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    return network;
}

static inline const struct network_layer *find(const struct network *network, const char *name)
{
    for (int i = 0; i < network->layer_count; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return &network->layers[i];
    fail_msg("%s has no layer '%s'", network->name, name);
    return NULL;
}

static inline const struct onnx_value *find_value(const struct onnx_graph *graph, const char *name)
{
    for (int i = 0; i < graph->value_count; i++)
        if (slice_equals(graph->values[i].name, name))
            return &graph->values[i];
    fail_msg("%s: no tensor '%s'", graph->source.path, name);
    return NULL;
}

/* Runs tests/python/SCRIPT; for a test program's setup. */
static inline int make_onnx_models(const char *script)
{
    char command[1024];
    if (!mkdtemp(folder))
        return 1;
    snprintf(command, sizeof command, "%s -B %s/tests/python/%s %s all", PYTHON, SOURCE_DIR, script,
             folder);
    const int status = system(command);
    has_models = status == 0;
    return status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 77) ? 0 : 1;
}

static inline int remove_onnx_models(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}

static inline char *read_model(const char *name, size_t *size)
{
    char path[512];
    struct mapped_file file;
    path_of(path, name);
    assert_int_equal(mapped_file_open(&file, path, NULL), STATUS_OK);
    char *bytes = malloc(file.size + 16);
    assert_non_null(bytes);
    memcpy(bytes, file.bytes, file.size);
    *size = file.size;
    mapped_file_close(&file);
    return bytes;
}

/* Changes one to four bytes, or moves a run of bytes over others. */
static inline void mutate(char *bytes, size_t size, uint32_t seed)
{
    const struct philox_words words = philox(seed, 0, 0, 0, 7);
    if (words.word[0] % 4 == 0) {
        const size_t length = words.word[1] % 32, limit = size - 32;
        memmove(bytes + words.word[2] % limit, bytes + words.word[3] % limit, length);
        return;
    }
    static const unsigned char odd[] = {0, 1, 0x7f, 0x80, 0xff};
    for (uint32_t i = 0; i <= words.word[0] / 4 % 4; i++) {
        const struct philox_words at = philox(seed, i + 1, 0, 0, 7);
        bytes[at.word[0] % size] = (char)(at.word[1] % 2 ? odd[at.word[2] % 5] : at.word[3]);
    }
}

/* How many mutants of models were networks; what holds for all is checked. */
struct mutants {
    int read, refused;
};
static inline struct mutants check_mutants(const char *const *names, size_t count, uint32_t seeds)
{
    struct mutants mutants = {0, 0};
    for (size_t i = 0; i < count; i++) {
        size_t size;
        char *bytes = read_model(names[i], &size), *copy = malloc(size);
        assert_non_null(copy);
        for (uint32_t seed = 0; seed < seeds; seed++) {
            memcpy(copy, bytes, size);
            mutate(copy, size < 4096 || seed % 2 ? size : 2048, seed);
            ++*(check_onnx(copy, size) == STATUS_OK ? &mutants.read : &mutants.refused);
        }
        free(copy);
        free(bytes);
    }
    print_message("%d mutants read, %d refused\n", mutants.read, mutants.refused);
    return mutants;
}

#endif
