/* Status and error: how library code reports failures of its environment.
 *
 * A function that can fail returns `enum status` and fills the caller's `struct error`: the
 * failure, its place, and a hint about the next step. Only main() prints. `assert` is for our own
 * bugs. The values of `enum status` are the program's exit codes.
 */
#ifndef EPOCHCAST_BASE_ERROR_H
#define EPOCHCAST_BASE_ERROR_H

#include <assert.h>

static_assert(sizeof(void *) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "epochcast is for 64-bit little-endian processors");

enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_NO_DEVICE = 3,
    STATUS_BAD_FILE = 4,
    STATUS_OUT_OF_MEMORY = 5, /* a forecast says that the network does not fit the device */
    STATUS_INTERRUPTED = 130,
};

struct error {
    enum status status;
    char message[512]; /* lower case, no full stop: "cannot open 'x': no such file" */
    char hint[512];    /* the next step for the user; may be empty */
    const char *file;  /* source place that reported, for --verbose */
    int line;
};

/* Fills *error (which may be NULL) and returns `status`. Use FAIL, which adds the place. */
enum status error_set(struct error *error, enum status status, const char *file, int line,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adds or replaces the hint of *error (which may be NULL). */
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define FAIL(error, status, ...) error_set((error), (status), __FILE__, __LINE__, __VA_ARGS__)
/* Adds the hint to an error that is set: `return HINT(error, STATUS_USAGE, "add --overwrite");`. */
#define HINT(error, status, ...) (error_hint((error), __VA_ARGS__), (status))

/* Leaves the function when `call` did not return STATUS_OK. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (call);                                                          \
        if (try_status_ != STATUS_OK)                                                              \
            return try_status_;                                                                    \
    } while (0)

/* Zeroed array of `count` elements of `size` bytes, or an error that names `what`; the caller
 * frees. count == 0 gives a valid one-element array. Overflow of count * size is an error. */
enum status error_allocate(void **out, unsigned long count, unsigned long size, const char *what,
                           struct error *error);
/* The same for `*out`; its type gives the size of an element. */
#define ALLOCATE(out, count, what, error)                                                          \
    error_allocate_at((out), (count), sizeof **(out), (what), (error))
enum status error_allocate_at(void *out, unsigned long count, unsigned long size, const char *what,
                              struct error *error);

#endif
