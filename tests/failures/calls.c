/* Linked into a copy of the program (bin/failing): fails one call, the Nth of its kind.
 * EPOCHCAST_FAILS="PROCESS KIND N FILE": PROCESS is main or worker, KIND is memory or one of
 * calls.h, N counts from 1 over all processes of this PROCESS (0: none fails, all are counted).
 * FILE (32 bytes of zeros) becomes a struct record. Nothing fails without the variable. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct record {
    _Atomic uint64_t count; /* calls of the kind up to now */
    uint64_t caller;        /* of the failed call: its address in the program; 0: none failed */
    char name[16];          /* of the failed call, cut */
};

static struct hook {
    struct record *record; /* NULL: not asked for */
    uint64_t number;
    char kind[16];
} hook;

extern const char __executable_start[];

static bool fails(const char *kind, const char *name, const char *caller, int cause)
{
    if (!hook.record || strcmp(kind, hook.kind) != 0 ||
        atomic_fetch_add(&hook.record->count, 1) + 1 != hook.number)
        return false;
    memcpy(hook.record->name, name, strnlen(name, sizeof hook.record->name));
    hook.record->caller = (uint64_t)(caller - __executable_start);
    errno = cause;
    return true;
}
#define FAILS(kind, name, cause) fails(#kind, #name, __builtin_return_address(0), (cause))

/* Also right for functions that take fewer or shorter arguments: they do not look at the others. */
typedef int64_t any_call(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
#define PASSED a, b, c, d, e, f, g, h
#define WRAPPED(name, kind, cause, failure)                                                        \
    any_call __wrap_##name, __real_##name;                                                         \
    int64_t __wrap_##name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f,        \
                          int64_t g, int64_t h)                                                    \
    {                                                                                              \
        return FAILS(kind, name, cause) ? (failure) : __real_##name(PASSED);                       \
    }
#define NEGATIVE(kind, name, cause) WRAPPED(name, kind, cause, -1)
#define NONE(kind, name, cause)     WRAPPED(name, kind, cause, 0)
#define CODE(kind, name, cause)     WRAPPED(name, kind, cause, cause)
#define AFTER(kind, name, cause)    WRAPPED(name, kind, cause, (__real_##name(PASSED), -1))
#define SOMETIMES(kind, name, cause)                                                               \
    any_call __real_##name __attribute__((weak));                                                  \
    NEGATIVE(kind, name, cause)
#define NEVER(name)
#include "calls.h"

/* Memory: only what we ask for ourselves. CMakeLists.txt gives our archives' calls these names. */
void *failing_malloc(size_t size);
void *failing_calloc(size_t count, size_t size);
void *failing_realloc(void *memory, size_t size);
char *failing_strdup(const char *text);
char *failing_strndup(const char *text, size_t limit);
FILE *failing_open_memstream(char **text, size_t *size);

void *failing_malloc(size_t size)
{
    return FAILS(memory, malloc, ENOMEM) ? NULL : malloc(size);
}

void *failing_calloc(size_t count, size_t size)
{
    return FAILS(memory, calloc, ENOMEM) ? NULL : calloc(count, size);
}

void *failing_realloc(void *memory, size_t size)
{
    return FAILS(memory, realloc, ENOMEM) ? NULL : realloc(memory, size);
}

char *failing_strdup(const char *text)
{
    return FAILS(memory, strdup, ENOMEM) ? NULL : strdup(text);
}

char *failing_strndup(const char *text, size_t limit)
{
    return FAILS(memory, strndup, ENOMEM) ? NULL : strndup(text, limit);
}

FILE *failing_open_memstream(char **text, size_t *size)
{
    return FAILS(memory, open_memstream, ENOMEM) ? NULL : open_memstream(text, size);
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
    const char *wanted = getenv("EPOCHCAST_FAILS");
    char process[16], path[1024];
    if (!wanted ||
        sscanf(wanted, "%15s %15s %lu %1023s", process, hook.kind, &hook.number, path) != 4)
        return;
    const bool is_worker = argc > 1 && strcmp(argv[1], "worker") == 0;
    if (is_worker != (strcmp(process, "worker") == 0))
        return;
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    struct record *record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED,
                                 descriptor, 0);
    if (record == MAP_FAILED)
        abort();
    hook.record = record;
}
